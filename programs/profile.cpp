// profile: one operator, measured by the sampler behind Google Benchmark's flags and outputs.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "kernels/core/operators.h"
#include "kernels/core/run_main.h"
#include "profilers/sampler.h"
#include "programs/cli.h"
#include "programs/open_gpu.h"
#include "roofline/ceilings.h"

namespace {

using namespace ridge;

struct Options {
  std::string gpu = "auto";
  std::string method;
  std::string ceilings_file;
  std::vector<std::string> calls;
  double time_budget_s = 0.25;
};

// "gemm m=16 n=4096 k=4096 f32 [onednn]", as every Ridgepoint output prints a call.
Call parse_call(const std::string& text) {
  std::istringstream words(text);
  std::string word;
  words >> word;
  const OpSpec& spec = find_operator(word);
  Call call{spec.name, std::vector<int64_t>(spec.axes.size(), 0), spec.dtypes.front(), ""};
  while (words >> word) {
    const auto equals = word.find('=');
    if (word.front() == '[' && word.back() == ']') {
      call.implementation = word.substr(1, word.size() - 2);
    } else if (equals == std::string::npos) {
      call.dtype = parse_dtype(word);
    } else {
      bool known = false;
      for (std::size_t i = 0; i < spec.axes.size(); ++i)
        if (spec.axes[i].name == word.substr(0, equals)) {
          char* end = nullptr;
          call.dims[i] = std::strtoll(word.c_str() + equals + 1, &end, 10);
          known = *end == '\0' && end != word.c_str() + equals + 1;
        }
      if (!known) throw BadInput("--call: '" + word + "' is no axis=number of " + spec.name);
    }
  }
  validate(spec, call);
  return call;
}

// A handful of shapes per operator, from the low end of what LLMs use to the high.
std::vector<std::vector<int64_t>> default_dims(const OpSpec& spec) {
  std::vector<std::vector<int64_t>> shapes;
  for (double quantile : {0.0, 0.25, 0.5, 0.75}) {
    Call call{spec.name, {}, spec.dtypes.front(), ""};
    for (const Axis& axis : spec.axes) {
      if (axis.usual.empty()) {
        call.dims.push_back(std::llround(
            std::sqrt(static_cast<double>(axis.sweep_low) * static_cast<double>(axis.sweep_high))));
      } else {
        const double at = quantile * static_cast<double>(axis.usual.size() - 1);
        call.dims.push_back(axis.usual[static_cast<std::size_t>(at)]);
      }
    }
    spec.adjust(call);
    const bool known = std::find(shapes.begin(), shapes.end(), call.dims) != shapes.end();
    if (spec.constraint(call).empty() && !known) shapes.push_back(call.dims);
  }
  return shapes;
}

std::string benchmark_name(const Call& call) {
  const OpSpec& spec = find_operator(call.op);
  std::string text = call.op;
  for (std::size_t i = 0; i < spec.axes.size(); ++i)
    text += fmt::format("/{}:{}", spec.axes[i].name, call.dims[i]);
  return fmt::format("{}/{}/{}", text, name(call.dtype), call.implementation);
}

void add_counters(benchmark::State& state, const Measurement& m, const Ceilings* ceilings) {
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
  if (ceilings) {
    const Ideal least = ideal(*ceilings, work);
    counters["ceiling_%"] = 100 * least.seconds / s.median_s;
    state.SetLabel(fmt::format("{} bound", name(least.bound)));
  }
}

void run_one(benchmark::State& state, Sampler& sampler, const Options& options, const Call& call,
             const Ceilings* ceilings) {
  // One iteration is one complete adaptive measurement.
  for (auto _ : state) {
    const std::optional<Method> method =
        options.method.empty() ? std::nullopt : std::optional(parse_method(options.method));
    const Measurement m = sampler.measure(call, method);
    if (m.status != Status::kOk) {
      state.SkipWithError(m.reason.c_str());
      return;
    }
    state.SetIterationTime(summarize(m.samples_s).median_s);
    add_counters(state, m, ceilings);
  }
}

int run(int argc, char** argv) {
  Options options;
  CLI::App app{"Measures single calls of the operators; all --benchmark_* flags work as usual."};
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
  app.allow_extras();
  if (const auto code = parse_command_line(app, argc, argv)) return *code;

  if (!options.method.empty()) (void)parse_method(options.method);  // before anything is measured
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

  std::optional<Ceilings> ceilings;
  if (!options.ceilings_file.empty()) ceilings = load_ceilings(options.ceilings_file);
  Sampler sampler(*backend, {.time_budget_s = options.time_budget_s, .max_samples = 1000});

  std::vector<Call> calls;
  for (const std::string& text : options.calls) calls.push_back(parse_call(text));
  if (calls.empty())
    for (const OpSpec& spec : operators())
      for (Dtype dtype : spec.dtypes)
        for (const auto& dims : default_dims(spec)) calls.push_back({spec.name, dims, dtype, ""});
  for (const Call& call : calls) {
    std::string why;
    const std::vector<std::string> implementations = backend->implementations(call, &why);
    if (implementations.empty() && !options.calls.empty())
      throw BadInput(fmt::format("--call: {} does not run here: {}", to_string(call), why));
    for (const std::string& implementation : implementations) {
      Call one = call;
      one.implementation = implementation;
      benchmark::RegisterBenchmark(benchmark_name(one).c_str(),
                                   [&sampler, &options, &ceilings, one](benchmark::State& state) {
                                     run_one(state, sampler, options, one,
                                             ceilings ? &*ceilings : nullptr);
                                   })
          ->UseManualTime()
          ->Iterations(1)
          ->Unit(benchmark::kMicrosecond);
    }
  }
  const std::size_t ran = benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return ran > 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  return ridge::run_main([&] { return run(argc, argv); });
}
