// Shards of tensor, pipeline, expert and data parallelism.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kernels/core/error.h"
#include "kernels/moe/moe.h"
#include "tests/predictor/lowering/kernels_of.h"

namespace ridge {
namespace {

using testing::HasSubstr;

std::string error_of(const Model& m, const Parallel& p) {
  try {
    (void)lower(m, p, {}, {}, prefill_of(8));
  } catch (const BadInput& e) {
    return e.what();
  }
  return "";
}

TEST(TensorParallel, SharesOutTheWeightsOfEveryProduct) {
  for (const char* model : {"llama-2-70b", "llama-3.1-8b", "qwen3-32b", "gemma-2-9b"}) {
    const Model m = find_model(model);
    const double whole = gemm_weights(kernels_of(m, prefill_of(64)));
    for (const int64_t tensor : {2, 4, 8}) {
      const How how{.parallel = {.tensor = tensor}};
      EXPECT_EQ(real(tensor) * gemm_weights(kernels_of(m, prefill_of(64), how)), whole)
          << model << " " << tensor;
    }
  }
}

TEST(TensorParallel, RepeatsKeyAndValueHeadsWhereThereAreFewer) {
  const Model m = find_model("qwen2.5-7b");  // 28 heads, 4 of keys
  EXPECT_THAT(error_of(m, {.tensor = 8}), HasSubstr("28 heads"));
  const Model big = find_model("llama-3-70b");  // 64 and 8
  const How how{.parallel = {.tensor = 16, .gpus_per_node = 8}};
  const auto k = kernels_of(big, decode_of(100, 4), how);
  EXPECT_EQ(with_role(k, Role::kDecodeAttention).at(0).call.dims,
            (std::vector<int64_t>{4, 101, 4, 1, 128}));
  EXPECT_EQ(with_role(k, Role::kQkv).at(0).call.dims[1], (4 + 2) * 128);
  // Of the whole group, twice the key and value projections.
  const double repeated = 80 * 2.0 * 8 * 128 * 8192;
  EXPECT_EQ(16 * gemm_weights(k), gemm_weights(kernels_of(big, decode_of(100, 4))) + repeated);
  EXPECT_EQ(with_role(k, Role::kAllReduce).at(0).call.dims,
            (std::vector<int64_t>{16, 4 * 8192 * 2, 8}));
}

TEST(TensorParallel, ReducesAfterAttentionAndMlpAndGathersTheLogits) {
  const Model m = find_model("llama-3.1-8b");
  const How how{.parallel = {.tensor = 4}};
  const auto k = kernels_of(m, prefill_of(100, 2), how);
  EXPECT_EQ(executions(k, Role::kAllReduce), 1 + 2 * 32);  // one for the embedding
  for (const Kernel& r : with_role(k, Role::kAllReduce))
    EXPECT_EQ(r.call.dims, (std::vector<int64_t>{4, 200 * 4096 * 2, 4}));
  const auto gather = with_role(k, Role::kAllGather);
  ASSERT_EQ(gather.size(), 1u);
  EXPECT_EQ(gather[0].call.dims, (std::vector<int64_t>{4, 2 * 128256 * 2, 4}));
  EXPECT_EQ(with_role(k, Role::kEmbedding).at(0).call.dims,
            (std::vector<int64_t>{200, 4096, 128256 / 4}));
  EXPECT_EQ(with_role(k, Role::kDown).at(0).call.dims,
            (std::vector<int64_t>{200, 4096, 14336 / 4}));
}

TEST(PipelineParallel, DividesLayersAndSendsBetweenStages) {
  const Model m = find_model("llama-3.1-405b");  // 126 layers
  const auto stages = lower(m, {.tensor = 8, .pipeline = 4}, {}, {}, prefill_of(100));
  ASSERT_EQ(stages.size(), 4u);
  std::vector<double> layers;
  for (const auto& stage : stages) layers.push_back(executions(stage, Role::kQkv));
  EXPECT_EQ(layers, (std::vector<double>{31, 32, 32, 31}));  // as vLLM: the last has the LM head
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(executions(stages[i], Role::kEmbedding), i == 0 ? 1 : 0);
    EXPECT_EQ(executions(stages[i], Role::kLmHead), i == 3 ? 1 : 0);
    EXPECT_EQ(executions(stages[i], Role::kSend), i < 3 ? 1 : 0);
  }
  EXPECT_EQ(with_role(stages[0], Role::kSend).at(0).call.dims,
            (std::vector<int64_t>{2, 100 * 16384 * 2, 1}));  // the next eight are another machine
  const auto near = lower(m, {.tensor = 4, .pipeline = 2}, {}, {}, prefill_of(100));
  EXPECT_EQ(with_role(near[0], Role::kSend).at(0).call.dims[2], 2);
}

TEST(PipelineParallel, RunsTheSameKernelsInAll) {
  for (const char* model : {"llama-3.2-3b", "gemma-2-9b", "qwen3-30b-a3b"}) {
    const Model m = find_model(model);
    const auto whole = kernels_of(m, prefill_of(6000));
    for (const int64_t pipeline : {2, 3, 5, 26}) {
      const auto parts = kernels_of(m, prefill_of(6000), {.parallel = {.pipeline = pipeline}});
      for (const Role r : {Role::kNorm, Role::kQkv, Role::kPrefillAttention, Role::kExperts,
                           Role::kDown, Role::kLmHead, Role::kEmbedding}) {
        EXPECT_EQ(executions(parts, r), executions(whole, r)) << model << " " << name(r);
        EXPECT_NEAR(flops(parts, r), flops(whole, r), 1e-9 * flops(whole, r)) << name(r);
      }
    }
  }
}

TEST(ExpertParallel, WithinTensorParallelReducesOnce) {
  const Model m = find_model("qwen3-30b-a3b");
  for (const int64_t expert : {1, 2, 4}) {
    const How how{.parallel = {.tensor = 4, .expert = expert}};
    const auto k = kernels_of(m, prefill_of(64), how);
    EXPECT_EQ(with_role(k, Role::kExperts).at(0).call.dims,
              (std::vector<int64_t>{64, 2048, 768, 8, 128, 4 / expert, expert}));
    EXPECT_EQ(executions(k, Role::kAllReduce), 1 + 2 * 48);
    EXPECT_EQ(executions(k, Role::kAllToAll), 0);
    EXPECT_EQ(executions(k, Role::kRouter), 2 * 48);  // product and softmax
  }
}

TEST(ExpertParallel, OverDataParallelSendsTokensToTheirExperts) {
  const Model m = find_model("qwen3-30b-a3b");
  const How how{.parallel = {.tensor = 1, .expert = 16, .data = 16, .gpus_per_node = 8}};
  const auto k = kernels_of(m, decode_of(500, 32), how);
  EXPECT_EQ(with_role(k, Role::kExperts).at(0).call.dims,
            (std::vector<int64_t>{16 * 32, 2048, 768, 8, 128, 1, 16}));
  EXPECT_EQ(with_role(k, Role::kDecodeAttention).at(0).call.dims[0], 32);
  EXPECT_EQ(executions(k, Role::kAllReduce), 0);
  const auto sent = with_role(k, Role::kAllToAll);
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0].count, 2 * 48);  // there and back
  EXPECT_EQ(sent[0].call.dims[0], 16);
  EXPECT_EQ(sent[0].call.dims[2], 8);
  // A token's 8 experts are on at most 8 and on average on a little fewer different GPUs.
  const double copies = real(sent[0].call.dims[1]) / (32 * 2048 * 2);
  EXPECT_LT(copies, 8);
  EXPECT_GT(copies, 6);
}

