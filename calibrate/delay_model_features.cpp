#include "calibrate/delay_model_features.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <optional>

namespace ridge {
namespace {

std::optional<double> axis(const OpSpec& spec, const Call& call, std::string_view name) {
  for (std::size_t i = 0; i < spec.axes.size(); ++i)
    if (spec.axes[i].name == name) return static_cast<double>(call.dims[i]);
  return {};
}

double log2_alignment(double elements, Dtype dtype) {
  const auto bytes = static_cast<uint64_t>(elements) * bytes_per_element(dtype);
  return std::min(6, std::countr_zero(bytes));
}

// The last wave of `work` items on `units`: 0 when every unit is busy to the end.
double idle(double work, double units) {
  const double waves = work / units;
  return std::log(std::ceil(waves) / waves);
}

double rounding(double size, double tile) { return std::log(std::ceil(size / tile) * tile / size); }

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
  // Otherwise the first output: all but its last axis are rows.
  const std::vector<TensorSpec> outputs = spec.outputs(call);
  if (outputs.empty() || outputs[0].shape.empty()) return {};
  const auto cols = static_cast<double>(std::max<int64_t>(1, outputs[0].shape.back()));
  const auto elements = static_cast<double>(std::max<int64_t>(1, outputs[0].count()));
  if (get("stride") && outputs[0].shape.size() == 4) {
    // Convolution as an implicit product: rows are output pixels, columns are output channels.
    const auto channels = static_cast<double>(std::max<int64_t>(1, outputs[0].shape[1]));
    return {1, elements / channels, channels, 1};
  }
  return {1, elements / cols, cols, 1};
}

std::vector<std::string> feature_names(const OpSpec& spec) {
  std::vector<std::string> names;
  for (const Axis& a : spec.axes) names.push_back("log " + a.name);
  for (const char* n : {"log ideal_s", "log bytes", "log compute/dram", "wave", "tile"})
    names.emplace_back(n);
  names.emplace_back("align cols");
  names.emplace_back("align depth");
  return names;
}

std::vector<double> features(const OpSpec& spec, const Call& call, const Ceilings& ceilings,
                             int units) {
  std::vector<double> f;
  f.reserve(spec.axes.size() + 7);
  // A dim may be 0 (padding, a prefix): log(0 + 1) keeps it finite.
  for (std::size_t i = 0; i < spec.axes.size(); ++i)
    f.push_back(std::log(static_cast<double>(call.dims[i]) + (spec.axes[i].min < 1 ? 1 : 0)));
  const Work work = spec.work(call);
  const double memory = dram_seconds(ceilings, work.bytes_read, work.bytes_written);
  const double whole = ideal(ceilings, work).seconds;
  double balance = 0;
  if (work.flops > 0 && memory > 0) {
    const auto peak = ceilings.values.find(ceiling_name(work.pipe, work.arithmetic));
    balance = std::log(work.flops / peak->second.value / memory);
  }
  f.push_back(std::log(std::max(whole, 1e-12)));
  f.push_back(std::log(std::max(work.bytes_read + work.bytes_written, 1.0)));
  f.push_back(balance);
  const TileView v = tile_view(spec, call);
  f.push_back(
      idle(v.batch * std::ceil(v.rows / 128) * std::ceil(v.cols / 128), std::max(units, 1)));
  f.push_back(rounding(v.rows, 64) + rounding(v.cols, 64));
  f.push_back(log2_alignment(v.cols, call.dtype));
  f.push_back(log2_alignment(v.depth, call.dtype));
  return f;
}

}  // namespace ridge
