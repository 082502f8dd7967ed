#include "kernels/core/op_spec.h"
#include "kernels/memory_stream/memory_stream.h"

namespace ridge::memory_stream {
namespace {

TensorSpec tensor(const char* name, int64_t elements) {
  return {.name = name, .dtype = Dtype::kF32, .shape = {elements}};
}

OpSpec base(const char* name, const char* doc) {
  OpSpec s;
  s.name = name;
  s.table_name = name;
  s.doc = doc;
  s.probe = true;
  s.axes = {{.name = "count",
             .doc = "f32 elements",
             .max = int64_t{1} << 36,
             .sweep_low = 1 << 18,
             .sweep_high = 1 << 28,
             .usual = {1 << 18, 1 << 20, 1 << 22, 1 << 24, 1 << 26, 1 << 28},
             .draw = Draw::kUsual}};
  s.dtypes = {Dtype::kF32};
  s.tolerance = [](const Call& c) { return default_tolerance(c.dtype); };
  s.outputs = [](const Call& c) { return std::vector<TensorSpec>{tensor("y", count(c))}; };
  s.test_dims = {{1}, {63}, {1000}, {16384}, {100003}, {3000017}};
  return s;
}

OpSpec read() {
  OpSpec s = base("stream_read", "y[p] = sum of the p-th chunk of x");
  s.work = [](const Call& c) -> Work {
    const auto n = static_cast<double>(count(c));
    return {.flops = n,
            .bytes_read = 4 * n,
            .bytes_written = 4.0 * static_cast<double>(chunks(count(c)))};
  };
  s.inputs = [](const Call& c) { return std::vector<TensorSpec>{tensor("x", count(c))}; };
  s.outputs = [](const Call& c) { return std::vector<TensorSpec>{tensor("y", chunks(count(c)))}; };
  s.reference = [](const Call& c, std::span<const HostTensor> in, std::span<const Element> elements,
                   std::span<double> values) {
    for (std::size_t e = 0; e < elements.size(); ++e) {
      const int64_t first = elements[e].index * kChunk;
      values[e] = 0;
      for (int64_t i = first; i < std::min(first + kChunk, count(c)); ++i) values[e] += in[0].at(i);
    }
  };
  return s;
}

OpSpec write() {
  OpSpec s = base("stream_write", "y[i] = pattern[i mod 64]");
  s.work = [](const Call& c) -> Work {
    return {.bytes_read = 4.0 * kPattern, .bytes_written = 4.0 * static_cast<double>(count(c))};
  };
  s.inputs = [](const Call&) { return std::vector<TensorSpec>{tensor("pattern", kPattern)}; };
  s.reference = [](const Call&, std::span<const HostTensor> in, std::span<const Element> elements,
                   std::span<double> values) {
    for (std::size_t e = 0; e < elements.size(); ++e)
      values[e] = in[0].at(elements[e].index % kPattern);
  };
  return s;
}

OpSpec copy() {
  OpSpec s = base("stream_copy", "y = x");
  s.work = [](const Call& c) -> Work {
    const auto n = static_cast<double>(count(c));
    return {.bytes_read = 4 * n, .bytes_written = 4 * n};
  };
  s.inputs = [](const Call& c) { return std::vector<TensorSpec>{tensor("x", count(c))}; };
  s.reference = [](const Call&, std::span<const HostTensor> in, std::span<const Element> elements,
                   std::span<double> values) {
    for (std::size_t e = 0; e < elements.size(); ++e) values[e] = in[0].at(elements[e].index);
  };
  return s;
}

OpSpec triad() {
  OpSpec s = base("stream_triad", "y = b + s · c");
  s.work = [](const Call& c) -> Work {
    const auto n = static_cast<double>(count(c));
    return {.flops = 2 * n, .bytes_read = 8 * n + 4, .bytes_written = 4 * n};
  };
  s.inputs = [](const Call& c) {
    return std::vector<TensorSpec>{tensor("b", count(c)), tensor("c", count(c)), tensor("s", 1)};
  };
  s.reference = [](const Call&, std::span<const HostTensor> in, std::span<const Element> elements,
                   std::span<double> values) {
    for (std::size_t e = 0; e < elements.size(); ++e)
      values[e] = in[0].at(elements[e].index) + in[2].at(0) * in[1].at(elements[e].index);
  };
  return s;
}

}  // namespace

std::vector<OpSpec> specs() { return {read(), write(), copy(), triad()}; }

}  // namespace ridge::memory_stream
