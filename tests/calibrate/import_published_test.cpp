// Every published file imports: as good as all of its rows are taken, and its operators get ideal
// times. Skips where the data is absent.
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "calibrate/import_faults.h"
#include "roofline/datasheet.h"
#include "tests/calibrate/import_text.h"

namespace ridge {
namespace {

namespace fs = std::filesystem;

fs::path data_folder() {
  const char* asked = std::getenv("RIDGE_PUBLISHED_DATA");
  return asked ? fs::path(asked) : fs::path(RIDGE_SOURCE_DIR).parent_path() / "shared/data/open";
}

std::vector<fs::path> files() {
  std::vector<fs::path> all;
  std::error_code missing;
  for (const auto& entry : fs::directory_iterator(data_folder(), missing))
    if (entry.path().extension() == ".csv") all.push_back(entry.path());
  std::sort(all.begin(), all.end());
  return all;
}

// <source>__<gpu>__<family>.csv
std::string gpu_of(const fs::path& file) {
  const std::string name = file.stem().string();
  const auto from = name.find("__") + 2;
  return name.substr(from, name.find("__", from) - from);
}

TEST(ImportPublished, NearlyEveryRowOfEveryFileIsTaken) {
  const auto all = files();
  if (all.empty()) GTEST_SKIP() << data_folder() << " is absent";
  for (const fs::path& file : all) {
    SCOPED_TRACE(file.filename());
    const auto device = find_device(gpu_of(file));
    ASSERT_TRUE(device) << gpu_of(file);
    std::ifstream in(file, std::ios::binary);
    const std::string text(std::istreambuf_iterator<char>(in), {});
    ImportedRows rows;
    add_rows(text, file.string(), import_text::on(gpu_of(file).c_str()), rows);
    const ImportedFile& read = rows.files.at(0);
    EXPECT_GE(static_cast<double>(read.taken), 0.99 * static_cast<double>(read.rows))
        << (read.rejections.empty() ? "" : read.rejections[0]);
    std::vector<std::string> notes;
    std::vector<ImportedCall> calls = merge_repeats(rows.rows, notes);
    const std::size_t before = calls.size();
    drop_unlimited(calls, datasheet_ceilings(*device), notes);
    EXPECT_EQ(calls.size(), before) << notes.back();
    label_fast(calls, datasheet_ceilings(*device), notes);
    label_spikes(calls, notes);
    std::printf("%s: %zu of %zu rows\n", read.name.c_str(), read.taken, read.rows);
    for (const std::string& note : notes) std::printf("  %s\n", note.c_str());
  }
}

}  // namespace
}  // namespace ridge
