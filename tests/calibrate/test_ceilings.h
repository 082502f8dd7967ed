#pragma once
#include "roofline/ceilings.h"

namespace ridge {

// Ceilings of every pipe and dtype, so that any operator has an ideal time.
inline Ceilings every_ceiling(const std::string& device) {
  Ceilings c;
  c.device = device;
  for (Pipe pipe : {Pipe::kVector, Pipe::kMatrix})
    for (Dtype dtype : {Dtype::kF32, Dtype::kTf32, Dtype::kF16, Dtype::kBf16, Dtype::kF8E4M3,
                        Dtype::kInt8, Dtype::kInt32, Dtype::kF64})
      c.values[ceiling_name(pipe, dtype)] = {1e11, "flop/s", "test", 0};
  for (const char* key : {"dram.read", "dram.write", "dram.copy", "dram.triad"})
    c.values[key] = {2e10, "byte/s", "test", 0};
  c.values["link"] = {1e10, "byte/s", "test", 0};
  return c;
}

}  // namespace ridge
