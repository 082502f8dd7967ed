#include "profilers/llama/speed_validation.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "predictor/request/text.h"

namespace ridge {
namespace {

void add_roles(SpeedValidation& v, PhaseOf phase, const Phase& predicted,
               const std::vector<StepTime>& steps, double times) {
  std::map<Role, ComparedRole> roles;
  const auto of = [&](Role role) -> ComparedRole& {
    ComparedRole& r = roles[role];
    r.phase = phase;
    r.role = role;
    return r;
  };
  for (const RoleTime& r : predicted.roles) of(r.role).predicted_s += r.seconds;
  for (const StepTime& s : steps)
    for (const OperationTime& o : s.operations)
      of(o.role).measured_s += (o.end_s - o.begin_s) / times;
  std::vector<ComparedRole> sorted;
  for (const auto& [role, compared] : roles) sorted.push_back(compared);
  std::stable_sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) {
    return std::max(a.measured_s, a.predicted_s) > std::max(b.measured_s, b.predicted_s);
  });
  v.roles.insert(v.roles.end(), sorted.begin(), sorted.end());
}

std::string percent(double error) { return fmt::format("{:+.1f} %", 100 * error); }

std::string line(const Compared& c) {
  return fmt::format("  {:<6} {:>10} {:>24} {:>10} {:>9}\n", c.what, time_text(c.predicted_s.value),
                     time_range(c.predicted_s.value, c.predicted_s.low, c.predicted_s.high),
                     time_text(c.measured_s), percent(c.error()));
}

std::string role_lines(const SpeedValidation& v, PhaseOf phase) {
  std::string text;
  for (const ComparedRole& r : v.roles) {
    if (r.phase != phase) continue;
    const bool both = r.predicted_s > 0 && r.measured_s > 0;
    text += fmt::format("  {:<20} {:>10} {:>10} {:>9}\n", name(r.role),
                        r.predicted_s > 0 ? time_text(r.predicted_s) : "-",
                        r.measured_s > 0 ? time_text(r.measured_s) : "-",
                        both ? percent(r.predicted_s / r.measured_s - 1) : "-");
  }
  return text;
}

}  // namespace

Deployment deployment_of(const Decoder& decoder) {
  EngineProfile engine = find_engine("kernels");
  engine.fusion = decoder_fusion();
  return {
      .model = decoder.model(), .parallel = {}, .precision = decoder.precision(), .engine = engine};
}

SpeedValidation validate_speed(const TableSet& tables, const Decoder& decoder,
                               const SpeedResult& result) {
  const SpeedTest& test = result.test;
  const int64_t room = decoder.limits().step_tokens / std::max<int64_t>(test.prompt, 1);
  const Request request{.prompts = {{.count = test.batch, .tokens = test.prompt}},
                        .output = test.output,
                        .chunk = room < test.batch ? std::max<int64_t>(room, 1) * test.prompt : 0};
  const RequestPrediction p = predict_request(tables, deployment_of(decoder), request);
  SpeedValidation v{.test = test,
                    .ttft = {"TTFT", p.ttft_s, result.ttft_s.median},
                    .tpot = {"TPOT", p.tpot_s, result.mean_tpot_s},
                    .total = {"total", p.total_s, result.total_s.median},
                    .notes = p.notes};
  const GenerationTimes& g = result.profile;
  if (g.prefill.empty()) return v;
  add_roles(v, PhaseOf::kPrefill, p.prefill, g.prefill, 1);
  const PhaseTotals prefill = totals_of(g.prefill), decode = totals_of(g.decode);
  v.explained_prefill = prefill.launches_s / prefill.seconds;
  v.host_prefill_s = prefill.gap_s();
  if (g.decode.empty()) return v;
  const auto steps = static_cast<double>(g.decode.size());
  add_roles(v, PhaseOf::kDecode, p.decode, g.decode, steps);
  v.explained_decode = decode.launches_s / decode.seconds;
  v.host_decode_s = decode.gap_s() / steps;
  return v;
}

std::string validation_text(const std::vector<SpeedValidation>& all) {
  std::string text = "Predicted from this machine's table, nothing fitted\n";
  for (const SpeedValidation& v : all) {
    text += fmt::format("\n{}: {} sequences of {} in, {} out\n", v.test.name, v.test.batch,
                        v.test.prompt, v.test.output);
    text += fmt::format("  {:<6} {:>10} {:>24} {:>10} {:>9}\n", "", "predicted", "80 % interval",
                        "measured", "error");
    text += line(v.ttft) + (v.test.output > 1 ? line(v.tpot) : "") + line(v.total);
    if (v.roles.empty()) continue;
    text +=
        fmt::format("  {:<20} {:>10} {:>10} {:>9}\n", "prefill", "predicted", "measured", "error");
    text += role_lines(v, PhaseOf::kPrefill);
    text += fmt::format("  {:<20} {:>10} {:>10}   operators explain {:.1f} %\n", "host", "-",
                        time_text(v.host_prefill_s), 100 * v.explained_prefill);
    if (v.test.output == 1) continue;
    text += fmt::format("  {:<20} {:>10} {:>10} {:>9}\n", "decode step", "predicted", "measured",
                        "error");
    text += role_lines(v, PhaseOf::kDecode);
    text += fmt::format("  {:<20} {:>10} {:>10}   operators explain {:.1f} %\n", "host", "-",
                        time_text(v.host_decode_s), 100 * v.explained_decode);
  }
  for (const std::string& note : all.empty() ? std::vector<std::string>() : all.front().notes)
    text += paragraph("note: " + note);
  return text;
}

}  // namespace ridge
