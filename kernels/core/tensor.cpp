#include "kernels/core/tensor.h"

#include <algorithm>
#include <numeric>

namespace ridge {

int64_t TensorSpec::count() const {
  return std::accumulate(shape.begin(), shape.end(), int64_t{1}, std::multiplies<>());
}

int64_t TensorSpec::bytes() const {
  return count() * static_cast<int64_t>(bytes_per_element(dtype));
}

HostTensor::HostTensor(TensorSpec spec, const double* block, int64_t period, int64_t offset)
    : spec_(std::move(spec)), block_(block), period_(period), offset_(offset) {}

HostTensor::HostTensor(TensorSpec spec, std::vector<std::byte> values)
    : spec_(std::move(spec)),
      owned_(std::move(values)),
      decoded_(decode(spec_.dtype, owned_)),
      period_(std::max<int64_t>(spec_.count(), 1)) {}

double HostTensor::dot(std::span<const double> x, int64_t first) const {
  const double* block = block_ ? block_ : decoded_.data();
  const auto period = static_cast<std::size_t>(period_);
  auto at = static_cast<std::size_t>((offset_ + first) % period_);
  double sums[4] = {};  // independent, so that additions overlap
  for (std::size_t i = 0; i < x.size(); at = 0) {
    const std::size_t end = i + std::min(x.size() - i, period - at);
    for (; i + 4 <= end; i += 4, at += 4)
      for (std::size_t j = 0; j < 4; ++j) sums[j] += x[i + j] * block[at + j];
    for (; i < end; ++i, ++at) sums[0] += x[i] * block[at];
  }
  return sums[0] + sums[1] + sums[2] + sums[3];
}

std::vector<double> decode(Dtype dtype, const std::vector<std::byte>& values) {
  const std::size_t size = bytes_per_element(dtype);
  std::vector<double> decoded(values.size() / size);
  for (std::size_t i = 0; i < decoded.size(); ++i)
    decoded[i] = load_element(dtype, values.data() + i * size);
  return decoded;
}

namespace {

// Places in the order of the tour that Fill::kCycle describes.
std::vector<int32_t> random_tour(int64_t count, int64_t step, std::mt19937_64& rng) {
  constexpr int64_t kLine = 16;  // elements
  std::vector<int32_t> tour(static_cast<std::size_t>(std::max<int64_t>(count / step, 1)));
  std::uniform_int_distribution<int64_t> line(0, std::max<int64_t>(step / kLine, 1) - 1);
  for (std::size_t i = 1; i < tour.size(); ++i)
    tour[i] = static_cast<int32_t>(static_cast<int64_t>(i) * step + line(rng) * kLine);
  std::shuffle(tour.begin() + 1, tour.end(), rng);
  return tour;
}

}  // namespace

std::vector<std::byte> random_values(const TensorSpec& spec, int64_t count, std::mt19937_64& rng) {
  const auto size = static_cast<int64_t>(bytes_per_element(spec.dtype));
  std::vector<std::byte> values(static_cast<std::size_t>(count * size));
  auto store = [&](int64_t i, double v) { store_element(spec.dtype, values.data() + i * size, v); };
  switch (spec.fill) {
    case Fill::kUniform: {
      const bool integer = spec.dtype == Dtype::kInt8 || spec.dtype == Dtype::kInt32;
      std::uniform_real_distribution<double> real(-1.0, 1.0);
      std::uniform_int_distribution<int> small(-127, 127);
      for (int64_t i = 0; i < count; ++i) store(i, integer ? small(rng) : real(rng));
      break;
    }
    case Fill::kIndex: {
      std::uniform_int_distribution<int64_t> index(0, std::max<int64_t>(spec.index_limit - 1, 0));
      for (int64_t i = 0; i < count; ++i) store(i, static_cast<double>(index(rng)));
      break;
    }
    case Fill::kPermutation: {
      std::vector<int32_t> order(static_cast<std::size_t>(count));
      std::iota(order.begin(), order.end(), 0);
      std::shuffle(order.begin(), order.end(), rng);
      for (int64_t i = 0; i < count; ++i) store(i, order[static_cast<std::size_t>(i)]);
      break;
    }
    case Fill::kCycle: {
      const std::vector<int32_t> tour = random_tour(count, spec.cycle_step, rng);
      for (std::size_t i = 0; i < tour.size(); ++i) store(tour[i], tour[(i + 1) % tour.size()]);
      break;
    }
  }
  return values;
}

}  // namespace ridge
