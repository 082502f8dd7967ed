#include "roofline/staircase.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <iterator>

namespace ridge {
namespace {

double median(std::vector<double> v) {
  std::sort(v.begin(), v.end());
  return v.empty() ? 0 : v[v.size() / 2];
}

bool divides(double period, double x) {
  return std::abs(x / period - std::round(x / period)) * period < 0.5;
}

// Nine of ten.
template <class Predicate>
bool nearly_all(const std::vector<double>& v, Predicate holds) {
  return 10 * std::count_if(v.begin(), v.end(), holds) >= 9 * std::ssize(v);
}

// Multiples of `step` after which the time jumps by far more than it moves where nothing starts.
std::vector<double> jumps(const std::vector<std::pair<double, double>>& times, double step) {
  constexpr double kClear = 6;  // scatters, of which noise alone reaches three now and then
  std::vector<double> still;
  std::vector<std::pair<double, double>> steps;  // x, time after x / time at x − 1
  for (std::size_t i = 0; i + 1 < times.size(); ++i) {
    const auto [x, seconds] = times[i];
    if (times[i + 1].first - x > step / 4) continue;
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

// The distance of jumps that are equally far apart but for a row of tiles, or 0: those of noise lie
// anywhere.
double wave_of(const std::vector<double>& at, double tile) {
  // Each further wave is a smaller part of the time, until some are lost in the noise.
  constexpr std::size_t kClearWaves = 12;
  const std::size_t last = std::min(at.size(), kClearWaves) - 1;
  std::vector<double> distances;
  for (std::size_t i = 0; i < last; ++i) distances.push_back(at[i + 1] - at[i]);
  const double mean = (at[last] - at[0]) / static_cast<double>(last);
  const auto near = [&](double d) { return std::abs(d - mean) <= tile; };
  return mean > 1.5 * tile && nearly_all(distances, near) ? mean : 0;
}

}  // namespace

Staircase read_staircase(const std::vector<std::pair<double, double>>& times, double step) {
  Staircase s;
  const std::vector<double> at = jumps(times, step);
  if (at.size() < 4) return s;
  for (double period = step; period <= at.back(); period += step)
    if (nearly_all(at, [&](double x) { return divides(period, x); })) s.tile = period;
  if (s.tile > 0) s.wave = wave_of(at, s.tile);
  return s;
}

void count_wave_tiles(Staircase& m, Staircase& n, double held) {
  const auto count = [held](Staircase& along, const Staircase& across) {
    if (along.tile > 0 && across.tile > 0)
      along.wave_tiles = along.wave / along.tile * std::ceil(held / across.tile);
  };
  count(m, n);
  count(n, m);
}

double wave_quantisation(double tiles, double units) {
  if (tiles <= 0 || units <= 0) return 1;
  return std::ceil(tiles / units - 1e-9) * units / tiles;
}

}  // namespace ridge
