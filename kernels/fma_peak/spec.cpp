#include <algorithm>
#include <iterator>

#include "kernels/core/op_spec.h"
#include "kernels/fma_peak/fma_peak.h"

namespace ridge::fma_peak {

int64_t chains_per_instruction(std::string_view implementation, Dtype dtype) {
  if (implementation == "ridge") return dtype == Dtype::kF16 || dtype == Dtype::kBf16 ? 2 : 1;
  const int64_t bytes = implementation == "avx512" ? 64 : implementation == "avx2" ? 32 : 16;
  return bytes / static_cast<int64_t>(bytes_per_element(dtype));
}

int64_t chains_for(std::string_view implementation, Dtype dtype, int64_t ilp, int64_t workers) {
  return workers * ilp * chains_per_instruction(implementation, dtype);
}

namespace {

OpSpec base(const char* name, const char* doc, Axis width) {
  OpSpec s;
  s.name = name;
  s.table_name = name;
  s.doc = doc;
  s.probe = true;
  s.axes = {std::move(width),
            {.name = "rounds",
             .doc = "how long each runs",
             .max = 1 << 20,
             .sweep_low = 1,
             .sweep_high = 64,
             .usual = {1, 8, 64},
             .draw = Draw::kUsual}};
  return s;
}

// A chain of int32 after `rounds`. Every second round has the constants in the other order, but
// each is some x ← scale·x + shift.
double int32_chain(double c, int64_t rounds) {
  const auto m = static_cast<uint32_t>(kIntMultiplier);
  uint32_t d[2] = {static_cast<uint32_t>(kIntFirst), static_cast<uint32_t>(kIntSecond)};
  uint32_t scale[2], shift[2];
  for (int odd = 0; odd < 2; ++odd) {
    scale[odd] = 1;
    shift[odd] = 0;
    for (int i = 0; i < kFmasPerRound; ++i) {
      scale[odd] *= m;
      shift[odd] = shift[odd] * m + d[(i + odd) % 2];
    }
  }
  auto x = static_cast<uint32_t>(static_cast<int32_t>(c));
  for (int64_t r = 0; r < rounds; ++r) x = x * scale[r % 2] + shift[r % 2];
  return static_cast<int32_t>(x);
}

// A chain of int8, whose start has the bytes c.
double int8_chain(const HostTensor& c, int64_t chain, int64_t rounds) {
  const auto byte = [](int64_t word, int i) {
    return static_cast<int64_t>(static_cast<int8_t>(word >> (8 * i)));
  };
  int64_t x = 0;
  for (int i = 0; i < 4; ++i) x |= (static_cast<int64_t>(c.at(chain * 4 + i)) & 255) << (8 * i);
  for (int64_t r = 0; r < rounds; ++r)
    for (int step = 0; step < kFmasPerRound; ++step) {
      int64_t next = (r + step) % 2 == 0 ? kIntFirst : kIntSecond;
      for (int i = 0; i < 4; ++i) next += byte(x, i) * byte(kByteMultiplier, i);
      x = next;
    }
  return static_cast<double>(x);
}

void fma_reference(const Call& call, std::span<const HostTensor> in,
                   std::span<const Element> elements, std::span<double> values) {
  const int64_t rounds = chain_dims(call).rounds;
  const double step = static_cast<double>(rounds % 2) * kFmasPerRound / 2 * (kSecond - kFirst);
  for (std::size_t e = 0; e < elements.size(); ++e) {
    const int64_t i = elements[e].index;
    if (call.dtype == Dtype::kInt8)
      values[e] = int8_chain(in[0], i, rounds);
    else if (call.dtype == Dtype::kInt32)
      values[e] = int32_chain(in[0].at(i), rounds);
    else
      values[e] = in[0].at(i) + step;
  }
}

Dtype fma_output(Dtype dtype) {
  if (dtype == Dtype::kF64) return Dtype::kF64;
  return dtype == Dtype::kInt32 || dtype == Dtype::kInt8 ? Dtype::kInt32 : Dtype::kF32;
}

// What one chain starts from.
std::vector<int64_t> fma_input_shape(const Call& c) {
  if (c.dtype == Dtype::kInt8) return {chain_dims(c).chains, 4};
  return {chain_dims(c).chains};
}

Work fma_work(const Call& call) {
  const auto [chains, rounds, ilp] = chain_dims(call);
  const auto n = static_cast<double>(chains);
  const double operations = call.dtype == Dtype::kInt8 ? 8 : 2;
  const std::size_t start = call.dtype == Dtype::kInt8 ? 4 : bytes_per_element(call.dtype);
  return {.flops = operations * kFmasPerRound * n * static_cast<double>(rounds),
          .bytes_read = n * static_cast<double>(start),
          .bytes_written = n * static_cast<double>(bytes_per_element(fma_output(call.dtype))),
          .pipe = Pipe::kVector,
          .arithmetic = call.dtype};
}

OpSpec fma() {
  OpSpec s = base("fma_peak", "y[chains] = c after rounds of 256 dependent multiply-adds",
                  {.name = "chains",
                   .doc = "independent sequences of multiply-adds",
                   .sweep_low = 1024,
                   .sweep_high = 1 << 22,
                   .usual = {1024, 16384, 1 << 17, 1 << 20, 1 << 22},
                   .draw = Draw::kUsual});
  s.axes.back().usual = {1, 9, 65};  // odd: the result shows the last round
  s.axes.push_back({.name = "ilp",
                    .doc = "vectors of chains that a thread keeps in flight",
                    .max = 16,
                    .sweep_low = 1,
                    .sweep_high = 16,
                    .usual = {std::begin(kIlps), std::end(kIlps)},
                    .draw = Draw::kUsual});
  s.dtypes = {Dtype::kF64, Dtype::kF32, Dtype::kF16, Dtype::kBf16, Dtype::kInt32, Dtype::kInt8};
  s.constraint = [](const Call& c) -> std::string {
    const int64_t ilp = chain_dims(c).ilp;
    if (std::find(std::begin(kIlps), std::end(kIlps), ilp) != std::end(kIlps)) return "";
    return "ilp=" + std::to_string(ilp) + " must be 1, 2, 4, 8, 12 or 16";
  };
  s.work = fma_work;
  s.inputs = [](const Call& c) {
    return std::vector<TensorSpec>{{.name = "c", .dtype = c.dtype, .shape = fma_input_shape(c)}};
  };
  s.outputs = [](const Call& c) {
    return std::vector<TensorSpec>{
        {.name = "y", .dtype = fma_output(c.dtype), .shape = {chain_dims(c).chains}}};
  };
  s.reference = fma_reference;
  s.tolerance = [](const Call& c) { return default_tolerance(c.dtype); };
  s.test_dims = {{1, 1, 1}, {7, 3, 2}, {1000, 2, 4}, {4099, 5, 8}, {32768, 1, 12}, {777, 3, 16}};
  return s;
}

int64_t inner(Dtype dtype) { return kRowBytes / static_cast<int64_t>(bytes_per_element(dtype)); }

Dtype mma_output(Dtype dtype) {
  return dtype == Dtype::kInt8 ? Dtype::kInt32 : dtype == Dtype::kF64 ? Dtype::kF64 : Dtype::kF32;
}

void mma_reference(const Call& call, std::span<const HostTensor> in,
                   std::span<const Element> elements, std::span<double> values) {
  const int64_t k = inner(call.dtype);
  for (std::size_t e = 0; e < elements.size(); ++e) {
    const int64_t row = elements[e].index / kColumns % kRows;
    const int64_t column = elements[e].index % kColumns;
    double sum = 0;
    for (int64_t i = 0; i < k; ++i) sum += in[0].at(row * k + i) * in[1].at(column * k + i);
    values[e] = static_cast<double>(unit_dims(call).rounds) * kStepsPerRound * sum;
  }
}

double mma_tolerance(const Call& c) {
  // Eight equal terms are summed in f16 before f32 takes over: a mean error of half a unit in the
  // last place (2^-10) of each partial sum is 1.8e-3 of the total if the hardware truncates, and
  // twice that at worst.
  if (c.implementation == kF16Accumulate) return 5e-3;
  // Equal terms are summed, so their rounding errors do not cancel.
  if (c.dtype == Dtype::kF64) return 1e-9;
  return c.dtype == Dtype::kF32 ? 1e-3 : default_tolerance(c.dtype);
}

Work mma_work(const Call& call) {
  const auto [units, rounds] = unit_dims(call);
  const double n = static_cast<double>(units), k = static_cast<double>(inner(call.dtype));
  const auto element = static_cast<double>(bytes_per_element(mma_output(call.dtype)));
  return {.flops = 2.0 * kRows * kColumns * k * kStepsPerRound * n * static_cast<double>(rounds),
          .bytes_read = (kRows + kColumns) * kRowBytes,
          .bytes_written = element * kRows * kColumns * n,
          .pipe = Pipe::kMatrix,
          .arithmetic = call.dtype};
}

OpSpec mma() {
  OpSpec s = base("mma_peak", "D[units,16,64] = rounds · 64 · A[16,K] · B[64,K]^T, K of 32 bytes",
                  {.name = "units",
                   .doc = "independent accumulators; warps on a GPU",
                   .max = 1 << 24,
                   .sweep_low = 1,
                   .sweep_high = 4096,
                   .usual = {1, 64, 640, 1280, 2112, 4096},
                   .draw = Draw::kUsual});
  s.dtypes = {Dtype::kF32,    Dtype::kTf32, Dtype::kF16, Dtype::kBf16,
              Dtype::kF8E4M3, Dtype::kInt8, Dtype::kF64};
  s.constraint = [](const Call& c) -> std::string {
    if (c.dtype != Dtype::kInt8 || unit_dims(c).rounds <= kMaxInt8Rounds) return "";
    return "rounds=" + std::to_string(unit_dims(c).rounds) + " must be at most " +
           std::to_string(kMaxInt8Rounds) + " for int8, whose sums are int32";
  };
  s.work = mma_work;
  s.inputs = [](const Call& c) {
    const int64_t k = inner(c.dtype);
    return std::vector<TensorSpec>{{.name = "A", .dtype = c.dtype, .shape = {kRows, k}},
                                   {.name = "B", .dtype = c.dtype, .shape = {kColumns, k}}};
  };
  s.outputs = [](const Call& c) {
    return std::vector<TensorSpec>{{.name = "D",
                                    .dtype = mma_output(c.dtype),
                                    .shape = {unit_dims(c).units, kRows, kColumns}}};
  };
  s.reference = mma_reference;
  s.tolerance = mma_tolerance;
  s.test_dims = {{1, 1}, {3, 2}, {33, 1}};
  return s;
}

}  // namespace

std::vector<OpSpec> specs() { return {fma(), mma()}; }

}  // namespace ridge::fma_peak
