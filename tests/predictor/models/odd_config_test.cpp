// Whatever a config.json says, it is refused with a reason or becomes kernels that are valid.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "kernels/core/error.h"
#include "kernels/core/json_file.h"
#include "roofline/device_specs.h"
#include "tests/predictor/lowering/kernels_of.h"

namespace ridge {
namespace {

using nlohmann::json;

json bundled(const std::string& name) {
  return read_json(data_dir() / "predictor/models/bundled" / (name + ".json"));
}

// Whether it was taken. What is neither taken nor refused ends the test.
bool is_taken(const json& config, const Step& step, const Parallel& parallel) {
  try {
    const Model m = model_from_json(config, "config.json", "m");
    EXPECT_GT(parameters(m), 0);
    for (const Kernel& k : kernels_of(m, step, {.parallel = parallel})) {
      EXPECT_NO_THROW(validate(spec_of(k), k.call)) << config;
      EXPECT_GT(k.count, 0) << to_string(k.call) << config;
    }
    EXPECT_GT(weight_bytes(m, parallel, {}), 0);
    return true;
  } catch (const BadInput& e) {
    EXPECT_STRNE(e.what(), "");
    return false;
  }
}

TEST(OddConfig, OfAnyValueOfAnyKeyIsRefusedOrValid) {
  const std::vector<json> values = {
      0,       1,         2,     3,  7,   8,     64,   256, 257,    4096,          65536,
      1048576, 1ll << 31, 1e300, -1, "x", false, true, 0.5, json(), json::array(), json::object()};
  const std::vector<Step> steps = {prefill_of(5000), decode_of(4999, 3), prefill_of(1 << 22),
                                   decode_of((1 << 22) - 1, 1 << 16)};
  int taken = 0, refused = 0;
  for (const char* name : {"llama-3.2-1b", "mixtral-8x7b", "qwen3-30b-a3b", "gemma-2-9b"}) {
    json whole = bundled(name);
    whole["max_position_embeddings"] = 1 << 22;
    for (const auto& [key, ignored] : whole.items())
      for (const json& value : values) {
        json odd = whole;
        odd[key] = value;
        for (const Step& step : steps)
          for (const Parallel& p :
               {Parallel{}, Parallel{.tensor = 2, .pipeline = 2}, Parallel{.expert = 2, .data = 2}})
            ++(is_taken(odd, step, p) ? taken : refused);
      }
  }
  EXPECT_GT(taken, 1000);
  EXPECT_GT(refused, 1000);
}

TEST(OddConfig, AtItsLimitsIsValid) {
  json j = bundled("mixtral-8x7b");
  j.update({{"hidden_size", 65536},
            {"intermediate_size", 1 << 20},
            {"num_hidden_layers", 4096},
            {"num_attention_heads", 128},
            {"num_key_value_heads", 128},
            {"head_dim", 512},
            {"vocab_size", 1 << 20},
            {"num_local_experts", 1 << 14},
            {"num_experts_per_tok", 64},
            {"max_position_embeddings", 1 << 30}});
  EXPECT_TRUE(is_taken(j, prefill_of(1 << 22), {}));
  EXPECT_TRUE(is_taken(j, prefill_of(1 << 6, 1 << 16), {.tensor = 128, .pipeline = 8}));
  EXPECT_FALSE(is_taken(j, prefill_of(1 << 22), {.expert = 2, .data = 2}));  // two such steps
  EXPECT_TRUE(is_taken(j, prefill_of(1 << 11), {.expert = 1024, .data = 1024}));
}

}  // namespace
}  // namespace ridge
