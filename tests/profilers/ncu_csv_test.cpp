// What Nsight Compute writes, as its versions of 2022 to 2025 do.
#include "profilers/ncu_csv.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "profilers/ncu.h"

namespace ridge {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr const char* kTensor = "sm__pipe_tensor_cycles_active.avg.pct_of_peak_sustained_active";
constexpr const char* kIssued = "sm__inst_executed_pipe_tensor.avg.pct_of_peak_sustained_active";
constexpr const char* kDram = "dram__throughput.avg.pct_of_peak_sustained_elapsed";

const std::string kTwoKernels =
    R"csv(==PROF== Connected to process 4711 (/opt/ridgepoint/bin/profile)
note: the power limit is 500 W
==PROF== Profiling "splitKreduce_kernel" - 0: 0%....50%....100% - 2 passes
==PROF== Disconnected from process 4711
"ID","Process ID","Process Name","Host Name","thread Domain:Push/Pop_Range:PL_Type:PL_Value:CLR_Type:Color:Msg_Type:Msg","Id:Domain:Start/Stop_Range:PL_Type:PL_Value:CLR_Type:Color:Msg_Type:Msg","Kernel Name","Context","Stream","Block Size","Grid Size","Device","CC","dram__throughput.avg.pct_of_peak_sustained_elapsed","gpu__time_duration.sum","sm__inst_executed_pipe_tensor.avg.pct_of_peak_sustained_active","sm__pipe_tensor_cycles_active.avg.pct_of_peak_sustained_active"
"","","","","","","","","","","","","","%","ns","%","%"
"0","4711","profile","127.0.0.1","4711  ""<default domain>:ridge_counted:none:none:none:none:none:none"" ","","sm90_xmma_gemm<tilesize128x128x64, warpgroupsize1>(Params, const float *)","1","13","(384, 1, 1)","(132, 1, 1)","0","9.0","20.50","3,000","n/a","90"
"1","4711","profile","127.0.0.1","4711  ""<default domain>:ridge_counted:none:none:none:none:none:none"" ","","void splitKreduce_kernel<32, 16>(Params)","1","13","(512, 1, 1)","(64, 1, 1)","0","9.0","80.50","1,000","0","0"
)csv";

TEST(NcuCsv, KernelsAreReadBetweenOtherLines) {
  const auto kernels = parse_ncu_csv(kTwoKernels);
  ASSERT_EQ(kernels.size(), 2u);
  EXPECT_EQ(kernels[0].kernel,
            "sm90_xmma_gemm<tilesize128x128x64, warpgroupsize1>(Params, const float *)");
  EXPECT_EQ(kernels[0].metrics.at(kNcuDuration), 3000);
  EXPECT_EQ(kernels[0].metrics.at(kDram), 20.5);
  EXPECT_FALSE(kernels[0].metrics.contains(kIssued));  // n/a
  EXPECT_EQ(kernels[1].metrics.at(kTensor), 0);
}

TEST(NcuCsv, MeansAreWeightedByDuration) {
  const auto kernels = parse_ncu_csv(kTwoKernels);
  EXPECT_DOUBLE_EQ(mean_over_time(kernels, {kTensor}).value(), 67.5);
  EXPECT_DOUBLE_EQ(mean_over_time(kernels, {kDram}).value(), 35.5);
}

TEST(NcuCsv, FirstMetricThatAllKernelsHaveIsTaken) {
  const auto kernels = parse_ncu_csv(kTwoKernels);
  EXPECT_DOUBLE_EQ(mean_over_time(kernels, {kIssued, kTensor}).value(), 67.5);
  EXPECT_EQ(mean_over_time(kernels, {kIssued}), std::nullopt);
  EXPECT_EQ(mean_over_time(kernels, {"nonesuch"}), std::nullopt);
  EXPECT_EQ(mean_over_time({}, {kTensor}), std::nullopt);
}

TEST(NcuCsv, DurationIsNeededOnlyForSeveralKernels) {
  const KernelCounters a{"a", {{kDram, 10}}}, b{"b", {{kDram, 30}}};
  EXPECT_EQ(mean_over_time({a}, {kDram}), 10);
  EXPECT_EQ(mean_over_time({a, b}, {kDram}), std::nullopt);
}

