#pragma once
#include <vector>

#include "calibrate/table.h"
#include "kernels/core/op_spec.h"

namespace ridge {

// What is known of a GPU without measuring a kernel on it.
struct TransferGpu {
  DeviceInfo device;
  Ceilings ceilings;
};

// What one GPU was measured to take for calls of one operator, dtype and implementation.
struct TransferSource {
  TransferGpu gpu;
  std::vector<Sample> samples;
};

// How unlike two GPUs are: 0 for the same ceilings, clock and generation, about 1 from one
// generation to the next. `pipe` is the arithmetic ceiling that counts ("matrix.bf16").
double distance(const TransferGpu& a, const TransferGpu& b, const std::string& pipe);
bool same_generation(const TransferGpu& a, const TransferGpu& b);

// The arithmetic ceiling that calls of an operator and dtype are held to.
std::string pipe_of(const OpSpec& spec, Dtype dtype);

// Seconds on `to` for what only the clock sets on `from`: launches, latencies. Less than in inverse
// proportion, since memory has a clock of its own.
double clock_ratio(const TransferGpu& from, const TransferGpu& to);

// What the smallest calls of a source take: no ideal time is in it.
double smallest_s(const std::vector<Sample>& samples);

// How one call's time on a source becomes its time on another GPU: the part that a ceiling
// explains goes with the ceilings, all else with the clock.
class TransferLaw {
 public:
  // Learns from the sources up to what size calls are served from the last-level cache.
  TransferLaw(const OpSpec& spec, const std::vector<const TransferSource*>& sources);

  double seconds(const TransferSource& from, const Sample& sample, double fixed_s,
                 const TransferGpu& to) const;

 private:
  // With operands from the cache that holds them, where the ceilings know DRAM only.
  double ceiling_s(const TransferGpu& gpu, const Call& call) const;

  const OpSpec* spec_;
  double cached_share_ = 0;  // of the last-level cache: operands up to this are found in it
};

}  // namespace ridge
