#include "predictor/validation.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "kernels/core/error.h"

namespace ridge {
namespace {

// What calls_of() says of a row, without the place, which is told in another form here.
std::string reason_of(const std::string& what) {
  const auto place = what.find("(row 1)");
  if (place == std::string::npos) return what;
  const std::string rest = what.substr(place + 7);
  return rest.substr(std::min(rest.size(), rest.find_first_not_of(",: ")));
}

// The tables, found by what the rows call their GPUs.
class Tables {
 public:
  explicit Tables(const std::vector<DelayTable>& tables) : tables_(tables) {}

  const DelayTable& of(const std::string& gpu) {
    if (gpu.empty() && tables_.size() == 1) return tables_[0];
    if (gpu.empty()) throw BadInput("names no GPU to choose the table by; fill in column 'gpu'");
    const auto [known, added] = by_gpu_.try_emplace(gpu, nullptr);
    if (added)
      for (const DelayTable& t : tables_)
        if (same_device(gpu, t.device.name)) known->second = &t;
    if (!known->second) throw BadInput("no table of '" + gpu + "' was given; add it with --table");
    return *known->second;
  }

 private:
  const std::vector<DelayTable>& tables_;
  std::map<std::string, const DelayTable*> by_gpu_;
};

// The cells of a column, "" where it is not there.
class Column {
 public:
  Column(const Csv& csv, const std::string& name)
      : csv_(csv),
        at_(static_cast<std::size_t>(std::find(csv.header.begin(), csv.header.end(), name) -
                                     csv.header.begin())) {}
  std::string of(std::size_t row) const {
    return at_ < csv_.header.size() ? csv_.rows[row][at_] : std::string();
  }

 private:
  const Csv& csv_;
  std::size_t at_;
};

// A class of measured times, and what it is sorted by.
std::pair<double, std::string> size_class(double seconds) {
  for (const auto& [below, name] : {std::pair{10e-6, "below 10 us"},
                                    {100e-6, "10 to 100 us"},
                                    {1e-3, "0.1 to 1 ms"},
                                    {10e-3, "1 to 10 ms"}})
    if (seconds < below) return {below, name};
  return {INFINITY, "10 ms and above"};
}

// Groups in the order of their keys, which begin with what sorts them where names do not.
template <class Rows, class F>
Breakdown divide(const std::string& by, const Rows& rows, F key) {
  std::map<std::pair<double, std::string>, ErrorCollector> groups;
  for (const ValidatedRow* r : rows) groups[key(*r)].add(r->prediction, r->measured_s);
  Breakdown made{.by = by, .groups = {}};
  for (const auto& [name, errors] : groups) made.groups.push_back(errors.summary(name.second));
  return made;
}

}  // namespace

void validate_kernels(const std::vector<DelayTable>& tables, const Csv& csv,
                      const std::string& where, Validation& v) {
  const auto has = [&](auto test) {
    return std::any_of(csv.header.begin(), csv.header.end(), test);
  };
  if (!has([](const std::string& column) { return column == "dtype"; }))
    throw BadInput(where + ": line 1: column 'dtype' is missing; add it");
  if (!has([](const std::string& column) {
        return column.starts_with("latency_") || column.starts_with("time_");
      }))
    throw BadInput(where + ": line 1: column 'latency_us' is missing: what was measured; add it");
  Tables by_gpu(tables);
  const Column gpus(csv, "gpu");
  std::map<const DelayTable*, std::vector<ValidatedRow>> asked;
  for (std::size_t i = 0; i < csv.rows.size(); ++i) try {
      const Csv one{.header = csv.header, .rows = {csv.rows[i]}, .lines = {csv.lines[i]}};
      CsvCall row = calls_of(one, where).at(0);
      if (!row.latency_s) throw BadInput("has no measured time; fill in column 'latency_us'");
      const std::string gpu = gpus.of(i);
      const DelayTable& table = by_gpu.of(gpu);
      row.call = call_in(table, row);
      check_call(table, row.call);
      asked[&table].push_back({.file = where,
                               .line = csv.lines[i],
                               .gpu = gpu.empty() ? table.device.name : gpu,
                               .call = row.call,
                               .measured_s = *row.latency_s});
    } catch (const BadInput& e) {
      v.rejected.push_back({where + ":" + std::to_string(csv.lines[i]), reason_of(e.what())});
    }
  for (auto& [table, rows] : asked) {
    std::vector<Call> calls;
    for (const ValidatedRow& r : rows) calls.push_back(r.call);
    const std::vector<Prediction> predictions = predict_calls(*table, calls);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      rows[i].prediction = predictions[i];
      v.rows.push_back(std::move(rows[i]));
    }
  }
}

ValidationSummary summarize_validation(const Validation& v) {
  ValidationSummary s;
  ErrorCollector all, rest;
  std::vector<const ValidatedRow*> every, tests;
  for (const ValidatedRow& r : v.rows) {
    every.push_back(&r);
    all.add(r.prediction, r.measured_s);
    if (r.prediction.basis == Basis::kMeasured) continue;
    rest.add(r.prediction, r.measured_s);
    tests.push_back(&r);
  }
  if (every.empty()) return s;
  s.in_table = every.size() - tests.size();
  s.all.push_back(all.summary("all"));
  if (s.in_table > 0 && !tests.empty()) s.all.push_back(rest.summary("not in the table"));
  s.breakdowns = {divide("operator", tests,
                         [](const ValidatedRow& r) {
                           return std::pair(0.0, r.call.op + " " + std::string(name(r.call.dtype)));
                         }),
                  divide("gpu", tests, [](const ValidatedRow& r) { return std::pair(0.0, r.gpu); }),
                  divide("measured time", tests,
                         [](const ValidatedRow& r) { return size_class(r.measured_s); }),
                  divide("basis", every, [](const ValidatedRow& r) {
                    return std::pair(static_cast<double>(r.prediction.basis),
                                     std::string(name(r.prediction.basis)));
                  })};
  std::stable_sort(tests.begin(), tests.end(), [](const ValidatedRow* a, const ValidatedRow* b) {
    return std::abs(a->error()) > std::abs(b->error());
  });
  for (std::size_t i = 0; i < std::min(tests.size(), kWorstRows); ++i) s.worst.push_back(*tests[i]);
  return s;
}

}  // namespace ridge
