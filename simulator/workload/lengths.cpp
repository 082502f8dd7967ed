#include "simulator/workload/lengths.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "kernels/core/error.h"

namespace ridge::sim {
namespace {

constexpr int64_t kMostZipf = 1 << 20;  // lengths that are told apart

}  // namespace

void check(const Lengths& l, const std::string& what) {
  const auto fail = [&](const std::string& why) { throw BadInput(what + ": " + why); };
  if (l.kind == LengthKind::kFixed || l.kind == LengthKind::kLognormal)
    if (!(l.mean >= 1) || l.mean > 1e9)
      fail(fmt::format("{} tokens; a request needs at least 1 (and at most 10^9)", l.mean));
  if (l.low < 1 || l.high < l.low)
    fail(fmt::format("low={} and high={}: want 1 <= low <= high", l.low, l.high));
  if (l.kind == LengthKind::kLognormal && (!(l.variation >= 0) || l.variation > 100))
    fail(fmt::format("variation={} must be in [0, 100]: deviation / mean", l.variation));
  if (l.kind == LengthKind::kZipf && (!(l.exponent >= 0) || l.exponent > 20))
    fail(fmt::format("exponent={} must be in [0, 20]", l.exponent));
  if (l.kind == LengthKind::kZipf && l.high - l.low >= kMostZipf)
    fail(fmt::format("zipf of {} lengths: at most {}; set low and high", l.high - l.low + 1,
                     kMostZipf));
}

LengthSampler::LengthSampler(const Lengths& l) : lengths_(l) {
  if (l.kind == LengthKind::kLognormal) {
    const double variance = portable_log(1 + l.variation * l.variation);
    sigma_ = std::sqrt(variance);
    mu_ = portable_log(l.mean) - variance / 2;
  }
  if (l.kind == LengthKind::kZipf) {
    double sum = 0;
    for (int64_t rank = 1; rank <= l.high - l.low + 1; ++rank)
      cumulative_.push_back(sum +=
                            portable_exp(-l.exponent * portable_log(static_cast<double>(rank))));
  }
}

int64_t LengthSampler::next(Random& random) const {
  const Lengths& l = lengths_;
  switch (l.kind) {
    case LengthKind::kUniform:
      return random.between(l.low, l.high);
    case LengthKind::kLognormal: {
      const double x = std::floor(portable_exp(mu_ + sigma_ * random.normal()) + 0.5);
      return static_cast<int64_t>(
          std::clamp(x, static_cast<double>(l.low), static_cast<double>(l.high)));
    }
    case LengthKind::kZipf: {
      const double at = random.uniform() * cumulative_.back();
      return l.low +
             (std::upper_bound(cumulative_.begin(), cumulative_.end(), at) - cumulative_.begin());
    }
    case LengthKind::kFixed:
      break;
  }
  return static_cast<int64_t>(std::floor(l.mean + 0.5));
}

}  // namespace ridge::sim
