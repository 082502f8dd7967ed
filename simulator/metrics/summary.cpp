#include "simulator/metrics/summary.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace ridge::sim {
namespace {

double share(double part, double whole) { return whole > 0 ? part / whole : 0; }

// Requests that wait for their first step at a time.
int64_t waiting_at(const std::vector<Record>& records, double time_s) {
  return std::count_if(records.begin(), records.end(), [&](const Record& r) {
    return !r.rejected && r.arrival.time_s <= time_s &&
           (r.scheduled_s < 0 || r.scheduled_s > time_s);
  });
}

void count_requests(const Outcome& run, const SummaryOptions& o, Summary& s) {
  std::vector<double> ttft, tpot, latency, queue;
  int64_t kept = 0, cached = 0, prompts = 0;
  for (const Record& r : run.records) {
    ++s.requests;
    s.tokens_out += r.generated;
    s.rejected += r.rejected ? 1 : 0;
    s.unfinished += !r.rejected && !r.finished() ? 1 : 0;
    if (r.scheduled_s >= 0) cached += r.cached, prompts += r.arrival.input;
    if (!r.finished()) continue;
    ++s.finished;
    s.tokens_in += r.arrival.input;
    kept += o.limits.keeps(r) ? 1 : 0;
    ttft.push_back(r.ttft_s());
    latency.push_back(r.latency_s());
    queue.push_back(r.queue_s());
    if (r.arrival.output > 1) tpot.push_back(r.tpot_s());
  }
  s.ttft_s = distribution(std::move(ttft));
  s.tpot_s = distribution(std::move(tpot));
  s.latency_s = distribution(std::move(latency));
  s.queue_s = distribution(std::move(queue));
  s.prefix_hits = share(static_cast<double>(cached), static_cast<double>(prompts));
  const auto real = [](int64_t n) { return static_cast<double>(n); };
  s.requests_per_s = share(real(s.finished), s.duration_s);
  s.output_tokens_per_s = share(real(s.tokens_out), s.duration_s);
  s.total_tokens_per_s = share(real(s.tokens_out + s.tokens_in), s.duration_s);
  if (!o.limits.any()) return;
  s.within_limits = share(real(kept), real(s.requests));
  s.goodput_per_s = share(real(kept), s.duration_s);
}

void count_steps(const Outcome& run, const SummaryOptions& o, Summary& s) {
  Histogram between;
  double busy_s = 0, flops = 0, bytes = 0, cache = 0, running = 0, waiting = 0;
  for (const Totals& t : run.totals) {
    between.add(t.between_tokens);
    s.steps += t.steps;
    s.preemptions += t.preemptions;
    s.cache_peak = std::max(s.cache_peak, t.cache_peak);
    s.running_most = std::max(s.running_most, t.most_running);
    s.waiting_most = std::max(s.waiting_most, t.most_waiting);
    busy_s += t.busy_s, flops += t.flops, bytes += t.bytes;
    cache += t.cache_time, running += t.running_time, waiting += t.waiting_time;
  }
  s.between_tokens_s = distribution(between);
  s.cache_mean = share(cache, busy_s);
  s.running_mean = share(running, busy_s);
  s.waiting_mean = share(waiting, busy_s);
  const double all_s = s.duration_s * static_cast<double>(run.totals.size());
  s.busy = share(busy_s, all_s);
  s.mfu = share(flops, all_s * o.peak_flops_per_s);
  s.bandwidth_use = share(bytes, all_s * o.bandwidth_bytes_per_s);
}

std::string reason(const Outcome& run) {
  double cache_s = 0, sequences_s = 0, busy_s = 0;
  for (const Totals& t : run.totals)
    cache_s += t.cache_full_s, sequences_s += t.sequences_full_s, busy_s += t.busy_s;
  if (cache_s > 0.3 * busy_s && cache_s >= sequences_s)
    return "the KV cache is full: more GPUs, a smaller or quantised model, or an 8-bit cache";
  if (sequences_s > 0.3 * busy_s)
    return "all places for sequences are taken: raise max_sequences, or add replicas";
  return "steps take all the time there is: a faster GPU, more of them, or fewer tokens";
}

void judge(const Outcome& run, const SummaryOptions& o, Summary& s) {
  if (run.records.empty()) {
    s.verdict = "no request came";
    return;
  }
  const double last_s = run.records.back().arrival.time_s;
  const int64_t half = waiting_at(run.records, last_s / 2), end = waiting_at(run.records, last_s);
  const auto few = std::max<int64_t>(8, s.requests / 20);
  if (!o.open_arrivals) {
    s.verdict = "as many requests as clients: a queue cannot grow";
  } else if (end > few && static_cast<double>(end) > 1.5 * static_cast<double>(half)) {
    s.load = Load::kSaturated;
    s.verdict = fmt::format(
        "saturated: {} requests waited half-way and {} when the last one came, so latencies grow "
        "with the run; {}",
        half, end, reason(run));
  } else {
    s.verdict = fmt::format("keeps up: {} requests waited when the last one came", end);
  }
}

void warn(const SummaryOptions& o, Summary& s) {
  const auto add = [&](std::string text) { s.warnings.push_back(std::move(text)); };
  if (s.requests == 0)
    add("no request came: lengthen the run, or raise the rate");
  else if (s.finished == 0)
    add(
        fmt::format("none of {} requests was completed: lengthen the run, shorten the answers, or "
                    "take a faster GPU",
                    s.requests));
  if (s.rejected > 0)
    add(
        fmt::format("{} requests can never run: their prompt and answer are more than the KV cache "
                    "or the token budget holds; shorten them, or give the model more memory",
                    s.rejected));
  if (s.preemptions > 0 && s.preemptions * 20 > s.requests)
    add(
        fmt::format("{} preemptions: memory is short, and what was computed is computed again; "
                    "lower max_sequences, or give the KV cache more memory",
                    s.preemptions));
  if (s.finished > 0 && o.open_arrivals && s.busy < 0.2)
    add(
        fmt::format("GPUs are busy {:.0f} % of the time: fewer or smaller ones would do, or raise "
                    "the rate",
                    100 * s.busy));
}

}  // namespace

Distribution distribution(std::vector<double> values) {
  Distribution d{.count = static_cast<int64_t>(values.size())};
  if (values.empty()) return d;
  std::sort(values.begin(), values.end());
  for (const double v : values) d.mean += v;
  d.mean /= static_cast<double>(values.size());
  const auto at = [&](double q) {
    const double rank = std::ceil(q * static_cast<double>(values.size()));
    return values[static_cast<std::size_t>(std::max(1.0, rank)) - 1];
  };
  d.p50 = at(0.5), d.p90 = at(0.9), d.p95 = at(0.95), d.p99 = at(0.99);
  d.most = values.back();
  return d;
}

Distribution distribution(const Histogram& h) {
  return {h.count(),        h.mean(),         h.quantile(0.5), h.quantile(0.9),
          h.quantile(0.95), h.quantile(0.99), h.most()};
}

Summary summarize(const Outcome& run, const SummaryOptions& options) {
  Summary s;
  s.duration_s = run.end_s;
  count_requests(run, options, s);
  count_steps(run, options, s);
  judge(run, options, s);
  warn(options, s);
  return s;
}

}  // namespace ridge::sim
