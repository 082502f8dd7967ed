#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <vector>

#include "kernels/core/error.h"
#include "kernels/cuda/check.h"
#include "kernels/cuda/lt_problem.h"
#include "kernels/cuda/nvtx.h"

namespace ridge::cuda {
namespace {

constexpr int kProposals = 8;
constexpr int kRounds = 7;
constexpr double kBudget_s = 30e-3;

struct Candidate {
  cublasLtMatmulHeuristicResult_t proposal{};
  std::vector<double> times_s;
  bool runs = true;

  double median_s() const {
    if (times_s.empty()) return std::numeric_limits<double>::infinity();
    std::vector<double> sorted = times_s;
    const auto middle = sorted.begin() + static_cast<std::ptrdiff_t>(sorted.size() / 2);
    std::nth_element(sorted.begin(), middle, sorted.end());
    return *middle;
  }
};

template <class T>
T config(const cublasLtMatmulAlgo_t& algorithm, cublasLtMatmulAlgoConfigAttributes_t which) {
  T value{};
  std::size_t written = 0;
  if (cublasLtMatmulAlgoConfigGetAttribute(&algorithm, which, &value, sizeof value, &written) !=
      CUBLAS_STATUS_SUCCESS)
    return T{};
  return value;
}

std::string describe(const cublasLtMatmulHeuristicResult_t& p) {
  const auto& a = p.algo;
  const int split = std::max(config<int32_t>(a, CUBLASLT_ALGO_CONFIG_SPLITK_NUM), 1);
  const double mib = static_cast<double>(p.workspaceSize) / (1 << 20);
  return fmt::format("algo {} tile {} stages {} cluster {} splitk {}, workspace {:.4g} MiB",
                     config<int32_t>(a, CUBLASLT_ALGO_CONFIG_ID),
                     config<uint32_t>(a, CUBLASLT_ALGO_CONFIG_TILE_ID),
                     config<uint32_t>(a, CUBLASLT_ALGO_CONFIG_STAGES_ID),
                     config<uint16_t>(a, CUBLASLT_ALGO_CONFIG_CLUSTER_SHAPE_ID), split, mib);
}

class Stopwatch {
 public:
  explicit Stopwatch(const CudaContext& context) : context_(context) {
    RIDGE_CUDA(cudaEventCreate(start_.out()));
    RIDGE_CUDA(cudaEventCreate(stop_.out()));
  }
  // Device time of one run on cold operands, as they are in a model; negative when the algorithm
  // refuses them. Without memory for the flush the operands are warm, alike for all candidates.
  double run_s(const LtProblem& problem, const cublasLtMatmulAlgo_t& algorithm) {
    flush();
    RIDGE_CUDA(cudaEventRecord(start_.get(), context_.stream));
    const cublasStatus_t status = problem.enqueue(algorithm);
    RIDGE_CUDA(cudaEventRecord(stop_.get(), context_.stream));
    RIDGE_CUDA(cudaEventSynchronize(stop_.get()));
    if (status != CUBLAS_STATUS_SUCCESS) return -1;
    float milliseconds = 0;
    RIDGE_CUDA(cudaEventElapsedTime(&milliseconds, start_.get(), stop_.get()));
    return static_cast<double>(milliseconds) * 1e-3;
  }

 private:
  void flush() {
    if (!flush_fits_) return;
    try {
      context_.flush_l2();
    } catch (const OutOfMemory&) {
      flush_fits_ = false;
    }
  }

  const CudaContext& context_;
  Event start_, stop_;
  bool flush_fits_ = true;
};

// Times the candidates in turn, so that a drifting clock is shared by all. Each is run once before
// it counts, since the first run loads its code. Those that lose by half after the first round are
// left out.
void time_all(const CudaContext& context, const LtProblem& problem,
              std::vector<Candidate>& candidates) {
  Stopwatch watch(context);
  double spent_s = 0;
  for (int round = 0; round < kRounds; ++round) {
    double best_s = std::numeric_limits<double>::infinity();
    for (const Candidate& c : candidates) best_s = std::min(best_s, c.median_s());
    for (Candidate& c : candidates) {
      if (!c.runs || (round > 0 && c.median_s() > 1.5 * best_s)) continue;
      if (spent_s > kBudget_s) return;
      c.runs = round > 0 || watch.run_s(problem, c.proposal.algo) >= 0;
      if (!c.runs) continue;
      const double t = watch.run_s(problem, c.proposal.algo);
      spent_s += round > 0 ? t : 2 * t;
      c.times_s.push_back(t);
    }
  }
}

}  // namespace

LtChoice choose_algorithm(const CudaContext& context, const LtProblem& problem) {
  const Range range("choose cuBLASLt algorithm");
  std::vector<Candidate> candidates;
  for (const auto& proposal : problem.proposals(kProposals))
    candidates.push_back({.proposal = proposal});
  if (candidates.empty()) throw BadInput("cuBLASLt has no algorithm for this product");
  time_all(context, problem, candidates);

  const auto best = std::min_element(
      candidates.begin(), candidates.end(),
      [](const Candidate& a, const Candidate& b) { return a.median_s() < b.median_s(); });
  const auto timed = std::count_if(candidates.begin(), candidates.end(),
                                   [](const Candidate& c) { return !c.times_s.empty(); });
  if (timed == 0) throw BadInput("cuBLASLt refuses every algorithm that it proposes");
  LtChoice choice{.algorithm = best->proposal.algo, .detail = describe(best->proposal)};
  choice.detail += fmt::format(", best of {}", timed);
  if (timed < static_cast<std::ptrdiff_t>(candidates.size()))
    choice.detail += fmt::format(" timed of {} proposed", candidates.size());
  const double first_s = candidates.front().median_s();
  if (candidates.front().times_s.empty())
    choice.detail += ", the first does not run";
  else if (best != candidates.begin())
    choice.detail +=
        fmt::format(", {:.0f} % faster than the first", 100 * (first_s / best->median_s() - 1));
  return choice;
}

}  // namespace ridge::cuda
