// What tests ask of lowered kernels.
#pragma once
#include <vector>

#include "kernels/core/operators.h"
#include "predictor/lowering/lower.h"

namespace ridge {

inline double real(int64_t n) { return static_cast<double>(n); }

inline const OpSpec& spec_of(const Kernel& k) { return find_operator(k.call.op); }

inline Work work_of(const Kernel& k) { return k.work ? *k.work : spec_of(k).work(k.call); }

struct How {
  Parallel parallel;
  Precision precision;
  Fusion fusion;
};

// Of all stages, one after the other.
inline std::vector<Kernel> kernels_of(const Model& m, const Step& step, const How& s = {}) {
  std::vector<Kernel> all;
  for (const std::vector<Kernel>& stage : lower(m, s.parallel, s.precision, s.fusion, step))
    all.insert(all.end(), stage.begin(), stage.end());
  return all;
}

inline std::vector<Kernel> with_role(const std::vector<Kernel>& kernels, Role role) {
  std::vector<Kernel> found;
  for (const Kernel& k : kernels)
    if (k.role == role) found.push_back(k);
  return found;
}

inline double executions(const std::vector<Kernel>& kernels, Role role) {
  double count = 0;
  for (const Kernel& k : with_role(kernels, role)) count += k.count;
  return count;
}

inline double flops(const std::vector<Kernel>& kernels, Role role) {
  double sum = 0;
  for (const Kernel& k : with_role(kernels, role)) sum += k.count * work_of(k).flops;
  return sum;
}

inline double bytes_read(const std::vector<Kernel>& kernels, Role role) {
  double sum = 0;
  for (const Kernel& k : with_role(kernels, role)) sum += k.count * work_of(k).bytes_read;
  return sum;
}

// Elements of the matrices of all products, n · k of each.
inline double gemm_weights(const std::vector<Kernel>& kernels) {
  double sum = 0;
  for (const Kernel& k : kernels)
    if (k.call.op == "gemm") sum += k.count * real(k.call.dims[1]) * real(k.call.dims[2]);
  return sum;
}

// Weights that kernels of a whole pass touch, told from their sizes alone.
inline double weights_of(const Model& m, const std::vector<Kernel>& kernels) {
  double sum = 0;
  for (const Kernel& k : kernels) {
    const auto& d = k.call.dims;
    if (k.call.op == "embedding") sum += real(d[1]) * real(d[2]);
    if (k.call.op == "moe") sum += k.count * 3 * real(d[1]) * real(d[2]) * real(d[4]);
    const bool shared = k.role == Role::kLmHead && m.tied_embeddings;
    if (k.call.op == "gemm" && !shared) sum += k.count * real(d[1]) * real(d[2]);
    if (k.call.op == "gemm" && k.role == Role::kQkv && m.qkv_bias) sum += k.count * real(d[1]);
    if (k.role == Role::kNorm) sum += k.count * real(d[1]);
    if (k.role == Role::kQkNorm) sum += k.count * 2 * real(d[1]);  // one for queries, one for keys
  }
  return sum;
}

inline double gemm_flops(const std::vector<Kernel>& kernels) {
  double sum = 0;
  for (const Kernel& k : kernels)
    if (k.call.op == "gemm") sum += k.count * work_of(k).flops;
  return sum;
}

inline Step prefill_of(int64_t tokens, int64_t count = 1) {
  return {{.count = count, .tokens = tokens}};
}
inline Step decode_of(int64_t past, int64_t count = 1) {
  return {{.count = count, .tokens = 1, .past = past}};
}

}  // namespace ridge
