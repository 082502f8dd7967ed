// Delays learned on made-up GPUs, carried over to one that was never measured.
#include "calibrate/transfer.h"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <functional>

#include "calibrate/transfer_curve.h"
#include "kernels/core/error.h"
#include "predictor/predict_call.h"
#include "tests/calibrate/fixture.h"

namespace ridge {
namespace {

// The fixture's machine, so many times its arithmetic and its bandwidth.
TransferGpu gpu(const std::string& name, double arithmetic, double bandwidth) {
  TransferGpu g{fixture::device(), fixture::ceilings()};
  g.device.name = g.ceilings.device = name;
  for (auto& [key, ceiling] : g.ceilings.values) {
    if (ceiling.unit == "flop/s") ceiling.value *= arithmetic;
    if (key.starts_with("dram")) ceiling.value *= bandwidth;
  }
  return g;
}

double ideal_on(const TransferGpu& g, const Call& call) {
  return ideal(g.ceilings, find_operator(call.op).work(call)).seconds;
}

// One law for all GPUs: a fixed cost, and 15 % more than the roofline.
double law_s(const TransferGpu& g, const Call& call) { return 4e-6 + 1.15 * ideal_on(g, call); }

// A table of `count` calls; `off` is how far one of them is from the law.
NamedTable measured(const TransferGpu& g, int count, uint64_t seed,
                    const std::function<double(std::mt19937_64&)>& off) {
  std::mt19937_64 rng(seed);
  std::vector<Measurement> all;
  for (int i = 0; i < count; ++i) {
    const Call call = fixture::random_gemm(rng);
    all.push_back(fixture::timed(call, {law_s(g, call) * off(rng)}));
  }
  return {g.device.name + ".json", make_table(g.device, g.ceilings, all, {{"git", "test"}})};
}

double exact(std::mt19937_64&) { return 1; }
double noisy(std::mt19937_64& rng) { return std::exp(std::normal_distribution<>(0, 0.1)(rng)); }

const std::vector<NamedTable>& two_sources() {
  static const std::vector<NamedTable> sources{measured(gpu("Small", 1, 1), 400, 1, exact),
                                               measured(gpu("Large", 4, 3), 400, 2, exact)};
  return sources;
}

const TransferGpu& target() {
  static const TransferGpu between = gpu("Between", 2, 2);
  return between;
}

const DelayTable& transferred() {
  static const DelayTable table = transfer_table(two_sources(), target(), {{"git", "test"}});
  return table;
}

bool notes_say(const DelayTable& t, const std::string& text) {
  for (const std::string& note : t.notes)
    if (note.find(text) != std::string::npos) return true;
  return false;
}

TEST(Transfer, LawThatIsTheSameOnAllGpusHoldsOnAnother) {
  std::mt19937_64 rng(7);
  double sum = 0;
  constexpr int kCalls = 300;
  for (int i = 0; i < kCalls; ++i) {
    const Call call = fixture::random_gemm(rng);
    sum += std::abs(predict_call(transferred(), call).seconds / law_s(target(), call) - 1);
  }
  EXPECT_LT(sum / kCalls, 0.05);
}

TEST(Transfer, IntervalHoldsAboutFourFifthsOnAGpuLeftOut) {
  const DelayTable t = transfer_table(
      {measured(gpu("Small", 1, 1), 600, 1, noisy), measured(gpu("Middle", 2, 1.5), 600, 2, noisy),
       measured(gpu("Large", 4, 3), 600, 3, noisy)},
      gpu("Other", 3, 2), {});
  std::mt19937_64 rng(8);
  int inside = 0;
  constexpr int kCalls = 1000;
  for (int i = 0; i < kCalls; ++i) {
    const Call call = fixture::random_gemm(rng);
    const double is_s = law_s(gpu("Other", 3, 2), call) * noisy(rng);
    const Prediction p = predict_call(t, call);
    inside += p.low_s <= is_s && is_s <= p.high_s;
  }
  // Three GPUs tell little of how a fourth differs: about 80 %, not 80 %.
  EXPECT_GT(inside, 0.6 * kCalls);
  EXPECT_LT(inside, 0.95 * kCalls);
}

TEST(Transfer, NeverFasterThanTheRoofline) {
  std::mt19937_64 rng(9);
  for (int i = 0; i < 300; ++i) {
    const Call call = fixture::random_gemm(rng);
    const Prediction p = predict_call(transferred(), call);
    EXPECT_GE(p.low_s, ideal_on(target(), call) * (1 - 1e-9));
    EXPECT_LE(p.low_s, p.seconds);
    EXPECT_LE(p.seconds, p.high_s);
  }
}

TEST(Transfer, IsSaidToBeTransferredAndNeverMeasured) {
  const DelayTable& t = transferred();
  EXPECT_TRUE(t.samples.empty());
  EXPECT_TRUE(t.factors.empty());
  EXPECT_EQ(t.provenance.at("method"), "transferred");
  EXPECT_TRUE(notes_say(t, "gemm f32 made_up: transferred from Small (400 samples), Large"));
  // Neither a call that a source has nor one far outside of them all.
  const Call known = two_sources()[0].table.samples[0].call;
  EXPECT_EQ(predict_call(t, known).basis, Basis::kTransferred);
  EXPECT_EQ(predict_call(t, fixture::gemm(1 << 17, 1 << 17, 1 << 17)).basis, Basis::kTransferred);
  EXPECT_EQ(predict_call(t, fixture::rmsnorm(64, 4096)).basis, Basis::kRoofline);
}

TEST(Transfer, ReadsBackAsWritten) {
  const auto path = std::filesystem::path(testing::TempDir()) / "transferred.json";
  save_table(transferred(), path);
  const DelayTable read = load_table(path, "Between");
  EXPECT_EQ(read.curves, transferred().curves);
  EXPECT_EQ(read.notes, transferred().notes);
  const Call call = fixture::gemm(100, 1000, 1000);
  EXPECT_EQ(predict_call(read, call).seconds, predict_call(transferred(), call).seconds);
  EXPECT_EQ(predict_call(read, call).basis, Basis::kTransferred);
}

TEST(Transfer, OneSourceHasAStatedWidth) {
  const DelayTable t = transfer_table({two_sources()[0]}, target(), {});
  EXPECT_TRUE(notes_say(t, "of one GPU alone"));
  const Prediction p = predict_call(t, fixture::gemm(64, 64, 64));
  EXPECT_NEAR(p.high_s / p.seconds, kOneSourceFactor, 0.01);
}

TEST(Transfer, TablesOfOneGpuAreOneSource) {
  const DelayTable t =
      transfer_table({two_sources()[0], measured(gpu("Small", 1, 1), 50, 4, exact)}, target(), {});
  EXPECT_TRUE(notes_say(t, "Small (450 samples); of one GPU alone"));
}

TEST(Transfer, AFewSamplesMakeAConstant) {
  const DelayTable t = transfer_table(
      {measured(gpu("Small", 1, 1), 5, 1, exact), measured(gpu("Large", 4, 3), 5, 2, exact)},
      target(), {});
  EXPECT_EQ(t.curves.at(0).kind, "constant");
  const Prediction p = predict_call(t, fixture::gemm(512, 512, 512));
  EXPECT_GT(p.high_s / p.low_s, 1.2);
}

TEST(Transfer, DtypeWithoutCeilingIsLeftOutAndSaid) {
  auto sources = two_sources();
  std::vector<Measurement> halves;
  for (int i = 1; i <= 30; ++i)
    halves.push_back(
        fixture::timed(fixture::gemm(64 * i, 512, 512, Dtype::kF16), {1e-5 * (i + 1)}));
  const TransferGpu small = gpu("Small", 1, 1);
  sources.push_back({"halves.json", make_table(small.device, small.ceilings, halves, {})});
  TransferGpu without = target();
  without.ceilings.values.erase("matrix.f16");
  const DelayTable t = transfer_table(sources, without, {});
  EXPECT_EQ(t.curves.size(), 1u);
  EXPECT_TRUE(notes_say(t, "gemm f16 made_up: left out"));
}

void expect_refused(const std::vector<NamedTable>& sources, const TransferGpu& to,
                    const std::vector<std::string>& words) {
  try {
    transfer_table(sources, to, {});
    ADD_FAILURE() << "nothing was refused";
  } catch (const BadInput& e) {
    for (const std::string& word : words)
      EXPECT_NE(std::string(e.what()).find(word), std::string::npos) << e.what();
  }
}

TEST(Transfer, RefusesWhatItCannotLearnFrom) {
  expect_refused({}, target(), {"--from"});
  expect_refused(two_sources(), gpu("Large", 1, 1), {"Large.json", "of Large itself", "predict"});
  expect_refused({{"t.json", transferred()}}, gpu("Else", 1, 1), {"t.json", "came from"});
  NamedTable empty = two_sources()[0];
  empty.table.samples.clear();
  expect_refused({empty}, target(), {"Small.json", "no samples", "calibrate import"});
  NamedTable cpu = two_sources()[0];
  cpu.table.device.kind = "cpu";
  expect_refused({cpu}, target(), {"Small.json", "cpu", "cuda"});
  NamedTable cold = two_sources()[0];
  cold.table.method = Method::kCold;
  expect_refused({two_sources()[1], cold}, target(), {"Small.json", "cold", "graph"});
  TransferGpu bare = target();
  bare.ceilings.values.clear();
  expect_refused(two_sources(), bare, {"nothing can be transferred", "Between"});
}

}  // namespace
}  // namespace ridge
