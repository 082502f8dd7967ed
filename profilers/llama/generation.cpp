#include "profilers/llama/generation.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <random>

#include "kernels/core/error.h"

namespace ridge {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// A CUDA graph holds a grid that is made for a context: one for each so many tokens of it.
constexpr int64_t kContextStep = 256;

}  // namespace

double GenerationTimes::ttft_s() const {
  return prefill.empty() ? 0 : prefill.back().begin_s + prefill.back().seconds;
}

double GenerationTimes::total_s() const {
  return decode.empty() ? ttft_s() : decode.back().begin_s + decode.back().seconds;
}

Generation::Generation(Decoder& decoder, std::vector<std::vector<Token>> prompts, int64_t output)
    : decoder_(decoder), prompts_(std::move(prompts)), output_(output) {
  const Decoder::Limits& limits = decoder.limits();
  for (const auto& p : prompts_) longest_ = std::max(longest_, static_cast<int64_t>(p.size()));
  if (prompts_.empty() || output < 1) throw BadInput("nothing to generate");
  if (longest_ + output - 1 > limits.positions)
    throw BadInput(fmt::format("a prompt of {} tokens and {} generated ones: there is room for {}",
                               longest_, output, limits.positions));
  for (std::size_t first = 0; first < prompts_.size();) {
    Decoder::Input input{.first = static_cast<int64_t>(first)};
    for (; first < prompts_.size(); ++first) {
      const auto& p = prompts_[first];
      const auto tokens = static_cast<int64_t>(input.tokens.size() + p.size());
      if (!input.tokens.empty() && tokens > limits.step_tokens) break;
      input.tokens.insert(input.tokens.end(), p.begin(), p.end());
      input.lengths.push_back(static_cast<int64_t>(p.size()));
      input.past.push_back(0);
    }
    DecoderStep step = decoder.bind_prefill(input.first, input.lengths);
    prefill_.push_back({std::move(input), std::move(step)});
  }
  for (int64_t context = longest_ + 1; context < longest_ + output;
       context = decode_.back().first + 1)
    decode_step(context);
}

DecoderStep& Generation::decode_step(int64_t context) {
  for (auto& [reach, step] : decode_)
    if (context <= reach) return step;
  const int64_t reach = std::min((context + kContextStep - 1) / kContextStep * kContextStep,
                                 decoder_.limits().positions);
  decode_.emplace_back(reach, decoder_.bind_decode(static_cast<int64_t>(prompts_.size()), reach));
  return decode_.back().second;
}

Decoder::Input Generation::next_input(const std::vector<std::vector<Token>>& tokens,
                                      int64_t step) const {
  Decoder::Input input;
  for (std::size_t s = 0; s < prompts_.size(); ++s) {
    input.tokens.push_back(tokens[s].back());
    input.lengths.push_back(1);
    input.past.push_back(static_cast<int64_t>(prompts_[s].size()) + step);
  }
  return input;
}

StepTime Generation::timed(DecoderStep& step, const Decoder::Input& input, Detail detail,
                           std::vector<Token>& tokens) {
  const auto start = Clock::now();
  StepTime t{.tokens = static_cast<int64_t>(input.tokens.size())};
  for (std::size_t i = 0; i < input.past.size(); ++i)
    t.context = std::max(t.context, input.past[i] + input.lengths[i]);
  decoder_.set(input);
  const double set_s = seconds_since(start);
  std::vector<Backend::Span> spans;
  Decoder::Output out = detail == Detail::kSteps ? decoder_.run(step) : decoder_.run(step, spans);
  t.seconds = seconds_since(start);
  t.device_s = out.device_s;
  tokens = std::move(out.tokens);
  for (std::size_t i = 0; i < spans.size(); ++i) {
    const Operation& o = step.operations()[i];
    t.operations.push_back(
        {o.role, o.layer, o.call, set_s + spans[i].begin_s, set_s + spans[i].end_s});
  }
  return t;
}

GenerationTimes Generation::run(Detail detail) {
  GenerationTimes g;
  g.tokens.resize(prompts_.size());
  const auto start = Clock::now();
  const auto add = [&](std::vector<StepTime>& steps, DecoderStep& step,
                       const Decoder::Input& input) {
    const double begin = seconds_since(start);
    std::vector<Token> tokens;
    StepTime t = timed(step, input, detail, tokens);
    t.begin_s = begin;
    for (OperationTime& o : t.operations) {
      o.begin_s += begin;
      o.end_s += begin;
    }
    for (std::size_t i = 0; i < tokens.size(); ++i)
      g.tokens[static_cast<std::size_t>(input.first) + i].push_back(tokens[i]);
    steps.push_back(std::move(t));
  };
  for (Prefill& p : prefill_) add(g.prefill, p.step, p.input);
  for (int64_t i = 0; i + 1 < output_; ++i)
    add(g.decode, decode_step(longest_ + i + 1), next_input(g.tokens, i));
  return g;
}

std::vector<Token> random_prompt(int64_t length, int64_t vocab, uint64_t seed) {
  std::mt19937_64 rng(seed);
  std::vector<Token> tokens;
  for (int64_t i = 0; i < length; ++i)
    tokens.push_back(static_cast<Token>(rng() % static_cast<uint64_t>(vocab)));
  return tokens;
}

}  // namespace ridge
