// Files that break a rule of the format: each is refused in words that name file and tensor.
#include <gmock/gmock.h>
#include <rapidcheck/gtest.h>

#include "kernels/core/error.h"
#include "profilers/llama/safetensors.h"
#include "tests/error_of.h"
#include "tests/profilers/llama/files.h"

namespace ridge {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;

struct SafetensorsFault : FolderTest {
  std::string refusal(const std::string& content) {
    const fs::path path = put("bad.safetensors", content);
    return error_of([&] { (void)Safetensors::open(path); });
  }
  std::string refusal(const json& header, const std::string& data) {
    return refusal(file_bytes(header.dump(), data));
  }
};

const std::string kFour = "1234";

std::string good_file() {
  const json header = {{"x", entry("F32", {1}, 0, 4)}, {"y", entry("I8", {4}, 4, 8)}};
  return file_bytes(header.dump(), kFour + kFour);
}

TEST_F(SafetensorsFault, EveryTruncationIsRefusedAndNamesTheFile) {
  const std::string whole = good_file();
  ASSERT_EQ(refusal(whole), "");
  for (std::size_t n = 0; n < whole.size(); ++n)
    EXPECT_THAT(refusal(whole.substr(0, n)), HasSubstr("bad.safetensors")) << n << " bytes";
  EXPECT_THAT(refusal(whole + "x"), HasSubstr("1 bytes at the end belong to no tensor"));
}

// A flipped byte is refused or changes what it says, but never reads outside the file.
TEST_F(SafetensorsFault, NoFlippedByteCrashes) {
  const std::string whole = good_file();
  for (std::size_t i = 0; i < whole.size(); ++i)
    for (const char flip : {'\x01', '\x10', '\x80', '\xff'}) {
      std::string bytes = whole;
      bytes[i] = static_cast<char>(bytes[i] ^ flip);
      const fs::path path = put("bad.safetensors", bytes);
      std::size_t seen = 0;
      const std::string said = error_of([&] {
        const Safetensors files = Safetensors::open(path);
        for (const TensorView& t : files.tensors()) seen += t.bytes.size();
      });
      EXPECT_TRUE(said.find("bad.safetensors") != std::string::npos || seen == 8) << i << said;
    }
}

TEST_F(SafetensorsFault, HeaderOfImpossibleLengthIsRefused) {
  for (const char top : {'\x01', '\x7f', '\xff'}) {
    std::string bytes = good_file();
    bytes[7] = top;
    EXPECT_THAT(refusal(bytes), AllOf(HasSubstr("header takes"), HasSubstr("100000000")));
  }
  std::string bytes = good_file();
  bytes[2] = 1;  // 64 KiB more than there are
  EXPECT_THAT(refusal(bytes), HasSubstr("truncated?"));
}

TEST_F(SafetensorsFault, PointerOfGitLfsIsTold) {
  EXPECT_THAT(refusal("version https://git-lfs.github.com/spec/v1\noid sha256:12\nsize 3\n"),
              AllOf(HasSubstr("bad.safetensors"), HasSubstr("git lfs pull")));
}

TEST_F(SafetensorsFault, HeaderThatIsNoJsonObjectIsRefused) {
  EXPECT_THAT(refusal(file_bytes("", "")), HasSubstr("not a safetensors file"));
  EXPECT_THAT(refusal(file_bytes("[1]", "")), HasSubstr("does not start with '{'"));
  EXPECT_THAT(refusal(file_bytes("{\"x\": 1", "")), HasSubstr("not whole JSON"));
  EXPECT_THAT(refusal(file_bytes("{} trailing", "")), HasSubstr("not whole JSON"));
  EXPECT_THAT(refusal(file_bytes("{\"\xff\": 1}", "")), HasSubstr("not whole JSON"));
  EXPECT_THAT(refusal(file_bytes(std::string(100'000, '{'), "")), HasSubstr("not whole JSON"));
  const std::string deep = "{\"x\": " + std::string(100'000, '[') + std::string(100'000, ']') + "}";
  EXPECT_THAT(refusal(file_bytes(deep, "")), HasSubstr("nested too deep"));
}

TEST_F(SafetensorsFault, NamesGivenTwiceAreRefused) {
  const std::string x = "\"x\": " + entry("I8", {4}, 0, 4).dump();
  EXPECT_THAT(refusal(file_bytes("{" + x + ", " + x + "}", kFour)), HasSubstr("\"x\" twice"));
  const std::string shape =
      R"({"x": {"dtype": "I8", "shape": [1], "shape": [4], "data_offsets": [0, 4]}})";
  EXPECT_THAT(refusal(file_bytes(shape, kFour)), HasSubstr("\"shape\" twice"));
}

TEST_F(SafetensorsFault, EntriesThatAreNotWhatTheFormatSaysNameTheTensor) {
  const json good = entry("F32", {1}, 0, 4);
  const auto refused = [&](const char* key, const json& value) {
    json changed = good;
    changed[key] = value;
    if (value == "absent") changed.erase(key);
    return refusal({{"x", changed}}, kFour);
  };
  ASSERT_EQ(refusal({{"x", good}}, kFour), "");
  for (const char* key : {"dtype", "shape", "data_offsets"}) {
    EXPECT_THAT(refused(key, "absent"), AllOf(HasSubstr("tensor 'x'"), HasSubstr(key)));
    for (const json& value : {json(nullptr), json(1), json("F31"), json::object(), json({-1, 4}),
                              json({0.5, 4}), json({"0", "4"}), json({UINT64_MAX, 4})})
      EXPECT_THAT(refused(key, value), AllOf(HasSubstr("tensor 'x'"), HasSubstr("bad.safe")))
          << key << value;
  }
  EXPECT_THAT(refusal({{"x", 3}}, kFour), HasSubstr("tensor 'x': must be an object"));
  EXPECT_THAT(refusal({{"x", good}, {"__metadata__", {{"a", 1}}}}, kFour),
              HasSubstr("__metadata__ must be an object of strings"));
}

TEST_F(SafetensorsFault, ShapesThatDoNotTakeTheirBytesAreRefused) {
  for (const std::vector<int64_t>& shape :
       {std::vector<int64_t>{2}, {0}, {1LL << 62, 1LL << 62}, {INT64_MAX}, {1LL << 62, 4}, {3, 5}})
    EXPECT_THAT(refusal({{"x", entry("F32", shape, 0, 4)}}, kFour),
                AllOf(HasSubstr("tensor 'x': F32 of shape"), HasSubstr("4 bytes")));
}

TEST_F(SafetensorsFault, BytesMustBeCoveredOnceAndInside) {
  EXPECT_THAT(refusal({{"x", entry("I8", {8}, 0, 8)}}, kFour), HasSubstr("truncated?"));
  EXPECT_THAT(refusal({{"x", entry("I8", {0}, 4, 0)}}, kFour), HasSubstr("[begin, end]"));
  EXPECT_THAT(refusal({{"x", entry("I8", {4}, 0, 4)}, {"y", entry("I8", {2}, 2, 4)}}, kFour),
              AllOf(HasSubstr("tensor 'y'"), HasSubstr("inside")));
  EXPECT_THAT(refusal({{"x", entry("I8", {1}, 0, 1)}, {"y", entry("I8", {2}, 2, 4)}}, kFour),
              AllOf(HasSubstr("tensor 'y'"), HasSubstr("hole")));
  EXPECT_THAT(refusal({{"x", entry("I8", {2}, 0, 2)}}, kFour), HasSubstr("2 bytes at the end"));
}

TEST_F(SafetensorsFault, WhatIsNoFileIsRefused) {
  const auto refused = [&](const fs::path& path) {
    return error_of([&] { (void)Safetensors::open(path); });
  };
  EXPECT_THAT(refused(folder_ / "absent"), AllOf(HasSubstr("absent"), HasSubstr("No such file")));
  EXPECT_THAT(refused("/dev/null"), HasSubstr("is not a file"));
  EXPECT_THAT(refused(folder_), HasSubstr("has no .safetensors file"));
  put("pytorch_model.bin", "x");
  EXPECT_THAT(refused(folder_), HasSubstr("safe_serialization"));
  put("one.safetensors", good_file());
  EXPECT_EQ(refused(folder_), "");
  put("two.safetensors", good_file());
  EXPECT_THAT(refused(folder_), HasSubstr("has 2 .safetensors files"));
}

struct SafetensorsIndex : FolderTest {
  SafetensorsIndex() {
    put("1.safetensors", file_bytes(json{{"a", entry("I8", {4}, 0, 4)}}.dump(), kFour));
    put("2.safetensors", file_bytes(json{{"b", entry("I8", {4}, 0, 4)}}.dump(), kFour));
  }
  std::string refusal(const json& weight_map) {
    put("model.safetensors.index.json", json{{"weight_map", weight_map}}.dump());
    return error_of([&] { (void)Safetensors::open(folder_); });
  }
};

TEST_F(SafetensorsIndex, AndShardsMustAgree) {
  ASSERT_EQ(refusal({{"a", "1.safetensors"}, {"b", "2.safetensors"}}), "");
  EXPECT_THAT(refusal({{"a", "1.safetensors"}, {"b", "3.safetensors"}}),
              AllOf(HasSubstr("index.json"), HasSubstr("3.safetensors, which is not there")));
  EXPECT_THAT(refusal({{"a", "1.safetensors"}, {"c", "2.safetensors"}}),
              HasSubstr("tensor 'c' in 2.safetensors, which does not have it"));
  EXPECT_THAT(refusal({{"a", "2.safetensors"}, {"b", "1.safetensors"}}), HasSubstr("tensor 'a'"));
  put("2.safetensors", file_bytes(json{{"a", entry("I8", {4}, 0, 4)}}.dump(), kFour));
  EXPECT_THAT(refusal({{"a", "1.safetensors"}, {"b", "2.safetensors"}}),
              AllOf(HasSubstr("tensor 'a'"), HasSubstr("is also in")));
}

TEST_F(SafetensorsIndex, MustListNamesOfItsOwnFolder) {
  for (const json& map : {json(), json::object(), json::array({1}), json("x")})
    EXPECT_THAT(refusal(map), HasSubstr("has no weight_map")) << map;
  for (const json& file :
       {json(1), json(""), json("../1.safetensors"), json("/etc/passwd"), json(".."), json("a/b")})
    EXPECT_THAT(refusal({{"a", file}}), HasSubstr("file of tensor 'a'")) << file;
}

}  // namespace
}  // namespace ridge
