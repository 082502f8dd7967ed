#include "simulator/config/scenario.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "simulator/outputs/report.h"
#include "simulator/search/capacity.h"
#include "simulator/search/sweep.h"
#include "tests/error_of.h"

namespace ridge::sim {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;

json config() {
  return json::parse(R"({"model": "llama-3.1-8b", "gpu": "h100",
                         "workload": {"arrivals": {"rate_per_s": 4}, "requests": 200,
                                      "output": {"tokens": 32}}})");
}

std::string refused(const json& j) {
  return error_of([&] { scenario_from_json(j, "mine.json"); });
}

json with(const char* pointer, const json& value) {
  json j = config();
  j[json::json_pointer(pointer)] = value;
  return j;
}

TEST(Scenario, NamesUnknownKeysWithTheNearest) {
  EXPECT_THAT(refused(with("/workload/arrivals/rate", 3)),
              AllOf(HasSubstr("mine.json"), HasSubstr("'workload.arrivals.rate'"),
                    HasSubstr("rate_per_s")));
  EXPECT_THAT(refused(with("/paralel", json::object())), HasSubstr("parallel"));
}

TEST(Scenario, RefusesWhatMakesNoRun) {
  EXPECT_THAT(refused(with("/workload/arrivals/rate_per_s", 0)), HasSubstr("rate_per_s=0"));
  EXPECT_THAT(refused(with("/workload/output/tokens", 0)), HasSubstr("workload.output"));
  EXPECT_THAT(refused(with("/workload/requests", 0)), HasSubstr("never ends"));
  EXPECT_THAT(refused(with("/workload/input/kind", "normal")), HasSubstr("workload.input.kind"));
  EXPECT_THAT(refused(with("/parallel/tensor", 3)), HasSubstr("heads"));
  EXPECT_THAT(refused(with("/parallel/tensor", 0)), HasSubstr("parallel.tensor"));
  EXPECT_THAT(refused(with("/scheduler/kind", "vlm_v1")), HasSubstr("vllm_v1"));
  EXPECT_THAT(refused(with("/routing", "round")), HasSubstr("round_robin"));
  EXPECT_THAT(refused(with("/scheduler", {{"kind", "orca"}, {"policy", "priority"}})),
              HasSubstr("vllm_v1's alone"));
  EXPECT_THAT(refused(with("/workload/trace", "no.csv")), HasSubstr("take these keys away"));
  EXPECT_THAT(refused(json::array()), HasSubstr("want an object"));
}

TEST(Scenario, SaysWhatWouldFit) {
  json j = config();
  j["gpu"] = "t4";
  EXPECT_THROW(scenario_from_json(j, "mine.json"), DoesNotFit);
  EXPECT_THAT(refused(j), AllOf(HasSubstr("does not fit"), HasSubstr("would fit")));
}

TEST(Scenario, TakesItsBlocksFromTheMemoryModel) {
  const Scenario s = scenario_from_json(config(), "mine.json");
  EXPECT_EQ(s.cluster.replica.batch.blocks, s.memory.kv_blocks);
  const Scenario wide = scenario_from_json(with("/cache/block_tokens", 32), "mine.json");
  EXPECT_EQ(wide.cluster.replica.batch.blocks, s.memory.kv_blocks / 2);
  EXPECT_EQ(scenario_from_json(with("/cache/blocks", 99), "mine.json").cluster.replica.batch.blocks,
            99);
}

// No step reads the weights faster than the roofline of the numbers that were given.
TEST(Scenario, OfAGpuOfNumbersIsItsRoofline) {
  json j = config();
  j["gpu"] = {{"peak_tflops", 1000}, {"bandwidth_gb_s", 2000}, {"memory_gb", 80}};
  j["engine"] = "kernels";
  const Scenario s = scenario_from_json(j, "mine.json");
  const Summary r = summarize(simulate(s), s.summary_options());
  const double weights_s = s.memory.weights / 2e12;
  EXPECT_GT(r.tpot_s.p50, 0.9 * weights_s);  // embeddings are not read whole
  EXPECT_LT(r.tpot_s.p50, 1.6 * weights_s);
  EXPECT_THAT(s.notes, testing::Contains(HasSubstr("roofline")));
}

TEST(Report, IsWithinEightyColumnsAndItsJsonAgrees) {
  json j = config();
  j["limits"] = {{"ttft_s", 0.5}, {"tpot_s", 0.05}};
  const Scenario s = scenario_from_json(j, "mine.json");
  const Outcome run = simulate(s);
  const Summary r = summarize(run, s.summary_options());
  std::istringstream lines(summary_text(s, r));
  for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 80U) << line;
  const json told = summary_json(s, r);
  EXPECT_EQ(told["finished"], 200);
  EXPECT_EQ(told["tokens_out"], 200 * 32);
  EXPECT_NEAR(told["requests_per_s"].get<double>() * told["duration_s"].get<double>(), 200, 1e-6);
  const std::string csv = requests_csv(run);
  EXPECT_EQ(std::count(csv.begin(), csv.end(), '\n'), 201);
}

TEST(Summary, CountsQuantilesByRank) {
  std::vector<double> values;
  for (int i = 1; i <= 100; ++i) values.push_back(i);
  const Distribution d = distribution(values);
  EXPECT_EQ(d.p50, 50);
  EXPECT_EQ(d.p95, 95);
  EXPECT_EQ(d.p99, 99);
  EXPECT_EQ(d.most, 100);
  EXPECT_EQ(d.mean, 50.5);
}

