#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "kernels/core/call.h"

namespace ridge {

// What a device says of itself. Datasheet numbers are in roofline/devices, measured ones in
// ceilings; none are here.
struct DeviceInfo {
  std::string kind;                // "cpu" or "cuda"
  std::string name;                // "NVIDIA H200", "AMD EPYC 9R45"
  std::string uuid;                // of a GPU; a CPU has none
  std::string compute_capability;  // "9.0"; empty on CPU
  int units = 0;                   // SMs, or cores used
  int64_t last_level_cache_bytes = 0;
  int64_t memory_bytes = 0;
  double clock_hz = 0;                            // maximum, 0 when unknown
  std::map<std::string, std::string> provenance;  // driver, cuda, cublas, cudnn, ecc, mig, …
  // What its state does to measurements, a sentence each: what there is, and what to do about it.
  std::vector<std::string> notices;
};

// One reading of the device's state; absent where the device does not tell.
struct Telemetry {
  std::optional<double> sm_clock_hz, memory_clock_hz, power_w, temperature_c;
  std::string throttle_reasons;  // "" when none
};

// A span of device memory owned by this object and freed with it.
class Buffer {
 public:
  virtual ~Buffer() = default;
  virtual void* address() const = 0;
  virtual int64_t bytes() const = 0;
};

// The weights W[n,k] of a linear layer on the device, in the form that its products take fastest
// whatever their m.
class Weights {
 public:
  virtual ~Weights() = default;
  virtual int64_t bytes() const = 0;
  // W as it was given, row-major; null where only another form of it is kept.
  virtual const void* plain() const = 0;
};

// Device addresses in the order of OpSpec::inputs and OpSpec::outputs, 256-byte aligned. What
// follows them is what a layer of a model may have otherwise than the tensors that calls are
// measured on; nothing of it changes what a call costs.
struct Arguments {
  std::vector<const void*> inputs;
  std::vector<void*> outputs;
  double epsilon = 1e-5;   // of norms
  int64_t cache_rows = 0;  // attention: rows between the K (V) of two heads; 0: no gap
  const int32_t* lengths =
      nullptr;  // attention_decode: keys of each sequence, ≤ context, on device
  const Weights* weights = nullptr;  // gemm: W, kept by this backend, instead of the second input
  const void* bias = nullptr;        // gemm: [n] in C's dtype, added to each row
};

// Rows between the K (V) of two heads whose call has `rows` of them.
inline int64_t cache_rows(const Arguments& a, int64_t rows) {
  return a.cache_rows > 0 ? a.cache_rows : rows;
}

// A call bound to its arguments, with whatever it had to prepare (a chosen algorithm, packed
// weights, a workspace). enqueue() may be called any number of times and is stream-ordered; on the
// CPU it returns when done.
class Launch {
 public:
  virtual ~Launch() = default;
  virtual void enqueue() = 0;
  virtual std::string detail() const { return {}; }  // "algo 21, workspace 4 MiB, tried 8"
};

// Wraps a callable as a Launch.
template <class F>
std::unique_ptr<Launch> make_launch(F f, std::string detail = {}) {
  struct Bound final : Launch {
    Bound(F f, std::string d) : f_(std::move(f)), detail_(std::move(d)) {}
    void enqueue() override { f_(); }
    std::string detail() const override { return detail_; }
    F f_;
    std::string detail_;
  };
  return std::make_unique<Bound>(std::move(f), std::move(detail));
}

// One way to run one operator on the backend whose Context it takes.
template <class Context>
struct Implementation {
  std::string op;
  std::string name;  // "cublaslt", "onednn", "ridge"
  // Why this call cannot run here, or "".
  std::function<std::string(const Context&, const Call&)> unsupported;
  std::function<std::unique_ptr<Launch>(Context&, const Call&, const Arguments&)> bind;
};

// DESIGN: cold = one launch after a flush; stream = back to back; graph = captured back to back.
enum class Method { kCold, kStream, kGraph };
std::string_view name(Method m);
Method parse_method(std::string_view text);  // throws BadInput

// One timed run of a batch.
struct BatchTime {
  double seconds = 0;        // device time of all its launches
  double busy_fraction = 1;  // CPU: thread time / wall time; below ~0.97 something interfered
};

// Launches to be timed together, as often as wanted.
class Batch {
 public:
  virtual ~Batch() = default;
  virtual BatchTime run() = 0;
};

// How memory crosses between host and device: page-locked host memory is read by the device itself.
struct HostCopy {
  enum class Direction { kToDevice, kToHost } direction = Direction::kToDevice;
  enum class Memory { kPinned, kPageable } memory = Memory::kPinned;
};

// Runs calls and moves memory on one device. Not thread-safe: one thread drives one backend.
class Backend {
 public:
  virtual ~Backend() = default;
  virtual const DeviceInfo& device() const = 0;
  virtual Telemetry telemetry() = 0;
  // Names of the implementations that can run `call` here, the preferred first. When none can,
  // `why` gets the reasons.
  virtual std::vector<std::string> implementations(const Call& call, std::string* why) const = 0;
  virtual std::unique_ptr<Launch> bind(const Call& call, const Arguments& arguments) = 0;

