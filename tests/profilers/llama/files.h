#pragma once
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <vector>

#include "profilers/llama/safetensors.h"

namespace ridge {

// A folder of the running test's own, gone with it.
class FolderTest : public testing::Test {
 protected:
  FolderTest() {
    const auto* info = testing::UnitTest::GetInstance()->current_test_info();
    folder_ = std::filesystem::path(testing::TempDir()) /
              (std::string("llama_") + info->test_suite_name() + "_" + info->name() + "_" +
               std::to_string(getpid()));
    std::filesystem::create_directories(folder_);
  }
  ~FolderTest() override { std::filesystem::remove_all(folder_); }

  std::filesystem::path put(const std::string& name, const std::string& content) const {
    std::ofstream(folder_ / name, std::ios::binary) << content;
    return folder_ / name;
  }
  static std::string content(const std::filesystem::path& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }

  std::filesystem::path folder_;
};

// A file's bytes by the format's description, right or wrong: written here by hand, so that the
// reader is not only held against this project's writer.
inline std::string file_bytes(const std::string& header, const std::string& data) {
  std::string bytes;
  for (std::size_t i = 0, n = header.size(); i < 8; ++i, n >>= 8)
    bytes += static_cast<char>(n & 0xff);
  return bytes + header + data;
}

// One entry of a header.
inline nlohmann::json entry(const char* dtype, const std::vector<int64_t>& shape, int64_t begin,
                            int64_t end) {
  return {{"dtype", dtype}, {"shape", shape}, {"data_offsets", {begin, end}}};
}

inline TensorView view(const std::string& name, const char* format, std::vector<int64_t> shape,
                       std::span<const std::byte> bytes) {
  return {.name = name, .format = format, .shape = std::move(shape), .bytes = bytes};
}

}  // namespace ridge
