#include "programs/speed_room.h"

#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>

#include "kernels/core/error.h"
#include "predictor/request/memory.h"
#include "predictor/request/text.h"

namespace ridge {
namespace {

// Prefill steps of more tokens than this are cut, so that activations stay small.
constexpr int64_t kStepTokens = 8192;

struct Need {
  double weights, kv_per_sequence, activations;
  double of(int64_t sequences) const {
    return weights + kv_per_sequence * static_cast<double>(sequences) + activations;
  }
};

Need need_of(const Model& model, const Precision& precision, const Decoder::Limits& limits,
             bool cpu) {
  const auto size = static_cast<double>(bytes_per_element(precision.dtype));
  const bool int8 = precision.weights == WeightFormat::kInt8;
  // What the decoder keeps for each token of a step (decoder_memory.cpp), and its logits.
  double per_token = size * static_cast<double>(4 * model.hidden + 4 * model.q_width() +
                                                4 * model.kv_width() + 3 * model.ffn);
  if (int8)
    per_token += static_cast<double>(std::max({model.hidden, model.q_width(), model.ffn}) + 4 +
                                     4 * std::max({model.hidden, model.q_width(), 2 * model.ffn}));
  Need n{.weights = weight_bytes(model, {}, precision),
         .kv_per_sequence =
             kv_bytes_per_token(model, {}, precision) * static_cast<double>(limits.positions) +
             size * static_cast<double>(model.vocab),
         .activations = per_token * static_cast<double>(limits.step_tokens)};
  // The CPU packs the LM head, so that a tied table is kept twice; and one tensor is on the host
  // while it is packed.
  const double table = size * static_cast<double>(model.vocab * model.hidden);
  // One that is rounded is there in f32 twice, and in int8.
  const double rounded = int8 ? 9 * static_cast<double>(2 * model.ffn * model.hidden) : 0;
  if (cpu) n.weights += std::max(table, rounded) + (model.tied_embeddings ? table : 0);
  return n;
}

}  // namespace

Decoder::Limits limits_of(const RoomAsked& asked, Backend& backend, const Model& model,
                          Dtype dtype) {
  Decoder::Limits limits{.sequences = 1, .positions = 1, .step_tokens = 1, .graphs = asked.graphs};
  int64_t longest = 1;
  for (const SpeedTest& t : asked.tests) {
    limits.sequences = std::max(limits.sequences, t.batch);
    limits.positions = std::max(limits.positions, t.prompt + t.output);
    limits.step_tokens = std::max(limits.step_tokens, t.prompt * t.batch);
    longest = std::max(longest, t.prompt);
  }
  if (const std::string why = why_not_run(model, limits.positions); !why.empty())
    throw BadInput(fmt::format("{} cannot be run here: {}", model.name, why));
  const int64_t wanted = std::max(limits.sequences, asked.sweep);
  limits.step_tokens = std::max(
      longest,
      std::min(kStepTokens, std::max(limits.step_tokens, wanted * asked.tests.front().prompt)));
  const auto free = static_cast<double>(backend.free_memory_bytes());
  const Precision precision{.dtype = dtype, .weights = asked.weights, .kv_cache = dtype};
  const Need need = need_of(model, precision, limits, backend.device().kind == "cpu");
  if (need.of(limits.sequences) > 0.9 * free)
    throw BadInput(fmt::format(
        "{} in {} needs about {} GB ({} GB weights, {} GB for {} sequences of {} tokens), and {} "
        "GB are free, of which nine tenths are used: take fewer --layers, a smaller --batch, "
        "shorter prompts or a smaller model",
        model.name, name(dtype), gb(need.of(limits.sequences)), gb(need.weights),
        gb(need.of(limits.sequences) - need.weights), limits.sequences, limits.positions,
        gb(free)));
  while (limits.sequences < wanted && need.of(std::min(2 * limits.sequences, wanted)) <= 0.9 * free)
    limits.sequences = std::min(2 * limits.sequences, wanted);
  return limits;
}

PeakMemory peak_memory(Backend& backend, int64_t free_before) {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  PeakMemory peak{.host_bytes = int64_t{usage.ru_maxrss} * 1024};
  if (backend.device().kind != "cpu")
    peak.device_bytes = std::max<int64_t>(0, free_before - backend.free_memory_bytes());
  return peak;
}

}  // namespace ridge
