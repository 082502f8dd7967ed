// What is told of a generation: statistics, trace, prediction beside measurement.
#include "profilers/llama/speed_test.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "kernels/cpu/cpu_backend.h"
#include "profilers/llama/speed_report.h"
#include "profilers/llama/trace.h"
#include "tests/calibrate/fixture.h"
#include "tests/profilers/llama/made_up_models.h"

namespace ridge {
namespace {

using nlohmann::json;
using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::SizeIs;

struct Measured {
  std::unique_ptr<Backend> backend = open_cpu_backend(1);
  Model model = made_up_models()[1];
  Decoder decoder = make();
  SpeedResult result =
      run_speed_test(decoder, {.name = "short", .prompt = 6, .output = 5, .batch = 2},
                     {.repeats = 3, .profile = true});

  Decoder make() {
    const auto source = random_weights(model);
    return {*backend,
            model,
            {},
            put_on_device(*backend, model, Dtype::kF32, *source),
            {.sequences = 2, .positions = 16}};
  }
};

const Measured& measured() {
  static const Measured m;
  return m;
}

SpeedReport report() {
  const Measured& m = measured();
  SpeedReport r{.device = m.backend->device(),
                .model = m.model,
                .weights = "random",
                .bytes = m.decoder.bytes(),
                .tests = {m.result}};
  const TableSet tables(
      {{"made up", make_table(fixture::device(), fixture::ceilings(),
                              {fixture::timed(fixture::gemm(4, 64, 64), {1e-6})}, {})}});
  r.validations.push_back(validate_speed(tables, m.decoder, m.result));
  r.findings = findings(operator_stats(m.result.profile, fixture::ceilings()), m.result.profile);
  return r;
}

TEST(Spread, IsOfTheSortedValues) {
  EXPECT_EQ(spread_of({}).median, 0);
  EXPECT_EQ(spread_of({3}).p95, 3);
  const Spread s = spread_of({5, 1, 4, 2, 3});
  EXPECT_DOUBLE_EQ(s.median, 3);
  EXPECT_DOUBLE_EQ(s.p95, 4.8);
}

TEST(SpeedTest, CountsEveryTokenAndRepeat) {
  const SpeedResult& r = measured().result;
  EXPECT_THAT(r.runs, SizeIs(3));
  for (const GenerationTimes& g : r.runs) {
    EXPECT_THAT(g.tokens, SizeIs(2));
    EXPECT_THAT(g.tokens, Each(SizeIs(5)));
    EXPECT_EQ(g.tokens, r.runs[0].tokens);
    EXPECT_THAT(g.decode, SizeIs(4));
    EXPECT_GT(g.ttft_s(), 0);
    EXPECT_GT(g.total_s(), g.ttft_s());
  }
  EXPECT_EQ(r.profile.tokens, r.runs[0].tokens);
  EXPECT_DOUBLE_EQ(r.output_tokens_per_s(), 10 / r.total_s.median);
  EXPECT_DOUBLE_EQ(r.prompt_tokens_per_s(), 12 / r.ttft_s.median);
}

TEST(OperatorStats, OwnTheTimeOfTheLaunches) {
  const GenerationTimes& g = measured().result.profile;
  const auto stats = operator_stats(g, fixture::ceilings());
  for (const PhaseOf phase : {PhaseOf::kPrefill, PhaseOf::kDecode}) {
    const PhaseTotals t = totals_of(phase == PhaseOf::kPrefill ? g.prefill : g.decode);
    double seconds = 0;
    int64_t calls = 0;
    for (const OperatorStats& s : stats) {
      if (s.phase != phase) continue;
      seconds += s.seconds;
      calls += s.calls;
    }
    EXPECT_NEAR(seconds, t.launches_s, 1e-12);
    EXPECT_EQ(calls, t.launches);
    EXPECT_GE(t.gap_s(), 0);
  }
  // Three layers, four steps, three products each for query, key and value.
  for (const OperatorStats& s : stats)
    if (s.phase == PhaseOf::kDecode && s.role == Role::kQkv) {
      EXPECT_EQ(s.calls, 3 * 4 * 3);
      EXPECT_DOUBLE_EQ(s.flops, 4 * 3 * 2.0 * 2 * 64 * (64 + 2 * 32));
      EXPECT_TRUE(s.of_ceiling().has_value());
    }
  for (const OperatorStats& s : operator_stats(g, std::nullopt)) EXPECT_FALSE(s.of_ceiling());
}

// Each span of the steps' track lies within one of those that hold it; the kernels' do not overlap.
TEST(Trace, NestsOperatorsInLayersInPhases) {
  const json trace = chrome_trace({measured().result}, measured().decoder);
  std::vector<std::pair<double, double>> open;
  double last_kernel = -1, last_counter = -1;
  std::map<std::string, int> names;
  int kernels = 0;
  for (const json& e : trace.at("traceEvents")) {
    EXPECT_EQ(e.at("pid"), 1);
    const std::string kind = e.at("ph");
    if (kind == "C") {
      EXPECT_GT(e.at("ts"), last_counter - 1e-9);
      last_counter = e.at("ts");
    }
    if (kind != "X") continue;
    const double begin = e.at("ts"), end = begin + e.at("dur").get<double>();
    EXPECT_GE(end, begin);
    if (e.at("tid") == 2) {
      EXPECT_GE(begin, last_kernel - 1e-3);
      last_kernel = end;
      ++kernels;
      continue;
    }
    ++names[e.at("name")];
    open.emplace_back(begin, end);
  }
  for (const auto& [begin, end] : open)
    for (const auto& [other_begin, other_end] : open) {
      const bool apart = end <= other_begin + 1e-3 || other_end <= begin + 1e-3;
      const bool within = begin >= other_begin - 1e-3 && end <= other_end + 1e-3;
      const bool around = other_begin >= begin - 1e-3 && other_end <= end + 1e-3;
      EXPECT_TRUE(apart || within || around);
    }
  EXPECT_EQ(names.at("prefill"), 1);
  EXPECT_EQ(names.at("decode"), 1);
  EXPECT_EQ(names.at("step"), 5);
  EXPECT_EQ(names.at("layer 2"), 5);
  EXPECT_EQ(names.at("down"), 3 * 5);
  int64_t launches = 0;
  for (const auto* steps : {&measured().result.profile.prefill, &measured().result.profile.decode})
    launches += totals_of(*steps).launches;
  EXPECT_EQ(kernels, launches);
}

TEST(SpeedValidation, SetsEveryOperatorBesideItsPrediction) {
  const SpeedValidation v = report().validations[0];
  EXPECT_NEAR(v.total.predicted_s.value, v.ttft.predicted_s.value + 4 * v.tpot.predicted_s.value,
              1e-12);
  EXPECT_EQ(v.ttft.measured_s, measured().result.ttft_s.median);
  double prefill = 0, decode = 0;
  for (const ComparedRole& r : v.roles) {
    EXPECT_GT(r.predicted_s, 0) << name(r.role);
    EXPECT_GT(r.measured_s, 0) << name(r.role);
    (r.phase == PhaseOf::kPrefill ? prefill : decode) += r.measured_s;
  }
  const GenerationTimes& g = measured().result.profile;
  EXPECT_NEAR(prefill, totals_of(g.prefill).launches_s, 1e-12);
  EXPECT_NEAR(decode, totals_of(g.decode).launches_s / 4, 1e-12);
  EXPECT_NEAR(prefill + v.host_prefill_s, totals_of(g.prefill).seconds, 1e-12);
  EXPECT_LE(v.explained_decode, 1);
}

TEST(SpeedReport, FollowsItsSchemaAndReadsWellIn80Columns) {
  const SpeedReport r = report();
  EXPECT_EQ(speed_schema_errors(speed_json(r)), "");
  json broken = speed_json(r);
  broken["tests"][0].erase("tokens_per_s");
  EXPECT_THAT(speed_schema_errors(broken), HasSubstr("tokens_per_s"));
  const std::string text =
      speed_text(r) +
      stats_text(operator_stats(r.tests[0].profile, fixture::ceilings()), r.tests[0].profile);
  for (const char* said : {"Test Name", "Tokens/sec", "TTFT", "TPOT p95", "KV cache", "Findings",
                           "nothing fitted", "operators explain", "between launches"})
    EXPECT_THAT(text, HasSubstr(said));
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 80u) << line;
}

}  // namespace
}  // namespace ridge
