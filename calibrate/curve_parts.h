#pragma once
#include <vector>

#include "calibrate/curve.h"
#include "calibrate/table.h"

namespace ridge {

// What a curve that is fitted and one that is transferred have in common.

// Of samples of one operator, dtype and implementation: these, and their domain, count and floor.
void set_domain(Curve& c, const std::vector<const Sample*>& samples);

// One delay for every call: the median of these, of which there is one at least.
void hold_constant(Curve& c, const std::vector<double>& log_delays);

// From |predicted / measured − 1| of calls that were left out; 100 % where there are none.
void set_errors(Curve& c, const std::vector<double>& errors);

double mean_of(const std::vector<double>& v);  // 0 of none
double quantile(std::vector<double> v, double q);

}  // namespace ridge
