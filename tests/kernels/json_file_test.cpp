// Files are written whole or not at all.
#include "kernels/core/json_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "kernels/core/error.h"

namespace ridge {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class JsonFile : public testing::Test {
 protected:
  JsonFile() {
    const auto* info = testing::UnitTest::GetInstance()->current_test_info();
    folder_ = fs::path(testing::TempDir()) /
              (std::string("json_") + info->name() + "_" + std::to_string(getpid()));
    fs::create_directories(folder_);
  }
  ~JsonFile() override { fs::remove_all(folder_); }
  static std::string content(const fs::path& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  template <class F>
  static std::string refusal(F f) {
    try {
      f();
    } catch (const std::exception& e) {
      return e.what();
    }
    return "";
  }
  fs::path folder_;
};

TEST_F(JsonFile, ReadsWhatWasWrittenAndLeavesNothingElse) {
  const fs::path path = folder_ / "new" / "folder" / "a.json";
  const nlohmann::json j{{"a", 1}, {"b", {1.5, "µ"}}};
  write_json(path, j);
  write_json(path, j);
  EXPECT_EQ(read_json(path), j);
  EXPECT_EQ(std::distance(fs::directory_iterator(path.parent_path()), {}), 1);
}

TEST_F(JsonFile, AFailedWriteLeavesTheOldFile) {
  const fs::path path = folder_ / "a.json";
  write_file(path, "old");
  fs::create_directories(path.string() + ".tmp");  // in the way of the temporary file
  EXPECT_THAT(refusal([&] { write_file(path, "new"); }), HasSubstr(path.string()));
  EXPECT_EQ(content(path), "old");
}

TEST_F(JsonFile, SaysWhyAFolderCannotHaveIt) {
  write_file(folder_ / "file", "x");
  const fs::path below = folder_ / "file" / "a.json";
  const std::string text = refusal([&] { write_file(below, "y"); });
  EXPECT_THAT(text, HasSubstr(below.string()));
  EXPECT_THAT(text, HasSubstr("Not a directory"));
  EXPECT_THAT(refusal([&] { write_file(folder_, "y"); }), HasSubstr(folder_.string()));
}

TEST_F(JsonFile, WritesThroughToWhatIsNoFile) {
  fs::create_symlink("/dev/full", folder_ / "full");
  fs::create_symlink("/dev/null", folder_ / "null");
  EXPECT_THAT(refusal([&] { write_file(folder_ / "full", "x"); }), HasSubstr("No space left"));
  EXPECT_NO_THROW(write_file(folder_ / "null", "x"));
  EXPECT_TRUE(fs::is_character_file(folder_ / "full"));
  EXPECT_TRUE(fs::is_character_file(folder_ / "null")) << "a file was put in the device's place";
}

TEST_F(JsonFile, NamesTheFileAndPlaceOfWhatIsNoJson) {
  const fs::path path = folder_ / "a.json";
  EXPECT_THAT(refusal([&] { (void)read_json(path); }), HasSubstr(path.string()));
  for (const char* torn : {"", "{\"a\": 1,\n \"b\"", "{} trailing", "\xff"}) {
    std::ofstream(path, std::ios::binary) << torn;
    EXPECT_THROW((void)read_json(path), BadInput) << torn;
    const std::string text = refusal([&] { (void)read_json(path); });
    EXPECT_THAT(text, HasSubstr(path.string()));
    EXPECT_THAT(text, HasSubstr("line")) << text;
  }
}

}  // namespace
}  // namespace ridge
