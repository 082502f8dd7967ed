#include "predictor/validation.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "kernels/core/error.h"
#include "predictor/validation_report.h"
#include "tests/calibrate/fixture.h"

namespace ridge {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

ValidatedRow row(const std::string& op, double measured_s, double predicted_s, double low_s,
                 double high_s, Basis basis = Basis::kInterpolated) {
  static std::size_t line = 1;
  const bool gemm = op == "gemm";
  return {.file = "k.csv",
          .line = ++line,
          .gpu = gemm ? "A" : "B",
          .call = gemm ? fixture::gemm(8, 8, 8) : fixture::rmsnorm(8, 8),
          .measured_s = measured_s,
          .prediction = {.seconds = predicted_s, .low_s = low_s, .high_s = high_s, .basis = basis}};
}

// Errors +10 %, −20 %, +30 % and, of a sample of the table, +100 %.
Validation four_rows() {
  return {.rows = {row("gemm", 5e-6, 5.5e-6, 4e-6, 6e-6), row("gemm", 50e-6, 40e-6, 39e-6, 41e-6),
                   row("rmsnorm", 50e-6, 65e-6, 45e-6, 70e-6),
                   row("rmsnorm", 20e-3, 40e-3, 40e-3, 40e-3, Basis::kMeasured)},
          .rejected = {}};
}

std::vector<std::string> names(const Breakdown& b) {
  std::vector<std::string> list;
  for (const ErrorStatistics& e : b.groups) list.push_back(e.name);
  return list;
}

TEST(Validation, StatisticsAreThoseComputedByHand) {
  const ValidationSummary s = summarize_validation(four_rows());
  ASSERT_EQ(s.all.size(), 2u);
  EXPECT_EQ(s.in_table, 1u);
  const ErrorStatistics& all = s.all[0];
  EXPECT_EQ(all.count, 4u);
  EXPECT_NEAR(all.mean, 0.4, 1e-9);
  EXPECT_NEAR(all.median, 0.25, 1e-9);
  EXPECT_NEAR(all.p90, 0.79, 1e-9);  // 0.7 of the way from 0.3 to 1
  EXPECT_NEAR(all.bias, std::pow(1.1 * 0.8 * 1.3 * 2, 0.25) - 1, 1e-9);
  EXPECT_NEAR(all.inside, 0.5, 1e-9);
  const ErrorStatistics& rest = s.all[1];
  EXPECT_EQ(rest.name, "not in the table");
  EXPECT_EQ(rest.count, 3u);
  EXPECT_NEAR(rest.mean, 0.2, 1e-9);
  EXPECT_NEAR(rest.median, 0.2, 1e-9);
  EXPECT_NEAR(rest.inside, 2.0 / 3, 1e-9);
}

TEST(Validation, BreakdownsHoldEveryTestOnce) {
  const ValidationSummary s = summarize_validation(four_rows());
  ASSERT_EQ(s.breakdowns.size(), 4u);
  EXPECT_THAT(names(s.breakdowns[0]), ElementsAre("gemm f32", "rmsnorm f32"));
  EXPECT_THAT(names(s.breakdowns[1]), ElementsAre("A", "B"));
  EXPECT_THAT(names(s.breakdowns[2]), ElementsAre("below 10 us", "10 to 100 us"));
  EXPECT_THAT(names(s.breakdowns[3]), ElementsAre("measured", "interpolated"));
  for (std::size_t i = 0; i < 3; ++i) {
    std::size_t count = 0;
    for (const ErrorStatistics& e : s.breakdowns[i].groups) count += e.count;
    EXPECT_EQ(count, 3u) << s.breakdowns[i].by;
  }
}

TEST(Validation, SizeClassesBeginAtTheirLimit) {
  Validation v;
  for (const double s : {10e-3, 1e-3, 100e-6, 10e-6, 9.99e-6})
    v.rows.push_back(row("gemm", s, s, s, s));
  EXPECT_THAT(
      names(summarize_validation(v).breakdowns[2]),
      ElementsAre("below 10 us", "10 to 100 us", "0.1 to 1 ms", "1 to 10 ms", "10 ms and above"));
}

TEST(Validation, WorstRowsComeFirstAndAreTen) {
  Validation v = four_rows();
  for (int i = 0; i < 20; ++i)
    v.rows.push_back(row("gemm", 1e-6, 1e-6 * (1 + 0.01 * i), 1e-6, 1e-6));
  const ValidationSummary s = summarize_validation(v);
  ASSERT_EQ(s.worst.size(), kWorstRows);
  EXPECT_NEAR(s.worst[0].error(), 0.3, 1e-9);  // not the 100 %, which tests nothing
  EXPECT_NEAR(s.worst[1].error(), -0.2, 1e-9);
  for (std::size_t i = 1; i < s.worst.size(); ++i)
    EXPECT_GE(std::abs(s.worst[i - 1].error()), std::abs(s.worst[i].error()));
}

TEST(Validation, RowsThatAreAllInTheTableAreNoTest) {
  Validation v;
  v.rows = {row("gemm", 1e-6, 1e-6, 1e-6, 1e-6, Basis::kMeasured)};
  const ValidationSummary s = summarize_validation(v);
  EXPECT_EQ(s.all.size(), 1u);
  EXPECT_TRUE(s.worst.empty());
  EXPECT_THAT(validation_text(s), HasSubstr("nothing was tested"));
  EXPECT_EQ(validation_text(summarize_validation({})), "");
}

std::vector<DelayTable> tables() {
  static const DelayTable made = fixture::table(12);
  DelayTable other = made;
  other.device.name = "NVIDIA H200";
  return {made, other};
}

Validation validated(const std::string& text, const std::vector<DelayTable>& of) {
  Validation v;
  validate_kernels(of, parse_csv(text, "k.csv"), "k.csv", v);
  return v;
}

TEST(ValidateKernels, TheGpuChoosesTheTable) {
  const std::string header = "gpu,op,dtype,m,n,k,latency_us\n";
  const Validation v = validated(header +
                                     "Test machine,gemm,f32,64,64,64,5\nh200,gemm,f32,64,64,64,5\n"
                                     "t4,gemm,f32,64,64,64,5\n,gemm,f32,64,64,64,5\n",
                                 tables());
  ASSERT_EQ(v.rows.size(), 2u);
  EXPECT_EQ(v.rows[0].prediction.seconds, v.rows[1].prediction.seconds);
  ASSERT_EQ(v.rejected.size(), 2u);
  EXPECT_EQ(v.rejected[0].place, "k.csv:4");
  EXPECT_THAT(v.rejected[0].reason, StartsWith("no table of 't4'"));
  EXPECT_THAT(v.rejected[1].reason, HasSubstr("'gpu'"));
  EXPECT_EQ(validated(header + ",gemm,f32,64,64,64,5\n", {tables()[0]}).rows.at(0).gpu,
            "Test machine");
}

TEST(ValidateKernels, RowsThatCannotBePredictedAreNamedAndTheOthersDone) {
  const Validation v = validated(
      "op,dtype,m,n,k,latency_us\n"
      "gemm,f32,64,64,64,5\n"
      "warp,f32,64,64,64,5\n"
      "gemm,f32,-1,64,64,5\n"
      "gemm,f32,64,64,64,nan\n"
      "gemm,f32,64,64,64,\n"
      "gemm,bf16,64,64,64,5\n",
      {tables()[0]});
  EXPECT_EQ(v.rows.size(), 1u);
  ASSERT_EQ(v.rejected.size(), 5u);
  EXPECT_THAT(v.rejected[0].reason, StartsWith("column 'op': unknown operator 'warp'"));
  EXPECT_THAT(v.rejected[1].reason, StartsWith("column 'm': -1 must be in"));
  EXPECT_THAT(v.rejected[2].reason, StartsWith("column 'latency_us': 'nan'"));
  EXPECT_THAT(v.rejected[3].reason, HasSubstr("no measured time"));
  EXPECT_THAT(v.rejected[4].reason, HasSubstr("matrix.bf16"));
  EXPECT_EQ(v.rejected[4].place, "k.csv:7");
}

TEST(ValidateKernels, MissingColumnsAreNamed) {
  for (const auto& [text, column] : {std::pair{"op,m,n,k,latency_us\ngemm,1,1,1,5\n", "'dtype'"},
                                     {"op,dtype,m,n,k\ngemm,f32,1,1,1\n", "'latency_us'"}})
    try {
      validated(text, tables());
      ADD_FAILURE() << column;
    } catch (const BadInput& e) {
      EXPECT_THAT(e.what(), HasSubstr(column));
    }
}

TEST(ValidateKernels, AFrameworkIsTheImplementationThatTheTableHas) {
  const Validation v = validated(
      "framework,op,dtype,m,n,k,latency_us\nmade_up,gemm,f32,64,64,64,5\nother,gemm,f32,64,64,64,"
      "5\n",
      {tables()[0]});
  ASSERT_EQ(v.rows.size(), 2u);
  EXPECT_EQ(v.rows[0].call.implementation, "made_up");
  EXPECT_EQ(v.rows[1].call.implementation, "");
}

TEST(ValidationReport, LinesFitATerminal) {
  Validation v = four_rows();
  v.rows[0].file = std::string(120, 'x') + "/kernels.csv";
  v.rows[0].gpu = std::string(60, 'g');
  v.rows[0].prediction.seconds = 1e4;
  v.rows[0].call = {"attention_prefill",
                    {1000000, 1000000, 1000000, 100000, 100000, 256, 1},
                    Dtype::kF32,
                    "an_implementation_with_a_name"};
  for (int i = 0; i < 12; ++i)
    v.rejected.push_back({v.rows[0].file + ":7", "column 'op': " + std::string(300, 'y')});
  const std::string text = validation_text(summarize_validation(v)) + rejected_text(v.rejected);
  EXPECT_THAT(text, HasSubstr("kernels.csv:"));
  EXPECT_THAT(text, HasSubstr("and 2 more"));
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 80u) << line;
}

