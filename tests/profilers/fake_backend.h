#pragma once
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "kernels/core/backend.h"
#include "kernels/core/error.h"

namespace ridge {

// A device for tests of what measures: its memory is the host's, its times are scripted. A batch
// is only recorded, not run; a launch that is enqueued by itself (as verify() does) computes.
class FakeBackend : public Backend {
 public:
  // One launch in a batch: which argument set it had.
  struct Ran {
    std::vector<Method> methods;                        // of every batch run, in order
    std::vector<std::vector<const void*>> first_input;  // per batch run, of each of its launches
  };

  // --- the script ---
  DeviceInfo info{.kind = "cpu",
                  .name = "Fake 9000",
                  .units = 1,
                  .last_level_cache_bytes = 1 << 16,
                  .memory_bytes = int64_t{1} << 30};
  Method default_method = Method::kStream;
  // Time of the n-th batch run, n counted from 0 over the backend's life.
  std::function<BatchTime(int64_t n, std::size_t launches, Method)> time =
      [](int64_t, std::size_t launches, Method) {
        return BatchTime{.seconds = 1e-4 * static_cast<double>(launches)};
      };
  std::function<std::unique_ptr<Launch>(const Call&, const Arguments&)> on_bind;
  std::function<Telemetry(int64_t n)> on_telemetry = [](int64_t) { return Telemetry{}; };
  std::string unsupported;  // why no call runs here, or ""

  // --- the record ---
  Ran ran;
  int64_t used_bytes = 0, most_used_bytes = 0, telemetry_read = 0;
  int open_ranges = 0;

  const DeviceInfo& device() const override { return info; }
  Telemetry telemetry() override { return on_telemetry(telemetry_read++); }
  std::vector<std::string> implementations(const Call&, std::string* why) const override {
    if (unsupported.empty()) return {"fake"};
    if (why) *why = unsupported;
    return {};
  }
  std::unique_ptr<Launch> bind(const Call& call, const Arguments& arguments) override;
  std::unique_ptr<Buffer> allocate(int64_t bytes) override;
  void upload(void* device, const void* host, int64_t bytes) override { copy(device, host, bytes); }
  void download(void* host, const void* device, int64_t bytes) override {
    copy(host, device, bytes);
  }
  void copy(void* to, const void* from, int64_t bytes) override {
    std::memcpy(to, from, static_cast<std::size_t>(bytes));
  }
  void fill(void* device, int value, int64_t bytes) override {
    std::memset(device, value, static_cast<std::size_t>(bytes));
  }
  void synchronize() override {}
  int64_t free_memory_bytes() override { return info.memory_bytes - used_bytes; }
  Method table_method() const override { return default_method; }
  std::unique_ptr<Batch> batch(std::span<Launch* const> launches, Method method) override;
  void push_range(const std::string&) override { ++open_ranges; }
  void pop_range() override { --open_ranges; }
};

// Remembers the arguments it was bound to, and runs a callable.
struct FakeLaunch final : Launch {
  FakeLaunch(const Arguments& a, std::function<void()> f) : arguments(a), run(std::move(f)) {}
  void enqueue() override { run(); }
  std::string detail() const override { return "fake, by the script"; }
  Arguments arguments;
  std::function<void()> run;
};

// rmsnorm straight from its formula, in f32; other dtypes are left unwritten.
inline void right_rmsnorm(const Call& call, const Arguments& a) {
  if (call.op != "rmsnorm") return;  // the probes among a sweep's anchors compute nothing
  if (call.dtype != Dtype::kF32) return;
  const auto *x = static_cast<const float*>(a.inputs[0]),
             *w = static_cast<const float*>(a.inputs[1]);
  auto* y = static_cast<float*>(a.outputs[0]);
  const int64_t cols = call.dims[1];
  for (int64_t row = 0; row < call.dims[0]; ++row, x += cols, y += cols) {
    double squares = 0;
    for (int64_t c = 0; c < cols; ++c) squares += static_cast<double>(x[c]) * x[c];
    const double factor = 1 / std::sqrt(squares / static_cast<double>(cols) + 1e-5);
    for (int64_t c = 0; c < cols; ++c) y[c] = static_cast<float>(x[c] * factor * w[c]);
  }
}

inline std::unique_ptr<Launch> FakeBackend::bind(const Call& call, const Arguments& arguments) {
  if (on_bind) return on_bind(call, arguments);
  return std::make_unique<FakeLaunch>(arguments,
                                      [call, arguments] { right_rmsnorm(call, arguments); });
}

inline std::unique_ptr<Buffer> FakeBackend::allocate(int64_t bytes) {
  struct Memory final : Buffer {
    Memory(FakeBackend& o, int64_t n) : owner(o), size(n) {
      data = std::aligned_alloc(256, static_cast<std::size_t>((n + 255) / 256 * 256));
      owner.used_bytes += n;
      owner.most_used_bytes = std::max(owner.most_used_bytes, owner.used_bytes);
    }
    ~Memory() override {
      owner.used_bytes -= size;
      std::free(data);
    }
    void* address() const override { return data; }
    int64_t bytes() const override { return size; }
    FakeBackend& owner;
    int64_t size;
    void* data;
  };
  if (bytes > free_memory_bytes()) throw OutOfMemory("the fake device is full");
  return std::make_unique<Memory>(*this, bytes);
}

inline std::unique_ptr<Batch> FakeBackend::batch(std::span<Launch* const> launches, Method method) {
  struct Scripted final : Batch {
    Scripted(FakeBackend& o, std::span<Launch* const> l, Method m)
        : owner(o), launches(l.begin(), l.end()), method(m) {}
    BatchTime run() override {
      std::vector<const void*> inputs;
      for (Launch* one : launches)
        if (const auto* fake = dynamic_cast<FakeLaunch*>(one))
          inputs.push_back(fake->arguments.inputs.at(0));
      const auto n = static_cast<int64_t>(owner.ran.methods.size());
      owner.ran.methods.push_back(method);
      owner.ran.first_input.push_back(std::move(inputs));
      return owner.time(n, launches.size(), method);
    }
    FakeBackend& owner;
    std::vector<Launch*> launches;
    Method method;
  };
  return std::make_unique<Scripted>(*this, launches, method);
}

}  // namespace ridge
