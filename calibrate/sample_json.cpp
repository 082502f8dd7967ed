#include "calibrate/sample_json.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <nlohmann/json.hpp>
#include <numeric>
#include <span>
#include <tuple>

#include "calibrate/curve_json.h"
#include "kernels/core/error.h"
#include "kernels/core/operators.h"

namespace ridge {
namespace {

using nlohmann::json;

double rounded(double value, int digits) {
  char text[40];
  std::snprintf(text, sizeof(text), "%.*e", digits - 1, value);
  return std::strtod(text, nullptr);
}

auto group_of(const Sample& s) {
  return std::tie(s.call.op, s.call.dtype, s.call.implementation, s.method);
}

bool in_order(const Sample& a, const Sample& b) {
  const auto left = group_of(a), right = group_of(b);
  return left < right || (left == right && a.call.dims < b.call.dims);
}

template <class F>
json column(std::span<const Sample> rows, F value) {
  json list = json::array();
  for (const Sample& s : rows) list.push_back(value(s));
  return list;
}

// The three amounts of work, for readers without the operators' formulas.
void add_work(json& group, const OpSpec& spec, std::span<const Sample> rows) {
  for (const auto& [key, part] :
       {std::pair{"flops", &Work::flops}, std::pair{"bytes_read", &Work::bytes_read},
        std::pair{"bytes_written", &Work::bytes_written}})
    group[key] = column(rows, [&](const Sample& s) { return rounded(spec.work(s.call).*part, 5); });
}

// Bounds by number, since their names would be a fifth of the file; labels, which are rare, by row.
void add_bounds_and_labels(json& group, std::span<const Sample> rows) {
  std::map<Bound, std::size_t> numbers;
  for (const Sample& s : rows) numbers.emplace(s.bound, 0);
  group["bounds"] = json::array();
  for (auto& [bound, number] : numbers) {
    number = group["bounds"].size();
    group["bounds"].push_back(name(bound));
  }
  group["bound"] = column(rows, [&](const Sample& s) { return numbers.at(s.bound); });
  for (std::size_t row = 0; row < rows.size(); ++row)
    for (const std::string& label : rows[row].labels) group["labels"][label].push_back(row);
}

json group_to_json(std::span<const Sample> rows, bool with_work) {
  const Sample& first = rows.front();
  const OpSpec& spec = find_operator(first.call.op);
  json group{{"op", first.call.op},
             {"dtype", name(first.call.dtype)},
             {"implementation", first.call.implementation},
             {"method", name(first.method)}};
  for (std::size_t a = 0; a < spec.axes.size(); ++a)
    group["dims"][spec.axes[a].name] =
        column(rows, [&](const Sample& s) { return s.call.dims.at(a); });
  group["median_s"] = column(rows, [](const Sample& s) { return s.median_s; });
  group["delay_factor"] = column(rows, [](const Sample& s) { return s.delay_factor; });
  const bool single = std::all_of(rows.begin(), rows.end(), [](const Sample& s) {
    return s.count == 1 && s.p10_s == s.median_s && s.p90_s == s.median_s;
  });
  if (!single) {
    group["p10_s"] = column(rows, [](const Sample& s) { return s.p10_s; });
    group["p90_s"] = column(rows, [](const Sample& s) { return s.p90_s; });
    group["count"] = column(rows, [](const Sample& s) { return s.count; });
  }
  add_bounds_and_labels(group, rows);
  if (with_work) add_work(group, spec, rows);
  return group;
}

// One group as it is read: its columns, with errors that say where they are.
class Group {
 public:
  Group(const json& j, std::size_t index)
      : j_(j), place_("samples[" + std::to_string(index) + "]") {
    try {
      spec_ = &find_operator(j.at("op").get<std::string>());
      dtype_ = parse_dtype(j.at("dtype").get<std::string>());
    } catch (const BadInput& e) {
      fail("", e.what());
    }
    j.at("implementation").get_to(implementation_);
    method_ = parse_method(j.at("method").get<std::string>());
    rows_ = j.at("median_s").size();
  }

  void read(std::vector<Sample>& samples) const {
    const std::size_t begin = samples.size();
    samples.resize(begin + rows_);
    const std::span<Sample> rows(samples.data() + begin, rows_);
    read_dims(rows);
    read_times(rows);
    read_bounds(rows);
    read_labels(rows);
  }

 private:
  [[noreturn]] void fail(const std::string& key, const std::string& what) const {
    throw BadInput(place_ + (key.empty() ? "" : "." + key) + ": " + what);
  }

  // Calls f(row, value) for each row of a column that must be there.
  template <class T, class F>
  void each(const json& parent, const char* key, const std::string& path, F f) const {
    const auto it = parent.find(key);
    if (it == parent.end()) fail(path, "is missing");
    const auto& values = it->template get_ref<const json::array_t&>();
    if (values.size() != rows_)
      fail(path, "has " + std::to_string(values.size()) + " numbers, median_s has " +
                     std::to_string(rows_));
    for (std::size_t row = 0; row < rows_; ++row) f(row, values[row].template get<T>());
  }