TEST(ValidationReport, PredictionsCanBeValidatedAgain) {
  const Validation v = validated(
      "gpu,op,dtype,m,n,k,rows,cols,latency_us\nTest machine,gemm,f32,64,128,256,,,5\n"
      "Test machine,rmsnorm,f32,,,,512,4096,30\n",
      {tables()[0]});
  const std::string text = predictions_csv(v);
  const Validation again = validated(text, {tables()[0]});
  ASSERT_EQ(again.rows.size(), 2u) << text;
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(again.rows[i].call, v.rows[i].call);
    EXPECT_DOUBLE_EQ(again.rows[i].measured_s, v.rows[i].measured_s);
    EXPECT_EQ(again.rows[i].prediction.seconds, v.rows[i].prediction.seconds);
  }
}

TEST(ValidationReport, JsonHasAllGroups) {
  const Validation v = four_rows();
  const auto j = to_json(v, summarize_validation(v));
  EXPECT_EQ(j.at("rows"), 4);
  EXPECT_EQ(j.at("in_table"), 1);
  EXPECT_EQ(j.at("all").size(), 2u);
  EXPECT_EQ(j.at("by").at("operator").at(0).at("name"), "gemm f32");
  EXPECT_EQ(j.at("by").at("measured time").size(), 2u);
  EXPECT_EQ(j.at("worst").size(), 3u);
}

}  // namespace
}  // namespace ridge
