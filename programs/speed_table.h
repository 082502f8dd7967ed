#pragma once
#include <filesystem>
#include <map>
#include <string>

#include "calibrate/table.h"
#include "predictor/lowering/lower.h"

namespace ridge {

struct SpeedTableOptions {
  std::string path;    // of a table of this machine; empty: one is measured
  std::string budget;  // to measure it
  WeightFormat weights = WeightFormat::kNative;  // whose operators are to be in it
};

struct SpeedTable {
  DelayTable table;
  std::string path;
};

// A table to predict a decoder with. One that is measured has the decoder's operators only and goes
// to `folder`/calibration. Throws BadInput for a table of another device.
SpeedTable speed_table(Backend& backend, const SpeedTableOptions& options,
                       const std::filesystem::path& folder,
                       const std::map<std::string, std::string>& origin);

}  // namespace ridge
