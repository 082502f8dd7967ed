#include "programs/calibrate_transfer.h"

#include <fmt/format.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "calibrate/transfer.h"
#include "kernels/core/error.h"
#include "kernels/core/json_file.h"
#include "roofline/datasheet.h"

namespace ridge {
namespace {

namespace fs = std::filesystem;

// Measured ceilings tell neither cache nor clock: these are the datasheet's.
TransferGpu with_measured_ceilings(const std::string& file) {
  Ceilings ceilings = load_ceilings(file);
  const auto spec = find_device(ceilings.device);
  if (!spec)
    throw BadInput(file + ": key 'device' is '" + ceilings.device +
                   "', of which there is no datasheet; give its description instead, a file like "
                   "roofline/devices/*.json");
  DeviceInfo device = device_info(*spec);
  device.name = ceilings.device;
  return {std::move(device), std::move(ceilings)};
}

TransferGpu gpu_of(const std::string& to) {
  if (const auto known = find_device(to)) return {device_info(*known), datasheet_ceilings(*known)};
  if (!fs::exists(to))
    throw BadInput("--to " + to +
                   ": no such datasheet and no such file; give a device's description, its "
                   "ceilings.json, or one of " +
                   suggested_devices(to));
  if (read_json(to).contains("values")) return with_measured_ceilings(to);
  const DeviceSpec spec = read_device_spec(to);
  return {device_info(spec), datasheet_ceilings(spec)};
}

}  // namespace

CLI::App* TransferCommand::add_to(CLI::App& app) {
  CLI::App* sub = app.add_subcommand(
      "transfer", "make a table for a GPU that was never measured, from tables of others");
  sub->add_option("--from", from, "tables of measured GPUs")->required();
  sub->add_option("--to", to,
                  "the GPU: its datasheet's name, a file like roofline/devices/*.json, or its "
                  "ceilings.json")
      ->required();
  sub->add_option("--out", out, "the table: a file .json, or a folder")->required();
  sub->add_flag("--json", json, "print the table as JSON instead of the summary");
  return sub;
}

int TransferCommand::run(const std::map<std::string, std::string>& origin) const {
  const TransferGpu gpu = gpu_of(to);
  std::vector<NamedTable> sources;
  for (const std::string& file : from) sources.push_back({file, load_table(file)});
  const DelayTable table = transfer_table(sources, gpu, origin);
  const fs::path path =
      fs::path(out).extension() == ".json" ? fs::path(out) : fs::path(out) / "delay_factors.json";
  if (path.has_parent_path()) fs::create_directories(path.parent_path());
  save_table(table, path);
  if (json)
    fmt::print("{}\n", table_to_json(table).dump());
  else
    fmt::print("{}\ntable: {}\n", transfer_summary(table), path.string());
  return 0;
}

}  // namespace ridge
