#pragma once
#include "kernels/attention_prefill/attention_prefill.h"
#include "kernels/core/op_spec.h"

namespace ridge::attention_prefill {

// The double-precision truth at `elements` of O, from inputs Q, K, V. Decode is the case seq = 1.
void reference(const Dims& d, std::span<const HostTensor> in, std::span<const Element> elements,
               std::span<double> values);

}  // namespace ridge::attention_prefill
