#pragma once
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "kernels/core/backend.h"
#include "predictor/lowering/lower.h"
#include "profilers/llama/device_weights.h"
#include "profilers/llama/numerics.h"

namespace ridge {

// One launch of a step.
struct Operation {
  Role role = Role::kNorm;
  int64_t layer = -1;  // -1: outside of the layers
  Call call;
  std::unique_ptr<Launch> launch;
};

// A step that is bound to the decoder's memory: it runs as often as wanted.
class DecoderStep {
 public:
  std::span<const Operation> operations() const { return operations_; }
  std::vector<Launch*> launches() const;
  int64_t tokens() const { return tokens_; }

 private:
  friend class Decoder;
  std::vector<Operation> operations_;
  std::unique_ptr<Batch> batch_;
  int64_t tokens_ = 0;     // new ones
  int64_t sequences_ = 0;  // that sample one each
};

using Token = int32_t;

// A Llama, Mistral or Qwen decoder that is made of this project's operators only: dense layers of
//   add_rmsnorm → query, key, value → (norms of heads) → rope → cache → attention → output
//   → add_rmsnorm → gate and up → silu · → down
// with a KV cache [layer][sequence][kv head][max_positions][head_dim]. Greedy. One Backend's
// thread.
class Decoder {
 public:
  struct Limits {
    int64_t sequences = 1;
    int64_t positions = 2048;    // prompt and output of each
    int64_t step_tokens = 2048;  // of one prefill step
    bool graphs = true;          // decode as a CUDA graph, where there are any
  };

  // Throws BadInput for a model that why_not_run() names, and OutOfMemory.
  Decoder(Backend& backend, const Model& model, const Numerics& numerics, DeviceWeights weights,
          const Limits& limits);
  ~Decoder();

  // Binds the prefill of sequences [first, first + lengths.size()), of lengths of their own.
  DecoderStep bind_prefill(int64_t first, std::span<const int64_t> lengths);
  // Binds the decode step of the first `sequences`, of which none has more than `context` tokens in
  // the cache when it has run.
  DecoderStep bind_decode(int64_t sequences, int64_t context);

  // What a step is to do: its tokens one sequence behind the other, and how many of each sequence
  // are in the cache already.
  struct Input {
    int64_t first = 0;  // sequence
    std::vector<Token> tokens;
    std::vector<int64_t> lengths;  // new tokens of each sequence
    std::vector<int64_t> past;
  };
  void set(const Input& input);
  // Runs what was set; the tokens that follow, and the time that the device was at it.
  struct Output {
    std::vector<Token> tokens;
    double device_s = 0;
  };
  Output run(DecoderStep& step);
  // The same, with when each operation began and ended, in seconds from the first.
  Output run(DecoderStep& step, std::vector<Backend::Span>& spans);

  // Of the last step: [sequences][vocab].
  std::vector<double> logits(int64_t sequences);

  const Model& model() const;
  Dtype dtype() const;
  Precision precision() const;
  const Limits& limits() const;
  struct Bytes {
    int64_t weights = 0, kv = 0, activations = 0;
  };
  Bytes bytes() const;

 private:
  struct Memory;
  class Binder;
  DecoderStep finish(std::vector<Operation> operations, int64_t sequences, bool graph);
  void set_idle();
  Output collect(const DecoderStep& step, double device_s);

  Backend& backend_;
  Model model_;
  DeviceWeights weights_;
  Limits limits_;
  std::unique_ptr<Memory> memory_;
};

// The kernels that the decoder runs, as predictor/lowering has them: products of their own for
// query, key and value; gate and up as one; residuals added in the norms; around products of int8
// weights, what rounds their inputs and scales their sums.
Fusion decoder_fusion();

}  // namespace ridge
