#include "programs/simulate_options.h"

#include <filesystem>

#include "kernels/core/error.h"
#include "programs/deployment_options.h"
#include "programs/read_config.h"

namespace ridge {

nlohmann::json ScenarioOptions::json() const {
  nlohmann::json j = config.empty() ? nlohmann::json::object() : read_config(config);
  if (!j.is_object()) throw BadInput(config + ": want an object; schema/serving.schema.json");
  const auto text = [&](const char* key, const std::string& value) {
    if (!value.empty()) j[key] = value;
  };
  text("model", model), text("gpu", gpu), text("engine", engine);
  if (!scheduler.empty()) j["scheduler"]["kind"] = scheduler;
  if (max_sequences > 0) j["scheduler"]["max_sequences"] = max_sequences;
  if (tensor > 0) j["parallel"]["tensor"] = tensor;
  if (pipeline > 0) j["parallel"]["pipeline"] = pipeline;
  if (replicas > 0) j["parallel"]["replicas"] = replicas;
  if (rate != 0) j["workload"]["arrivals"]["rate_per_s"] = rate;
  if (!arrivals.empty()) j["workload"]["arrivals"]["kind"] = arrivals;
  if (concurrency > 0) {
    j["workload"]["arrivals"]["kind"] = "closed_loop";
    j["workload"]["arrivals"]["concurrency"] = concurrency;
  }
  if (input > 0) j["workload"]["input"]["tokens"] = input;
  if (output > 0) j["workload"]["output"]["tokens"] = output;
  if (requests > 0) j["workload"]["requests"] = requests;
  if (duration > 0) j["workload"]["duration_s"] = duration;
  if (seed >= 0) j["workload"]["seed"] = seed;
  if (!ttft_limit.empty()) j["limits"]["ttft_s"] = parse_limit("--ttft-limit", ttft_limit);
  if (!tpot_limit.empty()) j["limits"]["tpot_s"] = parse_limit("--tpot-limit", tpot_limit);
  set_values(j, set);
  if (!j.contains("model") || !j.contains("gpu"))
    throw BadInput("--config: give a file, or --model and --gpu; simulate --help lists all");
  if (config.empty() && !j["workload"].contains("requests") &&
      !j["workload"].contains("duration_s") && !j["workload"].contains("trace"))
    j["workload"]["requests"] = 1000;
  return j;
}

sim::Scenario ScenarioOptions::scenario(const nlohmann::json& j) const {
  const std::string folder = std::filesystem::path(config).parent_path().string();
  return sim::scenario_from_json(j, config.empty() ? "simulate" : config,
                                 folder.empty() ? "." : folder);
}

void add_scenario_options(CLI::App& app, ScenarioOptions& o) {
  app.add_option("--config", o.config,
                 "JSON or YAML by serving.schema.json; the following replace its keys");
  app.add_option("--model", o.model, "A bundled model's name, a config.json or its folder");
  app.add_option("--gpu", o.gpu, "A GPU with tables that ship");
  app.add_option("--engine", o.engine, "Engine profile: vllm, kernels (nothing added), ...");
  app.add_option("--scheduler", o.scheduler,
                 "vllm_v1, vllm_v0, sarathi, orca, faster_transformer, static, dynamic");
  app.add_option("--max-sequences", o.max_sequences, "That run at once on a replica: 256");
  app.add_option("--rate", o.rate, "Requests a second");
  app.add_option("--arrivals", o.arrivals, "poisson, deterministic, gamma, on_off, closed_loop");
  app.add_option("--concurrency", o.concurrency, "Clients of a closed loop");
  app.add_option("--input", o.input, "Tokens of a prompt: 512");
  app.add_option("--output", o.output, "Tokens of an answer: 128");
  app.add_option("--requests", o.requests, "How many: 1000");
  app.add_option("--duration", o.duration, "Seconds in which they come");
  app.add_option("--seed", o.seed, "Of arrivals and lengths: 1");
  app.add_option("--tp", o.tensor, "GPUs that share each layer");
  app.add_option("--pp", o.pipeline, "Stages that share the layers");
  app.add_option("--replicas", o.replicas, "Copies of the model, with a queue each");
  app.add_option("--ttft-limit", o.ttft_limit, "Time to first token to keep: 500ms");
  app.add_option("--tpot-limit", o.tpot_limit, "Mean time per output token to keep: 50ms");
  app.add_option("--set", o.set, "Any key: workload.input.kind=lognormal; may be repeated");
}

}  // namespace ridge
