#pragma once
#include <string>

#include "kernels/cuda/context.h"
#include "kernels/cuda/nvml.h"

namespace ridge::cuda {

// Why device `index` cannot be used, in one line, or "": no driver, a driver too old for the
// runtime this was built with, no such device, a device older than the code that is built in.
std::string unusable(int index);

// Versions are written "13.0", clocks in Hz, sizes in the unit that their key names.
DeviceInfo describe(const CudaContext& context, const Nvml& nvml);

std::string pci_bus_id(int device);  // throws std::runtime_error

}  // namespace ridge::cuda
