#include "predictor/engines/engine.h"

#include <gmock/gmock.h>

#include <cmath>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "kernels/core/error.h"
#include "kernels/core/json_file.h"
#include "roofline/device_specs.h"

namespace ridge {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

template <class F>
std::string error_of(F f) {
  try {
    f();
  } catch (const BadInput& e) {
    return e.what();
  }
  return "no BadInput";
}

fs::path profiles() { return data_dir() / "predictor" / "engines" / "profiles"; }

class EngineFile : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "ridge-engine-XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  void TearDown() override { fs::remove_all(folder_); }

  fs::path write(const std::string& text) const {
    std::ofstream(folder_ / "e.json", std::ios::binary) << text;
    return folder_ / "e.json";
  }
  static std::string read(const fs::path& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }

  fs::path folder_;
};

EngineProfile fitted() {
  EngineProfile e = find_engine("transformers");
  e.name = "mine";
  e.aliases = {"m1", "m2"};
  e.framework = "torch2.1";
  e.times.prefill = {.per_step_s = 1.25e-3, .per_sequence_s = 1e-17};
  e.times.decode = {.per_step_s = 2.0 / 3, .per_sequence_s = 3.3e-6};
  e.times.per_request_s = 0.1;
  e.times.decode_floor_s = 0.045;
  e.decode_graphs = true;
  e.fusion = {
      .qkv = false, .gate_up = true, .rope_in_attention = true, .quantise_in_product = false};
  e.memory_share = 0.85;
  e.step_tokens = 2048;
  e.habits = "as \"measured\", é";
  e.fitted_on = "12 rows of mine, 3.4 %";
  e.fitted_rows = {"gpu,model", "\"T4, x\",1b"};
  return e;
}

TEST(Engines, ThoseThatShipAreNamedAsTheirFiles) {
  const auto names = bundled_engines();
  EXPECT_THAT(names, ::testing::IsSupersetOf({"kernels", "vllm", "vllm-2023", "sglang",
                                              "tensorrt-llm", "transformers"}));
  for (const std::string& name : names) {
    const EngineProfile e = find_engine(name);
    EXPECT_EQ(e.name, name);
    EXPECT_FALSE(e.habits.empty()) << name;
    // A constant that nobody fitted is 0.
    EXPECT_TRUE(!e.adds_time() || !e.fitted_rows.empty()) << name;
  }
}

TEST(Engines, KernelsAddNothing) {
  const EngineProfile e = find_engine("kernels");
  EXPECT_FALSE(e.adds_time());
  EXPECT_EQ(e.framework, "");
  EXPECT_EQ(e.fitted_on, "nothing: kernels alone");
}

TEST(Engines, AreFoundByAliasInAnyCase) {
  for (const char* name : {"trtllm", "trt-llm", "TensorRT-LLM", "tensorrt_llm", "TRTLLM"})
    EXPECT_EQ(find_engine(name).name, "tensorrt-llm") << name;
  for (const char* name : {"hf", "HF", "Transformers"})
    EXPECT_EQ(find_engine(name).name, "transformers") << name;
  EXPECT_EQ(find_engine("vLLM").name, "vllm");
}

TEST(Engines, NoNameMeansTwo) {
  for (const std::string& name : bundled_engines())
    for (const std::string& alias : find_engine(name).aliases)
      EXPECT_EQ(find_engine(alias).name, name) << alias;
}

TEST(Engines, AnUnknownOneIsToldTheNearest) {
  const std::string error = error_of([] { find_engine("vlm"); });
  EXPECT_THAT(error, HasSubstr("'vlm'"));
  EXPECT_THAT(error, HasSubstr("use one of vllm,"));
  EXPECT_THAT(error, HasSubstr("tensorrt-llm"));
  EXPECT_THAT(error_of([] { find_engine("tensorrt"); }), HasSubstr("use one of tensorrt-llm,"));
  EXPECT_THAT(error_of([] { find_engine(""); }), HasSubstr("use one of"));
}

TEST_F(EngineFile, ComesBackAsItWas) {
  const EngineProfile e = fitted();
  save_engine(e, folder_ / "deep" / "e.json");
  const EngineProfile back = find_engine((folder_ / "deep" / "e.json").string());
  EXPECT_EQ(back.name, e.name);
  EXPECT_EQ(back.aliases, e.aliases);
  EXPECT_EQ(back.framework, e.framework);
  EXPECT_EQ(back.times.prefill.per_step_s, e.times.prefill.per_step_s);
  EXPECT_EQ(back.times.prefill.per_sequence_s, e.times.prefill.per_sequence_s);
  EXPECT_EQ(back.times.decode.per_step_s, e.times.decode.per_step_s);
  EXPECT_EQ(back.times.decode.per_sequence_s, e.times.decode.per_sequence_s);
  EXPECT_EQ(back.times.per_request_s, e.times.per_request_s);
  EXPECT_EQ(back.times.decode_floor_s, e.times.decode_floor_s);
  EXPECT_EQ(back.decode_graphs, e.decode_graphs);
  EXPECT_EQ(back.fusion.qkv, e.fusion.qkv);
  EXPECT_EQ(back.fusion.gate_up, e.fusion.gate_up);
  EXPECT_EQ(back.fusion.add_norm, e.fusion.add_norm);
  EXPECT_EQ(back.fusion.activation, e.fusion.activation);
  EXPECT_EQ(back.fusion.rope_in_attention, e.fusion.rope_in_attention);
  EXPECT_EQ(back.fusion.kv_write_in_attention, e.fusion.kv_write_in_attention);
  EXPECT_EQ(back.fusion.quantise_in_product, e.fusion.quantise_in_product);
  EXPECT_EQ(back.memory_share, e.memory_share);
  EXPECT_EQ(back.step_tokens, e.step_tokens);
  EXPECT_EQ(back.habits, e.habits);
  EXPECT_EQ(back.fitted_on, e.fitted_on);
  EXPECT_EQ(back.fitted_rows, e.fitted_rows);
  save_engine(back, folder_ / "again.json");
  EXPECT_EQ(read(folder_ / "again.json"), read(folder_ / "deep" / "e.json"));
}

