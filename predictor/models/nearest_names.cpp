#include "predictor/models/nearest_names.h"

#include <algorithm>
#include <cctype>
#include <numeric>
#include <tuple>
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
  struct Ranked {
    bool other;  // does not begin with what was asked
    std::size_t edits;
    std::string name;
  };
  std::vector<Ranked> ranked;
  for (std::string& name : known) {
    const std::string plain = plain_name(name);
    const bool begins = wanted.size() > 1 && plain.starts_with(wanted);
    ranked.push_back({!begins, edits(wanted, plain), name});
  }
  std::stable_sort(ranked.begin(), ranked.end(), [](const auto& a, const auto& b) {
    return std::tie(a.other, a.edits) < std::tie(b.other, b.edits);
  });
  known.clear();
  for (Ranked& r : ranked)
    if (known.size() < most) known.push_back(std::move(r.name));
  return known;
}

}  // namespace ridge
