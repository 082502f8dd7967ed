// Compiled for sm_90a alone, the only architecture that has wgmma (cuda_plugin.cmake).
#include "kernels/cuda/check.h"
#include "kernels/fma_peak/cuda_mma.h"
#include "kernels/fma_peak/wgmma.cuh"

namespace ridge::fma_peak {
namespace {

#define RIDGE_16(f, i)                                                                            \
  f(i), f(i + 1), f(i + 2), f(i + 3), f(i + 4), f(i + 5), f(i + 6), f(i + 7), f(i + 8), f(i + 9), \
      f(i + 10), f(i + 11), f(i + 12), f(i + 13), f(i + 14), f(i + 15)
#define RIDGE_128(f)                                                                  \
  RIDGE_16(f, 0), RIDGE_16(f, 16), RIDGE_16(f, 32), RIDGE_16(f, 48), RIDGE_16(f, 64), \
      RIDGE_16(f, 80), RIDGE_16(f, 96), RIDGE_16(f, 112)
#define RIDGE_FLOAT(i) "+f"(d[i])
#define RIDGE_INT(i) "+r"(d[i])
#define RIDGE_SUMS                                                                     \
  "{%0,%1,%2,%3,%4,%5,%6,%7,%8,%9,%10,%11,%12,%13,%14,%15,%16,%17,%18,%19,%20,%21,"    \
  "%22,%23,%24,%25,%26,%27,%28,%29,%30,%31,%32,%33,%34,%35,%36,%37,%38,%39,%40,%41,"   \
  "%42,%43,%44,%45,%46,%47,%48,%49,%50,%51,%52,%53,%54,%55,%56,%57,%58,%59,%60,%61,"   \
  "%62,%63,%64,%65,%66,%67,%68,%69,%70,%71,%72,%73,%74,%75,%76,%77,%78,%79,%80,%81,"   \
  "%82,%83,%84,%85,%86,%87,%88,%89,%90,%91,%92,%93,%94,%95,%96,%97,%98,%99,%100,%101," \
  "%102,%103,%104,%105,%106,%107,%108,%109,%110,%111,%112,%113,%114,%115,%116,%117,"   \
  "%118,%119,%120,%121,%122,%123,%124,%125,%126,%127}"

// Holds the compiler from moving uses of the sums across: they change while instructions run on.
__device__ void pin(float (&d)[kWgmmaSums]) { asm volatile("" : RIDGE_128(RIDGE_FLOAT)::"memory"); }
__device__ void pin(int (&d)[kWgmmaSums]) { asm volatile("" : RIDGE_128(RIDGE_INT)::"memory"); }

template <class T>
struct Hopper {
  using Sum = T;
  static __device__ uint32_t address(const void* p) {
    return static_cast<uint32_t>(__cvta_generic_to_shared(p));
  }
  // Operands were written by ordinary stores, which the tensor cores see only after this.
  static __device__ void publish() { asm volatile("fence.proxy.async.shared::cta;" ::: "memory"); }
  static __device__ void begin(T (&d)[kWgmmaSums]) {
    pin(d);
    asm volatile("wgmma.fence.sync.aligned;" ::: "memory");
  }
  static __device__ void finish(T (&d)[kWgmmaSums]) {
    asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory");
    asm volatile("wgmma.wait_group.sync.aligned 0;" ::: "memory");
    pin(d);
  }
};

// D += A·B^T: the first operand after the descriptors says that D is added to. `tail`: factors 1
// for A and B, and, where the instruction takes both orders, that both are K-major.
template <Dtype dtype>
struct Wgmma;
#define RIDGE_WGMMA(dtype, type, operand, rounds, shape, tail)                                     \
  template <>                                                                                      \
  struct Wgmma<dtype> : Hopper<type> {                                                             \
    static constexpr int kRoundsPerFold = rounds;                                                  \
    static __device__ void step(type (&d)[kWgmmaSums], uint64_t a, uint64_t b) {                   \
      asm volatile("wgmma.mma_async.sync.aligned." shape " " RIDGE_SUMS ", %128, %129, 1" tail ";" \
                   : RIDGE_128(operand)                                                            \
                   : "l"(a), "l"(b));                                                              \
    }                                                                                              \
  };

// 1024 steps lose at most 2^-14 of an f32 sum; fp8's, of 14 bits, are folded after 64. Sums of int8
// stay exact, and inside int32 for as many rounds as are allowed.
RIDGE_WGMMA(Dtype::kF16, float, RIDGE_FLOAT, 16, "m64n256k16.f32.f16.f16", ", 1, 1, 0, 0")
RIDGE_WGMMA(Dtype::kBf16, float, RIDGE_FLOAT, 16, "m64n256k16.f32.bf16.bf16", ", 1, 1, 0, 0")
RIDGE_WGMMA(Dtype::kTf32, float, RIDGE_FLOAT, 16, "m64n256k8.f32.tf32.tf32", ", 1, 1")
RIDGE_WGMMA(Dtype::kF8E4M3, float, RIDGE_FLOAT, 1, "m64n256k32.f32.e4m3.e4m3", ", 1, 1")
RIDGE_WGMMA(Dtype::kInt8, int, RIDGE_INT, kMaxInt8Rounds, "m64n256k32.s32.s8.s8", "")

template <Dtype dtype>
std::unique_ptr<Launch> bind_groups(CudaContext& context, const Call& c, const Arguments& a) {
  using M = Wgmma<dtype>;
  const auto [units, rounds] = unit_dims(c);
  RIDGE_CUDA(cudaFuncSetAttribute(wgmma_units<M>, cudaFuncAttributeMaxDynamicSharedMemorySize,
                                  kWgmmaSharedBytes));
  return make_launch(
      [n = units, r = static_cast<int>(rounds), stream = context.stream,
       grid = static_cast<unsigned>((units + kUnitsPerGroup - 1) / kUnitsPerGroup),
       left = a.inputs[0], right = a.inputs[1], d = static_cast<typename M::Sum*>(a.outputs[0])] {
        wgmma_units<M><<<grid, kGroupThreads, kWgmmaSharedBytes, stream>>>(left, right, d, n, r);
        RIDGE_CUDA(cudaGetLastError());
      },
      "wgmma");
}

std::string unsupported(const CudaContext& context, const Call& c) {
  if (context.sm() != 90) return "only sm_90 has wgmma";
  switch (c.dtype) {
    case Dtype::kF16:
    case Dtype::kBf16:
    case Dtype::kTf32:
    case Dtype::kF8E4M3:
    case Dtype::kInt8:
      return "";
    default:
      return "wgmma has no " + std::string(name(c.dtype));
  }
}

std::unique_ptr<Launch> bind(CudaContext& context, const Call& c, const Arguments& a) {
  switch (c.dtype) {
    case Dtype::kF16:
      return bind_groups<Dtype::kF16>(context, c, a);
    case Dtype::kBf16:
      return bind_groups<Dtype::kBf16>(context, c, a);
    case Dtype::kTf32:
      return bind_groups<Dtype::kTf32>(context, c, a);
    case Dtype::kInt8:
      return bind_groups<Dtype::kInt8>(context, c, a);
    default:
      return bind_groups<Dtype::kF8E4M3>(context, c, a);
  }
}

}  // namespace

CudaImplementation wgmma_implementation() {
  CudaImplementation matrix;
  matrix.op = "mma_peak";
  matrix.name = "wgmma";
  matrix.unsupported = unsupported;
  matrix.bind = bind;
  return matrix;
}

}  // namespace ridge::fma_peak
