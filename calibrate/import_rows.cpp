#include "calibrate/import_rows.h"

#include <filesystem>

#include "calibrate/csv_calls.h"
#include "kernels/core/error.h"

namespace ridge {
namespace {

constexpr std::size_t kShown = 5;  // rejections that a file's record keeps in words

// Why the row is of another device, or "".
std::string of_another(const DeviceSpec& device, const std::string& gpu) {
  if (gpu.empty() || is_called(device, gpu)) return {};
  return "column 'gpu': '" + gpu + "' is not " + device.name + "; import it as a table of its own";
}

bool asked_for(const ImportOptions& options, const CsvCall& row) {
  const bool framework =
      options.framework.empty() || row.framework.empty() || row.framework == options.framework;
  return framework && (!options.dtype || *options.dtype == row.call.dtype);
}

}  // namespace

void add_rows(const std::string& text, const std::string& path, const ImportOptions& options,
              ImportedRows& all) {
  const std::string name = std::filesystem::path(path).filename().string();
  const Csv csv = parse_csv(text, path);
  const CallReader reader(csv, name);
  if (!reader.has_latency())
    throw BadInput(path +
                   ": line 1: column 'latency_us' is missing; add it (or latency_ms, "
                   "latency_s, time_us, time_ms, time_s)");
  ImportedFile file{.name = name, .rows = csv.rows.size(), .rejections = {}};
  const auto reject = [&](const std::string& why) {
    if (file.rejected++ < kShown) file.rejections.push_back(why);
  };
  for (std::size_t i = 0; i < csv.rows.size(); ++i) {
    const std::string at = name + ": line " + std::to_string(csv.lines[i]) + ": ";
    try {
      CsvCall row = reader.read(i);
      if (!asked_for(options, row)) {
        ++file.filtered;
      } else if (const std::string why = of_another(options.device, reader.cell(i, "gpu"));
                 !why.empty()) {
        reject(at + why);
      } else if (!row.latency_s) {
        reject(at + "has no time; fill in its latency_us");
      } else {
        if (row.framework.empty()) row.framework = options.framework;
        row.call.implementation = implementation_of(row);
        if (row.call.implementation.empty()) row.call.implementation = "imported";
        all.rows.push_back({.call = std::move(row.call), .latency_s = *row.latency_s});
        for (const char* column :
             {"source", "framework", "version", "repository", "licence", "remark"})
          if (const std::string said = reader.cell(i, column); !said.empty())
            all.said[column].insert(said);
        ++file.taken;
      }
    } catch (const BadInput& e) {
      reject(e.what());
    }
  }
  all.files.push_back(std::move(file));
}

}  // namespace ridge
