#pragma once
#include <optional>
#include <string>
#include <vector>

#include "profilers/ncu_csv.h"

namespace ridge {

// How busy the units of a GPU were during one call, from its hardware counters, in percent;
// weighted by duration where the call is several kernels.
struct CallCounters {
  std::optional<double> tensor_pipe_pct;          // of the cycles in which the multiprocessors work
  std::optional<double> tensor_pipe_elapsed_pct;  // of all cycles
  std::optional<double> dram_pct, l2_pct;         // of peak throughput, over all cycles
  std::size_t kernels = 0;
};

// Nsight Compute's command on PATH, or "".
std::string find_ncu();

// The range (NVTX, pushed and popped) whose kernels are counted.
inline constexpr const char* kCountedRange = "ridge_counted";

// Names of Nsight Compute's metrics of the tensor pipe for a device of compute capability `sm`
// (75 … 90), the first that it has being the one to use; `of` is "active" or "elapsed".
std::vector<std::string> tensor_metrics(int sm, const std::string& of);

// The command line that counts what `program` runs in kCountedRange.
std::vector<std::string> ncu_command(const std::string& ncu, int sm,
                                     const std::vector<std::string>& program);

// Runs it and reads what it says. Where nothing was counted, `error` says why.
CallCounters count_under_ncu(const std::string& ncu, int sm,
                             const std::vector<std::string>& program, NcuError* error);

}  // namespace ridge
