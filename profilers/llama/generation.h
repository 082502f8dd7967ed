#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "profilers/llama/decoder.h"

namespace ridge {

// One operation of a step, timed.
struct OperationTime {
  Role role = Role::kNorm;
  int64_t layer = -1;
  Call call;
  double begin_s = 0, end_s = 0;  // from the beginning of the generation
};

// A step of a generation: what the user waits for, and what the device did meanwhile.
struct StepTime {
  double begin_s = 0;                     // from the beginning of the generation
  double seconds = 0;                     // input copied, launches done, tokens back
  double device_s = 0;                    // of the launches
  int64_t tokens = 0;                     // new ones that went in
  int64_t context = 0;                    // tokens in the cache behind it, of the longest sequence
  std::vector<OperationTime> operations;  // where it was profiled
};

// One generation: a batch of prompts at once, and `output` tokens for each of them.
struct GenerationTimes {
  std::vector<StepTime> prefill;           // steps until each sequence has its first token
  std::vector<StepTime> decode;            // output − 1 steps
  std::vector<std::vector<Token>> tokens;  // generated, of each sequence

  double ttft_s() const;  // until the last sequence has its first token
  double total_s() const;
};

enum class Detail { kSteps, kOperations };

// A generation's steps, bound to a decoder: it runs as often as wanted, always the same. Prompts of
// more than the decoder's step_tokens together are prefilled in several steps.
class Generation {
 public:
  // Throws BadInput for prompts and output that the decoder has no room for.
  Generation(Decoder& decoder, std::vector<std::vector<Token>> prompts, int64_t output);

  GenerationTimes run(Detail detail = Detail::kSteps);

 private:
  struct Prefill {
    Decoder::Input input;
    DecoderStep step;
  };
  StepTime timed(DecoderStep& step, const Decoder::Input& input, Detail detail,
                 std::vector<Token>& tokens);
  DecoderStep& decode_step(int64_t context);
  Decoder::Input next_input(const std::vector<std::vector<Token>>& tokens, int64_t step) const;

  Decoder& decoder_;
  std::vector<std::vector<Token>> prompts_;
  int64_t output_;
  int64_t longest_ = 0;
  std::vector<Prefill> prefill_;
  std::vector<std::pair<int64_t, DecoderStep>> decode_;  // by the context that they reach to
};

// Random tokens of a vocabulary, the same for a seed on any machine.
std::vector<Token> random_prompt(int64_t length, int64_t vocab, uint64_t seed);

}  // namespace ridge
