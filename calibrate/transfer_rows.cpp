#include "calibrate/transfer_rows.h"

#include <algorithm>
#include <cmath>

#include "calibrate/fit_rows.h"
#include "kernels/core/operators.h"
#include "roofline/call_ideal.h"

namespace ridge {
namespace {

constexpr std::size_t kMostRows = 8000;  // of each source
// How much the GPUs of another generation count: their kernels are others, so that the same calls
// say little, while how far a call stays behind its ceilings is much alike.
constexpr double kOtherByPhysics = 0.37, kOtherByCall = 0.02;

// Places of the samples to learn from: as many of each source as its weight asks for, so that a
// GPU with more samples does not count more. Those of a short list come repeatedly.
std::vector<std::vector<std::size_t>> drawn(const TransferGpu& to, const TransferSources& sources,
                                            double other_generation) {
  std::vector<double> weights;
  std::size_t most = 0;
  for (const TransferSource* s : sources) {
    weights.push_back(same_generation(s->gpu, to) ? 1 : other_generation);
    most = std::max(most, std::min(kMostRows, s->samples.size()));
  }
  const double heaviest = *std::max_element(weights.begin(), weights.end());
  std::vector<std::vector<std::size_t>> places;
  for (std::size_t i = 0; i < sources.size(); ++i) {
    const std::size_t size = sources[i]->samples.size();
    const auto count = static_cast<std::size_t>(
        std::max(1.0, std::round(static_cast<double>(most) * weights[i] / heaviest)));
    std::vector<std::size_t> order = some_of(size, size);
    for (std::size_t k = order.size(); k < count; ++k) order.push_back(order[k - size]);
    order.resize(count);
    places.push_back(std::move(order));
  }
  return places;
}

double ideal_s(const TransferGpu& gpu, const Call& call) {
  const OpSpec& spec = find_operator(call.op);
  return ideal_of(gpu.ceilings, spec, call, table_working_set(spec, call, gpu.device),
                  gpu.device.units)
      .seconds;
}

}  // namespace

PhysicsFeatures transfer_features(const TransferGpu& gpu, const Call& call) {
  return {find_operator(call.op), call.dtype, gpu.ceilings, gpu.device.units,
          static_cast<double>(gpu.device.last_level_cache_bytes)};
}

void add_row(TreeRows& rows, const std::vector<float>& x, double y) {
  rows.x.insert(rows.x.end(), x.begin(), x.end());
  rows.y.push_back(static_cast<float>(y));
}

TreeRows rows_by_physics(const TransferGpu& to, const TransferSources& sources) {
  TreeRows rows;
  const auto places = drawn(to, sources, kOtherByPhysics);
  for (std::size_t i = 0; i < sources.size(); ++i) {
    const TransferSource& source = *sources[i];
    const PhysicsFeatures features = transfer_features(source.gpu, source.samples[0].call);
    const double fixed_s = smallest_s(source.samples);
    const auto shift = static_cast<float>(std::log(clock_ratio(source.gpu, to)));
    std::vector<float> x(features.size());
    rows.features = x.size();
    for (const std::size_t place : places[i]) {
      const Sample& s = source.samples[place];
      features(s.call, x);
      for (std::size_t j = 0; j < x.size(); ++j)
        if (features.names()[j].starts_with("log") && features.names()[j].ends_with("_s"))
          x[j] += shift;
      add_row(rows, x, std::log(s.median_s / (fixed_s + s.ideal_s)));
    }
  }
  return rows;
}

TreeRows rows_by_call(const TransferGpu& to, const TransferSources& sources, double fixed_to_s) {
  TreeRows rows;
  const Call& any = sources[0]->samples[0].call;
  const TransferLaw law(find_operator(any.op), sources);
  const PhysicsFeatures features = transfer_features(to, any);
  std::vector<float> x(features.size());
  rows.features = x.size();
  const auto places = drawn(to, sources, kOtherByCall);
  for (std::size_t i = 0; i < sources.size(); ++i) {
    const double fixed_s = smallest_s(sources[i]->samples);
    const PhysicsFeatures own = transfer_features(sources[i]->gpu, any);
    std::vector<float> own_x(own.size());
    for (const std::size_t place : places[i]) {
      const Sample& s = sources[i]->samples[place];
      features(s.call, x);
      own(s.call, own_x);
      for (std::size_t j = 0; j < x.size(); ++j)
        if (features.names()[j].ends_with("/cache")) x[j] = own_x[j];
      add_row(
          rows, x,
          std::log(law.seconds(*sources[i], s, fixed_s, to) / (fixed_to_s + ideal_s(to, s.call))));
    }
  }
  return rows;
}

double transferred_fixed_s(const TransferGpu& to, const TransferSources& sources) {
  double sum = 0, weights = 0;
  for (const TransferSource* s : sources) {
    const double weight = same_generation(s->gpu, to) ? 1 : kOtherByPhysics;
    sum += weight * std::log(smallest_s(s->samples) * clock_ratio(s->gpu, to));
    weights += weight;
  }
  return std::exp(sum / weights);
}

}  // namespace ridge
