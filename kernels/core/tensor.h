#pragma once
#include <cstdint>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "kernels/core/dtype.h"

namespace ridge {

// What a tensor's random contents must look like.
enum class Fill {
  kUniform,      // reals in [-1, 1); int8 in [-127, 127]
  kIndex,        // int32 in [0, limit)
  kPermutation,  // int32, a random order of 0 … count-1
  kCycle,        // int32, a random tour that begins and ends at place 0: see cycle_step
};

struct TensorSpec {
  std::string name;
  Dtype dtype = Dtype::kF32;
  std::vector<int64_t> shape;  // row-major, last axis contiguous
  Fill fill = Fill::kUniform;
  int64_t index_limit = 0;  // for Fill::kIndex
  // For Fill::kCycle: one place of each whole run of this many elements, at the start of a random
  // one of the run's 64-byte lines, is on the tour and holds the next place; all others hold 0.
  int64_t cycle_step = 16;

  int64_t count() const;  // elements
  int64_t bytes() const;
};

// The host's view of an input, decoded. Large inputs repeat one random block of `period` elements
// (a prime, so that it never lines up with a shape), which lets a reference read any element of a
// tensor of gigabytes without a copy of it on the host: element i is block[(offset + i) % period].
class HostTensor {
 public:
  // A view; `block` must outlive it.
  HostTensor(TensorSpec spec, const double* block, int64_t period, int64_t offset);
  // Owns its values, in full, encoded as on the device.
  HostTensor(TensorSpec spec, std::vector<std::byte> values);

  const TensorSpec& spec() const { return spec_; }
  double at(int64_t index) const {
    return (block_ ? block_ : decoded_.data())[(offset_ + index) % period_];
  }
  // Σ x[i] · at(first + i), fast: the bulk of most references.
  double dot(std::span<const double> x, int64_t first) const;
  // The address of a full, owned copy; null for a periodic view.
  const std::byte* owned_data() const { return owned_.empty() ? nullptr : owned_.data(); }

 private:
  TensorSpec spec_;
  std::vector<std::byte> owned_;
  std::vector<double> decoded_;
  const double* block_ = nullptr;
  int64_t period_ = 1;
  int64_t offset_ = 0;
};

// All elements of an encoded tensor.
std::vector<double> decode(Dtype dtype, const std::vector<std::byte>& values);

// `count` random values of the spec's dtype and fill, encoded.
std::vector<std::byte> random_values(const TensorSpec& spec, int64_t count, std::mt19937_64& rng);

}  // namespace ridge
