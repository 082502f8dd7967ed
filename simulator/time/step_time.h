#pragma once
#include <cstdint>
#include <functional>
#include <vector>

namespace ridge::sim {

// A part of a prompt in a step: `tokens` new ones behind `past` cached ones.
struct PrefillPart {
  int64_t tokens = 0, past = 0;
};

// What one step computes.
struct StepLoad {
  int64_t decodes = 0;         // sequences of one new token each
  int64_t decode_context = 0;  // their cached tokens, in all
  int64_t samples = 0;         // sequences that a token is sampled for
  std::vector<PrefillPart> prefills;

  int64_t prefill_tokens() const {
    int64_t sum = 0;
    for (const PrefillPart& p : prefills) sum += p.tokens;
    return sum;
  }
  int64_t tokens() const { return decodes + prefill_tokens(); }
  int64_t sequences() const { return decodes + static_cast<int64_t>(prefills.size()); }
};

struct StepCost {
  double seconds = 0;
  double flops = 0, bytes = 0;  // of one GPU, as Phase has them of all
};

// How long a step takes. Not thread-safe: tables are filled while they are asked.
class StepTime {
 public:
  StepTime() = default;
  StepTime(const StepTime&) = delete;
  StepTime& operator=(const StepTime&) = delete;
  virtual ~StepTime() = default;
  virtual StepCost cost(const StepLoad& load) = 0;
};

// In closed form, where a test or a user knows one.
class FormulaTime final : public StepTime {
 public:
  explicit FormulaTime(std::function<double(const StepLoad&)> seconds)
      : seconds_(std::move(seconds)) {}
  StepCost cost(const StepLoad& load) override { return {.seconds = seconds_(load)}; }

 private:
  std::function<double(const StepLoad&)> seconds_;
};

}  // namespace ridge::sim
