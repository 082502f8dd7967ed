#pragma once
#include <cmath>
#include <random>
#include <vector>

#include "calibrate/table.h"
#include "kernels/core/operators.h"

namespace ridge::fixture {

// A made-up machine of round numbers: 10 Tflop/s, 1 TB/s, 2 µs a launch. Not a measurement.
inline Ceilings ceilings() {
  Ceilings c{.device = "Test machine"};
  for (const char* key : {"vector.f32", "matrix.f32", "matrix.f16", "vector.f16"})
    c.values[key] = {.value = 1e13, .unit = "flop/s", .method = "made up"};
  for (const char* key : {"dram.read", "dram.write", "dram.copy", "dram.triad"})
    c.values[key] = {.value = 1e12, .unit = "byte/s", .method = "made up"};
  c.values["link"] = {.value = 1e11, .unit = "byte/s", .method = "made up"};
  c.values["launch.stream"] = {.value = 2e-6, .unit = "s", .method = "made up"};
  c.values["launch.graph"] = {.value = 1e-6, .unit = "s", .method = "made up"};
  return c;
}

inline DeviceInfo device() {
  return {.kind = "cuda",
          .name = "Test machine",
          .compute_capability = "9.0",
          .units = 16,
          .last_level_cache_bytes = 1 << 24,
          .memory_bytes = int64_t{1} << 34,
          .clock_hz = 1e9};
}

inline Call gemm(int64_t m, int64_t n, int64_t k, Dtype dtype = Dtype::kF32) {
  return {.op = "gemm", .dims = {m, n, k}, .dtype = dtype, .implementation = "made_up"};
}

inline Call rmsnorm(int64_t rows, int64_t cols) {
  return {.op = "rmsnorm", .dims = {rows, cols}, .dtype = Dtype::kF32, .implementation = "made_up"};
}

inline double ideal_s(const Call& call) {
  return ideal(ceilings(), find_operator(call.op).work(call)).seconds;
}

inline Measurement timed(const Call& call, std::vector<double> samples_s) {
  return {.call = call,
          .method = Method::kGraph,
          .samples_s = std::move(samples_s),
          .launches_per_sample = 1,
          .run_id = "run-1"};
}

// What a call takes on the made-up machine: 1 µs, and 1.2 × ideal that falls towards its end.
inline double law_s(const Call& call) {
  const double best = ideal_s(call);
  return 1e-6 + best * (1.2 + 0.8 / (1 + best / 5e-6));
}

inline std::vector<double> around(double seconds, double spread) {
  return {seconds * (1 - spread), seconds, seconds * (1 + spread)};
}

inline int64_t log_uniform(std::mt19937_64& rng, double low, double high) {
  return std::llround(
      std::exp(std::uniform_real_distribution<double>(std::log(low), std::log(high))(rng)));
}

inline Call random_gemm(std::mt19937_64& rng) {
  return gemm(log_uniform(rng, 1, 8192), log_uniform(rng, 64, 16384), log_uniform(rng, 64, 16384));
}

inline std::vector<Measurement> sweep(int count, uint64_t seed = 1) {
  std::mt19937_64 rng(seed);
  std::vector<Measurement> all;
  for (int i = 0; i < count; ++i) {
    const Call c = random_gemm(rng);
    all.push_back(timed(c, around(law_s(c), 0.01)));
  }
  for (int i = 0; i < count / 2; ++i) {
    const Call c = rmsnorm(log_uniform(rng, 1, 32768), log_uniform(rng, 64, 16384));
    all.push_back(timed(c, around(law_s(c), 0.01)));
  }
  return all;
}

inline DelayTable table(int count = 60) {
  return make_table(device(), ceilings(), sweep(count), {{"git", "test"}});
}

}  // namespace ridge::fixture
