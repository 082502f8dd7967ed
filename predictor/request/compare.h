#pragma once
#include "predictor/request/best_batch.h"
#include "predictor/request/instances.h"

namespace ridge {

// What a model is put on: a GPU, of which there are as many as wanted, or an instance.
struct Target {
  std::string name;  // "L40S", "p5.48xlarge"
  std::string gpu;   // as its datasheet is called
  std::optional<Instance> instance;

  int64_t gpus() const;  // that one replica can take
};
inline constexpr int64_t kMostGpus = 8;  // of a target that is no instance: one node

// An instance or a GPU by name or alias. Throws BadInput with the names nearest to it.
Target find_target(const std::string& name);

struct Comparison {
  std::vector<Target> targets;
  std::vector<Model> models;
  std::vector<int64_t> batches = {1};  // kBestBatch: the best within the limits
  int64_t input = 1024, output = 256;
  int64_t chunk = 0;
  int64_t tensor = 0;  // 0: the smallest power of two that fits
  // Its dtype and that of its cache are the model's, f16 on GPUs without bf16, where these are not
  // given.
  Precision precision;
  std::optional<Dtype> dtype, kv_cache;
  EngineProfile engine;
  Limits limits;
  Prices prices;
};
inline constexpr int64_t kBestBatch = 0;

// One model on one target at one batch.
struct ComparedRow {
  Target target;
  std::string model;
  Precision precision;
  int64_t batch = 1, tensor = 1;
  int64_t replicas = 1;  // of the model that the target's GPUs hold beside each other
  Memory memory;
  int64_t gpus_needed = 0;  // that it would fit on, where it does not; 0: not on kMostSearched
  std::optional<RequestPrediction> prediction;  // where it fits
  std::string problem;                          // why there is none although it fits
  bool within_limits = false;
  // Of all replicas, at this batch in each of them and no pauses.
  std::optional<double> usd_per_hour, usd_per_million_output, usd_per_million_tokens;

  bool fits() const { return memory.capacity > 0 && memory.fits(); }
};
inline constexpr int64_t kMostSearched = 64;

struct CompareSource {
  std::function<DeviceInfo(const std::string& gpu)> device;
  std::function<RequestPrediction(const std::string& gpu, const Deployment&, const Request&)>
      predict;
};

// By model, target and batch as they were given. A model that does not fit is a row without a
// prediction. One that cannot be predicted (a context beyond its limit) has a `problem`. Throws
// BadInput for lists that are empty and numbers that make no request.
std::vector<ComparedRow> compare(const Comparison& c, const CompareSource& source);

// With the tables that ship, each GPU's read once.
std::vector<ComparedRow> compare(const Comparison& c);

enum class SortBy { kGiven, kTtft, kTpot, kTotal, kThroughput, kCost };

// Each model's rows, the best first: those within the limits, then those beyond, those without a
// prediction (or price) last.
void sort_rows(std::vector<ComparedRow>& rows, SortBy by);

}  // namespace ridge
