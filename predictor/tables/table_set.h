#pragma once
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "calibrate/table.h"
#include "calibrate/transfer.h"
#include "predictor/lowering/lower.h"
#include "predictor/predict_call.h"
#include "predictor/tables/routes.h"

namespace ridge {

// Of a launch where no table of a set tells it: imported times have it inside. As a node of a CUDA
// graph, measured on A100 and H200 (docs/DESIGN §9 of published numbers).
inline constexpr double kUsualLaunch_s = 1.3e-6;

// What no table knows takes up to so many times its launch + roofline: of 6,035 element-wise and
// row calls measured on A100 and H100 (results/*/vidur.json) 90 % are within 2.8 of theirs.
inline constexpr double kUnknownDelay = 3;

// No interval reaches further than so many times its answer, or that part of it: what is less sure
// than that, nobody knows. Transferred collectives said up to 1,000.
inline constexpr double kWidest = 10;

// The delay-factor tables of one GPU, asked as one. Several may know an operator, from several
// frameworks or sources. Who answers a call is said in routes.h, in one rule; an answer of several
// is the geometric mean of theirs, for frameworks differ more than either errs (docs/accuracy.md).
// What no table knows is the launch cost of the tables' ceilings (else kUsualLaunch_s) + the
// roofline.
class TableSet {
 public:
  // Throws BadInput where the tables are not of one device, or there are none.
  TableSet(std::vector<NamedTable> tables, std::string framework = {});

  // Immutable; thread-safe. Prediction.basis and .low_s/.high_s as predict_calls() has them, of
  // several the weakest basis; their interval also holds what they disagree by.
  std::vector<Prediction> predict(std::span<const Call> calls) const;

  // The same of kernels: a kernel's own work scales what is above the launch of its call's time.
  // Not multiplied by count.
  std::vector<Prediction> predict(std::span<const Kernel> kernels) const;

  const DeviceInfo& device() const { return tables_[ceilings_of_].table.device; }
  const Ceilings& ceilings() const { return tables_[ceilings_of_].table.ceilings; }
  const std::vector<NamedTable>& tables() const { return tables_; }
  // Seconds of a launch alone.
  double launch_s() const { return launch_s_; }
  // What a call is answered from: "gemm bf16: vllm, trtllm, sglang pooled".
  std::string answered_by(const Call& call) const;

  // Multiplies every answer of an operator by `factor`: fine-tuning by hand. `op` is its name
  // ("gemm"), or a first-generation table's name, which means all that this covered then
  // (first_generation_operators()). Factors of one operator multiply. Throws BadInput for an
  // unknown operator or a factor that is not above 0.
  void fine_tune(const std::string& op, double factor);
  double fine_tuned(const std::string& op) const;  // all of an operator's factors; 1 without any

 private:
  std::vector<Prediction> answer(const std::vector<const Call*>& calls) const;  // each once
  Prediction roofline(const Call& call) const;
  double scale_of(const Kernel& kernel) const;

  std::vector<NamedTable> tables_;
  Routes routes_;
  std::size_t ceilings_of_ = 0;  // the table whose ceilings and device count
  double launch_s_ = 0;
  std::map<std::string, double> factors_;
};

// Operators that a first-generation name covered: "Linear_GEMM" gemm; "BMM" bmm and, as these are
// its products, attention_prefill and attention_decode. Empty for another name.
std::vector<std::string> first_generation_operators(const std::string& table_name);

// The tables that ship for a GPU (by name or alias: roofline/device_specs.h), in
// results/<device>/; where its datasheet equals another's but for memory size and link, that one's
// too, as transferred ones. Throws BadInput with the names nearest to it where the GPU is unknown,
// or nothing was made for it.
TableSet shipped_tables(const std::string& gpu, const std::string& framework = {});

// Names of GPUs that shipped_tables() knows.
std::vector<std::string> gpus_with_tables();

}  // namespace ridge
