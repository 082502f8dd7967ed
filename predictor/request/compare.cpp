#include "predictor/request/compare.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>
#include <tuple>

#include "kernels/core/error.h"
#include "predictor/models/nearest_names.h"
#include "predictor/request/default_dtype.h"
#include "roofline/datasheet.h"

namespace ridge {
namespace {

void check(const Comparison& c) {
  if (c.targets.empty()) throw BadInput("compare: no GPUs; name at least one");
  if (c.models.empty()) throw BadInput("compare: no models; name at least one");
  if (c.batches.empty()) throw BadInput("compare: no batches; name at least one");
  const auto at_least = [](const char* what, int64_t value, int64_t least) {
    if (value < least)
      throw BadInput(fmt::format("compare: {}={} must be at least {}", what, value, least));
  };
  for (const int64_t batch : c.batches) at_least("batch", batch, kBestBatch);
  at_least("input", c.input, 1);
  at_least("output", c.output, 1);
  at_least("chunk", c.chunk, 0);
  at_least("tensor", c.tensor, 0);
}

// Of one model on one target.
class Pair {
 public:
  Pair(const Comparison& c, const CompareSource& source, const Model& model, const Target& target)
      : c_(c), source_(source), target_(target), device_(source.device(target.gpu)) {
    Precision precision = c.precision;
    precision.dtype = c.dtype ? *c.dtype : default_dtype(model, target.gpu);
    precision.kv_cache = c.kv_cache.value_or(precision.dtype);
    deployment_ = {.model = model, .precision = precision, .engine = c.engine};
  }

  ComparedRow row(int64_t batch) {
    ComparedRow r{.target = target_,
                  .model = deployment_.model.name,
                  .precision = deployment_.precision,
                  .batch = std::max<int64_t>(batch, 1)};
    try {
      batch == kBestBatch ? best(r) : given(r);
    } catch (const BadInput& e) {
      r.problem = e.what();
    }
    if (r.prediction) add_cost(r);
    return r;
  }

 private:
  Request request(int64_t batch) const {
    return {
        .prompts = {{.count = batch, .tokens = c_.input}}, .output = c_.output, .chunk = c_.chunk};
  }

  void shard(ComparedRow& r, int64_t tensor) {
    deployment_.parallel.tensor = tensor;
    r.memory = memory_of(device_, deployment_, request(r.batch));
    r.tensor = tensor;
    r.replicas = target_.instance ? std::max<int64_t>(1, target_.gpus() / tensor) : 1;
  }

  // The ways to shard it over the target's GPUs, the smallest first.
  std::vector<int64_t> sizes() const {
    if (c_.tensor > 0) return {c_.tensor};
    std::vector<int64_t> list;
    for (int64_t t = 1; t <= target_.gpus(); t *= 2) list.push_back(t);
    return list;
  }

  // Whether the row's batch fits; the row is then sharded so, else in the last way that divides
  // the model. Throws where none does.
  bool smallest_that_fits(ComparedRow& r, const std::vector<int64_t>& among) {
    std::string why;
    bool any = false;
    for (const int64_t tensor : among) {
      try {
        shard(r, tensor);
      } catch (const BadInput& e) {
        why = e.what();
        continue;
      }
      any = true;
      if (r.fits()) return true;
    }
    if (!any) throw BadInput(why);
    return false;
  }

  void add_needed(ComparedRow& r) {
    ComparedRow other = r;
    for (int64_t t = 2 * r.tensor; t <= kMostSearched && r.gpus_needed == 0; t *= 2) try {
        shard(other, t);
        if (other.fits()) r.gpus_needed = t;
      } catch (const BadInput&) {  // that many do not divide it; twice as many do not either
        return;
      }
  }

  void predict(ComparedRow& r) {
    deployment_.parallel.tensor = r.tensor;
    r.prediction = source_.predict(target_.gpu, deployment_, request(r.batch));
    r.within_limits = c_.limits.hold(*r.prediction);
  }

  void given(ComparedRow& r) {
    if (c_.tensor > target_.gpus())
      throw BadInput(
          fmt::format("tensor={}: {} has {} GPUs", c_.tensor, target_.name, target_.gpus()));
    if (smallest_that_fits(r, sizes()))
      predict(r);
    else
      add_needed(r);
  }

  // The most tokens per second within the limits, on the fewest GPUs that keep them; else batch 1
  // on as few as hold it.
  void best(ComparedRow& r) {
    given(r);
    if (!r.fits()) return;
    const int64_t smallest = r.tensor;
    for (const int64_t tensor : sizes()) {
      if (tensor < smallest) continue;
      try {
        shard(r, tensor);
      } catch (const BadInput&) {
        break;
      }
      const BatchSource source{
          .predict = [&](const Request& q) { return source_.predict(target_.gpu, deployment_, q); },
          .fits = [&](const Request& q) { return memory_of(device_, deployment_, q).fits(); }};
      BatchCurve curve = batch_curve(source, request(1), c_.limits);
      if (!curve.best) continue;
      BatchPoint& point = curve.points[*curve.best];
      r.batch = point.batch;
      shard(r, tensor);
      r.prediction = std::move(point.prediction);
      r.within_limits = true;
      return;
    }
    shard(r, smallest);
  }

