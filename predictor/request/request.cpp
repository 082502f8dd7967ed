#include "predictor/request/request.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "kernels/core/error.h"
#include "predictor/request/price_steps.h"

namespace ridge {
namespace {

constexpr int kContexts = 9;  // of a decode at which attention is asked; between them a line

void check(const Request& r) {
  if (r.prompts.empty()) throw BadInput("request: has no prompts");
  for (const Prompt& p : r.prompts) {
    if (p.count < 1) throw BadInput(fmt::format("request: batch={} must be at least 1", p.count));
    if (p.tokens < 1)
      throw BadInput(fmt::format("request: input={} must be at least 1 token", p.tokens));
    if (p.cached < 0 || p.cached >= p.tokens)
      throw BadInput(
          fmt::format("request: cached={} must be in [0, {}]: the last token of the "
                      "prompt is always computed",
                      p.cached, p.tokens - 1));
  }
  if (r.output < 1)
    throw BadInput(fmt::format("request: output={} must be at least 1 token", r.output));
  if (r.chunk < 0) throw BadInput(fmt::format("request: chunk={} must not be negative", r.chunk));
  if (r.speculation && (r.speculation->tokens < 1 || !(r.speculation->acceptance >= 0) ||
                        r.speculation->acceptance > 1))
    throw BadInput("request: speculation needs at least 1 token and an acceptance in [0, 1]");
}

// The prompts in steps of at most `chunk` new tokens, first come first served.
std::vector<Step> prefill_steps(const Request& r, int64_t chunk) {
  Step all;
  for (const Prompt& p : r.prompts)
    all.push_back({.count = p.count, .tokens = p.tokens - p.cached, .past = p.cached});
  if (chunk <= 0 || new_tokens(all) <= chunk) return {all};
  std::vector<Step> steps(1);
  int64_t room = chunk;
  for (const Sequences& s : all) {
    int64_t whole = s.count;  // sequences still to do
    while (whole > 0) {
      // As many whole sequences as fit, else a part of one and so on until it is done.
      if (const int64_t fit = std::min(whole, room / s.tokens); fit > 0) {
        steps.back().push_back({.count = fit, .tokens = s.tokens, .past = s.past});
        whole -= fit, room -= fit * s.tokens;
      } else {
        for (int64_t done = 0; done < s.tokens;) {
          if (room == 0) steps.emplace_back(), room = chunk;
          const int64_t part = std::min(room, s.tokens - done);
          steps.back().push_back(
              {.tokens = part, .past = s.past + done, .samples = done + part == s.tokens});
          done += part, room -= part;
        }
        --whole;
      }
      if (room == 0 && whole > 0) steps.emplace_back(), room = chunk;
    }
  }
  if (steps.back().empty()) steps.pop_back();
  return steps;
}

// Decode steps 0 … last at which time is asked, and how much each counts in the mean of all: that
// of lines between them. They are denser where contexts are short against the prompt.
struct Nodes {
  std::vector<int64_t> at;
  std::vector<double> weights;  // sum to 1
};

Nodes decode_nodes(int64_t steps, int64_t prompt) {
  std::set<int64_t> at{0, steps - 1};
  const double low = static_cast<double>(prompt), high = static_cast<double>(prompt + steps - 1);
  for (int i = 1; i < kContexts - 1; ++i)
    at.insert(std::clamp<int64_t>(
        std::llround(low * std::pow(high / low, i / (kContexts - 1.0)) - low), 0, steps - 1));
  Nodes n{{at.begin(), at.end()}, std::vector<double>(at.size(), 0.0)};
  // Each step between two nodes is a mixture of them; the ends count themselves.
  n.weights[0] = 1;
  for (std::size_t i = 1; i < n.at.size(); ++i) {
    const auto gap = static_cast<double>(n.at[i] - n.at[i - 1]);
    n.weights[i - 1] += (gap - 1) / 2, n.weights[i] += (gap + 1) / 2;
  }
  for (double& w : n.weights) w /= static_cast<double>(steps);
  return n;
}

Step decode_step(const Request& r, int64_t step, int64_t tokens) {
  Step s;
  for (const Prompt& p : r.prompts)
    s.push_back(
        {.count = p.count, .tokens = tokens, .past = p.tokens + step, .samples_all = tokens > 1});
  return s;
}

int64_t longest_prompt(const Request& r) {
  int64_t longest = 1;
  for (const Prompt& p : r.prompts) longest = std::max(longest, p.tokens);
  return longest;
}

Estimate scaled(const Estimate& e, double factor) {
  return {e.value * factor, e.low * factor, e.high * factor};
}
Estimate sum(const Estimate& a, const Estimate& b) {
  return {a.value + b.value, a.low + b.low, a.high + b.high};
}

Phase phase_of_one(const PricedSteps& steps, std::size_t count, std::size_t which) {
  std::vector<double> weights(count, 0.0);
  weights[which] = 1;
  return steps.phase(weights);
}

// Quantile of step times: lines between the nodes.
double quantile(const Nodes& n, const PricedSteps& steps, double q) {
  const double at = q * static_cast<double>(n.at.back());
  for (std::size_t i = 1; i < n.at.size(); ++i) {
    const auto left = static_cast<double>(n.at[i - 1]), right = static_cast<double>(n.at[i]);
    if (at > right) continue;
    const double part = right > left ? (at - left) / (right - left) : 0;
    return steps.seconds(i - 1) * (1 - part) + steps.seconds(i) * part;
  }
  return steps.seconds(n.at.size() - 1);
}

// The host beside the GPU where kernels are launched one by one: the slower of the two counts.
void apply_floor(Phase& p, double floor_s) {
  if (p.seconds.value >= floor_s) return;
  p.bound_s["host"] += floor_s - p.seconds.value, p.host_s += floor_s - p.seconds.value;
  const double up = std::max(floor_s, p.seconds.high), down = std::max(p.seconds.low, floor_s);
  p.seconds = {floor_s, down, up};
}

void decode(const TableSet& tables, const Deployment& d, const Request& r, RequestPrediction& out) {
  const int64_t steps = r.output - 1;
  const int64_t verified = r.speculation ? r.speculation->tokens + 1 : 1;
  const Nodes nodes = decode_nodes(steps, longest_prompt(r));
  std::vector<Step> asked;
  for (const int64_t at : nodes.at) asked.push_back(decode_step(r, at, verified));
  const PricedSteps priced(tables, d, PhaseKind::kDecode, asked);
  out.decode = priced.phase(nodes.weights);
  Phase first = phase_of_one(priced, asked.size(), 0);
  Phase last = phase_of_one(priced, asked.size(), asked.size() - 1);
  const double floor_s = d.engine.decode_floor_s;
  for (Phase* p : {&out.decode, &first, &last}) apply_floor(*p, floor_s);
  double factor = 1, draft_s = 0;
  if (r.speculation) {
    Deployment small = d;
    small.model = r.speculation->draft;
    std::vector<Step> draft;
    for (const int64_t at : nodes.at) draft.push_back(decode_step(r, at, 1));
    const PricedSteps proposed(tables, small, PhaseKind::kDecode, draft);
    const Phase one = proposed.phase(nodes.weights);
    draft_s = static_cast<double>(r.speculation->tokens) * one.seconds.value;
    const Estimate all = scaled(one.seconds, static_cast<double>(r.speculation->tokens));
    for (Phase* p : {&out.decode, &first, &last}) p->seconds = sum(p->seconds, all);
    const double a = r.speculation->acceptance, k = static_cast<double>(verified);
    factor = a < 1 ? (1 - a) / (1 - std::pow(a, k)) : 1 / k;
    out.notes.push_back(fmt::format("a step proposes {} tokens in {:.2f} ms and keeps {:.2f}",
                                    r.speculation->tokens, draft_s * 1e3, 1 / factor));
  }
  out.tpot_s = scaled(out.decode.seconds, factor);
  out.tpot_first_s = scaled(first.seconds, factor);
  out.tpot_last_s = scaled(last.seconds, factor);
  const auto percentile = [&](double q) {
    return std::max(floor_s, quantile(nodes, priced, q)) + draft_s;
  };
  out.itl_p50_s = percentile(0.5), out.itl_p95_s = percentile(0.95);
  out.itl_p99_s = percentile(0.99);
}

// Operators whose times are no measurements of this GPU: a note for each way to know them.
void note_bases(const RequestPrediction& p, const TableSet& tables,
                std::vector<std::string>& notes) {
  for (const auto& [basis, how] : {std::pair{Basis::kTransferred, "transferred from other GPUs"},
                                   std::pair{Basis::kRoofline, "estimated by the roofline"}}) {
    std::vector<std::string> ops;
    for (const Phase* phase : {&p.prefill, &p.decode})
      for (const RoleTime& r : phase->roles)
        if (r.basis == basis && std::find(ops.begin(), ops.end(), r.op) == ops.end())
          ops.push_back(r.op);
    if (!ops.empty())
      notes.push_back(fmt::format("not measured on {}, {}: {}", tables.device().name, how,
                                  fmt::join(ops, ", ")));
  }
}

}  // namespace

int64_t Request::batch() const {
  int64_t n = 0;
  for (const Prompt& p : prompts) n += p.count;
  return n;
}

Phase predict_step(const TableSet& tables, const Deployment& d, const Step& step) {
  const bool prefill = std::any_of(step.begin(), step.end(),
                                   [](const Sequences& s) { return s.tokens > 1 || s.past == 0; });
  const PricedSteps priced(tables, d, prefill ? PhaseKind::kPrefill : PhaseKind::kDecode,
                           std::span(&step, 1));
  const double once = 1;
  Phase p = priced.phase(std::span(&once, 1));
  if (!prefill) apply_floor(p, d.engine.decode_floor_s);
  return p;
}

RequestPrediction predict_request(const TableSet& tables, const Deployment& d, const Request& r) {
  check(r);
  RequestPrediction out;
  const std::vector<Step> steps = prefill_steps(r, r.chunk > 0 ? r.chunk : d.engine.step_tokens);
  const std::vector<double> once(steps.size(), 1.0);
  const PricedSteps prefill(tables, d, PhaseKind::kPrefill, steps);
  out.prefill = prefill.phase(once);
  const double requests_s = d.engine.per_request_s * static_cast<double>(r.batch());
  out.prefill.host_s += requests_s;
  if (requests_s > 0) out.prefill.bound_s["host"] += requests_s;
  out.prefill.seconds = sum(out.prefill.seconds, {requests_s, requests_s, requests_s});
  out.ttft_s = out.prefill.seconds;
  if (r.speculation) {
    Deployment small = d;
    small.model = r.speculation->draft;
    const PricedSteps draft(tables, small, PhaseKind::kPrefill, steps);
    out.ttft_s = sum(out.ttft_s, draft.phase(once).seconds);
  }
  if (r.output > 1) decode(tables, d, r, out);
  out.total_s = sum(out.ttft_s, scaled(out.tpot_s, static_cast<double>(r.output - 1)));
  out.output_tokens_per_s = static_cast<double>(r.batch() * r.output) / out.total_s.value;
  if (out.tpot_s.value > 0) out.output_tokens_per_s_user = 1 / out.tpot_s.value;
  note_bases(out, tables, out.notes);
  return out;
}

}  // namespace ridge
