#pragma once
#include <cmath>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "calibrate/delay_model.h"
#include "calibrate/transfer.h"
#include "kernels/core/operators.h"
#include "roofline/datasheet.h"

namespace ridge {

// A curve that answers ideal · delay, within the factor e^spread, for every call.
struct SyntheticCurve {
  std::string op;
  Dtype dtype = Dtype::kBf16;
  std::string implementation;
  double delay = 1;
  double spread = 0.1;
  std::size_t samples = 100;
};

// How its table came about: provenance.method.
enum class Origin { kImported, kTransferred, kCalibrated };

inline NamedTable synthetic_table(const std::string& gpu, Origin origin,
                                  const std::vector<SyntheticCurve>& curves) {
  const DeviceSpec spec = find_device(gpu).value();
  DelayTable t{.device = device_info(spec), .ceilings = datasheet_ceilings(spec)};
  t.method = Method::kGraph;
  if (origin == Origin::kImported) t.provenance["method"] = "imported";
  if (origin == Origin::kTransferred) t.provenance["method"] = kTransferredMethod;
  for (const SyntheticCurve& s : curves) {
    Curve c;
    c.op = s.op;
    c.dtype = s.dtype;
    c.implementation = s.implementation;
    c.kind = "constant";
    c.interval = 1;
    c.log_delay = std::log(s.delay);
    c.log_delay_sd = s.spread;
    c.count = s.samples;
    for (const Axis& a : find_operator(s.op).axes) {
      c.dims_low.push_back(a.min);
      c.dims_high.push_back(a.max);
    }
    t.curves.push_back(std::move(c));
  }
  t.model = std::make_shared<const DelayModel>(t);
  return {gpu + " table", std::move(t)};
}

// Memory bound on every GPU: its ideal time does not depend on arithmetic.
inline Call a_gemm(Dtype dtype = Dtype::kBf16) { return {"gemm", {16, 4096, 4096}, dtype, {}}; }

}  // namespace ridge
