#include "predictor/end_to_end/validate.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "kernels/core/error.h"
#include "predictor/request/memory.h"
#include "roofline/device_specs.h"

namespace ridge {
namespace {

// Table sets by GPU and framework, models by name: each read once.
class Sources {
 public:
  explicit Sources(const EndToEndOptions& options) : options_(&options) {}

  const TableSet& tables(const std::string& gpu, const std::string& framework) {
    const auto key = std::make_pair(gpu, framework);
    if (const auto at = sets_.find(key); at != sets_.end()) return at->second;
    std::vector<NamedTable> own;
    for (const NamedTable& t : options_->tables)
      if (same_device(t.table.device.name, gpu)) own.push_back(t);
    return sets_
        .emplace(key,
                 own.empty() ? shipped_tables(gpu, framework) : TableSet(std::move(own), framework))
        .first->second;
  }
  const Model& model(const std::string& name) {
    if (const auto at = models_.find(name); at != models_.end()) return at->second;
    return models_.emplace(name, find_model(name)).first->second;
  }
  const EngineProfile& engine(const std::string& framework) {
    if (options_->profile) return *options_->profile;
    // A profile that ships goes before a folder of its name.
    const bool folder = std::filesystem::is_directory(options_->engine) && !ships(options_->engine);
    if (options_->engine != "auto" && !folder) return profile(options_->engine);
    if (framework.empty()) return profile("kernels");
    try {
      const std::string name = find_engine(framework).name;
      if (!folder) return profile(name);
      const auto file = std::filesystem::path(options_->engine) / (name + ".json");
      return profile(std::filesystem::exists(file) ? file.string() : "kernels");
    } catch (const BadInput&) {
      if (folder) throw;
      return profile("kernels");
    }
  }

 private:
  static bool ships(const std::string& name) {
    const auto names = bundled_engines();
    return std::find(names.begin(), names.end(), name) != names.end();
  }
  const EngineProfile& profile(const std::string& name) {
    if (const auto at = engines_.find(name); at != engines_.end()) return at->second;
    return engines_.emplace(name, find_engine(name)).first->second;
  }
  const EndToEndOptions* options_;
  std::map<std::pair<std::string, std::string>, TableSet> sets_;
  std::map<std::string, Model> models_;
  std::map<std::string, EngineProfile> engines_;
};

// Why a row is not predicted.
struct Unpredicted : BadInput {
  Unpredicted(const char* in_a_word, const BadInput& e) : BadInput(e.what()), kind(in_a_word) {}
  std::string kind;
};

template <typename Try>
auto or_reject(const char* kind, const Try& attempt) {
  try {
    return attempt();
  } catch (const BadInput& e) {
    throw Unpredicted(kind, e);
  }
}

Deployment deployment_of(Sources& sources, const EndToEndRow& r) {
  Deployment d{.model = or_reject("unknown model", [&] { return sources.model(r.model); }),
               .parallel = r.parallel,
               .precision = {},
               .engine = or_reject("unknown engine", [&] { return sources.engine(r.framework); })};
  d.precision.dtype = or_reject(
      "unknown dtype", [&] { return r.dtype.empty() ? d.model.dtype : parse_dtype(r.dtype); });
  if (d.precision.dtype == Dtype::kF8E4M3) {
    d.precision.weights = WeightFormat::kFp8;
    d.precision.dtype = d.model.dtype;
  }
  d.precision.kv_cache = d.precision.dtype;
  for (const Prompt& p : r.request.prompts)
    d.model.max_positions = std::max(d.model.max_positions, p.tokens + r.request.output);
  return d;
}

PredictedRow predict_row(Sources& sources, const EndToEndRow& r) {
  const Deployment d = deployment_of(sources, r);
  const TableSet* tables =
      or_reject("unknown GPU", [&] { return &sources.tables(r.gpu, d.engine.framework); });
  return or_reject("impossible request", [&] {
    PredictedRow p{r, predict_request(*tables, d, r.request)};
    if (find_device(tables->device().name) || tables->device().memory_bytes > 0)
      p.fits = memory_of(tables->device(), d, r.request).fits();
    return p;
  });
}

struct Collectors {
  ErrorCollector ttft, tpot, total;

