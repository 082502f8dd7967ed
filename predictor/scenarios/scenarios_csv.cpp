#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>

#include "predictor/scenarios/scenarios.h"

namespace ridge {
namespace {

std::string cell(double value) { return fmt::format("{:.6g}", value); }

using Cells = std::vector<std::pair<const char*, std::string>>;

void add_ms(Cells& cells, std::array<const char*, 3> names, const Estimate& e) {
  cells.emplace_back(names[0], cell(e.value * 1e3));
  cells.emplace_back(names[1], cell(e.low * 1e3));
  cells.emplace_back(names[2], cell(e.high * 1e3));
}

std::string joined(const std::vector<std::string>& notes) {
  return fmt::format("{}", fmt::join(notes, "; "));
}

// Names with their values; all the same names whatever is known.
Cells cells_of(const PredictedScenario& s) {
  const RequestPrediction& p = s.prediction;
  Cells cells{{"predicted_total_ms", cell(p.total_s.value * 1e3)},
              {"predicted_prefill_ms", cell(p.ttft_s.value * 1e3)},
              {"predicted_decode_per_token_ms", cell(p.tpot_s.value * 1e3)},
              {"predicted_tokens_per_second", cell(p.output_tokens_per_s)}};
  add_ms(cells, {"ttft_ms", "ttft_ms_low", "ttft_ms_high"}, p.ttft_s);
  add_ms(cells, {"tpot_ms", "tpot_ms_low", "tpot_ms_high"}, p.tpot_s);
  add_ms(cells, {"total_ms", "total_ms_low", "total_ms_high"}, p.total_s);
  cells.emplace_back("output_tokens_per_s", cell(p.output_tokens_per_s));
  cells.emplace_back("output_tokens_per_s_user", cell(p.output_tokens_per_s_user));
  cells.emplace_back("fits", s.memory ? (s.memory->fits() ? "1" : "0") : "");
  cells.emplace_back("memory_gb", s.memory ? cell(s.memory->total() / 1e9) : "");
  cells.emplace_back("usable_gb", s.memory ? cell(s.memory->usable / 1e9) : "");
  cells.emplace_back("max_batch", s.memory ? std::to_string(s.memory->max_batch) : "");
  cells.emplace_back("dtype", std::string(name(s.dtype)));
  cells.emplace_back("basis", basis_text(p, s.output));
  cells.emplace_back("notes", joined(p.notes));
  cells.emplace_back("problem", "");
  return cells;
}

}  // namespace

std::string basis_text(const RequestPrediction& p, int64_t output) {
  std::map<Basis, double> seconds;
  double sum = 0;
  const auto add = [&](const Phase& phase, double times) {
    for (const RoleTime& r : phase.roles) {
      seconds[r.basis] += times * r.seconds;
      sum += times * r.seconds;
    }
  };
  add(p.prefill, 1);
  add(p.decode, static_cast<double>(output - 1));
  std::vector<std::pair<double, Basis>> parts;
  for (const auto& [basis, s] : seconds)
    if (s > 0) parts.emplace_back(s / sum, basis);
  std::sort(parts.rbegin(), parts.rend());
  std::string text;
  for (const auto& [share, basis] : parts)
    text += fmt::format("{}{} {:.0f} %", text.empty() ? "" : ", ", name(basis), 100 * share);
  return text;
}

std::string scenarios_csv(const Csv& csv, const Scenarios& s) {
  std::vector<std::string> added;
  for (const auto& [column, ignored] : cells_of({})) added.emplace_back(column);
  const auto is_added = [&](const std::string& column) {
    return std::find(added.begin(), added.end(), column) != added.end();
  };
  std::vector<std::size_t> kept;
  std::vector<std::string> header;
  for (std::size_t c = 0; c < csv.header.size(); ++c) {
    if (is_added(csv.header[c])) continue;
    kept.push_back(c);
    header.push_back(csv.header[c]);
  }
  header.insert(header.end(), added.begin(), added.end());
  std::string text = csv_line(header);
  std::size_t next = 0, next_rejected = 0;
  for (std::size_t row = 0; row < csv.rows.size(); ++row) {
    std::vector<std::string> line;
    for (const std::size_t c : kept) line.push_back(csv.rows[row][c]);
    if (next < s.predicted.size() && s.predicted[next].row == row) {
      for (auto& [column, value] : cells_of(s.predicted[next++])) line.push_back(std::move(value));
    } else {
      line.resize(header.size());
      line.back() = s.rejected.at(next_rejected++).reason;
    }
    text += csv_line(line);
  }
  return text;
}

}  // namespace ridge