std::vector<KernelCounters> with_value(const std::string& value) {
  return parse_ncu_csv("\"ID\",\"Kernel Name\",\"x\"\n\"\",\"\",\"%\"\r\n\"0\",\"k\",\"" + value +
                       "\"\r\n");
}

TEST(NcuCsv, ThousandsAreSeparatedAndNothingElse) {
  for (const auto& [text, value] :
       {std::pair{"1,234,567.25", 1234567.25}, {"12,345", 12345.0}, {"65.77", 65.77}, {"0", 0.0}})
    EXPECT_EQ(with_value(text).at(0).metrics.at("x"), value) << text;
  for (const char* text : {"n/a", "(!) n/a", "", "65,77", "1,23,456", "1.234,5", "12 %", "nan",
                           "inf", ",123", "1,2345.5"})
    EXPECT_FALSE(with_value(text).at(0).metrics.contains("x")) << text;
}

TEST(NcuCsv, TextWithoutAPageHasNoKernels) {
  EXPECT_THAT(parse_ncu_csv(""), IsEmpty());
  EXPECT_THAT(parse_ncu_csv("==WARNING== No kernels were profiled.\n"), IsEmpty());
  EXPECT_THAT(parse_ncu_csv("\"ID\",\"Kernel Name\",\"x\"\n\"\",\"\",\"%\"\n"), IsEmpty());
  EXPECT_THAT(parse_ncu_csv("\"ID\",\"Kernel Name\",\"x\"\n\"0\",\"torn li"), IsEmpty());
}

TEST(NcuError, PermissionSaysWhatToDo) {
  const NcuError e = ncu_error(
      "==PROF== Connected to process 17664 (/opt/ridgepoint/bin/profile)\n"
      "==ERROR== ERR_NVGPUCTRPERM - The user does not have permission to access NVIDIA GPU "
      "Performance Counters on the target device 0. For instructions on enabling permissions and "
      "to get more information see https://developer.nvidia.com/ERR_NVGPUCTRPERM\n"
      "==PROF== Disconnected from process 17664\n");
  EXPECT_TRUE(e.for_every_call);
  EXPECT_THAT(e.why, HasSubstr("run as root"));
  EXPECT_THAT(e.why, HasSubstr("NVreg_RestrictProfilingToAdminUsers=0"));
  EXPECT_THAT(e.why, Not(HasSubstr("\n")));
}

TEST(NcuError, SaysWhatTheProgramOrNcuSaid) {
  EXPECT_EQ(ncu_error("==ERROR== The application returned an error code (1).\n"
                      "error: out of memory\n")
                .why,
            "the call fails under ncu: out of memory");
  EXPECT_EQ(ncu_error("==ERROR== Failed to prepare kernel for profiling\n").why,
            "ncu: Failed to prepare kernel for profiling");
  EXPECT_EQ(ncu_error("==WARNING== No kernels were profiled.\n").why, "ncu profiled no kernel");
  EXPECT_FALSE(ncu_error("").for_every_call);
}

TEST(Ncu, CommandCountsTheRangeAndNothingElse) {
  const auto command = ncu_command("/opt/ncu", 90, {"/bin/profile", "--call", "gemm m=1"});
  EXPECT_EQ(command.front(), "/opt/ncu");
  EXPECT_EQ(command.back(), "gemm m=1");
  std::string line;
  for (const std::string& word : command) line += word + " ";
  for (const char* part : {"--csv --page raw", "--nvtx --nvtx-include ridge_counted/ ",
                           "--clock-control none", kTensor, kDram})
    EXPECT_THAT(line, HasSubstr(part));
}

TEST(Ncu, MetricsOfTheTensorPipeDependOnTheGeneration) {
  EXPECT_THAT(tensor_metrics(90, "active"), ElementsAre(kTensor));
  EXPECT_THAT(tensor_metrics(75, "active"), ElementsAre(kTensor, kIssued));
}

TEST(Ncu, CommandThatDoesNotStartIsAnError) {
  NcuError error;
  EXPECT_EQ(count_under_ncu("/nonesuch/ncu", 90, {"/bin/true"}, &error).kernels, 0u);
  EXPECT_THAT(error.why, HasSubstr("/nonesuch/ncu does not start"));
  EXPECT_TRUE(error.for_every_call);
}

}  // namespace
}  // namespace ridge
