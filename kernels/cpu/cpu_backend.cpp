#include "kernels/cpu/cpu_backend.h"

#include <fmt/format.h>
#include <omp.h>
#include <sched.h>
#include <sys/mman.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <ctime>
#include <new>

#include "kernels/core/error.h"
#include "kernels/cpu/context.h"
#include "kernels/cpu/cpu_info.h"
#include "kernels/cpu/dnnl_matmul.h"

namespace ridge {

#define RIDGE_OPERATOR(folder)                          \
  namespace folder {                                    \
  std::vector<CpuImplementation> cpu_implementations(); \
  }
#include "cpu_operator_list.inc"
#undef RIDGE_OPERATOR

namespace {

std::vector<CpuImplementation> all_implementations() {
  std::vector<CpuImplementation> all;
#define RIDGE_OPERATOR(folder) \
  for (auto& i : folder::cpu_implementations()) all.push_back(std::move(i));
#include "cpu_operator_list.inc"
#undef RIDGE_OPERATOR
  return all;
}

// Anonymous pages, huge where the system gives them, touched by the threads that will use them.
class CpuBuffer final : public Buffer {
 public:
  explicit CpuBuffer(int64_t bytes) : bytes_(std::max<int64_t>(bytes, 1)) {
    // Overcommit would let a too large request succeed here and kill the process at first touch.
    if (bytes_ > available_memory_bytes() * 9 / 10)
      throw OutOfMemory(fmt::format("{} MiB asked, {} MiB available", bytes_ >> 20,
                                    available_memory_bytes() >> 20));
    address_ = mmap(nullptr, size(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (address_ == MAP_FAILED) throw OutOfMemory(fmt::format("cannot map {} MiB", bytes_ >> 20));
    madvise(address_, size(), MADV_HUGEPAGE);
    char* base = static_cast<char*>(address_);
#pragma omp parallel for schedule(static)
    for (int64_t i = 0; i < bytes_; i += 4096) base[i] = 0;
  }
  ~CpuBuffer() override { munmap(address_, size()); }
  CpuBuffer(const CpuBuffer&) = delete;
  CpuBuffer& operator=(const CpuBuffer&) = delete;
  void* address() const override { return address_; }
  int64_t bytes() const override { return bytes_; }

 private:
  std::size_t size() const { return static_cast<std::size_t>(bytes_); }
  int64_t bytes_;
  void* address_ = nullptr;
};

// Reads 4 × LLC, so that what follows finds the caches full of clean, foreign lines.
class Flusher {
 public:
  explicit Flusher(int64_t cache_bytes) : buffer_(4 * cache_bytes) {}
  void flush() const {
    const auto* lines = static_cast<const volatile char*>(buffer_.address());
    const int64_t bytes = buffer_.bytes();
#pragma omp parallel for schedule(static)
    for (int64_t i = 0; i < bytes; i += 64) (void)lines[i];
  }

 private:
  CpuBuffer buffer_;
};

// Time this thread was on a core. (The process's would lag by a scheduler tick for the others.)
double thread_cpu_s() {
  timespec t{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

class CpuBatch final : public Batch {
 public:
  CpuBatch(std::span<Launch* const> launches, const Flusher* flusher)
      : launches_(launches.begin(), launches.end()), flusher_(flusher) {}

  BatchTime run() override {
    if (!flusher_) return timed(0, launches_.size());
    BatchTime total{.seconds = 0, .busy_fraction = 1};
    for (std::size_t i = 0; i < launches_.size(); ++i) {
      flusher_->flush();
      const BatchTime one = timed(i, i + 1);
      total.seconds += one.seconds;
      total.busy_fraction = std::min(total.busy_fraction, one.busy_fraction);
    }
    return total;
  }

 private:
  // This thread leaves its core when something preempts it, or when it waits for a team mate that
  // something preempted for longer than OpenMP spins.
  BatchTime timed(std::size_t first, std::size_t last) {
    using Clock = std::chrono::steady_clock;
    const double cpu_before = thread_cpu_s();
    const auto start = Clock::now();
    for (std::size_t i = first; i < last; ++i) launches_[i]->enqueue();
    const double wall = std::chrono::duration<double>(Clock::now() - start).count();
    const double cpu = thread_cpu_s() - cpu_before;
    return {.seconds = wall, .busy_fraction = wall > 0 ? std::min(1.0, cpu / wall) : 1};
  }

  std::vector<Launch*> launches_;
  const Flusher* flusher_;
};

class CpuBackend final : public Backend {
 public:
  explicit CpuBackend(int threads) {
    const std::vector<int> cpus = allowed_cpus();
    context_.threads = threads > 0 ? std::min<int>(threads, static_cast<int>(cpus.size()))
                                   : static_cast<int>(cpus.size());
    // Before this thread is pinned: afterwards it sees one processor.
    device_ = detect_cpu(context_.threads);
    omp_set_dynamic(0);
    omp_set_num_threads(context_.threads);
#pragma omp parallel
    {
      cpu_set_t one;
      CPU_ZERO(&one);
      const auto thread = static_cast<std::size_t>(omp_get_thread_num());
      CPU_SET(static_cast<unsigned>(cpus[thread % cpus.size()]), &one);
      sched_setaffinity(0, sizeof one, &one);
    }
  }

  const DeviceInfo& device() const override { return device_; }
  Telemetry telemetry() override {
    Telemetry t;
    if (const double hz = read_cpu_clock_hz(); hz > 0) t.sm_clock_hz = hz;
    return t;
  }
  std::vector<std::string> implementations(const Call& call, std::string* why) const override {
    std::vector<std::string> names;
    for (const auto* i : usable(implementations_, context_, call, why)) names.push_back(i->name);
    return names;
  }
  std::unique_ptr<Launch> bind(const Call& call, const Arguments& arguments) override {
    std::string why;
    const auto found = usable(implementations_, context_, call, &why);
    if (found.empty()) throw BadInput(to_string(call) + ": " + why);
    try {
      return found.front()->bind(context_, call, arguments);
    } catch (const std::bad_alloc&) {
      throw OutOfMemory("while preparing " + to_string(call));
    } catch (const dnnl::error& e) {
      if (e.status == dnnl_out_of_memory) throw OutOfMemory("oneDNN: " + to_string(call));
      throw std::runtime_error(fmt::format("oneDNN: {} ({})", e.what(), to_string(call)));
    }
  }
  std::unique_ptr<Buffer> allocate(int64_t bytes) override {
    return std::make_unique<CpuBuffer>(bytes);
  }
  std::unique_ptr<Weights> keep_weights(Dtype dtype, int64_t n, int64_t k,
                                        const void* host) override {
    if (dtype != Dtype::kF32 && dtype != Dtype::kInt8)
      throw BadInput(fmt::format("the CPU multiplies in f32 and int8, not in {}", name(dtype)));
    const int64_t bytes = n * k * static_cast<int64_t>(bytes_per_element(dtype));
    if (bytes > available_memory_bytes() * 9 / 10)
      throw OutOfMemory(fmt::format("weights of {} MiB, {} MiB available", bytes >> 20,
                                    available_memory_bytes() >> 20));
    try {
      return std::make_unique<PackedWeights>(context_, dtype, n, k, host);
    } catch (const std::bad_alloc&) {
      throw OutOfMemory(fmt::format("weights of {} MiB", bytes >> 20));
    }
  }
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
  int64_t free_memory_bytes() override { return available_memory_bytes(); }
  Method table_method() const override { return Method::kStream; }
  std::unique_ptr<Batch> batch(std::span<Launch* const> launches, Method method) override {
    if (method == Method::kGraph) throw BadInput("the CPU has no graph method; use stream or cold");
    if (method == Method::kCold && !flusher_)
      flusher_ = std::make_unique<Flusher>(device_.last_level_cache_bytes);
    const Flusher* flusher = method == Method::kCold ? flusher_.get() : nullptr;
    return std::make_unique<CpuBatch>(launches, flusher);
  }
  void push_range(const std::string&) override {}
  void pop_range() override {}

 private:
  CpuContext context_;
  DeviceInfo device_;
  std::vector<CpuImplementation> implementations_ = all_implementations();
  std::unique_ptr<Flusher> flusher_;
};

}  // namespace

std::unique_ptr<Backend> open_cpu_backend(int threads) {
  return std::make_unique<CpuBackend>(threads);
}

}  // namespace ridge