  void read_dims(std::span<Sample> rows) const {
    const json& dims = j_.at("dims");
    for (const auto& [key, values] : dims.items())
      if (std::none_of(spec_->axes.begin(), spec_->axes.end(),
                       [&](const Axis& axis) { return axis.name == key; }))
        fail("dims." + key, spec_->name + " has no such axis");
    for (Sample& s : rows) {
      s.method = method_;
      s.call = {.op = spec_->name,
                .dims = std::vector<int64_t>(spec_->axes.size()),
                .dtype = dtype_,
                .implementation = implementation_};
    }
    for (std::size_t a = 0; a < spec_->axes.size(); ++a) {
      const std::string& axis = spec_->axes[a].name;
      each<int64_t>(dims, axis.c_str(), "dims." + axis,
                    [&](std::size_t row, int64_t value) { rows[row].call.dims[a] = value; });
    }
    for (std::size_t row = 0; row < rows_; ++row) try {
        validate(*spec_, rows[row].call);
      } catch (const BadInput& e) {
        fail("dims", "row " + std::to_string(row) + ": " + e.what());
      }
  }

  void read_times(std::span<Sample> rows) const {
    each<double>(j_, "median_s", "median_s", [&](std::size_t row, double value) {
      rows[row].median_s = rows[row].p10_s = rows[row].p90_s = value;
    });
    each<double>(j_, "delay_factor", "delay_factor", [&](std::size_t row, double value) {
      rows[row].delay_factor = value;
      rows[row].ideal_s = rows[row].median_s / value;
    });
    for (const auto& [key, part] :
         {std::pair{"p10_s", &Sample::p10_s}, std::pair{"p90_s", &Sample::p90_s}})
      if (j_.contains(key))
        each<double>(j_, key, key, [&](std::size_t row, double value) { rows[row].*part = value; });
    for (Sample& s : rows) s.count = 1;
    if (j_.contains("count"))
      each<std::size_t>(j_, "count", "count",
                        [&](std::size_t row, std::size_t value) { rows[row].count = value; });
  }

  void read_bounds(std::span<Sample> rows) const {
    std::vector<Bound> bounds;
    for (const json& bound : j_.at("bounds"))
      bounds.push_back(parse_bound(bound.get_ref<const std::string&>()));
    each<std::size_t>(j_, "bound", "bound", [&](std::size_t row, std::size_t value) {
      if (value >= bounds.size())
        fail("bound", "row " + std::to_string(row) + ": " + std::to_string(value) +
                          " is no place in 'bounds', which has " + std::to_string(bounds.size()));
      rows[row].bound = bounds[value];
    });
  }

  void read_labels(std::span<Sample> rows) const {
    if (!j_.contains("labels")) return;
    for (const auto& [label, places] : j_.at("labels").items())
      for (const json& place : places) {
        const auto row = place.get<std::size_t>();
        if (row >= rows_)
          fail("labels." + label,
               std::to_string(row) + " is no row: there are " + std::to_string(rows_));
        rows[row].labels.push_back(label);
      }
  }

  const json& j_;
  std::string place_;
  const OpSpec* spec_ = nullptr;
  Dtype dtype_ = Dtype::kF32;
  std::string implementation_;
  Method method_ = Method::kStream;
  std::size_t rows_ = 0;
};

}  // namespace

Sample as_kept(Sample s) {
  for (double* time : {&s.median_s, &s.p10_s, &s.p90_s}) *time = rounded(*time, 5);
  s.delay_factor = rounded(s.delay_factor, 4);
  s.ideal_s = s.median_s / s.delay_factor;
  return s;
}

void sort_samples(DelayTable& t) {
  if (std::is_sorted(t.samples.begin(), t.samples.end(), in_order)) return;
  std::vector<std::size_t> order(t.samples.size()), place(t.samples.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return in_order(t.samples[a], t.samples[b]);
  });
  std::vector<Sample> sorted;
  sorted.reserve(order.size());
  for (std::size_t i = 0; i < order.size(); ++i) {
    place[order[i]] = i;
    sorted.push_back(std::move(t.samples[order[i]]));
  }
  t.samples = std::move(sorted);
  renumber_samples(t.curves, place);
}

json samples_to_json(const std::vector<Sample>& samples) {
  json groups = json::array();
  for (auto begin = samples.begin(); begin != samples.end();) {
    const auto end = std::find_if(begin, samples.end(),
                                  [&](const Sample& s) { return group_of(s) != group_of(*begin); });
    groups.push_back(group_to_json({begin, end}, samples.size() <= kMostWithWork));
    begin = end;
  }
  return groups;
}

std::vector<Sample> samples_from_json(const json& j) {
  std::vector<Sample> samples;
  for (std::size_t i = 0; i < j.size(); ++i) Group(j[i], i).read(samples);
  return samples;
}

}  // namespace ridge
