// Weights of the tiny models, which Python wrote as Transformers names them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "kernels/core/json_file.h"
#include "profilers/llama/convert.h"
#include "profilers/llama/model_weights.h"
#include "tests/profilers/llama/tiny_models.h"

namespace ridge {
namespace {

namespace fs = std::filesystem;
using testing::IsEmpty;

TEST(TinyWeights, OfEveryArchitectureAreFoundAndAllUsed) {
  const std::vector<fs::path> folders = tiny_models();
  if (folders.empty()) GTEST_SKIP() << "no tiny models: Python has no NumPy";
  for (const fs::path& folder : folders) {
    SCOPED_TRACE(folder);
    const nlohmann::json config = read_json(folder / "config.json");
    const Model model = read_model(folder);
    const ModelWeights w = read_weights(model, folder);
    EXPECT_THAT(w.unused, IsEmpty());
    EXPECT_EQ(w.layers.size(), config.at("num_hidden_layers").get<std::size_t>());
    EXPECT_EQ(w.lm_head == nullptr, config.at("tie_word_embeddings").get<bool>());
    EXPECT_EQ(w.layers[0].q_norm != nullptr, config.at("model_type") == "qwen3");
    EXPECT_EQ(w.layers[0].q_bias != nullptr,
              config.at("model_type") == "qwen2" || config.value("attention_bias", false));
    EXPECT_EQ(w.embedding->dtype, model.dtype);
    EXPECT_EQ(w.bytes(), parameters(model) * static_cast<double>(bytes_per_element(model.dtype)));
  }
}

// Random embeddings of a standard deviation of 0.1 (make_tiny.py): read in a wrong dtype, order of
// bytes or place they would be of another.
TEST(TinyWeights, AreTheNumbersThatWereDrawn) {
  const std::vector<fs::path> folders = tiny_models();
  if (folders.empty()) GTEST_SKIP() << "no tiny models: Python has no NumPy";
  for (const fs::path& folder : folders) {
    const ModelWeights w = read_weights(read_model(folder), folder);
    std::vector<float> values(static_cast<std::size_t>(w.embedding->elements()));
    to_floats(*w.embedding, values);
    double sum = 0, squares = 0;
    for (const float v : values) {
      sum += v;
      squares += static_cast<double>(v) * v;
    }
    const auto n = static_cast<double>(values.size());
    EXPECT_NEAR(sum / n, 0, 0.005) << folder;
    EXPECT_NEAR(std::sqrt(squares / n), 0.1, 0.005) << folder;
  }
}

}  // namespace
}  // namespace ridge
