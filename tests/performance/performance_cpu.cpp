// The CPU launches beside what they are held against, in one run: each pair takes turns, and the
// ratio is the median over the turns, so that a machine that slows down slows both.
//   gemm            plain oneDNN, weights packed, no code of ours around it
//   memory-bound    the best of the bandwidth probes (triad for kernels that write, else read)
//   sampler         its own time beside the time it measured
#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "kernels/core/operators.h"
#include "kernels/cpu/context.h"
#include "kernels/cpu/cpu_backend.h"
#include "kernels/cpu/dnnl_compat.h"
#include "kernels/memory_stream/memory_stream.h"
#include "profilers/sampler.h"

namespace {

using namespace ridge;
using Clock = std::chrono::steady_clock;

constexpr int kTurns = 31;

double seconds(const std::function<void()>& run) {
  const auto start = Clock::now();
  run();
  return std::chrono::duration<double>(Clock::now() - start).count();
}

double median(std::vector<double> v) {
  std::sort(v.begin(), v.end());
  return v[v.size() / 2];
}

// A call bound to operand sets that together exceed the last-level cache, run in rotation.
class Rotating {
 public:
  Rotating(Backend& backend, Arena& arena, const Call& call) {
    const OpSpec& spec = find_operator(call.op);
    const int64_t span = 4 * backend.device().last_level_cache_bytes;
    operands_ =
        arena.operands(spec, call, Arena::sets_for(footprint_bytes(spec, call), span, 64), span);
    for (const Operands& o : operands_) launches_.push_back(backend.bind(call, o.arguments));
    for (const auto& l : launches_) l->enqueue();
  }
  void operator()() { launches_[next_++ % launches_.size()]->enqueue(); }
  std::size_t sets() const { return operands_.size(); }

 private:
  std::vector<Operands> operands_;
  std::vector<std::unique_ptr<Launch>> launches_;
  std::size_t next_ = 0;
};

// What a user of oneDNN would write by hand.
class PlainOneDnn {
 public:
  PlainOneDnn(int64_t m, int64_t n, int64_t k, std::size_t sets) {
    using Memory = dnnl::memory;
    const Memory::desc a({m, k}, Memory::data_type::f32, Memory::format_tag::ab);
    const Memory::desc w({k, n}, Memory::data_type::f32, Memory::format_tag::any);
    const Memory::desc c({m, n}, Memory::data_type::f32, Memory::format_tag::ab);
    const auto chosen = dnnl_compat::matmul(context_.engine, a, w, c);
    primitive_ = dnnl::matmul(chosen);
    for (std::size_t i = 0; i < sets; ++i) {
      Memory am(a, context_.engine), cm(c, context_.engine);
      Memory wm(chosen.weights_desc(), context_.engine);
      for (Memory* memory : {&am, &wm}) {
        auto* values = static_cast<float*>(memory->get_data_handle());
        const std::size_t count = memory->get_desc().get_size() / sizeof(float);
        for (std::size_t j = 0; j < count; ++j)
          values[j] = static_cast<float>(j * 2654435761u % 2048) / 1024 - 1;
      }
      sets_.push_back({{DNNL_ARG_SRC, am}, {DNNL_ARG_WEIGHTS, wm}, {DNNL_ARG_DST, cm}});
    }
    for (std::size_t i = 0; i < sets; ++i) (*this)();
  }
  void operator()() {
    primitive_.execute(context_.stream, sets_[next_++ % sets_.size()]);
    context_.stream.wait();
  }

