#pragma once
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "kernels/core/call.h"
#include "kernels/core/tensor.h"
#include "kernels/core/work.h"

namespace ridge {

// How calibration draws values of an axis.
enum class Draw {
  kLogUniform,  // half of the time one of `usual` (± 1 now and then), else log-uniform in the sweep
  kUsual,       // only one of `usual`
};

// Whether the work of a call never shrinks as the axis grows. It does along a stride.
enum class Growth { kMonotone, kFree };

struct Axis {
  std::string name;
  std::string doc;
  int64_t min = 1;  // what the operator accepts
  int64_t max = 1 << 30;
  int64_t sweep_low = 1;  // what calibration covers
  int64_t sweep_high = 8192;
  std::vector<int64_t> usual;  // values that LLMs have
  Draw draw = Draw::kLogUniform;
  Growth growth = Growth::kMonotone;
};

// One element of one output.
struct Element {
  int tensor = 0;
  int64_t index = 0;
};

// An operator: what it computes, what that costs at least, and how to check it. Device code is
// registered apart (Implementation in backend.h).
struct OpSpec {
  std::string name;        // "gemm"
  std::string table_name;  // "Linear_GEMM", the first generation's name
  std::string doc;         // one line with the formula
  std::vector<Axis> axes;
  std::vector<Dtype> dtypes;   // that any backend may have
  bool probe = false;          // measures a ceiling; calibration does not sweep it
  std::vector<Dtype> unswept;  // those of `dtypes` that only measure a ceiling, likewise
  // Why no backend runs it (it takes several devices, say): then it is not swept either, nor has it
  // a reference or a tolerance, and its times come from elsewhere. Empty where one does.
  std::string no_launch;
  // Constraints between axes beyond [min, max]; returns what is wrong, or "".
  std::function<std::string(const Call&)> constraint = [](const Call&) { return std::string(); };
  // Maps a point drawn at random onto one that meets the constraint.
  std::function<void(Call&)> adjust = [](Call&) {};
  std::function<Work(const Call&)> work;
  std::function<std::vector<TensorSpec>(const Call&)> inputs;
  std::function<std::vector<TensorSpec>(const Call&)> outputs;
  // The double-precision truth at `elements` (sorted by tensor, then index), into `values`.
  std::function<void(const Call&, std::span<const HostTensor> inputs,
                     std::span<const Element> elements, std::span<double> values)>
      reference;
  // Elements of the first output that are cheap to check; 0 means all. (An LSTM's late steps are
  // not: each needs all the steps before it.)
  std::function<int64_t(const Call&)> checkable = [](const Call&) { return int64_t{0}; };
  // Allowed ‖out − ref‖ / ‖ref‖ over the checked elements.
  std::function<double(const Call&)> tolerance;
  // Small and ragged shapes that the generic tests run.
  std::vector<std::vector<int64_t>> test_dims;
};

// 1e-12 f64, 1e-5 f32, 2e-3 tf32, 2e-3 f16, 1e-2 bf16, 1e-2 f8e4m3 (bf16 output), 0 integers.
double default_tolerance(Dtype dtype);

// Whether calibration sweeps the operator in that dtype.
bool is_swept(const OpSpec& spec, Dtype dtype);

int64_t dim(const OpSpec& spec, const Call& call, std::string_view axis);

// Throws BadInput that names the op, axis, value and limit ("gemm: k=-3 must be in [1, …]").
void validate(const OpSpec& spec, const Call& call);

// Bytes of all inputs and outputs.
int64_t footprint_bytes(const OpSpec& spec, const Call& call);

}  // namespace ridge
