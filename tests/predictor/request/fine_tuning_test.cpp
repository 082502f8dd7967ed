#include "predictor/request/fine_tuning.h"

#include <gmock/gmock.h>

#include <cmath>
#include <fstream>

#include "kernels/core/error.h"
#include "tests/predictor/request/made_up.h"

namespace ridge {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

class FineTuningFile : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "ridge-tuning-XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  void TearDown() override { fs::remove_all(folder_); }

  FineTuning read(const std::string& text) const {
    std::ofstream(folder_ / "f.json") << text;
    return read_fine_tuning(folder_ / "f.json");
  }
  std::string error_of(const std::string& text) const {
    try {
      read(text);
    } catch (const BadInput& e) {
      return e.what();
    }
    return "no BadInput";
  }

  fs::path folder_;
};

template <class Act>
std::string error_of(const Act& act) {
  try {
    act();
  } catch (const BadInput& e) {
    return e.what();
  }
  return "no BadInput";
}

TEST(FineTuning, AGpusAliasesAreOne) {
  FineTuning f;
  f.set("tesla t4", "gemm", 0.8);
  f.set("NVIDIA T4", "BMM=1.1");
  f.set("t4", "gemm=0.9");
  EXPECT_THAT(f.of("T4"), UnorderedElementsAre(Pair("gemm", 0.9), Pair("BMM", 1.1)));
  EXPECT_TRUE(f.of("L40S").empty());
}

TEST(FineTuning, WrongOnesAreRefused) {
  FineTuning f;
  EXPECT_THAT(error_of([&] { f.set("T4", "gem", 1.1); }), HasSubstr("gem"));
  for (const double factor : {0.0, -1.0, std::nan(""), HUGE_VAL})
    EXPECT_THAT(error_of([&] { f.set("T4", "gemm", factor); }), HasSubstr("above 0"));
  for (const char* text : {"gemm", "gemm=", "gemm=x", "gemm=1.1x", "=1.1", "gemm 1.1"})
    EXPECT_NE(error_of([&] { f.set("T4", text); }), "no BadInput") << text;
  EXPECT_TRUE(f.all().empty());
}

TEST(FineTuning, ActsOnTheTablesOfItsGpu) {
  const Call call{"gemm", {16, 512, 512}, Dtype::kF16, {}};
  const auto seconds = [&](const TableSet& t) { return t.predict(std::span(&call, 1))[0].seconds; };
  const TableSet plain = made_up::tables();
  TableSet tuned = plain, other = plain;
  FineTuning f;
  f.set("Test machine", "Linear_GEMM", 1.25);
  f.apply(tuned);
  EXPECT_DOUBLE_EQ(seconds(tuned), 1.25 * seconds(plain));
  FineTuning of_t4;
  of_t4.set("T4", "gemm", 1.25);
  of_t4.apply(other);
  EXPECT_EQ(seconds(other), seconds(plain));
}

TEST_F(FineTuningFile, IsReadAsItWasSaved) {
  FineTuning f;
  f.set("T4", "gemm", 0.8);
  f.set("T4", "RMS_Norm", 1.5);
  f.set("my own board", "rope", 2);
  save_fine_tuning(f, folder_ / "saved.json");
  EXPECT_EQ(read_fine_tuning(folder_ / "saved.json").all(), f.all());
}

TEST_F(FineTuningFile, TheFirstGenerationsKeysAreRead) {
  const FineTuning f = read(R"({"T4_Linear_GEMM": 0.8, "A100_80G_BMM": 1.1, "L40S_gemm": 0.9})");
  EXPECT_THAT(f.of("T4"), UnorderedElementsAre(Pair("Linear_GEMM", 0.8)));
  EXPECT_THAT(f.of("A100 80GB"), UnorderedElementsAre(Pair("BMM", 1.1)));
  EXPECT_THAT(f.of("l40s"), UnorderedElementsAre(Pair("gemm", 0.9)));
}

TEST_F(FineTuningFile, WrongOnesAreRefusedByNameAndKey) {
  for (const auto& [text, said] :
       {std::pair{"[1]", "f.json"}, std::pair{R"({"T4": 1})", "T4"},
        std::pair{R"({"X9_Linear_GEMM": 1})", "X9_Linear_GEMM"},
        std::pair{R"({"T4_Linear_GEMM": "a"})", "not a number"},
        std::pair{R"({"T4_Linear_GEMM": -1})", "above 0"},
        std::pair{R"({"schema_version": 1})", "multipliers"},
        std::pair{R"({"schema_version": 2, "multipliers": {}})", "schema_version"},
        std::pair{R"({"schema_version": 1, "multipliers": {"T4": {"gemm": 0}}})", "gemm"},
        std::pair{R"({"schema_version": 1, "multipliers": {"T4": {"gem": 1}}})", "gem"}}) {
    EXPECT_THAT(error_of(text), HasSubstr(said)) << text;
    EXPECT_THAT(error_of(text), HasSubstr("f.json")) << text;
  }
}

}  // namespace
}  // namespace ridge