  void add(const PredictedRow& p) {
    const auto one = [](ErrorCollector& to, const Estimate& e, const std::optional<double>& s) {
      if (s && e.value > 0) to.add({.seconds = e.value, .low_s = e.low, .high_s = e.high}, *s);
    };
    one(ttft, p.prediction.ttft_s, p.row.ttft_s);
    one(tpot, p.prediction.tpot_s, p.row.tpot_s);
    one(total, p.prediction.total_s, p.row.total_s);
  }
  EndToEndErrors summary(const std::string& name) const {
    const auto of = [&](const ErrorCollector& c) {
      return c.count() > 0 ? std::optional(c.summary(name)) : std::nullopt;
    };
    return {name, of(ttft), of(tpot), of(total)};
  }
};

using Key = std::function<std::string(const PredictedRow&)>;

EndToEndBreakdown breakdown(const EndToEndValidation& v, const std::string& by, const Key& key) {
  std::map<std::string, Collectors> groups;
  for (const PredictedRow& p : v.rows) groups[key(p)].add(p);
  EndToEndBreakdown b{by, {}};
  for (const auto& [name, c] : groups) b.groups.push_back(c.summary(name));
  return b;
}

std::string gpus_of(const PredictedRow& p) {
  return fmt::format("{} x{}", p.row.gpu, p.row.parallel.gpus());
}

std::string memory_of_row(const PredictedRow& p) {
  return !p.fits ? "unknown" : *p.fits ? "fits" : "does not fit";
}

// Nothing for a row without a time that can be compared.
std::optional<WorstTime> worst_time(const PredictedRow& p) {
  std::optional<WorstTime> worst;
  const auto one = [&](const char* name, const Estimate& e, const std::optional<double>& s) {
    if (!s || e.value <= 0) return;
    WorstTime made{p.row, name, *s, e, p.fits};
    if (!worst || std::abs(made.error()) > std::abs(worst->error())) worst = std::move(made);
  };
  one("TTFT", p.prediction.ttft_s, p.row.ttft_s);
  one("TPOT", p.prediction.tpot_s, p.row.tpot_s);
  one("total", p.prediction.total_s, p.row.total_s);
  return worst;
}

std::vector<WorstTime> worst_times(const EndToEndValidation& v) {
  std::vector<WorstTime> all;
  for (const PredictedRow& p : v.rows)
    if (auto worst = worst_time(p)) all.push_back(*std::move(worst));
  const std::size_t kept = std::min(all.size(), kWorstTimes);
  std::partial_sort(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(kept), all.end(),
                    [](const WorstTime& a, const WorstTime& b) {
                      return std::abs(a.error()) > std::abs(b.error());
                    });
  all.resize(kept);
  return all;
}

}  // namespace

EndToEndValidation validate_end_to_end(const EndToEndCsv& measured,
                                       const EndToEndOptions& options) {
  Sources sources(options);
  EndToEndValidation v;
  v.rejected = measured.rejected;
  for (const EndToEndRow& r : measured.rows) {
    try {
      v.rows.push_back(predict_row(sources, r));
    } catch (const Unpredicted& e) {
      v.rejected.push_back({r.line, e.kind, e.what()});
    }
  }
  std::stable_sort(v.rejected.begin(), v.rejected.end(),
                   [](const auto& a, const auto& b) { return a.line < b.line; });
  return v;
}

EndToEndSummary summarize(const EndToEndValidation& v) {
  EndToEndSummary s;
  Collectors all;
  for (const PredictedRow& p : v.rows) all.add(p);
  s.all = all.summary("all");
  const std::vector<std::pair<const char*, Key>> keys = {
      {"source", [](const auto& p) { return p.row.source; }},
      {"framework", [](const auto& p) { return p.row.framework; }},
      {"gpu", gpus_of},
      {"model", [](const auto& p) { return p.row.model; }},
      {"batch", [](const auto& p) { return fmt::format("{:>4}", p.row.request.batch()); }},
      {"memory", memory_of_row}};
  for (const auto& [by, key] : keys) s.breakdowns.push_back(breakdown(v, by, key));
  s.worst = worst_times(v);
  return s;
}

std::string predictions_csv(const EndToEndCsv& measured, const EndToEndValidation& v) {
  static const std::vector<std::string> added = {
      "predicted_ttft_ms",  "predicted_ttft_ms_low",  "predicted_ttft_ms_high",
      "predicted_tpot_ms",  "predicted_tpot_ms_low",  "predicted_tpot_ms_high",
      "predicted_total_ms", "predicted_total_ms_low", "predicted_total_ms_high"};
  const Csv& csv = measured.csv;
  std::vector<std::size_t> kept;  // columns of an earlier prediction give way
  std::vector<std::string> header;
  for (std::size_t i = 0; i < csv.header.size(); ++i)
    if (std::find(added.begin(), added.end(), csv.header[i]) == added.end())
      kept.push_back(i), header.push_back(csv.header[i]);
  header.insert(header.end(), added.begin(), added.end());
  std::string text = csv_line(header);
  std::map<std::size_t, const RequestPrediction*> by_line;
  for (const PredictedRow& p : v.rows) by_line[p.row.line] = &p.prediction;
  for (std::size_t i = 0; i < csv.rows.size(); ++i) {
    std::vector<std::string> fields;
    for (const std::size_t k : kept) fields.push_back(csv.rows[i][k]);
    const auto at = by_line.find(csv.lines[i]);
    for (const auto member :
         {&RequestPrediction::ttft_s, &RequestPrediction::tpot_s, &RequestPrediction::total_s})
      for (const auto part : {&Estimate::value, &Estimate::low, &Estimate::high})
        fields.push_back(at == by_line.end()
                             ? std::string()
                             : fmt::format("{:.6g}", at->second->*member.*part * 1e3));
    text += csv_line(fields);
  }
  return text;
}

}  // namespace ridge
