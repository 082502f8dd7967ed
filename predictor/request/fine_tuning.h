#pragma once
#include <filesystem>
#include <map>
#include <string>

#include "predictor/tables/table_set.h"

namespace ridge {

// Multipliers of what tables say, by hand: for each GPU an operator's time is multiplied by its
// factor. Operators are named as TableSet::fine_tune() takes them.
class FineTuning {
 public:
  using Factors = std::map<std::string, double>;

  // Replaces an earlier one. A GPU's aliases are one GPU. Throws BadInput for an unknown operator
  // and for a factor that is not above 0.
  void set(const std::string& gpu, const std::string& op, double factor);
  // "gemm=0.9". Throws BadInput as set() does.
  void set(const std::string& gpu, const std::string& text);

  const Factors& of(const std::string& gpu) const;  // empty where there are none
  void apply(TableSet& tables) const;               // those of its GPU

  // By GPU, as its datasheet is called.
  const std::map<std::string, Factors>& all() const { return by_gpu_; }

 private:
  std::map<std::string, Factors> by_gpu_;
};

// JSON by schema/fine_tuning.schema.json, {"schema_version": 1, "multipliers": {"T4": {"gemm":
// 0.8}}}; also the first generation's {"T4_Linear_GEMM": 0.8}. Throws BadInput with file and key.
FineTuning read_fine_tuning(const std::filesystem::path& file);
void save_fine_tuning(const FineTuning& f, const std::filesystem::path& file);

}  // namespace ridge
