#include "predictor/request/default_dtype.h"

#include "roofline/device_specs.h"

namespace ridge {

Dtype default_dtype(const Model& m, const std::function<bool(Dtype)>& has_pipe) {
  for (const Dtype dtype : {m.dtype, twin(m.dtype), Dtype::kF32})
    if (has_pipe(dtype)) return dtype;
  return m.dtype;
}

Dtype default_dtype(const Model& m, const std::string& gpu) {
  const auto spec = find_device(gpu);
  return default_dtype(m, [&](Dtype dtype) {
    return !spec || spec->peak_flops_per_s.count(ceiling_name(Pipe::kMatrix, dtype)) > 0;
  });
}

Dtype default_dtype(const Model& m, const TableSet& tables) {
  return default_dtype(m, [&](Dtype dtype) {
    return tables.ceilings().values.contains(ceiling_name(Pipe::kMatrix, dtype));
  });
}

}  // namespace ridge
