#pragma once
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "predictor/engines/engine.h"
#include "predictor/lowering/lower.h"
#include "predictor/tables/table_set.h"

namespace ridge {

// A value with its 80 % interval.
struct Estimate {
  double value = 0, low = 0, high = 0;
};

// What runs where.
struct Deployment {
  Model model;
  Parallel parallel;
  Precision precision;
  EngineProfile engine;
};

struct Prompt {
  int64_t count = 1, tokens = 1;
  int64_t cached = 0;  // of `tokens`, found in the prefix cache
};

// A smaller model proposes `tokens` tokens a step, each taken with probability `acceptance` as long
// as those before it were: a step yields (1 − a^(k+1)) / (1 − a) tokens on average.
struct Speculation {
  Model draft;
  int64_t tokens = 4;
  double acceptance = 0.7;
};

// A static batch: all prompts at once, then `output` tokens for each of them. With data parallelism
// sequences are dealt out to the replicas, and times are those of the fullest one.
struct Request {
  std::vector<Prompt> prompts = {{}};
  int64_t output = 1;
  int64_t chunk = 0;  // tokens of a prefill step at most, over all prompts; 0: all in one step
  std::optional<Speculation> speculation;

  int64_t batch() const;
};

// Those that the fullest of `replicas` gets when sequences are dealt out, the longest first.
std::vector<Prompt> fullest_share(std::vector<Prompt> prompts, int64_t replicas);

// Time and work of the kernels of one role.
struct RoleTime {
  Role role = Role::kNorm;
  std::string op;      // of its calls
  double seconds = 0;  // in the phase
  double flops = 0, bytes = 0;
  Bound bound = Bound::kDram;      // of most of its time
  Basis basis = Basis::kMeasured;  // the weakest of its calls
};

// One phase (the whole prefill; the mean decode step) on one GPU of each pipeline stage.
struct Phase {
  Estimate seconds;  // kernels and host
  double host_s = 0;
  std::vector<RoleTime> roles;
  std::map<std::string, double> bound_s;  // "compute", "dram", "l2", "launch", "link", "host"
  double flops = 0, bytes = 0;            // of all GPUs
  double intensity() const { return bytes > 0 ? flops / bytes : 0; }
  double mfu = 0;  // time that its matrix products take at their pipes' peaks / (seconds · GPUs)
  double bandwidth_utilisation = 0;  // bytes / (seconds · DRAM bandwidth · GPUs)
};

struct RequestPrediction {
  Estimate ttft_s;
  Estimate tpot_s, tpot_first_s, tpot_last_s;  // mean, first and last step; 0 with one token out
  double itl_p50_s = 0, itl_p95_s = 0, itl_p99_s = 0;
  Estimate total_s;                     // ttft + (output − 1) · tpot
  double output_tokens_per_s = 0;       // of the batch, over total
  double output_tokens_per_s_user = 0;  // 1 / tpot
  Phase prefill, decode;
  std::vector<std::string> notes;  // what stands on less than a measurement
};

// Time of one engine step: kernels of all stages one after the other, and the host's cost.
Phase predict_step(const TableSet& tables, const Deployment& d, const Step& step);

// Throws BadInput as lower() does, for an empty or negative request, and for quantised products that
// the GPU has no pipe for.
RequestPrediction predict_request(const TableSet& tables, const Deployment& d,
                                  const Request& asked);

}  // namespace ridge