// Twice what one replica serves is too much for it.
TEST(Summary, TellsSaturationFromKeepingUp) {
  json j = config();
  j["workload"]["requests"] = 3000;
  for (const double rate : {2.0, 400.0}) {
    j["workload"]["arrivals"]["rate_per_s"] = rate;
    const Scenario s = scenario_from_json(j, "mine.json");
    const Summary r = summarize(simulate(s), s.summary_options());
    EXPECT_EQ(r.load, rate > 100 ? Load::kSaturated : Load::kKeepsUp) << r.verdict;
  }
}

TEST(Capacity, IsBetweenARateThatKeepsTheLimitsAndOneThatDoesNot) {
  json j = config();
  j["limits"] = {{"tpot_s", 0.02}};
  const Scenario s = scenario_from_json(j, "mine.json");
  const Capacity c = find_capacity(s, {.limits = s.limits});
  double bad = 1e9;
  for (const CapacityPoint& p : c.points)
    if (!p.keeps) bad = std::min(bad, p.rate_per_s);
  EXPECT_GT(c.rate_per_s, 0);
  EXPECT_LT(c.rate_per_s, bad);
  EXPECT_LE(bad, c.rate_per_s * 1.02);
  EXPECT_EQ(find_capacity(s, {.limits = {.tpot_s = 1e-6}}).rate_per_s, 0);
  EXPECT_THAT(error_of([&] { find_capacity(s, {}); }), HasSubstr("limits"));
}

class Sweep : public testing::Test {
 protected:
  void SetUp() override { std::filesystem::remove(file_); }
  void TearDown() override { std::filesystem::remove(file_); }
  std::size_t lines() const {
    std::ifstream in(file_);
    std::size_t n = 0;
    for (std::string line; std::getline(in, line);) ++n;
    return n;
  }
  SweepJob job() const {
    json base = config();
    base["workload"]["requests"] = 50;
    return {.base = base,
            .axes = {parse_axis("gpu=h100,t4"), parse_axis("scheduler.max_sequences=4,64")},
            .out = file_,
            .threads = 2};
  }
  std::string file_ =
      (std::filesystem::temp_directory_path() / ("ridge-sweep-" + std::to_string(getpid())))
          .string();
};

TEST_F(Sweep, GoesOnWhereItWasInterrupted) {
  sweep(job());
  EXPECT_EQ(lines(), 4U);
  // As if it had been killed within its third line.
  std::string text;
  {
    std::ifstream in(file_);
    std::getline(in, text, '\0');
  }
  std::size_t second = text.find('\n', text.find('\n') + 1);
  std::ofstream(file_, std::ios::trunc) << text.substr(0, second + 20);
  std::size_t told = 0;
  sweep(job(), [&](std::size_t, std::size_t all) {
    ++told;
    EXPECT_EQ(all, 4U);
  });
  EXPECT_EQ(told, 4U);
  EXPECT_EQ(lines(), 5U);                        // two that were there, the torn one, two anew
  const std::vector<json> best = pareto(file_);  // a T4 holds no 8 billion parameters
  ASSERT_FALSE(best.empty());
  for (const json& j : best) EXPECT_EQ(j["point"]["gpu"], "h100");
}

TEST_F(Sweep, RefusesAnAxisOfNothing) {
  EXPECT_THAT(error_of([] { parse_axis("gpu"); }), HasSubstr("key=value"));
  SweepJob none = job();
  none.axes.clear();
  EXPECT_THAT(error_of([&] { sweep(none); }), HasSubstr("--vary"));
}

class TraceFile : public testing::Test {
 protected:
  std::string error(const std::string& text, const char* end = ".csv") const {
    const auto file =
        std::filesystem::temp_directory_path() / ("ridge-trace-" + std::to_string(getpid()) + end);
    std::ofstream(file) << text;
    const std::string e = error_of([&] { read_ = read_trace(file.string()); });
    std::filesystem::remove(file);
    return e;
  }
  mutable std::vector<Arrival> read_;
};

TEST_F(TraceFile, OfEitherFormIsRead) {
  ASSERT_EQ(error("arrival_s,input_tokens,output_tokens,stream,shared_tokens\n"
                  "0,10,5,a,8\n1.5,20,6,,\n2,30,7,a,8\n"),
            "");
  ASSERT_EQ(read_.size(), 3U);
  EXPECT_EQ(read_[0].stream, read_[2].stream);
  EXPECT_EQ(read_[1].stream, -1);
  EXPECT_EQ(read_[2].shared, 8);
  const std::vector<Arrival> csv = read_;
  ASSERT_EQ(error(R"({"arrival_s": 0, "input_tokens": 10, "output_tokens": 5, "stream": "x"}
{"arrival_s": 1.5, "input_tokens": 20, "output_tokens": 6}
)",
                  ".jsonl"),
            "");
  ASSERT_EQ(read_.size(), 2U);
  EXPECT_EQ(read_[1].time_s, csv[1].time_s);
  EXPECT_EQ(read_[0].stream, 0);
}

TEST_F(TraceFile, SaysWhatIsWrongAndWhere) {
  const std::string head = "arrival_s,input_tokens,output_tokens\n";
  EXPECT_THAT(error(head + "1,5,5\n0,5,5\n"), HasSubstr("sort the file"));
  EXPECT_THAT(error(head + "-1,5,5\n"), HasSubstr(":2, arrival_s"));
  EXPECT_THAT(error(head + "0,5,0\n"), HasSubstr(":2, output_tokens"));
  EXPECT_THAT(error(head + "0,x,1\n"), HasSubstr("'x' is no number"));
  EXPECT_THAT(error("arrival_s,input_tokens\n0,1\n"), HasSubstr("no column output_tokens"));
  EXPECT_THAT(error("[1]\n", ".jsonl"), HasSubstr(":1"));
}

}  // namespace
}  // namespace ridge::sim
