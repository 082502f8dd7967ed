#pragma once
#include <string>
#include <vector>

#include "predictor/request/request.h"
#include "profilers/llama/operator_stats.h"
#include "profilers/llama/speed_test.h"

namespace ridge {

// A predicted time beside the measured one.
struct Compared {
  std::string what;
  Estimate predicted_s;
  double measured_s = 0;
  double error() const { return measured_s > 0 ? predicted_s.value / measured_s - 1 : 0; }
  bool inside() const { return predicted_s.low <= measured_s && measured_s <= predicted_s.high; }
};

struct ComparedRole {
  PhaseOf phase = PhaseOf::kPrefill;
  Role role = Role::kNorm;
  double predicted_s = 0, measured_s = 0;  // of the prefill, of a mean decode step
};

// A test of speed_benchmark, predicted from a table of this machine with no constant fitted.
struct SpeedValidation {
  SpeedTest test;
  Compared ttft, tpot, total;
  std::vector<ComparedRole> roles;  // empty where the test was not profiled; the costliest first
  // Share of the profiled phases' time that launches take; the rest is the host's.
  double explained_prefill = 0, explained_decode = 0;
  double host_prefill_s = 0, host_decode_s = 0;  // of the prefill, of a mean decode step
  std::vector<std::string> notes;
};

// The decoder's own kernels, one behind the other, with no host.
Deployment deployment_of(const Decoder& decoder);

SpeedValidation validate_speed(const TableSet& tables, const Decoder& decoder,
                               const SpeedResult& result);

std::string validation_text(const std::vector<SpeedValidation>& all);

}  // namespace ridge
