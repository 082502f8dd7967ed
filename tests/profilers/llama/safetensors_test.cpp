// Files that are as the format wants them, written by hand, by this project and by Python.
#include "profilers/llama/safetensors.h"

#include <gmock/gmock.h>
#include <rapidcheck/gtest.h>

#include <cstdlib>

#include "kernels/core/error.h"
#include "tests/error_of.h"
#include "tests/profilers/llama/files.h"

namespace ridge {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

struct SafetensorsFile : FolderTest {};
struct SafetensorsFolder : FolderTest {};

std::span<const std::byte> bytes_of(const std::string& text) {
  return std::as_bytes(std::span(text));
}

TEST_F(SafetensorsFile, IsReadAsTheFormatDescribesIt) {
  const nlohmann::json header = {{"b", entry("F32", {2, 1}, 2, 10)},
                                 {"a", entry("BF16", {}, 0, 2)},
                                 {"none", entry("I64", {3, 0}, 10, 10)},
                                 {"__metadata__", {{"format", "pt"}}}};
  const std::string data("\x80\x3f\x00\x00\x80\x3f\x00\x00\x00\xc0", 10);
  const fs::path path = put("model.safetensors", file_bytes(header.dump() + "    ", data));
  for (const fs::path& given : {path, folder_}) {
    const Safetensors files = Safetensors::open(given);
    EXPECT_THAT(files.names(), ElementsAre("a", "b", "none"));
    const TensorView& a = files.at("a");
    EXPECT_EQ(a.format, "BF16");
    EXPECT_EQ(a.dtype, Dtype::kBf16);
    EXPECT_TRUE(a.shape.empty());
    EXPECT_EQ(a.elements(), 1);
    EXPECT_EQ(load_element(Dtype::kBf16, a.bytes.data()), 1.0);
    const TensorView& b = files.at("b");
    EXPECT_THAT(b.shape, ElementsAre(2, 1));
    EXPECT_EQ(load_element(Dtype::kF32, b.bytes.data()), 1.0);
    EXPECT_EQ(load_element(Dtype::kF32, b.bytes.data() + 4), -2.0);
    EXPECT_EQ(files.at("none").elements(), 0);
    EXPECT_EQ(files.at("none").dtype, std::nullopt);
    EXPECT_EQ(files.metadata().at("format"), "pt");
    EXPECT_EQ(files.bytes(), 10u);
    EXPECT_EQ(files.find("c"), nullptr);
    EXPECT_THAT(error_of([&] { (void)files.at("nome"); }), HasSubstr("nearest is 'none'"));
  }
}

TEST_F(SafetensorsFile, OfNoTensorsIsRead) {
  EXPECT_TRUE(Safetensors::open(put("a.safetensors", file_bytes("{}", ""))).tensors().empty());
}

TEST_F(SafetensorsFile, StaysMappedWhereItsReaderIsMovedAndItsNameRemoved) {
  const std::string data = "12345678";
  const fs::path path = folder_ / "a.safetensors";
  write_safetensors(path, std::vector{view("x", "F64", {1}, bytes_of(data))});
  Safetensors first = Safetensors::open(path);
  const TensorView* x = first.find("x");
  const Safetensors second = std::move(first);
  fs::remove(path);
  EXPECT_EQ(second.find("x"), x);
  EXPECT_EQ(std::memcmp(x->bytes.data(), data.data(), data.size()), 0);
}

struct Generated {
  std::vector<std::string> data;
  std::vector<TensorView> tensors;
};

Generated generate() {
  static const std::vector<std::pair<const char*, std::size_t>> kFormats = {
      {"F32", 4}, {"F16", 2}, {"BF16", 2}, {"F64", 8}, {"I8", 1}, {"F8_E4M3", 1}, {"I64", 8}};
  const auto names = *rc::gen::unique<std::vector<std::string>>(
      rc::gen::nonEmpty(rc::gen::container<std::string>(rc::gen::inRange<char>(' ', '~'))));
  Generated g;
  for (const std::string& name : names) {
    const auto [format, width] = *rc::gen::elementOf(kFormats);
    const auto shape = *rc::gen::resize(
        3, rc::gen::container<std::vector<int64_t>>(rc::gen::inRange<int64_t>(0, 5)));
    std::size_t count = width;
    for (const int64_t n : shape) count *= static_cast<std::size_t>(n);
    g.data.push_back(*rc::gen::container<std::string>(count, rc::gen::arbitrary<char>()));
    g.tensors.push_back(view(name, format, shape, {}));
  }
  for (std::size_t i = 0; i < names.size(); ++i) g.tensors[i].bytes = bytes_of(g.data[i]);
  return g;
}

RC_GTEST_FIXTURE_PROP(SafetensorsFile, RoundTripKeepsEveryByteAndAlignsIt, ()) {
  const Generated g = generate();
  const auto metadata = *rc::gen::container<std::map<std::string, std::string>>(
      rc::gen::container<std::string>(rc::gen::inRange<char>(' ', '~')),
      rc::gen::container<std::string>(rc::gen::inRange<char>(' ', '~')));
  const fs::path path = folder_ / "a.safetensors";
  write_safetensors(path, g.tensors, metadata);
  const Safetensors read = Safetensors::open(path);
  RC_ASSERT(read.tensors().size() == g.tensors.size());
  RC_ASSERT(read.metadata() == metadata);
  for (const TensorView& t : g.tensors) {
    const TensorView& r = read.at(t.name);
    RC_ASSERT(r.format == t.format);
    RC_ASSERT(r.shape == t.shape);
    RC_ASSERT(std::ranges::equal(r.bytes, t.bytes));
    if (r.dtype)
      RC_ASSERT(reinterpret_cast<std::uintptr_t>(r.bytes.data()) % bytes_per_element(*r.dtype) ==
                0u);
  }
}

TEST_F(SafetensorsFile, IsWrittenWholeOrNotAtAll) {
  const std::string four = "1234";
  const fs::path path = folder_ / "a.safetensors";
  const TensorView good = view("x", "F32", {1}, bytes_of(four));
  const auto refused = [&](std::vector<TensorView> tensors) {
    return error_of([&] { write_safetensors(path, tensors); });
  };
  EXPECT_THAT(refused({good, good}), HasSubstr("'x': the name is given twice"));
  EXPECT_THAT(refused({view("y", "F32", {2}, bytes_of(four))}), HasSubstr("tensor 'y': F32"));
  EXPECT_THAT(refused({view("y", "F12", {2}, bytes_of(four))}), HasSubstr("F12"));
  EXPECT_THAT(refused({view("y", "F32", {-1}, bytes_of(four))}), HasSubstr("[-1]"));
  EXPECT_THAT(refused({view("__metadata__", "F32", {1}, bytes_of(four))}), HasSubstr("called"));
  EXPECT_THAT(refused({view("\xff", "F32", {1}, bytes_of(four))}), HasSubstr("UTF-8"));
  EXPECT_TRUE(fs::is_empty(folder_));
  EXPECT_THROW(write_safetensors("/dev/full", std::vector{good}), std::runtime_error);
}

TEST_F(SafetensorsFolder, OfShardsIsOneSetOfTensors) {
  const std::string four = "1234";
  write_safetensors(folder_ / "model-1.safetensors",
                    std::vector{view("b", "F32", {1}, bytes_of(four))}, {{"format", "pt"}});
  write_safetensors(
      folder_ / "model-2.safetensors",
      std::vector{view("a", "I8", {4}, bytes_of(four)), view("c", "BF16", {2, 1}, bytes_of(four))});
  const nlohmann::json index = {
      {"metadata", {{"total_size", 12}}},
      {"weight_map",
       {{"a", "model-2.safetensors"}, {"b", "model-1.safetensors"}, {"c", "model-2.safetensors"}}}};
  const fs::path path = put("model.safetensors.index.json", index.dump());
  for (const fs::path& given : {path, folder_}) {
    const Safetensors files = Safetensors::open(given);
    EXPECT_THAT(files.names(), ElementsAre("a", "b", "c"));
    EXPECT_EQ(files.at("b").file, (folder_ / "model-1.safetensors").string());
    EXPECT_EQ(files.metadata().at("format"), "pt");
  }
}

// scripts beside this file do the other side with Python's own package.
int python(const std::string& arguments) {
  const std::string script = std::string(RIDGE_LLAMA_TESTS) + "/safetensors_other_side.py";
  const int status = std::system(
      (std::string("'" RIDGE_LLAMA_PYTHON "' -B '") + script + "' " + arguments).c_str());
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST_F(SafetensorsFile, OfPythonsPackageIsReadAndTheOtherWayRound) {
  const fs::path theirs = folder_ / "theirs.safetensors", ours = folder_ / "ours.safetensors";
  const int written = python("write " + theirs.string());
  if (written == 77) GTEST_SKIP() << "Python has no package safetensors";
  ASSERT_EQ(written, 0);
  const Safetensors read = Safetensors::open(theirs);
  EXPECT_THAT(read.names(), ElementsAre("empty", "halves", "scalar", "weights"));
  EXPECT_THAT(read.at("weights").shape, ElementsAre(2, 3));
  for (int i = 0; i < 6; ++i)
    EXPECT_EQ(load_element(Dtype::kF32, &read.at("weights").bytes[static_cast<std::size_t>(i) * 4]),
              i / 4.0);
  EXPECT_EQ(load_element(Dtype::kF16, read.at("halves").bytes.data()), 0.5);
  EXPECT_EQ(load_element(Dtype::kF64, read.at("scalar").bytes.data()), -3.0);
  EXPECT_EQ(read.metadata().at("format"), "pt");
  std::vector<TensorView> all(read.tensors().begin(), read.tensors().end());
  write_safetensors(ours, all, read.metadata());
  EXPECT_EQ(python("same " + ours.string()), 0);
}

}  // namespace
}  // namespace ridge
