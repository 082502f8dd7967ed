#include <algorithm>
#include <map>
#include <set>

#include "kernels/core/op_spec.h"
#include "kernels/lstm/lstm.h"

namespace ridge::lstm {
namespace {

// Multiply-adds of one step of one sequence through all layers.
double macs_per_step(const Dims& d) {
  return 4.0 * static_cast<double>(d.hidden) *
         static_cast<double>(d.input + (2 * d.layers - 1) * d.hidden);
}

Work work(const Call& call) {
  // The matrix products, 2 flops a multiply-add, starting from the bias; f·c + i·g and o·tanh(c)
  // are 4 an element of the state, σ and tanh not counted. Weights are read once, as if they stayed
  // on the chip for all steps.
  const Dims d = dims(call);
  const auto size = static_cast<double>(bytes_per_element(call.dtype));
  const double steps = static_cast<double>(d.seq) * static_cast<double>(d.batch);
  const double states = static_cast<double>(d.layers * d.hidden);
  return {
      .flops = steps * (2 * macs_per_step(d) + 4 * states),
      .bytes_read = size * (steps * static_cast<double>(d.input) + macs_per_step(d) + 4 * states),
      .bytes_written = size * steps * static_cast<double>(d.hidden),
      .pipe = Pipe::kMatrix,
      .arithmetic = call.dtype};
}

// The state of the batch rows that are asked for, [unit][row], so that rows are the inner loop.
class Reference {
 public:
  // For what `elements` of y need: no later step, no other sequence, and of the last layer's last
  // step no other unit.
  Reference(const Dims& d, std::span<const HostTensor> in, std::span<const Element> elements)
      : d_(d), in_(in), scale_(static_cast<double>(weight_scale(d))) {
    std::map<int64_t, int64_t> steps;  // batch row -> steps it must run
    last_step_ = elements.empty() ? -1 : elements.back().index / d.hidden / d.batch;
    for (const Element& e : elements) {
      const int64_t step = e.index / d.hidden / d.batch;
      int64_t& needed = steps[e.index / d.hidden % d.batch];
      needed = std::max(needed, step + 1);
      if (step == last_step_) last_units_.insert(e.index % d.hidden);
    }
    std::vector<std::pair<int64_t, int64_t>> order(steps.begin(), steps.end());
    // The longest first: at any step the rows that still run are a prefix.
    std::stable_sort(order.begin(), order.end(),
                     [](const auto& a, const auto& b) { return a.second > b.second; });
    for (const auto& [row, count] : order) {
      position_[row] = rows_.size();
      rows_.push_back(row);
      steps_.push_back(count);
    }
    const std::size_t state = static_cast<std::size_t>(d.hidden) * rows_.size();
    c_.assign(static_cast<std::size_t>(d.layers), std::vector<double>(state, 0.0));
    h_ = c_;
  }

  void step(int64_t t) {
    active_ = 0;
    while (active_ < rows_.size() && steps_[active_] > t) ++active_;
    const std::size_t all = rows_.size();
    std::vector<double> below(static_cast<std::size_t>(d_.input) * all);
    for (int64_t i = 0; i < d_.input; ++i)
      for (std::size_t r = 0; r < active_; ++r)
        below[static_cast<std::size_t>(i) * all + r] =
            in_[0].at((t * d_.batch + rows_[r]) * d_.input + i);
    for (int64_t layer = 0; layer < d_.layers; ++layer) {
      const auto l = static_cast<std::size_t>(layer);
      std::vector<double> h = h_[l];
      const bool last = layer == d_.layers - 1 && t == last_step_;
      for (int64_t unit = 0; unit < d_.hidden; ++unit)
        if (!last || last_units_.contains(unit)) advance(t, layer, unit, below, h);
      h_[l] = std::move(h);
      below = h_[l];
    }
  }

  double y(int64_t row, int64_t unit) const {
    return h_.back()[static_cast<std::size_t>(unit) * rows_.size() + position_.at(row)];
  }

 private:
  // Adds Σ weights[at + i] · scale · values[i][row] to sums.
  void product(const HostTensor& weights, int64_t at, int64_t count,
               const std::vector<double>& values, std::vector<double>& sums) const {
    for (int64_t i = 0; i < count; ++i) {
      const double w = weights.at(at + i) * scale_;
      const double* v = values.data() + static_cast<std::size_t>(i) * rows_.size();
      for (std::size_t r = 0; r < active_; ++r) sums[r] += w * v[r];
    }
  }

