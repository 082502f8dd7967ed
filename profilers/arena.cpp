#include "profilers/arena.h"

#include <algorithm>

#include "kernels/core/error.h"

namespace ridge {
namespace {

constexpr int64_t kAlignment = 256;
constexpr int64_t kPeriod = 1048583;  // the first prime above 2^20

int64_t aligned(int64_t bytes) { return (bytes + kAlignment - 1) / kAlignment * kAlignment; }

}  // namespace

Arena::Arena(Backend& backend, uint64_t seed, Contents contents)
    : backend_(backend), rng_(seed), contents_(contents) {}

int Arena::sets_for(int64_t touched_bytes, int64_t span_bytes, int limit) {
  const int64_t sets = span_bytes / std::max<int64_t>(touched_bytes, 1) + 1;
  return static_cast<int>(std::clamp<int64_t>(sets, 1, limit));
}

const Arena::Block& Arena::block(Dtype dtype) {
  Block& b = blocks_[dtype];
  if (b.period == 0) {
    b.values = random_values({.name = "random", .dtype = dtype}, kPeriod, rng_);
    if (contents_ == Contents::kZero) std::fill(b.values.begin(), b.values.end(), std::byte{0});
    b.decoded = decode(dtype, b.values);
    b.period = kPeriod;
  }
  return b;
}

Arena::Region& Arena::input_region(Dtype dtype, int64_t bytes) {
  Region& region = inputs_[dtype];
  if (region.buffer && region.buffer->bytes() >= bytes) return region;
  const Block& source = block(dtype);
  region.buffer.reset();
  const int64_t period_bytes = static_cast<int64_t>(source.values.size());
  region.buffer = backend_.allocate(bytes);
  auto* base = static_cast<std::byte*>(region.buffer->address());
  backend_.upload(base, source.values.data(), std::min(bytes, period_bytes));
  // Doubling whole periods keeps every copy's source and target disjoint and the phase right.
  for (int64_t done = period_bytes; done < bytes; done *= 2)
    backend_.copy(base + done, base, std::min(done, bytes - done));
  return region;
}

void* Arena::output_region(int64_t bytes) {
  if (!outputs_ || outputs_->bytes() < bytes) {
    outputs_.reset();
    outputs_ = backend_.allocate(bytes);
    backend_.fill(outputs_->address(), 0xFF, bytes);
  }
  return outputs_->address();
}

// Frees regions that stand in the way of a call that needs nearly all of the memory.
void Arena::reserve(int64_t bytes) {
  if (backend_.free_memory_bytes() <= bytes + bytes / 8) release();
}

void Arena::release() {
  inputs_.clear();
  outputs_.reset();
}

// Appends the inputs of one set: real ones from byte `at` of their dtype's region, index tensors at
// `indices`.
void Arena::fill_set(Operands& set, const std::vector<TensorSpec>& inputs,
                     std::map<Dtype, int64_t> at, std::byte* indices) {
  for (const TensorSpec& t : inputs) {
    if (t.fill == Fill::kUniform) {
      const Block& source = blocks_.at(t.dtype);
      const int64_t from = at[t.dtype];
      at[t.dtype] += aligned(t.bytes());
      auto* base = static_cast<std::byte*>(inputs_.at(t.dtype).buffer->address());
      set.arguments.inputs.push_back(base + from);
      set.inputs.emplace_back(t, source.decoded.data(), source.period,
                              from / static_cast<int64_t>(bytes_per_element(t.dtype)));
    } else {
      HostTensor values(t, random_values(t, t.count(), rng_));
      backend_.upload(indices, values.owned_data(), t.bytes());
      set.arguments.inputs.push_back(indices);
      set.inputs.push_back(std::move(values));
      indices += aligned(t.bytes());
    }
  }
}

std::vector<Operands> Arena::operands(const OpSpec& spec, const Call& call, int count,
                                      int64_t span_bytes) {
  const std::vector<TensorSpec> inputs = spec.inputs(call), outputs = spec.outputs(call);
  std::map<Dtype, int64_t> input_bytes;  // of one set
  int64_t output_bytes = 0, index_bytes = 0;
  for (const auto& t : inputs)
    (t.fill == Fill::kUniform ? input_bytes[t.dtype] : index_bytes) += aligned(t.bytes());
  for (const auto& t : outputs) output_bytes += aligned(t.bytes());
  // How many sets fit one after another before the region starts over.
  auto places = [&](int64_t bytes) {
    return std::clamp<int64_t>(span_bytes / std::max<int64_t>(bytes, 1) + 1, 1, count);
  };
  int64_t all = index_bytes * count + output_bytes * places(output_bytes);
  for (const auto& [dtype, bytes] : input_bytes) all += bytes * places(bytes);
  reserve(all);

  for (const auto& [dtype, bytes] : input_bytes) input_region(dtype, bytes * places(bytes));
  auto* out = static_cast<std::byte*>(output_region(output_bytes * places(output_bytes)));
  std::shared_ptr<Buffer> indices;
  if (index_bytes > 0) indices = backend_.allocate(index_bytes * count);

  std::vector<Operands> sets(static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i) {
    Operands& set = sets[static_cast<std::size_t>(i)];
    std::map<Dtype, int64_t> at;
    for (const auto& [dtype, bytes] : input_bytes) at[dtype] = i % places(bytes) * bytes;
    fill_set(set, inputs, at,
             indices ? static_cast<std::byte*>(indices->address()) + index_bytes * i : nullptr);
    std::byte* to = out + i % places(output_bytes) * output_bytes;
    for (const TensorSpec& t : outputs) {
      set.arguments.outputs.push_back(to);
      to += aligned(t.bytes());
    }
    set.outputs = outputs;
    set.indices = indices;
  }
  return sets;
}

}  // namespace ridge
