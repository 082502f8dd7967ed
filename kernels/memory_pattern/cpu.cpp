#include "kernels/cpu/context.h"
#include "kernels/cpu/parallel.h"
#include "kernels/cpu/simd.h"
#include "kernels/memory_pattern/memory_pattern.h"

namespace ridge::memory_pattern {
namespace {

using simd::Floats;
using simd::kLanes;

// Rows are of whole vectors of at most half the least row.
using Half = float __attribute__((vector_size(32)));
constexpr int kHalf = 8;

Half load_half(const float* p) {
  Half v;
  std::memcpy(&v, p, sizeof v);
  return v;
}

// Opaque, so that it stays a loop of plain loads, two or more in a cycle: vectors that are gathered
// from single elements are slower.
float sum_strided(const float* x, int64_t n, int64_t stride) {
  constexpr int kSums = 8;  // independent
  float sums[kSums] = {};
  int64_t i = 0;
  for (; i + kSums <= n; i += kSums, x += kSums * stride) {
#pragma GCC unroll 8
    for (int s = 0; s < kSums; ++s) sums[s] += simd::opaque(x[s * stride]);
  }
  for (; i < n; ++i, x += stride) sums[0] += *x;
  float sum = 0;
  for (float s : sums) sum += s;
  return sum;
}

float sum_row(const float* x, int64_t n) {
  Floats sums = {};
  for (int64_t i = 0; i < n; i += kLanes) sums += simd::load(x + i);
  return simd::sum(sums);
}

void stride_read(int threads, const StrideDims& d, const float* x, float* y) {
  parallel_ranges(threads, 4 * d.count, d.chunks(), 1, [&](int64_t first, int64_t last) {
    for (int64_t c = first; c < last; ++c) {
      const int64_t at = c * kStrideChunk, n = std::min(kStrideChunk, d.count - at);
      if (d.stride == 1 && n % kLanes == 0)
        y[c] = sum_row(x + at, n);
      else
        y[c] = sum_strided(x + at * d.stride, n, d.stride);
    }
  });
}

// The processor finds the next rows itself, as far as it looks ahead; asking for rows farther on
// keeps more of them under way.
constexpr int64_t kAhead = 64;

template <int kRow>
float sum_rows(const float* table, const int32_t* index, int64_t n, int64_t readable) {
  Half sums[4] = {};
  for (int64_t r = 0; r < n; ++r) {
    if (r + kAhead < readable) {
      const float* later = table + int64_t{index[r + kAhead]} * kRow;
      for (int j = 0; j < kRow; j += 16) __builtin_prefetch(later + j);
    }
    const float* row = table + int64_t{index[r]} * kRow;
#pragma GCC unroll 4
    for (int j = 0; j < kRow / kHalf; ++j) sums[j] += load_half(row + j * kHalf);
  }
  const Half all = (sums[0] + sums[1]) + (sums[2] + sums[3]);
  float sum = 0;
  for (int i = 0; i < kHalf; ++i) sum += all[i];
  return sum;
}

template <int kRow>
void gather(int threads, const RowDims& d, const float* table, const int32_t* index, float* y) {
  parallel_ranges(threads, d.rows * d.row_bytes, d.chunks(), 1, [=](int64_t first, int64_t last) {
    for (int64_t c = first; c < last; ++c) {
      const int64_t at = c * kRowChunk;
      y[c] = sum_rows<kRow>(table, index + at, std::min(kRowChunk, d.rows - at), d.rows - at);
    }
  });
}

template <int kRow, bool kStreaming>
void scatter(int threads, const RowDims& d, const float* pattern, const int32_t* index,
             float* table) {
  parallel_ranges(threads, d.rows * d.row_bytes, d.rows, kRowChunk,
                  [=](int64_t first, int64_t last) {
                    for (int64_t r = first; r < last; ++r) {
                      float* row = table + int64_t{index[r]} * kRow;
                      constexpr int kStep = kRow < kLanes ? kRow : kLanes;
#pragma GCC unroll 8
                      for (int j = 0; j < kRow; j += kStep) {
                        const float* from = pattern + (kPhase * r + j) % kPattern;
                        if constexpr (kStreaming)
                          simd::store_streaming(row + j, simd::load(from));
                        else
                          std::memcpy(row + j, from, kStep * sizeof(float));
                      }
                    }
                    simd::store_fence();
                  });
}

CpuImplementation implementation(const char* op, const char* name,
                                 decltype(CpuImplementation::bind) bind) {
  CpuImplementation own;
  own.op = op;
  own.name = name;
  own.unsupported = [](const CpuContext&, const Call&) { return std::string(); };
  own.bind = std::move(bind);
  return own;
}

template <class T>
const T* input(const Arguments& a, std::size_t i) {
  return static_cast<const T*>(a.inputs[i]);
}
float* output(const Arguments& a) { return static_cast<float*>(a.outputs[0]); }

// f<elements of a row>().
template <class F>
void with_row(const RowDims& d, const F& f) {
  if (d.row_bytes == 32) f.template operator()<8>();
  if (d.row_bytes == 64) f.template operator()<16>();
  if (d.row_bytes == 128) f.template operator()<32>();
}

template <bool kStreaming>
CpuImplementation scatterer(const char* name) {
  auto own =
      implementation("scatter", name, [](CpuContext& context, const Call& c, const Arguments& a) {
        return make_launch([d = row_dims(c), threads = context.threads, a] {
          with_row(d, [&]<int kRow>() {
            if constexpr (!kStreaming || kRow >= kLanes)
              scatter<kRow, kStreaming>(threads, d, input<float>(a, 0), input<int32_t>(a, 1),
                                        output(a));
          });
        });
      });
  if (kStreaming)
    own.unsupported = [](const CpuContext&, const Call& c) -> std::string {
      return row_dims(c).row_bytes >= 64 ? "" : "row_bytes=32 is less than a line";
    };
  return own;
}

}  // namespace

std::vector<CpuImplementation> cpu_implementations() {
  return {implementation("stride_read", "ridge",
                         [](CpuContext& context, const Call& c, const Arguments& a) {
                           return make_launch([d = stride_dims(c), threads = context.threads, a] {
                             stride_read(threads, d, input<float>(a, 0), output(a));
                           });
                         }),
          implementation("gather", "ridge",
                         [](CpuContext& context, const Call& c, const Arguments& a) {
                           return make_launch([d = row_dims(c), threads = context.threads, a] {
                             with_row(d, [&]<int kRow>() {
                               gather<kRow>(threads, d, input<float>(a, 0), input<int32_t>(a, 1),
                                            output(a));
                             });
                           });
                         }),
          scatterer<false>("plain"), scatterer<true>("nontemporal")};
}

}  // namespace ridge::memory_pattern
