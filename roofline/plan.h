#pragma once
#include <vector>

#include "kernels/core/backend.h"
#include "roofline/levels.h"
#include "roofline/probe.h"

// Which calls tell which ceiling: lists of probes, measured by measure_roofline.cpp. Sizes follow
// from the device's units, last-level cache and memory; nothing is looked up.
namespace ridge {

// Quick: what ideal times need. Full: every pattern and sweep.
enum class Depth { kQuick, kFull };

// The most bytes that a probe goes over: `times` the last-level cache, but no more than an eighth
// of the memory.
double most_bytes(const Backend& backend, double times);

// DRAM, over at least 4 × the last-level cache: "dram.read", ".write", ".copy", ".scale", ".triad".
std::vector<Probe> dram_probes(const Backend& backend);
// Read bandwidth against working set, 4 KiB to 8 × the last-level cache: "working_set.read"; on a
// GPU also of each multiprocessor for itself, "working_set_unit.read". Full: the other kinds too.
std::vector<Probe> working_set_probes(const Backend& backend, Depth depth);
// The same, closer around edges that were found.
std::vector<Probe> edge_probes(const Backend& backend, const std::vector<double>& edges);
// A GPU's shared memory: "shared.read". A CPU has none.
std::vector<Probe> shared_memory_probes(const Backend& backend);
// Write, copy, scale and triad inside level `index` of `edges`, as keys "<level>.write" ….
std::vector<Probe> level_probes(const Backend& backend, const std::vector<double>& edges,
                                std::size_t index, const std::string& level);
// DRAM bandwidth against the share of reads ("mix", "dram.mix_3:1" …); full: "burst" too.
std::vector<Probe> mix_probes(const Backend& backend, Depth depth);
// Strides, random granules, pages: "stride.read", "gather.read", "scatter.write", "tlb".
std::vector<Probe> pattern_probes(const Backend& backend);
// Dependent loads against span: "latency".
std::vector<Probe> latency_probes(const Backend& backend, Depth depth);

// Register-resident loops and the best matrix product, per pipe and dtype: "vector.f32",
// "matrix.bf16", and each way by itself, "matrix.bf16.loop", "matrix.bf16.gemm".
std::vector<Probe> arithmetic_probes(const Backend& backend);
// Each instruction set, one thread alone, zeroed inputs, and instruction- against thread-level
// parallelism.
std::vector<Probe> arithmetic_detail_probes(const Backend& backend);
// The core clock of a CPU, by a chain of one-cycle additions: "clock".
std::vector<Probe> clock_probes(const Backend& backend);

// "launch.stream", "launch.graph", "barrier"; full: small copies, "copy_size".
std::vector<Probe> overhead_probes(const Backend& backend, Depth depth);

// A matrix product against m and n around multiples of `step`, for read_staircase(): on a GPU over
// at least four waves of tiles of up to 256 × 256.
struct StaircasePlan {
  std::vector<Probe> probes;  // sweeps "staircase.m", "staircase.n"
  double step = 0, held = 0;  // elements: between steps, and of the other dim
};
StaircasePlan staircase_plan(const Backend& backend);

}  // namespace ridge
