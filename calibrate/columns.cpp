#include "calibrate/columns.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <map>
#include <numbers>
#include <string_view>

#include "calibrate/physics_features.h"

namespace ridge {
namespace {

bool set_by_a_step(const OpSpec& spec, std::string_view axis) {
  constexpr std::array<std::string_view, 9> kAxes{"m",       "b",    "batch",  "seq",  "kv_len",
                                                  "context", "rows", "tokens", "bytes"};
  constexpr std::array<std::string_view, 3> kImage{"n", "h", "w"};
  if (spec.name == "conv2d") return std::find(kImage.begin(), kImage.end(), axis) != kImage.end();
  return std::find(kAxes.begin(), kAxes.end(), axis) != kAxes.end();
}

}  // namespace

std::vector<std::size_t> layer_axes(const OpSpec& spec) {
  std::vector<std::size_t> axes;
  for (std::size_t i = 0; i < spec.axes.size(); ++i)
    if (!set_by_a_step(spec, spec.axes[i].name)) axes.push_back(i);
  return axes;
}

Columns columns_of(const OpSpec& spec, const std::vector<const Sample*>& samples) {
  const std::vector<std::size_t> axes = layer_axes(spec);
  std::map<std::vector<int64_t>, std::size_t> places;
  Columns c;
  for (const Sample* s : samples) {
    std::vector<int64_t> column;
    for (const std::size_t a : axes) column.push_back(s->call.dims[a]);
    const auto [it, added] = places.emplace(column, c.all.size());
    if (added) c.all.push_back(std::move(column));
    c.of.push_back(it->second);
  }
  return c;
}

ColumnDistance::ColumnDistance(const OpSpec& spec, const std::vector<std::vector<int64_t>>& columns)
    : axes_(layer_axes(spec)) {
  for (const std::size_t a : axes_) kinds_.push_back(spec.axes[a]);
  for (const std::vector<int64_t>& column : columns)
    for (std::size_t i = 0; i < axes_.size(); ++i) logs_.push_back(log_dim(column[i], kinds_[i]));
}

void ColumnDistance::at(const float* block, float* distance) const {
  std::array<float, kBlock> nearest;
  nearest.fill(std::numeric_limits<float>::max());
  for (std::size_t first = 0; first < logs_.size(); first += axes_.size()) {
    std::array<float, kBlock> sum{};
    for (std::size_t i = 0; i < axes_.size(); ++i) {
      const float* x = block + axes_[i] * kBlock;
      const float log = logs_[first + i];
      for (std::size_t b = 0; b < kBlock; ++b) sum[b] += (x[b] - log) * (x[b] - log);
    }
    for (std::size_t b = 0; b < kBlock; ++b) nearest[b] = std::min(nearest[b], sum[b]);
  }
  for (std::size_t b = 0; b < kBlock; ++b)
    distance[b] = std::sqrt(nearest[b]) / std::numbers::ln2_v<float>;
}

double ColumnDistance::of(const std::vector<int64_t>& column) const {
  // A block of this one, at the places of its axes.
  std::vector<float> block(axes_.empty() ? 0 : (axes_.back() + 1) * kBlock);
  for (std::size_t i = 0; i < axes_.size(); ++i)
    std::fill_n(block.begin() + static_cast<std::ptrdiff_t>(axes_[i] * kBlock), kBlock,
                log_dim(column[i], kinds_[i]));
  std::array<float, kBlock> distance;
  at(block.data(), distance.data());
  return static_cast<double>(distance[0]);
}

}  // namespace ridge
