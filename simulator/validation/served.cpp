#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <sstream>

#include "calibrate/csv.h"
#include "kernels/core/error.h"
#include "predictor/request/text.h"
#include "simulator/validation/validation.h"

namespace ridge::sim {
namespace {

// Times of requests that were measured; nothing simulated is in it.
struct Served {
  std::vector<double> first_s, last_s;
};

Served read_served(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) throw BadInput(file + ": cannot be read");
  std::ostringstream text;
  text << in.rdbuf();
  const Csv csv = parse_csv(text.str(), file);
  const auto column = [&](const char* name) {
    const auto at = std::find(csv.header.begin(), csv.header.end(), name);
    if (at == csv.header.end()) throw BadInput(file + ": no column " + name);
    return static_cast<std::size_t>(at - csv.header.begin());
  };
  const std::size_t first = column("first_token_s"), last = column("last_token_s");
  Served s;
  for (std::size_t i = 0; i < csv.rows.size(); ++i)
    for (const auto& [at, to] : {std::pair(first, &s.first_s), std::pair(last, &s.last_s)}) {
      const std::string& field = csv.rows[i][at];
      double value = 0;
      const auto [end, error] = std::from_chars(field.data(), field.data() + field.size(), value);
      if (error != std::errc() || end != field.data() + field.size() || !(value >= 0))
        throw BadInput(fmt::format("{}:{}: '{}' is no time", file, csv.lines[i], field));
      to->push_back(value);
    }
  return s;
}

}  // namespace

ServedComparison compare_served(Scenario s, const std::string& file) {
  const Served served = read_served(file);
  s.workload = {};
  s.workload.arrivals.kind = ArrivalKind::kTrace;
  s.workload.trace = read_trace(file);
  s.cluster.stop_s = std::numeric_limits<double>::infinity();
  const Outcome run = simulate(s);
  ServedComparison c;
  c.summary = summarize(run, s.summary_options());
  double tokens = 0, end_s = 0, ttft = 0, tpot = 0, latency = 0;
  int64_t decoding = 0;
  const std::vector<Arrival>& trace = s.workload.trace;
  for (std::size_t i = 0; i < trace.size(); ++i) {
    tokens += static_cast<double>(trace[i].output);
    end_s = std::max(end_s, served.last_s[i]);
    ttft += served.first_s[i] - trace[i].time_s;
    latency += served.last_s[i] - trace[i].time_s;
    if (trace[i].output < 2) continue;
    ++decoding;
    tpot += (served.last_s[i] - served.first_s[i]) / static_cast<double>(trace[i].output - 1);
  }
  const auto count = static_cast<double>(trace.size());
  c.lines = {{"output tokens/s", tokens / end_s, c.summary.output_tokens_per_s},
             {"mean TTFT, s", ttft / count, c.summary.ttft_s.mean},
             {"mean TPOT, s", decoding > 0 ? tpot / static_cast<double>(decoding) : 0,
              c.summary.tpot_s.mean},
             {"mean latency, s", latency / count, c.summary.latency_s.mean}};
  return c;
}

std::string text(const ServedComparison& c) {
  std::string text =
      fmt::format("{:<20}{:>12}{:>12}{:>10}\n", "", "measured", "simulated", "error");
  for (const ServedComparison::Line& l : c.lines)
    text += fmt::format("{:<20}{:>12.4g}{:>12.4g}{:>+8.1f} %\n", l.what, l.measured, l.simulated,
                        100 * l.error());
  return text +
         fmt::format("{} requests, {} preemptions\n", c.summary.requests, c.summary.preemptions);
}

}  // namespace ridge::sim
