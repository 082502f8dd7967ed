// predict compare: GPUs × models × batches.
#include "programs/predict_compare.h"

#include <fmt/format.h>

#include <charconv>
#include <cstdio>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>

#include "kernels/core/error.h"
#include "kernels/core/json_file.h"
#include "predictor/request/compare_report.h"
#include "programs/deployment_options.h"
#include "programs/read_text.h"

namespace ridge {
namespace {

struct Options {
  std::vector<std::string> models, gpus, batches = {"1"};
  int64_t input = 1024, output = 256, tensor = 0;
  DeploymentOptions deployment;
  std::string prices, sort = "given", out;
  bool json = false, csv = false;
};

const std::map<std::string, SortBy> kSorts{
    {"given", SortBy::kGiven}, {"ttft", SortBy::kTtft}, {"tpot", SortBy::kTpot},
    {"total", SortBy::kTotal}, {"cost", SortBy::kCost}, {"throughput", SortBy::kThroughput}};

int64_t batch_of(const std::string& text) {
  if (text == "best") return kBestBatch;
  int64_t batch = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), batch);
  if (error != std::errc() || end != text.data() + text.size() || batch < 1 || batch > 1000000)
    throw BadInput("--batch " + text + ": want numbers from 1 to 1000000, or best");
  return batch;
}

Comparison comparison(const Options& o) {
  Comparison c{.batches = {},
               .input = o.input,
               .output = o.output,
               .chunk = o.deployment.chunk,
               .tensor = o.tensor,
               .precision = o.deployment.precision(Dtype::kBf16),
               .engine = o.deployment.profile(),
               .limits = o.deployment.limits()};
  for (const std::string& gpu : o.gpus) c.targets.push_back(find_target(gpu));
  for (const std::string& model : o.models) c.models.push_back(find_model(model));
  for (const std::string& batch : o.batches) c.batches.push_back(batch_of(batch));
  if (!o.deployment.dtype.empty()) c.dtype = c.precision.dtype;
  if (!o.deployment.kv_cache.empty()) c.kv_cache = c.precision.kv_cache;
  if (!o.prices.empty()) c.prices = prices_from(parse_csv(read_text(o.prices), o.prices), o.prices);
  return c;
}

int run(const Options& o) {
  if (!o.out.empty()) check_writable(o.out);
  const Comparison c = comparison(o);
  if (kSorts.at(o.sort) == SortBy::kCost && o.prices.empty())
    throw BadInput("--sort cost: needs --prices FILE, a CSV of instance,usd_per_hour or gpu,...");
  std::vector<ComparedRow> rows = compare(c);
  sort_rows(rows, kSorts.at(o.sort));
  const std::string text = o.json  ? to_json(c, rows).dump(1) + "\n"
                           : o.csv ? compare_csv(c, rows)
                                   : compare_text(c, rows);
  if (o.out.empty())
    fmt::print("{}", text);
  else
    write_file(o.out, text);
  if (std::fflush(stdout) != 0) throw std::runtime_error("standard output cannot be written");
  std::set<std::string> said;  // of several batches once
  for (const ComparedRow& r : rows) {
    if (r.problem.empty()) continue;
    const std::string line =
        fmt::format("not predicted: {} on {}: {}\n", r.model, r.target.name, r.problem);
    if (said.insert(line).second) fmt::print(stderr, "{}", line);
  }
  return said.empty() ? 0 : 1;
}

}  // namespace

std::function<int()> add_compare(CLI::App& app) {
  const auto o = std::make_shared<Options>();
  CLI::App* sub = app.add_subcommand("compare", "GPUs or EC2 instances x models x batches");
  sub->add_option("--models,--model", o->models, "Names or config.json files, by comma")
      ->required()
      ->delimiter(',');
  sub->add_option("--gpus,--gpu", o->gpus, "GPUs (l40s) or EC2 instance types (p5.48xlarge)")
      ->required()
      ->delimiter(',');
  sub->add_option("--batch", o->batches, "Sequences at once, by comma; best: most in the limits")
      ->delimiter(',')
      ->capture_default_str();
  sub->add_option("--input", o->input, "Tokens of each prompt")->capture_default_str();
  sub->add_option("--output", o->output, "Tokens made for each prompt")->capture_default_str();
  sub->add_option("--tp", o->tensor, "GPUs to share a model; 0: the fewest that hold it");
  sub->add_option("--prices", o->prices, "CSV: instance,usd_per_hour or gpu,usd_per_hour");
  add_deployment_options(*sub, o->deployment);
  sub->add_option("--sort", o->sort, "Best rows of each model first")
      ->check(CLI::IsMember(names_of(kSorts)))
      ->capture_default_str();
  sub->add_option("--out", o->out, "Where it goes (standard output without it)");
  const auto json = sub->add_flag("--json", o->json, "As JSON, with intervals and memory");
  sub->add_flag("--csv", o->csv, "As CSV")->excludes(json);
  return [o] { return run(*o); };
}

}  // namespace ridge
