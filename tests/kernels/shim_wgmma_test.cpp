#include "tests/shim/cuda_shim.h"
// After the shim:
#include "kernels/fma_peak/wgmma.cuh"
#include "tests/shim/reference.h"

namespace ridge {
namespace {

// wgmma.mma_async.m64n256 as the PTX ISA describes it, one thread's part at a time: operands by
// their descriptors, sums by the figures of the register fragments.
template <class T, class Element>
struct Described {
  using Sum = T;
  static constexpr int kRoundsPerFold = 2;

  static uint32_t address(const void* p) {
    return static_cast<uint32_t>(static_cast<const unsigned char*>(p) -
                                 cuda::dynamic_shared_bytes());
  }
  static void publish() {}
  static void begin(T (&)[128]) {}
  static void finish(T (&)[128]) {}

  static const Element* sixteen_bytes(uint64_t descriptor, int row, int half) {
    EXPECT_EQ(descriptor >> 62, 0u) << "swizzled";
    const uint64_t start = (descriptor & 0x3FFF) * 16;
    const uint64_t leading = (descriptor >> 16 & 0x3FFF) * 16;
    const uint64_t stride = (descriptor >> 32 & 0x3FFF) * 16;
    const uint64_t at = start + static_cast<uint64_t>(row / 8) * stride +
                        static_cast<uint64_t>(half) * leading + static_cast<uint64_t>(row % 8) * 16;
    return reinterpret_cast<const Element*>(cuda::dynamic_shared_bytes() + at);
  }
  static void step(T (&d)[128], uint64_t a, uint64_t b) {
    const int warp = static_cast<int>(threadIdx.x) / 32, lane = static_cast<int>(threadIdx.x) % 32;
    for (int i = 0; i < 128; ++i) {
      const int row = warp * 16 + lane / 4 + (i & 2 ? 8 : 0);
      const int column = i / 4 * 8 + lane % 4 * 2 + (i & 1);
      for (int half = 0; half < 2; ++half) {
        const Element *left = sixteen_bytes(a, row, half), *right = sixteen_bytes(b, column, half);
        for (std::size_t k = 0; k < 16 / sizeof(Element); ++k)
          d[i] += static_cast<T>(left[k]) * static_cast<T>(right[k]);
      }
    }
  }
};

template <class T, class Element>
void check(Dtype dtype) {
  using namespace fma_peak;
  for (int64_t units : {1, 18})
    for (int rounds : {1, 3}) {
      shim::Case test({"mma_peak", {units, rounds}, dtype, "wgmma"});
      const auto grid = static_cast<unsigned>((units + kUnitsPerGroup - 1) / kUnitsPerGroup);
      shim::launch({.grid = {grid}, .block = {kGroupThreads}, .shared_bytes = kWgmmaSharedBytes},
                   wgmma_units<Described<T, Element>>, static_cast<const void*>(test.in<char>(0)),
                   static_cast<const void*>(test.in<char>(1)), test.out<T>(0), units, rounds);
      test.check();
    }
}

TEST(ShimWgmma, WarpgroupsCoverWholeUnits) {
  check<float, float>(Dtype::kTf32);
  check<int, int8_t>(Dtype::kInt8);
}

TEST(ShimWgmma, OperandsFitADescriptor) {
  using namespace fma_peak;
  EXPECT_EQ(operand_offset(0, 16), 128);
  EXPECT_EQ(operand_offset(1, 0), 16);
  EXPECT_EQ(operand_offset(8, 0), 256);
  EXPECT_EQ(operand_offset(255, 31), kBytesB - 1);
  EXPECT_EQ(descriptor(0x1400), 0x0000001000080140u);
  EXPECT_LE(3 * (kWgmmaSharedBytes + 1024), 228 * 1024);  // three blocks on a multiprocessor
}

}  // namespace
}  // namespace ridge
