#include <algorithm>
#include <limits>

#include "kernels/conv2d/race.h"
#include "kernels/core/error.h"
#include "kernels/cuda/check.h"
#include "kernels/cuda/owned.h"

namespace ridge::cuda {
namespace {

constexpr int kRounds = 5;
constexpr double kBudget_s = 50e-3;

double cold_run_s(const CudaContext& context, const std::function<void()>& run) {
  Event start, stop;
  RIDGE_CUDA(cudaEventCreate(start.out()));
  RIDGE_CUDA(cudaEventCreate(stop.out()));
  if (context.flush_l2) context.flush_l2();
  RIDGE_CUDA(cudaEventRecord(start.get(), context.stream));
  run();
  RIDGE_CUDA(cudaEventRecord(stop.get(), context.stream));
  RIDGE_CUDA(cudaEventSynchronize(stop.get()));
  float milliseconds = 0;
  RIDGE_CUDA(cudaEventElapsedTime(&milliseconds, start.get(), stop.get()));
  return static_cast<double>(milliseconds) * 1e-3;
}

double median(std::vector<double> times) {
  if (times.empty()) return std::numeric_limits<double>::infinity();
  const auto middle = times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2);
  std::nth_element(times.begin(), middle, times.end());
  return *middle;
}

}  // namespace

std::vector<double> race(const CudaContext& context,
                         const std::vector<std::function<void()>>& ways) {
  std::vector<std::vector<double>> times(ways.size());
  std::vector<bool> runs(ways.size(), true);
  double spent_s = 0;
  for (int round = 0; round < kRounds && spent_s < kBudget_s; ++round) {
    for (std::size_t w = 0; w < ways.size(); ++w) {
      if (!runs[w]) continue;
      try {
        if (round == 0) ways[w]();  // the first run loads its code
        times[w].push_back(cold_run_s(context, ways[w]));
        spent_s += times[w].back();
      } catch (const OutOfMemory&) {
        throw;
      } catch (const DeviceLost&) {
        throw;
      } catch (const std::runtime_error&) {
        runs[w] = false;
        times[w].clear();
      }
    }
  }
  std::vector<double> medians(ways.size());
  std::transform(times.begin(), times.end(), medians.begin(), median);
  return medians;
}

}  // namespace ridge::cuda
