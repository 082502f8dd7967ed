#pragma once
#include <string_view>
#include <vector>

#include "kernels/core/op_spec.h"

namespace ridge {

// Every operator, in the order of the list in kernels/CMakeLists.txt.
const std::vector<OpSpec>& operators();

// By name ("gemm") or table name ("Linear_GEMM"). Throws BadInput that lists the known names.
const OpSpec& find_operator(std::string_view name);

}  // namespace ridge
