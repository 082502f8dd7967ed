#include "profilers/llama/speed_test.h"

#include <algorithm>
#include <cmath>

namespace ridge {

Spread spread_of(std::vector<double> values) {
  if (values.empty()) return {};
  std::sort(values.begin(), values.end());
  const auto at = [&](double share) {
    const double place = share * static_cast<double>(values.size() - 1);
    const auto low = static_cast<std::size_t>(place);
    const std::size_t high = std::min(low + 1, values.size() - 1);
    return values[low] + (place - static_cast<double>(low)) * (values[high] - values[low]);
  };
  return {at(0.5), at(0.95)};
}

double SpeedResult::output_tokens_per_s() const {
  return total_s.median > 0 ? static_cast<double>(test.batch * test.output) / total_s.median : 0;
}

double SpeedResult::prompt_tokens_per_s() const {
  return ttft_s.median > 0 ? static_cast<double>(test.batch * test.prompt) / ttft_s.median : 0;
}

namespace {

double device_s(const GenerationTimes& g) {
  double sum = 0;
  for (const auto* steps : {&g.prefill, &g.decode})
    for (const StepTime& s : *steps) sum += s.device_s;
  return sum;
}

}  // namespace

SpeedResult run_speed_test(Decoder& decoder, const SpeedTest& test, const SpeedOptions& options,
                           std::vector<std::vector<Token>> prompts) {
  if (prompts.empty())
    for (int64_t b = 0; b < test.batch; ++b)
      prompts.push_back(random_prompt(test.prompt, decoder.model().vocab,
                                      options.seed + static_cast<uint64_t>(b)));
  Generation generation(decoder, std::move(prompts), test.output);
  generation.run();
  SpeedResult r{.test = test, .repeats = options.repeats};
  std::vector<double> ttft, total, steps, rest;
  double device = 0, all = 0;
  for (int i = 0; i < options.repeats; ++i) {
    GenerationTimes g = generation.run();
    ttft.push_back(g.ttft_s());
    total.push_back(g.total_s());
    for (const StepTime& s : g.decode) steps.push_back(s.seconds);
    if (test.output > 1)
      rest.push_back((g.total_s() - g.ttft_s()) / static_cast<double>(test.output - 1));
    device += device_s(g);
    all += g.total_s();
    r.runs.push_back(std::move(g));
  }
  r.ttft_s = spread_of(ttft);
  r.tpot_s = spread_of(steps);
  r.total_s = spread_of(total);
  r.mean_tpot_s = spread_of(rest).median;
  r.device_share = all > 0 ? device / all : 0;
  if (options.profile) r.profile = generation.run(Detail::kOperations);
  return r;
}

}  // namespace ridge
