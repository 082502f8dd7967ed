#include "predictor/request/request.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "kernels/core/error.h"
#include "predictor/lowering/shard.h"
#include "predictor/request/price_steps.h"

namespace ridge {
namespace {

// Of a decode at which attention is asked; between them a line. As many as a curve answers at once.
// 33 of them change the mean of 4,000 steps by 0.15 %, that of 1,000 by 0.02 %.
constexpr int kContexts = 8;

int64_t longest_prompt(const Request& r) {
  int64_t longest = 1;
  for (const Prompt& p : r.prompts) longest = std::max(longest, p.tokens);
  return longest;
}

void check(const Request& r, const Model& m) {
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
  // The last token is not fed back.
  if (const int64_t most = m.max_positions; most > 0 && longest_prompt(r) > most - r.output + 1)
    throw BadInput(fmt::format("{}: a context of {} tokens is beyond the model's {}", m.name,
                               longest_prompt(r) + r.output - 1, most));
}

// Quantised products need a pipe of their own.
void check(const Precision& p, const TableSet& tables) {
  const bool fp8 = p.weights == WeightFormat::kFp8;
  if (!p.quantised_activations || (!fp8 && p.weights != WeightFormat::kInt8)) return;
  const Dtype dtype = fp8 ? Dtype::kF8E4M3 : Dtype::kInt8;
  if (tables.ceilings().values.contains(ceiling_name(Pipe::kMatrix, dtype))) return;
  throw BadInput(fmt::format(
      "{} has no {} matrix products; --weight-only keeps weights in {} and multiplies in {}",
      tables.device().name, fp8 ? "fp8" : "int8", fp8 ? "fp8" : "int8", name(p.dtype)));
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

// `tokens` new ones for each sequence; proposals beyond the model's `longest` context are not made.
Step decode_step(const Request& r, int64_t step, int64_t tokens, int64_t longest) {
  Step s;
  for (const Prompt& p : r.prompts) {
    const int64_t past = p.tokens + step;
    const int64_t room = longest > 0 ? std::max<int64_t>(1, longest - past) : tokens;
    s.push_back({.count = p.count,
                 .tokens = std::min(tokens, room),
                 .past = past,
                 .samples_all = tokens > 1});
  }
  return s;
}

Estimate scaled(const Estimate& e, double factor) {
  return {e.value * factor, e.low * factor, e.high * factor};
}
Estimate sum(const Estimate& a, const Estimate& b) {
  return {a.value + b.value, a.low + b.low, a.high + b.high};
}

// Where an engine's times were fitted, what they were off by says it all, the kernels' errors too.
void set_spread(Estimate& e, double share) {
  if (share > 0) e = {e.value, e.value * (1 - share), e.value * (1 + share)};
}

Phase phase_of_one(const PricedSteps& steps, std::size_t count, std::size_t which) {
  std::vector<double> weights(count, 0.0);
  weights[which] = 1;
  return steps.phase(weights);
}

// Times of evenly spaced steps, the shortest first: lines between the nodes. They do not always
// grow with the context: a curve may fall a little on the way.
std::vector<double> sorted_times(const Nodes& n, const PricedSteps& steps) {
  constexpr int64_t kSpaced = 200;
  const int64_t last = n.at.back(), count = std::min(last, kSpaced);
  std::vector<double> times{steps.seconds(0)};
  for (int64_t k = 1, i = 1; k <= count; ++k) {
    const double at =
        static_cast<double>(last) * static_cast<double>(k) / static_cast<double>(count);
    while (at > static_cast<double>(n.at[static_cast<std::size_t>(i)])) ++i;
    const auto right = static_cast<std::size_t>(i);
    const auto begin = static_cast<double>(n.at[right - 1]), end = static_cast<double>(n.at[right]);
    const double part = (at - begin) / (end - begin);
    times.push_back(steps.seconds(right - 1) * (1 - part) + steps.seconds(right) * part);
  }
  std::sort(times.begin(), times.end());
  return times;
}

double quantile(const std::vector<double>& sorted, double q) {
  const double at = q * static_cast<double>(sorted.size() - 1);
  const auto left = static_cast<std::size_t>(at);
  const double part = at - static_cast<double>(left);
  return left + 1 < sorted.size() ? sorted[left] * (1 - part) + sorted[left + 1] * part
                                  : sorted.back();
}

// The host beside the GPU where kernels are launched one by one: the slower of the two counts.
void apply_floor(Phase& p, double floor_s) {
  if (p.seconds.value >= floor_s) return;
  p.bound_s["host"] += floor_s - p.seconds.value, p.host_s += floor_s - p.seconds.value;
  const double up = std::max(floor_s, p.seconds.high), down = std::max(p.seconds.low, floor_s);
  p.seconds = {floor_s, down, up};
}

// `times` steps of the draft model beside one of the model's.
void add_draft(Phase& p, const Phase& draft, double times) {
  const Estimate more = scaled(draft.seconds, times), all = sum(p.seconds, more);
  const auto mean = [&](double own, double of_draft) {
    return (own * p.seconds.value + of_draft * more.value) / all.value;
  };
  p.mfu = mean(p.mfu, draft.mfu);
  p.bandwidth_utilisation = mean(p.bandwidth_utilisation, draft.bandwidth_utilisation);
  p.host_s += times * draft.host_s;
  p.flops += times * draft.flops, p.bytes += times * draft.bytes;
  for (const auto& [bound, seconds] : draft.bound_s) p.bound_s[bound] += times * seconds;
  p.seconds = all;
}

Deployment of_draft(const Deployment& d, const Speculation& s) {
  Deployment small = d;
  small.model = s.draft;
  return small;
}

// Steps that a token takes on average.
double steps_per_token(const Speculation& s) {
  const double a = s.acceptance, tokens = static_cast<double>(s.tokens + 1);
  return a < 1 ? (1 - a) / (1 - std::pow(a, tokens)) : 1 / tokens;
}

void decode(const TableSet& tables, const Deployment& d, const Request& r, RequestPrediction& out) {
  const int64_t verified = r.speculation ? r.speculation->tokens + 1 : 1;
  const Nodes nodes = decode_nodes(r.output - 1, longest_prompt(r));
  const auto steps = [&](int64_t tokens) {
    std::vector<Step> list;
    for (const int64_t at : nodes.at)
      list.push_back(decode_step(r, at, tokens, d.model.max_positions));
    return list;
  };
  const PricedSteps priced(tables, d, PhaseKind::kDecode, steps(verified));
  out.decode = priced.phase(nodes.weights);
  Phase first = phase_of_one(priced, nodes.at.size(), 0);
  Phase last = phase_of_one(priced, nodes.at.size(), nodes.at.size() - 1);
  const double floor_s = d.engine.times_on(tables.device().name).decode_floor_s + first.host_s;
  for (Phase* p : {&out.decode, &first, &last}) apply_floor(*p, floor_s);
  double factor = 1, draft_s = 0;
  if (r.speculation) {
    const auto times = static_cast<double>(r.speculation->tokens);
    const Phase draft =
        PricedSteps(tables, of_draft(d, *r.speculation), PhaseKind::kDecode, steps(1))
            .phase(nodes.weights);
    for (Phase* p : {&out.decode, &first, &last}) add_draft(*p, draft, times);
    draft_s = times * draft.seconds.value;
    factor = steps_per_token(*r.speculation);
    out.notes.push_back(fmt::format("a step proposes {} tokens in {:.3g} ms and keeps {:.2f}",
                                    r.speculation->tokens, draft_s * 1e3, 1 / factor));
  }
  out.tpot_s = scaled(out.decode.seconds, factor);
  out.tpot_first_s = scaled(first.seconds, factor);
  out.tpot_last_s = scaled(last.seconds, factor);
  const std::vector<double> times = sorted_times(nodes, priced);
  const auto percentile = [&](double q) { return std::max(floor_s, quantile(times, q)) + draft_s; };
  out.itl_p50_s = percentile(0.5), out.itl_p95_s = percentile(0.95);
  out.itl_p99_s = percentile(0.99);
}

// Operators whose times are no measurements of this GPU: a note for each way to know them.
void note_bases(const RequestPrediction& p, std::vector<std::string>& notes) {
  for (const auto& [basis, how] : {std::pair{Basis::kTransferred, "transferred from other GPUs"},
                                   std::pair{Basis::kRoofline, "estimated by the roofline"}}) {
    std::vector<std::string> ops;
    for (const Phase* phase : {&p.prefill, &p.decode})
      for (const RoleTime& r : phase->roles)
        if (r.basis == basis && std::find(ops.begin(), ops.end(), r.op) == ops.end())
          ops.push_back(r.op);
    if (!ops.empty())
      notes.push_back(fmt::format("{}, not measured: {}", how, fmt::join(ops, ", ")));
  }
}

}  // namespace

int64_t Request::batch() const {
  int64_t n = 0;
  for (const Prompt& p : prompts) n += p.count;
  return n;
}

std::vector<Prompt> fullest_share(std::vector<Prompt> prompts, int64_t replicas) {
  std::stable_sort(prompts.begin(), prompts.end(),
                   [](const Prompt& a, const Prompt& b) { return a.tokens > b.tokens; });
  int64_t dealt = 0;
  for (Prompt& p : prompts) {
    const int64_t before = ceil_div(dealt, replicas);
    dealt += p.count;
    p.count = ceil_div(dealt, replicas) - before;
  }
  std::erase_if(prompts, [](const Prompt& p) { return p.count == 0; });
  return prompts;
}

Phase predict_step(const TableSet& tables, const Deployment& d, const Step& step) {
  const bool prefill = std::any_of(step.begin(), step.end(),
                                   [](const Sequences& s) { return s.tokens > 1 || s.past == 0; });
  const PricedSteps priced(tables, d, prefill ? PhaseKind::kPrefill : PhaseKind::kDecode,
                           std::span(&step, 1));
  const double once = 1;
  Phase p = priced.phase(std::span(&once, 1));
  if (!prefill) apply_floor(p, d.engine.times_on(tables.device().name).decode_floor_s + p.host_s);
  return p;
}

RequestPrediction predict_request(const TableSet& tables, const Deployment& d,
                                  const Request& asked) {
  check(asked, d.model);
  check(d.precision, tables);
  Request r = asked;
  if (d.parallel.data > 1) r.prompts = fullest_share(asked.prompts, d.parallel.data);
  RequestPrediction out;
  const std::vector<Step> steps = prefill_steps(r, r.chunk > 0 ? r.chunk : d.engine.step_tokens);
  const std::vector<double> once(steps.size(), 1.0);
  out.prefill = PricedSteps(tables, d, PhaseKind::kPrefill, steps).phase(once);
  const double requests_s =
      d.engine.times_on(tables.device().name).per_request_s * static_cast<double>(r.batch());
  out.prefill.host_s += requests_s;
  if (requests_s > 0) out.prefill.bound_s["host"] += requests_s;
  out.prefill.seconds = sum(out.prefill.seconds, {requests_s, requests_s, requests_s});
  out.ttft_s = out.prefill.seconds;
  if (r.speculation) {
    const PricedSteps draft(tables, of_draft(d, *r.speculation), PhaseKind::kPrefill, steps);
    out.ttft_s = sum(out.ttft_s, draft.phase(once).seconds);
  }
  if (r.output > 1) decode(tables, d, r, out);
  out.total_s = sum(out.ttft_s, scaled(out.tpot_s, static_cast<double>(r.output - 1)));
  for (Estimate* e : {&out.ttft_s, &out.tpot_s, &out.tpot_first_s, &out.tpot_last_s, &out.total_s})
    set_spread(*e, d.engine.times_on(tables.device().name).spread);
  out.output_tokens_per_s = static_cast<double>(asked.batch() * r.output) / out.total_s.value;
  if (out.tpot_s.value > 0) out.output_tokens_per_s_user = 1 / out.tpot_s.value;
  note_bases(out, out.notes);
  return out;
}

}  // namespace ridge
