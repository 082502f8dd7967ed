#include "kernels/attention_prefill/sdpa.h"

#ifdef RIDGE_HAVE_CUDNN
#define CUDNN_FRONTEND_SKIP_JSON_LIB  // its own copy of nlohmann/json would clash with ours
#include <cudnn_frontend.h>

#include <cmath>
#include <map>
#include <unordered_map>

#include "kernels/core/error.h"
#include "kernels/cuda/device_memory.h"
#endif

namespace ridge::attention_prefill {
namespace {

std::string unfit(const CudaContext& context, const Dims& d, Dtype dtype) {
  if (!context.cudnn) return "built without cuDNN, or it does not start";
  if (context.sm() < 80) return "cuDNN's fused attention needs sm_80";
  if (dtype != Dtype::kF16 && dtype != Dtype::kBf16) return "only f16 and bf16";
  const int64_t limit = context.sm() == 90 ? 256 : 128;
  if (d.head_dim > limit)
    return "head_dim " + std::to_string(d.head_dim) + " is above " + std::to_string(limit);
  return "";
}

#ifdef RIDGE_HAVE_CUDNN

namespace fe = cudnn_frontend;

enum Uid : int64_t { kQ = 1, kK, kV, kO };

struct Plan {
  std::shared_ptr<fe::graph::Graph> graph;
  int64_t workspace_bytes = 0;
  std::string why;  // the plan cannot be had
};

// cuDNN names axes [batch, heads, rows, features] and takes any strides.
fe::graph::Tensor_attributes tensor(const char* name, Uid uid, std::vector<int64_t> shape,
                                    std::vector<int64_t> strides) {
  return fe::graph::Tensor_attributes()
      .set_name(name)
      .set_uid(uid)
      .set_dim(std::move(shape))
      .set_stride(std::move(strides));
}

Plan make_plan(cudnnHandle_t handle, const Dims& d, int64_t cache_rows, Dtype dtype) {
  Plan plan;
  plan.graph = std::make_shared<fe::graph::Graph>();
  fe::graph::Graph& graph = *plan.graph;
  graph.set_io_data_type(dtype == Dtype::kF16 ? fe::DataType_t::HALF : fe::DataType_t::BFLOAT16)
      .set_intermediate_data_type(fe::DataType_t::FLOAT)
      .set_compute_data_type(fe::DataType_t::FLOAT);
  const std::vector<int64_t> rows{d.batch, d.heads, d.seq, d.head_dim};
  const std::vector<int64_t> row_strides{d.seq * d.heads * d.head_dim, d.head_dim,
                                         d.heads * d.head_dim, 1};
  const std::vector<int64_t> cache{d.batch, d.kv_heads, d.kv_len, d.head_dim};
  const std::vector<int64_t> cache_strides{d.kv_heads * cache_rows * d.head_dim,
                                           cache_rows * d.head_dim, d.head_dim, 1};
  auto options =
      fe::graph::SDPA_attributes().set_name("sdpa").set_generate_stats(false).set_attn_scale(
          1 / std::sqrt(static_cast<float>(d.head_dim)));
  if (d.seq > 1)
    options.set_diagonal_alignment(fe::DiagonalAlignment_t::BOTTOM_RIGHT)
        .set_diagonal_band_right_bound(0);
  const auto [o, stats] = graph.sdpa(graph.tensor(tensor("Q", kQ, rows, row_strides)),
                                     graph.tensor(tensor("K", kK, cache, cache_strides)),
                                     graph.tensor(tensor("V", kV, cache, cache_strides)), options);
  o->set_output(true).set_uid(kO).set_dim(rows).set_stride(row_strides);
  if (auto error = graph.build(handle, {fe::HeurMode_t::A}); error.is_bad())
    plan.why = "no plan of cuDNN: " + error.get_message();
  else if (auto sized = graph.get_workspace_size(plan.workspace_bytes); sized.is_bad())
    plan.why = "cuDNN does not size its workspace: " + sized.get_message();
  return plan;
}

// The plans of the calls last asked for. A plan is made to learn whether there is one, so it is
// kept for the bind that follows.
class Plans {
 public:
  std::shared_ptr<Plan> get(cudnnHandle_t handle, const Call& call, const Dims& d,
                            int64_t cache_rows) {
    constexpr std::size_t kMost = 64;  // each holds compiled kernels
    const auto key = std::pair(Call{call.op, call.dims, call.dtype, ""}, cache_rows);
    auto found = plans_.find(key);
    if (found == plans_.end()) {
      if (plans_.size() >= kMost) plans_.clear();
      found =
          plans_.emplace(key, std::make_shared<Plan>(make_plan(handle, d, cache_rows, call.dtype)))
              .first;
    }
    return found->second;
  }

 private:
  std::map<std::pair<Call, int64_t>, std::shared_ptr<Plan>> plans_;
};

std::unique_ptr<Launch> bind_plan(CudaContext& context, const std::shared_ptr<Plan>& plan,
                                  const Arguments& a) {
  if (!plan->why.empty()) throw std::runtime_error(plan->why);
  const auto workspace = cuda::shared_scratch(context, "cudnn sdpa", plan->workspace_bytes);
  std::unordered_map<int64_t, void*> pointers{{kQ, const_cast<void*>(a.inputs[0])},
                                              {kK, const_cast<void*>(a.inputs[1])},
                                              {kV, const_cast<void*>(a.inputs[2])},
                                              {kO, a.outputs[0]}};
  std::string plan_name;
  (void)plan->graph->get_plan_name(plan_name);
  return make_launch(
      [plan, workspace, pointers, handle = context.cudnn]() mutable {
        if (auto error = plan->graph->execute(handle, pointers, workspace->address());
            error.is_bad())
          throw std::runtime_error("cuDNN attention: " + error.get_message());
      },
      plan_name + ", workspace " + std::to_string(plan->workspace_bytes >> 10) + " KiB");
}

#endif

}  // namespace

CudaImplementation cudnn_sdpa(std::string op, std::function<Dims(const Call&)> dims_of) {
  CudaImplementation i;
  i.op = std::move(op);
  i.name = "cudnn";
#ifdef RIDGE_HAVE_CUDNN
  const auto plans = std::make_shared<Plans>();
  i.unsupported = [dims_of, plans](const CudaContext& context, const Call& c) {
    const std::string why = unfit(context, dims_of(c), c.dtype);
    const Dims d = dims_of(c);
    return why.empty() ? plans->get(context.cudnn, c, d, d.kv_len)->why : why;
  };
  i.bind = [dims_of, plans](CudaContext& context, const Call& c, const Arguments& a) {
    if (a.lengths) throw BadInput(to_string(c) + ": cuDNN's takes sequences of one length only");
    const Dims d = dims_of(c);
    return bind_plan(context, plans->get(context.cudnn, c, d, cache_rows(a, d.kv_len)), a);
  };
#else
  i.unsupported = [dims_of](const CudaContext& context, const Call& c) {
    return unfit(context, dims_of(c), c.dtype);
  };
  i.bind = [](CudaContext&, const Call&, const Arguments&) -> std::unique_ptr<Launch> {
    throw std::runtime_error("built without cuDNN");
  };
#endif
  return i;
}

}  // namespace ridge::attention_prefill
