#pragma once
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "predictor/lowering/lower.h"

namespace ridge {

// Time of an engine's step in which the GPU does nothing: scheduling, sampling, detokenising, the
// launches that a graph does not hide. step = per_step_s + per_sequence_s · sequences in the step.
struct HostCost {
  double per_step_s = 0, per_sequence_s = 0;
};

// What an engine adds to its kernels' times, on one kind of machine.
struct EngineTimes {
  HostCost prefill, decode;
  double tensor_step_s = 0;  // more, of each step of several GPUs that share the model
  double per_request_s = 0;  // once for each request of a batch, ahead of its first token
  // Decode's kernels take at least this long where they are launched one by one (no CUDA graphs):
  // the host and the GPU work side by side and the slower one counts.
  double decode_floor_s = 0;
  // More, of a decode step, for each token that its sequences have in the cache: their block
  // tables, and what the engine's attention kernels take beyond the tables'.
  double per_cached_token_s = 0;
  // Share that holds 80 % of |predicted / measured − 1| of the rows these were fitted on.
  double spread = 0;

  bool adds_time() const;
};

// predictor/engines/profiles/<name>.json: a data file for each, with the rows its constants were
// fitted on. A constant of 0 with nothing in `fitted_on` was never fitted.
struct EngineProfile {
  std::string name;  // "vllm"
  std::vector<std::string> aliases;
  std::string framework;  // whose kernels it runs, in the tables' words; empty: all pooled
  EngineTimes times;      // of a GPU that is not in the next
  std::map<std::string, EngineTimes> on_gpu;  // by datasheet name: hosts differ, too
  bool decode_graphs = true;
  Fusion fusion;
  double memory_share = 0.9;  // of the GPU's memory that it takes
  int64_t step_tokens = 0;  // new tokens of a step at most, where the request does not say; 0: all
  std::string habits;       // where what is not fitted (fusion, graphs, memory) is known from
  std::string fitted_on;    // rows and error, in a sentence; "nothing: kernels alone"
  std::vector<std::string> fitted_rows;  // those rows, lines of CSV with the header first

  const EngineTimes& times_on(const std::string& gpu) const;  // a name as the tables have it
  // Whether it adds any time to that of the kernels.
  bool adds_time() const;
};

// Bundled profile by name or alias (letter case and punctuation do not count), or a file. Throws
// BadInput with the names there are, the nearest first.
EngineProfile find_engine(const std::string& name_or_path);

// Validated against schema/engine.schema.json. Throws BadInput that names the file and the key;
// also where a constant is not 0 and `fitted_on` does not tell where it comes from.
EngineProfile read_engine(const std::filesystem::path& file);

// Writes beside `file` and renames. Throws std::runtime_error, and leaves what was there, for a
// profile that read_engine() would refuse.
void save_engine(const EngineProfile& e, const std::filesystem::path& file);

// Names of predictor/engines/profiles/, those that ship.
std::vector<std::string> bundled_engines();

}  // namespace ridge
