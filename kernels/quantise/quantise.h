#pragma once
#include "kernels/core/call.h"

// A linear layer whose weights are kept as int8 is three calls: quantise_rows on its input, gemm in
// int8, dequantise on what that sums up. Symmetric: value ≈ q · scale with q in [−127, 127] and one
// scale a row, so that rounding is off by at most scale / 2 = max|row| / 254 (as LLM.int8() has it
// for rows, Dettmers et al. 2022, arXiv:2208.07339, equations 1 and 4, without its outliers).
namespace ridge::quantise {

// quantise_rows: q[rows, cols] int8 = round(x / scale), ties to even; scale[rows] f32 =
// max|x of the row| / 127. A row with nothing above kNothing gets zeros, and the scale 0. NaN and
// infinity are not expected.
// dequantise: y[rows, cols] f32 = acc · row_scale[rows] · column_scale[cols], acc int32; and
// + bias[cols] f32 where Arguments::bias is given.
struct Dims {
  int64_t rows, cols;
};

inline Dims dims(const Call& call) { return {call.dims[0], call.dims[1]}; }

constexpr int kSteps = 127;         // of a scale, on either side of 0
constexpr float kNothing = 1e-30f;  // 127 over it is still a number
// Products of two int8 rows longer than this could overflow the int32 that they are summed up in.
constexpr int64_t kMostSummed = ((int64_t{1} << 31) - 1) / (kSteps * kSteps);

}  // namespace ridge::quantise
