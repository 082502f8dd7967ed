#include "kernels/cpu/cpu_notices.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "kernels/cpu/cpu_info.h"

namespace ridge {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(CpuNotices, QuietMachineNeedsNone) {
  EXPECT_THAT(cpu_notices({.threads = 8, .physical_cores = 8}), IsEmpty());
  EXPECT_THAT(cpu_notices({.threads = 8, .physical_cores = 0}), IsEmpty());  // unknown
}

TEST(CpuNotices, SayWhatThereIsAndWhatToDo) {
  EXPECT_THAT(
      cpu_notices({.hypervisor = true, .hidden_cache = true, .threads = 2, .physical_cores = 1}),
      ElementsAre(AllOf(HasSubstr("virtual machine"), HasSubstr("measure on a machine of its own")),
                  AllOf(HasSubstr("64 MiB are assumed"), HasSubstr("have the hypervisor")),
                  AllOf(HasSubstr("2 threads measure on 1 physical core:"), HasSubstr("taskset"))));
}

TEST(CpuNotices, HypervisorIsAWholeFlag) {
  EXPECT_TRUE(has_hypervisor("fpu sse4_2 hypervisor lahf_lm"));
  EXPECT_FALSE(has_hypervisor("fpu nohypervisor lahf_lm"));
  EXPECT_FALSE(has_hypervisor(""));
}

TEST(CpuNotices, SiblingsAreOneCore) {
  EXPECT_EQ(count_cores({"0,2", "1,3", "0,2", "1,3"}), 2);
  EXPECT_EQ(count_cores({"0", "1"}), 2);
  EXPECT_EQ(count_cores({"0", ""}), 0);
}

TEST(CpuNotices, ThisMachinesAgreeWithItsProvenance) {
  const DeviceInfo d = detect_cpu(static_cast<int>(allowed_cpus().size()));
  const auto said = [&](const char* what) {
    return std::any_of(d.notices.begin(), d.notices.end(), [&](const std::string& notice) {
      return notice.find(what) != std::string::npos;
    });
  };
  EXPECT_EQ(said("virtual machine"), d.provenance.contains("hypervisor"));
  EXPECT_EQ(said("64 MiB"), d.provenance.contains("last_level_cache"));
}

}  // namespace
}  // namespace ridge
