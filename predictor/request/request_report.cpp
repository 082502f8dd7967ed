#include "predictor/request/request_report.h"

#include <fmt/format.h>

#include <algorithm>

#include "predictor/error_statistics.h"
#include "predictor/request/text.h"

namespace ridge {
namespace {

constexpr std::size_t kRows = 8;  // of a phase that are shown one by one

// ---- what was asked

std::string prompts_text(const Request& r) {
  int64_t fewest = r.prompts[0].tokens, most = fewest, sum = 0;
  for (const Prompt& p : r.prompts) {
    fewest = std::min(fewest, p.tokens), most = std::max(most, p.tokens);
    sum += p.count * p.tokens;
  }
  if (fewest == most) return fmt::format("{} token{} in", grouped(fewest), fewest == 1 ? "" : "s");
  return fmt::format("{} to {} tokens in (mean {})", grouped(fewest), grouped(most),
                     grouped((sum + r.batch() / 2) / r.batch()));
}

std::string weights_text(const Precision& p) {
  const char* format = p.weights == WeightFormat::kFp8    ? "fp8"
                       : p.weights == WeightFormat::kInt8 ? "int8"
                       : p.weights == WeightFormat::kInt4 ? "int4"
                                                          : "";
  if (*format == 0) return "";
  const bool only = !p.quantised_activations || p.weights == WeightFormat::kInt4;
  return fmt::format(", {} weights{}", format, only ? " only" : "");
}

std::string parallel_text(const Parallel& p, const std::string& kind) {
  if (p.gpus() == 1) return "1 " + kind;
  std::string text = fmt::format("{} {}s (", p.gpus(), kind);
  const char* separator = "";
  for (const auto& [what, n] : {std::pair{"TP", p.tensor}, std::pair{"PP", p.pipeline},
                                std::pair{"EP", p.expert}, std::pair{"DP", p.data}}) {
    if (n == 1) continue;
    text += fmt::format("{}{} {}", separator, what, n);
    separator = ", ";
  }
  return text + ")";
}

std::string asked_text(const RequestAnswer& a) {
  const Deployment& d = a.deployment;
  const Request& r = a.request;
  std::string text = paragraph(fmt::format("{} on {}: batch {}, {}, {} out", d.model.name, a.gpu,
                                           r.batch(), prompts_text(r), grouped(r.output)));
  std::string how =
      fmt::format("{}{}, {} engine, {}", name(d.precision.dtype), weights_text(d.precision),
                  d.engine.name, parallel_text(d.parallel, a.kind));
  if (d.precision.kv_cache != d.precision.dtype)
    how += fmt::format(", {} KV cache", name(d.precision.kv_cache));
  if (const int64_t chunk = r.chunk > 0 ? r.chunk : d.engine.step_tokens; chunk > 0)
    how += fmt::format(", chunks of {}", grouped(chunk));
  int64_t cached = 0;
  for (const Prompt& p : r.prompts) cached += p.count * p.cached;
  if (cached > 0) how += fmt::format(", {} prompt tokens in the prefix cache", grouped(cached));
  if (r.speculation)
    how += fmt::format(", {} proposes {} tokens, {:.0f} % taken", r.speculation->draft.name,
                       r.speculation->tokens, 100 * r.speculation->acceptance);
  text += paragraph(how);
  if (a.fine_tuning.empty()) return text;
  std::string tuned = "fine-tuned:";
  for (const auto& [op, factor] : a.fine_tuning) tuned += fmt::format(" {} x {:.4g}", op, factor);
  return text + paragraph(tuned);
}

// ---- latency

std::string line(const char* what, const std::string& value, const std::string& range = {}) {
  return range.empty() ? fmt::format("{:<32}{:>12}\n", what, value)
                       : fmt::format("{:<32}{:>12}    {}\n", what, value, range);
}

std::string line(const char* what, const Estimate& e) {
  return line(what, time_text(e.value), time_range(e.value, e.low, e.high));
}

std::string latency_text(const RequestAnswer& a) {
  const RequestPrediction& p = a.prediction;
  std::string text = line("", "predicted", "80 % interval");
  text += line("time to first token    (TTFT)", p.ttft_s);
  const auto rate = [](double tokens, const Estimate& e) {
    return fmt::format("{} to {}", number(tokens / e.high), number(tokens / e.low));
  };
  if (a.request.output > 1) {
    text += line("time per output token  (TPOT)", p.tpot_s);
    text += line("  the first one", p.tpot_first_s);
    text += line("  the last one", p.tpot_last_s);
    text += line(a.request.speculation ? "time of a step, p50" : "  between two tokens, p50",
                 time_text(p.itl_p50_s),
                 fmt::format("p95 {}, p99 {}", time_text(p.itl_p95_s), time_text(p.itl_p99_s)));
  }
  text += line("whole request", p.total_s);
  const auto tokens = static_cast<double>(a.request.batch() * a.request.output);
  text += line("output tokens/s", number(p.output_tokens_per_s), rate(tokens, p.total_s));
  if (a.request.output > 1)
    text += line("  for each user", number(p.output_tokens_per_s_user), rate(1, p.tpot_s));
  return text;
}

// ---- memory

std::string memory_text(const RequestAnswer& a) {
  if (!a.memory) return "memory of the device: not known\n";
  const Memory& m = *a.memory;
  const double spare = m.usable - m.total();
  std::string text =
      fmt::format("memory of {}: {}, {} of {} GB, {} GB {}\n",
                  (a.deployment.parallel.gpus() > 1 ? "the fullest " : "the ") + a.kind,
                  m.fits() ? "fits" : "DOES NOT FIT", gb(m.total()), gb(m.usable),
                  gb(std::abs(spare)), m.fits() ? "to spare" : "too much");
  text +=
      paragraph(fmt::format("weights {} GB, KV cache {}, activations {}, workspace {:.2f}, CUDA "
                            "and graphs {}; usable {:.0f} % of {} GB",
                            gb(m.weights), gb(m.kv), gb(m.activations), m.workspace / 1e9,
                            gb(m.framework), 100 * m.usable / m.capacity, gb(m.capacity)),
                2, 2);
  const Request& r = a.request;
  int64_t longest = 0;
  for (const Prompt& p : r.prompts) longest = std::max(longest, p.tokens);
  text += fmt::format("  KV cache {:.1f} kB a token, room for {} blocks of {} tokens\n",
                      m.kv_bytes_per_token / 1e3, grouped(m.kv_blocks), kBlockTokens);
  text +=
      fmt::format("  holds batch {} of {} tokens, or {} tokens at batch {}\n", grouped(m.max_batch),
                  grouped(longest + r.output), grouped(m.max_context), grouped(r.batch()));
  if (a.would_fit.empty()) return text;
  return text + paragraph(fmt::format("would fit: {}", fmt::join(a.would_fit, "; or ")), 4, 2);
}

// ---- phases

struct Row {
  std::string role, op, bound, stands_on;
  double seconds = 0;
};

std::string row_text(const Row& r, double whole) {
  std::string text = fmt::format("  {:<17} {:<18}{:>5.1f} %{:>11}", r.role, r.op,
                                 100 * r.seconds / whole, time_text(r.seconds));
  if (!r.bound.empty()) text += fmt::format("  {:<8} {}", r.bound, r.stands_on);
  return text + "\n";
}

std::vector<Row> rows_of(const Phase& p, const EngineProfile& engine) {
  std::vector<Row> rows;
  double rest = p.seconds.value - p.host_s;
  for (const RoleTime& r : p.roles) {
    rows.push_back({std::string(name(r.role)), r.op, std::string(name(r.bound)),
                    std::string(name(r.basis)), r.seconds});
    rest -= r.seconds;
  }
  if (p.host_s > 0)
    rows.push_back({"host", shortened(engine.name, 18), "host", "profile", p.host_s});
  if (rest > 1e-6 * p.seconds.value) rows.push_back({"draft model", "", "", "", rest});
  std::stable_sort(rows.begin(), rows.end(),
                   [](const Row& a, const Row& b) { return a.seconds > b.seconds; });
  return rows;
}

std::string bounds_text(const Phase& p) {
  std::vector<std::pair<double, std::string>> parts;
  double sum = 0;
  for (const auto& [bound, seconds] : p.bound_s) {
    parts.emplace_back(seconds, bound);
    sum += seconds;
  }
  std::sort(parts.rbegin(), parts.rend());
  std::string text;
  for (const auto& [seconds, bound] : parts)
    if (seconds >= 0.005 * sum)
      text += fmt::format("{}{} {:.0f} %", text.empty() ? "" : ", ", bound, 100 * seconds / sum);
  return text;
}

std::string phase_text(const char* title, const Phase& p, const EngineProfile& engine) {
  std::string text =
      fmt::format("{}, {}; bound by {}\n", title, time_text(p.seconds.value), bounds_text(p));
  text += fmt::format("  {} flop/byte, MFU {:.1f} %, memory bandwidth {:.1f} %\n",
                      number(p.intensity()), 100 * p.mfu, 100 * p.bandwidth_utilisation);
  text += fmt::format("  {:<17} {:<18}{:>7}{:>11}  {:<8} {}\n", "role", "kernel", "share", "time",
                      "bound", "stands on");
  const std::vector<Row> rows = rows_of(p, engine);
  const std::size_t shown = rows.size() > kRows + 1 ? kRows : rows.size();
  for (std::size_t i = 0; i < shown; ++i) text += row_text(rows[i], p.seconds.value);
  if (shown == rows.size()) return text;
  Row others{.role = fmt::format("{} others", rows.size() - shown)};
  for (std::size_t i = shown; i < rows.size(); ++i) others.seconds += rows[i].seconds;
  return text + row_text(others, p.seconds.value);
}

// ---- batch curve

std::string curve_text(const RequestAnswer& a) {
  const BatchCurve& c = *a.curve;
  std::string text = fmt::format("{:>7}{:>12}{:>12}{:>12}{:>12}{:>10}\n", "batch", "TTFT", "TPOT",
                                 "total", "tokens/s", "a user");
  for (std::size_t i = 0; i < c.points.size(); ++i) {
    const RequestPrediction& p = c.points[i].prediction;
    const bool decodes = p.tpot_s.value > 0;
    text += fmt::format("{:>7}{:>12}{:>12}{:>12}{:>12}{:>10}", c.points[i].batch,
                        time_text(p.ttft_s.value), decodes ? time_text(p.tpot_s.value) : "-",
                        time_text(p.total_s.value), number(p.output_tokens_per_s),
                        decodes ? number(p.output_tokens_per_s_user) : "-");
    if (!c.points[i].fits) text += "  too big";
    if (c.knee == i) text += "  knee";
    if (c.best == i) text += c.knee == i ? ", best" : "  best";
    text += "\n";
  }
  std::string limits;
  if (a.limits.ttft_s > 0) limits += fmt::format(", TTFT up to {}", time_text(a.limits.ttft_s));
  if (a.limits.tpot_s > 0) limits += fmt::format(", TPOT up to {}", time_text(a.limits.tpot_s));
  if (!c.best) return text + paragraph("none fits" + limits);
  const char* knee = c.knee ? "; knee: behind it latency grows faster than throughput" : "";
  return text + paragraph("best: most tokens/s that fits" + limits + knee);
}

std::string notes_text(const RequestAnswer& a) {
  std::string text = "answered by\n";
  for (const std::string& by : a.answered_by) text += paragraph(by, 4, 2);
  if (a.prediction.notes.empty()) return text;
  text += "notes\n";
  for (const std::string& note : a.prediction.notes) text += paragraph(note, 4, 2);
  return text;
}

}  // namespace

std::string request_text(const RequestAnswer& a) {
  const RequestPrediction& p = a.prediction;
  const EngineProfile& engine = a.deployment.engine;
  std::string text = asked_text(a) + "\n" + latency_text(a) + "\n" + memory_text(a) + "\n";
  text += phase_text("prefill", p.prefill, engine) + "\n";
  if (a.request.output > 1) text += phase_text("decode, a mean step", p.decode, engine) + "\n";
  if (a.curve) text += curve_text(a) + "\n";
  return text + notes_text(a);
}

}  // namespace ridge
