#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "kernels/core/backend.h"

namespace ridge::cuda {

// What the driver tells of a card; absent where it does not.
struct CardState {
  std::optional<bool> ecc, mig, persistence;
  std::optional<double> power_limit_w, default_power_limit_w;
  std::vector<unsigned> other_processes;  // ids of those that compute on it
};

// The driver's management library, opened at run time; every query answers with nothing where the
// library, the function or the permission is missing.
class Nvml {
 public:
  // `pci_bus_id` as cudaDeviceGetPCIBusId writes it: it names one card whatever
  // CUDA_VISIBLE_DEVICES says. To be opened before this process has a context on the card: in a
  // container the driver lists it under an id that this process does not know.
  explicit Nvml(const std::string& pci_bus_id, const char* library = "libnvidia-ml.so.1");
  ~Nvml();
  Nvml(const Nvml&) = delete;
  Nvml& operator=(const Nvml&) = delete;

  bool available() const;
  Telemetry telemetry() const;
  // Processes are those that there were when this was opened, without this one.
  CardState state() const;
  // driver, ecc, mig, persistence, power_limit_w, default_power_limit_w, other_processes,
  // max_sm_clock_hz, max_memory_clock_hz.
  std::map<std::string, std::string> provenance() const;

 private:
  struct Api;
  std::vector<unsigned> other_processes_;
  std::unique_ptr<Api> api_;
};

// "sw_power_cap+hw_thermal_slowdown"; "" when no bit but idleness is set. Bits as nvml.h defines
// nvmlClocksEventReason* (nvmlClocksThrottleReason* before driver 535).
std::string throttle_names(uint64_t reasons);

}  // namespace ridge::cuda
