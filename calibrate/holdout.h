#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "calibrate/table.h"

namespace ridge {

struct HoldoutOptions {
  int shapes = 50;  // per curve of the table
  uint64_t seed = 1;
  std::vector<std::string> only;  // operators; empty: all
};

// Random shapes inside the table's domain and not among its samples, measured: a CSV with op,
// dtype, implementation, every axis that any operator has, latency_us, p10_us, p90_us. What
// `predict kernels` takes to state the table's error on shapes it never saw.
std::string measure_holdout(Backend& backend, const DelayTable& table,
                            const HoldoutOptions& options);

}  // namespace ridge
