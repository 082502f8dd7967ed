#pragma once
#include <nlohmann/json_fwd.hpp>

#include "kernels/core/call.h"

namespace ridge {

// {"op": "gemm", "dims": {"m": 1, "n": 2, "k": 3}, "dtype": "f32", "implementation": "onednn"}
nlohmann::json call_to_json(const Call& call);

// Validates against the operator. Throws BadInput that names the missing or wrong key.
Call call_from_json(const nlohmann::json& j);

}  // namespace ridge
