#include "roofline/datasheet.h"

namespace ridge {

DeviceInfo device_info(const DeviceSpec& spec) {
  return {.kind = "cuda",
          .name = spec.name,
          .compute_capability = spec.compute_capability,
          .units = spec.sm_count,
          .last_level_cache_bytes = spec.l2_bytes,
          .memory_bytes = spec.memory_bytes,
          .clock_hz = spec.max_clock_hz};
}

Ceilings datasheet_ceilings(const DeviceSpec& spec) {
  Ceilings c;
  c.device = spec.name;
  const auto add = [&](const std::string& key, double value, const char* unit,
                       const char* method = "datasheet") {
    if (value > 0) c.values[key] = {.value = value, .unit = unit, .method = method};
  };
  for (const auto& [key, peak] : spec.peak_flops_per_s) add(key, peak, "flop/s");
  for (const char* way : {".read", ".write", ".copy"}) {
    add(std::string("dram") + way, spec.memory_bandwidth_bytes_per_s, "byte/s");
    add(std::string("l2") + way, spec.l2_bandwidth_bytes_per_s, "byte/s", "published");
  }
  add("link", spec.link_bandwidth_bytes_per_s, "byte/s");
  c.provenance = {{"source", "datasheet"}, {"datasheet", spec.source}};
  return c;
}

}  // namespace ridge
