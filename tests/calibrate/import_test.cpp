// Tables from latencies measured elsewhere: every family of rows imports.
#include "calibrate/import.h"

#include <gmock/gmock.h>

#include <cmath>
#include <set>

#include "calibrate/import_plan.h"
#include "kernels/core/error.h"
#include "roofline/datasheet.h"
#include "tests/calibrate/import_text.h"

namespace ridge {
namespace {

using import_text::imported;
using import_text::on;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

struct Family {
  const char *name, *gpu, *text;
  std::vector<const char*> calls;  // as to_string() prints them
};

const Family kFamilies[] = {
    {"gemm",
     "H200-SXM",
     "op,dtype,framework,m,n,k,latency_us,flag\n"
     "gemm,bf16,vllm,16,4096,4096,12,\ngemm,fp8,vllm,16,4096,4096,9,l2\n"
     "gemm,bf16,trtllm,16,4096,4096,11,\n",
     {"gemm m=16 n=4096 k=4096 bf16 [vllm]", "gemm m=16 n=4096 k=4096 bf16 [trtllm]",
      "gemm m=16 n=4096 k=4096 f8e4m3 [vllm]"}},
    {"bmm",
     "T4",
     "op,dtype,b,m,n,k,latency_us\n"
     "bmm,fp32,8,64,128,32,40\nbmm,fp16,8,64,128,32,30\nbmm,fp32,9,64,128,32,45\n",
     {"bmm b=8 m=64 n=128 k=32 f16 [imported]"}},
    {"attention_prefill",
     "B200-SXM",
     "op,dtype,batch,seq,kv_len,heads,kv_heads,head_dim,latency_us\n"
     "attention_prefill,bf16,1,512,512,32,8,128,30\nattention_prefill,bf16,1,64,64,8,1,512,9\n"
     "attention_prefill,bf16,2,512,512,32,8,128,55\n",
     {"attention_prefill batch=1 seq=64 kv_len=64 heads=8 kv_heads=1 head_dim=512 bf16 "
      "[imported]"}},
    {"attention_decode",
     "L40S",
     "op,dtype,batch,context,heads,kv_heads,head_dim,latency_us\n"
     "attention_decode,bf16,1,512,32,8,128,8\nattention_decode,bf16,8,512,32,8,128,20\n"
     "attention_decode,bf16,64,512,32,8,128,200\n",
     {"attention_decode batch=1 context=512 heads=32 kv_heads=8 head_dim=128 bf16 [imported]"}},
    {"elementwise",
     "V100-PCIe-32GB",
     "op,dtype,rows,cols,latency_us\n"
     "add,fp32,512,4096,40\nmul,fp32,512,4096,40\nsilu_mul,fp16,512,4096,20\n"
     "add3,fp16,512,4096,30\ndiv,fp32,512,4096,40\npow,fp32,512,4096,41\n"
     "add_scalar,fp32,512,4096,30\nmul_scalar,fp32,512,4096,30\ndiv_scalar,fp32,512,4096,30\n"
     "pow_scalar,fp32,512,4096,30\nrelu,fp32,512,4096,30\ntanh,fp32,512,4096,30\n"
     "gelu,fp32,512,4096,30\n",
     {"silu_mul rows=512 cols=4096 f16 [imported]", "add_scalar rows=512 cols=4096 f32 [imported]",
      "tanh rows=512 cols=4096 f32 [imported]"}},
    {"norm",
     "A40",
     "op,dtype,framework,rows,cols,latency_us\n"
     "layernorm,fp16,vllm,512,4096,20\nrmsnorm,fp16,vllm,512,4096,18\n"
     "rmsnorm_eager,fp16,torch,512,4096,90\n",
     {"rmsnorm rows=512 cols=4096 f16 [vllm]", "rmsnorm rows=512 cols=4096 f16 [torch/unfused]"}},
    {"softmax",
     "L4",
     "op,dtype,rows,cols,latency_us\n"
     "softmax,fp32,512,4096,70\nsoftmax,fp16,512,4096,40\nsoftmax,fp32,1024,4096,140\n",
     {"softmax rows=512 cols=4096 f16 [imported]"}},
    {"rope",
     "A100-80GB",
     "op,dtype,rows,cols,latency_us\nrope,fp16,512,5120,12\nrope,fp16,1,640,2\n"
     "rope,fp16,4096,5120,60\n",
     {"rope rows=512 heads=40 head_dim=128 f16 [imported]"}},
    {"conv",
     "A100-PCIe-80GB",
     "op,dtype,b,in_ch,out_ch,kernel,in_size,stride,padding,latency_us\n"
     "conv2d,fp32,1,3,64,3,56,1,1,30\nconv2d,fp32,8,64,64,3,56,1,1,300\n"
     "conv2d,fp32,8,64,128,3,56,1,1,600\n",
     {"conv2d n=1 c=3 h=56 w=56 k=64 r=3 s=3 stride=1 pad=1 groups=1 f32 [imported]"}},
    {"comm",
     "H100-80GB",
     "op,dtype,framework,gpus,bytes,gpus_per_node,latency_us\n"
     "all_reduce,fp16,nccl-dgx,8,1048576,8,40\nall_gather,fp16,nccl-dgx,8,1048576,8,30\n"
     "reduce_scatter,fp16,nccl-dgx,8,1048576,8,30\nalltoall,fp16,nccl-dgx,8,1048576,8,30\n"
     "send_recv,fp16,nccl-dgx,2,1048576,1,60\n",
     {"all_reduce gpus=8 bytes=1048576 gpus_per_node=8 f16 [nccl-dgx]",
      "send_recv gpus=2 bytes=1048576 gpus_per_node=1 f16 [nccl-dgx]"}},
    {"moe",
     "RTX-PRO-6000-Server",
     "op,dtype,framework,tokens,hidden,inter,topk,experts,tp,ep,distribution,latency_us\n"
     "moe,bf16,vllm,64,2048,512,8,256,1,32,balanced,22.6\n"
     "moe,bf16,vllm,64,2048,512,8,256,1,32,power_law_1.2,25\n"
     "moe,fp8,vllm,64,2048,512,8,256,1,32,balanced,25\n",
     {"moe tokens=64 hidden=2048 inter=512 topk=8 experts=256 tp=1 ep=32 bf16 "
      "[vllm/power_law_1.2]"}},
    {"composite",
     "A10G",
     "op,dtype,batch,seq,heads,kv_heads,head_dim,hidden,ffn,latency_us\n"
     "gqa_module,fp16,2,512,32,8,64,2048,0,672\nswiglu_mlp,fp16,2,512,0,0,0,2048,5632,900\n"
     "swiglu_mlp,fp16,1,512,0,0,0,2048,5632,500\n",
     {"attention_block batch=2 seq=512 heads=32 kv_heads=8 head_dim=64 hidden=2048 f16 "
      "[imported]",
      "swiglu rows=1024 hidden=2048 ffn=5632 f16 [imported]"}},
};

TEST(Import, TakesEveryFamily) {
  for (const Family& family : kFamilies) {
    SCOPED_TRACE(family.name);
    const ImportOptions options = on(family.gpu);
    ImportedRows rows;
    add_rows(family.text, "folder/some.csv", options, rows);
    ASSERT_EQ(rows.files.size(), 1u);
    EXPECT_EQ(rows.files[0].name, "some.csv");
    EXPECT_EQ(rows.files[0].taken, rows.files[0].rows)
        << (rows.files[0].rejections.empty() ? "" : rows.files[0].rejections[0]);
    const DelayTable table = import_table(rows, options);
    EXPECT_EQ(table.samples.size(), rows.rows.size());
    std::set<std::string> calls;
    for (const Sample& s : table.samples) {
      calls.insert(to_string(s.call));
      EXPECT_GT(s.delay_factor, 0);
      EXPECT_TRUE(std::isfinite(s.delay_factor)) << to_string(s.call);
    }
    for (const char* call : family.calls) EXPECT_THAT(calls, Contains(call));
    EXPECT_FALSE(table.curves.empty());
  }
}

TEST(Import, HoldsAgainstTheDatasheetAndSaysSo) {
  // A GEMM that is bound by memory: 2 · 4096² bytes of weights and the activations at 4.8 TB/s.
  const DelayTable t = imported("op,dtype,m,n,k,latency_us\ngemm,bf16,1,4096,4096,14\n");
  const double bytes = 2.0 * (4096.0 * 4096 + 4096 + 4096);
  // Delay factors are kept to four digits.
  EXPECT_NEAR(t.samples.at(0).ideal_s / (bytes / 4.8e12), 1, 5e-4);
  EXPECT_NEAR(t.samples.at(0).delay_factor, 14e-6 / (bytes / 4.8e12), 1e-3);
  for (const auto& [key, ceiling] : t.ceilings.values)
    EXPECT_THAT(ceiling.method, ::testing::AnyOf("datasheet", "published")) << key;
  EXPECT_THAT(t.ceilings.provenance, Contains(Pair("source", "datasheet")));
  EXPECT_EQ(t.device.name, "H200");
  EXPECT_EQ(t.device.units, 132);
}

TEST(Import, Fp32IsHeldAgainstTheCudaCores) {
  ImportedRows rows;
  const ImportOptions options = on("A100-PCIe-40GB");
  add_rows("op,dtype,m,n,k,latency_us\ngemm,fp32,4096,4096,4096,9000\n", "x.csv", options, rows);
  const Sample s = import_table(rows, options).samples.at(0);
  EXPECT_NEAR(s.ideal_s / (2.0 * std::pow(4096, 3) / 19.5e12), 1, 5e-4);
  EXPECT_EQ(s.bound, Bound::kCompute);
}

TEST(Import, CollectivesAreHeldAgainstTheLink) {
  const DelayTable t =
      imported("op,dtype,gpus,bytes,gpus_per_node,latency_us\nall_reduce,bf16,8,8000000,8,60\n");
  EXPECT_NEAR(t.samples.at(0).ideal_s / (2 * 7e6 / 450e9), 1, 5e-4);
  EXPECT_EQ(t.samples.at(0).bound, Bound::kLink);
  EXPECT_EQ(parse_bound(name(Bound::kLink)), Bound::kLink);
}

TEST(Import, KeepsProvenance) {
  ImportOptions options = on("H200");
  options.provenance = {{"git_revision", "abc"}};
  ImportedRows rows;
  add_rows(
      "source,licence,gpu,framework,version,op,dtype,m,n,k,latency_us\n"
      "aic,\"MIT, (c) A\",H200-SXM,vllm,0.24,gemm,bf16,1,64,64,5\n"
      "aic,\"MIT, (c) A\",H200-SXM,trtllm,1.3,gemm,bf16,1,64,64,5\n",
      "/some/where/a.csv", options, rows);
  add_rows("op,dtype,m,n,k,latency_us\ngemm,bf16,2,64,64,5\ngemm,bf16,0,64,64,5\n", "b.csv",
           options, rows);
  EXPECT_THAT(import_table(rows, options).provenance,
              ElementsAre(Pair("files", "a.csv (2 of 2 rows), b.csv (1 of 2 rows)"),
                          Pair("framework", "trtllm, vllm"), Pair("git_revision", "abc"),
                          Pair("licence", "MIT, (c) A"), Pair("method", "imported"),
                          Pair("source", "aic"), Pair("version", "0.24, 1.3")));
}

TEST(Import, HostTimedRowsMakeATableThatSaysSo) {
  ImportOptions options = on("T4");
  options.host_timed = true;
  ImportedRows rows;
  add_rows("op,dtype,m,n,k,latency_us,remark\ngemm,fp16,1,64,64,35,an old one\n", "x.csv", options,
           rows);
  const DelayTable t = import_table(rows, options);
  EXPECT_TRUE(is_host_timed(t));
  EXPECT_EQ(t.method, Method::kStream);  // so never transferred beside tables of graphs
  EXPECT_THAT(t.notes, Contains(HasSubstr("timed on the host")));
  EXPECT_THAT(t.provenance, Contains(Pair("remark", "an old one")));
  options.host_timed = false;
  EXPECT_FALSE(is_host_timed(import_table(rows, options)));
}

constexpr const char* kTwoFrameworks =
    "op,dtype,framework,m,n,k,latency_us\n"
    "gemm,bf16,vllm,16,64,64,12\ngemm,fp8,vllm,16,64,64,9\ngemm,bf16,trtllm,16,64,64,11\n";

TEST(Import, FrameworkAndDtypeFilter) {
  ImportOptions options = on("H200");
  options.framework = "vllm";
  options.dtype = Dtype::kBf16;
  ImportedRows rows;
  add_rows(kTwoFrameworks, "x.csv", options, rows);
  ASSERT_EQ(rows.rows.size(), 1u);
  EXPECT_EQ(rows.rows[0].call.implementation, "vllm");
  EXPECT_EQ(rows.files[0].filtered, 2u);
  EXPECT_EQ(rows.files[0].rejected, 0u);
  // Where the file names none, it is the name.
  add_rows("op,dtype,m,n,k,latency_us\ngemm,bf16,2,64,64,5\n", "y.csv", options, rows);
  EXPECT_EQ(rows.rows[1].call.implementation, "vllm");
}

TEST(Import, EachFrameworkIsACurve) {
  const DelayTable t = imported(kTwoFrameworks);
  std::set<std::string> of;
  for (const Curve& c : t.curves) of.insert(c.implementation + " " + std::string(name(c.dtype)));
  EXPECT_THAT(of, ElementsAre("trtllm bf16", "vllm bf16", "vllm f8e4m3"));
}

TEST(Import, ASinglePointAndPointsAllAtOneShapeWork) {
  EXPECT_EQ(imported("op,dtype,m,n,k,latency_us\ngemm,bf16,1,64,64,5\n").curves.size(), 1u);
  std::string text = "op,dtype,m,n,k,latency_us\n";
  for (int i = 0; i < 20; ++i) text += "gemm,bf16,1,64,64," + std::to_string(5 + i % 3) + "\n";
  const DelayTable t = imported(text);
  ASSERT_EQ(t.samples.size(), 1u);
  EXPECT_EQ(t.samples[0].count, 20u);
  EXPECT_DOUBLE_EQ(t.samples[0].median_s, 6e-6);
}

TEST(Import, PointsAreChosenByOperatorDtypeAndFramework) {
  std::string text = "op,dtype,framework,rows,cols,latency_us\n";
  for (int i = 1; i <= 40; ++i)
    for (const char* kind : {"add,fp16,a", "add,fp16,b", "add,fp32,a"})
      text += kind + ("," + std::to_string(64 * i)) + ",4096," + std::to_string(2 + i) + "\n";
  ImportOptions options = on("H200");
  options.points = 7;
  ImportedRows rows;
  add_rows(text, "x.csv", options, rows);
  const DelayTable t = import_table(rows, options);
  EXPECT_EQ(t.samples.size(), 21u);
  EXPECT_EQ(t.curves.size(), 3u);
  EXPECT_THAT(t.provenance.at("points"), HasSubstr("7"));
}

TEST(ImportPlan, AsksForEachPointOnceAndNoMore) {
  const Ceilings ceilings = datasheet_ceilings(find_device("H200").value());
  std::vector<Call> pool;
  for (int64_t i = 1; i <= 100; ++i)
    pool.push_back({.op = "add", .dims = {i, 64}, .dtype = Dtype::kF16, .implementation = "x"});
  std::vector<std::size_t> asked;
  const auto ask = [&](std::size_t i) {
    asked.push_back(i);
    return 1e-6;
  };
  std::vector<std::size_t> chosen, controls;
  for (const auto& [place, control] : choose_points(pool, 12, ask, {}, ceilings)) {
    chosen.push_back(place);
    if (control) controls.push_back(place);
  }
  EXPECT_EQ(chosen, asked);
  EXPECT_EQ(controls.size(), 3u);  // every fourth is drawn at random
  EXPECT_EQ(std::set<std::size_t>(chosen.begin(), chosen.end()).size(), 12u);
  asked.clear();
  EXPECT_EQ(choose_points(pool, 1000, ask, {}, ceilings).size(), 100u);
  EXPECT_EQ(asked.size(), 100u);
  EXPECT_TRUE(choose_points({}, 5, ask, {}, ceilings).empty());
}

}  // namespace
}  // namespace ridge
