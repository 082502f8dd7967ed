#pragma once
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "simulator/config/scenario.h"

namespace ridge::sim {

// A grid over keys of a config: every combination of the values, the last key's varying fastest.
struct SweepAxis {
  std::string key;                  // "workload.arrivals.rate_per_s"
  std::vector<std::string> values;  // as text: JSON, or a plain word
};

// "gpu=l40s,h100". Throws BadInput.
SweepAxis parse_axis(const std::string& text);

struct SweepJob {
  nlohmann::json base;  // a config
  std::vector<SweepAxis> axes;
  std::string folder = ".";  // that paths in it are relative to
  std::string out;           // JSON lines, one a point, appended as they are done
  int threads = 0;           // 0: all cores
};

// Runs every point that is not in `out` yet; a line holds {"point", "config", "summary"} or, for
// one that cannot run, {"point", "config", "error"}. A sweep that was interrupted goes on where it
// was; a line that was cut off is run again. `tell` gets points done and all. Throws BadInput where
// there are no points or more than kMostPoints.
void sweep(const SweepJob& job, const std::function<void(std::size_t, std::size_t)>& tell = {});
inline constexpr std::size_t kMostPoints = 100'000;

// Those of a sweep's file that no other beats in both output tokens/s a GPU and TPOT's p50.
std::vector<nlohmann::json> pareto(const std::string& file);

}  // namespace ridge::sim
