#pragma once
#include <memory>
#include <vector>

#include "kernels/core/backend.h"
#include "predictor/lowering/lower.h"
#include "profilers/llama/weight_source.h"

namespace ridge {

// W and what is added to its products; no bias: null. With int8 weights, the scale of each row of W
// (kernels/quantise), f32; else null.
struct Linear {
  std::unique_ptr<Weights> w;
  std::unique_ptr<Buffer> bias, scale;
};

struct DecoderLayer {
  std::unique_ptr<Buffer> input_norm, post_norm;
  std::unique_ptr<Buffer> query_norm, key_norm;  // null without
  Linear query, key, value, output, gate_up, down;
};

// A decoder's weights on a device.
struct DeviceWeights {
  Dtype dtype = Dtype::kF32;
  WeightFormat format = WeightFormat::kNative;  // of the layers' products
  std::unique_ptr<Buffer> embedding;            // null where lm_head has the table as it was given
  std::vector<DecoderLayer> layers;
  std::unique_ptr<Buffer> final_norm;
  std::unique_ptr<Weights> lm_head;
  int64_t bytes = 0;  // on the device
  std::string source;

  const void* table() const { return embedding ? embedding->address() : lm_head->plain(); }
};

// Why the decoder of profilers/llama does not run a model, or "": experts, windows that a context
// of `positions` reaches beyond, norms after the blocks, …
std::string why_not_run(const Model& model, int64_t positions);

// Takes every tensor from the source, one at a time. With kInt8, which f32 alone has, the weights
// of the layers' products are rounded to int8 on the device; LM head, embedding, norms and biases
// stay as they are. Throws OutOfMemory, and BadInput for a dtype or format that the device does not
// multiply in.
DeviceWeights put_on_device(Backend& backend, const Model& model, Dtype dtype, WeightSource& source,
                            WeightFormat format = WeightFormat::kNative);

}  // namespace ridge
