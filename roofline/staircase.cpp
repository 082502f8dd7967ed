#include "roofline/staircase.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace ridge {
namespace {

double median(std::vector<double> v) {
  std::sort(v.begin(), v.end());
  return v.empty() ? 0 : v[v.size() / 2];
}

bool divides(double period, double x) {
  return std::abs(x / period - std::round(x / period)) * period < 0.5;
}

// Multiples of `step` after which the time jumps by far more than it moves where nothing starts.
std::vector<double> jumps(const std::vector<std::pair<double, double>>& times, double step) {
  constexpr double kClear = 6;  // scatters, of which noise alone reaches three now and then
  std::vector<double> still;
  std::vector<std::pair<double, double>> steps;  // x, time(x + 1) / time(x) − 1
  for (std::size_t i = 0; i + 1 < times.size(); ++i) {
    const auto [x, seconds] = times[i];
    if (times[i + 1].first != x + 1) continue;
    const double change = times[i + 1].second / seconds - 1;
    if (divides(step, x))
      steps.push_back({x, change});
    else
      still.push_back(std::abs(change));
  }
  const double least = kClear * std::max(1.48 * median(still), 0.002);
  std::vector<double> found;
  for (const auto& [x, change] : steps)
    if (change > least) found.push_back(x);
  return found;
}

}  // namespace

Staircase read_staircase(const std::vector<std::pair<double, double>>& times, double step,
                         double tiles_across) {
  Staircase s;
  const std::vector<double> at = jumps(times, step);
  if (at.size() < 4) return s;
  for (double period = step; period <= at.back(); period += step) {
    const auto met =
        std::count_if(at.begin(), at.end(), [&](double x) { return divides(period, x); });
    if (10 * met >= 9 * static_cast<std::ptrdiff_t>(at.size())) s.tile = period;
  }
  const double distance = (at.back() - at.front()) / static_cast<double>(at.size() - 1);
  if (s.tile > 0 && distance > 1.5 * s.tile) {
    s.wave = distance;
    s.wave_tiles = distance / s.tile * tiles_across;
  }
  return s;
}

double wave_quantisation(double tiles, double units) {
  if (tiles <= 0 || units <= 0) return 1;
  return std::ceil(tiles / units - 1e-9) * units / tiles;
}

}  // namespace ridge
