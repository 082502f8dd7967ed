#pragma once
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <vector>

#include "kernels/core/backend.h"
#include "kernels/core/op_spec.h"

namespace ridge {

// The tensors of one execution of a call: addresses on the device, and the host's view of the
// inputs, of which index tensors are owned and real tensors are periodic views.
struct Operands {
  Arguments arguments;
  std::vector<HostTensor> inputs;
  std::vector<TensorSpec> outputs;
  std::shared_ptr<Buffer> indices;  // index tensors of all sets, shared by them
};

// What the real inputs hold. Zeros toggle no wires: they show what power costs random values.
enum class Contents { kRandom, kZero };

// Device memory that every call's tensors are cut from: per input dtype one region filled once with
// random values, and one region for outputs. Cutting is free, so thousands of different operand
// sets can be made; sets rotate through the region and come round after all of it was touched.
class Arena {
 public:
  Arena(Backend& backend, uint64_t seed, Contents contents = Contents::kRandom);

  // How many operand sets a rotation needs for its calls to touch `span_bytes` before it comes
  // round, at least 1, at most `limit`. `touched_bytes` is what one call reads and writes: less
  // than its tensors hold where it gathers a few rows of a table.
  static int sets_for(int64_t touched_bytes, int64_t span_bytes, int limit);

  // Operand sets `0 … count-1` of `call`. Each has index tensors of its own; the real ones follow
  // one another through a region that starts over where it exceeds `span_bytes`, by default never.
  // Throws OutOfMemory.
  std::vector<Operands> operands(const OpSpec& spec, const Call& call, int count,
                                 int64_t span_bytes = int64_t{1} << 50);

  // Frees all regions; operands made before are void.
  void release();

  // The random block of a dtype: what inputs of it repeat.
  struct Block {
    std::vector<std::byte> values;  // encoded
    std::vector<double> decoded;
    int64_t period = 0;  // elements, a prime
  };

 private:
  struct Region {
    std::unique_ptr<Buffer> buffer;
    Block block;
  };
  const Block& block(Dtype dtype);
  Region& input_region(Dtype dtype, int64_t bytes);
  void* output_region(int64_t bytes);
  void reserve(int64_t bytes);
  void fill_set(Operands& set, const std::vector<TensorSpec>& inputs, std::map<Dtype, int64_t> at,
                std::byte* indices);

  Backend& backend_;
  std::mt19937_64 rng_;
  Contents contents_;
  std::map<Dtype, Block> blocks_;
  std::map<Dtype, Region> inputs_;
  std::unique_ptr<Buffer> outputs_;
};

}  // namespace ridge
