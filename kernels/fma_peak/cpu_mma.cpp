#include "kernels/fma_peak/cpu_mma.h"

#include "kernels/cpu/parallel.h"
#include "kernels/cpu/simd.h"
#include "kernels/fma_peak/fma_peak.h"

namespace ridge::fma_peak {
namespace {

using simd::Floats;
using simd::Ints;
using simd::kLanes;

// Always worth all threads.
constexpr int64_t kLongBytes = kSerialBytes;

// What a unit of mma_peak multiplies, laid out for vectors: for each group of four bytes along K,
// one word of each row of A, and one of each column of B.
constexpr int kGroups = kRowBytes / 4;
struct Operands {
  alignas(64) int32_t a[kGroups][kRows];
  alignas(64) int32_t b[kGroups][kColumns];
};

Operands pack(const void* a, const void* b) {
  Operands o;
  const auto word = [](const void* from, int row, int group) {
    int32_t w;
    std::memcpy(&w, static_cast<const char*>(from) + row * kRowBytes + group * 4, 4);
    return w;
  };
  for (int g = 0; g < kGroups; ++g) {
    for (int r = 0; r < kRows; ++r) o.a[g][r] = word(a, r, g);
    for (int c = 0; c < kColumns; ++c) o.b[g][c] = word(b, c, g);
  }
  return o;
}

Ints renewed(Ints v) { return std::bit_cast<Ints>(simd::renewed(std::bit_cast<Floats>(v))); }

struct F32 {
  using Sum = Floats;
  using Element = float;
  static Sum step(Sum sum, Ints a, Ints b) {
    return sum + std::bit_cast<Floats>(a) * std::bit_cast<Floats>(b);
  }
};

#if defined(__AVX512VNNI__)
struct Int8 {
  using Sum = Ints;
  using Element = int32_t;
  // The instruction multiplies unsigned by signed: a must come with 128 added to each byte.
  static Sum step(Sum sum, Ints a, Ints b) {
    return std::bit_cast<Ints>(_mm512_dpbusd_epi32(
        std::bit_cast<__m512i>(sum), std::bit_cast<__m512i>(a), std::bit_cast<__m512i>(b)));
  }
};
#endif

// A block of kTile rows by four vectors of columns stays in registers.
constexpr int kTile = kLanes == 16 ? 4 : 2;

template <class Type>
void mma_block(const Operands& o, int row, int column, int64_t rounds, typename Type::Element* d) {
  using Sum = typename Type::Sum;
  Sum total[kTile][4] = {};
  for (int64_t r = 0; r < rounds; ++r) {
    Sum sum[kTile][4] = {};
    for (int step = 0; step < kStepsPerRound; ++step) {
#pragma GCC unroll 8
      for (int g = 0; g < kGroups; ++g) {
        Ints b[4];
#pragma GCC unroll 4
        for (int v = 0; v < 4; ++v) {
          std::memcpy(&b[v], &o.b[g][column + v * kLanes], sizeof b[v]);
          // Or the products would be found to be the same in every step and round.
          b[v] = renewed(b[v]);
        }
#pragma GCC unroll 4
        for (int t = 0; t < kTile; ++t) {
          // In a register: as a memory operand of each step it would take all the load slots.
          const Ints a = renewed(Ints{} + o.a[g][row + t]);
#pragma GCC unroll 4
          for (int v = 0; v < 4; ++v) sum[t][v] = Type::step(sum[t][v], a, b[v]);
        }
      }
    }
    for (int t = 0; t < kTile; ++t)
      for (int v = 0; v < 4; ++v) total[t][v] += sum[t][v];
  }
  for (int t = 0; t < kTile; ++t)
    for (int v = 0; v < 4; ++v)
      std::memcpy(d + (row + t) * kColumns + column + v * kLanes, &total[t][v], sizeof(Sum));
}

template <class Type>
void mma(int threads, const Operands& o, int64_t units, int64_t rounds, typename Type::Element* d) {
  parallel_ranges(threads, kLongBytes, units, 1, [&](int64_t first, int64_t last) {
    for (int64_t u = first; u < last; ++u)
      for (int row = 0; row < kRows; row += kTile)
        for (int column = 0; column < kColumns; column += 4 * kLanes)
          mma_block<Type>(o, row, column, rounds, d + u * kRows * kColumns);
  });
}

#if defined(__AVX512VNNI__)
void mma_int8(int threads, const void* a, const void* b, UnitDims dims, int32_t* d) {
  Operands o = pack(a, b);
  int32_t extra[kColumns];  // what the added 128 contributes to each column
  for (int c = 0; c < kColumns; ++c) {
    int32_t sum = 0;
    for (int i = 0; i < kRowBytes; ++i) sum += static_cast<const int8_t*>(b)[c * kRowBytes + i];
    extra[c] = static_cast<int32_t>(dims.rounds) * kStepsPerRound * 128 * sum;
  }
  for (auto& group : o.a)
    for (int32_t& word : group) word ^= static_cast<int32_t>(0x80808080u);
  mma<Int8>(threads, o, dims.units, dims.rounds, d);
  // Modulo 2^32: the sum with 128 added may have gone round, the true one has not.
  for (int64_t i = 0; i < dims.units * kRows * kColumns; ++i)
    d[i] = static_cast<int32_t>(static_cast<uint32_t>(d[i]) -
                                static_cast<uint32_t>(extra[i % kColumns]));
}
#endif

std::unique_ptr<Launch> bind_mma(CpuContext& context, const Call& call, const Arguments& a) {
  const UnitDims d = unit_dims(call);
#if defined(__AVX512VNNI__)
  if (call.dtype == Dtype::kInt8)
    return make_launch([=, threads = context.threads, out = static_cast<int32_t*>(a.outputs[0]),
                        in = a.inputs] { mma_int8(threads, in[0], in[1], d, out); });
#endif
  return make_launch(
      [o = pack(a.inputs[0], a.inputs[1]), d, threads = context.threads,
       out = static_cast<float*>(a.outputs[0])] { mma<F32>(threads, o, d.units, d.rounds, out); });
}

}  // namespace

CpuImplementation mma_implementation() {
  CpuImplementation matrix;
  matrix.op = "mma_peak";
  matrix.name = "ridge";
  matrix.unsupported = [](const CpuContext&, const Call& c) -> std::string {
#if defined(__AVX512VNNI__)
    if (c.dtype == Dtype::kInt8) return "";
#endif
    return c.dtype == Dtype::kF32 ? "" : "only f32, and int8 with AVX512-VNNI";
  };
  matrix.bind = bind_mma;
  return matrix;
}

}  // namespace ridge::fma_peak
