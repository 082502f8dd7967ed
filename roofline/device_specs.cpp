#include "roofline/device_specs.h"

#include <dlfcn.h>
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "kernels/core/error.h"
#include "kernels/core/json_file.h"

namespace ridge {
namespace {

namespace fs = std::filesystem;

const fs::path kDevices = fs::path("roofline") / "devices";

std::string plain(std::string_view name) {
  std::string text;
  for (const char c : name)
    if (std::isalnum(static_cast<unsigned char>(c)))
      text += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  for (const std::string_view maker : {"nvidia", "tesla", "geforce"})
    if (text.starts_with(maker)) text.erase(0, maker.size());
  return text;
}

double positive(const nlohmann::json& j, const char* key) {
  const double value = j.at(key).get<double>();
  if (!std::isfinite(value) || value <= 0) throw BadInput(std::string(key) + " must be positive");
  return value;
}

double positive_or_0(const nlohmann::json& j, const char* key) {
  return j.contains(key) ? positive(j, key) : 0;
}

DeviceSpec parse(const nlohmann::json& j) {
  DeviceSpec s;
  s.name = j.at("name").get<std::string>();
  s.aliases = j.at("aliases").get<std::vector<std::string>>();
  s.compute_capability = j.at("compute_capability").get<std::string>();
  s.sm_count = static_cast<int>(positive(j, "sm_count"));
  s.cuda_cores_per_sm = static_cast<int>(positive(j, "cuda_cores_per_sm"));
  s.l2_bytes = static_cast<int64_t>(positive(j, "l2_bytes"));
  s.memory_bytes = static_cast<int64_t>(positive(j, "memory_bytes"));
  s.memory_bandwidth_bytes_per_s = positive(j, "memory_bandwidth_bytes_per_s");
  s.l2_bandwidth_bytes_per_s = positive_or_0(j, "l2_bandwidth_bytes_per_s");
  s.link_bandwidth_bytes_per_s = positive_or_0(j, "link_bandwidth_bytes_per_s");
  s.max_clock_hz = positive(j, "max_clock_hz");
  const nlohmann::json& peaks = j.at("peak_flops_per_s");
  for (const auto& [key, value] : peaks.items())
    s.peak_flops_per_s[key] = positive(peaks, key.c_str());
  s.source = j.at("source").get<std::string>();
  return s;
}

// The library or Python module that this code is in; empty in a program.
fs::path own_library() {
  Dl_info info{};
  const bool found = dladdr(reinterpret_cast<const void*>(&data_dir), &info) != 0;
  const fs::path file = found && info.dli_fname ? info.dli_fname : "";
  std::error_code ignored;
  return file.filename().string().find(".so") != std::string::npos ? fs::absolute(file, ignored)
                                                                   : fs::path();
}

}  // namespace

fs::path data_dir() {
  if (const char* asked = std::getenv("RIDGE_DATA_DIR"); asked && *asked) return asked;
  std::error_code ignored;
  for (const fs::path& file : {own_library(), fs::read_symlink("/proc/self/exe", ignored)}) {
    fs::path folder = file.parent_path();
    for (; !folder.empty() && folder != folder.root_path(); folder = folder.parent_path())
      for (const fs::path& candidate : {folder, folder / "share" / "ridgepoint"})
        if (fs::is_directory(candidate / kDevices, ignored)) return candidate;
  }
  return RIDGE_SOURCE_DIR;
}

DeviceSpec read_device_spec(const fs::path& file) {
  const nlohmann::json j = read_json(file);
  try {
    return parse(j);
  } catch (const nlohmann::json::exception& e) {
    throw BadInput(file.string() + ": not a device description: " + e.what());
  } catch (const BadInput& e) {
    throw BadInput(file.string() + ": " + e.what());
  }
}

const std::vector<DeviceSpec>& device_specs() {
  static const std::vector<DeviceSpec> all = [] {
    const fs::path folder = data_dir() / kDevices;
    std::error_code missing;
    fs::directory_iterator files(folder, missing);
    if (missing)
      throw BadInput(folder.string() +
                     ": no device descriptions there; set RIDGE_DATA_DIR to the folder that has "
                     "roofline/devices");
    std::vector<DeviceSpec> list;
    for (const auto& entry : files)
      if (entry.path().extension() == ".json") list.push_back(read_device_spec(entry.path()));
    std::sort(list.begin(), list.end(),
              [](const DeviceSpec& a, const DeviceSpec& b) { return a.name < b.name; });
    return list;
  }();
  return all;
}

bool is_called(const DeviceSpec& spec, std::string_view name) {
  const std::string asked = plain(name);
  return plain(spec.name) == asked ||
         std::any_of(spec.aliases.begin(), spec.aliases.end(),
                     [&](const std::string& alias) { return plain(alias) == asked; });
}

std::optional<DeviceSpec> find_device(std::string_view name) {
  for (const DeviceSpec& spec : device_specs())
    if (is_called(spec, name)) return spec;
  return {};
}

std::string suggested_devices(std::string_view name) {
  const std::string asked = plain(name);
  const auto shared = [&](const DeviceSpec& spec) {
    const std::string known = plain(spec.name);
    const auto both = std::min(asked.size(), known.size());
    return std::mismatch(asked.begin(), asked.begin() + static_cast<std::ptrdiff_t>(both),
                         known.begin())
               .first -
           asked.begin();
  };
  std::vector<DeviceSpec> all = device_specs();
  std::stable_sort(all.begin(), all.end(),
                   [&](const DeviceSpec& a, const DeviceSpec& b) { return shared(a) > shared(b); });
  std::string text;
  for (const DeviceSpec& spec : all) text += (text.empty() ? "" : ", ") + spec.name;
  return text;
}

std::string device_slug(const DeviceInfo& device) {
  std::string slug = device.kind == "cpu" ? "cpu-" : "";
  for (char c : device.name) {
    const bool plain = std::isalnum(static_cast<unsigned char>(c)) != 0;
    if (plain) slug += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    if (!plain && !slug.empty() && slug.back() != '-') slug += '-';
  }
  while (!slug.empty() && slug.back() == '-') slug.pop_back();
  return device.kind == "cpu" ? fmt::format("{}-{}c", slug, device.units) : slug;
}

std::function<double(const Work&)> datasheet_limit(const DeviceInfo& device) {
  const std::optional<DeviceSpec> spec = find_device(device.name);
  if (!spec) return {};
  return [spec = *spec](const Work& w) {
    const auto peak = spec.peak_flops_per_s.find(ceiling_name(w.pipe, w.arithmetic));
    return peak == spec.peak_flops_per_s.end() ? 0 : w.flops / (1.05 * peak->second);
  };
}

}  // namespace ridge
