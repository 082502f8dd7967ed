#pragma once
#include <string>
#include <vector>

#include "kernels/core/backend.h"
#include "kernels/cuda/nvml.h"

namespace ridge::cuda {

// Whether the device is one instance of a partitioned card: its name says so ("NVIDIA A100 MIG
// 1g.5gb"), and where the card is partitioned, nothing but instances can be used.
bool is_mig_slice(const std::string& name, const CardState& card);

// DeviceInfo::notices. `card` is null where NVML does not open.
std::vector<std::string> notices(const DeviceInfo& device, const CardState* card);

}  // namespace ridge::cuda
