#pragma once
#include <vector>

#include "predictor/lowering/attention.h"
#include "predictor/lowering/lower.h"
#include "predictor/lowering/shard.h"

namespace ridge {

// The kernels of one pipeline stage in one step, appended part by part.
class Pass {
 public:
  struct Inputs {
    const Model& model;
    const Parallel& parallel;
    const Precision& precision;
    const Fusion& fusion;
    const Step& step;
    Shard shard;
    StepShape shape;
  };

  Pass(const Inputs& in, const Stage& stage, std::size_t index);
  std::vector<Kernel> run();

 private:
  enum class Weights { kNative, kQuantised };
  struct Product {
    int64_t m, n, k;
    double count;
    Weights weights = Weights::kQuantised;
  };

  void embed();
  void norms_and_adds();
  void attend();
  void dense_mlp();
  void experts();
  void shared_expert(double layers);
  void combine_experts(double layers);
  void finish();

  // A gated or plain MLP of inner width `ffn` on this GPU.
  void mlp(int64_t ffn, double count);
  void activation(int64_t ffn, double count);

  Kernel& add(Role role, const char* op, std::vector<int64_t> dims, double count);
  void product(Role role, const Product& p);
  // Ahead of the quantised products of one input [tokens, features], where kernels of their own
  // round it.
  void quantise(Role role, int64_t features, double count);
  bool quantises_apart() const;
  // Of a buffer of `bytes`, over the tensor-parallel GPUs; nothing for one of them.
  void collective(Role role, const char* op, double bytes, double count);
  void send();
  double hidden_bytes() const;

  const Inputs& in_;
  const Model& m_;
  Stage stage_;
  std::size_t index_;
  int64_t tokens_;
  double layers_;
  std::vector<Kernel> out_;
};

}  // namespace ridge
