// A decoder of a made-up model on the CPU, and what tests run on it.
#pragma once
#include <cmath>
#include <memory>
#include <vector>

#include "kernels/cpu/cpu_backend.h"
#include "profilers/llama/decoder.h"
#include "tests/profilers/llama/made_up_models.h"

namespace ridge {

inline Backend& cpu() {
  static const std::unique_ptr<Backend> backend = open_cpu_backend(1);
  return *backend;
}

inline Decoder decoder(const Model& m, Decoder::Limits limits = {.sequences = 3, .positions = 64},
                       WeightFormat format = WeightFormat::kNative) {
  const auto source = random_weights(m);
  return {cpu(), m, {}, put_on_device(cpu(), m, Dtype::kF32, *source, format), limits};
}

inline std::vector<Token> prompt(int64_t length, int64_t salt) {
  std::vector<Token> tokens;
  for (int64_t i = 0; i < length; ++i)
    tokens.push_back(static_cast<Token>((i * 7919 + salt * 104729 + 13) % 97));
  return tokens;
}

// Logits after each of the prompts, run together as sequences 0, 1, ….
inline std::vector<double> logits_after(Decoder& d,
                                        const std::vector<std::vector<Token>>& prompts) {
  Decoder::Input in;
  for (const auto& p : prompts) {
    in.tokens.insert(in.tokens.end(), p.begin(), p.end());
    in.lengths.push_back(static_cast<int64_t>(p.size()));
    in.past.push_back(0);
  }
  DecoderStep step = d.bind_prefill(0, in.lengths);
  d.set(in);
  d.run(step);
  return d.logits(static_cast<int64_t>(prompts.size()));
}

// ‖a − b‖ / ‖b‖.
inline double distance(const std::vector<double>& a, const std::vector<double>& b) {
  double off = 0, size = 0;
  for (std::size_t i = 0; i < a.size() && i < b.size(); ++i) {
    off += (a[i] - b[i]) * (a[i] - b[i]);
    size += b[i] * b[i];
  }
  return std::sqrt(off / size);
}

}  // namespace ridge
