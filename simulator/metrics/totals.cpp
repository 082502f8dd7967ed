#include "simulator/metrics/totals.h"

namespace ridge::sim {

void Series::add(const Sample& s) {
  samples_.push_back(s);
  if (samples_.size() >= kMost) {
    std::size_t kept = 0;
    for (std::size_t i = 0; i < samples_.size(); i += 2) samples_[kept++] = samples_[i];
    samples_.resize(kept);
    step_s_ *= 2;
  }
  next_s_ = s.time_s + step_s_;
}

}  // namespace ridge::sim
