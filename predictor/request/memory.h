#pragma once
#include "predictor/request/request.h"

namespace ridge {

// Bytes on the fullest GPU.
struct Memory {
  double capacity = 0, usable = 0;  // usable = capacity · the engine's share
  double weights = 0;               // of the draft model, too
  double kv = 0;                    // at the end of the request
  double activations = 0;           // the largest step's buffers: hidden states, MLP, logits
  double workspace = 0;             // of the libraries
  double framework = 0;             // CUDA context, graphs
  double total() const { return weights + kv + activations + workspace + framework; }
  bool fits() const { return total() <= usable; }

  double kv_bytes_per_token = 0;  // of a layer that looks at everything, times the layers
  int64_t kv_blocks = 0;          // of kBlockTokens that fit beside the rest
  int64_t max_batch = 0;          // of the request's longest prompt and its output
  int64_t max_context = 0;        // prompt and output, at this request's batch; 0: none fits
};
inline constexpr int64_t kBlockTokens = 16;

// What the library of matrix products gets: DESIGN §8. On one GPU, CPUs have none.
inline constexpr double kHopperWorkspaceBytes = 32 << 20, kWorkspaceBytes = 4 << 20;

// Assumed, not measured here: a CUDA context with a framework's kernels. PyTorch's maintainers
// tell about 400 MB (pytorch issue 109888), others saw 300 to 550 MB (12873, 81257).
inline constexpr double kAssumedContextBytes = 0.5e9;

// Assumed, not measured here: graphs of decode steps for all batch sizes. vLLM logged 0.13 to
// 0.36 GiB for models of 0.5 to 8 billion parameters (vllm pull 11349, gpustack pull 251).
inline constexpr double kAssumedGraphBytes = 0.3e9;

// Bytes that CUDA gives out on a GPU. Of a device that only its datasheet describes:
//   0.98  of the datasheet's number, the least that was seen of HBM and of boards without ECC
//         (H100 79.2 of 80 GiB: vllm pull 10511; RTX 4090 23.52 of 24)
//   0.92  of it where ECC lives in the same GDDR6 and takes 1/16 (T4 15,843,721,216 bytes of
//         16 GiB; nvidia-smi of T4, A10, L4 and L40S: modal-client pull 2797)
double memory_capacity(const DeviceInfo& device);

// The parts, each by a formula:
//   weights      weight_bytes()
//   kv           kv_bytes_per_token() for prompt + output tokens of each sequence, whole blocks,
//                a prefix that several share counted for each; windowed layers keep no more than
//                their window
//   activations  of the largest step (all prompts, or Request::chunk, or the engine's step_tokens):
//                residual, input and output of a layer, beside them the widest of its inner
//                buffers; or hidden states and the logits of sampled rows, once in the model's
//                dtype and once in f32. Nothing is added for fragmentation.
//   workspace, framework  the constants above
// With data parallelism sequences are dealt out to the replicas; those of the fullest count. Throws
// BadInput for a device of unknown memory, a parallelism that does not divide the model, and an
// empty or negative request.
Memory memory_of(const DeviceInfo& device, const Deployment& d, const Request& r);

}  // namespace ridge
