#include "kernels/core/op_spec.h"
#include "kernels/pointer_chase/pointer_chase.h"

namespace ridge::pointer_chase {
namespace {

constexpr int64_t kLine = 64, kMiB = 1 << 20;

std::vector<Axis> axes() {
  return {{.name = "span_bytes",
           .doc = "bytes of the table",
           .min = kLine,
           .max = int64_t{1} << 33,  // of which int32 counts the elements
           .sweep_low = 1 << 12,
           .sweep_high = 1 << 28,
           .usual = {1 << 12, 1 << 14, 1 << 18, 4 * kMiB},
           .draw = Draw::kUsual},
          {.name = "stride_bytes",
           .doc = "bytes for each place, a multiple of 64",
           .min = kLine,
           .usual = {64, 128, 4096},
           .draw = Draw::kUsual,
           .growth = Growth::kFree},
          {.name = "steps",
           .doc = "loads, each of which needs the one before",
           .max = int64_t{1} << 40,
           .usual = {1000, 100'000},
           .draw = Draw::kUsual}};
}

std::string wrong(const Call& c) {
  const Dims d = dims(c);
  if (d.stride_bytes % kLine != 0)
    return "stride_bytes=" + std::to_string(d.stride_bytes) + " must be a multiple of 64";
  if (d.span_bytes % kLine != 0)
    return "span_bytes=" + std::to_string(d.span_bytes) + " must be a multiple of 64";
  if (d.stride_bytes > d.span_bytes)
    return "stride_bytes=" + std::to_string(d.stride_bytes) +
           " must not exceed span_bytes=" + std::to_string(d.span_bytes);
  return "";
}

OpSpec chase() {
  OpSpec s;
  s.name = "pointer_chase";
  s.table_name = s.name;
  s.doc = "y = the place after `steps` steps along a random tour, each place in a line of its own";
  s.probe = true;
  s.axes = axes();
  s.dtypes = {Dtype::kInt32};
  s.constraint = wrong;
  s.adjust = [](Call& c) { c.dims[1] = std::min(c.dims[1], c.dims[0]); };
  s.work = [](const Call& c) -> Work {
    return {.bytes_read = 4 * static_cast<double>(dims(c).steps),
            .bytes_written = 4,
            .arithmetic = Dtype::kInt32};
  };
  s.inputs = [](const Call& c) {
    return std::vector<TensorSpec>{{.name = "table",
                                    .dtype = Dtype::kInt32,
                                    .shape = {dims(c).span_bytes / 4},
                                    .fill = Fill::kCycle,
                                    .cycle_step = dims(c).stride_bytes / 4}};
  };
  s.outputs = [](const Call&) {
    return std::vector<TensorSpec>{{.name = "y", .dtype = Dtype::kInt32, .shape = {1}}};
  };
  s.reference = [](const Call& c, std::span<const HostTensor> in, std::span<const Element> elements,
                   std::span<double> values) {
    double place = 0;
    for (int64_t i = dims(c).steps % places(dims(c)); i > 0; --i)
      place = in[0].at(static_cast<int64_t>(place));
    for (std::size_t e = 0; e < elements.size(); ++e) values[e] = place;
  };
  s.tolerance = [](const Call&) { return 0.0; };
  s.test_dims = {{64, 64, 1},        {128, 128, 7},       {4096, 64, 64},     {4096, 64, 1001},
                 {65536, 128, 5000}, {81920, 4096, 1003}, {1000000, 64, 100}, {1048640, 4096, 259}};
  return s;
}

}  // namespace

std::vector<OpSpec> specs() { return {chase()}; }

}  // namespace ridge::pointer_chase