  void add_cost(ComparedRow& r) const {
    if (target_.instance) {
      r.usd_per_hour = c_.prices.of(*target_.instance);
    } else {
      const auto gpu = c_.prices.gpu_usd_per_hour.find(target_.gpu);
      if (gpu != c_.prices.gpu_usd_per_hour.end())
        r.usd_per_hour = gpu->second * static_cast<double>(r.tensor);
    }
    if (!r.usd_per_hour) return;
    const double sequences = static_cast<double>(r.batch * r.replicas);
    const double usd = *r.usd_per_hour / 3600 * r.prediction->total_s.value / sequences;
    r.usd_per_million_output = 1e6 * usd / static_cast<double>(c_.output);
    r.usd_per_million_tokens = 1e6 * usd / static_cast<double>(c_.input + c_.output);
  }

  const Comparison& c_;
  const CompareSource& source_;
  const Target& target_;
  DeviceInfo device_;
  Deployment deployment_;
};

// Smaller is better; nothing goes last.
std::optional<double> sort_key(const ComparedRow& r, SortBy by) {
  if (!r.prediction) return {};
  switch (by) {
    case SortBy::kGiven:
      return 0;
    case SortBy::kTtft:
      return r.prediction->ttft_s.value;
    case SortBy::kTpot:
      return r.prediction->tpot_s.value;
    case SortBy::kTotal:
      return r.prediction->total_s.value;
    case SortBy::kThroughput:
      return -r.prediction->output_tokens_per_s * static_cast<double>(r.replicas);
    case SortBy::kCost:
      return r.usd_per_million_output;
  }
  return {};
}

}  // namespace

int64_t Target::gpus() const { return instance ? instance->gpus : kMostGpus; }

Target find_target(const std::string& name) {
  if (auto instance = find_instance(name)) {
    Target t{.name = instance->name, .gpu = instance->gpu};
    t.instance = std::move(instance);
    return t;
  }
  if (const auto spec = find_device(name)) return {.name = spec->name, .gpu = spec->name};
  if (plain_name(name) == "cpu")
    throw BadInput(
        "'cpu': no table ships for CPUs; calibrate this one, and name its table with --table");
  std::vector<std::string> known;
  for (const DeviceSpec& spec : device_specs()) {
    known.push_back(spec.name);
    known.insert(known.end(), spec.aliases.begin(), spec.aliases.end());
  }
  for (const Instance& i : instances()) known.push_back(i.name);
  throw BadInput(fmt::format("'{}' is no GPU and no EC2 instance that is known; the nearest are {}",
                             name, fmt::join(nearest_names(name, std::move(known), 5), ", ")));
}

std::vector<ComparedRow> compare(const Comparison& c, const CompareSource& source) {
  check(c);
  std::vector<ComparedRow> rows;
  for (const Model& model : c.models)
    for (const Target& target : c.targets) {
      Pair pair(c, source, model, target);
      for (const int64_t batch : c.batches) rows.push_back(pair.row(batch));
    }
  return rows;
}

std::vector<ComparedRow> compare(const Comparison& c) {
  // Read before any row is made, so that a GPU without tables is an error and not a row.
  std::map<std::string, TableSet> tables;
  for (const Target& t : c.targets)
    if (tables.count(t.gpu) == 0) tables.emplace(t.gpu, shipped_tables(t.gpu, c.engine.framework));
  return compare(
      c, {.device = [](const std::string& gpu) { return device_info(*find_device(gpu)); },
          .predict = [&](const std::string& gpu, const Deployment& d,
                         const Request& r) { return predict_request(tables.at(gpu), d, r); }});
}

void sort_rows(std::vector<ComparedRow>& rows, SortBy by) {
  if (by == SortBy::kGiven) return;
  const auto before = [&](const ComparedRow& a, const ComparedRow& b) {
    const auto left = sort_key(a, by), right = sort_key(b, by);
    return std::tuple(!left, !a.within_limits, left.value_or(0)) <
           std::tuple(!right, !b.within_limits, right.value_or(0));
  };
  for (auto first = rows.begin(); first != rows.end();) {
    const auto last = std::find_if(first, rows.end(),
                                   [&](const ComparedRow& r) { return r.model != first->model; });
    std::stable_sort(first, last, before);
    first = last;
  }
}

}  // namespace ridge
