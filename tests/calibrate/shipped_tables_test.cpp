// What ships in results/: every table loads, is small, says where it is from where it was imported,
// and results/README.md lists it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "calibrate/table.h"

namespace ridge {
namespace {

namespace fs = std::filesystem;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Key;
using ::testing::Not;

const fs::path kResults = fs::path(RIDGE_SOURCE_DIR) / "results";

std::string text_of(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

// results/<device>/<table>.json; ceilings lie beside the tables.
std::vector<fs::path> shipped() {
  std::vector<fs::path> all;
  for (const auto& device : fs::directory_iterator(kResults)) {
    if (!device.is_directory()) continue;
    for (const auto& file : fs::directory_iterator(device.path()))
      if (file.path().extension() == ".json" && file.path().filename() != "ceilings.json")
        all.push_back(file.path());
  }
  std::sort(all.begin(), all.end());
  return all;
}

TEST(ShippedTables, LoadAndSayWhereTheyAreFrom) {
  ASSERT_FALSE(shipped().empty());
  for (const fs::path& path : shipped()) {
    SCOPED_TRACE(path.string());
    const DelayTable table = load_table(path);
    EXPECT_FALSE(table.curves.empty());
    EXPECT_LE(fs::file_size(path), 2'000'000U);
    const auto method = table.provenance.find("method");
    if (method == table.provenance.end() || method->second != "imported") continue;
    EXPECT_THAT(table.provenance, Contains(Key("repository")));
    EXPECT_THAT(table.provenance, Contains(Key("licence")));
    // Made in a folder of its own: no path of the machine that made it.
    EXPECT_THAT(table.provenance.at("command_line"), Not(HasSubstr(" /")));
  }
}

TEST(ShippedTables, AreListedInTheReadme) {
  const std::string readme = text_of(kResults / "README.md");
  for (const fs::path& path : shipped())
    EXPECT_THAT(readme, HasSubstr("(" + fs::relative(path, kResults).generic_string() + ")"))
        << "write it again with scripts/import_published";
}

}  // namespace
}  // namespace ridge
