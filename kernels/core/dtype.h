#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace ridge {

// kTf32 is stored as f32 and multiplied with a 10-bit mantissa. kInt32 holds indices and int8 sums.
enum class Dtype { kF32, kTf32, kF16, kBf16, kF8E4M3, kInt8, kInt32, kF64 };

std::size_t bytes_per_element(Dtype t);
std::string_view name(Dtype t);  // "f32", "tf32", "f16", "bf16", "f8e4m3", "int8", "int32", "f64"

// Accepts the names above and what others call them: fp32, float32, fp64, double, fp16, half,
// bfloat16, fp8, e4m3. Throws BadInput for anything else.
Dtype parse_dtype(std::string_view text);

// One element in memory <-> double. Stores round to nearest even; f8e4m3 saturates at ±448 and has
// no infinity (OCP FP8); integers round and saturate.
double load_element(Dtype t, const std::byte* address);
void store_element(Dtype t, std::byte* address, double value);

}  // namespace ridge
