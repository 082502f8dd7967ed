// On a GPU: each operator's launch equals its double-precision reference, in every dtype and
// implementation, on small, ragged and model-sized shapes, with outputs poisoned before the run.
#include <algorithm>
#include <cmath>
#include <random>
#include <set>

#include "kernels/core/operators.h"
#include "profilers/verify.h"
#include "tests/kernels/cuda_device.h"

namespace ridge {
namespace {

constexpr int64_t kMostBytes = 256 << 20;
constexpr double kMostFlops = 4e11;

int64_t draw(const Axis& axis, std::mt19937_64& rng) {
  if (!axis.usual.empty() && (axis.draw == Draw::kUsual || rng() % 2 == 0)) {
    std::uniform_int_distribution<std::size_t> pick(0, axis.usual.size() - 1);
    return axis.usual[pick(rng)];
  }
  std::uniform_real_distribution<double> exponent(
      std::log(static_cast<double>(std::max<int64_t>(axis.sweep_low, 1))),
      std::log(static_cast<double>(axis.sweep_high)));
  return std::clamp(static_cast<int64_t>(std::exp(exponent(rng))), axis.min, axis.max);
}

// Shapes from the range that calibration sweeps, of a size that is quickly checked.
std::vector<std::vector<int64_t>> larger_dims(const OpSpec& spec) {
  std::mt19937_64 rng(2024);
  std::vector<std::vector<int64_t>> found;
  for (int attempt = 0; attempt < 2000 && found.size() < 6; ++attempt) {
    Call call{spec.name, {}, spec.dtypes.front(), ""};
    for (const Axis& axis : spec.axes) call.dims.push_back(draw(axis, rng));
    spec.adjust(call);
    if (!spec.constraint(call).empty() || footprint_bytes(spec, call) > kMostBytes ||
        spec.work(call).flops > kMostFlops)
      continue;
    found.push_back(call.dims);
  }
  return found;
}

// int8 weights are run on the CPU only (docs/speed-benchmark.md).
const std::set<std::string> kOnCpuOnly{"quantise_rows", "dequantise"};

class EveryOperatorOnCuda : public OnCuda, public testing::WithParamInterface<std::string> {};

TEST_P(EveryOperatorOnCuda, LaunchesEqualTheReference) {
  const OpSpec& spec = find_operator(GetParam());
  if (!spec.no_launch.empty()) GTEST_SKIP() << spec.name << " " << spec.no_launch;
  auto shapes = spec.test_dims;
  for (auto& dims : larger_dims(spec)) shapes.push_back(std::move(dims));
  if (kOnCpuOnly.contains(spec.name)) GTEST_SKIP() << spec.name << " is of the CPU only";
  Arena arena(gpu(), 7);
  int checked = 0;
  std::string why;
  for (const auto& dims : shapes) {
    for (Dtype dtype : spec.dtypes) {
      Call call{spec.name, dims, dtype, ""};
      if (!spec.constraint(call).empty()) continue;
      for (const std::string& implementation : gpu().implementations(call, &why)) {
        call.implementation = implementation;
        SCOPED_TRACE(to_string(call));
        for (const Operands& operands : arena.operands(spec, call, 2)) {
          const auto launch = gpu().bind(call, operands.arguments);
          const Verdict v = verify(gpu(), spec, call, operands, *launch, 11, 1.0);
          EXPECT_TRUE(v.correct) << v.reason << " (" << launch->detail() << ")";
          ++checked;
        }
      }
      call.implementation.clear();
    }
  }
  if (checked == 0 && spec.probe) GTEST_SKIP() << "a probe of the CPU alone: " << why;
  EXPECT_GT(checked, 0) << "no CUDA implementation of " << spec.name << ": " << why;
}

std::vector<std::string> names() {
  std::vector<std::string> all;
  for (const OpSpec& spec : operators()) all.push_back(spec.name);
  return all;
}

INSTANTIATE_TEST_SUITE_P(All, EveryOperatorOnCuda, testing::ValuesIn(names()),
                         [](const auto& op) { return op.param; });

}  // namespace
}  // namespace ridge
