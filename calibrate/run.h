#pragma once
#include <filesystem>
#include <optional>
#include <string>

#include "calibrate/planner.h"
#include "kernels/core/backend.h"
#include "profilers/sampler.h"

namespace ridge {

struct CalibrationOptions {
  std::filesystem::path folder;  // gets measurements.jsonl, ceilings.json, delay_factors.json
  double budget_s = 180;         // wall time of ceilings, sweep and table
  double target_error = 0;       // stop once every curve is known to err by less; 0: never
  bool resume = false;
  std::vector<std::string> only;  // operators; empty: all
  uint64_t seed = 1;
  std::map<std::string, std::string> provenance;  // beside the device's: command line, revision
  // Rate checks: the least time the datasheet allows; empty where the device is in no datasheet.
  std::function<double(const Work&)> fastest_possible_s;
};

// Operator -> dtype -> why it cannot be measured on this device.
using NotHere = std::map<std::string, std::map<std::string, std::string>>;

// What a run leaves behind, for the summary.
struct CalibrationResult {
  Ceilings ceilings;
  std::vector<Measurement> measurements;  // of this folder: earlier ones and new
  NotHere not_here;
  std::vector<std::string> notices;
  double spent_s = 0;
  bool interrupted = false;
};

// Ceilings, then the planned sweep until the budget is spent. Every measurement is on disk before
// the next is taken; after a kill, `resume` goes on where it stopped. SIGINT and SIGTERM end it
// after the measurement in hand.
CalibrationResult run_calibration(Backend& backend, const CalibrationOptions& options);

// The groups that run on this backend: every operator (or those in `only`), dtype, implementation.
std::vector<Group> groups_of(const Backend& backend, const Ceilings& ceilings,
                             const PlanLimits& limits, const std::vector<std::string>& only,
                             NotHere* skipped);

// Calls longer than this are outside the domain of a table made within `budget_s`.
PlanLimits limits_of(const Backend& backend, double budget_s);

}  // namespace ridge
