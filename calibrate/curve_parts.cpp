#include "calibrate/curve_parts.h"

#include <algorithm>
#include <numeric>

namespace ridge {

void set_domain(Curve& c, const std::vector<const Sample*>& samples) {
  const Call& first = samples.at(0)->call;
  c.op = first.op;
  c.dtype = first.dtype;
  c.implementation = first.implementation;
  c.count = samples.size();
  c.dims_low = c.dims_high = first.dims;
  for (const Sample* s : samples) {
    c.floor = std::min(c.floor, s->delay_factor);
    for (std::size_t a = 0; a < first.dims.size(); ++a) {
      c.dims_low[a] = std::min(c.dims_low[a], s->call.dims[a]);
      c.dims_high[a] = std::max(c.dims_high[a], s->call.dims[a]);
    }
  }
}

void hold_constant(Curve& c, const std::vector<double>& log_delays) {
  c.kind = "constant";
  c.log_delay = quantile(log_delays, 0.5);
}

void set_errors(Curve& c, const std::vector<double>& errors) {
  c.cv_mean_error = errors.empty() ? 1 : mean_of(errors);
  c.cv_median_error = errors.empty() ? 1 : quantile(errors, 0.5);
  c.cv_p90_error = errors.empty() ? 1 : quantile(errors, 0.9);
}

double mean_of(const std::vector<double>& v) {
  return std::accumulate(v.begin(), v.end(), 0.0) /
         static_cast<double>(std::max<std::size_t>(v.size(), 1));
}

double quantile(std::vector<double> v, double q) {
  std::sort(v.begin(), v.end());
  const double at = q * static_cast<double>(v.size() - 1);
  const auto i = static_cast<std::size_t>(at);
  const double part = at - static_cast<double>(i);
  return i + 1 < v.size() ? v[i] * (1 - part) + v[i + 1] * part : v[i];
}

}  // namespace ridge
