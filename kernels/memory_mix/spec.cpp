#include "kernels/core/op_spec.h"
#include "kernels/memory_mix/memory_mix.h"

namespace ridge::memory_mix {
namespace {

TensorSpec tensor(const char* name, int64_t elements) {
  return {.name = name, .dtype = Dtype::kF32, .shape = {elements}};
}

std::vector<Axis> axes() {
  const auto bursts = [](const char* name, const char* doc) -> Axis {
    return {.name = name,
            .doc = doc,
            .min = 0,
            .max = 8,
            .sweep_low = 0,
            .sweep_high = 8,
            .usual = {0, 1, 2, 3},
            .draw = Draw::kUsual,
            .growth = Growth::kFree};
  };
  return {{.name = "count",
           .doc = "f32 elements that are read and written in all, about",
           .max = int64_t{1} << 36,
           .sweep_low = 1 << 18,
           .sweep_high = 1 << 28,
           .usual = {1 << 18, 1 << 20, 1 << 24},
           .draw = Draw::kUsual},
          bursts("reads", "bursts that a group reads"),
          bursts("writes", "bursts that a group writes"),
          {.name = "burst",
           .doc = "elements that are read, or written, without a turn: a multiple of 64",
           .min = kPattern,
           .max = 1 << 26,
           .sweep_low = kPattern,
           .usual = {256, 4096, 65536},
           .draw = Draw::kUsual,
           .growth = Growth::kFree}};
}

std::string wrong(const Call& c) {
  const Dims d = dims(c);
  if (d.reads + d.writes == 0) return "reads=0 and writes=0: at least one must be positive";
  if (d.burst % kPattern != 0)
    return "burst=" + std::to_string(d.burst) + " must be a multiple of 64";
  return "";
}

std::vector<TensorSpec> inputs(const Call& c) {
  const Dims d = dims(c);
  std::vector<TensorSpec> all;
  if (d.writes > 0) all.push_back(tensor("pattern", kPattern));
  if (d.reads > 0) all.push_back(tensor("x", d.groups() * d.reads * d.burst));
  return all;
}

std::vector<TensorSpec> outputs(const Call& c) {
  const Dims d = dims(c);
  std::vector<TensorSpec> all;
  if (d.writes > 0) all.push_back(tensor("y", d.groups() * d.writes * d.burst));
  if (d.reads > 0) all.push_back(tensor("z", d.groups()));
  return all;
}

void reference(const Call& c, std::span<const HostTensor> in, std::span<const Element> elements,
               std::span<double> values) {
  const Dims d = dims(c);
  for (std::size_t e = 0; e < elements.size(); ++e) {
    const int64_t i = elements[e].index;
    if (d.writes > 0 && elements[e].tensor == 0) {
      values[e] = in[0].at(i % kPattern);
      continue;
    }
    const int64_t n = d.reads * d.burst;
    values[e] = 0;
    for (int64_t j = i * n; j < (i + 1) * n; ++j) values[e] += in.back().at(j);
  }
}

OpSpec mix() {
  OpSpec s;
  s.name = "stream_mix";
  s.table_name = s.name;
  s.doc = "z[g] = sum of bursts of x, y[i] = pattern[i mod 64]: reads and writes in turns";
  s.probe = true;
  s.axes = axes();
  s.dtypes = {Dtype::kF32};
  s.constraint = wrong;
  s.work = [](const Call& c) -> Work {
    const Dims d = dims(c);
    const auto groups = static_cast<double>(d.groups());
    const double read = groups * static_cast<double>(d.reads * d.burst);
    const double written = groups * static_cast<double>(d.writes * d.burst);
    return {.flops = read,
            .bytes_read = 4 * read + (d.writes > 0 ? 4.0 * kPattern : 0),
            .bytes_written = 4 * written + (d.reads > 0 ? 4 * groups : 0)};
  };
  s.inputs = inputs;
  s.outputs = outputs;
  s.reference = reference;
  s.tolerance = [](const Call& c) { return default_tolerance(c.dtype); };
  s.test_dims = {{1, 1, 1, 64},       {5000, 1, 0, 64},       {5000, 0, 1, 128},
                 {100'000, 2, 1, 64}, {100'000, 1, 3, 256},   {300'000, 3, 1, 320},
                 {500'000, 2, 2, 64}, {600'000, 1, 1, 40000}, {1'000'000, 8, 5, 4160}};
  return s;
}

}  // namespace

std::vector<OpSpec> specs() { return {mix()}; }

}  // namespace ridge::memory_mix