 private:
  CpuContext context_;
  dnnl::matmul primitive_;
  std::vector<std::unordered_map<int, dnnl::memory>> sets_;
  std::size_t next_ = 0;
};

void gemms(Backend& backend, Arena& arena) {
  fmt::print("| gemm f32 | GFLOP/s | plain oneDNN | ratio |\n|---|---|---|---|\n");
  const std::vector<std::vector<int64_t>> shapes{
      {1, 4096, 4096}, {16, 4096, 4096}, {128, 4096, 4096}, {512, 2048, 2048}, {2048, 2048, 2048}};
  for (const auto& dims : shapes) {
    const Call call{"gemm", dims, Dtype::kF32, "onednn"};
    Rotating ours(backend, arena, call);
    PlainOneDnn plain(dims[0], dims[1], dims[2], ours.sets());
    std::vector<double> a, b, ratios;
    for (int i = 0; i < kTurns; ++i) {
      a.push_back(seconds([&] { ours(); }));
      b.push_back(seconds([&] { plain(); }));
      ratios.push_back(b.back() / a.back());
    }
    const double flops = find_operator("gemm").work(call).flops;
    fmt::print("| m={} n={} k={} | {:.1f} | {:.1f} | {:.2f} |\n", dims[0], dims[1], dims[2],
               flops / median(a) / 1e9, flops / median(b) / 1e9, median(ratios));
  }
}

double bandwidth(const Call& call, double time_s) {
  const Work w = find_operator(call.op).work(call);
  return (w.bytes_read + w.bytes_written) / time_s;
}

struct Beside {
  double own, probe, ratio;
};

// A call and the faster kind of a probe, taking turns.
Beside beside(Backend& backend, Arena& arena, const Call& call, const std::string& probe) {
  Rotating ours(backend, arena, call);
  constexpr int64_t kElements = 1 << 26;
  Call against{probe, {kElements, memory_stream::chunks(kElements), 1, 0}, Dtype::kF32, ""};
  Beside best{};
  for (const std::string& kind : backend.implementations(against, nullptr)) {
    against.implementation = kind;
    Arena other(backend, 2);
    Rotating reference(backend, other, against);
    std::vector<double> a, b, ratios;
    for (int i = 0; i < kTurns; ++i) {
      a.push_back(bandwidth(call, seconds([&] { ours(); })));
      b.push_back(bandwidth(against, seconds([&] { reference(); })));
      ratios.push_back(a.back() / b.back());
    }
    if (median(b) > best.probe) best = {median(a), median(b), median(ratios)};
  }
  return best;
}

// Calls that read as much as they write are shown beside the copy probe, too.
void memory_bound(Backend& backend, Arena& arena) {
  fmt::print(
      "\n| memory-bound f32 | GB/s | held against | GB/s | ratio | of stream_copy |\n"
      "|---|---|---|---|---|---|\n");
  struct Case {
    Call call;
    std::string probe;
    bool copies;
  };
  const std::vector<Case> cases{
      {{"add", {16384, 4096}, Dtype::kF32, ""}, "stream_triad", false},
      {{"rmsnorm", {16384, 4096}, Dtype::kF32, ""}, "stream_triad", true},
      {{"softmax", {16384, 4096}, Dtype::kF32, ""}, "stream_triad", true},
      {{"layernorm", {16384, 4096}, Dtype::kF32, ""}, "stream_triad", true},
      {{"gelu", {16384, 4096}, Dtype::kF32, ""}, "stream_triad", true},
      {{"silu_mul", {16384, 4096}, Dtype::kF32, ""}, "stream_triad", false},
      {{"attention_decode", {8, 8192, 32, 8, 128}, Dtype::kF32, ""}, "stream_read", false}};
  for (const auto& [call, probe, copies] : cases) {
    for (const std::string& implementation : backend.implementations(call, nullptr)) {
      Call one = call;
      one.implementation = implementation;
      const Beside b = beside(backend, arena, one, probe);
      const std::string of_copy =
          copies ? fmt::format("{:.2f}", beside(backend, arena, one, "stream_copy").ratio) : "";
      fmt::print("| {} | {:.1f} | {} | {:.1f} | {:.2f} | {} |\n", to_string(one), b.own / 1e9,
                 probe, b.probe / 1e9, b.ratio, of_copy);
    }
  }
}

void sampler_overhead(Backend& backend) {
  fmt::print(
      "\n| sampler | call | timed | wall | not spent in the call |\n|---|---|---|---|---|\n");
  for (const Call& call : {Call{"gemm", {128, 2048, 2048}, Dtype::kF32, ""},
                           Call{"gemm", {512, 4096, 4096}, Dtype::kF32, ""}}) {
    Sampler sampler(backend, {.relative_ci = 0, .time_budget_s = 2, .max_samples = 100000});
    (void)sampler.measure(call);  // the arena is made once per run, not per call
    const Measurement m = sampler.measure(call);
    double timed = 0;
    for (double s : m.samples_s) timed += s * m.launches_per_sample;
    fmt::print("| {} | {:.2f} ms | {:.2f} s | {:.2f} s | {:.1f} % |\n", to_string(call),
               summarize(m.samples_s).median_s * 1e3, timed, m.wall_s,
               100 * (1 - timed / m.wall_s));
  }
}

}  // namespace

int main() {
  const auto backend = open_cpu_backend();
  fmt::print("{}, {} threads\n\n", backend->device().name, backend->device().units);
  Arena arena(*backend, 1);
  gemms(*backend, arena);
  memory_bound(*backend, arena);
  sampler_overhead(*backend);
}
