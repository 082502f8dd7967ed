#include "kernels/clock_chain/clock_chain.h"
#include "kernels/core/op_spec.h"

namespace ridge::clock_chain {

std::vector<OpSpec> specs() {
  OpSpec s;
  s.name = "clock_chain";
  s.table_name = s.name;
  s.doc = "y[parts] = c + rounds · 256 · step, one addition after another";
  s.probe = true;
  s.axes = {{.name = "parts",
             .doc = "threads that add, each a chain of its own",
             .max = 1 << 16,
             .sweep_low = 1,
             .sweep_high = 256,
             .usual = {1, 2, 4, 8, 16, 32, 64, 128, 256},
             .draw = Draw::kUsual},
            {.name = "rounds",
             .doc = "how long each runs",
             .max = 1 << 20,
             .sweep_low = 1,
             .sweep_high = 1 << 16,
             .usual = {4096},
             .draw = Draw::kUsual}};
  s.dtypes = {Dtype::kInt32};
  s.work = [](const Call& call) -> Work {
    const auto [parts, rounds] = dims(call);
    const auto n = static_cast<double>(parts);
    return {.flops = n * static_cast<double>(rounds) * kAddsPerRound,
            .bytes_read = 4 * n,
            .bytes_written = 4 * n,
            .pipe = Pipe::kVector,
            .arithmetic = Dtype::kInt32};
  };
  const auto one = [](const char* name) {
    return [name](const Call& c) {
      return std::vector<TensorSpec>{
          {.name = name, .dtype = Dtype::kInt32, .shape = {dims(c).parts}}};
    };
  };
  s.inputs = one("c");
  s.outputs = one("y");
  s.reference = [](const Call& call, std::span<const HostTensor> in,
                   std::span<const Element> elements, std::span<double> values) {
    const int64_t added = dims(call).rounds * kAddsPerRound * kStep;
    for (std::size_t e = 0; e < elements.size(); ++e)
      values[e] = static_cast<int32_t>(static_cast<int64_t>(in[0].at(elements[e].index)) + added);
  };
  s.tolerance = [](const Call& c) { return default_tolerance(c.dtype); };
  s.test_dims = {{1, 1}, {3, 7}, {17, 100}};
  return {s};
}

}  // namespace ridge::clock_chain
