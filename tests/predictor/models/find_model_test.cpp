#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

#include "kernels/core/error.h"
#include "kernels/core/json_file.h"
#include "predictor/models/model.h"
#include "predictor/models/nearest_names.h"
#include "roofline/device_specs.h"
#include "tests/predictor/models/published_counts.h"

namespace ridge {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

std::string error_of(const std::string& name) {
  try {
    (void)find_model(name);
  } catch (const BadInput& e) {
    return e.what();
  }
  return "";
}

TEST(BundledModels, HaveThePublishedNumberOfParameters) {
  EXPECT_EQ(bundled_models().size(), kPublishedCounts.size());
  for (const PublishedCount& p : kPublishedCounts)
    EXPECT_EQ(static_cast<int64_t>(parameters(find_model(p.model))),
              static_cast<int64_t>(p.parameters))
        << p.model;
}

TEST(BundledModels, AreNamedAsTheirFile) {
  for (const std::string& name : bundled_models()) EXPECT_EQ(find_model(name).name, name);
}

TEST(BundledModels, UseFewerParametersWhereTheyHaveExperts) {
  for (const std::string& name : bundled_models()) {
    const Model m = find_model(name);
    const double share = active_parameters(m) / parameters(m);
    EXPECT_EQ(share < 1, m.experts.has_value()) << name;
    EXPECT_LE(share, 1) << name;
  }
  // "30.5B in total and 3.3B activated", "46.7B … 12.9B parameters per token": the model cards.
  EXPECT_NEAR(active_parameters(find_model("qwen3-30b-a3b")) / 1e9, 3.3, 0.1);
  EXPECT_NEAR(active_parameters(find_model("mixtral-8x7b")) / 1e9, 12.9, 0.1);
}

TEST(ModelAliases, OfTheFirstGenerationInAnyCase) {
  const std::map<std::string, std::string> known = {{"LLaMA_3.2_1B", "llama-3.2-1b"},
                                                    {"LLaMA_3_8B", "llama-3-8b"},
                                                    {"LLaMA_3_70B", "llama-3-70b"},
                                                    {"LLaMA_3.1_8B", "llama-3.1-8b"},
                                                    {"1b", "llama-3.2-1b"},
                                                    {"1B", "llama-3.2-1b"},
                                                    {"8b", "llama-3-8b"},
                                                    {"70b", "llama-3-70b"},
                                                    {"3.1_8b", "llama-3.1-8b"},
                                                    {"llama_3.2_1b", "llama-3.2-1b"}};
  for (const auto& [alias, name] : known) EXPECT_EQ(find_model(alias).name, name) << alias;
}

TEST(ModelAliases, OfHuggingFaceWithTheMakerOrWithout) {
  const std::map<std::string, std::string> known = {
      {"meta-llama/Llama-3.1-8B-Instruct", "llama-3.1-8b"},
      {"meta-llama/Meta-Llama-3-8B", "llama-3-8b"},
      {"Meta-Llama-3-8B", "llama-3-8b"},
      {"Meta-Llama-3-70B", "llama-3-70b"},
      {"meta-llama/Llama-2-7b-hf", "llama-2-7b"},
      {"Llama-2-70b-chat-hf", "llama-2-70b"},
      {"mistralai/Mistral-7B-v0.1", "mistral-7b"},
      {"Mixtral-8x7B-Instruct-v0.1", "mixtral-8x7b"},
      {"Qwen/Qwen2.5-14B-Instruct", "qwen2.5-14b"},
      {"Qwen/Qwen3-30B-A3B", "qwen3-30b-a3b"},
      {"huggyllama/llama-7b", "llama-7b"},
      {"google/gemma-2-9b-it", "gemma-2-9b"}};
  for (const auto& [alias, name] : known) EXPECT_EQ(find_model(alias).name, name) << alias;
}

TEST(ModelAliases, MeanOneModelEachThatIsThere) {
  const nlohmann::json aliases = read_json(data_dir() / "predictor" / "models" / "aliases.json");
  std::map<std::string, std::string> meant;
  for (const std::string& name : bundled_models()) meant[plain_name(name)] = name;
  for (const auto& [name, others] : aliases.items()) {
    EXPECT_EQ(find_model(name).name, name);
    for (const auto& other : others) {
      const auto [it, fresh] = meant.emplace(plain_name(other.get<std::string>()), name);
      EXPECT_EQ(it->second, name) << other;
    }
  }
}

TEST(ModelAliases, SuggestTheNearestForAnUnknownName) {
  EXPECT_THAT(error_of("llama-3.1-9b"), HasSubstr("llama-3.1-8b"));
  EXPECT_THAT(error_of("Qwen2.5-13B"), HasSubstr("qwen2.5-14b"));
  EXPECT_THAT(error_of("Qwen2.5-13B"), HasSubstr("'Qwen2.5-13B' is not known"));
  for (const char* odd : {"", "7b", "llama", "x", "meta-llama/", "ü", "8x"})
    EXPECT_THAT(error_of(odd), testing::AnyOf(HasSubstr("not known"), HasSubstr("no such model")))
        << odd;
  EXPECT_LT(error_of(std::string(100000, 'q')).size(), 400u);
}

class ModelFiles : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("ridge_models_" + std::to_string(::getpid()));
    fs::create_directories(folder_ / "my-model");
  }
  void TearDown() override { fs::remove_all(folder_); }
  void write(const fs::path& file, const std::string& text) {
    std::ofstream(folder_ / file) << text;
  }
  static std::string llama() {
    std::ifstream in(data_dir() / "predictor/models/bundled/llama-2-7b.json");
    return {std::istreambuf_iterator<char>(in), {}};
  }
  fs::path folder_;
};

