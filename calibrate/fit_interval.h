#pragma once
#include <vector>

#include "calibrate/columns.h"
#include "calibrate/curve.h"
#include "calibrate/fit_rows.h"
#include "calibrate/folds.h"

namespace ridge {

// How far off each row is expected to be, by the errors of others: exp() of a log error.
using Expected = std::vector<double>;

// Whether rows have others in their own column, or most columns have one row only.
enum class Layout { kGrid, kScattered };

// Learns where errors are large from what was `said` of rows that were left out one by one, and how
// wide an interval holds 80 % of them. Sets the curve's spread and interval; each fold's
// expectation comes from the others.
Expected fit_interval(Curve& c, const FitRows& rows, const std::vector<double>& said,
                      Layout layout);

// What was said of rows whose whole columns were left out.
struct ColumnsLeftOut {
  const Columns& columns;
  Folds folds;
  std::vector<double> said;
};

// How much wider the interval of a column is that nothing was measured of: Curve::away. `calls` are
// those of the rows.
void fit_away(Curve& c, const FitRows& rows, const std::vector<const Sample*>& calls,
              const Expected& expected, const ColumnsLeftOut& left);

}  // namespace ridge
