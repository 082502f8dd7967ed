#include "calibrate/transfer_law.h"

#include <algorithm>
#include <cmath>

#include "calibrate/curve_parts.h"
#include "calibrate/physics_features.h"
#include "roofline/call_ideal.h"

namespace ridge {
namespace {

double value_or(const Ceilings& c, const std::string& key, double otherwise) {
  const auto it = c.values.find(key);
  return it == c.values.end() ? otherwise : it->second.value;
}

double major(const TransferGpu& gpu) {
  return std::floor(std::strtod(gpu.device.compute_capability.c_str(), nullptr));
}

double log_ratio(double a, double b) { return a > 0 && b > 0 ? std::log(a / b) : 0; }

double bytes_of(const OpSpec& spec, const Call& call) {
  const Work work = spec.work(call);
  return work.bytes_read + work.bytes_written;
}

double cache_of(const TransferGpu& gpu) {
  return static_cast<double>(std::max<int64_t>(1, gpu.device.last_level_cache_bytes));
}

double compute_s(const OpSpec& spec, const TransferGpu& gpu, const Call& call) {
  const Work work = spec.work(call);
  const double peak = value_or(gpu.ceilings, ceiling_name(work.pipe, work.arithmetic), 0);
  return peak > 0 ? work.flops / peak : 0;
}

}  // namespace

bool same_generation(const TransferGpu& a, const TransferGpu& b) { return major(a) == major(b); }

double distance(const TransferGpu& a, const TransferGpu& b, const std::string& pipe) {
  const auto ratio = [&](const std::string& key) {
    return log_ratio(value_or(a.ceilings, key, 0), value_or(b.ceilings, key, 0));
  };
  const double apart =
      std::hypot(ratio(pipe), ratio("dram.read"), log_ratio(a.device.clock_hz, b.device.clock_hz));
  return std::hypot(apart, same_generation(a, b) ? 0 : 0.5);
}

std::string pipe_of(const OpSpec& spec, Dtype dtype) {
  const Work work = any_work(spec, dtype);
  return ceiling_name(work.pipe, work.arithmetic);
}

double clock_ratio(const TransferGpu& from, const TransferGpu& to) {
  constexpr double kPower = 0.8;
  return std::exp(kPower * log_ratio(from.device.clock_hz, to.device.clock_hz));
}

double smallest_s(const std::vector<Sample>& samples) {
  constexpr double kMost = 30e-6;  // no launch takes longer: what does is work
  std::vector<double> times;
  for (const Sample& s : samples) times.push_back(s.median_s);
  return std::min(quantile(times, 0.02), kMost);
}

TransferLaw::TransferLaw(const OpSpec& spec, const std::vector<const TransferSource*>& sources)
    : spec_(&spec) {
  constexpr std::size_t kEnough = 50;
  std::vector<double> shares;
  for (const TransferSource* source : sources) {
    if (!source->gpu.ceilings.levels.empty()) continue;
    for (const Sample& s : source->samples)
      if (s.bound == Bound::kDram && s.delay_factor < 0.9)
        shares.push_back(bytes_of(spec, s.call) / cache_of(source->gpu));
  }
  if (shares.size() >= kEnough) cached_share_ = quantile(shares, 0.9);
}

double TransferLaw::ceiling_s(const TransferGpu& gpu, const Call& call) const {
  const Ideal best = ideal_of(gpu.ceilings, *spec_, call,
                              table_working_set(*spec_, call, gpu.device), gpu.device.units);
  if (best.bound != Bound::kDram || cached_share_ <= 0 || !gpu.ceilings.levels.empty())
    return best.seconds;
  // A soft edge: caches do not end at one size.
  const double share = bytes_of(*spec_, call) / cache_of(gpu) / cached_share_;
  const double cached = 1 / (1 + std::pow(share, 4));
  constexpr double kTypical = 3;  // L2 over DRAM, where nobody measured it
  const double dram = value_or(gpu.ceilings, "dram.read", 1);
  const double faster = std::max(1.0, value_or(gpu.ceilings, "l2.read", kTypical * dram) / dram);
  return std::max(best.seconds * (cached / faster + 1 - cached), compute_s(*spec_, gpu, call));
}

double TransferLaw::seconds(const TransferSource& from, const Sample& sample, double fixed_s,
                            const TransferGpu& to) const {
  // Up to so many times its ceiling a call's time still goes with it. Arithmetic is further from
  // its peak, for reasons that lie in the same units.
  constexpr double kMemory = 1.2, kArithmetic = 3;
  const double ceiling = ceiling_s(from.gpu, sample.call);
  const double fixed = std::min(fixed_s, 0.9 * sample.median_s);
  const double beyond = sample.median_s - fixed;
  const double explained = std::min(
      beyond, std::max(kMemory * ceiling, kArithmetic * compute_s(*spec_, from.gpu, sample.call)));
  // Latencies of many blocks are partly hidden by more units.
  constexpr double kUnits = 0.6;
  const double units = std::exp(kUnits * log_ratio(from.gpu.device.units, to.device.units));
  return explained * ceiling_s(to, sample.call) / ceiling +
         clock_ratio(from.gpu, to) * (fixed + (beyond - explained) * units);
}

}  // namespace ridge
