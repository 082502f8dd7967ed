// Layers of experts, with and without one that all tokens take.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "kernels/moe/moe.h"
#include "tests/predictor/lowering/kernels_of.h"

namespace ridge {
namespace {

// Qwen1.5-MoE-A2.7B: 60 experts, of which a token takes 4, and one of width 5632 for all.
Model qwen_moe() {
  const nlohmann::json config = {{"architectures", {"Qwen2MoeForCausalLM"}},
                                 {"hidden_size", 2048},
                                 {"intermediate_size", 5632},
                                 {"num_hidden_layers", 24},
                                 {"num_attention_heads", 16},
                                 {"vocab_size", 151936},
                                 {"num_experts", 60},
                                 {"num_experts_per_tok", 4},
                                 {"moe_intermediate_size", 1408},
                                 {"shared_expert_intermediate_size", 5632}};
  return model_from_json(config, "config.json", "qwen-moe");
}

TEST(LoweredExperts, TouchEveryWeightOnceWithTheSharedOne) {
  const Model m = qwen_moe();
  EXPECT_EQ(weights_of(m, kernels_of(m, prefill_of(64))), 14315784192);
  EXPECT_EQ(weight_bytes(m, {}, {}), 2 * 14315784192.0);
  EXPECT_EQ(active_parameters(m), 14315784192 - 24.0 * 56 * 3 * 2048 * 1408);
}

TEST(LoweredExperts, AddTheSharedOneToTheRest) {
  const Model m = qwen_moe();
  const auto k = kernels_of(m, prefill_of(64), {.parallel = {.tensor = 2}});
  EXPECT_EQ(with_role(k, Role::kGateUp).at(0).call.dims, (std::vector<int64_t>{64, 5632, 2048}));
  EXPECT_EQ(with_role(k, Role::kDown).at(0).call.dims, (std::vector<int64_t>{64, 2048, 2816}));
  EXPECT_EQ(executions(k, Role::kAdd), 24);
  EXPECT_EQ(executions(k, Role::kActivation), 2 * 24);  // silu · up, and the shared one's weight
  EXPECT_EQ(executions(k, Role::kRouter), 3 * 24);      // product, softmax, the shared one's gate
  EXPECT_EQ(executions(k, Role::kAllReduce), 1 + 2 * 24);  // of both sums at once
}

TEST(LoweredExperts, OfAModelWithDenseLayersRunBoth) {
  Model m = qwen_moe();
  m.experts->layers = 10;
  const auto k = kernels_of(m, prefill_of(64));
  EXPECT_EQ(executions(k, Role::kExperts), 10);
  EXPECT_EQ(executions(k, Role::kDown), 10 + 14);  // shared ones and dense ones
  EXPECT_EQ(weights_of(m, k), parameters(m));
  const auto stages = lower(m, {.pipeline = 3}, {}, {}, prefill_of(64));
  for (const auto& stage : stages) {
    EXPECT_GE(executions(stage, Role::kExperts), 3);
    EXPECT_LE(executions(stage, Role::kExperts), 4);
  }
}

TEST(LoweredExperts, DoTheWorkOfAsManyAsATokenTakes) {
  const Model m = find_model("mixtral-8x7b");
  const auto k = kernels_of(m, prefill_of(300));
  EXPECT_EQ(flops(k, Role::kExperts), 32 * 2.0 * 300 * 2 * 3 * 4096 * 14336);
  EXPECT_EQ(gemm_flops(k) + flops(k, Role::kExperts),
            2 * 300 * (active_parameters(m) - 2.0 * 32000 * 4096 - (2 * 32 + 1) * 4096.0) +
                2.0 * 32000 * 4096);
}

TEST(LoweredExperts, SendEachShareOfTheTokensOnce) {
  const Model m = find_model("mixtral-8x7b");
  const auto bytes = [&](int64_t tensor, int64_t data) {
    const How how{.parallel = {.tensor = tensor, .expert = 8, .data = data}};
    return with_role(kernels_of(m, prefill_of(100), how), Role::kAllToAll).at(0).call.dims[1];
  };
  // One expert a GPU and two a token: two copies of each token of the GPU's share.
  EXPECT_EQ(bytes(1, 8), 2 * 100 * 4096 * 2);
  EXPECT_EQ(bytes(4, 2), 2 * 25 * 4096 * 2);
}

TEST(LoweredActivation, OfGemmaIsGelu) {
  const Model m = find_model("gemma-2-9b");
  const auto fused = with_role(kernels_of(m, prefill_of(10)), Role::kActivation);
  ASSERT_EQ(fused.size(), 1u);
  EXPECT_EQ(work_of(fused[0]).flops, 6.0 * 10 * 14336);
  const auto single = kernels_of(m, prefill_of(10), {.fusion = {.activation = false}});
  EXPECT_EQ(with_role(single, Role::kActivation).at(0).call.op, "gelu");
  EXPECT_EQ(with_role(single, Role::kActivation).at(1).call.op, "mul");
}

}  // namespace
}  // namespace ridge
