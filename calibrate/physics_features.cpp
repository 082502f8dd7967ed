#include "calibrate/physics_features.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <optional>

#include "kernels/core/operators.h"

namespace ridge {
namespace {

struct Tile {
  int rows, cols;
};
// What matrix libraries cut outputs into; rows and cols may be either way round.
constexpr std::array<Tile, 11> kTiles{{{32, 128},
                                       {128, 32},
                                       {16, 64},
                                       {32, 64},
                                       {64, 64},
                                       {64, 128},
                                       {128, 64},
                                       {128, 128},
                                       {128, 256},
                                       {256, 128},
                                       {64, 256}}};
constexpr double kSplitDepth = 256;  // least depth of a part when a sum is split

std::optional<double> axis(const OpSpec& spec, const Call& call, std::string_view name) {
  for (std::size_t i = 0; i < spec.axes.size(); ++i)
    if (spec.axes[i].name == name) return static_cast<double>(call.dims[i]);
  return {};
}

// Against the most that a size like it could have: where only powers of two were measured, a length
// between them is not taken for a tiny one.
float raggedness(double size) {
  const auto whole = static_cast<uint64_t>(std::max(size, 1.0));
  const int most = 63 - std::countl_zero(whole);
  return static_cast<float>(std::min(7, most) - std::min(7, std::countr_zero(whole)));
}

std::string text(const Tile& t) { return std::to_string(t.rows) + "x" + std::to_string(t.cols); }

}  // namespace

TileView tile_view(const OpSpec& spec, const Call& call) {
  auto get = [&](std::string_view name) { return axis(spec, call, name); };
  const auto batch = get("batch"), heads = get("heads"), kv_heads = get("kv_heads");
  if (const auto m = get("m"), n = get("n"), k = get("k"); m && n && k)
    return {get("b").value_or(1), *m, *n, *k};
  if (const auto context = get("context"); batch && heads && kv_heads && context)
    return {*batch * *kv_heads, *heads / *kv_heads, get("head_dim").value_or(1), *context};
  if (const auto seq = get("seq"); batch && heads && seq)
    return {*batch * *heads, *seq, get("head_dim").value_or(1), get("kv_len").value_or(*seq)};
  if (const auto rows = get("rows"), ffn = get("ffn"); rows && ffn)
    return {1, *rows, *ffn, get("hidden").value_or(1)};
  // Otherwise the first output, channels last: all but its last axis are rows. What a multiply-add
  // is made for each output beyond one is depth.
  const std::vector<TensorSpec> outputs = spec.outputs(call);
  if (outputs.empty() || outputs[0].shape.empty()) return {};
  const auto cols = static_cast<double>(std::max<int64_t>(1, outputs[0].shape.back()));
  const auto elements = static_cast<double>(std::max<int64_t>(1, outputs[0].count()));
  return {1, elements / cols, cols,
          std::max(1.0, std::round(spec.work(call).flops / 2 / elements))};
}

PhysicsFeatures::PhysicsFeatures(const OpSpec& spec, Dtype dtype, const Ceilings& ceilings,
                                 int units, double cache_bytes)
    : spec_(&spec),
      bytes_per_element_(static_cast<double>(bytes_per_element(dtype))),
      units_(std::max(units, 1)),
      cache_bytes_(std::max(cache_bytes, 1.0)) {
  auto value = [&](const std::string& key) {
    const auto it = ceilings.values.find(key);
    return it == ceilings.values.end() ? 0.0 : it->second.value;
  };
  launch_s_ = std::max({value("launch.graph"), 1e-7});
  const double bandwidth = value("dram.read");
  bytes_s_ = bandwidth > 0 ? 1 / bandwidth : 1e-12;
  if (const Work w = any_work(spec, dtype); w.pipe == Pipe::kMatrix && w.flops > 0)
    peak_ = value(ceiling_name(w.pipe, w.arithmetic));
  unit_s_ = peak_ > 0 ? units_ / peak_ : 0;

  for (const Axis& a : spec.axes) names_.push_back("log " + a.name);
  for (const char* n : {"log ideal_s", "log bytes", "log bytes/cache", "log outputs"})
    names_.emplace_back(n);
  for (const char* n : {"ragged rows", "ragged cols", "ragged depth"}) names_.emplace_back(n);
  if (peak_ <= 0) return;
  for (const char* n :
       {"log compute_s", "log compute/memory", "log operand/cache", "log activations/cache",
        "log rows*depth", "log rows*cols/depth", "log rows/cols"})
    names_.emplace_back(n);
  for (const Tile& t : kTiles) {
    names_.push_back("waves " + text(t));
    names_.push_back("padded " + text(t));
  }
  for (const char* n : {"log tiles", "best_tile", "best_s", "log best_s"}) names_.emplace_back(n);
}

void PhysicsFeatures::tiles(const TileView& v, double compute_s, double memory_s,
                            float*& out) const {
  double best_s = INFINITY;
  int best = 0;
  const double outputs = v.batch * v.rows * v.cols;
  for (std::size_t i = 0; i < kTiles.size(); ++i) {
    const double area = kTiles[i].rows * kTiles[i].cols;
    const double count =
        v.batch * std::ceil(v.rows / kTiles[i].rows) * std::ceil(v.cols / kTiles[i].cols);
    const double waves = count / units_, whole = std::ceil(waves);
    *out++ = static_cast<float>(std::log(whole / waves));
    *out++ = static_cast<float>(std::log(whole * units_ * area / outputs));
    // Small tiles reuse less of what they load: their arithmetic is slower.
    const double tile_s = 2 * area * unit_s_ / std::min(1.0, std::pow(area / (128 * 256), 0.3));
    const double parts = std::clamp(std::floor(units_ / count), 1.0,
                                    std::max(1.0, std::floor(v.depth / kSplitDepth)));
    const double together_s = whole * tile_s * v.depth;
    // Parts of sums are written in f32 and added by a second kernel.
    const double split_s = std::ceil(count * parts / units_) * tile_s * v.depth / parts +
                           (parts > 1 ? parts * outputs * 4 * 2 * bytes_s_ / 3 + 1.5e-6 : 0);
    for (const double s : {together_s, split_s}) {
      if (s < best_s) {
        best_s = s;
        best = static_cast<int>(2 * i) + (s == split_s && parts > 1);
      }
    }
  }
  *out++ =
      static_cast<float>(std::log(v.batch * std::ceil(v.rows / 128) * std::ceil(v.cols / 128)));
  *out++ = static_cast<float>(best);
  *out++ = static_cast<float>(std::log(best_s / std::max(compute_s, memory_s)));
  *out++ = static_cast<float>(std::log(best_s + 1e-6));
}

void PhysicsFeatures::operator()(const Call& call, std::span<float> out) const {
  float* f = out.data();
  auto add_log = [&](double x) { *f++ = static_cast<float>(std::log(std::max(x, 1e-30))); };
  for (std::size_t i = 0; i < spec_->axes.size(); ++i) *f++ = log_dim(call.dims[i], spec_->axes[i]);
  const Work work = spec_->work(call);
  const TileView v = tile_view(*spec_, call);
  const double bytes = std::max(work.bytes_read + work.bytes_written, 1.0);
  const double memory_s = bytes * bytes_s_, outputs = v.batch * v.rows * v.cols;
  const double compute_s = peak_ > 0 ? std::max(work.flops, 1.0) / peak_ : 0;
  add_log(launch_s_ + std::max(compute_s, memory_s));
  add_log(bytes);
  add_log(bytes / cache_bytes_);
  add_log(outputs);
  *f++ = raggedness(v.rows);
  *f++ = raggedness(v.cols);
  *f++ = raggedness(v.depth);
  if (peak_ <= 0) return;
  add_log(compute_s);
  add_log(compute_s / memory_s);
  add_log(v.batch * v.depth * v.cols * bytes_per_element_ / cache_bytes_);
  add_log(v.batch * v.rows * (v.depth + v.cols) * bytes_per_element_ / cache_bytes_);
  add_log(v.batch * v.rows * v.depth);
  add_log(v.rows * v.cols / v.depth);
  add_log(v.rows / v.cols);
  tiles(v, compute_s, memory_s, f);
}

// 1 + the number of zero dims keeps logs finite: padding and prefixes may be 0.
float log_dim(int64_t value, const Axis& a) {
  return static_cast<float>(std::log(static_cast<double>(value) + (a.min < 1 ? 1 : 0)));
}

Work any_work(const OpSpec& spec, Dtype dtype) {
  return spec.work({spec.name, spec.test_dims.at(0), dtype, {}});
}

PhysicsFeatures physics_features(const DelayTable& table, const Curve& curve) {
  return {find_operator(curve.op), curve.dtype, table.ceilings, table.device.units,
          static_cast<double>(table.device.last_level_cache_bytes)};
}

}  // namespace ridge
