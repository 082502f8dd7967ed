#include "predictor/models/nearest_names.h"

#include <algorithm>
#include <cctype>
#include <numeric>
#include <utility>

namespace ridge {
namespace {

// Levenshtein's distance: insertions, deletions and replacements of one letter.
std::size_t edits(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t corner = row[0];
    row[0] = i + 1;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t replaced = corner + (a[i] == b[j] ? 0 : 1);
      corner = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, corner + 1});
    }
  }
  return row.back();
}

}  // namespace

std::string plain_name(std::string_view name) {
  std::string text;
  for (const char c : name)
    if (std::isalnum(static_cast<unsigned char>(c)))
      text += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

std::vector<std::string> nearest_names(std::string_view asked, std::vector<std::string> known,
                                       std::size_t most) {
  // Nobody mistypes a name of hundreds of letters: the rest of one says nothing.
  const std::string wanted = plain_name(asked.substr(0, 200));
  std::vector<std::pair<std::size_t, std::string>> ranked;
  for (std::string& name : known) {
    const std::string plain = plain_name(name);
    const bool begins = wanted.size() > 1 && plain.starts_with(wanted);
    ranked.emplace_back(begins ? 0 : edits(wanted, plain), name);
  }
  std::stable_sort(ranked.begin(), ranked.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  known.clear();
  for (auto& [distance, name] : ranked)
    if (known.size() < most) known.push_back(std::move(name));
  return known;
}

}  // namespace ridge
