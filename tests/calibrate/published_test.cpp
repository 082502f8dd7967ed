// Accuracy on latencies that others have measured and published: 150 random rows of a file make a
// table, 1500 others are predicted from it. Ceilings are 90 % of the datasheet. Skips where the
// data is absent.
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "calibrate/csv_calls.h"
#include "kernels/core/error.h"
#include "predictor/predict_call.h"
#include "roofline/device_specs.h"
#include "tests/calibrate/fixture.h"

namespace ridge {
namespace {

namespace fs = std::filesystem;

struct Published {
  const char* file;
  const char* op;
  const char* framework;  // of several in a file; "" where there is one
  const char* device;
  double launch_s;
  double median_limit;
};

fs::path data_folder() {
  const char* asked = std::getenv("RIDGE_PUBLISHED_DATA");
  return asked ? fs::path(asked) : fs::path(RIDGE_SOURCE_DIR).parent_path() / "shared/data/open";
}

Ceilings near_datasheet(const DeviceSpec& d, double launch_s) {
  Ceilings c{.device = d.name};
  for (const auto& [key, peak] : d.peak_flops_per_s)
    c.values[key] = {.value = 0.9 * peak, .unit = "flop/s", .method = "0.9 × datasheet"};
  for (const char* key : {"dram.read", "dram.write", "dram.copy"})
    c.values[key] = {.value = 0.9 * d.memory_bandwidth_bytes_per_s,
                     .unit = "byte/s",
                     .method = "0.9 × datasheet"};
  c.values["launch.graph"] = {.value = launch_s, .unit = "s", .method = "assumed"};
  return c;
}

std::vector<CsvCall> rows_of(const Published& p, const std::string& dtype) {
  std::ifstream in(data_folder() / p.file, std::ios::binary);
  const std::string text(std::istreambuf_iterator<char>(in), {});
  const Csv csv = parse_csv(text, p.file);
  auto column = [&](const char* name) {
    const auto it = std::find(csv.header.begin(), csv.header.end(), name);
    return static_cast<std::size_t>(it - csv.header.begin());
  };
  const std::size_t op = column("op"), framework = column("framework"), flag = column("flag"),
                    type = column("dtype");
  std::vector<CsvCall> calls;
  for (std::size_t i = 0; i < csv.rows.size(); ++i) {
    const auto& r = csv.rows[i];
    if (r[op] != p.op || (*p.framework && r[framework] != p.framework) || r[type] != dtype ||
        (flag < r.size() && r[flag] == "l2"))
      continue;
    try {
      const Csv one{.header = csv.header, .rows = {r}, .lines = {csv.lines[i]}};
      calls.push_back(calls_of(one, p.file).at(0));
    } catch (const BadInput&) {  // a shape that the operator does not take, as head_dim 512
    }
  }
  for (CsvCall& c : calls) c.call.implementation = "published";
  return calls;
}

struct Score {
  double median = 0, p90 = 0, inside = 0;
};

Score score(const Published& p, const std::string& dtype, uint64_t seed) {
  const DeviceSpec spec = find_device(p.device).value();
  std::vector<CsvCall> rows = rows_of(p, dtype);
  std::mt19937_64 rng(seed);
  std::shuffle(rows.begin(), rows.end(), rng);
  std::vector<Measurement> train;
  for (std::size_t i = 0; i < 150; ++i)
    train.push_back(fixture::timed(rows.at(i).call, {*rows[i].latency_s}));
  const DeviceInfo device{.kind = "cuda", .name = spec.name, .units = spec.sm_count};
  const auto table = make_table(device, near_datasheet(spec, p.launch_s), train, {});
  std::vector<double> errors;
  double inside = 0;
  for (std::size_t i = 150; i < std::min<std::size_t>(1650, rows.size()); ++i) {
    const Prediction made = predict_call(table, rows[i].call);
    errors.push_back(std::abs(made.seconds / *rows[i].latency_s - 1));
    inside += made.low_s <= *rows[i].latency_s && *rows[i].latency_s <= made.high_s;
  }
  std::sort(errors.begin(), errors.end());
  return {errors[errors.size() / 2], errors[errors.size() * 9 / 10],
          inside / static_cast<double>(errors.size())};
}

class Accuracy : public ::testing::TestWithParam<std::pair<Published, const char*>> {};

TEST_P(Accuracy, OfUnseenShapes) {
  const auto& [p, dtype] = GetParam();
  if (!fs::exists(data_folder() / p.file)) GTEST_SKIP() << data_folder() / p.file << " is absent";
  const bool known = std::any_of(operators().begin(), operators().end(),
                                 [&](const OpSpec& s) { return s.name == p.op; });
  if (!known) GTEST_SKIP() << "no operator " << p.op;
  Score mean;
  constexpr int kSeeds = 2;
  for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
    const Score s = score(p, dtype, seed);
    mean.median += s.median / kSeeds;
    mean.p90 += s.p90 / kSeeds;
    mean.inside += s.inside / kSeeds;
  }
  std::printf("%-18s %-34s median %5.1f%%  p90 %5.1f%%  inside %3.0f%%\n", p.op, p.file,
              100 * mean.median, 100 * mean.p90, 100 * mean.inside);
  EXPECT_LE(mean.median, p.median_limit);
  EXPECT_GE(mean.inside, 0.7);
  EXPECT_LE(mean.inside, 0.9);
}

// The limits are what the model reaches, rounded up, so that a change that makes it worse shows.
// Below 8 %: the aim. Above: kernels whose choice of algorithm jumps between neighbours.
using P = Published;
INSTANTIATE_TEST_SUITE_P(
    Published, Accuracy,
    ::testing::Values(
        std::pair{P{"aic__H100-SXM__gemm.csv", "gemm", "vllm", "H100-SXM", 1.3e-6, 0.08}, "bf16"},
        std::pair{P{"aic__A100-SXM-80GB__gemm.csv", "gemm", "vllm", "A100-80GB", 1.3e-6, 0.09},
                  "bf16"},
        std::pair{P{"aic__L40S__gemm.csv", "gemm", "vllm", "L40S", 1e-6, 0.11}, "bf16"},
        std::pair{P{"aic__H200-SXM__gemm.csv", "gemm", "trtllm", "H200", 1.3e-6, 0.08}, "bf16"},
        std::pair{P{"vidur__H100-80GB__gemm.csv", "gemm", "", "H100-SXM", 1.3e-6, 0.08}, "fp16"},
        std::pair{P{"aic__H100-SXM__attention_prefill.csv", "attention_prefill", "vllm", "H100-SXM",
                    1.3e-6, 0.08},
                  "bf16"},
        std::pair{P{"aic__L40S__attention_prefill.csv", "attention_prefill", "trtllm", "L40S", 1e-6,
                    0.08},
                  "bf16"},
        std::pair{P{"aic__H100-SXM__attention_decode.csv", "attention_decode", "vllm", "H100-SXM",
                    1.3e-6, 0.08},
                  "bf16"},
        std::pair{
            P{"aic__L40S__attention_decode.csv", "attention_decode", "vllm", "L40S", 1e-6, 0.11},
            "bf16"},
        std::pair{P{"neusight__T4__bmm.csv", "bmm", "", "T4", 5e-6, 0.14}, "fp32"},
        std::pair{P{"neusight__T4__elementwise.csv", "add", "", "T4", 5e-6, 0.04}, "fp32"},
        std::pair{P{"neusight__T4__norm.csv", "layernorm", "", "T4", 5e-6, 0.06}, "fp32"},
        std::pair{P{"neusight__T4__softmax.csv", "softmax", "", "T4", 5e-6, 0.07}, "fp32"},
        std::pair{P{"neusight__T4__conv.csv", "conv2d", "", "T4", 5e-6, 0.16}, "fp32"},
        std::pair{P{"vidur__A100-80GB__elementwise.csv", "silu_mul", "", "A100-80GB", 1.3e-6, 0.05},
                  "fp16"},
        std::pair{P{"vidur__A100-80GB__norm.csv", "rmsnorm", "", "A100-80GB", 1.3e-6, 0.04},
                  "fp16"},
        std::pair{P{"vidur__A100-80GB__rope.csv", "rope", "", "A100-80GB", 1.3e-6, 0.05}, "fp16"}),
    [](const auto& param_case) {
      std::string name =
          std::string(param_case.param.first.op) + "_of_" + param_case.param.first.file;
      std::replace_if(
          name.begin(), name.end(), [](char c) { return !std::isalnum(c); }, '_');
      return name;
    });

}  // namespace
}  // namespace ridge