TEST_F(ModelFiles, AreFoundByFileAndByFolder) {
  write("my-model/config.json", llama());
  write("other.json", llama());
  EXPECT_EQ(find_model((folder_ / "my-model").string()).name, "my-model");
  EXPECT_EQ(find_model((folder_ / "my-model" / "config.json").string()).name, "my-model");
  EXPECT_EQ(find_model((folder_ / "other.json").string()).name, "other");
}

TEST_F(ModelFiles, ThatAreMissingOrCutAreNamed) {
  const std::string text = llama();
  for (std::size_t size = 1; size + 2 < text.size(); size += 9) {
    write("cut.json", text.substr(0, size));
    EXPECT_THAT(error_of((folder_ / "cut.json").string()), HasSubstr("cut.json")) << size;
  }
  write("empty.json", "");
  write("list.json", "[1, 2]");
  EXPECT_THAT(error_of((folder_ / "empty.json").string()), HasSubstr("empty.json"));
  EXPECT_THAT(error_of((folder_ / "list.json").string()), HasSubstr("must be a JSON object"));
  EXPECT_THAT(error_of((folder_ / "none.json").string()), HasSubstr("no such model"));
  EXPECT_THROW((void)read_model(folder_ / "my-model"), BadInput);  // has no config.json
  EXPECT_THROW((void)read_model(folder_ / "none.json"), BadInput);
}

// Layer sizes that others have written down, in the keys of config.json and a few more.
TEST(PlainModelFiles, OfPublishedLatenciesAreRead) {
  const char* asked = std::getenv("RIDGE_PUBLISHED_E2E");
  const fs::path folder =
      (asked ? fs::path(asked) : data_dir().parent_path() / "shared/data/e2e") / "models";
  if (!fs::is_directory(folder))
    GTEST_SKIP() << folder << " is not there; RIDGE_PUBLISHED_E2E names its parent";
  int read = 0;
  for (const auto& entry : fs::directory_iterator(folder)) {
    const Model plain = read_model(entry.path());
    const Model bundled = find_model(plain.name);
    EXPECT_EQ(parameters(plain), parameters(bundled)) << entry.path();
    EXPECT_EQ(plain.heads, bundled.heads);
    EXPECT_EQ(plain.kv_heads, bundled.kv_heads);
    EXPECT_EQ(plain.qk_norm, bundled.qk_norm);
    EXPECT_EQ(plain.qkv_bias, bundled.qkv_bias);
    ++read;
  }
  EXPECT_GE(read, 13);
}

}  // namespace
}  // namespace ridge
