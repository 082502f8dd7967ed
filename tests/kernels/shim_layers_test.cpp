// The device code of rope, embedding, kv_cache_write, argmax and lstm, run on the CPU and held
// against the operators' double-precision references: every element, all dtypes, aligned and ragged
// shapes.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <map>
#include <memory>
#include <random>
#include <vector>

#include "kernels/core/operators.h"
#include "tests/shim/cuda_shim.h"
// After the shim:
#include "kernels/argmax/kernels.cuh"
#include "kernels/embedding/embedding.h"
#include "kernels/embedding/kernels.cuh"
#include "kernels/kv_cache_write/kernels.cuh"
#include "kernels/kv_cache_write/kv_cache_write.h"
#include "kernels/lstm/kernels.cuh"
#include "kernels/rope/kernels.cuh"
#include "kernels/rope/rope.h"

namespace ridge {
namespace {

using Bytes = std::vector<std::byte>;

// Random inputs and poisoned outputs of a call, in host memory that `operator new` aligns to 16.
class Case {
 public:
  explicit Case(const Call& call) : call_(call), spec_(find_operator(call.op)) {
    validate(spec_, call);
    std::mt19937_64 rng(5);
    for (const TensorSpec& t : spec_.inputs(call)) {
      memory_.push_back(random_values(t, t.count(), rng));
      inputs_.emplace_back(t, memory_.back());
    }
    for (const TensorSpec& t : spec_.outputs(call))
      outputs_.emplace_back(static_cast<std::size_t>(t.bytes()), std::byte{0xFF});
  }

  template <class T>
  const T* in(std::size_t i) const {
    return reinterpret_cast<const T*>(memory_[i].data());
  }
  template <class T>
  T* out(std::size_t i) {
    return reinterpret_cast<T*>(outputs_[i].data());
  }

  // Every element of every output against the reference.
  void expect_equal() const {
    const auto tensors = spec_.outputs(call_);
    std::vector<Element> elements;
    for (std::size_t t = 0; t < tensors.size(); ++t)
      for (int64_t i = 0; i < tensors[t].count(); ++i) elements.push_back({static_cast<int>(t), i});
    std::vector<double> expected(elements.size());
    spec_.reference(call_, inputs_, elements, expected);
    const double tolerance = spec_.tolerance(call_);
    for (std::size_t e = 0; e < elements.size(); ++e) {
      const auto t = static_cast<std::size_t>(elements[e].tensor);
      const auto size = bytes_per_element(tensors[t].dtype);
      const double got =
          load_element(tensors[t].dtype,
                       outputs_[t].data() + static_cast<std::size_t>(elements[e].index) * size);
      ASSERT_LE(std::fabs(got - expected[e]), tolerance * std::max(1.0, std::fabs(expected[e])))
          << to_string(call_) << " " << tensors[t].name << "[" << elements[e].index << "]";
    }
  }

