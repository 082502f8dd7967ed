#pragma once
#include <span>
#include <vector>

#include "predictor/request/request.h"

namespace ridge {

enum class PhaseKind { kPrefill, kDecode };

// Times of several steps, lowered together and asked of the tables at once: what they share (in
// decode all but attention) is asked once.
class PricedSteps {
 public:
  // Throws BadInput as lower() does.
  PricedSteps(const TableSet& tables, const Deployment& d, PhaseKind kind,
              std::span<const Step> steps);

  // One step with the host's cost, pipeline stages one after the other. With p stages a batch goes
  // through them as m micro-batches of ceil(sequences / p) each, so that
  //   a prefill takes Σ stages + (m − 1) · slowest stage,
  //   a decode step max(Σ stages, m · slowest stage): the next starts when its own token is there.
  double seconds(std::size_t step) const;

  // The weighted sum of steps as one phase. The interval of each role's kernels is taken as one
  // error; those of different roles as correlated by kRoleCorrelation.
  Phase phase(std::span<const double> weights) const;

 private:
  struct Entry {
    std::size_t priced;
    double count;
    Role role;
  };
  struct Stage {
    std::vector<Entry> kernels;
    double seconds = 0;
    double weight = 1;  // in the step's time
  };
  struct OneStep {
    std::vector<Stage> stages;
    double micro_batches = 1;  // one after the other
    double of_work = 1;        // the step's tokens in those of a micro-batch
    double host_s = 0;
  };
  void weigh(OneStep& s, PhaseKind kind) const;
  double matrix_peak(Dtype dtype) const;

  const TableSet* tables_;
  const Deployment* deployment_;
  std::vector<Kernel> kernels_;  // different ones
  std::vector<Work> works_;      // theirs
  std::vector<Prediction> predictions_;
  std::vector<OneStep> steps_;
};

// A model whose weights are more than so many times the last cache finds none of them there when a
// pass comes back to them; then no product is faster than its weights come from DRAM.
inline constexpr double kCachesBeyond = 4;

// Of the errors of two roles on one GPU: half of what a table is off by is common to all of it
// (clocks, how it was timed), half is each curve's own.
inline constexpr double kRoleCorrelation = 0.5;

}  // namespace ridge
