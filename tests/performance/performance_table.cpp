// How long a delay-factor table of 70,000 calls takes to load, whole and in its parts, on one core.
//   imported   one time a call, as tables of latencies measured elsewhere have
//   measured   median, p10, p90 and count a call, as calibration writes them
#include <benchmark/benchmark.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "calibrate/delay_model.h"
#include "calibrate/sample_json.h"
#include "calibrate/table_schema.h"
#include "kernels/core/json_file.h"
#include "kernels/core/json_schema.h"
#include "tests/calibrate/fixture.h"

namespace ridge {
namespace {

namespace fs = std::filesystem;

constexpr int kGroups = 4, kCalls = 17500;  // 70,000 calls
enum class Kind { kImported, kMeasured };

// Shapes of a made-up machine; one group for each name of an implementation.
DelayTable made_up(Kind kind) {
  std::vector<Measurement> all;
  std::mt19937_64 rng(1);
  for (int g = 0; g < kGroups; ++g)
    for (int i = 0; i < kCalls; ++i) {
      Call call = fixture::random_gemm(rng);
      call.implementation = "way " + std::to_string(g);
      const double seconds = fixture::law_s(call);
      all.push_back(fixture::timed(call, kind == Kind::kImported ? std::vector<double>{seconds}
                                                                 : fixture::around(seconds, 0.01)));
    }
  return make_table(fixture::device(), fixture::ceilings(), all, {});
}

// Written once, with its curves fitted, which takes longer than all that is measured here.
const fs::path& file(Kind kind) {
  static const auto make = [](Kind k) {
    const fs::path path = fs::temp_directory_path() /
                          (k == Kind::kImported ? "ridge-imported.json" : "ridge-measured.json");
    save_table(made_up(k), path);
    return path;
  };
  static const fs::path imported = make(Kind::kImported), measured = make(Kind::kMeasured);
  return kind == Kind::kImported ? imported : measured;
}

void load(benchmark::State& state, Kind kind) {
  const fs::path& path = file(kind);
  for (auto _ : state) benchmark::DoNotOptimize(load_table(path));
  state.counters["bytes"] = static_cast<double>(fs::file_size(path));
}

void parse(benchmark::State& state, Kind kind) {
  const fs::path& path = file(kind);
  for (auto _ : state) benchmark::DoNotOptimize(read_json(path));
}

void validate(benchmark::State& state, Kind kind) {
  const nlohmann::json j = read_json(file(kind));
  for (auto _ : state) benchmark::DoNotOptimize(schema_errors(table_schema(), j));
}

void samples(benchmark::State& state, Kind kind) {
  const nlohmann::json j = read_json(file(kind));
  for (auto _ : state) benchmark::DoNotOptimize(samples_from_json(j.at("samples")));
}

void model(benchmark::State& state, Kind kind) {
  const DelayTable table = load_table(file(kind));
  for (auto _ : state) benchmark::DoNotOptimize(DelayModel(table));
}

#define RIDGE_BOTH(what)                                                             \
  BENCHMARK_CAPTURE(what, imported, Kind::kImported)->Unit(benchmark::kMillisecond); \
  BENCHMARK_CAPTURE(what, measured, Kind::kMeasured)->Unit(benchmark::kMillisecond)
RIDGE_BOTH(load);
RIDGE_BOTH(parse);
RIDGE_BOTH(validate);
RIDGE_BOTH(samples);
RIDGE_BOTH(model);

}  // namespace
}  // namespace ridge

BENCHMARK_MAIN();
