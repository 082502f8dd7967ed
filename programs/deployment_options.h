#pragma once
#include <CLI/CLI.hpp>
#include <map>
#include <string>
#include <vector>

#include "predictor/request/best_batch.h"

namespace ridge {

// What commands that put a model on a GPU have in common.
struct DeploymentOptions {
  std::string engine = "kernels", dtype, weights = "native", kv_cache;
  bool weight_only = false;
  int64_t chunk = 0;
  std::string ttft_limit, tpot_limit;

  EngineProfile profile() const;  // throws BadInput, as the following do
  Limits limits() const;
  // With the weights' format; the dtype and the cache's where they were given, else `fallback`.
  Precision precision(Dtype fallback) const;
};

// Adds them to a command; `o` must outlive the parsing.
void add_deployment_options(CLI::App& app, DeploymentOptions& o);

// "50ms" or "0.05s"; 0 for an empty text. Throws BadInput that names the option.
double parse_limit(const std::string& option, const std::string& text);

template <class T>
std::vector<std::string> names_of(const std::map<std::string, T>& map) {
  std::vector<std::string> names;
  for (const auto& [name, ignored] : map) names.push_back(name);
  return names;
}

}  // namespace ridge
