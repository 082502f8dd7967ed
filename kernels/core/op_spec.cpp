#include "kernels/core/op_spec.h"

#include <algorithm>

#include "kernels/core/error.h"

namespace ridge {

double default_tolerance(Dtype dtype) {
  switch (dtype) {
    case Dtype::kF32:
      return 1e-5;
    case Dtype::kTf32:
    case Dtype::kF16:
      return 2e-3;
    case Dtype::kBf16:
    case Dtype::kF8E4M3:
      return 1e-2;
    case Dtype::kInt8:
    case Dtype::kInt32:
      return 0;
    case Dtype::kF64:
      return 1e-12;
  }
  throw BadInput("unknown dtype");
}

bool is_swept(const OpSpec& spec, Dtype dtype) {
  return !spec.probe && spec.no_launch.empty() &&
         std::find(spec.unswept.begin(), spec.unswept.end(), dtype) == spec.unswept.end();
}

int64_t dim(const OpSpec& spec, const Call& call, std::string_view axis) {
  for (std::size_t i = 0; i < spec.axes.size(); ++i)
    if (spec.axes[i].name == axis) return call.dims.at(i);
  throw BadInput(spec.name + ": has no axis '" + std::string(axis) + "'");
}

void validate(const OpSpec& spec, const Call& call) {
  if (call.dims.size() != spec.axes.size())
    throw BadInput(spec.name + ": needs " + std::to_string(spec.axes.size()) + " dims, got " +
                   std::to_string(call.dims.size()));
  for (std::size_t i = 0; i < spec.axes.size(); ++i) {
    const Axis& axis = spec.axes[i];
    if (call.dims[i] < axis.min || call.dims[i] > axis.max)
      throw BadInput(spec.name + ": " + axis.name + "=" + std::to_string(call.dims[i]) +
                     " must be in [" + std::to_string(axis.min) + ", " + std::to_string(axis.max) +
                     "]");
  }
  if (std::find(spec.dtypes.begin(), spec.dtypes.end(), call.dtype) == spec.dtypes.end())
    throw BadInput(spec.name + ": does not come in " + std::string(name(call.dtype)));
  if (const std::string wrong = spec.constraint(call); !wrong.empty())
    throw BadInput(spec.name + ": " + wrong);
}

int64_t footprint_bytes(const OpSpec& spec, const Call& call) {
  int64_t total = 0;
  for (const auto& t : spec.inputs(call)) total += t.bytes();
  for (const auto& t : spec.outputs(call)) total += t.bytes();
  return total;
}

}  // namespace ridge
