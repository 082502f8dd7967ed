#include "predictor/end_to_end/fit_engine.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kernels/core/error.h"
#include "tests/error_of.h"

namespace ridge {
namespace {

using ::testing::HasSubstr;

EngineProfile bare() {
  EngineProfile e = find_engine("kernels");
  e.name = "made";
  return e;
}

std::string rows(const std::string& framework = "made") {
  std::string text = "gpu,gpus,framework,model,input_tokens,output_tokens,batch\n";
  for (const int gpus : {1, 2})
    for (const int batch : {1, 8, 32})
      for (const int tokens : {128, 1024})
        for (const char* model : {"llama-3-8b", "qwen2.5-7b"})
          text += fmt::format("H100-SXM,{},{},{},{},{},{}\n", gpus, framework, model, tokens,
                              tokens, batch);
  return text;
}

EndToEndCsv parsed(const std::string& text) {
  return read_end_to_end(parse_csv(text, "made.csv"), "made.csv", "none");
}

// Rows "measured" by an engine with known times: the predictions of its profile. Test data, written
// nowhere.
EndToEndCsv measured_by(const EngineProfile& engine) {
  EndToEndCsv csv = parsed(rows());
  const EndToEndValidation v =
      validate_end_to_end(csv, {.engine = {}, .profile = engine, .tables = {}});
  EXPECT_TRUE(v.rejected.empty());
  for (std::size_t i = 0; i < v.rows.size(); ++i) {
    csv.rows[i].ttft_s = v.rows[i].prediction.ttft_s.value;
    csv.rows[i].total_s = v.rows[i].prediction.total_s.value;
  }
  return csv;
}

TEST(FitEngine, FindsTheTimesThatRowsWereMadeWith) {
  EngineProfile known = bare();
  known.times = {.prefill = {.per_step_s = 8e-3},
                 .decode = {.per_step_s = 1.5e-3, .per_sequence_s = 40e-6},
                 .tensor_step_s = 0.7e-3,
                 .per_request_s = 2e-3,
                 .per_cached_token_s = 20e-9};
  known.fitted_on = "this test";
  const EngineFit f = fit_engine(measured_by(known), bare(), {});
  const EngineTimes& t = f.profile.times_on("H100-SXM");
  EXPECT_NEAR(t.prefill.per_step_s, 8e-3, 1e-3);
  EXPECT_NEAR(t.per_request_s, 2e-3, 1e-4);
  EXPECT_NEAR(t.decode.per_step_s, 1.5e-3, 5e-5);
  EXPECT_NEAR(t.decode.per_sequence_s, 40e-6, 4e-6);
  EXPECT_NEAR(t.tensor_step_s, 0.7e-3, 5e-5);
  EXPECT_NEAR(t.per_cached_token_s, 20e-9, 2e-9);
  EXPECT_EQ(t.decode_floor_s, 0);
  EXPECT_LT(f.error_after, 0.01);
  EXPECT_GT(f.error_before, 0.1);
  EXPECT_EQ(f.profile.fitted_rows.size(), 1 + f.rows);
}

TEST(FitEngine, FindsAFloor) {
  EngineProfile known = bare();
  known.times.decode_floor_s = 30e-3;
  known.fitted_on = "this test";
  EndToEndCsv csv = measured_by(known);
  for (EndToEndRow& r : csv.rows) {
    r.tpot_s = (*r.total_s - *r.ttft_s) / static_cast<double>(r.request.output - 1);
    r.total_s.reset();
  }
  const EngineTimes t = fit_engine(csv, bare(), {}).profile.times_on("H100-SXM");
  EXPECT_NEAR(t.decode_floor_s + t.decode.per_step_s, 30e-3, 1e-3);
}

TEST(FitEngine, AddsNothingToKernelsThatExplainAllOfIt) {
  const EngineFit f = fit_engine(measured_by(bare()), bare(), {});
  const EngineTimes& t = f.profile.times_on("H100-SXM");
  EXPECT_LT(t.decode.per_step_s, 1e-6);
  EXPECT_LT(t.per_request_s, 1e-6);
  EXPECT_LT(f.error_after, 1e-3);
}

TEST(FitEngine, LeavesOutRowsWhoseCacheIsFull) {
  EndToEndCsv csv = measured_by(bare());
  csv.rows[0].notes["kv_need_over_free"] = "1.20";
  EXPECT_EQ(fit_engine(csv, bare(), {}).left_out, 1u);
}

TEST(FitEngine, RefusesRowsOfSeveralEngines) {
  EndToEndCsv csv = measured_by(bare());
  csv.rows[0].framework = "other";
  EXPECT_THAT(error_of([&] { fit_engine(csv, bare(), {}); }), HasSubstr("several frameworks"));
}

TEST(ValidateEndToEnd, AddsPredictionsToEachRowAndKeepsTheOthersColumns) {
  const EndToEndCsv csv = parsed(rows() + "no-such-gpu,1,made,llama-3-8b,8,8,1\n");
  const EndToEndValidation v = validate_end_to_end(csv, {});
  ASSERT_EQ(v.rejected.size(), 1u) << v.rejected[0].reason;
  EXPECT_THAT(v.rejected[0].reason, HasSubstr("no-such-gpu"));
  const Csv out = parse_csv(predictions_csv(csv, v), "out.csv");
  EXPECT_EQ(out.rows.size(), csv.csv.rows.size());
  EXPECT_EQ(out.header.size(), csv.csv.header.size() + 9);
  EXPECT_EQ(out.rows.back().back(), "");
  // A second pass replaces the columns of the first.
  const EndToEndCsv again = read_end_to_end(out, "out.csv", "none");
  EXPECT_EQ(parse_csv(predictions_csv(again, validate_end_to_end(again, {})), "x").header.size(),
            out.header.size());
}

}  // namespace
}  // namespace ridge