  void advance(int64_t t, int64_t layer, int64_t unit, const std::vector<double>& below,
               std::vector<double>& h_new) {
    const auto l = static_cast<std::size_t>(layer);
    std::vector<double> gates[4];
    for (int64_t g = 0; g < 4; ++g) {
      const int64_t row = g * d_.hidden + unit;
      auto& sums = gates[g];
      sums.assign(active_, in_[3].at(layer * 4 * d_.hidden + row) * scale_);
      product(in_[1], d_.w_input_at(layer) + row * d_.in(layer), d_.in(layer), below, sums);
      if (t > 0) product(in_[2], (layer * 4 * d_.hidden + row) * d_.hidden, d_.hidden, h_[l], sums);
    }
    const auto sigmoid = [](double v) { return 1 / (1 + std::exp(-v)); };
    for (std::size_t r = 0; r < active_; ++r) {
      const std::size_t at = static_cast<std::size_t>(unit) * rows_.size() + r;
      c_[l][at] = sigmoid(gates[1][r]) * c_[l][at] + sigmoid(gates[0][r]) * std::tanh(gates[2][r]);
      h_new[at] = sigmoid(gates[3][r]) * std::tanh(c_[l][at]);
    }
  }

  const Dims d_;
  std::span<const HostTensor> in_;
  const double scale_;
  std::vector<int64_t> rows_, steps_;
  std::map<int64_t, std::size_t> position_;  // batch row -> index in rows_
  int64_t last_step_ = -1;
  std::set<int64_t> last_units_;
  std::size_t active_ = 0;
  std::vector<std::vector<double>> c_, h_;  // per layer
};

void reference(const Call& call, std::span<const HostTensor> in, std::span<const Element> elements,
               std::span<double> values) {
  const Dims d = dims(call);
  Reference run(d, in, elements);
  int64_t done = 0;
  for (std::size_t e = 0; e < elements.size(); ++e) {  // sorted, so by step
    const int64_t step = elements[e].index / d.hidden / d.batch;
    while (done <= step) run.step(done++);
    values[e] = run.y(elements[e].index / d.hidden % d.batch, elements[e].index % d.hidden);
  }
}

// Whole steps for about 3·10⁷ multiply-adds a sequence, but never less than one step of all
// sequences and a second one of the first sequence: else the recurrence would go unchecked.
int64_t checkable(const Call& call) {
  const Dims d = dims(call);
  const auto steps = std::min<int64_t>(d.seq, static_cast<int64_t>(3e7 / macs_per_step(d)));
  if (steps >= 2) return steps * d.batch * d.hidden;
  return d.seq == 1 ? d.batch * d.hidden : (d.batch + 1) * d.hidden;
}

std::vector<Axis> axes() {
  const std::vector<int64_t> widths{64, 128, 256, 512, 768, 1024, 1536, 2048};
  return {{.name = "batch",
           .doc = "sequences",
           .max = 1 << 20,
           .sweep_low = 1,
           .sweep_high = 128,
           .usual = {1, 2, 4, 8, 16, 32, 64, 128}},
          {.name = "seq",
           .doc = "steps",
           .max = 1 << 20,
           .sweep_low = 1,
           .sweep_high = 128,
           .usual = {1, 10, 16, 32, 50, 64, 100, 128}},
          {.name = "input",
           .doc = "input features",
           .max = 1 << 16,
           .sweep_low = 32,
           .sweep_high = 2048,
           .usual = widths},
          {.name = "hidden",
           .doc = "hidden size",
           .max = 1 << 16,
           .sweep_low = 32,
           .sweep_high = 2048,
           .usual = widths},
          {.name = "layers",
           .doc = "layers on top of each other",
           .max = 64,
           .sweep_low = 1,
           .sweep_high = 4,
           .usual = {1, 1, 2, 2, 3, 4},
           .draw = Draw::kUsual}};
}

}  // namespace

std::vector<OpSpec> specs() {
  OpSpec s;
  s.name = "lstm";
  s.table_name = "LSTM";
  s.doc = "y[seq,batch,hidden] = the last of `layers` LSTM layers over x[seq,batch,input]";
  s.axes = axes();
  s.dtypes = {Dtype::kF32, Dtype::kF16};
  s.work = work;
  s.inputs = [](const Call& c) {
    const Dims d = dims(c);
    return std::vector<TensorSpec>{
        {.name = "x", .dtype = c.dtype, .shape = {d.seq, d.batch, d.input}},
        {.name = "w_input", .dtype = c.dtype, .shape = {d.w_input_at(d.layers)}},
        {.name = "w_hidden", .dtype = c.dtype, .shape = {d.layers, 4, d.hidden, d.hidden}},
        {.name = "bias", .dtype = c.dtype, .shape = {d.layers, 4, d.hidden}}};
  };
  s.outputs = [](const Call& c) {
    const Dims d = dims(c);
    return std::vector<TensorSpec>{
        {.name = "y", .dtype = c.dtype, .shape = {d.seq, d.batch, d.hidden}}};
  };
  s.reference = reference;
  s.checkable = checkable;
  // States are rounded at every step and fed back, f16 ones to 11 bits; tanh and σ are approximate.
  s.tolerance = [](const Call& c) { return 3 * default_tolerance(c.dtype); };
  s.test_dims = {{1, 1, 1, 1, 1},   {1, 5, 3, 7, 1},    {2, 3, 16, 8, 2},
                 {5, 4, 24, 24, 3}, {16, 7, 32, 48, 2}, {3, 20, 64, 64, 1}};
  return {s};
}

}  // namespace ridge::lstm
