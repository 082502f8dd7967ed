#pragma once
#include <cstdint>

namespace ridge::sim {

// Natural logarithm of x > 0 and e^x, from additions, products and divisions alone: libraries
// differ in the last bit, and one bit is enough for another schedule. Within 1e-15 of the truth.
double portable_log(double x);
double portable_exp(double x);

// xoshiro256** of Blackman and Vigna (public domain), seeded by SplitMix64: the same numbers from
// the same seed on every machine.
class Random {
 public:
  explicit Random(uint64_t seed);

  uint64_t bits();
  double uniform();                            // in [0, 1)
  int64_t between(int64_t low, int64_t high);  // both included
  double exponential(double mean);
  double normal();  // mean 0, deviation 1; the polar method of Marsaglia
  // Of mean `shape`: Marsaglia and Tsang, ACM TOMS 26 (2000).
  double gamma(double shape);

 private:
  uint64_t state_[4];
};

}  // namespace ridge::sim
