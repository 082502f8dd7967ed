#pragma once
#include "predictor/end_to_end/validate.h"

namespace ridge {

// An engine profile whose times are fitted to measured rows, those of one framework:
//   TTFT = kernels + prefill.per_step + per_request · batch
//   TPOT = max(kernels, decode_floor) + decode.per_step + tensor_step (several GPUs)
//          + decode.per_sequence · batch + per_cached_token · tokens in the cache
//   total = TTFT + (output − 1) · TPOT
// no constant below 0, least mean |error / measured| (iteratively reweighted least squares); the
// floor is the one of a few that errs least, and 0 unless it errs clearly less. A GPU with
// kFewestRows rows or more has times of its own; the others have those fitted to all.
struct EngineFit {
  EngineProfile profile;
  std::size_t rows = 0, left_out = 0;        // left out: kv_need_over_free at kFullCache or above
  double error_before = 0, error_after = 0;  // mean |predicted / measured − 1| of all times
};
inline constexpr std::size_t kFewestRows = 8;
inline constexpr double kFullCache = 0.95;  // beyond, an engine queues or preempts

// `base`: its fusion, framework and habits. Throws BadInput where no row can be predicted, or rows
// are of several frameworks.
EngineFit fit_engine(const EndToEndCsv& measured, const EngineProfile& base,
                     const std::vector<NamedTable>& tables);

}  // namespace ridge
