#pragma once
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "kernels/core/backend.h"
#include "kernels/core/work.h"
#include "profilers/ncu.h"
#include "roofline/ceilings.h"

namespace ridge {

// profile --counters: how busy a call keeps the tensor pipe and the memory. From hardware counters
// where Nsight Compute is there and may read them: this program is run again under it, once for
// each call. Otherwise from the call's time and the measured ceilings, under other names.
class CountedCalls {
 public:
  // What --counters adds to a call.
  struct Figures {
    std::map<std::string, double> values;
    std::string origin;  // where they are from, in few words; "" where there are none
  };

  // `gpu` as --gpu takes it. Without `given` ceilings those in results/<device> are looked for.
  // Says on standard error, in one line, why there will be no counters.
  CountedCalls(const Backend& backend, std::string gpu, const Ceilings* given);
  // `median_s`: the call's measured time.
  Figures of(const Call& call, double median_s);

 private:
  void give_up(const std::string& why);
  Figures derived(const Work& work, double median_s) const;

  std::string gpu_, ncu_;  // ncu_: "" where there is nothing to count with
  int sm_ = 0;
  std::string ceilings_file_;
  std::optional<Ceilings> ceilings_;
};

// tensor_pipe_pct, tensor_pipe_elapsed_pct, dram_pct, l2_pct: those that were counted.
std::map<std::string, double> counter_values(const CallCounters& counters);

// compute_pct_of_ceiling, dram_pct_of_ceiling: the time that each would need at its ceiling, in
// percent of the call's. What the ceilings lack is left out.
std::map<std::string, double> shares_of_ceilings(const Ceilings& ceilings, const Work& work,
                                                 double median_s);

// What runs under Nsight Compute: the call, once to load its code, and once in kCountedRange.
void run_in_counted_range(Backend& backend, const Call& call);

}  // namespace ridge
