// predict compare: GPUs × models × batches.
#include "programs/predict_compare.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <cstdio>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>

#include "kernels/core/error.h"
#include "kernels/core/json_file.h"
#include "predictor/request/compare_report.h"
#include "programs/read_text.h"

namespace ridge {
namespace {

struct Options {
  std::vector<std::string> models, gpus, batches = {"1"};
  int64_t input = 1024, output = 256, chunk = 0, tensor = 0;
  std::string engine = "kernels", dtype, weights = "native", kv_cache;
  std::string prices, ttft_limit, tpot_limit, sort = "given", out;
  bool json = false, csv = false;
};

const std::map<std::string, SortBy> kSorts{
    {"given", SortBy::kGiven}, {"ttft", SortBy::kTtft}, {"tpot", SortBy::kTpot},
    {"total", SortBy::kTotal}, {"cost", SortBy::kCost}, {"throughput", SortBy::kThroughput}};
const std::map<std::string, WeightFormat> kWeights{{"native", WeightFormat::kNative},
                                                   {"fp8", WeightFormat::kFp8},
                                                   {"int8", WeightFormat::kInt8},
                                                   {"int4", WeightFormat::kInt4}};

template <class T>
std::vector<std::string> names_of(const std::map<std::string, T>& map) {
  std::vector<std::string> names;
  for (const auto& [name, ignored] : map) names.push_back(name);
  return names;
}

int64_t batch_of(const std::string& text) {
  if (text == "best") return kBestBatch;
  int64_t batch = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), batch);
  if (error != std::errc() || end != text.data() + text.size() || batch < 1 || batch > 1000000)
    throw BadInput("--batch " + text + ": want numbers from 1 to 1000000, or best");
  return batch;
}

// "50ms" or "0.05s"; 0 for none.
double limit_of(const std::string& option, const std::string& text) {
  if (text.empty()) return 0;
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const std::string unit(end, text.data() + text.size());
  if (error != std::errc() || !std::isfinite(value) || value <= 0 || (unit != "ms" && unit != "s"))
    throw BadInput(option + " " + text + ": want a time such as 50ms or 0.5s");
  return unit == "ms" ? value / 1e3 : value;
}

Comparison comparison(const Options& o) {
  Comparison c{.batches = {},
               .input = o.input,
               .output = o.output,
               .chunk = o.chunk,
               .tensor = o.tensor,
               .engine = find_engine(o.engine),
               .limits = {.ttft_s = limit_of("--ttft-limit", o.ttft_limit),
                          .tpot_s = limit_of("--tpot-limit", o.tpot_limit)}};
  for (const std::string& gpu : o.gpus) c.targets.push_back(find_target(gpu));
  for (const std::string& model : o.models) c.models.push_back(find_model(model));
  for (const std::string& batch : o.batches) c.batches.push_back(batch_of(batch));
  c.precision.weights = kWeights.at(o.weights);
  if (!o.dtype.empty()) c.dtype = parse_dtype(o.dtype);
  if (!o.kv_cache.empty()) c.kv_cache = parse_dtype(o.kv_cache);
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
  bool failed = false;
  for (const ComparedRow& r : rows) {
    if (r.problem.empty()) continue;
    failed = true;
    fmt::print(stderr, "not predicted: {} on {}: {}\n", r.model, r.target.name, r.problem);
  }
  return failed ? 1 : 0;
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
  sub->add_option("--chunk", o->chunk, "Tokens of a prefill step at most; 0: all");
  sub->add_option("--tp", o->tensor, "GPUs to share a model; 0: the fewest that hold it");
  sub->add_option("--engine", o->engine, "Engine profile by name, or a file")
      ->capture_default_str();
  sub->add_option("--dtype", o->dtype, "Of activations and native weights; the model's");
  sub->add_option("--weights", o->weights, "Format of quantised weights")
      ->check(CLI::IsMember(names_of(kWeights)))
      ->capture_default_str();
  sub->add_option("--kv-cache", o->kv_cache, "Dtype of the cache: f8e4m3, int8; the model's");
  sub->add_option("--prices", o->prices, "CSV: instance,usd_per_hour or gpu,usd_per_hour");
  sub->add_option("--ttft-limit", o->ttft_limit, "Time to first token to keep: 500ms");
  sub->add_option("--tpot-limit", o->tpot_limit, "Time per token to keep: 50ms");
  sub->add_option("--sort", o->sort, "Best rows of each model first")
      ->check(CLI::IsMember(names_of(kSorts)))
      ->capture_default_str();
  sub->add_option("--out", o->out, "Where it goes (standard output without it)");
  const auto json = sub->add_flag("--json", o->json, "As JSON, with intervals and memory");
  sub->add_flag("--csv", o->csv, "As CSV")->excludes(json);
  return [o] { return run(*o); };
}

}  // namespace ridge
