#include "predictor/request/compare_report.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/predictor/request/compare_fixture.h"

namespace ridge {
namespace {

using namespace fixture;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(CompareReport, FitsIntoEightyColumns) {
  Comparison c =
      comparison({"p5.48xlarge", "RTX-PRO-6000-Server", "t4", "g5.xlarge"}, {small(), large()});
  c.models[0].name = "a-model-with-a-name-of-rather-many-letters-that-goes-on-and-on";
  c.models[0].max_positions = 1000000;
  c.batches = {1, 100000};
  c.input = 200000;
  c.limits = {.ttft_s = 0.1, .tpot_s = 0.004};
  c.prices.gpu_usd_per_hour = {{"H100-SXM", 12345.678}, {"T4", 0.0001}};
  const auto rows = compare(c, kFake);
  const std::string text = compare_text(c, rows);
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 80u) << line;
  EXPECT_THAT(text, HasSubstr("does not fit: "));
  EXPECT_THAT(text, HasSubstr("context too long"));
  EXPECT_THAT(text, HasSubstr("$/M out"));
  EXPECT_THAT(text, HasSubstr("* TTFT above 100 ms, or TPOT above 4 ms"));
}

TEST(CompareReport, ABatchThatIsTheBestAsWellStandsOnce) {
  Comparison c = comparison({"t4"}, {large()});
  c.batches = {1, 8, kBestBatch};
  const auto rows = compare(c, kFake);
  ASSERT_EQ(rows.size(), 3u);  // 141 GB do not fit on eight T4: no batch does
  const std::string text = compare_text(c, rows);
  const std::string line =
      text.substr(text.find("T4  "), text.find('\n', text.find("T4  ")) - text.find("T4  "));
  EXPECT_THAT(line, HasSubstr("does not fit"));
  EXPECT_EQ(text.find(line, text.find(line) + 1), std::string::npos) << text;
}

TEST(CompareReport, SaysOnceWhatWasNotMeasured) {
  Comparison c = comparison({"h100", "t4"}, {small()});
  c.batches = {1, 2};
  EXPECT_THAT(compare_text(c, compare(c, kFake)),
              HasSubstr("\nH100-SXM: measured on other GPUs only: rope\n"
                        "H100-SXM: roofline estimates, not measured: an_operator_of_a_long_name,\n"
                        "  another_of_a_long_name\n"
                        "T4: measured on other GPUs only: rope\n"));
}

TEST(CompareReport, PricesAreShownWhereThereAreSome) {
  const Comparison c = comparison({"h100"}, {small()});
  const std::string text = compare_text(c, compare(c, kFake));
  EXPECT_THAT(text, Not(HasSubstr("$/M")));
  EXPECT_THAT(text, HasSubstr("small-8b: 1024 tokens in, 256 out, kernels\n"));
  EXPECT_THAT(text, HasSubstr("H100-SXM          1      1     10.2     8.10     2.08      123\n"));
}

TEST(CompareReport, CsvAndJsonSayTheSame) {
  Comparison c = comparison({"h100", "t4"}, {small(), large()});
  c.prices.gpu_usd_per_hour = {{"H100-SXM", 10}};
  const auto rows = compare(c, kFake);
  const Csv csv = parse_csv(compare_csv(c, rows), "out");
  const nlohmann::json j = to_json(c, rows);
  ASSERT_EQ(csv.rows.size(), rows.size());
  ASSERT_EQ(j.at("rows").size(), rows.size());
  const auto cell = [&](std::size_t row, const std::string& column) {
    const auto at = std::find(csv.header.begin(), csv.header.end(), column);
    EXPECT_NE(at, csv.header.end()) << column;
    return csv.rows[row][static_cast<std::size_t>(at - csv.header.begin())];
  };
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const nlohmann::json& one = j.at("rows")[i];
    EXPECT_EQ(cell(i, "target"), one.at("target"));
    EXPECT_EQ(cell(i, "fits"), one.at("fits").get<bool>() ? "1" : "0");
    EXPECT_EQ(cell(i, "usd_per_hour").empty(), one.at("usd_per_hour").is_null());
    EXPECT_EQ(cell(i, "ttft_ms").empty(), !one.contains("ttft_s"));
    if (!one.contains("ttft_s")) continue;
    EXPECT_NEAR(std::stod(cell(i, "ttft_ms_low")), 1e3 * one.at("ttft_s").at("low").get<double>(),
                1e-3);
    EXPECT_NEAR(std::stod(cell(i, "total_ms")), 1e3 * one.at("total_s").at("value").get<double>(),
                0.01);
  }
  EXPECT_FALSE(j.at("rows")[3].at("fits").get<bool>());  // 70B on eight T4s
}

TEST(CompareReport, SaysWhereAModelRunsInAnotherDtype) {
  const Comparison c = comparison({"t4", "l4"}, {small()});
  EXPECT_THAT(compare_text(c, compare(c, kFake)),
              HasSubstr("T4: runs in f16, as it has no bf16\n"));
}

}  // namespace
}  // namespace ridge
