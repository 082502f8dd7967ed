// Operands: sets lie apart and aligned, and the host's view of an input is what the device holds.
#include "profilers/arena.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>

#include "kernels/cpu/cpu_backend.h"
#include "tests/profilers/fake_backend.h"
#include "tests/profilers/test_spec.h"

namespace ridge {
namespace {

struct Span {
  const std::byte* begin;
  const std::byte* end;
};

std::vector<Span> spans(const OpSpec& spec, const Call& call, const std::vector<Operands>& sets) {
  std::vector<Span> all;
  auto add = [&](const void* address, const TensorSpec& t) {
    const auto* begin = static_cast<const std::byte*>(address);
    all.push_back({begin, begin + t.bytes()});
  };
  const auto inputs = spec.inputs(call), outputs = spec.outputs(call);
  for (const Operands& set : sets) {
    for (std::size_t i = 0; i < inputs.size(); ++i) add(set.arguments.inputs.at(i), inputs[i]);
    for (std::size_t i = 0; i < outputs.size(); ++i) add(set.arguments.outputs.at(i), outputs[i]);
  }
  return all;
}

TEST(Arena, SetsAreDisjointAndAligned) {
  FakeBackend fake;
  Arena arena(fake, 1);
  const OpSpec spec = copy_spec(true);
  for (Dtype dtype : spec.dtypes)
    for (const std::vector<int64_t>& dims :
         {std::vector<int64_t>{1, 1}, {3, 7}, {5, 1000}, {64, 256}}) {
      const Call call{spec.name, dims, dtype, ""};
      const auto sets = arena.operands(spec, call, 9);
      ASSERT_EQ(sets.size(), 9u);
      std::vector<Span> all = spans(spec, call, sets);
      std::sort(all.begin(), all.end(), [](Span a, Span b) { return a.begin < b.begin; });
      for (std::size_t i = 0; i < all.size(); ++i) {
        EXPECT_EQ(reinterpret_cast<std::uintptr_t>(all[i].begin) % 256, 0u);
        if (i > 0) {
          EXPECT_LE(all[i - 1].end, all[i].begin);
        }
      }
    }
}

// Every input of every set, at random places, its ends, and both sides of each period boundary.
void expect_views_match(Backend& backend, const OpSpec& spec, const Call& call, int count) {
  constexpr int64_t kPeriod = 1048583;
  Arena arena(backend, 5);
  std::mt19937_64 rng(3);
  for (const Operands& set : arena.operands(spec, call, count)) {
    for (std::size_t t = 0; t < set.inputs.size(); ++t) {
      const TensorSpec& tensor = set.inputs[t].spec();
      const auto size = static_cast<int64_t>(bytes_per_element(tensor.dtype));
      std::set<int64_t> places{0, tensor.count() - 1};
      for (int64_t at = kPeriod; at < tensor.count(); at += kPeriod)
        places.insert({at - 1, at, at + 1});
      std::uniform_int_distribution<int64_t> any(0, tensor.count() - 1);
      for (int i = 0; i < 500; ++i) places.insert(any(rng));
      for (int64_t at : places) {
        std::byte element[8];
        if (at >= tensor.count()) continue;
        backend.download(element,
                         static_cast<const std::byte*>(set.arguments.inputs[t]) + at * size, size);
        ASSERT_EQ(load_element(tensor.dtype, element), set.inputs[t].at(at))
            << tensor.name << "[" << at << "] " << name(tensor.dtype);
      }
    }
  }
}

TEST(Arena, HostViewIsWhatTheDeviceHolds) {
  const OpSpec spec = copy_spec(true);
  for (Dtype dtype : spec.dtypes) {
    FakeBackend fake;
    expect_views_match(fake, spec, {spec.name, {1500, 999}, dtype, ""}, 3);  // beyond the period
    expect_views_match(fake, spec, {spec.name, {3, 7}, dtype, ""}, 50);
  }
}

TEST(Arena, HostViewIsWhatTheCpuHoldsInEveryPeriod) {
  const OpSpec spec = copy_spec();
  const auto cpu = open_cpu_backend();
  expect_views_match(*cpu, spec, {spec.name, {5, 1 << 20}, Dtype::kF16, ""}, 2);
}

TEST(Arena, ValuesVaryWithinATensorAndBetweenSets) {
  FakeBackend fake;
  Arena arena(fake, 5);
  const OpSpec spec = copy_spec();
  const auto sets = arena.operands(spec, {spec.name, {8, 128}, Dtype::kF32, ""}, 2);
  std::set<double> values;
  int same = 0;
  for (int64_t i = 0; i < 1024; ++i) {
    values.insert(sets[0].inputs[0].at(i));
    same += sets[0].inputs[0].at(i) == sets[1].inputs[0].at(i);
  }
  EXPECT_GT(values.size(), 1000u);  // constant inputs would draw less power than real ones
  EXPECT_LT(same, 10);
  EXPECT_LT(*values.begin(), -0.9);
  EXPECT_GT(*values.rbegin(), 0.9);
}

TEST(Arena, PermutationsAndIndicesAreWhatTheySay) {
  FakeBackend fake;
  Arena arena(fake, 5);
  const OpSpec spec = copy_spec(true);
  std::set<std::vector<double>> orders;
  for (const Operands& set : arena.operands(spec, {spec.name, {300, 4}, Dtype::kF16, ""}, 4)) {
    std::set<double> order, index;
    std::vector<double> sequence;
    for (int64_t i = 0; i < 300; ++i) {
      order.insert(set.inputs[2].at(i));
      index.insert(set.inputs[3].at(i));
      sequence.push_back(set.inputs[2].at(i));
    }
    EXPECT_EQ(order.size(), 300u);
    EXPECT_EQ(*order.begin(), 0);
    EXPECT_EQ(*order.rbegin(), 299);
    EXPECT_EQ(index.size(), 10u);
    EXPECT_EQ(*index.begin(), 0);
    EXPECT_EQ(*index.rbegin(), 9);
    orders.insert(sequence);
  }
  EXPECT_EQ(orders.size(), 4u) << "each set has its own order";
}

TEST(Arena, SameSeedSameValues) {
  const OpSpec spec = copy_spec(true);
  const Call call{spec.name, {20, 30}, Dtype::kBf16, ""};
  FakeBackend a, b;
  Arena first(a, 8), second(b, 8);
  const auto x = first.operands(spec, call, 2), y = second.operands(spec, call, 2);
  for (std::size_t set = 0; set < 2; ++set)
    for (std::size_t t = 0; t < 4; ++t)
      for (int64_t i = 0; i < x[set].inputs[t].spec().count(); ++i)
        ASSERT_EQ(x[set].inputs[t].at(i), y[set].inputs[t].at(i));
}

TEST(Arena, RotationSpansWhatIsAsked) {
  EXPECT_EQ(Arena::sets_for(1000, 4000, 100), 5);  // beyond the span by one, so that none is in it
  EXPECT_EQ(Arena::sets_for(1000, 4000, 3), 3);
  EXPECT_EQ(Arena::sets_for(5000, 4000, 100), 1);
  EXPECT_EQ(Arena::sets_for(0, 4000, 100), 100);
  for (int64_t footprint : {1, 7, 999, 1000, 12345})
    EXPECT_GE(footprint * Arena::sets_for(footprint, 4000, 1 << 20), 4000);
}

TEST(Arena, FullMemoryThrowsAndTheNextCallStillGetsItsOwn) {
  FakeBackend fake;
  fake.info.memory_bytes = 1 << 20;
  Arena arena(fake, 1);
  const OpSpec spec = copy_spec();
  EXPECT_THROW((void)arena.operands(spec, {spec.name, {1000, 1000}, Dtype::kF32, ""}, 1),
               OutOfMemory);
  const auto sets = arena.operands(spec, {spec.name, {100, 100}, Dtype::kF32, ""}, 2);
  EXPECT_EQ(sets.size(), 2u);
}

TEST(Arena, GivesUpOtherDtypesMemoryForACallThatNeedsIt) {
  FakeBackend fake;
  fake.info.memory_bytes = 10 << 20;
  Arena arena(fake, 1);
  const OpSpec spec = copy_spec();
  // 4 MiB in and 4 MiB out, of 10, for each dtype in turn.
  for (Dtype dtype : {Dtype::kF32, Dtype::kTf32, Dtype::kInt32})
    EXPECT_NO_THROW((void)arena.operands(spec, {spec.name, {1000, 1040}, dtype, ""}, 1))
        << name(dtype);
}

}  // namespace
}  // namespace ridge
