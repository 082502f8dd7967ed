#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "kernels/core/error.h"
#include "tests/predictor/lowering/kernels_of.h"
#include "tests/predictor/models/published_counts.h"

namespace ridge {
namespace {

TEST(Lowering, TouchesEveryPublishedWeightOnce) {
  for (const PublishedCount& p : kPublishedCounts) {
    const Model m = find_model(p.model);
    EXPECT_EQ(weights_of(m, kernels_of(m, prefill_of(128))), p.parameters) << p.model;
    const How apart{
        .fusion = {.qkv = false, .gate_up = false, .add_norm = false, .activation = false}};
    EXPECT_EQ(weights_of(m, kernels_of(m, decode_of(128, 4), apart)), p.parameters) << p.model;
  }
}

// Llama-2-7B by hand: a layer has 4 · 4096² of attention and 3 · 4096 · 11008 of MLP.
TEST(Lowering, OfLlama2PrefillHasTheFlopsOfItsWeights) {
  const Model m = find_model("llama-2-7b");
  const double layer = 4.0 * 4096 * 4096 + 3.0 * 4096 * 11008;
  EXPECT_EQ(layer, 202375168);
  const std::vector<Kernel> k = kernels_of(m, prefill_of(1000, 3));
  EXPECT_EQ(gemm_flops(k), 2.0 * 3000 * 32 * layer + 2.0 * 3 * 32000 * 4096);
  // 4 · head_dim flops for each head and each pair of a query and a key up to it.
  EXPECT_EQ(flops(k, Role::kPrefillAttention), 32 * 3 * 4.0 * 128 * 32 * (1000.0 * 1001 / 2));
}

TEST(Lowering, OfADecodeStepReadsTheWeightsOnceAndTheCache) {
  const Model m = find_model("llama-3.1-8b");
  const std::vector<Kernel> k = kernels_of(m, decode_of(4095, 16));
  for (const Kernel& product : k) {
    if (product.call.op == "gemm") {
      EXPECT_EQ(product.call.dims[0], 16);
    }
  }
  const auto attention = with_role(k, Role::kDecodeAttention);
  ASSERT_EQ(attention.size(), 1u);
  EXPECT_EQ(attention[0].call.dims, (std::vector<int64_t>{16, 4096, 32, 8, 128}));
  EXPECT_EQ(attention[0].count, 32);
  const double cache = 2.0 * 16 * 4096 * 8 * 128 * 2, query = 2.0 * 16 * 32 * 128;
  EXPECT_EQ(bytes_read(k, Role::kDecodeAttention), 32 * (cache + query));
  EXPECT_TRUE(with_role(k, Role::kPrefillAttention).empty());
}

TEST(Lowering, HasEveryRoleOfALayerOnceALayer) {
  const Model m = find_model("qwen3-8b");
  const std::vector<Kernel> k = kernels_of(m, prefill_of(64));
  for (const Role r : {Role::kQkv, Role::kQkNorm, Role::kRope, Role::kPrefillAttention,
                       Role::kOutput, Role::kGateUp, Role::kActivation, Role::kDown})
    EXPECT_EQ(executions(k, r), 36) << name(r);
  for (const Role r : {Role::kEmbedding, Role::kLmHead, Role::kSampling})
    EXPECT_EQ(executions(k, r), 1) << name(r);
  EXPECT_EQ(executions(k, Role::kNorm), 2 * 36 + 1);
  for (const Role r : {Role::kAllReduce, Role::kAllGather, Role::kAllToAll, Role::kSend,
                       Role::kKvWrite, Role::kAdd, Role::kRouter, Role::kExperts})
    EXPECT_EQ(executions(k, r), 0) << name(r);
  const auto norms = with_role(k, Role::kQkNorm);
  EXPECT_EQ(norms.at(0).call.dims, (std::vector<int64_t>{64 * (32 + 8), 128}));
}

TEST(Lowering, FusionMovesWorkAndNeverLosesProducts) {
  const Model m = find_model("llama-3.2-1b");
  const How apart{.fusion = {.qkv = false,
                             .gate_up = false,
                             .add_norm = false,
                             .activation = false,
                             .rope_in_attention = false,
                             .kv_write_in_attention = false}};
  const std::vector<Kernel> fused = kernels_of(m, prefill_of(512));
  const std::vector<Kernel> single = kernels_of(m, prefill_of(512), apart);
  EXPECT_EQ(gemm_flops(fused), gemm_flops(single));
  EXPECT_EQ(executions(single, Role::kQkv), 3 * 16);
  EXPECT_EQ(executions(single, Role::kGateUp), 2 * 16);
  EXPECT_EQ(executions(single, Role::kActivation), 2 * 16);
  EXPECT_EQ(executions(single, Role::kKvWrite), 16);
  // 2 · 16 residual additions; the norms are as many as before.
  EXPECT_EQ(executions(single, Role::kAdd), 2 * 16);
  EXPECT_EQ(executions(single, Role::kNorm), executions(fused, Role::kNorm));
  const auto norms = with_role(fused, Role::kNorm);
  ASSERT_EQ(norms.size(), 2u);
  EXPECT_EQ(norms[0].call.op, "add_rmsnorm");
  EXPECT_EQ(norms[0].count, 2 * 16);  // all but the first
  const How inside{.fusion = {.rope_in_attention = true}};
  EXPECT_TRUE(with_role(kernels_of(m, prefill_of(512), inside), Role::kRope).empty());
}

TEST(Lowering, TheLmHeadRunsOnlyWhereATokenIsSampled) {
  const Model m = find_model("llama-3.1-8b");
  const Step step = {{.count = 2, .tokens = 500, .samples = false},
                     {.count = 1, .tokens = 12, .past = 500},
                     {.count = 7, .tokens = 1, .past = 40}};
  const std::vector<Kernel> k = kernels_of(m, step);
  const auto head = with_role(k, Role::kLmHead), sampling = with_role(k, Role::kSampling);
  EXPECT_EQ(head.at(0).call.dims, (std::vector<int64_t>{8, 128256, 4096}));
  EXPECT_EQ(sampling.at(0).call.dims, (std::vector<int64_t>{8, 128256}));
  EXPECT_EQ(with_role(k, Role::kQkv).at(0).call.dims[0], 1019);
  EXPECT_TRUE(with_role(kernels_of(m, {{.tokens = 9, .samples = false}}), Role::kLmHead).empty());
  const Step verified = {{.count = 3, .tokens = 5, .past = 100, .samples_all = true}};
  EXPECT_EQ(with_role(kernels_of(m, verified), Role::kLmHead).at(0).call.dims[0], 15);
}

TEST(Lowering, MoreTokensAreNeverLessWork) {
  for (const char* model : {"llama-3.1-8b", "mistral-7b", "qwen3-30b-a3b", "gemma-2-9b"}) {
    const Model m = find_model(model);
    double before = 0;
    for (const int64_t tokens : {1, 2, 7, 64, 1000, 4096, 4097, 8192}) {
      double sum = 0;
      for (const Kernel& k : kernels_of(m, prefill_of(tokens))) {
        const Work w = work_of(k);
        sum += k.count * (w.flops + w.bytes_read + w.bytes_written);
        EXPECT_GT(k.count, 0) << to_string(k.call);
      }
      EXPECT_GT(sum, before) << model << " " << tokens;
      before = sum;
    }
  }
}

TEST(Lowering, EveryCallOfEveryBundledModelIsValid) {
  const std::vector<Step> steps = {
      prefill_of(1),
      prefill_of(1000, 8),
      decode_of(1000),
      decode_of(1, 256),
      {{.count = 2, .tokens = 300, .past = 100, .samples = false}, {.tokens = 1, .past = 700}}};
  std::set<std::string> ops;
  for (const std::string& name : bundled_models()) {
    const Model m = find_model(name);
    for (const Step& step : steps)
      for (const int64_t tensor : {1, 2, 4, 8}) {
        if (m.heads % tensor != 0) continue;
        for (const WeightFormat format :
             {WeightFormat::kNative, WeightFormat::kFp8, WeightFormat::kInt8, WeightFormat::kInt4})
          for (const bool fused : {true, false}) {
            const How s{
                .parallel = {.tensor = tensor, .pipeline = 2},
                .precision = {.dtype = Dtype::kF16, .weights = format, .kv_cache = Dtype::kF8E4M3},
                .fusion = {fused, fused, fused, fused, !fused, fused, true}};
            for (const Kernel& k : kernels_of(m, step, s)) {
              EXPECT_NO_THROW(validate(spec_of(k), k.call)) << name << " " << to_string(k.call);
              ops.insert(k.call.op);
            }
          }
      }
  }
  for (const char* op : {"gemm", "moe", "attention_prefill", "attention_decode", "all_reduce",
                         "all_gather", "send_recv", "add_rmsnorm", "silu_mul", "argmax"})
    EXPECT_TRUE(ops.count(op)) << op;
}

}  // namespace
}  // namespace ridge
