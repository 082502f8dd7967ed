// What is wrong with imported rows: rejected, merged or labelled, and always told.
#include "calibrate/import_faults.h"

#include <gmock/gmock.h>

#include "kernels/core/error.h"
#include "tests/calibrate/import_text.h"

namespace ridge {
namespace {

using import_text::imported;
using import_text::on;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr const char* kHead = "op,dtype,m,n,k,latency_us\n";
constexpr const char* kGood = "gemm,bf16,1,4096,4096,14\n";

// Why the one bad row beside a good one is rejected.
std::string rejection(const std::string& row) {
  ImportedRows rows;
  add_rows(std::string(kHead) + kGood + row + "\n", "dir/x.csv", on("H200"), rows);
  EXPECT_EQ(rows.files.at(0).taken, 1u);
  EXPECT_EQ(rows.files[0].rejected, 1u);
  return rows.files[0].rejections.empty() ? "" : rows.files[0].rejections[0];
}

std::string refused(const std::string& text) {
  try {
    imported(text);
  } catch (const BadInput& e) {
    return e.what();
  }
  return "no BadInput";
}

const Sample& sample(const DelayTable& t, int64_t m) {
  for (const Sample& s : t.samples)
    if (s.call.dims[0] == m) return s;
  throw std::runtime_error("no sample of m=" + std::to_string(m));
}

TEST(ImportFaults, BadRowsAreRejectedWithTheirPlaceAndTheRestIsTaken) {
  for (const char* bad : {"0", "-1", "nan", "inf", "fast", "1e999"})
    EXPECT_THAT(rejection("gemm,bf16,1,64,64," + std::string(bad)),
                AllOf(HasSubstr("x.csv: line 3"), HasSubstr("latency_us"), HasSubstr(bad)));
  EXPECT_THAT(rejection("gemm,bf16,1,64,64,"), AllOf(HasSubstr("line 3"), HasSubstr("latency_us")));
  for (const char* bad : {"99999999999999999999", "1.5", "", "-4", "0", "nan"})
    EXPECT_THAT(rejection("gemm,bf16," + std::string(bad) + ",64,64,5"),
                AllOf(HasSubstr("line 3"), HasSubstr("column 'm'")));
  EXPECT_THAT(rejection("teleport,bf16,1,64,64,5"), HasSubstr("teleport"));
  EXPECT_THAT(rejection("gemm,bf17,1,64,64,5"), HasSubstr("bf17"));
}

TEST(ImportFaults, RejectionsAreCountedInTheNotes) {
  std::string text = std::string(kHead) + kGood;
  for (int i = 0; i < 9; ++i) text += "gemm,bf16,1,64,64,0\n";
  EXPECT_THAT(imported(text).notes, AllOf(Contains("x.csv: 9 of 10 rows rejected"),
                                          Contains(HasSubstr("rejected: x.csv: line 3")),
                                          Contains("rejected: 4 more of x.csv")));
}

TEST(ImportFaults, NothingLeftIsAnErrorThatSaysWhy) {
  EXPECT_THAT(refused(std::string(kHead) + "gemm,bf16,1,64,64,0\n"),
              AllOf(HasSubstr("nothing is left"), HasSubstr("line 2"), HasSubstr("latency_us")));
  EXPECT_THAT(refused("op,dtype,m,n,latency_us\ngemm,bf16,1,64,5\n"),
              AllOf(HasSubstr("column 'k'"), HasSubstr("is missing")));
  EXPECT_THAT(refused("op,dtype,m,n,k\ngemm,bf16,1,64,64\n"),
              AllOf(HasSubstr("latency_us"), HasSubstr("is missing")));
  EXPECT_THAT(refused("op,m,n,k,latency_us\ngemm,1,64,64,5\n"),
              AllOf(HasSubstr("dtype"), HasSubstr("is missing")));
  EXPECT_THAT(refused(""), HasSubstr("is empty"));
  EXPECT_THAT(refused("op,dtype,gpu,m,n,k,latency_us\ngemm,bf16,T4,1,64,64,5\n"),
              AllOf(HasSubstr("T4"), HasSubstr("is not H200")));
}

TEST(ImportFaults, ADtypeWithoutAPeakIsLeftOutByName) {
  const std::string text = std::string(kHead) + "gemm,fp16,1,64,64,5\ngemm,fp8,1,64,64,5\n";
  EXPECT_THAT(imported(text, "T4").notes,
              Contains(AllOf(HasSubstr("1 call left out"), HasSubstr("matrix.f8e4m3"))));
  EXPECT_THAT(imported(text, "L4").notes, Not(Contains(HasSubstr("left out"))));
}

TEST(ImportFaults, TimesComeInSeveralUnits) {
  for (const char* column_and_value : {"latency_us,14", "latency_ms,0.014", "latency_s,14e-6",
                                       "time_us,14.0", "time_ms,1.4e-2", "time_s,0.000014"}) {
    const std::string text = column_and_value;
    const auto comma = text.find(',');
    const DelayTable t = imported("op,dtype,m,n,k," + text.substr(0, comma) +
                                  "\ngemm,bf16,1,64,64," + text.substr(comma + 1) + "\n");
    EXPECT_DOUBLE_EQ(t.samples.at(0).median_s, 14e-6) << text;
  }
}

TEST(ImportFaults, ColumnsOfSeveralUnitsMustAgree) {
  const std::string head = "op,dtype,m,n,k,latency_us,latency_ms\n";
  EXPECT_DOUBLE_EQ(imported(head + "gemm,bf16,1,64,64,14,0.014\n").samples.at(0).median_s, 14e-6);
  EXPECT_DOUBLE_EQ(imported(head + "gemm,bf16,1,64,64,,0.014\n").samples.at(0).median_s, 14e-6);
  EXPECT_THAT(refused(head + "gemm,bf16,1,64,64,14,14\n"),
              AllOf(HasSubstr("line 2"), HasSubstr("'latency_ms'"), HasSubstr("'latency_us'")));
}

// 33.6 MB take 7 us from DRAM, and no cache makes that 7 ns.
TEST(ImportFaults, TimesThatNothingExplainsAreLeftOut) {
  const DelayTable t = imported(std::string(kHead) + kGood + "gemm,bf16,2,4096,4096,0.007\n");
  EXPECT_EQ(t.samples.size(), 1u);
  EXPECT_THAT(t.notes, Contains(AllOf(HasSubstr("1 call left out"), HasSubstr("unit"),
                                      HasSubstr("gemm m=2 n=4096"))));
}

TEST(ImportFaults, ExtraColumnsAreIgnored) {
  EXPECT_EQ(imported("note,op,dtype,m,n,k,latency_us,colour\n\"a, b\",gemm,bf16,1,64,64,5,red\n")
                .samples.size(),
            1u);
}

TEST(ImportFaults, RepeatsBecomeTheirMedianAndConflictsAreTold) {
  std::vector<std::string> notes;
  const Call a{.op = "add", .dims = {1, 64}, .dtype = Dtype::kF16, .implementation = "x"};
  const Call b{.op = "add", .dims = {2, 64}, .dtype = Dtype::kF16, .implementation = "x"};
  auto calls = merge_repeats({{a, 5e-6}, {b, 7e-6}, {a, 5e-6}, {a, 5.2e-6}}, notes);
  ASSERT_EQ(calls.size(), 2u);
  EXPECT_DOUBLE_EQ(calls[0].median_s(), 5e-6);
  EXPECT_THAT(notes, ElementsAre(HasSubstr("2 rows of a call")));

  notes.clear();
  merge_repeats({{a, 5e-6}, {a, 15e-6}, {b, 7e-6}}, notes);
  EXPECT_THAT(notes,
              ElementsAre(HasSubstr("1 row of a call"),
                          AllOf(HasSubstr("1 call with repeats that lie more than 10 % apart"),
                                HasSubstr("3.00 times"), HasSubstr("add rows=1 cols=64"))));
}

TEST(ImportFaults, WhatACacheFedIsLabelledAndKept) {
  // 33.6 MB of weights in 5 µs: 6.7 TB/s, where DRAM has 4.8.
  const DelayTable t =
      imported(std::string(kHead) + "gemm,bf16,1,4096,4096,5\n" + "gemm,bf16,2,4096,4096,14\n");
  EXPECT_THAT(sample(t, 1).labels, ElementsAre("l2"));
  EXPECT_LT(sample(t, 1).delay_factor, 1);
  EXPECT_THAT(sample(t, 2).labels, IsEmpty());
  EXPECT_THAT(t.notes, Contains(AllOf(HasSubstr("1 call "), HasSubstr("l2"))));
}

TEST(ImportFaults, WhatIsFasterThanThePeakIsLabelled) {
  // 2 · 4096³ flops in 100 µs: 1.4 Pflop/s, where bf16 has 0.99.
  const DelayTable t = imported(std::string(kHead) + "gemm,bf16,4096,4096,4096,100\n");
  EXPECT_THAT(t.samples.at(0).labels, ElementsAre("above_peak"));
}

TEST(ImportFaults, IsolatedSpikesAreLabelledCountedAndNotFitted) {
  std::string text = kHead;
  for (int m = 1; m <= 64; m *= 2)
    text += "gemm,bf16," + std::to_string(m) + ",4096,4096," + (m == 8 ? "60" : "14") + "\n";
  const DelayTable t = imported(text);
  ASSERT_EQ(t.samples.size(), 7u);
  EXPECT_THAT(sample(t, 8).labels, ElementsAre(kSpike));
  for (int m : {1, 2, 4, 16, 32, 64}) EXPECT_THAT(sample(t, m).labels, IsEmpty()) << m;
  EXPECT_THAT(t.notes, Contains(AllOf(HasSubstr("1 call "), HasSubstr("spike"))));
  ASSERT_EQ(t.curves.size(), 1u);
  EXPECT_EQ(t.curves[0].samples.size(), 6u);
  for (const std::size_t i : t.curves[0].samples) EXPECT_NE(t.samples.at(i).call.dims[0], 8);
}

TEST(ImportFaults, AStepOrAnEndIsNoSpike) {
  std::string text = kHead;
  for (int m = 1; m <= 64; m *= 2)
    text += "gemm,bf16," + std::to_string(m) + ",4096,4096," + (m >= 8 ? "60" : "14") + "\n";
  // Another column's higher times are no neighbours.
  text += "gemm,bf16,1,64,64,3\ngemm,bf16,2,64,64,9\n";
  for (const Sample& s : imported(text).samples) EXPECT_THAT(s.labels, IsEmpty());
}

}  // namespace
}  // namespace ridge
