#include "kernels/cpu/context.h"
#include "kernels/cpu/parallel.h"
#include "kernels/cpu/probe.h"
#include "kernels/cpu/simd.h"
#include "kernels/memory_stream/memory_stream.h"

namespace ridge::memory_stream {
namespace {

using simd::Floats;
using simd::kLanes;

constexpr int kVectors = kPattern / kLanes;  // that a writer's step writes

template <bool kStreaming>
void put(float* p, Floats v) {
  if (kStreaming)
    simd::store_streaming(p, v);
  else
    simd::store(p, v);
}

// One thread's units of work.
struct Share {
  int64_t thread, first, last;
};

// Calls f(Share) in each thread of one parallel region.
template <class F>
void share_out(int threads, double bytes, int64_t units, const F& f) {
  const int team = static_cast<int>(std::min<int64_t>(threads, units));
  if (team <= 1 || bytes < static_cast<double>(kSerialBytes)) {
    f(Share{0, 0, units});
    return;
  }
#pragma omp parallel num_threads(team)
  {
    const int64_t t = omp_get_thread_num(), n = omp_get_num_threads();
    f(Share{t, units * t / n, units * (t + 1) / n});
  }
}

// Calls f(unit, part) in each pass for each unit of the share. Where parts wander, no thread begins
// a pass before all ended the one before, so that none writes what another reads.
template <class F>
void for_passes(const Dims& d, const Share& share, const F& f) {
  const int64_t shift = d.shift % d.parts;
  for (int64_t pass = 0, moved = 0; pass < d.passes; ++pass) {
    for (int64_t unit = share.first; unit < share.last; ++unit)
      f(unit, unit + moved < d.parts ? unit + moved : unit + moved - d.parts);
    asm volatile("" ::: "memory");  // each pass is its own
    if (shift == 0) continue;
    moved = moved + shift < d.parts ? moved + shift : moved + shift - d.parts;
    simd::store_fence();
#pragma omp barrier
  }
}

// Room for a thread's sums, apart from the other threads' so that they share no cache line. In
// double, because repeating a pass repeats its rounding errors.
constexpr int64_t kApart = 32;

void read(int threads, const Dims& d, const float* x, double* sums, float* y) {
  const Parts parts(d.count, d.parts);
  const double bytes = 4.0 * static_cast<double>(d.count) * static_cast<double>(d.passes);
  share_out(threads, bytes, d.parts, [&](const Share& share) {
    if (d.shift % d.parts == 0 && share.last - share.first == 1) {
      const int64_t p = share.first;
      y[p] = static_cast<float>(
          sum_passes(x + parts.first(p), parts.last(p) - parts.first(p), d.passes));
      return;
    }
    double* own = sums + share.thread * kApart;
    std::fill(own + share.first, own + share.last, 0.0);
    for_passes(d, share, [&](int64_t unit, int64_t part) {
      own[unit] += sum_once(x + parts.first(part), parts.last(part) - parts.first(part));
    });
    for (int64_t p = share.first; p < share.last; ++p) y[p] = static_cast<float>(own[p]);
  });
}

// A writer's step: y[i] = source(vector at i) for a whole pattern.
template <bool kStreaming, class Source>
void step(const Source& source, float* y, int64_t i) {
#pragma GCC unroll 16
  for (int k = 0; k < kVectors; ++k) put<kStreaming>(y + i + k * kLanes, source(i, k));
}

// `source` is a copy of its own, which no store can change: it stays in registers.
template <bool kStreaming, class Source>
void write_share(const Source source, float* const y, const Dims& d, const Share& share) {
  const Parts parts(d.count, d.parts);
  const int64_t first = parts.first(share.first), n = parts.last(share.first) - first;
  if (d.shift % d.parts == 0 && share.last - share.first == 1 && n % (2 * kPattern) == 0) {
    int64_t i = 0;
    for (int64_t left = n / (2 * kPattern) * d.passes; left > 0; --left) {
      step<kStreaming>(source, y, first + i);
      step<kStreaming>(source, y, first + i + kPattern);
      i = next_round(i, 2 * kPattern, n);
    }
  } else {
    for_passes(d, share, [&](int64_t, int64_t part) {
      const Source own = source;
      float* const to = y;
      const int64_t last = parts.last(part);
      int64_t i = parts.first(part);
      for (; i + kPattern <= last; i += kPattern) step<kStreaming>(own, to, i);
      for (; i < last; ++i) to[i] = own.single(i);
    });
  }
  simd::store_fence();
}

template <bool kStreaming, class Source>
void write(int threads, const Dims& d, const Source& source, float* y) {
  const double bytes =
      Source::kBytes * static_cast<double>(d.count) * static_cast<double>(d.passes);
  share_out(threads, bytes, d.parts,
            [&](const Share& share) { write_share<kStreaming>(source, y, d, share); });
}

CpuImplementation implementation(const char* op, const char* name,
                                 decltype(CpuImplementation::bind) bind) {
  CpuImplementation own;
  own.op = op;
  own.name = name;
  own.unsupported = [](const CpuContext&, const Call& c) -> std::string {
    return c.dtype == Dtype::kF32 ? "" : "only f32";
  };
  own.bind = std::move(bind);
  return own;
}

const float* input(const Arguments& a, std::size_t i) {
  return static_cast<const float*>(a.inputs[i]);
}
float* output(const Arguments& a) { return static_cast<float*>(a.outputs[0]); }

// What the writers write: vector k of the step at i, or a single element. kBytes per element move.
struct Pattern {
  static constexpr const char* kOp = "stream_write";
  static constexpr double kBytes = 4;
  explicit Pattern(const Arguments& a) : pattern(input(a, 0)) {
    for (int k = 0; k < kVectors; ++k) kept[k] = simd::load(pattern + k * kLanes);
  }
  Floats operator()(int64_t, int k) const { return kept[k]; }
  float single(int64_t i) const { return pattern[i % kPattern]; }
  const float* pattern;
  Floats kept[kVectors];
};
struct Same {
  static constexpr const char* kOp = "stream_copy";
  static constexpr double kBytes = 8;
  explicit Same(const Arguments& a) : x(input(a, 0)) {}
  // Renewed, or the compiler would call memcpy, which chooses its stores itself.
  Floats operator()(int64_t i, int k) const {
    return simd::renewed(simd::load(x + i + k * kLanes));
  }
  float single(int64_t i) const { return x[i]; }
  const float* x;
};
struct Scaled {
  static constexpr const char* kOp = "stream_scale";
  static constexpr double kBytes = 8;
  explicit Scaled(const Arguments& a) : x(input(a, 0)), s(*input(a, 1)) {}
  Floats operator()(int64_t i, int k) const { return s * simd::load(x + i + k * kLanes); }
  float single(int64_t i) const { return s * x[i]; }
  const float* x;
  float s;
};
struct Triad {
  static constexpr const char* kOp = "stream_triad";
  static constexpr double kBytes = 12;
  explicit Triad(const Arguments& a) : b(input(a, 0)), c(input(a, 1)), s(*input(a, 2)) {}
  Floats operator()(int64_t i, int k) const {
    return simd::load(b + i + k * kLanes) + s * simd::load(c + i + k * kLanes);
  }
  float single(int64_t i) const { return b[i] + s * c[i]; }
  const float *b, *c;
  float s;
};

template <bool kStreaming, class Source>
CpuImplementation writer(const char* name) {
  return implementation(Source::kOp, name,
                        [](CpuContext& context, const Call& c, const Arguments& a) {
                          return make_launch([d = dims(c), threads = context.threads, a] {
                            write<kStreaming>(threads, d, Source(a), output(a));
                          });
                        });
}

template <bool kStreaming>
void add_writers(const char* name, std::vector<CpuImplementation>& all) {
  all.push_back(writer<kStreaming, Pattern>(name));
  all.push_back(writer<kStreaming, Same>(name));
  all.push_back(writer<kStreaming, Scaled>(name));
  all.push_back(writer<kStreaming, Triad>(name));
}

}  // namespace

std::vector<CpuImplementation> cpu_implementations() {
  std::vector<CpuImplementation> all{implementation(
      "stream_read", "ridge", [](CpuContext& context, const Call& c, const Arguments& a) {
        const Dims d = dims(c);
        const auto room = static_cast<std::size_t>(d.parts + (context.threads + 1) * kApart);
        return make_launch(
            [d, threads = context.threads, x = input(a, 0), y = output(a),
             sums = std::vector<double>(room)]() mutable { read(threads, d, x, sums.data(), y); });
      })};
  add_writers<true>("nontemporal", all);
  add_writers<false>("plain", all);
  return all;
}

}  // namespace ridge::memory_stream
