#include "predictor/csv_calls.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>

#include "kernels/core/error.h"
#include "kernels/core/operators.h"

namespace ridge {
namespace {

// The cells of one row, with errors that say where they are.
class Row {
 public:
  Row(const Csv& csv, const std::map<std::string, std::size_t>& columns, std::size_t index,
      const std::string& where)
      : cells_(csv.rows[index]), columns_(columns) {
    place_ = where + ": line " + std::to_string(csv.lines[index]) + " (row " +
             std::to_string(index + 1) + ")";
  }

  [[noreturn]] void fail(const std::string& column, const std::string& what) const {
    throw BadInput(place_ + (column.empty() ? "" : ", column '" + column + "'") + ": " + what);
  }

  // Empty for a column that is not there or has nothing in this row.
  std::string cell(const std::string& column) const {
    const auto it = columns_.find(column);
    if (it == columns_.end()) return {};
    std::string_view text = cells_[it->second];
    while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
    while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
    return std::string(text);
  }

  std::string required(const std::string& column) const {
    const std::string text = cell(column);
    if (text.empty())
      fail(column, columns_.contains(column) ? "is empty; fill it in" : "is missing; add it");
    return text;
  }

  // A whole number; "4096.0", as table programs write integers beside empty cells, is one.
  int64_t whole(const std::string& column) const {
    const std::string text = required(column);
    std::string_view digits = text;
    if (const auto dot = digits.find('.');
        dot != std::string_view::npos && dot > 0 &&
        digits.find_first_not_of('0', dot + 1) == std::string_view::npos)
      digits = digits.substr(0, dot);
    int64_t value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (error != std::errc() || end != digits.data() + digits.size())
      fail(column, "'" + text + "' is not a whole number in range; write one like 4096");
    return value;
  }

  std::optional<double> latency_s() const {
    const std::string text = cell("latency_us");
    if (text.empty()) return {};
    double value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value) ||
        value <= 0)
      fail("latency_us",
           "'" + text + "' is not a positive number; give microseconds or leave it empty");
    return value * 1e-6;
  }

 private:
  const std::vector<std::string>& cells_;
  const std::map<std::string, std::size_t>& columns_;
  std::string place_;
};

// What other collections call an axis; nothing where only its own name is known.
std::string other_name(const std::string& op, const std::string& axis) {
  static const std::map<std::string, std::string> conv{
      {"n", "b"},      {"c", "in_ch"},  {"h", "in_size"}, {"w", "in_size"},
      {"k", "out_ch"}, {"r", "kernel"}, {"s", "kernel"},  {"pad", "padding"}};
  static const std::map<std::string, std::string> any{{"b", "batch"}, {"batch", "b"}};
  const auto& names = op == "conv2d" ? conv : any;
  const auto it = names.find(axis);
  return it == names.end() ? "" : it->second;
}

int64_t axis_value(const Row& row, const std::string& op, const std::string& axis) {
  const std::string other = other_name(op, axis);
  if (row.cell(axis).empty()) {
    if (!other.empty() && !row.cell(other).empty()) return row.whole(other);
    if (op == "conv2d" && axis == "groups") return 1;
    if (axis == "causal") return 1;
    // A rotation works on elements: how they are cut into heads does not matter to its time.
    if (op == "rope" && !row.cell("cols").empty() && (axis == "heads" || axis == "head_dim")) {
      const int64_t cols = row.whole("cols");
      for (const int64_t head : {128, 64, 80, 96, 32, 2})
        if (cols % head == 0) return axis == "heads" ? cols / head : head;
      row.fail("cols", "must be even for rope");
    }
  }
  return row.whole(axis);
}

CsvCall read_row(const Row& row) {
  CsvCall made;
  const OpSpec* spec = nullptr;
  std::string column = "op";
  try {
    spec = &find_operator(row.required("op"));
    made.call.op = spec->name;
    column = "dtype";
    made.call.dtype = parse_dtype(row.required("dtype"));
  } catch (const BadInput& e) {
    const std::string what = e.what();
    if (what.find(": line ") != std::string::npos) throw;  // already says where
    row.fail(column, what);
  }
  made.call.implementation = row.cell("implementation");
  for (const Axis& axis : spec->axes) {
    const int64_t value = axis_value(row, spec->name, axis.name);
    if (value < axis.min || value > axis.max)
      row.fail(axis.name, std::to_string(value) + " must be in [" + std::to_string(axis.min) +
                              ", " + std::to_string(axis.max) + "]");
    made.call.dims.push_back(value);
  }
  try {
    validate(*spec, made.call);
  } catch (const BadInput& e) {
    row.fail("", std::string(e.what()) + "; change or remove the row");
  }
  made.latency_s = row.latency_s();
  return made;
}

}  // namespace

std::vector<CsvCall> calls_of(const Csv& csv, const std::string& where) {
  std::map<std::string, std::size_t> columns;
  for (std::size_t i = 0; i < csv.header.size(); ++i) columns[csv.header[i]] = i;
  for (const char* needed : {"op", "dtype"})
    if (!columns.contains(needed))
      throw BadInput(where + ": line 1: column '" + needed + "' is missing; add it");
  std::vector<CsvCall> calls;
  for (std::size_t i = 0; i < csv.rows.size(); ++i)
    calls.push_back(read_row(Row(csv, columns, i, where)));
  return calls;
}

}  // namespace ridge
