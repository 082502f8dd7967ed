// What holds of every answer, whatever a table says: over all GPUs that tables ship for.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "predictor/models/model.h"
#include "predictor/request/price_steps.h"
#include "roofline/device_specs.h"

namespace ridge {
namespace {

struct Case {
  const char* model;
  int64_t input, output, batch, tensor;
};

constexpr Case kCases[] = {{"llama-3.2-1b", 1, 2, 1, 1},     {"llama-3.2-1b", 1024, 256, 1, 1},
                           {"llama-3.1-8b", 4000, 64, 1, 1}, {"llama-3.1-8b", 1024, 64, 8, 4},
                           {"qwen3-30b-a3b", 512, 64, 1, 1}, {"qwen3-30b-a3b", 1024, 64, 8, 2},
                           {"qwen2.5-32b", 1024, 16, 1, 8}};

template <typename Check>
void for_all(const Check& check) {
  for (const std::string& gpu : gpus_with_tables()) {
    const TableSet tables = shipped_tables(gpu);
    for (const Case& c : kCases) {
      SCOPED_TRACE(fmt::format("{} on {}: {} in, {} out, batch {}, TP {}", c.model, gpu, c.input,
                               c.output, c.batch, c.tensor));
      const Deployment d{.model = find_model(c.model),
                         .parallel = {.tensor = c.tensor},
                         .precision = {},
                         .engine = find_engine("kernels")};
      check(tables, predict_request(
                        tables, d,
                        {.prompts = {{.count = c.batch, .tokens = c.input}}, .output = c.output}));
    }
  }
}

TEST(Plausible, PercentilesAreInOrder) {
  for_all([](const TableSet&, const RequestPrediction& p) {
    EXPECT_LE(p.itl_p50_s, p.itl_p95_s);
    EXPECT_LE(p.itl_p95_s, p.itl_p99_s);
    EXPECT_GT(p.itl_p50_s, 0);
  });
}

TEST(Plausible, NoIntervalIsWiderThanWhatIsSaidToBeTheWidest) {
  for_all([](const TableSet&, const RequestPrediction& p) {
    for (const Estimate* e : {&p.ttft_s, &p.tpot_s, &p.total_s}) {
      EXPECT_LE(e->low, e->value);
      EXPECT_LE(e->value, e->high);
      EXPECT_LE(e->high, kWidest * e->value);
    }
  });
}

// Weights are in no cache between two passes of a model that is many times as large.
TEST(Plausible, WeightsComeNoFasterThanMemoryGivesThem) {
  for_all([](const TableSet& tables, const RequestPrediction& p) {
    EXPECT_LE(p.prefill.mfu, 1);
    const auto dram = tables.ceilings().values.find("dram.read");
    ASSERT_NE(dram, tables.ceilings().values.end());
    for (const RoleTime& r : p.decode.roles) {
      if (r.op != "gemm" && r.op != "moe") continue;
      // Of activations beside the weights: a few percent.
      EXPECT_LE(r.bytes / r.seconds, 1.1 * dram->second.value) << name(r.role);
    }
  });
}

// Whoever measured it to be faster than memory allows is believed.
TEST(Plausible, FineTuningActsOnWhatMemoryHolds) {
  const Deployment d{.model = find_model("llama-3.2-1b"),
                     .parallel = {},
                     .precision = {},
                     .engine = find_engine("kernels")};
  TableSet tables = shipped_tables("l40s");
  const auto products_s = [&] {
    double seconds = 0;
    for (const RoleTime& r : predict_step(tables, d, {{.tokens = 1, .past = 16}}).roles)
      if (r.op == "gemm") seconds += r.seconds;
    return seconds;
  };
  const double plain = products_s();
  tables.fine_tune("gemm", 0.25);
  EXPECT_NEAR(products_s(), plain / 4, 1e-9 * plain);
}

// An L40S was measured with small weights in its 96 MB of cache.
TEST(Plausible, WeightsThatACacheHoldsMayComeFromIt) {
  const TableSet tables = shipped_tables("l40s");
  Deployment d{.model = find_model("llama-3.2-1b"),
               .parallel = {},
               .precision = {},
               .engine = find_engine("kernels")};
  const auto bytes = [&] { return weight_bytes(d.model, d.parallel, d.precision); };
  const auto layers_qkv_s = [&] {
    for (const RoleTime& r : predict_step(tables, d, {{.tokens = 1, .past = 16}}).roles)
      if (r.role == Role::kQkv) return r.seconds / static_cast<double>(d.model.layers);
    return 0.0;
  };
  const auto cache = static_cast<double>(tables.device().last_level_cache_bytes);
  ASSERT_GT(bytes(), kCachesBeyond * cache);
  const double streamed = layers_qkv_s();
  d.model.layers = 2, d.model.vocab = 1000;
  ASSERT_LT(bytes(), kCachesBeyond * cache);
  EXPECT_LT(layers_qkv_s(), streamed);
  EXPECT_GT(layers_qkv_s(), 0);
}

}  // namespace
}  // namespace ridge
