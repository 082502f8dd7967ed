#include "kernels/cuda/device_info.h"

#include <fmt/format.h>

#include <array>

#include "kernels/cuda/check.h"
#include "kernels/cuda/cudnn_handle.h"
#include "kernels/cuda/notices.h"

namespace ridge::cuda {
namespace {

constexpr int kOldestSm = 75;

std::string cuda_version(int v) { return fmt::format("{}.{}", v / 1000, v % 1000 / 10); }

std::string uuid_text(const char* kind, const cudaUUID_t& uuid) {
  std::string text = kind;
  for (int i = 0; i < 16; ++i) {
    if (i == 0 || i == 4 || i == 6 || i == 8 || i == 10) text += '-';
    text += fmt::format("{:02x}", static_cast<unsigned char>(uuid.bytes[i]));
  }
  return text;
}

// The attribute, or 0 where the device does not have it.
int attribute(cudaDeviceAttr which, int device) {
  int value = 0;
  if (cudaDeviceGetAttribute(&value, which, device) != cudaSuccess) {
    (void)cudaGetLastError();
    return 0;
  }
  return value;
}

std::string cublas_version(cublasHandle_t handle) {
  int v = 0;
  if (cublasGetVersion(handle, &v) != CUBLAS_STATUS_SUCCESS) return "unknown";
  // 12.4.5 is 120405; the major number's weight is stable since cuBLAS 11.
  return fmt::format("{}.{}.{}", v / 10000, v % 10000 / 100, v % 100);
}

}  // namespace

std::string unusable(int index) {
  int driver = 0;
  if (cudaDriverGetVersion(&driver) != cudaSuccess || driver == 0) {
    (void)cudaGetLastError();
    return "no NVIDIA driver";
  }
  int count = 0;
  const cudaError_t status = cudaGetDeviceCount(&count);
  (void)cudaGetLastError();
  if (status == cudaErrorInsufficientDriver)
    return fmt::format(
        "the driver is too old: it supports CUDA {}, this build needs {}; update the driver or "
        "build with an older toolkit",
        cuda_version(driver), cuda_version(CUDART_VERSION));
  if (status == cudaErrorNoDevice || (status == cudaSuccess && count == 0))
    return "no CUDA device is visible (see nvidia-smi and CUDA_VISIBLE_DEVICES)";
  if (status != cudaSuccess)
    return fmt::format("{}: {}", cudaGetErrorName(status), cudaGetErrorString(status));
  if (index < 0 || index >= count)
    return fmt::format("there is no device {}: {} visible, counted from 0", index, count);
  const int sm = attribute(cudaDevAttrComputeCapabilityMajor, index) * 10 +
                 attribute(cudaDevAttrComputeCapabilityMinor, index);
  if (sm < kOldestSm)
    return fmt::format("device {} has compute capability {}.{}; {}.{} is the oldest supported",
                       index, sm / 10, sm % 10, kOldestSm / 10, kOldestSm % 10);
  return "";
}

std::string pci_bus_id(int device) {
  std::array<char, 32> id{};
  RIDGE_CUDA(cudaDeviceGetPCIBusId(id.data(), static_cast<int>(id.size()), device));
  return id.data();
}

DeviceInfo describe(const CudaContext& context, const Nvml& nvml) {
  const cudaDeviceProp& p = context.properties;
  DeviceInfo d;
  d.kind = "cuda";
  d.name = p.name;
  const CardState card = nvml.state();
  const bool slice = is_mig_slice(d.name, card);
  d.uuid = uuid_text(slice ? "MIG" : "GPU", p.uuid);
  d.compute_capability = fmt::format("{}.{}", p.major, p.minor);
  d.units = p.multiProcessorCount;
  d.last_level_cache_bytes = p.l2CacheSize;
  d.memory_bytes = static_cast<int64_t>(p.totalGlobalMem);
  d.clock_hz = attribute(cudaDevAttrClockRate, context.device) * 1e3;

  d.provenance = nvml.provenance();
  auto& out = d.provenance;
  // What NVML does not tell (in containers without it) the runtime does in part.
  if (const double hz = attribute(cudaDevAttrMemoryClockRate, context.device) * 1e3; hz > 0)
    out.try_emplace("max_memory_clock_hz", fmt::format("{:.0f}", hz));
  if (d.clock_hz > 0) out.try_emplace("max_sm_clock_hz", fmt::format("{:.0f}", d.clock_hz));
  out.try_emplace("ecc", p.ECCEnabled ? "on" : "off");
  out["nvml"] = nvml.available() ? "yes" : "no";
  out["memory_bus_bits"] = std::to_string(p.memoryBusWidth);
  out["pci_bus_id"] = pci_bus_id(context.device);
  int driver = 0, runtime = 0;
  RIDGE_CUDA(cudaDriverGetVersion(&driver));
  RIDGE_CUDA(cudaRuntimeGetVersion(&runtime));
  out["cuda_driver"] = cuda_version(driver);
  out["cuda"] = cuda_version(runtime);
  out["cublas"] = cublas_version(context.cublas);
  out["cublaslt"] = fmt::format("{}", cublasLtGetVersion());
  out["cublas_workspace_bytes"] = std::to_string(context.workspace_bytes);
  out["cudnn"] = cudnn_version();
  if (slice) out["mig_slice"] = "yes";
  d.notices = notices(d, nvml.available() ? &card : nullptr);
  return d;
}

}  // namespace ridge::cuda