TEST_F(EngineFile, WhatCannotBeReadIsNotWrittenAndTheOldFileStays) {
  const fs::path file = write("old");
  const auto refuses = [&](auto change, const std::string& named) {
    EngineProfile e = fitted();
    change(e);
    try {
      save_engine(e, file);
      ADD_FAILURE() << named;
    } catch (const std::runtime_error& error) {
      EXPECT_THAT(error.what(), HasSubstr(named));
      EXPECT_THAT(error.what(), HasSubstr(file.string()));
    }
    EXPECT_EQ(read(file), "old");
  };
  refuses([](EngineProfile& e) { e.times.decode.per_step_s = NAN; }, "times.decode.per_step_s");
  refuses([](EngineProfile& e) { e.times.per_request_s = INFINITY; }, "per_request_s");
  refuses([](EngineProfile& e) { e.times.decode_floor_s = -1e-9; }, "decode_floor_s");
  refuses([](EngineProfile& e) { e.memory_share = 0; }, "memory_share");
  refuses([](EngineProfile& e) { e.memory_share = 1.01; }, "memory_share");
  refuses([](EngineProfile& e) { e.name = ""; }, "name");
  refuses([](EngineProfile& e) { e.step_tokens = -1; }, "step_tokens");
  refuses([](EngineProfile& e) { e.fitted_on = ""; }, "fitted_on");
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_), fs::directory_iterator()), 1);
}

TEST_F(EngineFile, EveryKeyIsNeededAndNoOtherIsTaken) {
  const nlohmann::json whole = read_json(profiles() / "sglang.json");
  for (const auto& [key, value] : whole.items()) {
    nlohmann::json j = whole;
    j.erase(key);
    const fs::path file = write(j.dump());
    const std::string error = error_of([&] { read_engine(file); });
    EXPECT_THAT(error, HasSubstr(key));
    EXPECT_THAT(error, HasSubstr(file.string()));
    if (!value.is_object()) continue;
    for (const auto& [inner, ignored] : value.items()) {
      j = whole;
      j[key].erase(inner);
      EXPECT_THAT(error_of([&] { read_engine(write(j.dump())); }), HasSubstr(inner)) << key;
    }
  }
  nlohmann::json j = whole;
  j["times"]["decode_floor_ms"] = 3;
  EXPECT_THAT(error_of([&] { read_engine(write(j.dump())); }), HasSubstr("decode_floor_ms"));
}

TEST_F(EngineFile, WrongValuesAreNamed) {
  const nlohmann::json whole = read_json(profiles() / "sglang.json");
  const auto refuses = [&](const char* pointer, const nlohmann::json& value, const char* named) {
    nlohmann::json j = whole;
    j[nlohmann::json::json_pointer(pointer)] = value;
    EXPECT_THAT(error_of([&] { read_engine(write(j.dump())); }), HasSubstr(named)) << value;
  };
  refuses("/times/decode/per_step_s", -1e-3, "times.decode.per_step_s");
  refuses("/times/decode/per_step_s", "1 ms", "times.decode.per_step_s");
  refuses("/times/decode/per_step_s", nullptr,
          "times.decode.per_step_s");                      // what not-a-number becomes
  refuses("/times/decode/per_step_s", 1e-3, "fitted_on");  // a constant from nowhere
  refuses("/times/decode_floor_s", 61, "decode_floor_s");  // milliseconds for seconds
  refuses("/memory_share", 90, "memory_share");
  refuses("/fusion/qkv", 1, "fusion.qkv");
  refuses("/step_tokens", 0.5, "step_tokens");
  refuses("/schema_version", 2, "schema_version");
}

TEST_F(EngineFile, WhatIsNoProfileIsRefused) {
  const std::string text = read(profiles() / "sglang.json");
  for (std::size_t length = 0; length + 2 < text.size(); length += 37)
    EXPECT_THAT(error_of([&] { read_engine(write(text.substr(0, length))); }),
                HasSubstr("e.json: is not whole JSON"))
        << length;
  for (const char* other : {"[]", "3", "\"vllm\"", "{}", "null"})
    EXPECT_THAT(error_of([&] { read_engine(write(other)); }), HasSubstr("not an engine profile"));
  EXPECT_THAT(error_of([&] { read_engine(write("{\"memory_share\": NaN}")); }),
              HasSubstr("not whole JSON"));
  EXPECT_THAT(error_of([&] { read_engine(write("{\"memory_share\": 1e999}")); }),
              HasSubstr("e.json"));
  EXPECT_THAT(error_of([&] { read_engine(folder_ / "none.json"); }), HasSubstr("none.json"));
  EXPECT_THAT(error_of([&] { read_engine(folder_); }), HasSubstr("is a folder"));
}

}  // namespace
}  // namespace ridge
