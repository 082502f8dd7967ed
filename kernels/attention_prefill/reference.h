#pragma once
#include <algorithm>
#include <cmath>

#include "kernels/attention_prefill/attention_prefill.h"
#include "kernels/core/op_spec.h"

namespace ridge::attention_prefill {

// The double-precision truth at `elements` of O, from inputs Q, K, V. Decode is the case seq = 1.
void reference(const Dims& d, std::span<const HostTensor> in, std::span<const Element> elements,
               std::span<double> values);

// The rounding of a running sum grows with the root of its length, and so does the share of it that
// is left where weights of random signs cancel: beyond 1024 keys, f32 is allowed as much more.
inline double tolerance(Dtype dtype, int64_t keys) {
  const double longer = std::sqrt(static_cast<double>(keys) / 1024);
  return default_tolerance(dtype) * (dtype == Dtype::kF32 ? std::max(1.0, longer) : 1.0);
}

}  // namespace ridge::attention_prefill
