#include "simulator/outputs/report.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "predictor/request/text.h"

namespace ridge::sim {
namespace {

using nlohmann::json;

std::string row(const char* what, const Distribution& d) {
  if (d.count == 0) return fmt::format("{:<22}  none\n", what);
  return fmt::format("{:<22}{:>11}{:>11}{:>11}{:>11}{:>11}\n", what, time_text(d.mean),
                     time_text(d.p50), time_text(d.p90), time_text(d.p95), time_text(d.p99));
}

std::string percent(double share) { return fmt::format("{:.1f} %", 100 * share); }

std::string workload_text(const Scenario& s) {
  const WorkloadConfig& w = s.workload;
  const Arrivals& a = w.arrivals;
  switch (a.kind) {
    case ArrivalKind::kTrace:
      return fmt::format("trace of {} requests", grouped(static_cast<int64_t>(w.trace.size())));
    case ArrivalKind::kClosedLoop:
      return fmt::format("closed loop of {} clients", a.concurrency);
    case ArrivalKind::kDeterministic:
      return fmt::format("a request every {}", time_text(1 / a.rate_per_s));
    case ArrivalKind::kGamma:
      return fmt::format("gamma arrivals, {} requests/s, variation {:.3g}", number(a.rate_per_s),
                         a.variation);
    case ArrivalKind::kOnOff:
      return fmt::format("{} requests/s for {}, then none for {}", number(a.rate_per_s),
                         time_text(a.on_s), time_text(a.off_s));
    case ArrivalKind::kPoisson:
      break;
  }
  return fmt::format("Poisson arrivals, {} requests/s", number(a.rate_per_s));
}

std::string head(const Scenario& s) {
  const Deployment& d = s.deployment;
  const SchedulerConfig& c = s.cluster.replica.scheduler;
  const BatchConfig& b = s.cluster.replica.batch;
  std::string text =
      paragraph(fmt::format("{} on {} x {}: {}", d.model.name, s.gpus(), s.gpu, workload_text(s)));
  std::string how =
      fmt::format("{}, {} engine, {} replica{} of TP {}, PP {}", name(d.precision.dtype),
                  d.engine.name, s.cluster.replicas, s.cluster.replicas == 1 ? "" : "s",
                  d.parallel.tensor, d.parallel.pipeline);
  if (s.cluster.replicas > 1) how += fmt::format(", {} routing", name(s.cluster.routing));
  if (s.cluster.disaggregation)
    how += fmt::format(", {} more for prompts", s.cluster.disaggregation->prefill_replicas);
  text += paragraph(how);
  how = fmt::format("{} scheduler, {} sequences", name(c.kind), c.max_sequences);
  if (c.kind == SchedulerKind::kVllmV0 || c.kind == SchedulerKind::kVllmV1 ||
      c.kind == SchedulerKind::kSarathi)
    how += fmt::format(", {} tokens a step", grouped(c.token_budget));
  how += fmt::format("; KV cache of {} blocks of {} tokens", grouped(b.blocks), b.block_tokens);
  return text + paragraph(how);
}

std::string counts(const Summary& r) {
  std::string text = fmt::format("{} of {} requests finished in {}", grouped(r.finished),
                                 grouped(r.requests), time_text(r.duration_s));
  if (r.unfinished > 0) text += fmt::format(", {} were under way", grouped(r.unfinished));
  if (r.rejected > 0) text += fmt::format(", {} can never run", grouped(r.rejected));
  return paragraph(text);
}

json of(const Distribution& d) {
  if (d.count == 0) return nullptr;
  return {{"count", d.count}, {"mean", d.mean}, {"p50", d.p50}, {"p90", d.p90},
          {"p95", d.p95},     {"p99", d.p99},   {"max", d.most}};
}

json or_null(const std::optional<double>& x) { return x ? json(*x) : json(nullptr); }

std::string time_or_empty(double time_s) { return time_s < 0 ? "" : fmt::format("{:.6f}", time_s); }

}  // namespace

std::string summary_text(const Scenario& s, const Summary& r) {
  std::string text = head(s) + "\n" + counts(r);
  text +=
      fmt::format("{:<22}{:>11}{:>11}{:>11}{:>11}{:>11}\n", "", "mean", "p50", "p90", "p95", "p99");
  text += row("time to first token", r.ttft_s) + row("time per output token", r.tpot_s) +
          row("between two tokens", r.between_tokens_s) + row("whole request", r.latency_s) +
          row("waiting for a step", r.queue_s) + "\n";
  text += fmt::format("{:<30}{:>12}\n", "requests/s", number(r.requests_per_s));
  text +=
      fmt::format("{:<30}{:>12}    {} a GPU\n", "output tokens/s", number(r.output_tokens_per_s),
                  number(r.output_tokens_per_s / static_cast<double>(s.gpus())));
  text += fmt::format("{:<30}{:>12}\n", "tokens/s, in and out", number(r.total_tokens_per_s));
  if (r.within_limits)
    text += fmt::format("{:<30}{:>12}    {} of the requests\n", "requests/s within the limits",
                        number(*r.goodput_per_s), percent(*r.within_limits));
  text += fmt::format("{:<30}{:>12}    MFU {}, memory bandwidth {}\n", "busy", percent(r.busy),
                      percent(r.mfu), percent(r.bandwidth_use));
  text += fmt::format("{:<30}{:>12}    peak {}\n", "KV cache in use", percent(r.cache_mean),
                      percent(r.cache_peak));
  text += fmt::format("{:<30}{:>12}    at most {}\n", "sequences running", number(r.running_mean),
                      grouped(r.running_most));
  text += fmt::format("{:<30}{:>12}    at most {}\n", "requests waiting", number(r.waiting_mean),
                      grouped(r.waiting_most));
  text += fmt::format("{:<30}{:>12}    {} preemptions\n", "prompt tokens found in cache",
                      percent(r.prefix_hits), grouped(r.preemptions));
  text += "\n" + paragraph(r.verdict);
  for (const std::string& w : r.warnings) text += paragraph("warning: " + w);
  for (const std::string& n : s.notes) text += paragraph("note: " + n);
  return text;
}

json summary_json(const Scenario& s, const Summary& r) {
  return {{"schema_version", 1},
          {"model", s.deployment.model.name},
          {"gpu", s.gpu},
          {"gpus", s.gpus()},
          {"engine", s.deployment.engine.name},
          {"scheduler", name(s.cluster.replica.scheduler.kind)},
          {"kv_blocks", s.cluster.replica.batch.blocks},
          {"requests", r.requests},
          {"finished", r.finished},
          {"unfinished", r.unfinished},
          {"rejected", r.rejected},
          {"tokens_in", r.tokens_in},
          {"tokens_out", r.tokens_out},
          {"duration_s", r.duration_s},
          {"requests_per_s", r.requests_per_s},
          {"output_tokens_per_s", r.output_tokens_per_s},
          {"output_tokens_per_s_gpu", r.output_tokens_per_s / static_cast<double>(s.gpus())},
          {"total_tokens_per_s", r.total_tokens_per_s},
          {"ttft_s", of(r.ttft_s)},
          {"tpot_s", of(r.tpot_s)},
          {"between_tokens_s", of(r.between_tokens_s)},
          {"latency_s", of(r.latency_s)},
          {"queue_s", of(r.queue_s)},
          {"within_limits", or_null(r.within_limits)},
          {"goodput_per_s", or_null(r.goodput_per_s)},
          {"steps", r.steps},
          {"preemptions", r.preemptions},
          {"prefix_hits", r.prefix_hits},
          {"busy", r.busy},
          {"mfu", r.mfu},
          {"bandwidth_use", r.bandwidth_use},
          {"cache_mean", r.cache_mean},
          {"cache_peak", r.cache_peak},
          {"running_mean", r.running_mean},
          {"running_max", r.running_most},
          {"waiting_mean", r.waiting_mean},
          {"waiting_max", r.waiting_most},
          {"saturated", r.load == Load::kSaturated},
          {"verdict", r.verdict},
          {"warnings", r.warnings},
          {"notes", s.notes}};
}

std::string requests_csv(const Outcome& run) {
  std::string text =
      "request,replica,arrival_s,scheduled_s,first_token_s,finish_s,input_tokens,output_tokens,"
      "generated_tokens,cached_tokens,preemptions,rejected\n";
  for (std::size_t i = 0; i < run.records.size(); ++i) {
    const Record& r = run.records[i];
    fmt::format_to(std::back_inserter(text), "{},{},{:.6f},{},{},{},{},{},{},{},{},{}\n", i,
                   r.replica, r.arrival.time_s, time_or_empty(r.scheduled_s),
                   time_or_empty(r.first_token_s), time_or_empty(r.finish_s), r.arrival.input,
                   r.arrival.output, r.generated, r.cached, r.preemptions, r.rejected ? 1 : 0);
  }
  return text;
}

std::string series_csv(const Outcome& run) {
  std::string text = "replica,time_s,running,waiting,cache_used,tokens_out\n";
  for (std::size_t i = 0; i < run.totals.size(); ++i)
    for (const Sample& s : run.totals[i].series.samples())
      fmt::format_to(std::back_inserter(text), "{},{:.6f},{},{},{:.5f},{:.0f}\n", i, s.time_s,
                     s.running, s.waiting, s.cache_used, s.tokens_out);
  return text;
}

json chrome_trace(const Outcome& run) {
  json events = json::array();
  for (std::size_t i = 0; i < run.totals.size(); ++i) {
    events.push_back({{"ph", "M"},
                      {"name", "process_name"},
                      {"pid", i},
                      {"args", {{"name", fmt::format("replica {}", i)}}}});
    for (const Span& s : run.totals[i].spans)
      events.push_back({{"ph", "X"},
                        {"pid", i},
                        {"tid", 0},
                        {"name", s.prefills > 0 ? (s.decodes > 0 ? "mixed" : "prefill") : "decode"},
                        {"ts", s.start_s * 1e6},
                        {"dur", (s.end_s - s.start_s) * 1e6},
                        {"args",
                         {{"steps", s.steps},
                          {"decodes", s.decodes},
                          {"prompts", s.prefills},
                          {"prompt_tokens", s.prefill_tokens}}}});
  }
  return {{"traceEvents", events}, {"displayTimeUnit", "ms"}};
}

}  // namespace ridge::sim
