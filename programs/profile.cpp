// profile: one operator, measured by the sampler behind Google Benchmark's flags and outputs.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include "kernels/core/operators.h"
#include "kernels/core/run_main.h"
#include "profilers/sampler.h"
#include "programs/cli.h"
#include "programs/open_gpu.h"
#include "programs/profile_calls.h"
#include "programs/profile_counters.h"
#include "roofline/ceilings.h"

namespace {

using namespace ridge;

struct Options {
  std::string gpu = "auto";
  std::string method;
  std::string ceilings_file;
  std::vector<std::string> calls;
  double time_budget_s = 0.25;
  bool counters = false, counted_run = false;
};

// What the calls are measured with.
struct Tools {
  Sampler sampler;
  std::optional<Ceilings> ceilings;
  std::optional<CountedCalls> counted;
};

void add_figures(benchmark::State& state, const Measurement& m, Tools& tools) {
  const Summary s = summarize(m.samples_s);
  const Work work = find_operator(m.call.op).work(m.call);
  auto& counters = state.counters;
  counters["FLOP/s"] = work.flops / s.median_s;
  counters["bytes/s"] = (work.bytes_read + work.bytes_written) / s.median_s;
  counters["p10_us"] = s.p10_s * 1e6;
  counters["p50_us"] = s.median_s * 1e6;
  counters["p90_us"] = s.p90_s * 1e6;
  counters["samples"] = static_cast<double>(s.count);
  for (const auto& [key, counter] : {std::pair{"sm_clock_hz", "clock_MHz"}, {"power_w", "watts"}})
    if (const auto it = m.telemetry.find(key); it != m.telemetry.end())
      counters[counter] = it->second / (std::string_view(key) == "sm_clock_hz" ? 1e6 : 1);
  std::string label;
  if (tools.ceilings) {
    const Ideal least = ideal(*tools.ceilings, work);
    counters["ceiling_%"] = 100 * least.seconds / s.median_s;
    label = fmt::format("{} bound", name(least.bound));
  }
  if (tools.counted) {
    const CountedCalls::Figures f = tools.counted->of(m.call, s.median_s);
    for (const auto& [key, value] : f.values) counters[key] = value;
    if (!f.origin.empty()) label += (label.empty() ? "" : "; ") + f.origin;
  }
  state.SetLabel(label);
}

void run_one(benchmark::State& state, Tools& tools, const Options& options, const Call& call) {
  // One iteration is one complete adaptive measurement.
  for (auto _ : state) {
    const std::optional<Method> method =
        options.method.empty() ? std::nullopt : std::optional(parse_method(options.method));
    const Measurement m = tools.sampler.measure(call, method);
    if (m.status != Status::kOk) {
      state.SkipWithError(m.reason.c_str());
      return;
    }
    state.SetIterationTime(summarize(m.samples_s).median_s);
    add_figures(state, m, tools);
  }
}

void register_benchmarks(const Backend& backend, const Options& options, Tools& tools) {
  for (const Call& call : calls_to_measure(backend, options.calls))
    benchmark::RegisterBenchmark(
        benchmark_name(call).c_str(),
        [&tools, &options, call](benchmark::State& state) { run_one(state, tools, options, call); })
        ->UseManualTime()
        ->Iterations(1)
        ->Unit(benchmark::kMicrosecond);
}

void add_options(CLI::App& app, Options& options) {
  app.add_option("--gpu", options.gpu, "auto, cpu, cuda:N or a GPU's name")->capture_default_str();
  app.add_option("--method", options.method, "cold, stream or graph (default: as in the tables)");
  app.add_option("--call", options.calls,
                 "measure this call too, e.g. 'gemm m=16 n=4096 k=4096 f32'; alone: only these")
      ->expected(1, -1);
  app.add_option("--ceilings", options.ceilings_file, "ceilings.json, for the percent of ceiling")
      ->check(CLI::ExistingFile);
  app.add_option("--time-budget", options.time_budget_s, "seconds of timing per call")
      ->check(CLI::Range(1e-3, 600.0))
      ->capture_default_str();
  app.add_flag("--counters", options.counters,
               "how busy each call keeps tensor cores and memory, from hardware counters (by ncu), "
               "else from the ceilings");
  app.add_flag("--counted-run", options.counted_run)->group("");  // what --counters runs under ncu
  app.allow_extras();
}

int run(int argc, char** argv) {
  Options options;
  CLI::App app{"Measures single calls of the operators; all --benchmark_* flags work as usual."};
  add_options(app, options);
  if (const auto code = parse_command_line(app, argc, argv)) return *code;

  if (!options.method.empty()) (void)parse_method(options.method);  // before anything is measured
  if (options.counted_run) {
    const std::unique_ptr<Backend> backend = open_gpu(options.gpu);
    for (const std::string& text : options.calls) run_in_counted_range(*backend, parse_call(text));
    return 0;
  }
  std::vector<std::string> rest = app.remaining();
  std::vector<char*> flags{argv[0]};
  for (std::string& flag : rest) flags.push_back(flag.data());
  int count = static_cast<int>(flags.size());
  benchmark::Initialize(&count, flags.data());
  if (benchmark::ReportUnrecognizedArguments(count, flags.data())) return 2;

  const std::unique_ptr<Backend> backend = open_gpu(options.gpu);
  benchmark::AddCustomContext("device", backend->device().name);
  for (const auto& [key, value] : backend->device().provenance)
    benchmark::AddCustomContext("device." + key, value);

  Tools tools{.sampler{*backend, {.time_budget_s = options.time_budget_s, .max_samples = 1000}}};
  if (!options.ceilings_file.empty()) tools.ceilings = load_ceilings(options.ceilings_file);
  register_benchmarks(*backend, options, tools);
  if (options.counters)
    tools.counted.emplace(*backend, options.gpu, tools.ceilings ? &*tools.ceilings : nullptr);
  const std::size_t ran = benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return ran > 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  return ridge::run_main([&] { return run(argc, argv); });
}
