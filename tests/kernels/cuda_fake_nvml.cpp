// A management library with fixed answers in NVML's own units, one of them refused. The list of
// processes has this one, another twice, and twenty more.
#include <unistd.h>

#include <cstring>

#define RIDGE_EXPORT extern "C" __attribute__((visibility("default")))

namespace {
constexpr int kSuccess = 0, kNotSupported = 3, kInsufficientSize = 7, kSm = 1;

struct Process {
  unsigned pid;
  unsigned long long memory_bytes;
  unsigned gpu_instance, compute_instance;
};
}  // namespace

RIDGE_EXPORT int nvmlInit_v2() { return kSuccess; }
RIDGE_EXPORT int nvmlShutdown() { return kSuccess; }
RIDGE_EXPORT int nvmlDeviceGetHandleByPciBusId_v2(const char* id, void** device) {
  static int card = 0;
  *device = &card;
  return std::strcmp(id, "0000:1B:00.0") == 0 ? kSuccess : 6;
}
RIDGE_EXPORT int nvmlSystemGetDriverVersion(char* version, unsigned bytes) {
  std::strncpy(version, "580.65.06", bytes);
  return kSuccess;
}
RIDGE_EXPORT int nvmlDeviceGetClockInfo(void*, int clock, unsigned* mhz) {
  *mhz = clock == kSm ? 1755 : 3201;
  return kSuccess;
}
RIDGE_EXPORT int nvmlDeviceGetMaxClockInfo(void*, int clock, unsigned* mhz) {
  *mhz = clock == kSm ? 1980 : 3201;
  return kSuccess;
}
RIDGE_EXPORT int nvmlDeviceGetPowerUsage(void*, unsigned* mw) {
  *mw = 612345;
  return kSuccess;
}
RIDGE_EXPORT int nvmlDeviceGetEnforcedPowerLimit(void*, unsigned* mw) {
  *mw = 700000;
  return kSuccess;
}
RIDGE_EXPORT int nvmlDeviceGetTemperature(void*, int, unsigned*) { return kNotSupported; }
RIDGE_EXPORT int nvmlDeviceGetCurrentClocksThrottleReasons(void*, unsigned long long* bits) {
  *bits = 0x4 | 0x40;
  return kSuccess;
}
RIDGE_EXPORT int nvmlDeviceGetEccMode(void*, int* current, int* pending) {
  *current = 1;
  *pending = 0;
  return kSuccess;
}
RIDGE_EXPORT int nvmlDeviceGetMigMode(void*, unsigned* current, unsigned* pending) {
  *current = 0;
  *pending = 1;
  return kSuccess;
}
RIDGE_EXPORT int nvmlDeviceGetPowerManagementDefaultLimit(void*, unsigned* mw) {
  *mw = 750000;
  return kSuccess;
}
RIDGE_EXPORT int nvmlDeviceGetComputeRunningProcesses_v3(void*, unsigned* count, Process* found) {
  constexpr unsigned kOthers = 22;
  const unsigned room = *count;
  *count = kOthers + 1;
  if (room < *count) return kInsufficientSize;
  found[0].pid = static_cast<unsigned>(getpid());
  for (unsigned i = 1; i <= kOthers; ++i) found[i].pid = 4000000000u + (i == 2 ? 1 : i);
  return kSuccess;
}
