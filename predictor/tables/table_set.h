#pragma once
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "calibrate/table.h"
#include "calibrate/transfer.h"
#include "predictor/lowering/lower.h"
#include "predictor/predict_call.h"

namespace ridge {

// The delay-factor tables of one GPU, asked as one. Several may know an operator, from several
// frameworks or sources. Which of them answers a call, by this rule and no other:
//   1. curves whose implementation is the framework's that was asked for ("vllm", "trtllm",
//      "sglang"; "vllm-custom-graph" and "vllm/balanced" are vllm's), measured before transferred;
//   2. else all measured curves of the operator and dtype: the geometric mean of their answers,
//      for frameworks differ more than either errs (docs/accuracy.md);
//   3. else the same for the dtype of equal size and pipe (f16 for bf16 and back);
//   4. else transferred curves, in the same two steps;
//   5. else the roofline of the GPU's ceilings, with the launch cost of the tables.
class TableSet {
 public:
  // Throws BadInput where the tables are not of one device, or there are none.
  TableSet(std::vector<NamedTable> tables, std::string framework = {});

  // Immutable; thread-safe. Prediction.basis and .low_s/.high_s as predict_calls() has them; the
  // interval of a pooled answer also holds what the frameworks disagree by.
  std::vector<Prediction> predict(std::span<const Call> calls) const;

  // The same of kernels: a kernel's own work scales its call's time. Not multiplied by count.
  std::vector<Prediction> predict(std::span<const Kernel> kernels) const;

  const DeviceInfo& device() const;
  const Ceilings& ceilings() const;
  const std::vector<NamedTable>& tables() const { return tables_; }
  // What a call is answered from: "gemm bf16: vllm, trtllm, sglang pooled".
  std::string answered_by(const Call& call) const;

  // Multiplies every answer of the operator (by name, or a first-generation table's name such as
  // "Linear_GEMM") by `factor`: fine-tuning by hand. Throws BadInput for an unknown operator or a
  // factor that is not above 0.
  void fine_tune(const std::string& op, double factor);

 private:
  std::vector<NamedTable> tables_;
};

// The tables that ship for a GPU (by name or alias: roofline/device_specs.h), in
// results/<device>/. Throws BadInput with the names nearest to it where the GPU is unknown, or
// nothing was made for it.
TableSet shipped_tables(const std::string& gpu, const std::string& framework = {});

// Names of GPUs that shipped_tables() knows.
std::vector<std::string> gpus_with_tables();

}  // namespace ridge
