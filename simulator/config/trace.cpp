#include <fmt/format.h>

#include <charconv>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <unordered_map>

#include "calibrate/csv.h"
#include "kernels/core/error.h"
#include "simulator/config/scenario.h"

namespace ridge::sim {
namespace {

using nlohmann::json;

constexpr const char* kColumns[] = {"arrival_s", "input_tokens",  "output_tokens",
                                    "stream",    "shared_tokens", "priority"};
constexpr std::size_t kNeeded = 3, kAll = std::size(kColumns);

// Streams are told apart by any words; here by numbers, in order of their first request.
class Streams {
 public:
  int64_t number(const std::string& word) {
    if (word.empty()) return -1;
    return numbers_.try_emplace(word, static_cast<int64_t>(numbers_.size())).first->second;
  }

 private:
  std::unordered_map<std::string, int64_t> numbers_;
};

double number(const std::string& text, const std::string& where) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size())
    throw BadInput(where + ": '" + text + "' is no number");
  return value;
}

int64_t whole(const std::string& text, const std::string& where) {
  const double value = number(text, where);
  if (value != static_cast<double>(static_cast<int64_t>(value)) || value > 1e9 || value < -1e9)
    throw BadInput(where + ": '" + text + "' must be a whole number");
  return static_cast<int64_t>(value);
}

// Of the texts of kColumns, "" where there is none.
Arrival arrival(const std::vector<std::string>& text, Streams& streams, const std::string& where) {
  const auto name = [&](std::size_t i) { return where + ", " + kColumns[i]; };
  Arrival a{.time_s = number(text[0], name(0)),
            .input = whole(text[1], name(1)),
            .output = whole(text[2], name(2)),
            .stream = streams.number(text[3])};
  if (!(a.time_s >= 0)) throw BadInput(name(0) + ": times start at 0");
  if (a.input < 1) throw BadInput(name(1) + ": a prompt has at least 1 token");
  if (a.output < 1) throw BadInput(name(2) + ": an answer has at least 1 token");
  if (!text[4].empty()) a.shared = whole(text[4], name(4));
  if (a.shared < 0 || a.shared > a.input)
    throw BadInput(name(4) + ": must be between 0 and the prompt's tokens");
  if (!text[5].empty()) a.priority = static_cast<int32_t>(whole(text[5], name(5)));
  return a;
}

std::vector<Arrival> from_csv(const std::string& text, const std::string& file) {
  const Csv csv = parse_csv(text, file);
  std::vector<int> column(kAll, -1);
  for (std::size_t i = 0; i < kAll; ++i)
    for (std::size_t k = 0; k < csv.header.size(); ++k)
      if (csv.header[k] == kColumns[i]) column[i] = static_cast<int>(k);
  for (std::size_t i = 0; i < kNeeded; ++i)
    if (column[i] < 0)
      throw BadInput(
          fmt::format("{}: no column {}; a trace has arrival_s, input_tokens and "
                      "output_tokens",
                      file, kColumns[i]));
  Streams streams;
  std::vector<Arrival> list;
  for (std::size_t row = 0; row < csv.rows.size(); ++row) {
    std::vector<std::string> fields(kAll);
    for (std::size_t i = 0; i < kAll; ++i)
      if (column[i] >= 0) fields[i] = csv.rows[row][static_cast<std::size_t>(column[i])];
    list.push_back(arrival(fields, streams, fmt::format("{}:{}", file, csv.lines[row])));
  }
  return list;
}

std::vector<Arrival> from_lines(const std::string& text, const std::string& file) {
  std::istringstream lines(text);
  Streams streams;
  std::vector<Arrival> list;
  std::string line;
  for (int64_t number = 1; std::getline(lines, line); ++number) {
    const std::string where = fmt::format("{}:{}", file, number);
    if (line.find_first_not_of(" \r\t") == std::string::npos) continue;
    const json j = json::parse(line, nullptr, false);
    if (!j.is_object()) throw BadInput(where + ": want a JSON object on each line");
    std::vector<std::string> fields(kAll);
    for (std::size_t i = 0; i < kAll; ++i) {
      const auto at = j.find(kColumns[i]);
      if (at != j.end() && !at->is_null())
        fields[i] = at->is_string() ? at->get<std::string>() : at->dump();
      if (fields[i].empty() && i < kNeeded) throw BadInput(where + ": no " + kColumns[i]);
    }
    list.push_back(arrival(fields, streams, where));
  }
  return list;
}

}  // namespace

std::vector<Arrival> read_trace(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) throw BadInput(file + ": cannot be read; give the path of a CSV or JSON-lines trace");
  std::ostringstream text;
  text << in.rdbuf();
  const bool lines = file.ends_with(".jsonl") || file.ends_with(".ndjson");
  std::vector<Arrival> list = lines ? from_lines(text.str(), file) : from_csv(text.str(), file);
  if (list.empty()) throw BadInput(file + ": no requests in it");
  for (std::size_t i = 1; i < list.size(); ++i)
    if (list[i].time_s < list[i - 1].time_s)
      throw BadInput(
          fmt::format("{}: request {} arrives at {} s, before the one ahead of it at {} "
                      "s; sort the file by arrival_s",
                      file, i + 1, list[i].time_s, list[i - 1].time_s));
  return list;
}

}  // namespace ridge::sim
