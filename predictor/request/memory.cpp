#include "predictor/request/memory.h"

#include <algorithm>
#include <array>
#include <functional>

#include "kernels/core/error.h"
#include "predictor/lowering/shard.h"
#include "roofline/device_specs.h"

namespace ridge {
namespace {

constexpr std::array kEccInGddr{"T4", "A10G", "L4", "L40S", "A40"};

double in_blocks(int64_t tokens) {
  return static_cast<double>(ceil_div(tokens, kBlockTokens) * kBlockTokens);
}

void check(const Request& r) {
  const auto fail = [](const std::string& what) { throw BadInput("request: " + what); };
  if (r.prompts.empty()) fail("has no prompts; give at least one");
  for (const Prompt& p : r.prompts) {
    if (p.count < 1) fail("a prompt's count is " + std::to_string(p.count) + "; must be above 0");
    if (p.tokens < 1) fail("a prompt has " + std::to_string(p.tokens) + " tokens; needs one");
    if (p.cached < 0 || p.cached >= p.tokens)
      fail("cached=" + std::to_string(p.cached) + " must be at least 0 and below the prompt's " +
           std::to_string(p.tokens) + " tokens");
  }
  if (r.output < 0) fail("output=" + std::to_string(r.output) + " must not be negative");
  if (r.chunk < 0) fail("chunk=" + std::to_string(r.chunk) + " must not be negative");
}

// What one model keeps on a GPU.
struct Resident {
  const Model& model;
  double weights, kv_per_token;

  // Of a sequence of `context` tokens.
  double kv(int64_t context) const {
    const auto windowed = static_cast<double>(model.window > 0 ? model.windowed_layers : 0);
    const auto layers = static_cast<double>(model.layers);
    const double seen = in_blocks(std::min(context, model.window));
    return kv_per_token * ((layers - windowed) * in_blocks(context) + windowed * seen) / layers;
  }
};

// The widest inner buffers of a layer on one GPU, in elements a token.
double inner_width(const Model& m, const Shard& s) {
  const auto real = [](int64_t n) { return static_cast<double>(n); };
  // qkv, and what attention makes of it
  double width = real((2 * s.heads + 2 * s.kv_heads) * m.head_dim);
  // gate and up, and their product
  const double of_ffn = m.gated ? 3 : 2;
  if (m.dense_layers() > 0) width = std::max(width, of_ffn * real(s.ffn));
  if (!m.experts) return width;
  // A row for each expert that a token takes, as wide inside as gate, up and product, or as these
  // and what comes out.
  const Experts& e = *m.experts;
  const double ffn = real(e.ffn / s.expert_tp);
  const double rows = real(e.per_token * s.replicas) / real(s.expert_ep);
  const double routed = rows * std::max(of_ffn * ffn, ffn + real(m.hidden));
  return std::max(width, routed + of_ffn * real(s.shared_ffn));
}

double activation_bytes(const Deployment& d, double tokens, double sampled) {
  const auto element = static_cast<double>(bytes_per_element(d.precision.dtype));
  const auto hidden = static_cast<double>(d.model.hidden);
  const double layer =
      tokens * element * (3 * hidden + inner_width(d.model, shard_of(d.model, d.parallel)));
  const double logits = sampled * static_cast<double>(d.model.vocab) * (element + 4);
  return std::max(layer, tokens * element * 2 * hidden + logits);
}

class Estimator {
 public:
  Estimator(const DeviceInfo& device, const Deployment& d, const Request& r)
      : deployment_(d), gpu_(device.kind != "cpu") {
    add(d.model);
    if (r.speculation) {
      add(r.speculation->draft);
      proposed_ = r.speculation->tokens;
    }
    chunk_ = r.chunk > 0 ? r.chunk : d.engine.step_tokens;
    base_.capacity = memory_capacity(device);
    base_.usable = base_.capacity * d.engine.memory_share;
    for (const Resident& m : models_) {
      base_.weights += m.weights;
      base_.kv_bytes_per_token += m.kv_per_token;
    }
    const bool hopper = device.compute_capability.starts_with("9.");
    if (gpu_) base_.workspace = hopper ? kHopperWorkspaceBytes : kWorkspaceBytes;
    if (gpu_) base_.framework = kAssumedContextBytes;
    if (gpu_ && d.engine.decode_graphs) base_.framework += kAssumedGraphBytes;
  }

