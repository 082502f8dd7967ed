#pragma once
#include <vector>

#include "calibrate/fit_rows.h"
#include "calibrate/folds.h"
#include "calibrate/gaussian_process.h"

namespace ridge {

// How much time a fit may take: a planner between two measurements has little, a table enough.
enum class FitEffort { kQuick, kFull };

// A Gaussian process through at most `most` of the rows, drawn at random.
struct ProcessFit {
  std::vector<std::size_t> rows;  // its points
  GpPoints points;                // `noise_floor` widened where the others contradict a point
  GpParameters parameters;
  GpPosterior known;
  double near = 0;  // the prior correlation with the closest point that nine tenths of rows exceed
};

ProcessFit fit_process(const FitRows& rows, FitEffort effort, std::size_t most = 512);

// What the process says of every row: of those in a fold as if none of that fold were among its
// points.
std::vector<double> left_out_of_process(const FitRows& rows, const ProcessFit& fit,
                                        const Folds& folds);

// The process' own points in folds: what it says of other rows tells its error as it is.
Folds point_folds(const ProcessFit& fit);

}  // namespace ridge
