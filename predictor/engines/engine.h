#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "predictor/lowering/lower.h"

namespace ridge {

// Time of an engine's step in which the GPU does nothing: scheduling, sampling, detokenising, the
// launches that a graph does not hide. step = per_step_s + per_sequence_s · sequences in the step.
struct HostCost {
  double per_step_s = 0, per_sequence_s = 0;
};

// predictor/engines/<name>.json: a data file for each, with the rows its constants were fitted on.
struct EngineProfile {
  std::string name;       // "vllm"
  std::string framework;  // whose kernels it runs, in the tables' words; empty: all pooled
  HostCost prefill, decode;
  double per_request_s = 0;  // once for each request of a batch, ahead of its first token
  // Decode takes at least this long where kernels are launched one by one (no CUDA graphs): the host
  // and the GPU work side by side and the slower one counts.
  double decode_floor_s = 0;
  bool decode_graphs = true;
  Fusion fusion;
  double memory_share = 0.9;  // of the GPU's memory that it takes
  std::string fitted_on;      // rows and error, in a sentence; "nothing: kernels alone"
};

// Bundled profile by name, or a file. Throws BadInput with the names there are.
EngineProfile find_engine(const std::string& name_or_path);
EngineProfile read_engine(const std::filesystem::path& file);
void save_engine(const EngineProfile& e, const std::filesystem::path& file);
std::vector<std::string> bundled_engines();

}  // namespace ridge
