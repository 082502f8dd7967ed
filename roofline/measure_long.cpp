#include <fmt/format.h>

#include <algorithm>

#include "kernels/core/error.h"
#include "kernels/core/operators.h"
#include "roofline/measure_steps.h"

namespace ridge {

void measure_host_copies(Prober& prober) {
  Backend& b = prober.backend();
  Ceilings& c = prober.ceilings();
  using enum HostCopy::Direction;
  using enum HostCopy::Memory;
  for (const auto direction : {kToDevice, kToHost})
    for (const auto memory : {kPinned, kPageable}) {
      const std::string key =
          fmt::format("host_copy.{}.{}", direction == kToDevice ? "to_device" : "to_host",
                      memory == kPinned ? "pinned" : "pageable");
      for (int64_t bytes = 4096; bytes <= int64_t{256} << 20; bytes *= 4) {
        std::unique_ptr<Batch> batch;
        try {
          batch = b.host_copy({.direction = direction, .memory = memory}, bytes);
        } catch (const OutOfMemory& e) {
          c.notes.push_back(key + " stopped at its size: " + e.what());
          break;
        }
        if (!batch) return;
        std::vector<double> seconds;
        for (int i = 0; i < 12; ++i) seconds.push_back(batch->run().seconds);
        seconds.erase(seconds.begin(), seconds.begin() + 2);  // first touch
        const Summary s = summarize(seconds);
        prober.add_point(key, static_cast<double>(bytes), static_cast<double>(bytes) / s.median_s,
                         "cudaMemcpyAsync");
      }
    }
}

void measure_sustained(Prober& prober, const std::string& key, double seconds) {
  Ceilings& c = prober.ceilings();
  const auto best = c.values.find(key + ".gemm");
  if (best == c.values.end()) return;
  Probe p;
  for (const Probe& candidate : arithmetic_probes(prober.backend()))
    if (std::count(candidate.keys.begin(), candidate.keys.end(), key + ".gemm") &&
        best->second.method.rfind(to_string(candidate.call), 0) == 0)
      p = candidate;
  if (p.call.op.empty()) return;
  const Measurement m = prober.measure_long(p, seconds);
  if (m.status != Status::kOk) return;
  const double flops = find_operator(p.call.op).work(p.call).flops;
  std::vector<double> early, late;
  double now = 0;
  std::map<int, std::vector<double>> bins;  // of a tenth of a second
  for (const double each : m.samples_s) {
    now += each * m.launches_per_sample;
    (now < 1 ? early : late).push_back(each);
    bins[static_cast<int>(now * 10)].push_back(each);
  }
  for (auto& [bin, times] : bins)
    prober.add_point("sustained." + key, 0.1 * bin, flops / summarize(times).median_s,
                     to_string(p.call));
  if (early.empty() || late.empty()) return;
  late.erase(late.begin(), late.begin() + static_cast<std::ptrdiff_t>(late.size() / 2));
  const auto put = [&](const char* which, double value, const char* how) {
    c.values[key + which] = {.value = value, .unit = "flop/s", .method = to_string(p.call) + how};
  };
  put(".boost", flops / summarize(early).p10_s, ", first second");
  put(".sustained", flops / summarize(late).median_s,
      fmt::format(", second half of {:.0f} s", seconds).c_str());
}

}  // namespace ridge
