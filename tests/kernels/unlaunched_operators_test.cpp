// The work of operators that nothing here can run, by hand.
#include <gtest/gtest.h>

#include "kernels/core/operators.h"
#include "kernels/moe/moe.h"

namespace ridge {
namespace {

Work work_of(const char* op, std::vector<int64_t> dims, Dtype dtype = Dtype::kBf16) {
  const Call call{op, std::move(dims), dtype, ""};
  const OpSpec& spec = find_operator(op);
  validate(spec, call);
  return spec.work(call);
}

TEST(Collectives, SendWhatARingSends) {
  // 8 devices, 800 bytes (400 elements): a part is 100 bytes, and 7 parts cross in each round.
  const Work reduce = work_of("all_reduce", {8, 800, 8});
  EXPECT_DOUBLE_EQ(reduce.link_bytes, 2 * 700);
  EXPECT_DOUBLE_EQ(reduce.flops, 350);
  EXPECT_DOUBLE_EQ(reduce.bytes_read, 800);
  EXPECT_DOUBLE_EQ(reduce.bytes_written, 800);

  const Work gather = work_of("all_gather", {8, 800, 8});
  EXPECT_DOUBLE_EQ(gather.link_bytes, 700);
  EXPECT_DOUBLE_EQ(gather.flops, 0);
  EXPECT_DOUBLE_EQ(gather.bytes_read, 100);
  EXPECT_DOUBLE_EQ(gather.bytes_written, 800);

  const Work scatter = work_of("reduce_scatter", {8, 800, 8}, Dtype::kF32);
  EXPECT_DOUBLE_EQ(scatter.link_bytes, 700);
  EXPECT_DOUBLE_EQ(scatter.flops, 175);
  EXPECT_DOUBLE_EQ(scatter.bytes_read, 800);
  EXPECT_DOUBLE_EQ(scatter.bytes_written, 100);

  const Work exchange = work_of("alltoall", {8, 800, 4});
  EXPECT_DOUBLE_EQ(exchange.link_bytes, 700);
  EXPECT_DOUBLE_EQ(exchange.bytes_read + exchange.bytes_written, 1600);

  EXPECT_DOUBLE_EQ(work_of("send_recv", {2, 800, 1}).link_bytes, 800);
}

TEST(Collectives, AnAllReduceIsAReduceScatterAndAnAllGather) {
  for (int64_t gpus : {2, 3, 8, 16}) {
    const std::vector<int64_t> dims{gpus, 1 << 20, gpus};
    const Work parts[] = {work_of("reduce_scatter", dims), work_of("all_gather", dims)};
    const Work whole = work_of("all_reduce", dims);
    EXPECT_DOUBLE_EQ(whole.link_bytes, parts[0].link_bytes + parts[1].link_bytes);
    EXPECT_DOUBLE_EQ(whole.flops, parts[0].flops + parts[1].flops);
  }
}

TEST(Moe, WithOneExpertIsASwigluMlp) {
  const Work one = work_of("moe", {16, 64, 128, 1, 1, 1, 1});
  EXPECT_DOUBLE_EQ(one.flops, 6.0 * 16 * 64 * 128);
  // x, an id and a weight for each token, three matrices.
  EXPECT_DOUBLE_EQ(one.bytes_read, 2.0 * 16 * 64 + 8 * 16 + 2.0 * 3 * 64 * 128);
  EXPECT_DOUBLE_EQ(one.bytes_written, 2.0 * 16 * 64);
}

TEST(Moe, CountsOnlyTheExpertsThatAreTouched) {
  // One token goes to 2 of 8 experts; on one of two groups it finds one of them on average.
  const moe::Dims whole{1, 64, 128, 2, 8, 1, 1}, half{1, 64, 128, 2, 8, 1, 2};
  EXPECT_DOUBLE_EQ(moe::expected_experts(whole), 2);
  EXPECT_DOUBLE_EQ(moe::expected_experts(half), 1);
  // Neither choice is among the four here: 4/8 · 3/7.
  EXPECT_DOUBLE_EQ(moe::expected_tokens(half), 1 - 4.0 / 8 * 3 / 7);
  EXPECT_DOUBLE_EQ(moe::expected_tokens(whole), 1);
  // Two tokens: each expert is missed with (3/4)².
  EXPECT_DOUBLE_EQ(moe::expected_experts({2, 64, 128, 2, 8, 1, 1}), 8 * (1 - 9.0 / 16));
  // Very many touch all.
  EXPECT_NEAR(moe::expected_experts({100000, 64, 128, 2, 8, 1, 1}), 8, 1e-12);
  EXPECT_DOUBLE_EQ(moe::expected_experts({1, 64, 128, 8, 8, 1, 1}), 8);
}

TEST(Moe, ADeviceDoesItsShare) {
  const Work all = work_of("moe", {4096, 64, 128, 2, 8, 1, 1});
  EXPECT_DOUBLE_EQ(work_of("moe", {4096, 64, 128, 2, 8, 4, 1}).flops, all.flops / 4);
  EXPECT_DOUBLE_EQ(work_of("moe", {4096, 64, 128, 2, 8, 1, 4}).flops, all.flops / 4);
  // Weights in fp8, activations in bf16.
  const Work fp8 = work_of("moe", {4096, 64, 128, 2, 8, 1, 1}, Dtype::kF8E4M3);
  EXPECT_DOUBLE_EQ(fp8.bytes_written, all.bytes_written);
  EXPECT_NEAR(all.bytes_read - fp8.bytes_read, 8 * 3 * 64 * 128, 1e-6);
}

TEST(AttentionBlock, IsItsProjectionsAndItsAttention) {
  const Work block = work_of("attention_block", {2, 512, 32, 8, 64, 2048});
  double flops = work_of("attention_prefill", {2, 512, 512, 32, 8, 64}).flops;
  for (int64_t width : {32 * 64, 8 * 64, 8 * 64})
    flops += work_of("gemm", {2 * 512, width, 2048}).flops;
  flops += work_of("gemm", {2 * 512, 2048, 32 * 64}).flops;
  EXPECT_DOUBLE_EQ(block.flops, flops);
  EXPECT_DOUBLE_EQ(block.bytes_read, 2.0 * (2 * 512 * 2048 + (32 + 8 + 8 + 32) * 64 * 2048));
}

TEST(Elementwise, CountsEveryTensor) {
  EXPECT_DOUBLE_EQ(work_of("add3", {3, 5}).bytes_read, 2 * 3 * 15);
  EXPECT_DOUBLE_EQ(work_of("div", {3, 5}).bytes_read, 2 * 2 * 15);
  EXPECT_DOUBLE_EQ(work_of("add_scalar", {3, 5}).bytes_read, 2 * 15);
  EXPECT_DOUBLE_EQ(work_of("relu", {3, 5}).bytes_written, 2 * 15);
}

}  // namespace
}  // namespace ridge
