#pragma once
#include <vector>

#include "calibrate/boosted_trees.h"
#include "calibrate/physics_features.h"
#include "calibrate/transfer_law.h"

namespace ridge {

using TransferSources = std::vector<const TransferSource*>;  // at least one, each with samples

PhysicsFeatures transfer_features(const TransferGpu& gpu, const Call& call);

// Adds features and what is to be learned of them.
void add_row(TreeRows& rows, const std::vector<float>& x, double y);

// The fixed cost of a call on a GPU, from what the smallest calls take on the sources.
double transferred_fixed_s(const TransferGpu& to, const TransferSources& sources);

// Log delays of calls as they stand to the ceilings of the GPU that they were measured on. Times
// among the features become what the clock makes of them on `to`.
TreeRows rows_by_physics(const TransferGpu& to, const TransferSources& sources);

// The same calls on `to`, with the times that the law expects there; but what their caches held is
// what those of their own GPU did.
TreeRows rows_by_call(const TransferGpu& to, const TransferSources& sources, double fixed_to_s);

}  // namespace ridge
