#include "simulator/config/scenario.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "calibrate/delay_model.h"
#include "kernels/core/error.h"
#include "kernels/core/json_schema.h"
#include "predictor/models/nearest_names.h"
#include "predictor/request/answer.h"
#include "predictor/request/default_dtype.h"
#include "roofline/datasheet.h"
#include "serving_schema.inc"  // made by CMake: kServingSchemaText

namespace ridge::sim {
namespace {

using nlohmann::json;

const json& schema() {
  static const json parsed = json::parse(kServingSchemaText);
  return parsed;
}

const json& resolved(const json& node) {
  const auto ref = node.find("$ref");
  if (ref == node.end()) return node;
  return schema().at(json::json_pointer(ref->get<std::string>().substr(1)));
}

// Two keys: those that begin as the asked one does go before those that few edits turn into it.
std::string suggested(const std::string& asked, std::vector<std::string> known) {
  std::vector<std::string> nearest = nearest_names(asked, known, known.size());
  std::stable_partition(nearest.begin(), nearest.end(),
                        [&](const std::string& key) { return key.starts_with(asked); });
  nearest.resize(std::min<std::size_t>(2, nearest.size()));
  return fmt::format("{}", fmt::join(nearest, ", "));
}

// Keys of `j` that the schema does not have, with the nearest that it has.
void unknown_keys(const json& node, const json& j, const std::string& path, std::string& errors) {
  const json& rules = resolved(node);
  if (!j.is_object() || !rules.contains("properties")) return;
  std::vector<std::string> known;
  for (const auto& [key, rule] : rules["properties"].items()) known.push_back(key);
  for (const auto& [key, value] : j.items()) {
    const std::string here = path.empty() ? key : path + "." + key;
    if (rules["properties"].contains(key))
      unknown_keys(rules["properties"][key], value, here, errors);
    else
      errors += fmt::format("{}unknown key '{}'; nearest: {}", errors.empty() ? "" : "; ", here,
                            suggested(key, known));
  }
}

const json& part(const json& j, const char* key) {
  static const json empty = json::object();
  const auto at = j.find(key);
  return at == j.end() ? empty : *at;
}

Lengths lengths(const json& j, double usual) {
  const std::string kind = j.value("kind", "fixed");
  Lengths l{.mean = j.value("tokens", usual),
            .variation = j.value("variation", 1.0),
            .exponent = j.value("exponent", 1.0),
            .low = j.value("low", int64_t{1}),
            .high = j.value("high", int64_t{1} << 20)};
  l.kind = kind == "uniform"     ? LengthKind::kUniform
           : kind == "lognormal" ? LengthKind::kLognormal
           : kind == "zipf"      ? LengthKind::kZipf
                                 : LengthKind::kFixed;
  return l;
}

ArrivalKind arrival_kind(const std::string& word) {
  if (word == "deterministic") return ArrivalKind::kDeterministic;
  if (word == "gamma") return ArrivalKind::kGamma;
  if (word == "on_off") return ArrivalKind::kOnOff;
  return word == "closed_loop" ? ArrivalKind::kClosedLoop : ArrivalKind::kPoisson;
}

WorkloadConfig workload(const json& j, const std::string& folder) {
  WorkloadConfig w;
  const json &a = part(j, "arrivals"), &s = part(j, "sessions"), &p = part(j, "shared_prefix");
  w.arrivals = {.kind = arrival_kind(a.value("kind", "poisson")),
                .rate_per_s = a.value("rate_per_s", 1.0),
                .variation = a.value("variation", 1.0),
                .on_s = a.value("on_s", 1.0),
                .off_s = a.value("off_s", 1.0),
                .concurrency = a.value("concurrency", int64_t{1})};
  w.input = lengths(part(j, "input"), 512);
  w.output = lengths(part(j, "output"), 128);
  w.sessions = {.turns = s.value("turns", int64_t{1}), .think_s = s.value("think_s", 0.0)};
  w.shared_prefix = p.value("tokens", int64_t{0});
  w.shared_count = p.value("count", int64_t{1});
  w.requests = j.value("requests", int64_t{0});
  w.duration_s = j.value("duration_s", 0.0);
  w.seed = j.value("seed", uint64_t{1});
  if (!j.contains("trace")) return w;
  if (j.contains("arrivals") || j.contains("input") || j.contains("output"))
    throw BadInput("workload: trace tells arrivals and lengths; take these keys away, or trace");
  w.arrivals.kind = ArrivalKind::kTrace;
  w.trace = read_trace((std::filesystem::path(folder) / j["trace"].get<std::string>()).string());
  return w;
}

SchedulerConfig scheduler(const json& j) {
  return {.kind = parse_scheduler(j.value("kind", "vllm_v1")),
          .max_sequences = j.value("max_sequences", int64_t{256}),
          .token_budget = j.value("token_budget", int64_t{2048}),
          .chunked_prefill = j.value("chunked_prefill", true),
          .policy = j.value("policy", "fcfs") == "priority" ? Policy::kPriority : Policy::kFcfs,
          .max_wait_s = j.value("max_wait_s", 0.1),
          .watermark = j.value("watermark", -1.0)};
}

// A GPU of which only these numbers are known: no curves, so every call takes its roofline.
TableSet roofline_tables(const json& gpu) {
  const double peak = gpu["peak_tflops"].get<double>() * 1e12;
  DeviceSpec spec{.name = gpu.value("name", "GPU of given numbers"), .sm_count = 1};
  spec.memory_bytes = static_cast<int64_t>(gpu["memory_gb"].get<double>() * 1e9);
  spec.memory_bandwidth_bytes_per_s = gpu["bandwidth_gb_s"].get<double>() * 1e9;
  spec.link_bandwidth_bytes_per_s = gpu.value("link_gb_s", 50.0) * 1e9;
  for (const char* pipe : {"matrix.f16", "matrix.bf16"}) spec.peak_flops_per_s[pipe] = peak;
  // Nothing tells these; products are far above them on every GPU, and rows are bound by memory.
  for (const char* pipe : {"vector.f32", "vector.f16", "vector.bf16", "matrix.f32"})
    spec.peak_flops_per_s[pipe] = peak / 8;
  DelayTable t{.device = device_info(spec), .ceilings = datasheet_ceilings(spec)};
  t.method = Method::kGraph;
  t.model = std::make_shared<const DelayModel>(t);
  return TableSet({{"roofline of " + spec.name, std::move(t)}});
}

TableSet tables(const json& j, const std::string& folder, const std::string& framework) {
  if (j["gpu"].is_object()) return roofline_tables(j["gpu"]);
  if (!j.contains("tables")) return shipped_tables(j["gpu"], framework);
  std::vector<NamedTable> list;
  for (const json& file : j["tables"]) {
    const std::string path = (std::filesystem::path(folder) / file.get<std::string>()).string();
    list.push_back({path, load_table(path, j["gpu"])});
  }
  return {std::move(list), framework};
}

Precision precision(const json& j, Dtype usual) {
  const std::string weights = j.value("weights", "native");
  Precision p{.dtype = j.contains("dtype") ? parse_dtype(j["dtype"].get<std::string>()) : usual,
              .quantised_activations = !j.value("weight_only", false)};
  p.weights = weights == "fp8"    ? WeightFormat::kFp8
              : weights == "int8" ? WeightFormat::kInt8
              : weights == "int4" ? WeightFormat::kInt4
                                  : WeightFormat::kNative;
  p.kv_cache = j.contains("kv_cache") ? parse_dtype(j["kv_cache"].get<std::string>()) : p.dtype;
  return p;
}

Deployment deployment(const json& j, const TableSet& t, EngineProfile engine) {
  const json& p = part(j, "parallel");
  Deployment d{.parallel = {.tensor = p.value("tensor", int64_t{1}),
                            .pipeline = p.value("pipeline", int64_t{1}),
                            .expert = p.value("expert", int64_t{1}),
                            .gpus_per_node = p.value("gpus_per_node", int64_t{8})},
               .engine = std::move(engine)};
  const json& m = j["model"];
  d.model = m.is_string() ? find_model(m) : model_from_json(m, "model", m.value("name", "model"));
  // Experts that are spread over more GPUs than a replica has meet those of its neighbours.
  if (d.parallel.expert > d.parallel.tensor) d.parallel.data = p.value("replicas", int64_t{1});
  d.precision = precision(j, default_dtype(d.model, t));
  if (part(j, "cache").contains("memory_share")) d.engine.memory_share = j["cache"]["memory_share"];
  return d;
}

// Of a GPU beside a step of the scheduler's budget, with the shortest request's cache.
void fit(Scenario& s, const json& j) {
  const SchedulerConfig& c = s.cluster.replica.scheduler;
  const int64_t most = s.deployment.model.max_positions;
  const int64_t tokens = most > 0 ? std::min(c.token_budget, most - 1) : c.token_budget;
  const Request smallest{.prompts = {{.count = 1, .tokens = tokens}}, .output = 1};
  Deployment one = s.deployment;
  one.parallel.data = one.parallel.expert > one.parallel.tensor ? one.parallel.data : 1;
  s.memory = memory_of(s.tables->device(), one, smallest);
  BatchConfig& b = s.cluster.replica.batch;
  const json& cache = part(j, "cache");
  b.block_tokens = cache.value("block_tokens", int64_t{16});
  b.prefix_cache = cache.value("prefix_cache", true);
  b.blocks = cache.value("blocks", s.memory.kv_blocks * kBlockTokens / b.block_tokens);
  if (b.blocks >= 1 && (cache.contains("blocks") || s.memory.fits())) return;
  std::string fits;
  for (const std::string& what : answer_request(*s.tables, one, smallest).would_fit)
    fits += (fits.empty() ? "; would fit: " : "; or ") + what;
  throw DoesNotFit(
      fmt::format("{} does not fit on {} x {}: {:.1f} GB a GPU, of which {:.1f} are "
                  "usable{}",
                  s.deployment.model.name, one.parallel.gpus(), s.gpu, s.memory.total() / 1e9,
                  s.memory.usable / 1e9, fits));
}

void disaggregate(Scenario& s, const json& j) {
  if (!j.contains("disaggregation")) return;
  const json& d = j["disaggregation"];
  const Parallel& p = s.deployment.parallel;
  s.cluster.disaggregation =
      Disaggregation{.prefill_replicas = d.value("prefill_replicas", int64_t{1}),
                     .kv_bytes_per_token =
                         s.memory.kv_bytes_per_token * static_cast<double>(p.tensor * p.pipeline),
                     .bandwidth_bytes_per_s = d["bandwidth_gb_s"].get<double>() * 1e9,
                     .latency_s = d.value("latency_s", 0.0),
                     .prefill = s.cluster.replica};
}

void add_notes(Scenario& s, const json& j) {
  if (j["gpu"].is_object())
    s.notes.push_back(
        "no table of this GPU: every kernel takes its roofline, a lower limit of its time");
  const Prediction p = s.tables->predict(std::vector<Call>{
      {.op = "gemm", .dims = {256, 4096, 4096}, .dtype = s.deployment.precision.dtype}})[0];
  if (!j["gpu"].is_object() && p.basis == Basis::kTransferred)
    s.notes.push_back("no kernel was measured on this GPU: delays are those of other GPUs");
  if (!s.deployment.engine.adds_time())
    s.notes.push_back("engine " + s.deployment.engine.name +
                      ": nothing is added to the kernels' times");
}

}  // namespace

std::string scenario_errors(const json& j) {
  if (!j.is_object()) return "want an object with the keys model, gpu and workload";
  std::string errors;
  unknown_keys(schema(), j, "", errors);
  return errors.empty() ? schema_errors(schema(), j) : errors;
}

std::shared_ptr<const TableSet> TableCache::shipped(const std::string& gpu,
                                                    const std::string& framework) {
  const std::scoped_lock lock(mutex_);
  std::shared_ptr<const TableSet>& set = sets_[{gpu, framework}];
  if (!set) set = std::make_shared<const TableSet>(shipped_tables(gpu, framework));
  return set;
}

Scenario scenario_from_json(const json& j, const std::string& where, const std::string& folder,
                            TableCache* cache) {
  if (const std::string wrong = scenario_errors(j); !wrong.empty())
    throw BadInput(where + ": " + wrong);
  try {
    Scenario s;
    s.workload = workload(j["workload"], folder);
    check(s.workload);
    s.cluster.replica.scheduler = scheduler(part(j, "scheduler"));
    check(s.cluster.replica.scheduler);
    s.cluster.routing = parse_routing(j.value("routing", "round_robin"));
    s.cluster.replicas = part(j, "parallel").value("replicas", int64_t{1});
    s.cluster.stop_s = j.value("stop_s", std::numeric_limits<double>::infinity());
    s.limits = {part(j, "limits").value("ttft_s", 0.0), part(j, "limits").value("tpot_s", 0.0)};
    const EngineProfile engine = find_engine(j.value("engine", "vllm"));
    s.tables = cache && j["gpu"].is_string() && !j.contains("tables")
                   ? cache->shipped(j["gpu"], engine.framework)
                   : std::make_shared<const TableSet>(tables(j, folder, engine.framework));
    s.gpu = s.tables->device().name;
    s.deployment = deployment(j, *s.tables, engine);
    fit(s, j);
    disaggregate(s, j);
    add_notes(s, j);
    return s;
  } catch (const DoesNotFit& e) {
    throw DoesNotFit(where + ": " + e.what());
  } catch (const BadInput& e) {
    throw BadInput(where + ": " + e.what());
  }
}

int64_t Scenario::gpus() const {
  const int64_t prefill = cluster.disaggregation ? cluster.disaggregation->prefill_replicas : 0;
  return deployment.parallel.tensor * deployment.parallel.pipeline * (cluster.replicas + prefill);
}

SummaryOptions Scenario::summary_options() const {
  const auto ceiling = [&](const std::string& key) {
    const auto at = tables->ceilings().values.find(key);
    return at == tables->ceilings().values.end() ? 0.0 : at->second.value;
  };
  SummaryOptions o{.limits = limits, .gpus = gpus(), .bandwidth_bytes_per_s = ceiling("dram.read")};
  const Dtype dtype = deployment.precision.dtype;
  o.peak_flops_per_s = ceiling(ceiling_name(Pipe::kMatrix, dtype));
  if (o.peak_flops_per_s <= 0)
    o.peak_flops_per_s = ceiling(ceiling_name(Pipe::kMatrix, twin(dtype)));
  o.open_arrivals = workload.arrivals.kind != ArrivalKind::kClosedLoop;
  return o;
}

Outcome simulate(const Scenario& s, const Watch& watch) {
  PredictedTime time(*s.tables, s.deployment);
  return simulate(s.workload, s.cluster, time, watch);
}

}  // namespace ridge::sim