TEST(ExpertParallel, OverBothGathersWhatTensorParallelGpusShare) {
  const Model m = find_model("mixtral-8x7b");
  const How how{.parallel = {.tensor = 2, .expert = 8, .data = 4}};
  const auto k = kernels_of(m, prefill_of(100), how);
  EXPECT_EQ(with_role(k, Role::kExperts).at(0).call.dims,
            (std::vector<int64_t>{400, 4096, 14336, 2, 8, 1, 8}));
  EXPECT_EQ(executions(k, Role::kAllGather), 32 + 1);
  EXPECT_EQ(executions(k, Role::kAllReduce), 32 + 1);
}

TEST(Parallelism, ThatDoesNotDivideTheModelIsRefusedWithItsName) {
  const Model llama = find_model("llama-3.2-3b");  // 24 heads, 28 layers
  EXPECT_THAT(error_of(llama, {.tensor = 16}), HasSubstr("24 heads"));
  EXPECT_THAT(error_of(llama, {.tensor = 0}), HasSubstr("tensor parallel = 0"));
  EXPECT_THAT(error_of(llama, {.tensor = -2}), HasSubstr("tensor parallel = -2"));
  EXPECT_THAT(error_of(llama, {.pipeline = 29}), HasSubstr("28 layers"));
  EXPECT_THAT(error_of(llama, {.expert = 2}), HasSubstr("no experts"));
  EXPECT_THAT(error_of(llama, {.gpus_per_node = 0}), HasSubstr("GPUs of a node"));
  EXPECT_THAT(error_of(find_model("qwen2.5-14b"), {.tensor = 20}), HasSubstr("8 key and value"));
  Model odd = llama;
  odd.ffn = 8191;
  EXPECT_THAT(error_of(odd, {.tensor = 2}), HasSubstr("8191 features of the MLP"));
  const Model moe = find_model("mixtral-8x7b");
  EXPECT_THAT(error_of(moe, {.expert = 16, .data = 16}), HasSubstr("8 experts"));
  EXPECT_THAT(error_of(moe, {.tensor = 4, .expert = 6, .data = 3}), HasSubstr("multiple"));
  EXPECT_THAT(error_of(moe, {.tensor = 2, .expert = 8, .data = 2}), HasSubstr("data parallel 2"));
}

}  // namespace
}  // namespace ridge
