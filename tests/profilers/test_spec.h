#pragma once
#include "kernels/core/op_spec.h"

namespace ridge {

// y[rows, cols] = x, with two uniform inputs of `dtype` and, where `indexed`, an order of the rows
// and one index a row: what the tests of arena and verify cut and check. Not a listed operator.
inline OpSpec copy_spec(bool indexed = false) {
  OpSpec s;
  s.name = "test_copy";
  s.axes = {{.name = "rows"}, {.name = "cols"}};
  s.dtypes = {Dtype::kF32,    Dtype::kTf32, Dtype::kF16,  Dtype::kBf16,
              Dtype::kF8E4M3, Dtype::kInt8, Dtype::kInt32};
  s.work = [](const Call& c) {
    return Work{.flops = static_cast<double>(c.dims[0]) * static_cast<double>(c.dims[1])};
  };
  s.inputs = [indexed](const Call& c) {
    std::vector<TensorSpec> in{{.name = "x", .dtype = c.dtype, .shape = c.dims},
                               {.name = "w", .dtype = c.dtype, .shape = {c.dims[1]}}};
    if (indexed) {
      in.push_back({.name = "order",
                    .dtype = Dtype::kInt32,
                    .shape = {c.dims[0]},
                    .fill = Fill::kPermutation});
      in.push_back({.name = "index",
                    .dtype = Dtype::kInt32,
                    .shape = {c.dims[0]},
                    .fill = Fill::kIndex,
                    .index_limit = 10});
    }
    return in;
  };
  s.outputs = [](const Call& c) {
    return std::vector<TensorSpec>{{.name = "y", .dtype = c.dtype, .shape = c.dims}};
  };
  s.reference = [](const Call&, std::span<const HostTensor> in, std::span<const Element> elements,
                   std::span<double> values) {
    for (std::size_t e = 0; e < elements.size(); ++e) values[e] = in[0].at(elements[e].index);
  };
  s.tolerance = [](const Call& c) { return default_tolerance(c.dtype); };
  return s;
}

}  // namespace ridge
