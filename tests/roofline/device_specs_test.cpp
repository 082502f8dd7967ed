#include "roofline/device_specs.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "kernels/core/error.h"
#include "roofline/datasheet.h"

namespace ridge {
namespace {

namespace fs = std::filesystem;

TEST(DeviceSpecs, HoldTheReferenceNumbers) {
  struct Reference {
    const char* name;
    double tflops, gb_s;
    int sms, l2_mb;
  };
  for (const Reference& r :
       {Reference{"Tesla T4", 65, 320, 40, 4}, Reference{"NVIDIA A10G", 70, 600, 80, 6},
        Reference{"NVIDIA L4", 121, 300, 58, 48}, Reference{"NVIDIA L40S", 362, 864, 142, 96},
        Reference{"NVIDIA A100-SXM4-40GB", 312, 1555, 108, 40},
        Reference{"NVIDIA A100-SXM4-80GB", 312, 2039, 108, 40},
        Reference{"NVIDIA H100 80GB HBM3", 989, 3350, 132, 50},
        Reference{"NVIDIA H200", 989, 4800, 132, 60}, Reference{"NVIDIA A40", 149.7, 696, 84, 6},
        Reference{"V100-PCIe-32GB", 112, 900, 80, 6},
        Reference{"NVIDIA RTX PRO 6000 Blackwell Server Edition", 480, 1597, 188, 128}}) {
    const auto d = find_device(r.name);
    ASSERT_TRUE(d) << r.name;
    EXPECT_NEAR(d->peak_flops_per_s.at("matrix.f16") / 1e12, r.tflops, 0.5) << r.name;
    EXPECT_DOUBLE_EQ(d->memory_bandwidth_bytes_per_s / 1e9, r.gb_s) << r.name;
    EXPECT_EQ(d->sm_count, r.sms) << r.name;
    EXPECT_EQ(d->l2_bytes, int64_t{r.l2_mb} << 20) << r.name;
  }
}

TEST(DeviceSpecs, VectorPeaksFollowFromCoresAndClock) {
  // One fused multiply-add a core and cycle. Datasheets take a slightly lower boost clock for some.
  for (const DeviceSpec& d : device_specs()) {
    const double fma = 2.0 * d.sm_count * d.cuda_cores_per_sm * d.max_clock_hz;
    EXPECT_NEAR(d.peak_flops_per_s.at("vector.f32") / fma, 1, 0.12) << d.name;
    EXPECT_FALSE(d.source.empty()) << d.name;
    EXPECT_GT(d.peak_flops_per_s.at("matrix.f16"), d.peak_flops_per_s.at("vector.f32")) << d.name;
  }
}

TEST(DeviceSpecs, NamesAreFoundLooselyButNotWrongly) {
  EXPECT_EQ(find_device("h200")->name, "H200");
  EXPECT_EQ(find_device("NVIDIA A100 80GB PCIe")->name, "A100-PCIe-80GB");
  EXPECT_EQ(find_device("A100-40G")->name, "A100-SXM-40GB");
  EXPECT_EQ(find_device("rtx 4090")->name, "RTX-4090");
  EXPECT_EQ(find_device("NVIDIA GeForce RTX 4090")->name, "RTX-4090");
  EXPECT_FALSE(find_device("NVIDIA H200 MIG 1g.18gb"));
  EXPECT_FALSE(find_device("L400"));
  EXPECT_FALSE(find_device(""));
  EXPECT_FALSE(find_device("AMD EPYC"));
}

TEST(DeviceSpecs, LabelsOfPublishedMeasurementsAreKnown) {
  for (const char* label :
       {"A100-40GB", "A100-80GB", "A100-PCIe-40GB", "A100-PCIe-80GB", "A100-SXM-80GB", "A10G",
        "A40", "B200-SXM", "H100-80GB", "H100-SXM", "H200-SXM", "L4", "L40S", "RTX-PRO-6000-Server",
        "T4", "V100-PCIe-32GB"})
    EXPECT_TRUE(find_device(label)) << label;
  EXPECT_EQ(suggested_devices("H300").substr(0, 4), "H100");
  EXPECT_NE(suggested_devices("H300").find("T4"), std::string::npos);
}

TEST(DeviceSpecs, TellTheLinkOneWay) {
  for (const auto& [name, gb_s] :
       {std::pair{"A100", 300}, std::pair{"H200", 450}, std::pair{"B200", 900},
        std::pair{"L40S", 32}, std::pair{"A40", 32}, std::pair{"RTX-PRO-6000-Server", 64}})
    EXPECT_DOUBLE_EQ(find_device(name)->link_bandwidth_bytes_per_s, gb_s * 1e9) << name;
  for (const DeviceSpec& d : device_specs()) EXPECT_GT(d.link_bandwidth_bytes_per_s, 0) << d.name;
}

TEST(Datasheet, CeilingsSayWhatTheyAre) {
  const DeviceSpec a100 = *find_device("A100");
  const Ceilings c = datasheet_ceilings(a100);
  EXPECT_DOUBLE_EQ(c.values.at("dram.copy").value, 2039e9);
  EXPECT_DOUBLE_EQ(c.values.at("matrix.bf16").value, 312e12);
  EXPECT_EQ(c.values.at("matrix.bf16").method, "datasheet");
  EXPECT_EQ(c.values.at("l2.read").method, "published");
  EXPECT_EQ(c.values.at("link").unit, "byte/s");
  EXPECT_EQ(c.provenance.at("source"), "datasheet");
  EXPECT_EQ(datasheet_ceilings(*find_device("T4")).values.count("l2.read"), 0u);
  EXPECT_EQ(device_info(a100).units, 108);
}

TEST(DeviceSpecs, NoNameMeansTwoDevices) {
  for (const DeviceSpec& d : device_specs()) {
    EXPECT_EQ(find_device(d.name)->name, d.name);
    for (const std::string& alias : d.aliases) EXPECT_EQ(find_device(alias)->name, d.name) << alias;
  }
}

TEST(DeviceSpecs, ABrokenFileIsNamedWithItsKey) {
  const fs::path file = fs::temp_directory_path() / "ridge-broken-device.json";
  for (const auto& [text, named] :
       {std::pair{"{\"name\": \"X\"}", "aliases"}, std::pair{"{", "parse error"}}) {
    std::ofstream(file) << text;
    try {
      read_device_spec(file);
      FAIL() << text;
    } catch (const BadInput& e) {
      EXPECT_NE(std::string(e.what()).find(named), std::string::npos) << e.what();
      EXPECT_NE(std::string(e.what()).find(file.string()), std::string::npos);
    }
  }
  fs::remove(file);
}

TEST(DeviceSpecs, TheDataFolderCanBeChosen) {
  ASSERT_EQ(setenv("RIDGE_DATA_DIR", "/elsewhere", 1), 0);
  EXPECT_EQ(data_dir(), fs::path("/elsewhere"));
  unsetenv("RIDGE_DATA_DIR");
  EXPECT_TRUE(fs::exists(data_dir() / "roofline" / "devices" / "t4.json"));
}

TEST(DeviceSlug, IsAFolderName) {
  EXPECT_EQ(device_slug({.kind = "cuda", .name = "NVIDIA H200"}), "nvidia-h200");
  EXPECT_EQ(device_slug({.kind = "cuda", .name = "Tesla T4"}), "tesla-t4");
  EXPECT_EQ(device_slug({.kind = "cpu", .name = "AMD EPYC 9R45 (64-Core)", .units = 2}),
            "cpu-amd-epyc-9r45-64-core-2c");
  EXPECT_EQ(device_slug({.kind = "cpu", .name = "../../etc", .units = 1}), "cpu-etc-1c");
}

}  // namespace
}  // namespace ridge
