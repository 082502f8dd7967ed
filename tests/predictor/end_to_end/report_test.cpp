#include "predictor/end_to_end/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>

namespace ridge {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kHeader =
    "gpu,gpus,framework,model,dtype,input_tokens,output_tokens,batch,measured_ttft_ms,"
    "measured_tpot_ms,measured_total_ms\n";

EndToEndValidation validated(const std::string& rows) {
  return validate_end_to_end(
      read_end_to_end(parse_csv(kHeader + rows, "rows.csv"), "rows.csv", "none"), {});
}

void expect_narrow(const std::string& text) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 80u) << line;
}

// Far from any prediction, each further than the one before.
std::string odd_rows(int count) {
  std::string rows;
  for (int i = 1; i <= count; ++i)
    rows += "H100-SXM,1,an-engine-of-a-long-name,llama-3.2-1b,bf16,128,16,1,,," +
            std::to_string(1e6 * i) + "\n";
  return rows;
}

TEST(EndToEndReport, TheWorstComeFirstAndOnceEach) {
  const EndToEndValidation v =
      validated(odd_rows(12) + "T4,1,,llama-3.2-1b,f16,128,16,1,0.001,0.001,1000\n");
  ASSERT_EQ(v.rows.size(), 13u);
  const EndToEndSummary s = summarize(v);
  ASSERT_EQ(s.worst.size(), kWorstTimes);
  EXPECT_EQ(s.worst[0].row.gpu, "T4");  // a thousandth of a millisecond was never reached
  EXPECT_EQ(s.worst[0].time, "TTFT");
  for (std::size_t i = 1; i < s.worst.size(); ++i) {
    EXPECT_GE(std::abs(s.worst[i - 1].error()), std::abs(s.worst[i].error()));
    EXPECT_NE(s.worst[i].row.line, s.worst[0].row.line);
  }
  const std::string text = end_to_end_text(s);
  EXPECT_THAT(text, HasSubstr("10 rows furthest off\n  1."));
  EXPECT_THAT(text, HasSubstr("line 14"));
  expect_narrow(text);
}

TEST(EndToEndReport, TellsRowsThatDoNotFitAndPredictsThem) {
  const EndToEndValidation v = validated(
      "T4,1,,llama-2-70b,f16,128,16,1,,,5000\n"  // 140 GB of weights on 16 GB
      "H100-SXM,1,,llama-3.2-1b,bf16,128,16,1,,,50\n");
  ASSERT_EQ(v.rows.size(), 2u);
  EXPECT_EQ(v.rows[0].fits, std::optional(false));
  EXPECT_EQ(v.rows[1].fits, std::optional(true));
  EXPECT_THAT(head_text(v, "rows.csv", "kernels"), HasSubstr("1 row does not fit in memory"));
  const EndToEndSummary s = summarize(v);
  const std::string text = end_to_end_text(s);
  EXPECT_THAT(text, HasSubstr("\ndoes not fit "));
  EXPECT_THAT(text, HasSubstr(", does not fit in memory, line 2"));
  const nlohmann::json j = to_json(v, s);
  EXPECT_EQ(j.at("rows").at(0).at("fits"), false);
  EXPECT_EQ(j.at("statistics").at("memory").size(), 2u);
  EXPECT_THAT(head_text(validated("H100-SXM,1,,8b,bf16,128,16,1,,,50\n"), "r", "kernels"),
              Not(HasSubstr("fit")));
}

TEST(EndToEndReport, CountsRowsThatAreNotPredictedByTheirReason) {
  std::string rows = "H100-SXM,1,,llama-3.2-1b,bf16,128,16,1,,,50\n";
  for (int i = 0; i < 12; ++i) rows += "H100-SXM,1,,lama-9,bf16,128,16,1,,,50\n";
  rows +=
      "no-such-gpu,1,,llama-3.2-1b,bf16,128,16,1,,,50\n"
      "H100-SXM,1,,llama-3.2-1b,bf17,128,16,1,,,50\n"
      "H100-SXM,5,,llama-3.2-1b,bf16,128,16,1,,,50\n"
      "H100-SXM,1,,llama-3.2-1b,bf16,none,16,1,,,50\n";
  const EndToEndValidation v = validated(rows);
  ASSERT_EQ(v.rejected.size(), 16u);
  const std::string text = rejected_text(v, std::string(200, 'p') + "/rows.csv");
  EXPECT_THAT(text, HasSubstr("16 rows of ..."));
  for (const char* says : {"unknown model 12", "unknown GPU 1", "unknown dtype 1", "bad row 1",
                           "impossible request 1", "lines 3, 4, 5, 6, 7, 8, 9, 10 and 4 more:",
                           "'lama-9'", "no-such-gpu", "input_tokens=none"})
    EXPECT_THAT(text, HasSubstr(says));
  EXPECT_LT(text.find("lama-9"), text.find("no-such-gpu"));
  expect_narrow(text);
  expect_narrow(head_text(v, std::string(200, 'p') + "/rows.csv", std::string(200, 'e')));
  const nlohmann::json j = to_json(v, summarize(v));
  EXPECT_EQ(j.at("rejected").size(), 16u);
  EXPECT_EQ(j.at("rejected").at(0).at("kind"), "unknown model");
  EXPECT_EQ(rejected_text(validated(odd_rows(1)), "rows.csv"), "");
}

TEST(EndToEndReport, ManyReasonsAreCutShort) {
  std::string rows;
  for (int i = 0; i < 40; ++i)
    rows += "H100-SXM,1,,model-" + std::to_string(i) + ",bf16,128,16,1,,,50\n";
  const EndToEndValidation v = validated(rows);
  EXPECT_THAT(rejected_text(v, "rows.csv"), HasSubstr("and 32 more reasons; --json lists all"));
  EXPECT_EQ(end_to_end_text(summarize(v)), "");
}

TEST(EndToEndReport, LongNamesKeepBothEnds) {
  const EndToEndValidation v = validated(
      "RTX-PRO-6000-Server,1,,qwen3-8b,bf16,128,16,1,,,50\n"
      "RTX-PRO-6000-Server,2,,qwen3-8b,bf16,128,16,1,,,50\n");
  const std::string text = end_to_end_text(summarize(v));
  EXPECT_THAT(text, HasSubstr("RTX-PRO-6000... x1"));
  EXPECT_THAT(text, HasSubstr("RTX-PRO-6000... x2"));
  expect_narrow(text);
}

}  // namespace
}  // namespace ridge
