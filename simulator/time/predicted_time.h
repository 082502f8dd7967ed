#pragma once
#include <unordered_map>
#include <vector>

#include "simulator/time/components.h"
#include "simulator/time/grid.h"
#include "simulator/time/step_time.h"

namespace ridge::sim {

// Step times from predictor. What predict_step() sums over a step's kernels is split into groups
// (components.h), and each group is asked of the tables once for every point of a grid that it
// comes near, and taken as lines between them: new tokens and samples at 32 points an octave,
// decodes at 16, contexts at 8, parts of prompts at 8. Decoding sequences of several contexts count
// as so many of their mean one: attention's time is nearly a line in the context.
//
//   step = stages(Σ groups) + host
//   host = per_step + per_sequence · sequences + per_cached_token · cached tokens of decodes
//          + tensor_step (several GPUs), of the engine profile's decode
//
// A profile's prefill cost is what a whole static batch adds before its first token, its start
// among it; a server's steps all have the cost of a decode step.
//
// With p pipeline stages a step goes through them as m = min(p, sequences or 256-token parts) equal
// micro-batches and takes max(Σ stages, m · slowest stage), so that in a steady state all stages
// work: predict_step()'s rule for decode, here for mixed steps, too.
class PredictedTime final : public StepTime {
 public:
  // Throws BadInput as lower() does, now and not in the run: for a parallelism that does not divide
  // the model, a dtype that nothing runs in. `tables` must outlive it.
  PredictedTime(const TableSet& tables, Deployment d);

  StepCost cost(const StepLoad& load) override;

  // Every step takes so many times what is predicted: for bands of a run.
  void scale(double factor) { factor_ = factor; }
  const Deployment& deployment() const { return deployment_; }
  // Points that were asked of the tables.
  std::size_t asked() const { return asked_; }

 private:
  struct Axis {
    Grid grid;
    int64_t most;  // the largest value that may be asked
  };
  // A lazily filled line: costs of the points of a grid.
  using Line = std::vector<StageCosts>;

  template <class Ask>
  const StageCosts& point(Line& line, int64_t index, const Ask& ask);
  template <class Ask>
  void add(Line& line, const Axis& axis, double x, double weight, const Ask& ask);
  void add_decodes(double sequences, double context, double weight);
  void add_prefill(int64_t prompts, const PrefillPart& part, double weight);
  double host_s(const StepLoad& load) const;

  const TableSet& tables_;
  Deployment deployment_;
  ComponentPricer pricer_;
  EngineTimes times_;
  double factor_ = 1;
  int64_t longest_;  // context
  std::size_t asked_ = 0;
  StageCosts sum_;
  Line body_, head_;
  std::vector<Line> decodes_;                   // by the index of sequences
  std::unordered_map<int64_t, Line> prefills_;  // by the indices of prompts and of past
};

}  // namespace ridge::sim
