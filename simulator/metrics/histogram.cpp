#include "simulator/metrics/histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace ridge::sim {
namespace {

constexpr int kFirst = -30, kLast = 20, kBits = 7;  // octaves; bins of one: 2^kBits

constexpr uint64_t key(double x) { return std::bit_cast<uint64_t>(x) >> (52 - kBits); }
const uint64_t kOrigin = key(std::ldexp(1.0, kFirst));
const auto kBins = static_cast<std::size_t>((kLast - kFirst) << kBits);

std::size_t bin(double seconds) {
  if (!(seconds > std::ldexp(1.0, kFirst))) return 0;
  return std::min(kBins - 1, static_cast<std::size_t>(key(seconds) - kOrigin));
}

// Where a bin begins.
double start(std::size_t i) {
  return std::bit_cast<double>((kOrigin + static_cast<uint64_t>(i)) << (52 - kBits));
}

}  // namespace

void Histogram::add(double seconds, int64_t weight) {
  if (weight <= 0) return;
  if (bins_.empty()) bins_.resize(kBins);
  least_ = count_ == 0 ? seconds : std::min(least_, seconds);
  most_ = std::max(most_, seconds);
  bins_[bin(seconds)] += weight;
  count_ += weight;
  sum_ += seconds * static_cast<double>(weight);
}

void Histogram::add(const Histogram& other) {
  if (other.count_ == 0) return;
  if (bins_.empty()) bins_.resize(kBins);
  for (std::size_t i = 0; i < kBins; ++i) bins_[i] += other.bins_[i];
  least_ = count_ == 0 ? other.least_ : std::min(least_, other.least_);
  most_ = std::max(most_, other.most_);
  count_ += other.count_;
  sum_ += other.sum_;
}

double Histogram::quantile(double q) const {
  if (count_ == 0) return 0;
  const double rank = q * static_cast<double>(count_ - 1);
  double below = 0;
  for (std::size_t i = 0; i < bins_.size(); ++i) {
    below += static_cast<double>(bins_[i]);
    if (below > rank) return std::clamp((start(i) + start(i + 1)) / 2, least_, most_);
  }
  return most_;
}

}  // namespace ridge::sim
