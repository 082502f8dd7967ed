// A made-up device of round numbers and a small model, so that what requests take can be told by
// hand.
#pragma once
#include <cmath>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "calibrate/delay_model.h"
#include "predictor/request/request.h"
#include "tests/calibrate/fixture.h"

namespace ridge::made_up {

struct Speed {
  double flops_per_s = 1e13, bytes_per_s = 1e12, launch_s = 1e-6;
};
inline constexpr Speed kLaunchesOnly{.flops_per_s = 1e300, .bytes_per_s = 1e300};

// An operator that always takes so many times its ideal time, within the factor e^±spread.
struct Known {
  std::string op;
  double delay = 1, spread = 0;
};

// What is not `known` takes launch + roofline.
inline TableSet tables(const Speed& speed = {}, const std::vector<Known>& known = {}) {
  DelayTable t{.device = fixture::device(), .ceilings = fixture::ceilings()};
  for (auto& [key, c] : t.ceilings.values) {
    if (c.unit == "flop/s") c.value = speed.flops_per_s;
    if (c.unit == "byte/s") c.value = speed.bytes_per_s;
  }
  t.method = Method::kGraph;
  t.launch.graph_s = speed.launch_s;
  for (const Known& k : known) {
    Curve c{.op = k.op, .dtype = Dtype::kF16, .implementation = "made_up", .kind = "constant"};
    c.interval = 1;
    c.log_delay = std::log(k.delay);
    c.log_delay_sd = k.spread;
    c.count = 1;
    for (const Axis& a : find_operator(k.op).axes) {
      c.dims_low.push_back(a.min);
      c.dims_high.push_back(a.max);
    }
    t.curves.push_back(std::move(c));
  }
  t.model = std::make_shared<const DelayModel>(t);
  return TableSet({{"made up", std::move(t)}});
}

// 40 kernels a pass of one sequence: embedding, norm, 8 norms with their additions; in each layer
// qkv, rope, attention, output, gate and up, activation, down; LM head, sampling.
inline constexpr double kKernels = 40;

inline Model model() {
  return {.name = "made-up-5m",
          .architecture = "LlamaForCausalLM",
          .hidden = 256,
          .layers = 4,
          .heads = 4,
          .kv_heads = 2,
          .head_dim = 64,
          .ffn = 512,
          .vocab = 1000,
          .max_positions = 8192,
          .dtype = Dtype::kF16};
}

inline Model draft_model() {
  Model m = model();
  m.name = "made-up-1m";
  m.layers = 1;
  return m;
}

inline Deployment deployment(Model m = model()) {
  return {.model = std::move(m),
          .precision = {.dtype = Dtype::kF16, .kv_cache = Dtype::kF16},
          .engine = find_engine("kernels")};
}

inline Request request(int64_t batch, int64_t input, int64_t output) {
  return {.prompts = {{.count = batch, .tokens = input}}, .output = output};
}

// The kernels of a stage, each for itself.
inline double seconds(const TableSet& t, const std::vector<Kernel>& stage) {
  double sum = 0;
  for (const Kernel& k : stage) sum += k.count * t.predict(std::span(&k, 1))[0].seconds;
  return sum;
}

inline std::vector<std::vector<Kernel>> stages(const Deployment& d, const Step& step) {
  return lower(d.model, d.parallel, d.precision, d.engine.fusion, step);
}

// All stages, one after the other.
inline double seconds(const TableSet& t, const Deployment& d, const Step& step) {
  double sum = 0;
  for (const auto& stage : stages(d, step)) sum += seconds(t, stage);
  return sum;
}

inline double work(const Phase& p, Role role) {
  double flops = 0;
  for (const RoleTime& r : p.roles)
    if (r.role == role) flops += r.flops;
  return flops;
}

}  // namespace ridge::made_up
