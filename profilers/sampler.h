#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "profilers/arena.h"
#include "profilers/measurement.h"

namespace ridge {

// Whether a call finds its operands in the caches that hold them.
enum class Residency {
  kRotating,  // no: fresh ones each time, over 4 × the last-level cache, as in a model
  kResident,  // yes: the same ones again and again, as in a probe of a cache
};

// Operand sets that a rotating call goes over at most.
inline constexpr double kMostOperandSets = 2048;

struct SamplerOptions {
  std::optional<Method> method;  // default: the backend's table method
  double relative_ci = 0.01;     // stop when the median is known this well …
  double time_budget_s = 0.1;    // … or when this much time went into timing one call
  double min_batch_s = 200e-6;   // a batch lasts at least this (event resolution is 0.5 µs)
  int min_samples = 7;
  int max_samples = 100;
  double verify_budget_s = 0.02;  // time for the reference; at least a few elements are checked
  Residency residency = Residency::kRotating;
  Contents contents = Contents::kRandom;  // fixed when the sampler is made
  uint64_t seed = 1;
  std::string run_id;
  // The least time physics allows (datasheet peak), 0 where unknown. Faster is an error.
  std::function<double(const Work&)> fastest_possible_s;
};

// What tables are measured with. A CPU shares its memory and often its cores with others, whose
// disturbance comes in bursts far longer than a call: many short looks tell more there than few
// long ones.
SamplerOptions table_sampling(const Backend& backend, uint64_t seed);

// How a time is measured: verify, rotate over fresh operands that span 4 × the last-level cache,
// warm up, then time batches until the median is known well enough. Never throws for a call that
// cannot run: the measurement says skipped or wrong, and why. Throws DeviceLost.
class Sampler {
 public:
  Sampler(Backend& backend, SamplerOptions options);
  // By the backend's table method where none is named.
  Measurement measure(const Call& call, std::optional<Method> method = std::nullopt);
  SamplerOptions& options() { return options_; }

 private:
  double estimate(Launch& launch, double run_s);  // seconds of one launch, roughly
  void time_launches(std::span<Launch* const> rotation, double each, Measurement& m);
  void check_and_time(const OpSpec& spec, Measurement& m);

  Backend& backend_;
  SamplerOptions options_;
  Arena arena_;
};

}  // namespace ridge
