#include "calibrate/csv.h"

#include <set>

#include "kernels/core/error.h"

namespace ridge {
namespace {

class Reader {
 public:
  Reader(std::string_view text, const std::string& where) : text_(text), where_(where) {
    if (text_.starts_with("\xEF\xBB\xBF")) text_.remove_prefix(3);
  }

  // The next record that is not an empty line; false at the end.
  bool next(std::vector<std::string>* fields, std::size_t* line) {
    while (at_ < text_.size()) {
      *line = line_;
      fields->assign(1, "");
      read_record(*fields);
      if (fields->size() > 1 || !fields->front().empty()) return true;
    }
    return false;
  }

 private:
  [[noreturn]] void fail(std::size_t line, const std::string& what) const {
    throw BadInput(where_ + ": line " + std::to_string(line) + ": " + what);
  }

  void read_record(std::vector<std::string>& fields) {
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '"') {
        if (!fields.back().empty()) fail(line_, "a quote inside a field; quote the whole field");
        read_quoted(fields.back());
        continue;
      }
      ++at_;
      if (c == '\0') fail(line_, "a NUL byte: this is not a CSV file");
      if (c == '\r' && at_ < text_.size() && text_[at_] == '\n') continue;
      if (c == '\n') {
        ++line_;
        return;
      }
      if (c == ',')
        fields.emplace_back();
      else
        fields.back() += c;
    }
  }

  // From the opening quote to past the closing one.
  void read_quoted(std::string& field) {
    const std::size_t opened = line_;
    for (++at_; at_ < text_.size(); ++at_) {
      const char c = text_[at_];
      if (c == '"') {
        const char after = at_ + 1 < text_.size() ? text_[at_ + 1] : '\n';
        if (after != '"') {
          ++at_;
          if (after != ',' && after != '\n' && after != '\r')
            fail(line_, "text after a closing quote; quote the whole field");
          return;
        }
        ++at_;
      }
      if (c == '\n') ++line_;
      field += c;
    }
    fail(opened, "a quote is never closed");
  }

  std::string_view text_;
  const std::string& where_;
  std::size_t at_ = 0, line_ = 1;
};

}  // namespace

Csv parse_csv(std::string_view text, const std::string& where) {
  Csv csv;
  Reader reader(text, where);
  std::size_t line = 0;
  if (!reader.next(&csv.header, &line))
    throw BadInput(where + ": is empty; the first line must name the columns (op,dtype,…)");
  std::set<std::string> seen;
  for (const std::string& column : csv.header) {
    if (column.empty()) throw BadInput(where + ": line 1: a column has no name");
    if (!seen.insert(column).second)
      throw BadInput(where + ": line 1: column '" + column + "' is there twice");
  }
  std::vector<std::string> fields;
  while (reader.next(&fields, &line)) {
    if (fields.size() != csv.header.size())
      throw BadInput(where + ": line " + std::to_string(line) + " (row " +
                     std::to_string(csv.rows.size() + 1) + "): has " +
                     std::to_string(fields.size()) + " fields, the header has " +
                     std::to_string(csv.header.size()) + "; complete the line");
    csv.rows.push_back(fields);
    csv.lines.push_back(line);
  }
  if (csv.rows.empty()) throw BadInput(where + ": has a header but no rows; add some calls");
  return csv;
}

std::string csv_line(const std::vector<std::string>& fields) {
  std::string line;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (i > 0) line += ',';
    if (fields[i].find_first_of(",\"\r\n") == std::string::npos) {
      line += fields[i];
      continue;
    }
    line += '"';
    for (const char c : fields[i]) line += c == '"' ? "\"\"" : std::string(1, c);
    line += '"';
  }
  return line + '\n';
}

}  // namespace ridge
