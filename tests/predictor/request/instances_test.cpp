#include "predictor/request/instances.h"

#include <gmock/gmock.h>

#include <set>

#include "kernels/core/error.h"
#include "roofline/device_specs.h"

namespace ridge {
namespace {

using ::testing::HasSubstr;

Prices prices(const std::string& text) { return prices_from(parse_csv(text, "p.csv"), "p.csv"); }

std::string error_of(const std::string& text) {
  try {
    prices(text);
  } catch (const BadInput& e) {
    return e.what();
  }
  return "no BadInput";
}

TEST(Instances, HaveTheirGpus) {
  struct Known {
    const char *name, *gpu;
    int64_t gpus, host_gib;
  };
  for (const Known& k :
       {Known{"g4dn.xlarge", "T4", 1, 16}, Known{"g4dn.12xlarge", "T4", 4, 192},
        Known{"g4dn.metal", "T4", 8, 384}, Known{"g5.xlarge", "A10G", 1, 16},
        Known{"g5.48xlarge", "A10G", 8, 768}, Known{"g6.12xlarge", "L4", 4, 192},
        Known{"g6e.xlarge", "L40S", 1, 32}, Known{"g6e.48xlarge", "L40S", 8, 1536},
        Known{"p4d.24xlarge", "A100-SXM-40GB", 8, 1152},
        Known{"p4de.24xlarge", "A100-SXM-80GB", 8, 1152}, Known{"p5.4xlarge", "H100-SXM", 1, 256},
        Known{"p5.48xlarge", "H100-SXM", 8, 2048}, Known{"p5en.48xlarge", "H200", 8, 2048}}) {
    const auto i = find_instance(k.name);
    ASSERT_TRUE(i) << k.name;
    EXPECT_EQ(i->gpu, k.gpu) << k.name;
    EXPECT_EQ(i->gpus, k.gpus) << k.name;
    EXPECT_EQ(i->host_memory_bytes, k.host_gib << 30) << k.name;
  }
}

TEST(Instances, AreThereOnceEachWithAGpuThatIsKnown) {
  std::set<std::string> names;
  for (const Instance& i : instances()) {
    EXPECT_TRUE(names.insert(i.name).second) << i.name;
    ASSERT_TRUE(find_device(i.gpu)) << i.name;
    EXPECT_EQ(find_device(i.gpu)->name, i.gpu) << i.name;
    EXPECT_TRUE(i.gpus == 1 || i.gpus == 4 || i.gpus == 8) << i.name;
    EXPECT_GE(i.host_memory_bytes, int64_t{16} << 30) << i.name;
  }
  EXPECT_GE(names.size(), 37u);
}

TEST(Instances, AreFoundInAnyCaseAndOnlyWhole) {
  EXPECT_EQ(find_instance("P5.48XLarge")->name, "p5.48xlarge");
  EXPECT_FALSE(find_instance("p5"));
  EXPECT_FALSE(find_instance("p5.48xlarge2"));
  EXPECT_FALSE(find_instance(""));
}

TEST(Prices, AreReadByInstanceOrGpu) {
  const Prices i = prices("instance,usd_per_hour\r\ng5.xlarge, 1.5\r\nP5.48xlarge,80\r\n");
  EXPECT_EQ(i.of(*find_instance("g5.xlarge")), 1.5);
  EXPECT_EQ(i.of(*find_instance("p5.48xlarge")), 80);
  EXPECT_FALSE(i.of(*find_instance("p5.4xlarge")));
  const Prices g = prices("usd_per_hour,region,gpu\n0.5,eu,tesla t4\n2,eu,H100\n");
  EXPECT_EQ(g.gpu_usd_per_hour.at("T4"), 0.5);
  EXPECT_EQ(g.of(*find_instance("g4dn.12xlarge")), 2.0);
  EXPECT_EQ(g.of(*find_instance("p5.48xlarge")), 16.0);
  EXPECT_FALSE(g.of(*find_instance("g5.xlarge")));
}

TEST(Prices, AnInstancesOwnPriceGoesFirst) {
  const Prices p = prices("instance,gpu,usd_per_hour\ng4dn.metal,,3\n,T4,1\n");
  EXPECT_EQ(p.of(*find_instance("g4dn.metal")), 3);
  EXPECT_EQ(p.of(*find_instance("g4dn.xlarge")), 1);
}

TEST(Prices, WrongNumbersAreRefusedWithTheirLine) {
  for (const char* bad :
       {"-1", "nan", "NaN", "inf", "-inf", "0", "", "1.5usd", "$2", "1e999", "1,5", "0x10"}) {
    const std::string error =
        error_of("instance,usd_per_hour\ng5.xlarge,1\ng6.xlarge,\"" + std::string(bad) + "\"\n");
    EXPECT_THAT(error, HasSubstr("p.csv: line 3")) << bad;
    EXPECT_THAT(error, HasSubstr("must be a number above 0")) << bad;
  }
}

TEST(Prices, MissingColumnsAreNamed) {
  EXPECT_THAT(error_of("instance,price\ng5.xlarge,1\n"), HasSubstr("'usd_per_hour' is missing"));
  EXPECT_THAT(error_of("name,usd_per_hour\ng5.xlarge,1\n"), HasSubstr("'instance' or 'gpu'"));
}

TEST(Prices, UnknownNamesGetSuggestions) {
  const std::string instance = error_of("instance,usd_per_hour\np5.48large,1\n");
  EXPECT_THAT(instance, HasSubstr("line 2"));
  EXPECT_THAT(instance, HasSubstr("p5.48xlarge"));
  EXPECT_THAT(error_of("gpu,usd_per_hour\nH300,1\n"), HasSubstr("known are H100"));
}

TEST(Prices, NamesAreThereOnceAndOneARow) {
  EXPECT_THAT(error_of("gpu,usd_per_hour\nT4,1\nTesla T4,2\n"), HasSubstr("second price of 'T4'"));
  EXPECT_THAT(error_of("gpu,instance,usd_per_hour\nT4,g4dn.xlarge,2\n"), HasSubstr("not both"));
  EXPECT_THAT(error_of("gpu,instance,usd_per_hour\n,,2\n"), HasSubstr("line 2"));
  EXPECT_THAT(error_of("gpu,usd_per_hour\nT4,1,2\n"), HasSubstr("line 2"));
}

}  // namespace
}  // namespace ridge
