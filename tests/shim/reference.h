#pragma once
#include <gtest/gtest.h>

#include <random>
#include <vector>

#include "kernels/core/operators.h"

// Runs device code of an operator on random operands and holds it against the operator's
// double-precision reference, every element.
namespace shim {

class Case {
 public:
  explicit Case(const ridge::Call& call)
      : call_(call), spec_(ridge::find_operator(call.op)), outputs_(spec_.outputs(call)) {
    ridge::validate(spec_, call);
    std::mt19937_64 rng(5);
    for (const ridge::TensorSpec& t : spec_.inputs(call))
      inputs_.emplace_back(t, ridge::random_values(t, t.count(), rng));
    // 16-byte aligned as on the device; kGuard bytes behind each output must stay as they are.
    for (const ridge::TensorSpec& t : outputs_)
      memory_.emplace_back((static_cast<std::size_t>(t.bytes()) + kGuard + 15) / 16, Aligned{});
    for (auto& m : memory_) std::memset(m.data(), 0xFF, m.size() * sizeof(Aligned));
    for (const ridge::HostTensor& t : inputs_) {
      copies_.emplace_back((static_cast<std::size_t>(t.spec().bytes()) + 15) / 16, Aligned{});
      std::memcpy(copies_.back().data(), t.owned_data(),
                  static_cast<std::size_t>(t.spec().bytes()));
    }
  }

  template <class T>
  const T* in(std::size_t i) const {
    return reinterpret_cast<const T*>(copies_[i].data());
  }
  template <class T>
  T* out(std::size_t i) {
    return reinterpret_cast<T*>(memory_[i].data());
  }

  void check() const {
    double difference = 0, magnitude = 0;
    for (std::size_t t = 0; t < outputs_.size(); ++t) {
      std::vector<ridge::Element> elements;
      for (int64_t i = 0; i < outputs_[t].count(); ++i)
        elements.push_back({static_cast<int>(t), i});
      std::vector<double> expected(elements.size());
      spec_.reference(call_, inputs_, elements, expected);
      const auto* base = reinterpret_cast<const std::byte*>(memory_[t].data());
      const std::size_t size = ridge::bytes_per_element(outputs_[t].dtype);
      for (std::size_t i = 0; i < expected.size(); ++i) {
        const double got = ridge::load_element(outputs_[t].dtype, base + i * size);
        ASSERT_FALSE(std::isnan(got))
            << to_string(call_) << ": element " << i << " of output " << t;
        difference += (got - expected[i]) * (got - expected[i]);
        magnitude += expected[i] * expected[i];
      }
      for (std::size_t i = expected.size() * size; i < expected.size() * size + kGuard; ++i)
        ASSERT_EQ(base[i], std::byte{0xFF}) << to_string(call_) << ": written past the end";
    }
    EXPECT_LE(std::sqrt(difference), spec_.tolerance(call_) * std::sqrt(magnitude))
        << to_string(call_);
  }

 private:
  static constexpr std::size_t kGuard = 64;
  struct alignas(16) Aligned {
    std::byte bytes[16];
  };
  ridge::Call call_;
  const ridge::OpSpec& spec_;
  std::vector<ridge::TensorSpec> outputs_;
  std::vector<ridge::HostTensor> inputs_;
  std::vector<std::vector<Aligned>> copies_, memory_;
};

}  // namespace shim
