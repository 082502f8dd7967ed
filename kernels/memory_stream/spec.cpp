#include <map>

#include "kernels/core/op_spec.h"
#include "kernels/memory_stream/memory_stream.h"

namespace ridge::memory_stream {
namespace {

using Inputs = std::span<const HostTensor>;

TensorSpec tensor(const char* name, int64_t elements) {
  return {.name = name, .dtype = Dtype::kF32, .shape = {elements}};
}

std::vector<Axis> axes() {
  return {{.name = "count",
           .doc = "f32 elements",
           .max = int64_t{1} << 36,
           .sweep_low = 1 << 18,
           .sweep_high = 1 << 28,
           .usual = {1 << 12, 1 << 18, 1 << 20, 1 << 24},
           .draw = Draw::kUsual},
          {.name = "parts",
           .doc = "units of work that the elements are cut into",
           .max = (int64_t{1} << 31) - 1,
           .usual = {2, 16, 132, 1024},
           .draw = Draw::kUsual},
          {.name = "passes",
           .doc = "how often each unit goes over a part",
           .max = 1 << 30,
           .usual = {1, 3, 8},
           .draw = Draw::kUsual},
          {.name = "shift",
           .doc = "parts that a unit moves on by after each pass; 0: none",
           .min = 0,
           .sweep_low = 0,
           .usual = {0, 1},
           .draw = Draw::kUsual,
           .growth = Growth::kFree}};
}

// What one pass does for each element.
struct PerElement {
  double flops, bytes_read, bytes_written;
};

OpSpec base(const char* name, const char* doc, PerElement per) {
  OpSpec s;
  s.name = name;
  s.table_name = name;
  s.doc = doc;
  s.probe = true;
  s.axes = axes();
  s.dtypes = {Dtype::kF32};
  s.work = [per](const Call& c) -> Work {
    const double n = static_cast<double>(dims(c).count) * static_cast<double>(dims(c).passes);
    return {.flops = per.flops * n,
            .bytes_read = per.bytes_read * n,
            .bytes_written = per.bytes_written * n};
  };
  s.tolerance = [](const Call& c) { return default_tolerance(c.dtype); };
  s.outputs = [](const Call& c) { return std::vector<TensorSpec>{tensor("y", dims(c).count)}; };
  s.test_dims = {{1, 1, 1, 0},     {63, 1, 2, 0},      {1000, 3, 1, 0},     {1024, 2, 50, 0},
                 {16384, 1, 5, 0}, {4096, 100, 3, 1},  {100003, 7, 1, 0},   {100003, 7, 9, 2},
                 {3000, 64, 1, 0}, {200003, 13, 4, 0}, {200003, 13, 20, 1}, {3000017, 184, 1, 0}};
  return s;
}

// Fills in the reference of an operator whose output i depends on element i of its inputs alone.
template <class F>
OpSpec with_reference(OpSpec s, F value) {
  s.reference = [value](const Call&, Inputs in, std::span<const Element> elements,
                        std::span<double> values) {
    for (std::size_t e = 0; e < elements.size(); ++e) values[e] = value(in, elements[e].index);
  };
  return s;
}

double sum(const HostTensor& x, int64_t first, int64_t last) {
  double total = 0;
  for (int64_t i = first; i < last; ++i) total += x.at(i);
  return total;
}

OpSpec read() {
  OpSpec s = base("stream_read", "y[p] = sum over passes of the sum of a part of x", {1, 4, 0});
  s.work = [of_pass = s.work](const Call& c) {
    Work w = of_pass(c);
    w.bytes_written = 4 * static_cast<double>(dims(c).parts);
    return w;
  };
  s.inputs = [](const Call& c) { return std::vector<TensorSpec>{tensor("x", dims(c).count)}; };
  s.outputs = [](const Call& c) { return std::vector<TensorSpec>{tensor("y", dims(c).parts)}; };
  s.reference = [](const Call& c, Inputs in, std::span<const Element> elements,
                   std::span<double> values) {
    const Dims d = dims(c);
    const Parts parts(d.count, d.parts);
    std::map<int64_t, double> sums;  // of parts, each of which many units come to
    const auto sum_of = [&](int64_t part) {
      const auto [it, is_new] = sums.try_emplace(part);
      if (is_new) it->second = sum(in[0], parts.first(part), parts.last(part));
      return it->second;
    };
    for (std::size_t e = 0; e < elements.size(); ++e) {
      values[e] = 0;
      if (d.shift % d.parts == 0) {
        values[e] = static_cast<double>(d.passes) * sum_of(elements[e].index);
        continue;
      }
      for (int64_t i = 0; i < d.passes; ++i)
        values[e] += sum_of((elements[e].index + i * d.shift) % d.parts);
    }
  };
  return s;
}

OpSpec write() {
  OpSpec s = with_reference(base("stream_write", "y[i] = pattern[i mod 64]", {0, 0, 4}),
                            [](Inputs in, int64_t i) { return in[0].at(i % kPattern); });
  s.work = [of_pass = s.work](const Call& c) {
    Work w = of_pass(c);
    w.bytes_read = 4.0 * kPattern;
    return w;
  };
  s.inputs = [](const Call&) { return std::vector<TensorSpec>{tensor("pattern", kPattern)}; };
  return s;
}

OpSpec copy() {
  OpSpec s = with_reference(base("stream_copy", "y = x", {0, 4, 4}),
                            [](Inputs in, int64_t i) { return in[0].at(i); });
  s.inputs = [](const Call& c) { return std::vector<TensorSpec>{tensor("x", dims(c).count)}; };
  return s;
}

OpSpec scale() {
  OpSpec s = with_reference(base("stream_scale", "y = s · x", {1, 4, 4}),
                            [](Inputs in, int64_t i) { return in[1].at(0) * in[0].at(i); });
  s.inputs = [](const Call& c) {
    return std::vector<TensorSpec>{tensor("x", dims(c).count), tensor("s", 1)};
  };
  return s;
}

OpSpec triad() {
  OpSpec s =
      with_reference(base("stream_triad", "y = b + s · c", {2, 8, 4}),
                     [](Inputs in, int64_t i) { return in[0].at(i) + in[2].at(0) * in[1].at(i); });
  s.inputs = [](const Call& c) {
    const int64_t n = dims(c).count;
    return std::vector<TensorSpec>{tensor("b", n), tensor("c", n), tensor("s", 1)};
  };
  return s;
}

OpSpec shared() {
  OpSpec s;
  s.name = "stream_shared";
  s.table_name = s.name;
  s.doc = "y[p] = passes · sum of 32 KiB of x, read from shared memory";
  s.probe = true;
  s.axes = {{.name = "parts",
             .doc = "blocks of threads",
             .max = 1 << 24,
             .usual = {1, 132, 264},
             .draw = Draw::kUsual},
            {.name = "passes",
             .doc = "how often each reads its 32 KiB",
             .max = 1 << 30,
             .usual = {1, 8, 256},
             .draw = Draw::kUsual}};
  s.dtypes = {Dtype::kF32};
  s.work = [](const Call& c) -> Work {
    const auto parts = static_cast<double>(c.dims[0]);
    const double reads = parts * static_cast<double>(c.dims[1]) * kSharedElements;
    return {.flops = reads, .bytes_read = 4 * reads, .bytes_written = 4 * parts};
  };
  s.inputs = [](const Call& c) {
    return std::vector<TensorSpec>{
        {.name = "x", .dtype = Dtype::kF32, .shape = {c.dims[0], kSharedElements}}};
  };
  s.outputs = [](const Call& c) { return std::vector<TensorSpec>{tensor("y", c.dims[0])}; };
  s.reference = [](const Call& c, Inputs in, std::span<const Element> elements,
                   std::span<double> values) {
    for (std::size_t e = 0; e < elements.size(); ++e) {
      const int64_t first = elements[e].index * kSharedElements;
      values[e] = static_cast<double>(c.dims[1]) * sum(in[0], first, first + kSharedElements);
    }
  };
  s.tolerance = [](const Call& c) { return default_tolerance(c.dtype); };
  s.test_dims = {{1, 1}, {3, 7}, {5, 100}};
  return s;
}

}  // namespace

std::vector<OpSpec> specs() { return {read(), write(), copy(), scale(), triad(), shared()}; }

}  // namespace ridge::memory_stream
