#include "predictor/end_to_end/rows.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "kernels/core/error.h"
#include "tests/error_of.h"

namespace ridge {
namespace {

using ::testing::HasSubstr;

constexpr const char* kHeader =
    "source,gpu,gpus,pp,framework,model,dtype,input_tokens,output_tokens,batch,"
    "measured_ttft_ms,measured_tpot_ms,measured_total_ms,notes\n";

EndToEndCsv read(const std::string& rows, const std::filesystem::path& workloads = "none") {
  return read_end_to_end(parse_csv(kHeader + rows, "rows.csv"), "rows.csv", workloads);
}

TEST(EndToEndRows, TellsTensorFromPipelineParallel) {
  const EndToEndCsv csv = read("s,H100-SXM,8,2,vllm,llama-2-70b,bf16,100,10,4,,,11024.1,\n");
  ASSERT_EQ(csv.rows.size(), 1u);
  EXPECT_EQ(csv.rows[0].parallel.tensor, 4);
  EXPECT_EQ(csv.rows[0].parallel.pipeline, 2);
  EXPECT_FALSE(csv.rows[0].ttft_s.has_value());
  EXPECT_DOUBLE_EQ(*csv.rows[0].total_s, 11.0241);
  EXPECT_EQ(csv.rows[0].request.batch(), 4);
}

TEST(EndToEndRows, ReadsTheLengthsOfAWorkload) {
  const auto folder = std::filesystem::path(testing::TempDir()) / "ridge_rows_workloads";
  std::filesystem::create_directories(folder);
  std::ofstream(folder / "mixed.csv") << "request,input_tokens\n0,7\n1,9\n2,7\n";
  const EndToEndCsv csv = read(
      "s,T4,1,1,sglang,m,f16,8,5,3,1.5,,,workload=mixed;other words\n"
      "s,T4,1,1,sglang,m,f16,8,5,4,1.5,,,workload=mixed\n"
      "s,T4,1,1,sglang,m,f16,8,5,3,1.5,,,workload=absent\n",
      folder);
  ASSERT_EQ(csv.rows.size(), 1u);
  int64_t tokens = 0;
  for (const Prompt& p : csv.rows[0].request.prompts) tokens += p.count * p.tokens;
  EXPECT_EQ(tokens, 7 + 9 + 7);
  EXPECT_EQ(csv.rows[0].request.prompts.size(), 2u);
  ASSERT_EQ(csv.rejected.size(), 2u);
  EXPECT_THAT(csv.rejected[0].reason, HasSubstr("has 3 requests"));
  EXPECT_THAT(csv.rejected[1].reason, HasSubstr("--workloads"));
}

TEST(EndToEndRows, RejectsBadNumbersAndKeepsTheRest) {
  const EndToEndCsv csv = read(
      "s,T4,1,1,,m,,0,5,1,1,,,\n"
      "s,T4,1,1,,m,,8,-5,1,1,,,\n"
      "s,T4,3,2,,m,,8,5,1,1,,,\n"
      "s,T4,1,1,,m,,8,5,1,nan,,,\n"
      "s,T4,1,1,,m,,8,5,99999999999999999999,1,,,\n"
      "s,T4,1,1,,m,,8,5,1,1,,,\n");
  EXPECT_EQ(csv.rows.size(), 1u);
  ASSERT_EQ(csv.rejected.size(), 5u);
  EXPECT_EQ(csv.rejected[0].line, 2u);
  EXPECT_THAT(csv.rejected[0].reason, HasSubstr("input_tokens=0"));
  EXPECT_THAT(csv.rejected[1].reason, HasSubstr("output_tokens=-5"));
  EXPECT_THAT(csv.rejected[2].reason, HasSubstr("multiple of pp=2"));
  EXPECT_THAT(csv.rejected[3].reason, HasSubstr("measured_ttft_ms=nan"));
  EXPECT_THAT(csv.rejected[4].reason, HasSubstr("batch=99999999999999999999"));
}

TEST(EndToEndRows, NamesAMissingColumn) {
  EXPECT_THAT(error_of([] {
                read_end_to_end(parse_csv("gpu,model,batch\nT4,m,1\n", "x.csv"), "x.csv", "none");
              }),
              HasSubstr("'input_tokens' is missing"));
}

}  // namespace
}  // namespace ridge
