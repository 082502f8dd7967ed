#pragma once
#include <cstdint>
#include <vector>

namespace ridge::sim {

// Weighted times in bins 0.8 % wide: 128 to an octave, from 2^-30 s to 2^20 s. Quantiles are the
// middle of their bin, so within 0.4 %; mean, least and most are exact.
class Histogram {
 public:
  void add(double seconds, int64_t weight = 1);
  void add(const Histogram& other);

  int64_t count() const { return count_; }
  double mean() const { return count_ > 0 ? sum_ / static_cast<double>(count_) : 0; }
  double most() const { return most_; }
  double quantile(double q) const;  // of what was added; 0 of nothing

 private:
  std::vector<int64_t> bins_;
  int64_t count_ = 0;
  double sum_ = 0, least_ = 0, most_ = 0;
};

}  // namespace ridge::sim
