#pragma once
#include <vector>

#include "calibrate/columns.h"
#include "calibrate/fit_rows.h"

namespace ridge {

// Cross-validation: rows that are left out together. None is in two folds.
using Folds = std::vector<std::vector<std::size_t>>;

// `rows` dealt out one by one to `count` folds.
Folds dealt(const std::vector<std::size_t>& rows, std::size_t count);

// All of n rows, at random.
Folds row_folds(std::size_t n, std::size_t count);

// All rows, whole columns at random.
Folds column_folds(const Columns& columns, std::size_t count);

// `y` of some rows, to grow trees on.
TreeRows tree_rows(const FitRows& rows, const std::vector<std::size_t>& of,
                   const std::vector<double>& y);

// What trees grown on the rows outside of a fold say of those in it; 0 for rows in none.
std::vector<double> left_out_trees(const FitRows& rows, const std::vector<double>& y,
                                   const TreeOptions& options, const Folds& folds);

}  // namespace ridge
