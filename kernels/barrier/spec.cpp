#include "kernels/barrier/barrier.h"
#include "kernels/core/op_spec.h"

namespace ridge::barrier {
namespace {

OpSpec rounds() {
  OpSpec s;
  s.name = "barrier";
  s.table_name = s.name;
  s.doc = "y[p] = x[(p + rounds) mod parts] + rounds, passed on between parts in rounds";
  s.probe = true;
  s.axes = {{.name = "parts",
             .doc = "units that wait for each other",
             .max = 1 << 20,
             .usual = {2, 16, 64},
             .draw = Draw::kUsual},
            {.name = "rounds",
             .doc = "values passed on to the neighbour, with a barrier between",
             .max = 1 << 22,
             .usual = {1, 100, 1000},
             .draw = Draw::kUsual}};
  s.dtypes = {Dtype::kF32};
  s.work = [](const Call& c) -> Work {
    const auto parts = static_cast<double>(dims(c).parts);
    return {.flops = parts * static_cast<double>(dims(c).rounds),
            .bytes_read = 4 * parts,
            .bytes_written = 4 * parts};
  };
  const auto vector = [](const char* name) {
    return [name](const Call& c) {
      return std::vector<TensorSpec>{
          {.name = name, .dtype = Dtype::kF32, .shape = {dims(c).parts}}};
    };
  };
  s.inputs = vector("x");
  s.outputs = vector("y");
  s.reference = [](const Call& c, std::span<const HostTensor> in, std::span<const Element> elements,
                   std::span<double> values) {
    const auto [parts, rounds] = dims(c);
    for (std::size_t e = 0; e < elements.size(); ++e)
      values[e] = in[0].at((elements[e].index + rounds) % parts) + static_cast<double>(rounds);
  };
  s.tolerance = [](const Call& c) { return default_tolerance(c.dtype); };
  s.test_dims = {{1, 1}, {1, 5}, {2, 1}, {2, 100}, {3, 7}, {16, 33}, {101, 200}};
  return s;
}

}  // namespace

std::vector<OpSpec> specs() { return {rounds()}; }

}  // namespace ridge::barrier
