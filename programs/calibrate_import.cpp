#include "programs/calibrate_import.h"

#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "calibrate/import.h"
#include "kernels/core/error.h"
#include "kernels/core/json_file.h"

namespace ridge {
namespace {

namespace fs = std::filesystem;

DeviceSpec device_of(const ImportCommand& c) {
  if (!c.device_file.empty()) return read_device_spec(c.device_file);
  if (c.gpu.empty())
    throw BadInput("--gpu is missing: name the GPU that the latencies were measured on");
  if (auto known = find_device(c.gpu)) return *std::move(known);
  throw BadInput("--gpu " + c.gpu + ": no such datasheet; give --device FILE.json, or one of " +
                 suggested_devices(c.gpu));
}

std::string read_text(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in || fs::is_directory(path)) throw BadInput(path + ": cannot be read; give a CSV file");
  return {std::istreambuf_iterator<char>(in), {}};
}

// A folder gets the file that calibrate writes into one.
fs::path table_path(const std::string& out) {
  const fs::path path = out;
  return path.extension() == ".json" ? path : path / "delay_factors.json";
}

}  // namespace

CLI::App* ImportCommand::add_to(CLI::App& app) {
  CLI::App* sub = app.add_subcommand("import", "make a table from latencies measured elsewhere");
  sub->add_option("--gpu", gpu, "the GPU they were measured on, by its datasheet's name");
  sub->add_option("--device", device_file, "its description, a file like roofline/devices/*.json");
  sub->add_option("--csv", csv, "columns op, dtype, one per axis, latency_us")->required();
  sub->add_option("--framework", framework,
                  "only rows of this framework; names it where the file does not");
  sub->add_option("--dtype", dtype, "only rows of this dtype");
  sub->add_option(
         "--timed", timed,
         "device (default): the kernels alone; host: launch by launch, what the host needs "
         "for one inside")
      ->check(CLI::IsMember({"device", "host"}));
  sub->add_option("--points", points,
                  "at most so many of each operator, dtype and framework, chosen as a sweep would")
      ->check(CLI::Range(std::size_t{1}, std::size_t{1} << 30));
  sub->add_option("--out", out, "the table: a file .json, or a folder")->required();
  sub->add_flag("--json", json, "print the table as JSON instead of the summary");
  return sub;
}

int ImportCommand::run(const std::map<std::string, std::string>& origin) const {
  ImportOptions options{.device = device_of(*this),
                        .framework = framework,
                        .dtype = {},
                        .host_timed = timed == "host",
                        .points = points,
                        .provenance = origin};
  if (!dtype.empty()) options.dtype = parse_dtype(dtype);
  const fs::path path = table_path(out);
  ImportedRows rows;
  for (const std::string& file : csv) add_rows(read_text(file), file, options, rows);
  const DelayTable table = import_table(rows, options);
  if (path.has_parent_path()) fs::create_directories(path.parent_path());
  save_table(table, path);
  if (json)
    fmt::print("{}\n", table_to_json(table).dump());
  else
    fmt::print("{}\ntable: {}\n", import_summary(rows, table), path.string());
  return 0;
}

}  // namespace ridge
