#pragma once
#include <string>

#include "kernels/core/dtype.h"

namespace ridge {

// Which arithmetic unit a call is held against: `kMatrix` for matrix products (tensor cores where
// the dtype has them), `kVector` for everything done element by element.
enum class Pipe { kVector, kMatrix };

// Compulsory work of a call: every input byte read once, every output byte written once, and the
// arithmetic of the textbook algorithm. Exact, from a formula; never fitted.
struct Work {
  double flops = 0;  // one fused multiply-add counts 2; integer operations count alike
  double bytes_read = 0;
  double bytes_written = 0;
  double link_bytes = 0;  // that one device sends to others; most calls send nothing
  Pipe pipe = Pipe::kVector;
  Dtype arithmetic = Dtype::kF32;  // dtype the pipe works in, which sets its peak
};

// "vector.f32", "matrix.bf16": the key of an arithmetic ceiling.
inline std::string ceiling_name(Pipe pipe, Dtype arithmetic) {
  return (pipe == Pipe::kMatrix ? "matrix." : "vector.") + std::string(name(arithmetic));
}

}  // namespace ridge
