#include "programs/speed_table.h"

#include <fmt/format.h>

#include "calibrate/run.h"
#include "kernels/core/error.h"
#include "programs/cli.h"
#include "roofline/datasheet.h"

namespace ridge {

SpeedTable speed_table(Backend& backend, const SpeedTableOptions& options,
                       const std::filesystem::path& folder,
                       const std::map<std::string, std::string>& origin) {
  const DeviceInfo& device = backend.device();
  if (!options.path.empty()) {
    SpeedTable t{load_table(options.path), options.path};
    if (t.table.device.name != device.name)
      throw BadInput(fmt::format("--table {}: is of {}, this is {}", options.path,
                                 t.table.device.name, device.name));
    return t;
  }
  CalibrationOptions run{
      .folder = folder / "calibration",
      .budget_s = device.kind == "cpu" ? 120.0 : 300.0,
      .only = {"gemm", "attention_prefill", "attention_decode", "rmsnorm", "add_rmsnorm", "rope",
               "kv_cache_write", "silu_mul", "embedding", "argmax"},
      .provenance = origin,
      .fastest_possible_s = datasheet_limit(device)};
  if (options.weights == WeightFormat::kInt8)
    run.only.insert(run.only.end(), {"quantise_rows", "dequantise"});
  if (!options.budget.empty())
    run.budget_s = parse_duration("--calibration-budget", options.budget);
  const CalibrationResult result = run_calibration(backend, run);
  if (result.interrupted) throw std::runtime_error("stopped while calibrating");
  std::map<std::string, std::string> provenance = device.provenance;
  provenance.insert(origin.begin(), origin.end());
  SpeedTable t{make_table(device, result.ceilings, result.measurements, provenance),
               (run.folder / "delay_factors.json").string()};
  save_table(t.table, t.path);
  return t;
}

}  // namespace ridge
