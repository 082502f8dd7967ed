#pragma once
#include <cstddef>
#include <span>

#include "kernels/core/dtype.h"
#include "profilers/llama/safetensors.h"

namespace ridge {

// The tensor's elements in another dtype, rounded once, to nearest even (as store_element() does;
// NaN stays NaN). Fast where a model's weights need it: between f32, f16 and bf16. Throws BadInput
// that names the tensor where its format is none of the kernels' (I64, F8_E5M2, …), and
// std::length_error where `out` has not the room of exactly its elements.
void convert(const TensorView& from, Dtype to, std::span<std::byte> out);
void to_floats(const TensorView& from, std::span<float> out);

}  // namespace ridge
