#include <algorithm>

#include "kernels/core/operators.h"
#include "kernels/fma_peak/fma_peak.h"
#include "roofline/plan.h"

namespace ridge {
namespace {

bool on_cpu(const Backend& b) { return b.device().kind == "cpu"; }

std::vector<std::vector<int64_t>> gemm_shapes(const Backend& b, Dtype dtype) {
  // Graphics GPUs do f64 at a 32nd of f32 or less: 4096³ takes half a second of a T4.
  if (dtype == Dtype::kF64) return {{2048, 2048, 2048}, {4096, 4096, 4096}};
  if (on_cpu(b)) return {{512, 2048, 2048}, {1024, 2048, 2048}, {2048, 2048, 2048}};
  return {{4096, 4096, 4096}, {8192, 8192, 8192}, {8192, 28672, 8192}};
}

// A register-resident loop: its operands stay where they are.
Probe loop(const Backend& b, const char* op, std::vector<int64_t> dims, Dtype dtype,
           const std::string& implementation) {
  Probe p;
  p.call = {op, std::move(dims), dtype, implementation};
  p.method = b.table_method();
  p.residency = Residency::kResident;
  return p;
}

// `workers` threads, of the CPU or the GPU, with `ilp` vectors in flight each.
Probe chains(const Backend& b, const std::string& way, Dtype dtype, int64_t ilp, int64_t workers) {
  const int64_t rounds = on_cpu(b) ? 513 : 65;
  return loop(b, "fma_peak", {fma_peak::chains_for(way, dtype, ilp, workers), rounds, ilp}, dtype,
              way);
}

// The ways in which `op` runs here, whatever its size.
std::vector<std::string> ways(const Backend& b, const char* op, Dtype dtype) {
  return b.implementations({op, find_operator(op).test_dims.front(), dtype, ""}, nullptr);
}

int64_t full_workers(const Backend& b) {
  const int64_t units = std::max(b.device().units, 1);
  return on_cpu(b) ? units : units * fma_peak::kFullGpuThreads;
}

void add_vector_loops(const Backend& b, std::vector<Probe>& out) {
  for (const Dtype dtype : find_operator("fma_peak").dtypes)
    for (const std::string& way : ways(b, "fma_peak", dtype))
      for (const int64_t ilp : {4, 8, 12, 16}) {
        Probe p = chains(b, way, dtype, ilp, full_workers(b));
        const std::string key = ceiling_name(Pipe::kVector, dtype);
        // Without matrix units a matrix product runs on the vector ones.
        p.keys = {key, ceiling_name(Pipe::kMatrix, dtype)};
        if (on_cpu(b)) p.keys.push_back(key + "." + way);
        out.push_back(std::move(p));
      }
}

void add_matrix_loops(const Backend& b, std::vector<Probe>& out) {
  const int64_t units = std::max(b.device().units, 1);
  const std::vector<int64_t> sizes = on_cpu(b)
                                         ? std::vector<int64_t>{units, 4 * units}
                                         : std::vector<int64_t>{units * fma_peak::kFullGpuUnits / 2,
                                                                units * fma_peak::kFullGpuUnits};
  for (const Dtype dtype : find_operator("mma_peak").dtypes)
    for (const std::string& way : ways(b, "mma_peak", dtype))
      for (const int64_t size : sizes) {
        Probe p = loop(b, "mma_peak", {size, fma_peak::kMaxInt8Rounds}, dtype, way);
        const std::string key = ceiling_name(Pipe::kMatrix, dtype);
        // Products that accumulate in f16 are another operation, which none of the operators is.
        if (way == fma_peak::kF16Accumulate)
          p.keys = {key + ".f16_accumulate"};
        else
          p.keys = {key, key + ".loop"};
        out.push_back(std::move(p));
      }
}

void add_gemms(const Backend& b, Contents contents, std::vector<Probe>& out) {
  const OpSpec& spec = find_operator("gemm");
  for (const Dtype dtype : spec.dtypes)
    for (const auto& dims : gemm_shapes(b, dtype)) {
      Probe p;
      p.call = {"gemm", dims, dtype, ""};
      p.method = b.table_method();
      p.contents = contents;
      const Work work = spec.work(p.call);
      const std::string key = ceiling_name(work.pipe, work.arithmetic);
      p.keys = contents == Contents::kZero ? std::vector<std::string>{key + ".zeros"}
                                           : std::vector<std::string>{key, key + ".gemm"};
      out.push_back(std::move(p));
    }
}

}  // namespace

std::vector<Probe> arithmetic_probes(const Backend& b) {
  std::vector<Probe> all;
  add_vector_loops(b, all);
  add_matrix_loops(b, all);
  add_gemms(b, Contents::kRandom, all);
  return all;
}

std::vector<Probe> arithmetic_detail_probes(const Backend& b) {
  std::vector<Probe> all;
  add_gemms(b, Contents::kZero, all);
  // From one thread (CPU), or one warp on each scheduler (GPU), to what fills the pipes.
  const int64_t most = full_workers(b);
  const int64_t least = on_cpu(b) ? 1 : std::min<int64_t>(most, 128 * b.device().units);
  for (const Dtype dtype : find_operator("fma_peak").dtypes) {
    const auto found = ways(b, "fma_peak", dtype);
    if (found.empty()) continue;
    const std::string key = ceiling_name(Pipe::kVector, dtype);
    for (int64_t workers = least; workers <= most; workers *= 2)
      for (const int64_t ilp : fma_peak::kIlps) {
        Probe p = chains(b, found.front(), dtype, ilp, workers);
        p.sweep = "parallelism." + key + ".threads_" + std::to_string(workers);
        p.x = static_cast<double>(ilp);
        if (on_cpu(b) && workers == 1) p.keys = {key + ".one_thread"};
        all.push_back(std::move(p));
      }
  }
  return all;
}

std::vector<Probe> clock_probes(const Backend& b) {
  Probe p = loop(b, "clock_chain", {b.device().units, 4096}, Dtype::kInt32, "");
  p.rate = Probe::Rate::kClock;
  p.per = b.device().units;
  p.keys = {"clock"};
  return {p};
}

}  // namespace ridge
