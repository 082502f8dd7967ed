#include "programs/profile_counters.h"

#include <fmt/format.h>

#include <cstdio>
#include <filesystem>

#include "kernels/core/error.h"
#include "kernels/core/operators.h"
#include "profilers/arena.h"
#include "roofline/device_specs.h"

namespace ridge {
namespace {

// "9.0" is 90.
int sm_of(const std::string& compute_capability) {
  int major = 0, minor = 0;
  (void)std::sscanf(compute_capability.c_str(), "%d.%d", &major, &minor);
  return major * 10 + minor;
}

}  // namespace

CountedCalls::CountedCalls(const Backend& backend, std::string gpu, const Ceilings* given)
    : gpu_(std::move(gpu)), sm_(sm_of(backend.device().compute_capability)) {
  if (given) {
    ceilings_ = *given;
    ceilings_file_ = "those of --ceilings";
  } else {
    const auto file =
        std::filesystem::path("results") / device_slug(backend.device()) / "ceilings.json";
    if (std::filesystem::exists(file)) ceilings_ = load_ceilings(file);
    ceilings_file_ = file.string();
  }
  if (backend.device().kind != "cuda") {
    give_up("a CPU's counters are not read");
    return;
  }
  ncu_ = find_ncu();
  if (ncu_.empty()) give_up("ncu (Nsight Compute, part of the CUDA toolkit) is not on PATH");
}

void CountedCalls::give_up(const std::string& why) {
  ncu_.clear();
  if (ceilings_)
    fmt::print(stderr, "note: no hardware counters: {}; shares of measured ceilings ({}) instead\n",
               why, ceilings_file_);
  else
    fmt::print(stderr,
               "note: no hardware counters: {}; no shares of ceilings either: there is no {} (run "
               "calibrate, or give --ceilings)\n",
               why, ceilings_file_);
}

CountedCalls::Figures CountedCalls::of(const Call& call, double median_s) {
  if (!ncu_.empty()) {
    NcuError error;
    const CallCounters counters =
        count_under_ncu(ncu_, sm_,
                        {std::filesystem::read_symlink("/proc/self/exe").string(), "--gpu", gpu_,
                         "--counted-run", "--call", to_string(call)},
                        &error);
    if (error.why.empty())
      return {counter_values(counters),
              fmt::format("hardware counters of {} kernel{}", counters.kernels,
                          counters.kernels == 1 ? "" : "s")};
    if (error.for_every_call)
      give_up(error.why);
    else
      fmt::print(stderr, "note: no hardware counters of {}: {}\n", to_string(call), error.why);
  }
  return derived(find_operator(call.op).work(call), median_s);
}

CountedCalls::Figures CountedCalls::derived(const Work& work, double median_s) const {
  if (!ceilings_) return {};
  Figures f{shares_of_ceilings(*ceilings_, work, median_s), ""};
  if (!f.values.empty()) f.origin = "no counters: shares of ceilings by time";
  return f;
}

std::map<std::string, double> counter_values(const CallCounters& counters) {
  std::map<std::string, double> values;
  const auto add = [&](const char* key, const std::optional<double>& value) {
    if (value) values[key] = *value;
  };
  add("tensor_pipe_pct", counters.tensor_pipe_pct);
  add("tensor_pipe_elapsed_pct", counters.tensor_pipe_elapsed_pct);
  add("dram_pct", counters.dram_pct);
  add("l2_pct", counters.l2_pct);
  return values;
}

std::map<std::string, double> shares_of_ceilings(const Ceilings& ceilings, const Work& work,
                                                 double median_s) {
  std::map<std::string, double> values;
  const auto peak = ceilings.values.find(ceiling_name(work.pipe, work.arithmetic));
  if (work.flops > 0 && peak != ceilings.values.end())
    values["compute_pct_of_ceiling"] = 100 * work.flops / peak->second.value / median_s;
  try {
    values["dram_pct_of_ceiling"] =
        100 * dram_seconds(ceilings, work.bytes_read, work.bytes_written) / median_s;
  } catch (const BadInput&) {
    // These ceilings have no memory in them.
  }
  return values;
}

void run_in_counted_range(Backend& backend, const Call& call) {
  Arena arena(backend, 1);
  const auto sets = arena.operands(find_operator(call.op), call, 1);
  const auto launch = backend.bind(call, sets.front().arguments);
  launch->enqueue();
  backend.synchronize();
  backend.push_range(kCountedRange);
  launch->enqueue();
  backend.synchronize();
  backend.pop_range();
}

}  // namespace ridge