 private:
  Call call_;
  const OpSpec& spec_;
  std::vector<Bytes> memory_, outputs_;
  std::vector<HostTensor> inputs_;
};

// Calls test(Call, T{}) for every test shape and dtype of an operator, but for shapes that are only
// large: fibers are slow.
template <class F>
void for_each_call(const std::string& op, F test) {
  const OpSpec& spec = find_operator(op);
  for (const auto& dims : spec.test_dims) {
    if (spec.outputs({op, dims, Dtype::kF32, ""}).front().count() > 1 << 20) continue;
    test(Call{op, dims, Dtype::kF32, ""}, float{});
    test(Call{op, dims, Dtype::kF16, ""}, __half{});
    test(Call{op, dims, Dtype::kBf16, ""}, __nv_bfloat16{});
  }
}

shim::Shape shape(const cuda::RowGrid& g, uint64_t seed = 3) {
  return {.grid = g.grid, .block = g.block, .seed = seed};
}

TEST(RowGrid, CoversEveryItemOfEveryRowOnce) {
  for (int64_t rows : {1, 3, 300})
    for (int64_t items : {1, 5, 32, 1000, 5000}) {
      std::map<std::pair<int64_t, int>, int> seen;
      shim::run(shape(cuda::row_grid(rows, items)), [&] {
        for (int i = 0; i < cuda::kItemsPerThread; ++i)
          if (cuda::grid_row() < rows && cuda::grid_item(i) < items)
            ++seen[{cuda::grid_row(), cuda::grid_item(i)}];
      });
      EXPECT_EQ(static_cast<int64_t>(seen.size()), rows * items);
      for (const auto& [where, times] : seen) ASSERT_EQ(times, 1);
    }
}

TEST(EmbeddingKernel, EqualsTheReference) {
  for_each_call("embedding", [](const Call& call, auto) {
    Case one(call);
    const auto d = embedding::dims(call);
    const int64_t row_bytes = d.cols * static_cast<int64_t>(bytes_per_element(call.dtype));
    cuda::with_copy_unit(row_bytes, [&](auto unit) {
      using Unit = decltype(unit);
      const int64_t items = row_bytes / static_cast<int64_t>(sizeof(Unit));
      shim::launch(shape(cuda::row_grid(d.rows, items)), embedding::gather<Unit>,
                   one.in<int32_t>(0), one.in<Unit>(1), one.out<Unit>(0), d.rows,
                   static_cast<int>(items));
    });
    one.expect_equal();
  });
}

TEST(KvCacheWriteKernel, EqualsTheReference) {
  for_each_call("kv_cache_write", [](const Call& call, auto) {
    Case one(call);
    const auto d = kv_cache_write::dims(call);
    const int64_t row_bytes = d.width() * static_cast<int64_t>(bytes_per_element(call.dtype));
    cuda::with_copy_unit(row_bytes, [&](auto unit) {
      using Unit = decltype(unit);
      const int64_t items = row_bytes / static_cast<int64_t>(sizeof(Unit));
      const kv_cache_write::Tensors<Unit> t{one.in<Unit>(0), one.in<Unit>(1), one.in<int32_t>(2),
                                            one.out<Unit>(0), one.out<Unit>(1)};
      shim::launch(shape(cuda::row_grid(d.rows, items, 2)), kv_cache_write::scatter<Unit>, t,
                   d.rows, static_cast<int>(items));
    });
    one.expect_equal();
  });
}

template <int kWidth, class T>
void run_rope(const Call& call) {
  Case one(call);
  const auto d = rope::dims(call);
  const int half = static_cast<int>(d.head_dim / 2);
  const rope::Tensors<T> t{one.in<T>(0), one.in<int32_t>(1), one.in<float>(2), one.out<T>(0)};
  shim::launch(shape(cuda::row_grid(d.rows, d.heads * half / kWidth)), rope::rope<kWidth, T>, t,
               d.rows, static_cast<int>(d.heads), half);
  one.expect_equal();
}

TEST(RopeKernel, EqualsTheReferenceWithPacksAndWithout) {
  int packed = 0;
  for_each_call("rope", [&](const Call& call, auto element) {
    using T = decltype(element);
    constexpr int kWidth = cuda::Pack<T>::kCount;
    run_rope<1, T>(call);
    if (rope::dims(call).head_dim / 2 % kWidth) return;
    run_rope<kWidth, T>(call);
    ++packed;
  });
  EXPECT_GE(packed, 9);
}

// Rows in `parts` parts, twice on the same scratch: the arrival counters must reset themselves.
template <class T>
void run_argmax(const T* x, argmax::Dims d, int parts, int32_t* out) {
  const int step = static_cast<int>(((d.cols + parts - 1) / parts + 63) / 64 * 64);
  const auto blocks = static_cast<unsigned>((d.cols + step - 1) / step);
  std::vector<int2> partial(static_cast<std::size_t>(d.rows) * blocks);
  std::vector<unsigned> arrived(static_cast<std::size_t>(d.rows), 0);
  for (uint64_t seed : {1u, 2u}) {
    std::fill(out, out + d.rows, -1);
    shim::launch({.grid = {static_cast<unsigned>(d.rows), blocks},
                  .block = {argmax::kThreads},
                  .seed = seed},
                 argmax::argmax<T>, x, static_cast<int>(d.cols), step, partial.data(),
                 arrived.data(), out);
  }
}

TEST(ArgmaxKernel, EqualsTheReferenceInOnePartAndInThree) {
  for_each_call("argmax", [](const Call& call, auto element) {
    using T = decltype(element);
    const auto d = argmax::dims(call);
    for (int parts : {1, 3}) {
      Case one(call);
      run_argmax(one.in<T>(0), d, parts, one.out<int32_t>(0));
      one.expect_equal();
    }
  });
}

TEST(ArgmaxKernel, TakesTheLowestOfEquals) {
  const int64_t cols = 1003;
  for (int parts : {1, 4})
    for (int64_t at : {0, 1, 7, 8, 255, 500, 900, 1002}) {
      std::vector<__half> x(cols, __float2half(-1.0f));
      for (int64_t c = at; c < cols; c += 3) x[static_cast<std::size_t>(c)] = __float2half(0.5f);
      int32_t index = -1;
      run_argmax<__half>(x.data(), {1, cols}, parts, &index);
      EXPECT_EQ(index, at) << parts << " parts";
    }
}

TEST(ArgmaxKernel, CombinesMorePartsThanABlockHasThreads) {
  const Call call{"argmax", {2, 64 * 300 - 5}, Dtype::kBf16, ""};
  Case one(call);
  run_argmax(one.in<__nv_bfloat16>(0), argmax::dims(call), 300, one.out<int32_t>(0));
  one.expect_equal();
}

TEST(ArgmaxKernel, GivesTheFirstColumnOfAllMinusInfinity) {
  std::vector<float> x(600, -std::numeric_limits<float>::infinity());
  for (int parts : {1, 3}) {
    int32_t index = -1;
    run_argmax<float>(x.data(), {1, 600}, parts, &index);
    EXPECT_EQ(index, 0);
  }
}

TEST(LstmScaleCopy, ScalesEveryElementExactly) {
  const int64_t count = 1000;
  std::vector<__half> from(count), to(count + 1, __float2half(7.0f));
  for (int64_t i = 0; i < count; ++i)
    from[static_cast<std::size_t>(i)] = __float2half(static_cast<float>(i) / 512 - 1);
  for (unsigned blocks : {1u, 4u}) {
    shim::launch({.grid = {blocks}, .block = {lstm::kPackThreads}}, lstm::scale_copy<__half>,
                 from.data(), to.data(), count, 0.0625f);
    for (std::size_t i = 0; i < from.size(); ++i)
      ASSERT_EQ(__half2float(to[i]), __half2float(from[i]) * 0.0625f);
    EXPECT_EQ(__half2float(to.back()), 7.0f);
  }
}

}  // namespace
}  // namespace ridge
