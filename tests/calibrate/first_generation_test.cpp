#include <gmock/gmock.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "calibrate/table.h"
#include "kernels/core/error.h"
#include "predictor/predict_call.h"

namespace ridge {
namespace {

using nlohmann::json;
using ::testing::Contains;
using ::testing::HasSubstr;

// Made by hand in the first generation's format; the factors are round numbers, not measurements.
json first_generation(const char* name, double tflops, double gb_s) {
  const auto factor = [](double average, double low, double high, const char* method) {
    return json{{"avg_delay_factor", average}, {"min_delay_factor", low},
                {"max_delay_factor", high},    {"avg_tflops", 40.0},
                {"sample_count", 4},           {"calculation_method", method}};
  };
  const auto detail = [](double delay) {
    return json{{"operator_name", "RMS_Norm"}, {"input_shape", "(1, 512, 4096)"},
                {"delay_factor", delay},       {"achieved_tflops", 0.1},
                {"actual_time_ms", 0.1},       {"theoretical_flops", 1e7},
                {"theoretical_time_ms", 0.1},  {"calculation_method", "memory_bandwidth"}};
  };
  return {{"gpu_specs",
           {{"name", name},
            {"peak_fp16_tflops", tflops},
            {"memory_bandwidth_gb_s", gb_s},
            {"sm_count", 80},
            {"cuda_cores_per_sm", 128},
            {"memory_size_gb", 24},
            {"compute_capability", "8.6"}}},
          {"benchmark_config", {{"dtype", "torch.float16"}, {"warmup_runs", 3}}},
          {"delay_factors",
           {{"Linear_GEMM", factor(2.0, 1.6, 4.0, "peak_tflops")},
            {"RMS_Norm", factor(1.5, 0.4, 4.0, "memory_bandwidth")},
            {"Flux_Capacitor", factor(2.0, 1.0, 3.0, "peak_tflops")}}},
          {"detailed_results",
           {{"some-llm", json::array({detail(0.4), detail(0.6), detail(2.0), detail(3.0)})}}}};
}

DelayTable load(const json& j) { return table_from_json(j, "old.json"); }

TEST(FirstGeneration, KnownFaultyPeaksAreCorrectedAndSaid) {
  struct Case {
    const char* name;
    double tflops, gb_s, true_tflops, true_gb_s;
  };
  for (const Case& c :
       {Case{"NVIDIA L40S", 183, 864, 362.05, 864}, Case{"NVIDIA A10G", 125, 600, 70, 600},
        Case{"A100-80G", 312, 1555, 312, 2039}}) {
    const DelayTable t = load(first_generation(c.name, c.tflops, c.gb_s));
    EXPECT_NEAR(t.ceilings.values.at("matrix.f16").value, c.true_tflops * 1e12, 1e6) << c.name;
    EXPECT_NEAR(t.ceilings.values.at("dram.read").value, c.true_gb_s * 1e9, 1e3) << c.name;
    // The measured time is what it was: its delay against the right peak is larger.
    EXPECT_NEAR(t.factors.at("Linear_GEMM").average, 2.0 * c.true_tflops / c.tflops, 1e-9);
    EXPECT_THAT(t.notes, Contains(HasSubstr(c.name)));
  }
}

TEST(FirstGeneration, RightPeaksStay) {
  const DelayTable t = load(first_generation("Tesla T4", 65, 320));
  EXPECT_DOUBLE_EQ(t.factors.at("Linear_GEMM").average, 2.0);
  for (const std::string& note : t.notes) EXPECT_THAT(note, ::testing::Not(HasSubstr("rescaled")));
}

TEST(FirstGeneration, CachedSamplesAreLeftOutOfTheAverage) {
  const DelayTable t = load(first_generation("Tesla T4", 65, 320));
  EXPECT_DOUBLE_EQ(t.factors.at("RMS_Norm").average, 2.5);  // of 2 and 3
  EXPECT_EQ(t.factors.at("RMS_Norm").count, 2u);
  EXPECT_THAT(t.notes, Contains(HasSubstr("L2-resident")));
}

TEST(FirstGeneration, WithoutDetailsAnAverageBelowOneIsHeldAtOne) {
  json j = first_generation("Tesla T4", 65, 320);
  j.erase("detailed_results");
  j["delay_factors"]["RMS_Norm"]["avg_delay_factor"] = 0.5;
  EXPECT_DOUBLE_EQ(load(j).factors.at("RMS_Norm").average, 1.0);
}

TEST(FirstGeneration, PredictsIdealTimesDelayAndSaysItIsNoMeasurement) {
  const DelayTable t = load(first_generation("Tesla T4", 65, 320));
  const Call c{.op = "gemm", .dims = {4096, 4096, 4096}, .dtype = Dtype::kF16};
  const Prediction p = predict_call(t, c);
  EXPECT_NEAR(p.seconds, 2.0 * 2 * std::pow(4096, 3) / 65e12, 1e-5);
  EXPECT_EQ(p.basis, Basis::kExtrapolated);
  EXPECT_LT(p.low_s, p.seconds);
  EXPECT_GT(p.high_s, p.seconds);
}

TEST(FirstGeneration, OperatorsUnknownHereAreKeptAndSaid) {
  const DelayTable t = load(first_generation("Tesla T4", 65, 320));
  EXPECT_TRUE(t.factors.contains("Flux_Capacitor"));
  EXPECT_THAT(t.notes, Contains(HasSubstr("Flux_Capacitor")));
}

TEST(FirstGeneration, LoadedTablesCanBeSavedInTheNewFormat) {
  const DelayTable t = load(first_generation("Tesla T4", 65, 320));
  const DelayTable back = table_from_json(table_to_json(t), "new.json");
  EXPECT_EQ(back.factors, t.factors);
  EXPECT_EQ(back.curves, t.curves);
}

TEST(FirstGeneration, BrokenOnesAreRefusedByKey) {
  json j = first_generation("Tesla T4", 65, 320);
  j["delay_factors"]["RMS_Norm"]["avg_delay_factor"] = "slow";
  try {
    load(j);
    FAIL() << "a text as delay factor was taken";
  } catch (const BadInput& e) {
    EXPECT_THAT(e.what(), HasSubstr("delay_factors.RMS_Norm.avg_delay_factor"));
  }
  j = first_generation("Tesla T4", 0, 320);
  EXPECT_THROW(load(j), BadInput);
}

}  // namespace
}  // namespace ridge
