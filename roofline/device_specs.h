#pragma once
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kernels/core/backend.h"
#include "kernels/core/work.h"

namespace ridge {

// A GPU's datasheet: roofline/devices/<name>.json, one file a GPU. Peaks are dense.
struct DeviceSpec {
  std::string name;
  std::vector<std::string> aliases;
  std::string compute_capability;
  int sm_count = 0;
  int cuda_cores_per_sm = 0;
  int64_t l2_bytes = 0;
  int64_t memory_bytes = 0;
  double memory_bandwidth_bytes_per_s = 0;
  double l2_bandwidth_bytes_per_s = 0;    // no datasheet tells it: as others measured it, or 0
  double link_bandwidth_bytes_per_s = 0;  // to other GPUs, one direction; 0 where unknown
  double max_clock_hz = 0;
  std::map<std::string, double> peak_flops_per_s;  // by ceiling_name(): "matrix.bf16"
  std::string source;
};

// Where the project's data files lie: $RIDGE_DATA_DIR, else the nearest of the Python module's
// parent folders (or their share/ridgepoint) that has them, else of the executable's, else the
// source tree it was built from.
std::filesystem::path data_dir();

// Throws BadInput that names the file and key.
DeviceSpec read_device_spec(const std::filesystem::path& file);

// All of roofline/devices, by name. Read once.
const std::vector<DeviceSpec>& device_specs();

// By name or alias, or what NVML calls it ("NVIDIA H200", "Tesla T4"): letter case, punctuation and
// the maker's name do not count. Nothing for a name that fits none, MIG slices among them.
std::optional<DeviceSpec> find_device(std::string_view name);

// Whether that is the device's name or an alias, read as loosely as find_device() does.
bool is_called(const DeviceSpec& spec, std::string_view name);

// Names of all devices for an error about an unknown one: those like it first, then the others.
std::string suggested_devices(std::string_view name);

// "NVIDIA H200" -> "nvidia-h200", "AMD EPYC" with 2 cores -> "cpu-amd-epyc-2c": a folder name.
std::string device_slug(const DeviceInfo& device);

// The least time that the device's datasheet allows, for SamplerOptions::fastest_possible_s: no
// call can be faster than its peaks, with 5 % of grace for a boost above the stated clock.
std::function<double(const Work&)> datasheet_limit(const DeviceInfo& device);

}  // namespace ridge
