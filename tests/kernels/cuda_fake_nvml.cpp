// A management library with fixed answers in NVML's own units, one of them refused.
#include <cstring>

#define RIDGE_EXPORT extern "C" __attribute__((visibility("default")))

namespace {
constexpr int kSuccess = 0, kNotSupported = 3, kSm = 1;
}

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
