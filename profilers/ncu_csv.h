#pragma once
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace ridge {

// One kernel that Nsight Compute profiled; metrics that it could not read are left out.
struct KernelCounters {
  std::string kernel;
  std::map<std::string, double> metrics;  // by Nsight Compute's names
};

// The raw page of `ncu --csv --page raw`: a line of column names, a line of units, then a line for
// each kernel, between what ncu ("==PROF== …") and the program under it wrote. Without such a page
// there are no kernels. The command line and its pages: https://docs.nvidia.com/nsight-compute/
// NsightComputeCli (5.3.3 Output Pages, 5.3.6 Metrics and Units).
std::vector<KernelCounters> parse_ncu_csv(const std::string& text);

// The mean of the first of `metrics` that every kernel has, weighted by their durations; nothing
// where there is no such metric, or where several kernels lack a duration.
std::optional<double> mean_over_time(const std::vector<KernelCounters>& kernels,
                                     const std::vector<std::string>& metrics);
inline constexpr const char* kNcuDuration = "gpu__time_duration.sum";

// Why nothing was counted: what ncu or the program under it says of an error, in one line and with
// what to do where that is known.
struct NcuError {
  std::string why;
  bool for_every_call = false;  // another call would fail in the same way
};
NcuError ncu_error(const std::string& everything_written);

}  // namespace ridge
