#pragma once
#include <cstdint>
#include <vector>

#include "calibrate/block.h"
#include "calibrate/table.h"
#include "kernels/core/op_spec.h"

namespace ridge {

// Calls come in columns: those of one column differ only in what a step of a model sets (tokens,
// batch, lengths), not in what its layers set (widths, heads). Less is known of a column that
// nothing was measured of.
struct Columns {
  std::vector<std::vector<int64_t>> all;  // the layers' dims of each, none twice
  std::vector<std::size_t> of;            // of each sample, its place in `all`
};
Columns columns_of(const OpSpec& spec, const std::vector<const Sample*>& samples);

// Axes that the layers set.
std::vector<std::size_t> layer_axes(const OpSpec& spec);

// How far a call's column is from the nearest of some: in doublings of its dims, 0 for one of them.
class ColumnDistance {
 public:
  ColumnDistance() = default;
  ColumnDistance(const OpSpec& spec, const std::vector<std::vector<int64_t>>& columns);

  // For each call of a block of physics features.
  void at(const float* block, float* distance) const;
  double of(const std::vector<int64_t>& column) const;

 private:
  std::vector<std::size_t> axes_;
  std::vector<Axis> kinds_;
  std::vector<float> logs_;  // column by column, one an axis
};

}  // namespace ridge
