#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "simulator/workload/random.h"

namespace ridge::sim {

enum class LengthKind { kFixed, kUniform, kLognormal, kZipf };

// How many tokens prompts or answers have. Drawn ones are held within [low, high].
struct Lengths {
  LengthKind kind = LengthKind::kFixed;
  double mean = 512;  // fixed: the length; lognormal: its mean before it is held within the bounds
  double variation = 1;  // lognormal: deviation / mean
  double exponent = 1;   // zipf: a length's probability falls as (length − low + 1)^−exponent
  int64_t low = 1, high = 1 << 20;
};

// Throws BadInput that names `what` ("workload.input") for lengths below 1, bounds in the wrong
// order and parameters that make no distribution.
void check(const Lengths& l, const std::string& what);

class LengthSampler {
 public:
  explicit LengthSampler(const Lengths& l);
  int64_t next(Random& random) const;

 private:
  Lengths lengths_;
  double mu_ = 0, sigma_ = 0;
  std::vector<double> cumulative_;  // of zipf
};

}  // namespace ridge::sim
