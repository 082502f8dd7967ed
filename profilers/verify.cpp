#include "profilers/verify.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <random>

namespace ridge {
namespace {

constexpr double kCheapFlops = 2e6;  // below this every element is checked
constexpr int64_t kSample = 96;      // of each output, where all are too many

// Groups of elements, each sorted: the first is always checked, the others while time lasts.
std::vector<std::vector<Element>> choose(const OpSpec& spec, const Call& call,
                                         const Operands& operands, uint64_t seed) {
  const bool all = spec.work(call).flops < kCheapFlops;
  std::mt19937_64 rng(seed);
  std::vector<std::vector<Element>> groups(1);
  for (int tensor = 0; tensor < static_cast<int>(operands.outputs.size()); ++tensor) {
    int64_t count = operands.outputs[static_cast<std::size_t>(tensor)].count();
    if (const int64_t cheap = spec.checkable(call); !all && tensor == 0 && cheap > 0)
      count = std::min(count, cheap);
    if (count <= kSample || (all && count < 1 << 20)) {
      for (int64_t i = 0; i < count; ++i) groups.front().push_back({tensor, i});
      continue;
    }
    groups.front().push_back({tensor, 0});
    groups.front().push_back({tensor, count - 1});
    std::uniform_int_distribution<int64_t> any(0, count - 1);
    for (int64_t i = 0; i < kSample; i += 8) {
      std::vector<Element> group;
      for (int j = 0; j < 8; ++j) group.push_back({tensor, any(rng)});
      std::sort(group.begin(), group.end(),
                [](const Element& a, const Element& b) { return a.index < b.index; });
      groups.push_back(std::move(group));
    }
  }
  return groups;
}

// Downloads the chosen elements, neighbours in one transfer.
std::vector<double> download(Backend& backend, const Operands& operands,
                             std::span<const Element> elements) {
  std::vector<double> values(elements.size());
  std::vector<std::byte> run;
  for (std::size_t first = 0; first < elements.size();) {
    std::size_t last = first + 1;
    while (last < elements.size() && elements[last].tensor == elements[first].tensor &&
           elements[last].index == elements[last - 1].index + 1)
      ++last;
    const auto tensor = static_cast<std::size_t>(elements[first].tensor);
    const Dtype dtype = operands.outputs[tensor].dtype;
    const auto size = static_cast<int64_t>(bytes_per_element(dtype));
    run.resize((last - first) * static_cast<std::size_t>(size));
    const auto* base = static_cast<const std::byte*>(operands.arguments.outputs[tensor]);
    backend.download(run.data(), base + elements[first].index * size,
                     static_cast<int64_t>(run.size()));
    for (std::size_t e = first; e < last; ++e)
      values[e] = load_element(dtype, run.data() + (e - first) * static_cast<std::size_t>(size));
    first = last;
  }
  return values;
}

}  // namespace

Verdict verify(Backend& backend, const OpSpec& spec, const Call& call, const Operands& operands,
               Launch& launch, uint64_t seed, double budget_s) {
  for (std::size_t i = 0; i < operands.outputs.size(); ++i)
    backend.fill(operands.arguments.outputs[i], 0xFF, operands.outputs[i].bytes());
  using Clock = std::chrono::steady_clock;
  const auto launched = Clock::now();
  launch.enqueue();
  backend.synchronize();

  const auto start = Clock::now();
  Verdict v;
  v.run_s = std::chrono::duration<double>(start - launched).count();
  double difference = 0, magnitude = 0, worst = -1, worst_got = 0, worst_expected = 0;
  Element worst_at;
  for (const std::vector<Element>& elements : choose(spec, call, operands, seed)) {
    const double spent = std::chrono::duration<double>(Clock::now() - start).count();
    if (v.checked > 0 && spent > budget_s) break;
    std::vector<double> expected(elements.size());
    spec.reference(call, operands.inputs, elements, expected);
    const std::vector<double> got = download(backend, operands, elements);
    for (std::size_t e = 0; e < elements.size(); ++e) {
      const double d = std::fabs(got[e] - expected[e]);
      difference += d * d;
      magnitude += expected[e] * expected[e];
      if (std::isnan(d) || d > worst) {
        worst = std::isnan(d) ? INFINITY : d;
        worst_at = elements[e];
        worst_got = got[e];
        worst_expected = expected[e];
      }
    }
    v.checked += static_cast<int64_t>(elements.size());
  }
  const double tolerance = spec.tolerance(call);
  v.error = magnitude > 0 ? std::sqrt(difference / magnitude) : std::sqrt(difference);
  // One element that is wholly wrong can hide in the norm of many: no single one may be off by more
  // than what the norm would allow for it alone.
  const double rms = std::sqrt(magnitude / std::max<double>(1, static_cast<double>(v.checked)));
  v.correct = std::isfinite(v.error) && v.error <= tolerance && worst <= 30 * tolerance * rms;
  if (tolerance == 0) v.correct = difference == 0;
  if (!v.correct)
    v.reason = fmt::format(
        "{}[{}] is {:.6g}, want {:.6g}; relative error {:.3g} over {} elements, {:.3g} allowed",
        operands.outputs[static_cast<std::size_t>(worst_at.tensor)].name, worst_at.index, worst_got,
        worst_expected, v.error, v.checked, tolerance);
  return v;
}

}  // namespace ridge
