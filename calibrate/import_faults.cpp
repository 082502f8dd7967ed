#include "calibrate/import_faults.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <tuple>

#include "calibrate/table.h"
#include "calibrate/text_lines.h"
#include "kernels/core/error.h"
#include "kernels/core/operators.h"

namespace ridge {
namespace {

constexpr double kConflict = 1.1;  // largest / smallest time of a call's repeats
constexpr double kSpikeHeight = 1.5;

// Whether the calls differ in nothing but that axis.
bool same_line(const Call& a, const Call& b, std::size_t axis) {
  if (a.op != b.op || a.dtype != b.dtype || a.implementation != b.implementation) return false;
  for (std::size_t i = 0; i < a.dims.size(); ++i)
    if (i != axis && a.dims[i] != b.dims[i]) return false;
  return true;
}

// The calls with such an axis, those of one line side by side in ascending order.
std::vector<const ImportedCall*> lines_along(const std::vector<ImportedCall>& calls,
                                             std::size_t axis) {
  std::vector<const ImportedCall*> order;
  for (const ImportedCall& c : calls) {
    const OpSpec& spec = find_operator(c.call.op);
    if (axis < spec.axes.size() && spec.axes[axis].growth == Growth::kMonotone) order.push_back(&c);
  }
  std::sort(order.begin(), order.end(), [axis](const ImportedCall* a, const ImportedCall* b) {
    const Call &x = a->call, &y = b->call;
    const auto kind = [](const Call& c) { return std::tie(c.op, c.dtype, c.implementation); };
    if (kind(x) != kind(y)) return kind(x) < kind(y);
    for (std::size_t i = 0; i < x.dims.size(); ++i)
      if (i != axis && x.dims[i] != y.dims[i]) return x.dims[i] < y.dims[i];
    return x.dims[axis] < y.dims[axis];
  });
  return order;
}

// What the neighbours along an axis tell of the call between them: a power law through both.
double between(const ImportedCall& before, const ImportedCall& here, const ImportedCall& after,
               std::size_t axis) {
  const auto at = [axis](const ImportedCall& c) {
    return std::log(static_cast<double>(c.call.dims[axis]) + 1);  // a dim may be 0
  };
  const double part = (at(here) - at(before)) / (at(after) - at(before));
  return std::pow(before.median_s(), 1 - part) * std::pow(after.median_s(), part);
}

}  // namespace

double ImportedCall::median_s() const { return summarize(latencies_s).median_s; }

std::vector<ImportedCall> merge_repeats(const std::vector<ImportedRow>& rows,
                                        std::vector<std::string>& notes) {
  std::map<Call, std::vector<double>> merged;
  for (const ImportedRow& row : rows) merged[row.call].push_back(row.latency_s);
  std::vector<ImportedCall> calls;
  std::size_t repeats = 0, conflicts = 0;
  double worst = 0;
  std::string where;
  for (auto& [call, latencies] : merged) {
    const auto [low, high] = std::minmax_element(latencies.begin(), latencies.end());
    repeats += latencies.size() - 1;
    conflicts += *high / *low > kConflict;
    if (*high / *low > worst) {
      worst = *high / *low;
      where = to_string(call);
    }
    calls.push_back({.call = call, .latencies_s = std::move(latencies), .labels = {}});
  }
  if (repeats > 0)
    notes.push_back(fmt::format("{} of a call that another row has: merged to the median",
                                counted(repeats, "row")));
  if (conflicts > 0)
    notes.push_back(
        fmt::format("{} with repeats that lie more than {:.0f} % apart; the worst {:.2f} times: {}",
                    counted(conflicts, "call"), 100 * (kConflict - 1), worst, where));
  return calls;
}

void drop_unlimited(std::vector<ImportedCall>& calls, const Ceilings& ceilings,
                    std::vector<std::string>& notes) {
  std::map<std::string, std::size_t> dropped;
  std::erase_if(calls, [&](const ImportedCall& c) {
    try {
      return ideal(ceilings, find_operator(c.call.op).work(c.call)).seconds <= 0;
    } catch (const BadInput& e) {
      ++dropped[fmt::format("{} {}: {}", c.call.op, name(c.call.dtype), e.what())];
      return true;
    }
  });
  for (const auto& [why, count] : dropped)
    notes.push_back(fmt::format("{} left out: {}", counted(count, "call"), why));
}

void drop_impossible(std::vector<ImportedCall>& calls, const Ceilings& ceilings,
                     std::vector<std::string>& notes) {
  // Caches are up to some six times as fast as DRAM; f32 products in tf32 pass their peak eight
  // times.
  constexpr double kMost = 10;
  std::size_t dropped = 0;
  double worst = 0;
  std::string where;
  std::erase_if(calls, [&](const ImportedCall& c) {
    const double times =
        ideal(ceilings, find_operator(c.call.op).work(c.call)).seconds / c.median_s();
    if (times <= kMost) return false;
    ++dropped;
    if (times > worst) {
      worst = times;
      where = fmt::format("{} in {:.4g} us", to_string(c.call), 1e6 * c.median_s());
    }
    return true;
  });
  if (dropped > 0)
    notes.push_back(
        fmt::format("{} left out, over {:.0f} times faster than the ceilings allow: is the unit of "
                    "the times right? The worst, {:.3g} times: {}",
                    counted(dropped, "call"), kMost, worst, where));
}

void label_fast(std::vector<ImportedCall>& calls, const Ceilings& ceilings,
                std::vector<std::string>& notes) {
  std::size_t cached = 0, above = 0;
  for (ImportedCall& c : calls) {
    const Work work = find_operator(c.call.op).work(c.call);
    const double seconds = c.median_s();
    if (dram_seconds(ceilings, work.bytes_read, work.bytes_written) > seconds) {
      c.labels.emplace_back("l2");
      ++cached;
    }
    if (work.flops > 0 &&
        work.flops / ceilings.values.at(ceiling_name(work.pipe, work.arithmetic)).value > seconds) {
      c.labels.emplace_back("above_peak");
      ++above;
    }
  }
  if (cached > 0)
    notes.push_back(
        fmt::format("{} faster than DRAM allows, so that a cache was read: kept, labelled l2",
                    counted(cached, "call")));
  if (above > 0)
    notes.push_back(fmt::format("{} faster than the peak of the pipe: kept, labelled above_peak",
                                counted(above, "call")));
}

void label_spikes(std::vector<ImportedCall>& calls, std::vector<std::string>& notes) {
  std::size_t most_axes = 0;
  for (const ImportedCall& c : calls) most_axes = std::max(most_axes, c.call.dims.size());
  std::set<const ImportedCall*> peaks, ridges;
  for (std::size_t axis = 0; axis < most_axes; ++axis) {
    const auto order = lines_along(calls, axis);
    for (std::size_t i = 1; i + 1 < order.size(); ++i) {
      const ImportedCall &before = *order[i - 1], &here = *order[i], &after = *order[i + 1];
      if (!same_line(before.call, here.call, axis) || !same_line(here.call, after.call, axis))
        continue;
      const double seconds = here.median_s() / kSpikeHeight;
      if (seconds > std::max(before.median_s(), after.median_s())) peaks.insert(&here);
      if (seconds <= between(before, here, after, axis)) ridges.insert(&here);
    }
  }
  std::size_t spikes = 0;
  for (ImportedCall& c : calls) {
    if (!peaks.contains(&c) || ridges.contains(&c)) continue;
    c.labels.emplace_back(kSpike);
    ++spikes;
  }
  if (spikes > 0)
    notes.push_back(fmt::format(
        "{} that took more than {} times as long as both neighbours: kept, labelled {}, and left "
        "out of the fit",
        counted(spikes, "call"), kSpikeHeight, kSpike));
}

}  // namespace ridge
