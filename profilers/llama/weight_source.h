#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include "kernels/core/dtype.h"
#include "predictor/models/model.h"

namespace ridge {

// A tensor of a decoder by what it is for. kGateUp is gate's rows and behind them up's.
enum class Part {
  kEmbedding,
  kInputNorm,
  kQuery,
  kKey,
  kValue,
  kQueryBias,
  kKeyBias,
  kValueBias,
  kQueryNorm,
  kKeyNorm,
  kOutput,
  kOutputBias,
  kPostNorm,
  kGateUp,
  kGateUpBias,
  kDown,
  kDownBias,
  kFinalNorm,
  kLmHead
};

// Where weights come from, one tensor at a time.
class WeightSource {
 public:
  virtual ~WeightSource() = default;
  // Fills `out` with the tensor in `dtype`; `layer` does not count for those outside of layers.
  virtual void fill(Part part, int64_t layer, Dtype dtype, std::span<std::byte> out) = 0;
  virtual std::string description() const = 0;  // "random, seed 1", "model.safetensors, bf16"
};

// Products get values in ± √3 / √fan_in, which keeps activations of unit size, norms get ones. The
// same for a seed on any machine.
std::unique_ptr<WeightSource> random_weights(const Model& model, uint64_t seed = 1);

// Of a Hugging Face folder: throws BadInput as read_weights() does.
std::unique_ptr<WeightSource> weights_of_folder(const Model& model, const std::string& folder);

}  // namespace ridge
