#include "calibrate/delay_model.h"

#include <algorithm>
#include <cmath>

#include "kernels/core/operators.h"

namespace ridge {
namespace {

// Every doubling of a dim beyond the measured domain adds so much doubt.
constexpr double kDoubling = 0.2;

std::string key_of(const std::vector<int64_t>& dims) {
  return {reinterpret_cast<const char*>(dims.data()), dims.size() * sizeof(int64_t)};
}

GpMean process_of(const DelayTable& t, const Curve& c, const PhysicsFeatures& features) {
  if (c.kind != "blend") return {};
  std::vector<double> z;
  std::vector<float> x(features.size());
  for (const std::size_t i : c.samples) {
    features(t.samples[i].call, x);
    for (std::size_t j = 0; j < x.size(); ++j)
      z.push_back((static_cast<double>(x[j]) - c.centre[j]) / c.scale[j]);
  }
  return {z,
          {.weights = c.weights, .signal = c.signal},
          {.pull = c.pull, .trend = c.trend, .offset = c.offset, .left_out = {}}};
}

std::vector<std::vector<int64_t>> columns_in(const Curve& c) {
  const std::size_t axes = layer_axes(find_operator(c.op)).size();
  std::vector<std::vector<int64_t>> all;
  for (std::size_t i = 0; axes > 0 && i + axes <= c.columns.size(); i += axes) {
    const auto first = c.columns.begin() + static_cast<std::ptrdiff_t>(i);
    all.emplace_back(first, first + static_cast<std::ptrdiff_t>(axes));
  }
  return all;
}

// Doublings of the dims beyond what was measured, and the call at the edge of it.
double held_inside(const Curve& c, Call& call) {
  double outside = 0;
  for (std::size_t a = 0; a < c.dims_low.size(); ++a) {
    const int64_t held = std::clamp(call.dims[a], c.dims_low[a], c.dims_high[a]);
    if (held != call.dims[a])
      outside += std::abs(std::log2(static_cast<double>(std::max<int64_t>(call.dims[a], 1)) /
                                    static_cast<double>(std::max<int64_t>(held, 1))));
    call.dims[a] = held;
  }
  return outside;
}

struct LogDelay {
  float mean[kBlock], half[kBlock];
};

// By how much the expected error of each call makes its interval.
void widths(const Curve& c, const ColumnDistance& columns, const float* x, double* width) {
  std::fill(width, width + kBlock, c.interval);
  if (c.away <= 0) return;
  float apart[kBlock];
  columns.at(x, apart);
  for (std::size_t b = 0; b < kBlock; ++b)
    if (apart[b] > 0)
      width[b] = std::max(width[b], c.away * (Curve::kNextColumn + static_cast<double>(apart[b])));
}

LogDelay log_delay(const Curve& c, const GpMean& process, const ColumnDistance& columns,
                   const float* x, const float* z) {
  LogDelay d;
  if (c.kind != "blend") {
    std::fill(d.mean, d.mean + kBlock, static_cast<float>(c.log_delay));
    std::fill(d.half, d.half + kBlock, static_cast<float>(c.interval * c.log_delay_sd));
    return d;
  }
  float gp[kBlock], nearest[kBlock], direct[kBlock], beyond[kBlock], spread[kBlock];
  process.at(z, gp, nearest);
  c.direct.at(x, direct);
  c.beyond.at(x, beyond);
  c.spread.at(x, spread);
  double width[kBlock];
  widths(c, columns, x, width);
  const auto by_process = static_cast<float>(c.shares[0]),
             by_direct = static_cast<float>(c.shares[1]), by_both = static_cast<float>(c.shares[2]);
  for (std::size_t b = 0; b < kBlock; ++b) {
    d.mean[b] = by_process * gp[b] + by_direct * direct[b] + by_both * (gp[b] + beyond[b]);
    // What a process knows less of a call than of those that cross-validation asked for.
    const auto near = static_cast<double>(nearest[b]);
    const double farther = std::max(0.0, c.nearest * c.nearest - near * near);
    d.half[b] = static_cast<float>(std::hypot(width[b] * std::exp(static_cast<double>(spread[b])),
                                              kNormal80 * c.signal * std::sqrt(farther)));
  }
  return d;
}

}  // namespace

DelayModel::DelayModel(const DelayTable& table) {
  std::map<std::tuple<std::string, Dtype, std::string>, std::size_t> place;
  for (const Curve& c : table.curves) {
    PhysicsFeatures features = physics_features(table, c);
    GpMean process = process_of(table, c, features);
    ColumnDistance columns(find_operator(c.op), columns_in(c));
    place[{c.op, c.dtype, c.implementation}] = fitted_.size();
    by_op_[{c.op, c.dtype}].push_back(fitted_.size());
    fitted_.push_back({c, std::move(features), std::move(process), std::move(columns), {}});
  }
  for (auto& [key, list] : by_op_)
    std::stable_sort(list.begin(), list.end(), [&](std::size_t a, std::size_t b) {
      return fitted_[a].curve.count > fitted_[b].curve.count;
    });
  Fitted* last = nullptr;  // samples of a curve follow each other
  for (const Sample& s : table.samples) {
    if (s.method != table.method) continue;
    if (!last || last->curve.op != s.call.op || last->curve.dtype != s.call.dtype ||
        last->curve.implementation != s.call.implementation) {
      const auto it = place.find({s.call.op, s.call.dtype, s.call.implementation});
      if (it == place.end()) continue;
      last = &fitted_[it->second];
    }
    last->measured.emplace(key_of(s.call.dims), Measured{.median_s = s.median_s,
                                                         .p10_s = std::min(s.p10_s, s.median_s),
                                                         .p90_s = std::max(s.p90_s, s.median_s),
                                                         .bound = s.bound});
  }
}

const DelayModel::Fitted* DelayModel::find(const Call& call) const {
  const auto it = by_op_.find({call.op, call.dtype});
  if (it == by_op_.end()) return nullptr;
  for (const std::size_t i : it->second)
    if (call.implementation.empty() || fitted_[i].curve.implementation == call.implementation)
      return &fitted_[i];
  return nullptr;
}

const DelayModel::Measured* DelayModel::measured(const Call& call) const {
  const Fitted* f = find(call);
  if (!f) return nullptr;
  const auto it = f->measured.find(key_of(call.dims));
  return it == f->measured.end() ? nullptr : &it->second;
}

void DelayModel::answer(const Fitted& f, std::span<const Question> questions, Delay* out) {
  const Curve& c = f.curve;
  const std::size_t count = f.features.size();
  std::vector<float> one(count), x(count * kBlock), z(count * kBlock);
  double outside[kBlock] = {};
  for (std::size_t b = 0; b < kBlock; ++b) {
    Call call = *questions[std::min(b, questions.size() - 1)].call;
    outside[b] = held_inside(c, call);
    if (c.kind != "blend") continue;
    f.features(call, one);
    for (std::size_t j = 0; j < count; ++j) {
      const double v = std::clamp(static_cast<double>(one[j]), c.low[j], c.high[j]);
      x[j * kBlock + b] = static_cast<float>(v);
      z[j * kBlock + b] = static_cast<float>((v - c.centre[j]) / c.scale[j]);
    }
  }
  const LogDelay d = log_delay(c, f.process, f.columns, x.data(), z.data());
  for (std::size_t b = 0; b < questions.size(); ++b) {
    const double mean = static_cast<double>(d.mean[b]);
    const double half = static_cast<double>(d.half[b]) + kDoubling * outside[b];
    const double ideal_s = questions[b].ideal_s;
    const double base = c.fixed_s + ideal_s, least = ideal_s * c.floor;
    // A curve that does not tell its domain answers for none.
    out[b].inside = !c.dims_low.empty() && outside[b] == 0;
    out[b].seconds = std::max(base * std::exp(mean), least);
    out[b].low_s = std::min(out[b].seconds, std::max(base * std::exp(mean - half), least));
    out[b].high_s = std::max(out[b].seconds, base * std::exp(mean + half));
  }
}

std::vector<std::optional<Delay>> DelayModel::delays(std::span<const Question> questions) const {
  std::map<const Fitted*, std::vector<std::size_t>> by_curve;
  for (std::size_t i = 0; i < questions.size(); ++i)
    if (const Fitted* f = find(*questions[i].call)) by_curve[f].push_back(i);
  std::vector<std::optional<Delay>> answers(questions.size());
  for (const auto& [f, places] : by_curve) {
    for (std::size_t first = 0; first < places.size(); first += kBlock) {
      const std::size_t n = std::min(kBlock, places.size() - first);
      Question block[kBlock];
      Delay out[kBlock];
      for (std::size_t b = 0; b < n; ++b) block[b] = questions[places[first + b]];
      answer(*f, {block, n}, out);
      for (std::size_t b = 0; b < n; ++b) answers[places[first + b]] = out[b];
    }
  }
  return answers;
}

std::optional<Delay> DelayModel::delay(const Call& call, double ideal_s) const {
  const Question one{&call, ideal_s};
  return delays({&one, 1})[0];
}

}  // namespace ridge
