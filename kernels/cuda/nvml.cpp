#include "kernels/cuda/nvml.h"

#include <dlfcn.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <utility>

namespace ridge::cuda {

// nvml.h is not part of every toolkit; these few functions have kept their ABI since CUDA 11.
struct Nvml::Api {
  using Device = void*;
  using Result = int;  // 0 is success
  enum Clock : int { kSm = 1, kMemory = 2 };
  static constexpr Result kInsufficientSize = 7;
  struct Process {  // nvmlProcessInfo_t, of the functions _v2 and _v3
    unsigned pid;
    unsigned long long memory_bytes;
    unsigned gpu_instance, compute_instance;
  };

  void* library = nullptr;
  Device device = nullptr;
  Result (*shutdown)() = nullptr;
  Result (*driver_version)(char*, unsigned) = nullptr;
  Result (*clock)(Device, int, unsigned*) = nullptr;  // MHz
  Result (*max_clock)(Device, int, unsigned*) = nullptr;
  Result (*power)(Device, unsigned*) = nullptr;  // mW
  Result (*power_limit)(Device, unsigned*) = nullptr;
  Result (*default_power_limit)(Device, unsigned*) = nullptr;
  Result (*temperature)(Device, int, unsigned*) = nullptr;  // °C
  Result (*reasons)(Device, unsigned long long*) = nullptr;
  Result (*ecc)(Device, int*, int*) = nullptr;  // current, pending
  Result (*mig)(Device, unsigned*, unsigned*) = nullptr;
  Result (*persistence)(Device, int*) = nullptr;
  Result (*processes)(Device, unsigned*, Process*) = nullptr;

  template <class F>
  void find(F& function, const char* symbol) {
    if (!function) function = reinterpret_cast<F>(dlsym(library, symbol));
  }

  // What `query` writes, where the function exists and succeeds.
  template <class T, class F, class... Before>
  std::optional<T> read(F query, Before... before) const {
    T value{};
    if (!query || query(device, before..., &value) != 0) return std::nullopt;
    return value;
  }

  // The current one of a mode that has a pending value, too.
  template <class T>
  std::optional<bool> mode(Result (*query)(Device, T*, T*)) const {
    T now{}, pending{};
    if (!query || query(device, &now, &pending) != 0) return std::nullopt;
    return now != 0;
  }

  // Ids of the processes that compute on the card, without this one.
  std::vector<unsigned> other_processes() const {
    if (!processes) return {};
    std::vector<Process> found(16);
    auto count = static_cast<unsigned>(found.size());
    Result result = processes(device, &count, found.data());
    for (int tries = 0; result == kInsufficientSize && tries < 4; ++tries) {
      found.resize(count + 16);  // some may have come since
      count = static_cast<unsigned>(found.size());
      result = processes(device, &count, found.data());
    }
    if (result != 0) return {};
    std::vector<unsigned> ids;
    for (unsigned i = 0; i < count; ++i)
      if (found[i].pid != static_cast<unsigned>(getpid())) ids.push_back(found[i].pid);
    std::sort(ids.begin(), ids.end());
    ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
    return ids;
  }

