#pragma once
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "kernels/core/backend.h"
#include "profilers/sampler.h"
#include "roofline/ceilings.h"

namespace ridge {

// Told before each measurement: how far along (0 … 1) and what comes.
using OnProgress = std::function<void(double share, const std::string& what)>;

// A call whose rate or time is a candidate for ceilings, and may be a point of a sweep.
struct Probe {
  Call call;
  Method method = Method::kStream;
  Residency residency = Residency::kRotating;
  Contents contents = Contents::kRandom;
  // kClock: steps of one cycle each a second
  enum class Rate { kFlops, kBytes, kSeconds, kClock } rate = Rate::kFlops;
  double per = 1;                 // the value is divided by it: the steps of a chase
  std::vector<std::string> keys;  // of Ceilings::values; the best of their candidates is kept
  std::string sweep;              // key of a Sweep, or ""
  double x = 0;
};

// Measures probes and keeps what each key and each point of a sweep has best: the rate of the
// fastest tenth of a measurement's samples, or its median time. That says what the hardware allows,
// not what it does on average.
class Prober {
 public:
  // `sampling` as tables are measured; its time per call is set by measure().
  Prober(Backend& backend, const SamplerOptions& sampling, OnProgress progress);

  // In rounds, because a neighbour's burst of traffic outlasts a measurement: the first takes every
  // probe, the others those of sweeps and those that came close to the best of a key, until
  // `budget_s` is spent. What cannot run here is left out; what fails is told in the notes once.
  void measure(std::vector<Probe> probes, double budget_s);

  // `seconds` of one probe, all samples in order.
  Measurement measure_long(const Probe& probe, double seconds);
  // A point that something else measured.
  void add_point(const std::string& sweep, double x, double y, const std::string& method);

  Backend& backend() { return backend_; }
  // How much of the whole run comes after this: scales what OnProgress is told.
  void plan(double whole_s) { whole_s_ = whole_s; }
  bool has(const std::string& key) const { return ceilings_.values.count(key) > 0; }
  const std::map<double, double>& points(const std::string& sweep) const;

  Ceilings& ceilings() { return ceilings_; }
  // With the sweeps in order.
  Ceilings finish();

 private:
  bool keep(const Probe& probe, const Measurement& m);
  void note_failure(const Measurement& m);
  Sampler& sampler(const Probe& probe);

  Backend& backend_;
  SamplerOptions sampling_;
  OnProgress progress_;
  std::map<Contents, std::unique_ptr<Sampler>> samplers_;
  Ceilings ceilings_;
  std::map<std::string, std::map<double, double>> sweeps_;
  std::map<std::string, std::string> sweep_methods_;
  double spent_s_ = 0, whole_s_ = 0;
};

}  // namespace ridge
