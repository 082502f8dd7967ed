#include "calibrate/csv_calls.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>

#include "kernels/core/error.h"
#include "kernels/core/operators.h"

namespace ridge {
namespace {

struct Unit {
  const char* column;
  double seconds;
};
constexpr Unit kLatencies[] = {{"latency_us", 1e-6}, {"latency_ms", 1e-3}, {"latency_s", 1},
                               {"time_us", 1e-6},    {"time_ms", 1e-3},    {"time_s", 1}};

// The cells of one row, with errors that say where they are.
struct Row {
  const CallReader& reader;
  const std::string& where;
  std::size_t index, line;

  [[noreturn]] void fail(const std::string& column, const std::string& what) const {
    throw BadInput(where + ": line " + std::to_string(line) + " (row " + std::to_string(index + 1) +
                   ")" + (column.empty() ? "" : ", column '" + column + "'") + ": " + what);
  }

  std::string cell(const std::string& column) const { return reader.cell(index, column); }

  std::string required(const std::string& column) const {
    std::string text = cell(column);
    if (text.empty())
      fail(column, reader.has(column) ? "is empty; fill it in" : "is missing; add it");
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

  // Of several columns with a time all must tell the same.
  std::optional<double> latency_s() const {
    constexpr double kRounding = 1.01;
    std::optional<double> found;
    std::string where_found;
    for (const Unit& unit : kLatencies) {
      const std::string text = cell(unit.column);
      if (text.empty()) continue;
      double value = 0;
      const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
      if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value) ||
          value <= 0)
        fail(unit.column, "'" + text + "' is not a positive number; give a time or leave it empty");
      const double seconds = value * unit.seconds;
      if (found && std::max(seconds, *found) > kRounding * std::min(seconds, *found))
        fail(unit.column, "'" + text + "' is another time than column '" + where_found +
                              "' has; keep the right one");
      if (!found) where_found = unit.column;
      found = found.value_or(seconds);
    }
    return found;
  }
};

// What other collections call an operator; empty where only its own name is known.
struct Alias {
  const char *name, *op, *variant;
};
constexpr Alias kAliases[] = {{"gqa_module", "attention_block", ""},
                              {"swiglu_mlp", "swiglu", ""},
                              {"rmsnorm_eager", "rmsnorm", "unfused"}};

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

int64_t product(const Row& row, const std::string& a, const std::string& b) {
  int64_t value = 0;
  if (__builtin_mul_overflow(row.whole(a), row.whole(b), &value))
    row.fail(a, "times " + b + " is beyond range");
  return value;
}

int64_t axis_value(const Row& row, const std::string& op, const std::string& axis) {
  const std::string other = other_name(op, axis);
  if (row.cell(axis).empty()) {
    if (!other.empty() && !row.cell(other).empty()) return row.whole(other);
    if (op == "conv2d" && axis == "groups") return 1;
    if (axis == "causal") return 1;
    if (op == "swiglu" && axis == "rows" && !row.cell("batch").empty())
      return product(row, "batch", "seq");
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

// Operator, dtype and variant.
const OpSpec& read_kind(const Row& row, CsvCall* made) {
  std::string op = row.required("op");
  const std::string dtype = row.required("dtype");
  made->variant = row.cell("distribution");
  for (const Alias& alias : kAliases)
    if (op == alias.name) {
      op = alias.op;
      made->variant = alias.variant;
    }
  const char* column = "op";
  try {
    const OpSpec& spec = find_operator(op);
    made->call.op = spec.name;
    column = "dtype";
    made->call.dtype = parse_dtype(dtype);
    return spec;
  } catch (const BadInput& e) {
    row.fail(column, e.what());
  }
}

}  // namespace

std::string implementation_of(const CsvCall& row) {
  if (!row.call.implementation.empty()) return row.call.implementation;
  return row.framework + (row.variant.empty() ? "" : "/" + row.variant);
}

CallReader::CallReader(const Csv& csv, std::string where) : csv_(csv), where_(std::move(where)) {
  for (std::size_t i = 0; i < csv.header.size(); ++i) columns_[csv.header[i]] = i;
  for (const char* needed : {"op", "dtype"})
    if (!has(needed))
      throw BadInput(where_ + ": line 1: column '" + needed + "' is missing; add it");
}

bool CallReader::has_latency() const {
  return std::any_of(std::begin(kLatencies), std::end(kLatencies),
                     [&](const Unit& unit) { return has(unit.column); });
}

std::string CallReader::cell(std::size_t row, const std::string& column) const {
  const auto it = columns_.find(column);
  if (it == columns_.end()) return {};
  std::string_view text = csv_.rows[row][it->second];
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return std::string(text);
}

CsvCall CallReader::read(std::size_t index) const {
  const Row row{.reader = *this, .where = where_, .index = index, .line = csv_.lines[index]};
  CsvCall made;
  const OpSpec& spec = read_kind(row, &made);
  made.call.implementation = row.cell("implementation");
  made.framework = row.cell("framework");
  for (const Axis& axis : spec.axes) {
    const int64_t value = axis_value(row, spec.name, axis.name);
    if (value < axis.min || value > axis.max)
      row.fail(axis.name, std::to_string(value) + " must be in [" + std::to_string(axis.min) +
                              ", " + std::to_string(axis.max) + "]");
    made.call.dims.push_back(value);
  }
  try {
    validate(spec, made.call);
  } catch (const BadInput& e) {
    row.fail("", std::string(e.what()) + "; change or remove the row");
  }
  made.latency_s = row.latency_s();
  return made;
}

std::vector<CsvCall> calls_of(const Csv& csv, const std::string& where) {
  const CallReader reader(csv, where);
  std::vector<CsvCall> calls;
  for (std::size_t i = 0; i < csv.rows.size(); ++i) calls.push_back(reader.read(i));
  return calls;
}

}  // namespace ridge
