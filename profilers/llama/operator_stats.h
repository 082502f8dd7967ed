#pragma once
#include <optional>
#include <string>
#include <vector>

#include "profilers/llama/generation.h"
#include "roofline/ceilings.h"

namespace ridge {

enum class PhaseOf { kPrefill, kDecode };
std::string_view name(PhaseOf phase);

// What the launches of one operator in one role took in a phase of a profiled generation.
struct OperatorStats {
  PhaseOf phase = PhaseOf::kPrefill;
  Role role = Role::kNorm;
  std::string op;
  int64_t calls = 0;
  double seconds = 0;  // of all calls
  double flops = 0, bytes = 0;
  // Of measured ceilings; none where the ceilings were not given or have not what the work needs.
  std::optional<double> ideal_s;
  Bound bound = Bound::kDram;  // of most of the ideal time

  double mean_s() const { return calls > 0 ? seconds / static_cast<double>(calls) : 0; }
  // Share of the ceiling that binds it.
  std::optional<double> of_ceiling() const;
};

// The costliest first.
std::vector<OperatorStats> operator_stats(const GenerationTimes& profile,
                                          const std::optional<Ceilings>& ceilings);

// Time of a phase's steps, and the part of it in which no launch ran.
struct PhaseTotals {
  double seconds = 0, launches_s = 0;
  int64_t steps = 0, launches = 0;
  double gap_s() const { return seconds - launches_s; }
};
PhaseTotals totals_of(const std::vector<StepTime>& steps);

// profiler_stats.txt.
std::string stats_text(const std::vector<OperatorStats>& stats, const GenerationTimes& profile);

// A short list, each line with its number: the costliest operators, copies between them, gaps, and
// what fusing would save at most.
std::vector<std::string> findings(const std::vector<OperatorStats>& stats,
                                  const GenerationTimes& profile);

}  // namespace ridge
