#pragma once
#include <compare>
#include <cstdint>
#include <string>
#include <vector>

#include "kernels/core/dtype.h"

namespace ridge {

// One execution of one operator: the key shared by measurements, tables and predictions.
struct Call {
  std::string op;
  std::vector<int64_t> dims;  // in the order of OpSpec::axes
  Dtype dtype = Dtype::kF32;
  std::string implementation;  // empty: the one the backend prefers

  friend auto operator<=>(const Call&, const Call&) = default;
};

// "gemm m=16 n=4096 k=4096 f32 [onednn]": for people, and unique, so also a key.
std::string to_string(const Call& call);

}  // namespace ridge