  Memory at(const std::vector<Prompt>& prompts, int64_t output) const {
    Memory m = base_;
    double new_tokens = 0, sequences = 0;
    for (const Prompt& p : fullest_share(prompts, deployment_.parallel.data)) {
      const auto count = static_cast<double>(p.count);
      sequences += count;
      new_tokens += count * static_cast<double>(p.tokens - p.cached);
      for (const Resident& model : models_) m.kv += count * model.kv(p.tokens + output);
    }
    if (chunk_ > 0) new_tokens = std::min(new_tokens, static_cast<double>(chunk_));
    const double rows = sequences * static_cast<double>(proposed_ + 1);  // of a decode step
    m.activations = activation_bytes(deployment_, std::max(new_tokens, rows), rows);
    const double rest = m.usable - (m.total() - m.kv);
    const double blocks = rest / (m.kv_bytes_per_token * kBlockTokens);
    m.kv_blocks = blocks > 0 ? static_cast<int64_t>(blocks) : 0;
    return m;
  }

 private:
  void add(const Model& m) {
    models_.push_back({m, weight_bytes(m, deployment_.parallel, deployment_.precision),
                       kv_bytes_per_token(m, deployment_.parallel, deployment_.precision)});
  }

  const Deployment& deployment_;
  bool gpu_;
  int64_t chunk_ = 0, proposed_ = 0;
  std::vector<Resident> models_;
  Memory base_;
};

// The largest value in [0, most] that holds, of a property that holds below where it holds.
int64_t largest(int64_t most, const std::function<bool(int64_t)>& holds) {
  int64_t good = 0, bad = 1;
  while (bad <= most && holds(bad)) good = bad, bad *= 2;
  bad = std::min(bad, most + 1);
  while (bad - good > 1) {
    const int64_t middle = good + (bad - good) / 2;
    (holds(middle) ? good : bad) = middle;
  }
  return good;
}

}  // namespace

double memory_capacity(const DeviceInfo& device) {
  const auto bytes = static_cast<double>(device.memory_bytes);
  const auto spec = device.kind == "cpu" ? std::nullopt : find_device(device.name);
  if (!spec && bytes <= 0)
    throw BadInput("device '" + device.name +
                   "': its memory is not known; put memory_bytes into its table");
  if (!spec) return bytes;
  const bool ecc = std::find(kEccInGddr.begin(), kEccInGddr.end(), spec->name) != kEccInGddr.end();
  const double seen = static_cast<double>(spec->memory_bytes) * (ecc ? 0.92 : 0.98);
  return bytes > 0 ? std::min(bytes, seen) : seen;
}

Memory memory_of(const DeviceInfo& device, const Deployment& d, const Request& r) {
  check(r);
  const Estimator estimator(device, d, r);
  Memory m = estimator.at(r.prompts, r.output);
  int64_t batch = 0;
  Prompt longest = r.prompts.front();
  for (const Prompt& p : r.prompts) {
    batch += p.count;
    if (p.tokens > longest.tokens) longest = p;
  }
  constexpr int64_t kMany = int64_t{1} << 24;
  m.max_batch = largest(kMany, [&](int64_t n) {
    longest.count = n;
    return estimator.at({longest}, r.output).fits();
  });
  const int64_t most = d.model.max_positions > 0 ? d.model.max_positions : kMany;
  const int64_t prompt = largest(most - r.output, [&](int64_t tokens) {
    return estimator.at({{.count = batch, .tokens = tokens}}, r.output).fits();
  });
  m.max_context = prompt > 0 ? prompt + r.output : 0;
  return m;
}

}  // namespace ridge
