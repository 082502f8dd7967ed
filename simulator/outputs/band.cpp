#include "simulator/outputs/band.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "predictor/request/text.h"

namespace ridge::sim {
namespace {

// The decode step that the run had on average: so many sequences, half-way through their answers.
Step mean_step(const Scenario& s, const Summary& r) {
  const auto finished = static_cast<double>(std::max<int64_t>(1, r.finished));
  const double context =
      (static_cast<double>(r.tokens_in) + static_cast<double>(r.tokens_out) / 2) / finished;
  const int64_t longest = s.deployment.model.max_positions;
  int64_t past = std::max<int64_t>(1, std::llround(context));
  if (longest > 1) past = std::min(past, longest - 1);
  return {{.count = std::max<int64_t>(1, std::llround(r.running_mean)), .past = past}};
}

Summary scaled_run(const Scenario& s, double factor) {
  PredictedTime time(*s.tables, s.deployment);
  time.scale(factor);
  return summarize(simulate(s.workload, s.cluster, time), s.summary_options());
}

std::string range(const char* what, const std::string& value, const std::string& low,
                  const std::string& high) {
  return fmt::format("{:<30}{:>12}    {} to {}\n", what, value, low, high);
}

nlohmann::json numbers(const Summary& r) {
  return {{"output_tokens_per_s", r.output_tokens_per_s},
          {"requests_per_s", r.requests_per_s},
          {"ttft_p95_s", r.ttft_s.p95},
          {"tpot_p50_s", r.tpot_s.p50},
          {"latency_p50_s", r.latency_s.p50},
          {"saturated", r.load == Load::kSaturated}};
}

}  // namespace

Band band_of(const Scenario& s, const Summary& r) {
  Band b;
  if (const double spread = s.deployment.engine.times_on(s.gpu).spread; spread > 0) {
    b.fast = std::max(0.01, 1 - spread);
    b.slow = 1 + spread;
    b.from = "what the engine profile's fit was off by";
  } else {
    const Estimate e = predict_step(*s.tables, s.deployment, mean_step(s, r)).seconds;
    b.fast = std::max(0.01, e.low / e.value);
    b.slow = e.high / e.value;
    b.from = "the interval of the mean decode step";
  }
  b.if_fast = scaled_run(s, b.fast);
  b.if_slow = scaled_run(s, b.slow);
  return b;
}

std::string band_text(const Summary& r, const Band& b) {
  const Summary &f = b.if_fast, &s = b.if_slow;
  std::string text = paragraph(fmt::format("with all steps {:.0f} % faster to {:.0f} % slower ({})",
                                           100 * (1 - b.fast), 100 * (b.slow - 1), b.from));
  text += range("  TTFT p95", time_text(r.ttft_s.p95), time_text(f.ttft_s.p95),
                time_text(s.ttft_s.p95));
  text += range("  TPOT p50", time_text(r.tpot_s.p50), time_text(f.tpot_s.p50),
                time_text(s.tpot_s.p50));
  text += range("  whole request p50", time_text(r.latency_s.p50), time_text(f.latency_s.p50),
                time_text(s.latency_s.p50));
  text += range("  output tokens/s", number(r.output_tokens_per_s), number(f.output_tokens_per_s),
                number(s.output_tokens_per_s));
  if (f.load != s.load) text += paragraph("  saturated at the slow end, and not at the fast one");
  return text;
}

nlohmann::json band_json(const Band& b) {
  return {{"fast_factor", b.fast},
          {"slow_factor", b.slow},
          {"from", b.from},
          {"if_fast", numbers(b.if_fast)},
          {"if_slow", numbers(b.if_slow)}};
}

}  // namespace ridge::sim
