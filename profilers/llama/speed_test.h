#pragma once
#include <functional>
#include <string>
#include <vector>

#include "profilers/llama/generation.h"

namespace ridge {

struct SpeedTest {
  std::string name;  // "short"
  int64_t prompt = 0, output = 0, batch = 1;
};

struct Spread {
  double median = 0, p95 = 0;
};
Spread spread_of(std::vector<double> values);  // of none: 0

// What a test's repeats took. The first, which warms up, is not among them.
struct SpeedResult {
  SpeedTest test;
  Spread ttft_s, tpot_s, total_s;  // over repeats; TPOT over all decode steps of all repeats
  double mean_tpot_s = 0;          // of a decode step: the rest of total, over output − 1
  double device_share = 0;         // of total in which launches ran
  int repeats = 0;
  std::vector<GenerationTimes> runs;
  GenerationTimes profile;  // one more run, every operation timed; empty where none was wanted

  double output_tokens_per_s() const;  // of the batch: generated tokens / total
  double prompt_tokens_per_s() const;  // prompt tokens / TTFT
};

struct SpeedOptions {
  int repeats = 3;
  bool profile = false;
  uint64_t seed = 1;
};

// `prompts` of the batch; empty: random ones.
SpeedResult run_speed_test(Decoder& decoder, const SpeedTest& test, const SpeedOptions& options,
                           std::vector<std::vector<Token>> prompts = {});

}  // namespace ridge
