#pragma once
#include <map>
#include <optional>
#include <random>
#include <vector>

#include "calibrate/gp_design.h"
#include "calibrate/physics_features.h"
#include "calibrate/table.h"

namespace ridge {

// Decides which calls of a pool, all of one operator, dtype and implementation, are worth being
// measured: first a few far from each other, then those that lower the variance of the delay
// model most over the whole pool, per second of measuring. The pool is as dense as the calls that
// will be predicted, so that is where the error falls. Every kControlEvery-th is drawn at random: a
// control, by which the error is told (kControl). Knows only the latencies that it was told.
class Chooser {
 public:
  static constexpr std::size_t kSeeds = 32, kControlEvery = 4;

  Chooser(const OpSpec& spec, std::vector<Call> pool, const DeviceInfo& device,
          const Ceilings& ceilings, double launch_s, uint64_t seed);

  const std::vector<Call>& pool() const { return pool_; }
  struct Choice {
    std::size_t place = 0;  // in the pool
    bool control = false;
  };
  // Never a place that was given before; nothing when there are no more.
  std::optional<Choice> next();
  // `measured` is nothing where that failed. A call from outside of the pool is learned from too.
  void report(const Call& call, const std::optional<Sample>& measured, double cost_s);

  std::size_t measured() const { return samples_.size(); }
  // Mean |predicted / measured − 1| in cross-validation when last fitted; 1 while unknown.
  double error() const { return error_; }

 private:
  std::size_t farthest_of_a_few();
  std::size_t most_telling();
  void note_distances(const std::vector<float>& x);
  void refit();
  bool is_left(std::size_t place) const;

  PhysicsFeatures features_;
  std::vector<Call> pool_;
  std::map<std::vector<int64_t>, std::size_t> place_;
  std::vector<float> x_;                   // features of the pool, row by row
  std::vector<double> ideal_s_, nearest_;  // squared distance to what was measured, while seeding
  std::vector<std::size_t> left_;          // places not given yet
  std::vector<double> scale_;              // of each feature over the pool

  std::vector<Sample> samples_;
  double cost_s_ = 0, launch_s_ = 0, error_ = 1;
  std::size_t refit_at_ = kSeeds, given_ = 0;
  std::optional<GpDesign> design_;
  std::vector<std::size_t> candidates_;  // of the design: places
  std::vector<double> candidate_cost_;
  std::mt19937_64 rng_;
};

}  // namespace ridge
