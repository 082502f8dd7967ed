#include <algorithm>
#include <filesystem>
#include <future>

#include "kernels/core/error.h"
#include "kernels/core/operators.h"
#include "predictor/tables/table_set.h"
#include "roofline/datasheet.h"
#include "roofline/device_specs.h"

namespace ridge {
namespace {

namespace fs = std::filesystem;

// The tables of one device, by name. A sweep's ceilings lie beside its table.
std::vector<fs::path> table_files(const DeviceSpec& spec) {
  std::vector<fs::path> files;
  std::error_code missing;
  const fs::path folder = data_dir() / "results" / device_slug(device_info(spec));
  for (const auto& entry : fs::directory_iterator(folder, missing))
    if (entry.path().extension() == ".json" && entry.path().filename() != "ceilings.json")
      files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  return files;
}

bool runs_kernels_alike(const DeviceSpec& a, const DeviceSpec& b) {
  return a.name != b.name && a.compute_capability == b.compute_capability &&
         a.sm_count == b.sm_count && a.l2_bytes == b.l2_bytes && a.max_clock_hz == b.max_clock_hz &&
         a.memory_bandwidth_bytes_per_s == b.memory_bandwidth_bytes_per_s &&
         a.peak_flops_per_s == b.peak_flops_per_s;
}

struct TableFile {
  fs::path path;
  bool of_sibling = false;
};

enum class Transferred { kWithout, kWith };

void add_siblings(const DeviceSpec& spec, Transferred which, std::vector<TableFile>& files) {
  for (const DeviceSpec& other : device_specs()) {
    if (!runs_kernels_alike(spec, other)) continue;
    for (const fs::path& path : table_files(other))
      if (which == Transferred::kWith || !path.filename().string().starts_with(kTransferredMethod))
        files.push_back({path, true});
  }
}

// Its own, and those that siblings were measured for: what was transferred to these was to it, too.
std::vector<TableFile> files_for(const DeviceSpec& spec) {
  std::vector<TableFile> files;
  for (const fs::path& path : table_files(spec)) files.push_back({path});
  const bool own = !files.empty();
  add_siblings(spec, own ? Transferred::kWithout : Transferred::kWith, files);
  return files;
}

bool sends(const Curve& c) {
  return find_operator(c.op).work({c.op, c.dims_high, c.dtype, {}}).link_bytes > 0;
}

// A sibling's table as this device's: its delays hold, for all ceilings but the link are equal.
void adopt(DelayTable& table, const DeviceSpec& spec, double sibling_link) {
  const std::string from = table.device.name;
  table.device = device_info(spec);
  table.ceilings = datasheet_ceilings(spec);
  if (spec.link_bandwidth_bytes_per_s != sibling_link) std::erase_if(table.curves, sends);
  table.provenance["method"] = kTransferredMethod;
  table.provenance["sources"] = from;
  table.notes.push_back("delays are those of " + from + ", whose datasheet is the same");
}

NamedTable load(const TableFile& file, const DeviceSpec& spec) {
  NamedTable made{file.path.string(), load_table(file.path)};
  if (!file.of_sibling) return made;
  const auto sibling = find_device(made.table.device.name);
  adopt(made.table, spec, sibling ? sibling->link_bandwidth_bytes_per_s : 0);
  return made;
}

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

}  // namespace

TableSet shipped_tables(const std::string& gpu, const std::string& framework) {
  const auto spec = find_device(gpu);
  if (!spec) throw BadInput("unknown GPU '" + gpu + "'; known: " + suggested_devices(gpu));
  const std::vector<TableFile> files = files_for(*spec);
  if (files.empty())
    throw BadInput("no table ships for " + spec->name +
                   "; run calibrate on it, make one of its datasheet with calibrate transfer, or "
                   "take one of " +
                   joined(gpus_with_tables()));
  std::vector<std::future<NamedTable>> loading;
  loading.reserve(files.size());
  for (const TableFile& file : files)
    loading.push_back(std::async(std::launch::async, [&file, &spec] { return load(file, *spec); }));
  std::vector<NamedTable> tables;
  tables.reserve(files.size());
  for (auto& l : loading) tables.push_back(l.get());
  return {std::move(tables), framework};
}

std::vector<std::string> gpus_with_tables() {
  std::vector<std::string> names;
  for (const DeviceSpec& spec : device_specs())
    if (!files_for(spec).empty()) names.push_back(spec.name);
  return names;
}

}  // namespace ridge
