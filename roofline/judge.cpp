#include <algorithm>
#include <cmath>
#include <optional>

#include "roofline/device_specs.h"
#include "roofline/measure_roofline.h"

namespace ridge {
namespace {

// Measured elsewhere: reads reach 93 to 98 % of a datasheet's bandwidth, copies 85 to 95 %,
// products 75 to 95 % of its dense peak. Below 60 % something is wrong; above 102 % the datasheet
// is.
constexpr double kLow = 0.6, kHigh = 1.02;

Verdict verdict_of(double share) {
  if (share <= 0) return Verdict::kUnknown;
  return share >= kLow && share <= kHigh ? Verdict::kInside : Verdict::kOutside;
}

// "matrix.bf16" of "matrix.bf16.gemm".
std::string pipe_of(const std::string& key) {
  const auto first = key.find('.');
  return first == std::string::npos ? key : key.substr(0, key.find('.', first + 1));
}

double datasheet(const DeviceSpec& spec, const std::string& key, const Ceiling& c) {
  if (key.rfind("dram.", 0) == 0 && c.unit == "byte/s") return spec.memory_bandwidth_bytes_per_s;
  const auto it = spec.peak_flops_per_s.find(pipe_of(key));
  return c.unit == "flop/s" && it != spec.peak_flops_per_s.end() ? it->second : 0;
}

// Lanes of a CPU's vector unit by the instruction set, for elements of `bytes`.
double lanes_of(const std::string& key, double bytes) {
  if (key.find(".avx512") != std::string::npos) return 64 / bytes;
  if (key.find(".avx2") != std::string::npos) return 32 / bytes;
  return key.find(".sse2") != std::string::npos ? 16 / bytes : 0;
}

// A CPU says neither how many pipes a core has nor its clock: the clock was measured, and the pipes
// are the whole number that fits best. Multiply-add counts two.
double share_of_cpu_clock(const std::string& key, const Ceiling& c, int units, double clock_hz) {
  const bool f64 = key.find(".f64") != std::string::npos;
  const double lanes = lanes_of(key, f64 ? 8 : 4);
  if (lanes <= 0 || clock_hz <= 0 || c.unit != "flop/s") return 0;
  const double one_pipe = 2 * lanes * units * clock_hz;
  // SSE2 has no fused multiply-add: a multiplication and an addition, each on pipes of its own.
  const double pipes = std::max(1.0, std::ceil(c.value / one_pipe - 0.2));
  return c.value / (pipes * one_pipe);
}

}  // namespace

void judge(Ceilings& ceilings, const DeviceInfo& device) {
  const std::optional<DeviceSpec> spec = find_device(device.name);
  const auto clock = ceilings.values.find("clock");
  const double cpu_clock = clock == ceilings.values.end() ? 0 : clock->second.value;
  for (auto& [key, c] : ceilings.values) {
    if (const double sheet = spec ? datasheet(*spec, key, c) : 0; sheet > 0) {
      c.of_datasheet = c.value / sheet;
      const double units = std::max(1, spec->sm_count);
      // A MIG slice has fewer multiprocessors than the datasheet's whole GPU.
      if (c.clock_hz > 0 && spec->max_clock_hz > 0 && c.unit == "flop/s")
        c.of_clock =
            c.of_datasheet * spec->max_clock_hz / c.clock_hz * units / std::max(1, device.units);
    }
    if (device.kind == "cpu") {
      // What the system tells is often the nominal clock.
      c.clock_hz = c.unit == "flop/s" ? cpu_clock : 0;
      c.of_clock = share_of_cpu_clock(key, c, device.units, cpu_clock);
    }
    // A clock was measured at another moment than the peak: a few percent say nothing.
    c.verdict = verdict_of(c.of_datasheet > 0 ? c.of_datasheet : c.of_clock - 0.03);
  }
}

}  // namespace ridge
