#include <fmt/format.h>

#include <cmath>

#include "kernels/core/error.h"
#include "kernels/core/operators.h"
#include "predictor/tables/table_set.h"

namespace ridge {
namespace {

struct FirstGeneration {
  const char* name;
  std::vector<std::string> operators;  // that are now what it covered
};

const std::vector<FirstGeneration>& first_generation() {
  static const std::vector<FirstGeneration> all = {
      {"Linear_GEMM", {"gemm"}},
      // Attention was two batched products and a softmax between them; now it is one kernel.
      {"BMM", {"bmm", "attention_prefill", "attention_decode"}},
      {"Grouped_Query_Attention", {"attention_prefill", "attention_decode", "attention_block"}},
      // Its products are gemm's now.
      {"SwiGLU_MLP", {"swiglu", "silu_mul"}},
      {"Elementwise_Add", {"add", "add3"}},
      {"RMS_Norm", {"rmsnorm", "add_rmsnorm", "layernorm"}},
  };
  return all;
}

}  // namespace

std::vector<std::string> first_generation_operators(const std::string& table_name) {
  for (const FirstGeneration& f : first_generation())
    if (table_name == f.name) return f.operators;
  for (const OpSpec& spec : operators())
    if (!spec.probe && spec.table_name == table_name) return {spec.name};
  return {};
}

void TableSet::fine_tune(const std::string& op, double factor) {
  if (!std::isfinite(factor) || factor <= 0)
    throw BadInput(fmt::format("{}: factor {} must be above 0 and finite", op, factor));
  std::vector<std::string> names = first_generation_operators(op);
  if (names.empty()) names = {find_operator(op).name};
  for (const std::string& name : names) {
    const auto [place, added] = factors_.try_emplace(name, factor);
    if (!added) place->second *= factor;
  }
}

double TableSet::fine_tuned(const std::string& op) const {
  const auto at = factors_.find(op);
  return at == factors_.end() ? 1 : at->second;
}

}  // namespace ridge
