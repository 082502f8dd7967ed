#include <nlohmann/json.hpp>

#include "engine_schema.inc"  // made by CMake: kEngineSchemaText
#include "kernels/core/error.h"
#include "kernels/core/json_file.h"
#include "kernels/core/json_schema.h"
#include "predictor/engines/engine.h"

namespace ridge {
namespace {

using nlohmann::ordered_json;

const nlohmann::json& engine_schema() {
  static const nlohmann::json schema = nlohmann::json::parse(kEngineSchemaText);
  return schema;
}

ordered_json to_json(const HostCost& c) {
  return {{"per_step_s", c.per_step_s}, {"per_sequence_s", c.per_sequence_s}};
}

HostCost host_cost(const nlohmann::json& j) {
  return {.per_step_s = j.at("per_step_s"), .per_sequence_s = j.at("per_sequence_s")};
}

ordered_json to_json(const EngineTimes& t) {
  return {{"prefill", to_json(t.prefill)},      {"decode", to_json(t.decode)},
          {"tensor_step_s", t.tensor_step_s},   {"per_request_s", t.per_request_s},
          {"decode_floor_s", t.decode_floor_s}, {"per_cached_token_s", t.per_cached_token_s},
          {"spread", t.spread}};
}

EngineTimes engine_times(const nlohmann::json& j) {
  return {.prefill = host_cost(j.at("prefill")),
          .decode = host_cost(j.at("decode")),
          .tensor_step_s = j.at("tensor_step_s"),
          .per_request_s = j.at("per_request_s"),
          .decode_floor_s = j.at("decode_floor_s"),
          .per_cached_token_s = j.at("per_cached_token_s"),
          .spread = j.at("spread")};
}

// In the order that a reader wants; keys are those of the schema.
ordered_json to_json(const EngineProfile& e) {
  const Fusion& f = e.fusion;
  ordered_json on_gpu = ordered_json::object();
  for (const auto& [gpu, times] : e.on_gpu) on_gpu[gpu] = to_json(times);
  return {{"schema_version", 1},
          {"name", e.name},
          {"aliases", e.aliases},
          {"framework", e.framework},
          {"times", to_json(e.times)},
          {"on_gpu", on_gpu},
          {"decode_graphs", e.decode_graphs},
          {"fusion",
           {{"qkv", f.qkv},
            {"gate_up", f.gate_up},
            {"add_norm", f.add_norm},
            {"activation", f.activation},
            {"rope_in_attention", f.rope_in_attention},
            {"kv_write_in_attention", f.kv_write_in_attention},
            {"quantise_in_product", f.quantise_in_product}}},
          {"memory_share", e.memory_share},
          {"step_tokens", e.step_tokens},
          {"habits", e.habits},
          {"fitted_on", e.fitted_on},
          {"fitted_rows", e.fitted_rows}};
}

EngineProfile from_json(const nlohmann::json& j) {
  const nlohmann::json& f = j.at("fusion");
  std::map<std::string, EngineTimes> on_gpu;
  for (const auto& [gpu, times] : j.at("on_gpu").items()) on_gpu[gpu] = engine_times(times);
  return {.name = j.at("name"),
          .aliases = j.at("aliases"),
          .framework = j.at("framework"),
          .times = engine_times(j.at("times")),
          .on_gpu = std::move(on_gpu),
          .decode_graphs = j.at("decode_graphs"),
          .fusion = {.qkv = f.at("qkv"),
                     .gate_up = f.at("gate_up"),
                     .add_norm = f.at("add_norm"),
                     .activation = f.at("activation"),
                     .rope_in_attention = f.at("rope_in_attention"),
                     .kv_write_in_attention = f.at("kv_write_in_attention"),
                     .quantise_in_product = f.at("quantise_in_product")},
          .memory_share = j.at("memory_share"),
          .step_tokens = j.at("step_tokens"),
          .habits = j.at("habits"),
          .fitted_on = j.at("fitted_on"),
          .fitted_rows = j.at("fitted_rows")};
}

// What is wrong with the profile; "" for nothing.
std::string faults(const nlohmann::json& j) {
  if (std::string wrong = schema_errors(engine_schema(), j); !wrong.empty()) return wrong;
  const EngineProfile e = from_json(j);
  if (e.adds_time() && e.fitted_on.empty())
    return "fitted_on: is empty, but there are constants above 0; say what they were fitted on";
  return {};
}

}  // namespace

EngineProfile read_engine(const std::filesystem::path& file) {
  if (std::filesystem::is_directory(file))
    throw BadInput(file.string() + ": is a folder; give an engine profile in it");
  nlohmann::json j;
  try {
    j = read_json(file);
  } catch (const nlohmann::json::exception& e) {  // a number beyond double
    throw BadInput(file.string() + ": " + e.what());
  }
  if (const std::string wrong = faults(j); !wrong.empty())
    throw BadInput(file.string() + ": not an engine profile: " + wrong);
  return from_json(j);
}

void save_engine(const EngineProfile& e, const std::filesystem::path& file) {
  const std::string text = to_json(e).dump(2) + "\n";
  // Not-a-number is written as null, which the schema refuses.
  if (const std::string wrong = faults(nlohmann::json::parse(text)); !wrong.empty())
    throw std::runtime_error(file.string() + ": not written, the profile is wrong: " + wrong);
  write_file(file, text);
}

}  // namespace ridge
