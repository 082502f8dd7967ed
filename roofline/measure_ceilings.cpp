#include "roofline/measure_ceilings.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <set>

#include "kernels/core/operators.h"
#include "kernels/memory_stream/memory_stream.h"

namespace ridge {
namespace {

// A call whose rate is a candidate for the ceilings `keys`.
struct Candidate {
  Call call;
  Method method = Method::kStream;
  enum class Rate { kFlops, kBytes, kSeconds } rate = Rate::kFlops;
  std::vector<std::string> keys;
};

bool exists(std::string_view op) {
  return std::any_of(operators().begin(), operators().end(),
                     [&](const OpSpec& s) { return s.name == op; });
}

// Every combination of the axes' usual values.
std::vector<std::vector<int64_t>> grid(const OpSpec& spec) {
  std::vector<std::vector<int64_t>> all{{}};
  for (const Axis& axis : spec.axes) {
    std::vector<std::vector<int64_t>> longer;
    for (const auto& dims : all)
      for (int64_t value : axis.usual) {
        longer.push_back(dims);
        longer.back().push_back(value);
      }
    all = std::move(longer);
  }
  return all;
}

void add_arithmetic(const Backend& backend, std::vector<Candidate>& out) {
  const Method method = backend.table_method();
  for (const char* op : {"fma_peak", "mma_peak", "gemm"}) {
    if (!exists(op)) continue;
    const OpSpec& spec = find_operator(op);
    const bool gemm = spec.name == "gemm";
    std::vector<std::vector<int64_t>> shapes = grid(spec);
    if (gemm && backend.device().kind == "cpu")
      shapes = {{512, 2048, 2048}, {1024, 2048, 2048}, {2048, 2048, 2048}};
    if (gemm && backend.device().kind != "cpu")
      shapes = {{4096, 4096, 4096}, {8192, 8192, 8192}, {8192, 28672, 8192}};
    for (Dtype dtype : spec.dtypes)
      for (const auto& dims : shapes) {
        const Call call{spec.name, dims, dtype, ""};
        const Work work = spec.work(call);
        const std::string key = ceiling_name(work.pipe, work.arithmetic);
        Candidate c{call, method, Candidate::Rate::kFlops, {key, key + (gemm ? ".gemm" : ".loop")}};
        // Without tensor cores a matrix product runs on the same FMA units.
        if (spec.name == "fma_peak") c.keys.push_back(ceiling_name(Pipe::kMatrix, work.arithmetic));
        out.push_back(std::move(c));
      }
  }
}

void add_memory(const Backend& backend, std::vector<Candidate>& out) {
  const double least = 4.0 * static_cast<double>(backend.device().last_level_cache_bytes);
  for (const char* op : {"stream_read", "stream_write", "stream_copy", "stream_triad"}) {
    if (!exists(op)) continue;
    const OpSpec& spec = find_operator(op);
    int sizes = 0;
    for (int64_t count = 1 << 18; count <= 1 << 28; count *= 4) {
      const Call call{
          spec.name, {count, memory_stream::chunks(count), 1, 0}, spec.dtypes.front(), ""};
      if (static_cast<double>(footprint_bytes(spec, call)) < least || ++sizes > 3) continue;
      const std::string key = std::string("dram.") + std::string(op).substr(7);
      for (const std::string& implementation : backend.implementations(call, nullptr)) {
        Candidate c{call, backend.table_method(), Candidate::Rate::kBytes, {key}};
        c.call.implementation = implementation;
        out.push_back(std::move(c));
      }
    }
  }
}

void add_launch(const Backend& backend, std::vector<Candidate>& out) {
  if (!exists("copy")) return;
  const Call call{"copy", {1, 64}, Dtype::kF32, ""};
  out.push_back({call, Method::kStream, Candidate::Rate::kSeconds, {"launch.stream"}});
  if (backend.table_method() == Method::kGraph)
    out.push_back({call, Method::kGraph, Candidate::Rate::kSeconds, {"launch.graph"}});
}

// Whether it came within a fifth of the best for any of its keys.
bool keep_best(const Candidate& c, const Measurement& m, Ceilings& ceilings) {
  const Summary s = summarize(m.samples_s);
  const Work work = find_operator(c.call.op).work(m.call);
  Ceiling found{.value = s.median_s,
                .unit = "s",
                .method = fmt::format("{}, {}", to_string(m.call), name(m.method)),
                .spread = (s.p90_s - s.p10_s) / s.median_s};
  if (c.rate == Candidate::Rate::kFlops) {
    found.value = work.flops / s.p10_s;
    found.unit = "flop/s";
  } else if (c.rate == Candidate::Rate::kBytes) {
    found.value = (work.bytes_read + work.bytes_written) / s.p10_s;
    found.unit = "byte/s";
  }
  bool close = false;
  for (const std::string& key : c.keys) {
    const auto [it, first] = ceilings.values.try_emplace(key, found);
    const bool better = c.rate == Candidate::Rate::kSeconds ? found.value < it->second.value
                                                            : found.value > it->second.value;
    if (!first && better) it->second = found;
    close = close || found.value > 0.8 * it->second.value;
  }
  return close;
}

}  // namespace

Ceilings measure_ceilings(Backend& backend, Sampler& sampler, double budget_s,
                          const OnProgress& progress) {
  std::vector<Candidate> candidates;
  add_memory(backend, candidates);
  add_arithmetic(backend, candidates);
  add_launch(backend, candidates);
  std::erase_if(candidates, [&](const Candidate& c) {
    return backend.implementations(c.call, nullptr).empty();
  });

  Ceilings ceilings;
  ceilings.device = backend.device().name;
  ceilings.provenance = backend.device().provenance;
  const SamplerOptions before = sampler.options();
  sampler.options().time_budget_s =
      std::clamp(0.2 * budget_s / static_cast<double>(candidates.size() + 1), 0.03, 0.5);
  const auto start = std::chrono::steady_clock::now();
  auto spent = [&] {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  };
  // Rounds, because a neighbour's burst of traffic outlasts a measurement: the first takes every
  // candidate, the others those that came close to the best, until the time is up.
  std::set<std::size_t> rest;
  for (std::size_t i = 0; i < candidates.size(); ++i) rest.insert(rest.end(), i);
  for (bool first = true; !rest.empty() && (first || spent() < budget_s); first = false) {
    for (auto it = rest.begin(); it != rest.end();) {
      const Candidate& c = candidates[*it];
      const bool known = std::all_of(c.keys.begin(), c.keys.end(), [&](const std::string& key) {
        return ceilings.values.count(key) > 0;
      });
      if (spent() > budget_s && known) {
        ++it;
        continue;
      }
      if (progress) progress(std::min(1.0, spent() / budget_s), c.call.op);
      const Measurement m = sampler.measure(c.call, c.method);
      const bool close = m.status == Status::kOk && keep_best(c, m, ceilings);
      it = close ? std::next(it) : rest.erase(it);
    }
  }
  sampler.options() = before;
  return ceilings;
}

}  // namespace ridge
