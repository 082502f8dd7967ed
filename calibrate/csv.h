#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace ridge {

// A CSV file by RFC 4180: quoted fields may hold commas, quotes ("") and line ends; lines end with
// LF or CRLF; a byte-order mark is skipped, and so are empty lines.
struct Csv {
  std::vector<std::string> header;
  std::vector<std::vector<std::string>> rows;  // each as long as the header
  std::vector<std::size_t> lines;              // where each row starts in the file, from 1
};

// `where` names the source in errors. Throws BadInput with the line for ragged rows, stray or
// unclosed quotes, NUL bytes, a repeated or empty column name, no header and no rows.
Csv parse_csv(std::string_view text, const std::string& where);

// Quoted where needed; LF after each line.
std::string csv_line(const std::vector<std::string>& fields);

}  // namespace ridge
