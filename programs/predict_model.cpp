// predict: one model, one GPU, one request.
#include "programs/predict_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>

#include "kernels/core/error.h"
#include "kernels/core/json_file.h"
#include "predictor/request/compare.h"
#include "predictor/request/default_dtype.h"
#include "predictor/request/request_report.h"
#include "programs/deployment_options.h"
#include "programs/request_options.h"

namespace ridge {
namespace {

struct Options {
  std::string model, gpu;
  std::vector<std::string> tables, fine_tune;
  RequestOptions request;
  Parallel parallel;
  DeploymentOptions deployment;
  double memory_share = 0;
  std::string save_fine_tune, out;
  bool must_fit = false, batch_curve = false, json = false;
};

TableSet tables_of(const Options& o, const std::string& gpu, const std::string& framework) {
  if (o.tables.empty()) return shipped_tables(gpu, framework);
  std::vector<NamedTable> tables;
  for (const std::string& file : o.tables) {
    tables.push_back({file, load_table(file, gpu)});
    for (const std::string& note : tables.back().table.notes)
      fmt::print(stderr, "note: {}: {}\n", file, note);
  }
  return {std::move(tables), framework};
}

// As --gpu names it; empty where a table tells it.
std::string gpu_of(const Options& o) {
  if (o.gpu.empty() && o.tables.empty())
    throw BadInput("--gpu: name one (h200, l40s, g5.xlarge), or give a table with --table");
  if (o.gpu.empty()) return {};
  const Target target = find_target(o.gpu);
  if (target.instance && o.parallel.gpus() > target.instance->gpus)
    throw BadInput(fmt::format("--gpu {}: it has {} GPUs, and {} are asked for", target.name,
                               target.instance->gpus, o.parallel.gpus()));
  return target.gpu;
}

FineTuning fine_tuning_of(const Options& o, const std::string& gpu) {
  FineTuning f;
  for (const std::string& text : o.fine_tune) {
    if (!std::filesystem::exists(text)) {
      f.set(gpu, text);
      continue;
    }
    const FineTuning read = read_fine_tuning(text);
    for (const auto& [device, factors] : read.all())
      for (const auto& [op, factor] : factors) f.set(device, op, factor);
    if (read.of(gpu).empty())
      fmt::print(stderr, "note: {}: no multiplier in it is for {}\n", text, gpu);
  }
  return f;
}

Deployment deployment_of(const Options& o, const Model& model, const EngineProfile& engine,
                         const TableSet& tables) {
  Deployment d{.model = model,
               .parallel = o.parallel,
               .precision = o.deployment.precision(default_dtype(model, tables)),
               .engine = engine};
  if (o.memory_share > 0) d.engine.memory_share = o.memory_share;
  return d;
}

void write(const Options& o, const RequestAnswer& a) {
  std::string text = request_text(a);
  if (o.json) {
    const nlohmann::json j = to_json(a);
    if (const std::string wrong = request_schema_errors(j); !wrong.empty())
      throw std::runtime_error("the answer breaks its own schema: " + wrong);
    text = j.dump(1) + "\n";
  }
  if (o.out.empty())
    fmt::print("{}", text);
  else
    write_file(o.out, text);
  if (std::fflush(stdout) != 0) throw std::runtime_error("standard output cannot be written");
}

int run(const Options& o) {
  if (o.model.empty())
    throw BadInput("--model: name one, or a subcommand; predict --help lists both");
  for (const std::string& file : {o.out, o.save_fine_tune})
    if (!file.empty()) check_writable(file);
  const Model model = find_model(o.model);
  const EngineProfile engine = o.deployment.profile();
  const Request request = o.request.request(o.deployment.chunk);
  const Limits limits = o.deployment.limits();
  TableSet tables = tables_of(o, gpu_of(o), engine.framework);
  const FineTuning tuning = fine_tuning_of(o, tables.device().name);
  tuning.apply(tables);
  const Deployment d = deployment_of(o, model, engine, tables);
  RequestAnswer a = answer_request(tables, d, request);
  a.fine_tuning = tuning.of(tables.device().name);
  a.limits = limits;
  if (o.batch_curve) a.curve = batch_curve(tables, d, o.request.one(request), limits);
  if (o.must_fit && !a.memory)
    throw BadInput("--must-fit: the memory of " + a.gpu + " is not known; its table tells none");
  write(o, a);
  if (!o.save_fine_tune.empty()) save_fine_tuning(tuning, o.save_fine_tune);
  if (!o.must_fit || a.fits()) return 0;
  fmt::print(stderr, "{} does not fit on {}: {:.1f} of {:.1f} GB a GPU\n", model.name, a.gpu,
             a.memory->total() / 1e9, a.memory->usable / 1e9);
  return 1;
}

void add_parallel(CLI::App& app, Parallel& p) {
  const auto add = [&](const char* flag, int64_t& value, const char* what) {
    app.add_option(flag, value, what)->check(CLI::Range(1, 4096))->capture_default_str();
  };
  add("--tp", p.tensor, "GPUs that share each layer");
  add("--pp", p.pipeline, "Stages that share the layers");
  add("--ep", p.expert, "Groups of GPUs that experts are spread over");
  add("--dp", p.data, "Replicas that share the batch");
  add("--gpus-per-node", p.gpus_per_node, "GPUs that one link joins");
}

}  // namespace

std::function<int()> add_model(CLI::App& app) {
  const auto o = std::make_shared<Options>();
  app.add_option("--model", o->model, "A bundled model's name, a config.json or its folder");
  app.add_option("--gpu", o->gpu, "A GPU with tables that ship, or an EC2 instance type");
  app.add_option("--table", o->tables, "Your own delay-factor tables of one device");
  add_request_options(app, o->request);
  add_parallel(app, o->parallel);
  add_deployment_options(app, o->deployment);
  app.add_option("--fine-tune", o->fine_tune,
                 "operator=factor, or a JSON file of multipliers; may be repeated");
  app.add_option("--save-fine-tune", o->save_fine_tune, "Where all these multipliers go, as JSON");
  app.add_option("--memory-share", o->memory_share, "Of the GPU's memory; the engine's own")
      ->check(CLI::Range(0.01, 1.0));
  app.add_flag("--must-fit", o->must_fit, "Exit with 1 where it does not fit");
  app.add_flag("--batch-curve", o->batch_curve,
               "Latency and throughput over the batch, its knee, and the best within the limits");
  app.add_flag("--json", o->json, "As JSON");
  app.add_option("--out", o->out, "Where it goes (standard output without it)");
  return [o] { return run(*o); };
}

}  // namespace ridge
