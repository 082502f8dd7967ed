#include "predictor/request/memory.h"

#include <gmock/gmock.h>

#include <cmath>

#include "kernels/core/error.h"
#include "roofline/datasheet.h"

namespace ridge {
namespace {

using ::testing::HasSubstr;

constexpr double kGiB = 1 << 30;

Model llama_2_7b() {
  return {.name = "llama-2-7b",
          .architecture = "LlamaForCausalLM",
          .hidden = 4096,
          .layers = 32,
          .heads = 32,
          .kv_heads = 32,
          .head_dim = 128,
          .ffn = 11008,
          .vocab = 32000,
          .max_positions = 4096,
          .dtype = Dtype::kF16};
}

Model llama_3_8b() {
  Model m = llama_2_7b();
  m.name = "llama-3-8b";
  m.kv_heads = 8;
  m.ffn = 14336;
  m.vocab = 128256;
  m.max_positions = 131072;
  return m;
}

Model llama_3_70b() {
  Model m = llama_3_8b();
  m.name = "llama-3-70b";
  m.hidden = 8192;
  m.layers = 80;
  m.heads = 64;
  m.ffn = 28672;
  return m;
}

Deployment on(Model m, int64_t tensor = 1) {
  EngineProfile engine = find_engine("kernels");
  return {.model = std::move(m), .parallel = {.tensor = tensor}, .engine = std::move(engine)};
}

DeviceInfo gpu(const char* name) { return device_info(*find_device(name)); }

Request request(int64_t batch, int64_t input, int64_t output) {
  return {.prompts = {{.count = batch, .tokens = input}}, .output = output};
}

std::string error_of(const Deployment& d, const Request& r) {
  try {
    memory_of(gpu("h100-sxm"), d, r);
  } catch (const BadInput& e) {
    return e.what();
  }
  return "no BadInput";
}

TEST(Memory, KnownSizes) {
  const Memory two = memory_of(gpu("a100-sxm-80gb"), on(llama_2_7b()), request(1, 4000, 96));
  EXPECT_NEAR(two.weights / 1e9, 13.48, 0.005);
  EXPECT_EQ(two.kv_bytes_per_token, 512 << 10);
  EXPECT_EQ(two.kv, 2 * kGiB);  // 4096 tokens
  const Memory three = memory_of(gpu("a100-sxm-80gb"), on(llama_3_8b()), request(1, 4000, 96));
  EXPECT_NEAR(three.weights / 1e9, 16.06, 0.005);
  EXPECT_EQ(three.kv_bytes_per_token, 128 << 10);
}

TEST(Memory, Llama70BNeedsTwoGpusOf80GB) {
  for (const char* name : {"h100-sxm", "a100-sxm-80gb"}) {
    const Memory one = memory_of(gpu(name), on(llama_3_70b()), request(1, 1024, 128));
    EXPECT_FALSE(one.fits()) << name;
    EXPECT_NEAR(one.weights / 1e9, 141.1, 0.1);
    EXPECT_EQ(one.max_batch, 0);
    EXPECT_EQ(one.max_context, 0);
    EXPECT_EQ(one.kv_blocks, 0);
    EXPECT_TRUE(memory_of(gpu(name), on(llama_3_70b(), 2), request(1, 1024, 128)).fits()) << name;
  }
  EXPECT_FALSE(memory_of(gpu("a100-sxm-40gb"), on(llama_3_70b(), 2), request(1, 1, 1)).fits());
  EXPECT_TRUE(memory_of(gpu("a100-sxm-40gb"), on(llama_3_70b(), 8), request(1, 1024, 128)).fits());
}

// vLLM 0.19 on an RTX 4090 reports 2588 blocks for Llama-3.1-8B with 2048 tokens a step and 256
// sequences (LLMServingSim, kept in the open end-to-end data).
TEST(Memory, BlocksAreAboutThoseThatVllmFinds) {
  Deployment d = on(llama_3_8b());
  d.engine = find_engine("vllm");
  Request r = request(256, 100, 60);
  r.chunk = 2048;
  const Memory m = memory_of(gpu("rtx-4090"), d, r);
  EXPECT_NEAR(static_cast<double>(m.kv_blocks) / 2588, 1, 0.1);
  // 53.29 GiB for the cache on an H100 (vLLM pull request 10511).
  r.chunk = 8192;
  const Memory h = memory_of(gpu("h100-sxm"), d, r);
  EXPECT_NEAR(static_cast<double>(h.kv_blocks * kBlockTokens) * h.kv_bytes_per_token / kGiB, 53.29,
              0.05 * 53.29);
}

TEST(Memory, CapacityIsWhatCudaGivesOut) {
  EXPECT_NEAR(memory_capacity(gpu("t4")), 15843721216.0, 0.005 * 15.8e9);
  EXPECT_NEAR(memory_capacity(gpu("h100-sxm")), 79.22 * kGiB, 0.015 * 79 * kGiB);
  EXPECT_NEAR(memory_capacity(gpu("rtx-4090")), 23.52 * kGiB, 0.01 * 24 * kGiB);
  DeviceInfo measured = gpu("t4");
  measured.memory_bytes = 8 << 20;  // what the device says of itself, when it is less
  EXPECT_EQ(memory_capacity(measured), 8 << 20);
  measured.memory_bytes = 0;
  EXPECT_EQ(memory_capacity(measured), memory_capacity(gpu("t4")));
  EXPECT_EQ(memory_capacity({.kind = "cuda", .name = "X1", .memory_bytes = 5000}), 5000);
  EXPECT_EQ(memory_capacity({.kind = "cpu", .name = "T4", .memory_bytes = 5000}), 5000);
  EXPECT_THROW(memory_capacity({.kind = "cuda", .name = "X1"}), BadInput);
}

TEST(Memory, PartsAddUpAndOnlyThisMuchIsUsable) {
  Deployment d = on(llama_3_8b());
  d.engine.memory_share = 0.5;
  const Memory m = memory_of(gpu("h100-sxm"), d, request(4, 1000, 24));
  EXPECT_EQ(m.usable, 0.5 * m.capacity);
  EXPECT_EQ(m.kv, 4 * 1024.0 * (128 << 10));
  EXPECT_EQ(m.workspace, kHopperWorkspaceBytes);
  EXPECT_EQ(m.framework, kAssumedContextBytes + kAssumedGraphBytes);
  EXPECT_EQ(m.total(), m.weights + m.kv + m.activations + m.workspace + m.framework);
  const double rest = m.usable - m.total() + m.kv;
  EXPECT_LE(static_cast<double>(m.kv_blocks * kBlockTokens) * m.kv_bytes_per_token, rest);
  EXPECT_GT(static_cast<double>((m.kv_blocks + 1) * kBlockTokens) * m.kv_bytes_per_token, rest);
  d.engine.decode_graphs = false;
  EXPECT_EQ(memory_of(gpu("a100"), d, request(1, 1, 1)).framework, kAssumedContextBytes);
  EXPECT_EQ(memory_of(gpu("a100"), d, request(1, 1, 1)).workspace, kWorkspaceBytes);
}

TEST(Memory, ActivationsAreThoseOfTheLargestStep) {
  const Deployment d = on(llama_3_8b());
  const auto activations = [&](const Request& r) {
    return memory_of(gpu("h100-sxm"), d, r).activations;
  };
  // Per token three hidden states, gate and up and their product, in two bytes each.
  const double token = 2 * (3 * 4096 + 3 * 14336);
  EXPECT_EQ(activations(request(8, 1024, 8)), 8 * 1024 * token);
  Request chunked = request(8, 1024, 8);
  chunked.chunk = 2048;
  EXPECT_EQ(activations(chunked), 2048 * token);
  Request hit = request(8, 1024, 8);
  hit.prompts[0].cached = 1000;
  EXPECT_EQ(activations(hit), 8 * 24 * token);
  EXPECT_EQ(memory_of(gpu("h100-sxm"), d, hit).kv,
            memory_of(gpu("h100-sxm"), d, request(8, 1024, 8)).kv);
  // One token each: the logits are most.
  EXPECT_EQ(activations(request(64, 1, 8)), 64 * (2 * 2 * 4096 + 6 * 128256));
}

TEST(Memory, TheEngineLimitsAStepWhereTheRequestDoesNot) {
  Deployment d = on(llama_3_8b());
  d.engine.step_tokens = 4096;
  Request r = request(8, 1024, 8);
  const double by_engine = memory_of(gpu("h100-sxm"), d, r).activations;
  r.chunk = 4096;
  d.engine.step_tokens = 0;
  EXPECT_EQ(memory_of(gpu("h100-sxm"), d, r).activations, by_engine);
}

TEST(Memory, WindowedLayersKeepTheirWindow) {
  Deployment d = on(llama_3_8b());
  const double whole = memory_of(gpu("h100-sxm"), d, request(2, 8000, 192)).kv;
  d.model.window = 4096;
  EXPECT_EQ(memory_of(gpu("h100-sxm"), d, request(2, 8000, 192)).kv, whole);  // of no layers
  d.model.windowed_layers = 32;
  EXPECT_EQ(memory_of(gpu("h100-sxm"), d, request(2, 8000, 192)).kv, whole / 2);
  d.model.windowed_layers = 16;
  EXPECT_EQ(memory_of(gpu("h100-sxm"), d, request(2, 8000, 192)).kv, 0.75 * whole);
  EXPECT_EQ(memory_of(gpu("h100-sxm"), d, request(2, 1000, 24)).kv, whole / 8);
}

TEST(Memory, LargestBatchAndContextFitAndNoMore) {
  for (const char* name : {"h100-sxm", "a10g", "l40s"})
    for (const int64_t chunk : {0, 2048})
      for (const int64_t batch : {1, 3, 16}) {
        Deployment d = on(llama_3_8b());
        d.model.max_positions = 1 << 20;
        Request r = request(batch, 700, 61);
        r.chunk = chunk;
        const Memory m = memory_of(gpu(name), d, r);
        const auto fits = [&](int64_t n, int64_t context) {
          Request other = request(n, context - 61, 61);
          other.chunk = chunk;
          return memory_of(gpu(name), d, other).fits();
        };
        EXPECT_TRUE(fits(m.max_batch, 761)) << name;
        EXPECT_FALSE(fits(m.max_batch + 1, 761)) << name;
        EXPECT_TRUE(fits(batch, m.max_context)) << name;
        EXPECT_FALSE(fits(batch, m.max_context + 1)) << name;
        EXPECT_EQ(m.fits(), m.max_batch >= batch);
      }
}

TEST(Memory, NoContextIsLongerThanTheModelTakes) {
  const Memory m = memory_of(gpu("h100-sxm"), on(llama_2_7b()), request(1, 100, 28));
  EXPECT_EQ(m.max_context, 4096);
  EXPECT_EQ(memory_of(gpu("h100-sxm"), on(llama_2_7b()), request(1, 100, 4096)).max_context, 0);
}

TEST(Memory, TheLongestPromptOfAMixCounts) {
  const Deployment d = on(llama_3_8b());
  Request mixed = request(4, 100, 28);
  mixed.prompts.push_back({.count = 1, .tokens = 4068});
  const Memory m = memory_of(gpu("h100-sxm"), d, mixed);
  EXPECT_EQ(m.kv, (4 * 128 + 4096.0) * (128 << 10));
  EXPECT_EQ(m.max_batch, memory_of(gpu("h100-sxm"), d, request(1, 4068, 28)).max_batch);
}

TEST(Memory, ShardsTakeLess) {
  const Memory one = memory_of(gpu("h100-sxm"), on(llama_3_8b()), request(8, 1000, 24));
  const Memory two = memory_of(gpu("h100-sxm"), on(llama_3_8b(), 2), request(8, 1000, 24));
  EXPECT_EQ(two.kv, one.kv / 2);
  EXPECT_LT(two.weights, 0.51 * one.weights);
  EXPECT_LT(two.activations, one.activations);
  EXPECT_GT(two.max_batch, 2 * one.max_batch - 2);
}

TEST(Memory, ReplicasShareTheSequences) {
  Deployment d = on(llama_3_8b());
  d.parallel.data = 3;
  Request r = request(3, 100, 28);
  r.prompts.push_back({.count = 2, .tokens = 996});
  // Dealt out from the longest: 1024 + 128, 1024 + 128, 128.
  EXPECT_EQ(memory_of(gpu("h100-sxm"), d, r).kv, (1024 + 128.0) * (128 << 10));
}

TEST(Memory, ADraftModelTakesItsPart) {
  const Deployment d = on(llama_3_8b());
  Request r = request(2, 1000, 24);
  const Memory alone = memory_of(gpu("h100-sxm"), d, r);
  r.speculation = Speculation{.draft = llama_2_7b()};
  const Memory both = memory_of(gpu("h100-sxm"), d, r);
  EXPECT_NEAR((both.weights - alone.weights) / 1e9, 13.48, 0.005);
  EXPECT_EQ(both.kv - alone.kv, 2 * 1024.0 * (512 << 10));
  EXPECT_LT(both.max_batch, alone.max_batch);
}

TEST(Memory, ExpertsHaveRowsForEachChoice) {
  Deployment d = on(llama_3_8b());
  const auto activations = [&] {
    return memory_of(gpu("h100-sxm"), d, request(1, 4096, 1)).activations;
  };
  const double dense = activations();
  d.model.experts = Experts{.count = 8, .per_token = 2, .ffn = 14336, .layers = 32};
  EXPECT_EQ(activations() - dense, 4096.0 * 2 * 3 * 14336);
}

TEST(Memory, EmptyAndNegativeRequestsAreRefused) {
  const Deployment d = on(llama_3_8b());
  Request r = request(1, 10, 1);
  r.prompts.clear();
  EXPECT_THAT(error_of(d, r), HasSubstr("no prompts"));
  EXPECT_THAT(error_of(d, request(0, 10, 1)), HasSubstr("count is 0"));
  EXPECT_THAT(error_of(d, request(1, 0, 1)), HasSubstr("0 tokens"));
  EXPECT_THAT(error_of(d, request(1, 10, -1)), HasSubstr("output=-1"));
  r = request(1, 10, 1);
  r.prompts[0].cached = 10;
  EXPECT_THAT(error_of(d, r), HasSubstr("cached=10"));
  r = request(1, 10, 1);
  r.chunk = -5;
  EXPECT_THAT(error_of(d, r), HasSubstr("chunk=-5"));
  Deployment odd = on(llama_3_8b(), 3);
  EXPECT_THAT(error_of(odd, request(1, 10, 1)), HasSubstr("3"));
}

}  // namespace
}  // namespace ridge
