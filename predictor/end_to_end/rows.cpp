#include "predictor/end_to_end/rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <fstream>
#include <sstream>

#include "kernels/core/error.h"

namespace ridge {
namespace {

using Fields = std::vector<std::string>;

class Columns {
 public:
  Columns(const Csv& csv, const std::string& where) : csv_(&csv) {
    for (const char* name : {"gpu", "model", "input_tokens", "output_tokens", "batch"})
      if (place(name) < 0)
        throw BadInput(
            fmt::format("{}: line 1: column '{}' is missing; rows of whole models have "
                        "gpu, model, input_tokens, output_tokens, batch",
                        where, name));
  }
  std::string text(const Fields& row, std::string_view name) const {
    const int at = place(name);
    return at < 0 ? std::string() : row[static_cast<std::size_t>(at)];
  }
  int64_t count(const Fields& row, std::string_view name, int64_t without) const {
    const std::string s = text(row, name);
    if (s.empty()) return without;
    int64_t n = 0;
    const auto end = s.data() + s.size();
    if (const auto [at, error] = std::from_chars(s.data(), end, n);
        error != std::errc() || at != end || n < 1)
      throw BadInput(fmt::format("{}={} must be a whole number from 1 on", name, s));
    return n;
  }
  std::optional<double> seconds(const Fields& row, std::string_view name) const {
    const std::string s = text(row, name);
    if (s.empty()) return {};
    double ms = 0;
    const auto end = s.data() + s.size();
    if (const auto [at, error] = std::from_chars(s.data(), end, ms);
        error != std::errc() || at != end || !(ms > 0) || !std::isfinite(ms))
      throw BadInput(fmt::format("{}={} must be a time above 0", name, s));
    return ms / 1e3;
  }

 private:
  int place(std::string_view name) const {
    const auto at = std::find(csv_->header.begin(), csv_->header.end(), name);
    return at == csv_->header.end() ? -1 : static_cast<int>(at - csv_->header.begin());
  }
  const Csv* csv_;
};

std::map<std::string, std::string> parse_notes(const std::string& text) {
  std::map<std::string, std::string> notes;
  std::istringstream parts(text);
  for (std::string part; std::getline(parts, part, ';');) {
    const std::size_t equals = part.find('=');
    notes[part.substr(0, equals)] = equals == std::string::npos ? "" : part.substr(equals + 1);
  }
  return notes;
}

// Prompts of equal length together, the longest first.
std::vector<Prompt> read_workload(const std::filesystem::path& file) {
  std::ifstream in(file);
  if (!in)
    throw BadInput(fmt::format("{}: cannot be read; name the folder of workloads with --workloads",
                               file.string()));
  std::stringstream text;
  text << in.rdbuf();
  const Csv csv = parse_csv(text.str(), file.string());
  const auto column = std::find(csv.header.begin(), csv.header.end(), "input_tokens");
  if (column == csv.header.end())
    throw BadInput(file.string() + ": line 1: column 'input_tokens' is missing");
  std::map<int64_t, int64_t, std::greater<>> counts;
  for (const Fields& row : csv.rows) {
    const std::string& s = row[static_cast<std::size_t>(column - csv.header.begin())];
    int64_t tokens = 0;
    const auto end = s.data() + s.size();
    if (const auto [at, error] = std::from_chars(s.data(), end, tokens);
        error != std::errc() || at != end || tokens < 1)
      throw BadInput(
          fmt::format("{}: input_tokens={} must be a whole number from 1 on", file.string(), s));
    ++counts[tokens];
  }
  std::vector<Prompt> prompts;
  for (const auto& [tokens, count] : counts) prompts.push_back({.count = count, .tokens = tokens});
  return prompts;
}

EndToEndRow parse_row(const Columns& c, const Fields& fields,
                      const std::filesystem::path& workloads) {
  EndToEndRow r;
  r.source = c.text(fields, "source"), r.gpu = c.text(fields, "gpu");
  r.framework = c.text(fields, "framework"), r.model = c.text(fields, "model");
  r.dtype = c.text(fields, "dtype");
  r.notes = parse_notes(c.text(fields, "notes"));
  const int64_t gpus = c.count(fields, "gpus", 1);
  r.parallel.pipeline = c.count(fields, "pp", 1);
  if (gpus % r.parallel.pipeline != 0)
    throw BadInput(fmt::format("gpus={} must be a multiple of pp={}", gpus, r.parallel.pipeline));
  r.parallel.tensor = gpus / r.parallel.pipeline;
  const int64_t batch = c.count(fields, "batch", 1);
  r.request.output = c.count(fields, "output_tokens", 1);
  r.request.prompts = {{.count = batch, .tokens = c.count(fields, "input_tokens", 1)}};
  if (const auto w = r.notes.find("workload");
      w != r.notes.end() && !r.notes.count("uniform lengths")) {
    r.request.prompts = read_workload(workloads / (w->second + ".csv"));
    if (r.request.batch() != batch)
      throw BadInput(fmt::format("batch={}, but workload {} has {} requests", batch, w->second,
                                 r.request.batch()));
  }
  r.ttft_s = c.seconds(fields, "measured_ttft_ms");
  r.tpot_s = c.seconds(fields, "measured_tpot_ms");
  r.total_s = c.seconds(fields, "measured_total_ms");
  return r;
}

}  // namespace

EndToEndCsv read_end_to_end(Csv csv, const std::string& where,
                            const std::filesystem::path& workloads) {
  const Columns columns(csv, where);
  EndToEndCsv out;
  for (std::size_t i = 0; i < csv.rows.size(); ++i) {
    try {
      out.rows.push_back(parse_row(columns, csv.rows[i], workloads));
      out.rows.back().line = csv.lines[i];
    } catch (const BadInput& e) {
      out.rejected.push_back({csv.lines[i], "bad row", e.what()});
    }
  }
  out.csv = std::move(csv);
  return out;
}

}  // namespace ridge