  ~Api() {
    if (shutdown) (void)shutdown();
    if (library) dlclose(library);
  }
};

Nvml::Nvml(const std::string& pci_bus_id, const char* library) : api_(std::make_unique<Api>()) {
  Api& a = *api_;
  a.library = dlopen(library, RTLD_NOW | RTLD_LOCAL);
  if (!a.library) return;
  Api::Result (*init)() = nullptr;
  Api::Result (*by_bus_id)(const char*, Api::Device*) = nullptr;
  a.find(init, "nvmlInit_v2");
  a.find(by_bus_id, "nvmlDeviceGetHandleByPciBusId_v2");
  if (!init || !by_bus_id || init() != 0) return;
  a.find(a.shutdown, "nvmlShutdown");
  if (by_bus_id(pci_bus_id.c_str(), &a.device) != 0) {
    a.device = nullptr;
    return;
  }
  a.find(a.driver_version, "nvmlSystemGetDriverVersion");
  a.find(a.clock, "nvmlDeviceGetClockInfo");
  a.find(a.max_clock, "nvmlDeviceGetMaxClockInfo");
  a.find(a.power, "nvmlDeviceGetPowerUsage");
  a.find(a.power_limit, "nvmlDeviceGetEnforcedPowerLimit");
  a.find(a.default_power_limit, "nvmlDeviceGetPowerManagementDefaultLimit");
  a.find(a.temperature, "nvmlDeviceGetTemperature");
  a.find(a.reasons, "nvmlDeviceGetCurrentClocksEventReasons");
  a.find(a.reasons, "nvmlDeviceGetCurrentClocksThrottleReasons");  // before driver 535
  a.find(a.ecc, "nvmlDeviceGetEccMode");
  a.find(a.mig, "nvmlDeviceGetMigMode");
  a.find(a.persistence, "nvmlDeviceGetPersistenceMode");
  a.find(a.processes, "nvmlDeviceGetComputeRunningProcesses_v3");
  a.find(a.processes, "nvmlDeviceGetComputeRunningProcesses_v2");  // before driver 510
  other_processes_ = a.other_processes();
}

Nvml::~Nvml() = default;

bool Nvml::available() const { return api_->device != nullptr; }

Telemetry Nvml::telemetry() const {
  Telemetry t;
  if (!available()) return t;
  const Api& a = *api_;
  if (const auto mhz = a.read<unsigned>(a.clock, Api::kSm)) t.sm_clock_hz = *mhz * 1e6;
  if (const auto mhz = a.read<unsigned>(a.clock, Api::kMemory)) t.memory_clock_hz = *mhz * 1e6;
  if (const auto mw = a.read<unsigned>(a.power)) t.power_w = *mw * 1e-3;
  if (const auto celsius = a.read<unsigned>(a.temperature, 0)) t.temperature_c = *celsius;
  if (const auto bits = a.read<unsigned long long>(a.reasons))
    t.throttle_reasons = throttle_names(*bits);
  return t;
}

CardState Nvml::state() const {
  CardState s;
  if (!available()) return s;
  const Api& a = *api_;
  s.ecc = a.mode(a.ecc);
  s.mig = a.mode(a.mig);
  if (const auto on = a.read<int>(a.persistence)) s.persistence = *on != 0;
  if (const auto mw = a.read<unsigned>(a.power_limit)) s.power_limit_w = *mw * 1e-3;
  if (const auto mw = a.read<unsigned>(a.default_power_limit)) s.default_power_limit_w = *mw * 1e-3;
  s.other_processes = other_processes_;
  return s;
}

std::map<std::string, std::string> Nvml::provenance() const {
  std::map<std::string, std::string> p;
  if (!available()) return p;
  const Api& a = *api_;
  std::array<char, 96> version{};
  if (a.driver_version && a.driver_version(version.data(), version.size() - 1) == 0)
    p["driver"] = version.data();
  const CardState s = state();
  auto on_off = [&](const char* key, const std::optional<bool>& on) {
    if (on) p[key] = *on ? "on" : "off";
  };
  on_off("ecc", s.ecc);
  on_off("mig", s.mig);
  on_off("persistence", s.persistence);
  if (s.power_limit_w) p["power_limit_w"] = std::to_string(std::lround(*s.power_limit_w));
  if (s.default_power_limit_w)
    p["default_power_limit_w"] = std::to_string(std::lround(*s.default_power_limit_w));
  if (a.processes) p["other_processes"] = std::to_string(s.other_processes.size());
  if (const auto mhz = a.read<unsigned>(a.max_clock, Api::kSm))
    p["max_sm_clock_hz"] = std::to_string(*mhz * int64_t{1000000});
  if (const auto mhz = a.read<unsigned>(a.max_clock, Api::kMemory))
    p["max_memory_clock_hz"] = std::to_string(*mhz * int64_t{1000000});
  return p;
}

std::string throttle_names(uint64_t reasons) {
  // 0x1 is idleness: no work, so no throttling.
  static constexpr std::array<std::pair<uint64_t, const char*>, 8> kNames{{
      {0x002, "applications_clocks"},
      {0x004, "sw_power_cap"},
      {0x008, "hw_slowdown"},
      {0x010, "sync_boost"},
      {0x020, "sw_thermal_slowdown"},
      {0x040, "hw_thermal_slowdown"},
      {0x080, "hw_power_brake"},
      {0x100, "display_clocks"},
  }};
  std::string text;
  uint64_t known = 0x1;
  for (const auto& [bit, name] : kNames) {
    known |= bit;
    if (reasons & bit) text += (text.empty() ? "" : "+") + std::string(name);
  }
  if (reasons & ~known) text += (text.empty() ? "" : "+") + std::string("unknown_reason");
  return text;
}

}  // namespace ridge::cuda
