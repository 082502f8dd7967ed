#pragma once
#include <functional>
#include <string>

#include "predictor/models/model.h"
#include "predictor/tables/table_set.h"

namespace ridge {

// What a model runs in where nobody says: its own dtype; on a device without a matrix pipe for it
// the dtype of equal size (f16 for bf16 on a T4), else f32; its own where the device has none.
Dtype default_dtype(const Model& m, const std::function<bool(Dtype)>& has_pipe);

// By the datasheet of a GPU; one that is not known has every pipe.
Dtype default_dtype(const Model& m, const std::string& gpu);

// By the tables' ceilings.
Dtype default_dtype(const Model& m, const TableSet& tables);

}  // namespace ridge
