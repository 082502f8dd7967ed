#include "predictor/scenarios/scenarios.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <exception>
#include <map>
#include <set>
#include <thread>
#include <variant>

#include "kernels/core/error.h"
#include "predictor/request/default_dtype.h"
#include "roofline/device_specs.h"

namespace ridge {
namespace {

// Rows that a thread takes at once.
constexpr std::size_t kRowsAtOnce = 8;

template <class Work>
void in_threads(std::size_t count, std::size_t at_once, const Work& work) {
  std::atomic<std::size_t> next{0};
  const auto run = [&] {
    for (std::size_t first; (first = next.fetch_add(at_once)) < count;)
      for (std::size_t i = first; i < std::min(first + at_once, count); ++i) work(i);
  };
  const std::size_t cores = std::max(1u, std::thread::hardware_concurrency());
  std::vector<std::jthread> others;
  for (std::size_t t = 1; t < std::min(cores, (count + at_once - 1) / at_once); ++t)
    others.emplace_back(run);
  run();
}

// By name: what was found, or why it was not.
template <class T>
using Found = std::map<std::string, std::variant<std::monostate, T, std::string>>;

template <class T, class Find>
Found<T> find_all(const std::set<std::string>& names, const Find& find) {
  Found<T> found;
  for (const std::string& name : names) found[name];
  std::vector<typename Found<T>::value_type*> places;
  for (auto& entry : found) places.push_back(&entry);
  in_threads(places.size(), 1, [&](std::size_t i) {
    try {
      places[i]->second.template emplace<T>(find(places[i]->first));
    } catch (const std::exception& e) {  // BadInput, and whatever a broken file brings
      places[i]->second = std::string(e.what());
    }
  });
  return found;
}

template <class T>
const T& get(const Found<T>& found, const std::string& name) {
  const auto& entry = found.at(name);
  if (const std::string* why = std::get_if<std::string>(&entry)) throw BadInput(*why);
  return std::get<T>(entry);
}

class Columns {
 public:
  Columns(const Csv& csv, const std::string& where) : csv_(csv) {
    for (std::size_t c = 0; c < csv.header.size(); ++c) places_[csv.header[c]] = c;
    for (const char* needed : {"gpu", "model", "input_length", "output_length"})
      if (places_.count(needed) == 0)
        throw BadInput(fmt::format(
            "{}: line 1: column '{}' is missing; scenarios have gpu, model, input_length, "
            "output_length, batch_size",
            where, needed));
  }

  // Without blanks around it; "" for a column that is not there.
  std::string text(std::size_t row, const char* column) const {
    const auto place = places_.find(column);
    if (place == places_.end()) return "";
    const std::string& cell = csv_.rows[row][place->second];
    const auto first = cell.find_first_not_of(" \t"), last = cell.find_last_not_of(" \t");
    return first == std::string::npos ? "" : cell.substr(first, last - first + 1);
  }

  int64_t whole(std::size_t row, const char* column, int64_t fallback = 0) const {
    const std::string cell = text(row, column);
    if (cell.empty() && fallback > 0) return fallback;
    int64_t value = 0;
    const auto [end, error] = std::from_chars(cell.data(), cell.data() + cell.size(), value);
    if (error != std::errc() || end != cell.data() + cell.size() || value < 1)
      throw BadInput(fmt::format("{} '{}' must be a whole number above 0", column, cell));
    return value;
  }

 private:
  const Csv& csv_;
  std::map<std::string, std::size_t> places_;
};

// A GPU's aliases are one.
std::string gpu_name(const std::string& asked) {
  const auto spec = find_device(asked);
  return spec ? spec->name : asked;
}

PredictedScenario predict(const TableSet& tables, const Model& model, const Request& request,
                          const ScenarioOptions& options) {
  Deployment d{.model = model, .engine = options.engine};
  d.parallel.tensor = options.tensor;
  d.precision.dtype = d.precision.kv_cache = default_dtype(model, tables);
  PredictedScenario p{.output = request.output, .dtype = d.precision.dtype};
  p.prediction = predict_request(tables, d, request);
  const DeviceInfo& device = tables.device();
  if (device.memory_bytes > 0 || find_device(device.name)) p.memory = memory_of(device, d, request);
  return p;
}

}  // namespace

Scenarios predict_scenarios(const Csv& csv, const std::string& where,
                            const ScenarioOptions& options) {
  const Columns columns(csv, where);
  const std::size_t count = csv.rows.size();
  std::set<std::string> gpus, models;
  for (std::size_t row = 0; row < count; ++row) {
    gpus.insert(gpu_name(columns.text(row, "gpu")));
    models.insert(columns.text(row, "model"));
  }
  const auto tables = find_all<TableSet>(gpus, options.tables);
  const auto found = find_all<Model>(models, find_model);
  std::vector<PredictedScenario> made(count);
  std::vector<std::string> problems(count);
  in_threads(count, kRowsAtOnce, [&](std::size_t row) {
    try {
      const Model& model = get(found, columns.text(row, "model"));
      const Request request{.prompts = {{.count = columns.whole(row, "batch_size", 1),
                                         .tokens = columns.whole(row, "input_length")}},
                            .output = columns.whole(row, "output_length")};
      made[row] = predict(get(tables, gpu_name(columns.text(row, "gpu"))), model, request, options);
    } catch (const std::exception& e) {
      problems[row] = e.what();
    }
  });
  Scenarios s;
  for (std::size_t row = 0; row < count; ++row) {
    made[row].row = row;
    if (problems[row].empty()) {
      s.predicted.push_back(std::move(made[row]));
      continue;
    }
    s.rejected.push_back({fmt::format("{}:{}", where, csv.lines[row]), problems[row]});
  }
  return s;
}

}  // namespace ridge
