#include "calibrate/folds.h"

#include <span>

#include "calibrate/in_parallel.h"

namespace ridge {

Folds dealt(const std::vector<std::size_t>& rows, std::size_t count) {
  Folds folds(count);
  for (std::size_t q = 0; q < rows.size(); ++q) folds[q % count].push_back(rows[q]);
  return folds;
}

Folds row_folds(std::size_t n, std::size_t count) { return dealt(some_of(n, n), count); }

Folds column_folds(const Columns& columns, std::size_t count) {
  std::vector<std::size_t> fold_of(columns.all.size());
  const Folds whole = row_folds(columns.all.size(), count);
  for (std::size_t f = 0; f < count; ++f)
    for (const std::size_t column : whole[f]) fold_of[column] = f;
  Folds folds(count);
  for (std::size_t row = 0; row < columns.of.size(); ++row)
    folds[fold_of[columns.of[row]]].push_back(row);
  return folds;
}

TreeRows tree_rows(const FitRows& rows, const std::vector<std::size_t>& of,
                   const std::vector<double>& y) {
  TreeRows t{.features = rows.features, .x = {}, .y = {}};
  for (const std::size_t i : of) {
    const auto row = std::span(rows.x).subspan(i * rows.features, rows.features);
    t.x.insert(t.x.end(), row.begin(), row.end());
    t.y.push_back(static_cast<float>(y[i]));
  }
  return t;
}

std::vector<double> left_out_trees(const FitRows& rows, const std::vector<double>& y,
                                   const TreeOptions& options, const Folds& folds) {
  std::vector<double> answers(rows.size());
  in_parallel(folds.size(), [&](std::size_t f) {
    std::vector<std::size_t> rest;
    for (std::size_t other = 0; other < folds.size(); ++other)
      if (other != f) rest.insert(rest.end(), folds[other].begin(), folds[other].end());
    if (rest.empty()) return;
    evaluate(rows, folds[f], grow_trees(tree_rows(rows, rest, y), options), answers);
  });
  return answers;
}

}  // namespace ridge