  virtual std::unique_ptr<Buffer> allocate(int64_t bytes) = 0;  // throws OutOfMemory
  // `host` is W[n,k], row-major. Throws OutOfMemory.
  virtual std::unique_ptr<Weights> keep_weights(Dtype dtype, int64_t n, int64_t k,
                                                const void* host);
  virtual void upload(void* device, const void* host, int64_t bytes) = 0;
  virtual void download(void* host, const void* device, int64_t bytes) = 0;
  virtual void copy(void* to, const void* from, int64_t bytes) = 0;  // device to device
  virtual void fill(void* device, int value, int64_t bytes) = 0;
  virtual void synchronize() = 0;
  virtual int64_t free_memory_bytes() = 0;

  virtual Method table_method() const = 0;  // kGraph on CUDA, kStream on CPU
  // `launches` must outlive the batch. kCold flushes the caches before each launch.
  virtual std::unique_ptr<Batch> batch(std::span<Launch* const> launches, Method method) = 0;

  // Runs the launches once, back to back, and tells when each began and ended, in seconds from the
  // first one's beginning. Of launches in a stream an end may be the next one's beginning.
  struct Span {
    double begin_s = 0, end_s = 0;
  };
  virtual std::vector<Span> trace(std::span<Launch* const> launches);

  // Costs that no call shows, in seconds, by name: "event" (one recorded between two kernels), and
  // of the shortest kernel "stream.independent", "graph.independent" (one of many on several
  // streams, or of many branches). Empty where there are none.
  virtual std::map<std::string, double> overheads() { return {}; }
  // Copies of `bytes` between the host and the device, or nothing where they share their memory.
  virtual std::unique_ptr<Batch> host_copy(HostCopy, int64_t /*bytes*/) { return nullptr; }

  // Named range for timelines (NVTX on CUDA, nothing on the CPU).
  virtual void push_range(const std::string& name) = 0;
  virtual void pop_range() = 0;
};

// Why no implementation of the call's operator is to be found: the operator's own reason, if any.
std::string no_implementation(const Call& call);

// Shared by the backends: the implementations of `call.op` that can run it.
template <class Context>
std::vector<const Implementation<Context>*> usable(const std::vector<Implementation<Context>>& all,
                                                   const Context& context, const Call& call,
                                                   std::string* why) {
  std::vector<const Implementation<Context>*> found;
  for (const auto& i : all) {
    if (i.op != call.op) continue;
    if (!call.implementation.empty() && i.name != call.implementation) continue;
    const std::string reason = i.unsupported(context, call);
    if (reason.empty())
      found.push_back(&i);
    else if (why)
      *why += (why->empty() ? "" : "; ") + i.name + ": " + reason;
  }
  if (found.empty() && why && why->empty()) *why = no_implementation(call);
  return found;
}

}  // namespace ridge
