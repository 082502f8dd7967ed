#include "profilers/llama/weight_source.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <map>
#include <random>
#include <vector>

#include "kernels/core/error.h"
#include "profilers/llama/convert.h"
#include "profilers/llama/model_weights.h"

namespace ridge {
namespace {

bool is_norm(Part p) {
  constexpr std::array kNorms{Part::kInputNorm, Part::kPostNorm, Part::kQueryNorm, Part::kKeyNorm,
                              Part::kFinalNorm};
  return std::find(kNorms.begin(), kNorms.end(), p) != kNorms.end();
}

// Large tensors repeat a random block, of a prime length so that it never lines up with a row.
class RandomWeights final : public WeightSource {
 public:
  RandomWeights(const Model& model, uint64_t seed) : model_(model), seed_(seed) {}

  void fill(Part part, int64_t layer, Dtype dtype, std::span<std::byte> out) override {
    const std::size_t size = bytes_per_element(dtype);
    if (is_norm(part)) {
      for (std::size_t i = 0; i < out.size(); i += size) store_element(dtype, &out[i], 1);
      return;
    }
    const std::vector<std::byte>& block = block_of(dtype, scale_of(part));
    // Each tensor begins at a place of its own.
    const auto which = static_cast<uint64_t>(part) + 32 * static_cast<uint64_t>(layer + 1);
    std::size_t at = (which * 0x9E3779B97F4A7C15ULL >> 20) % kBlock * size;
    for (std::size_t done = 0; done < out.size();) {
      const std::size_t run = std::min(out.size() - done, block.size() - at);
      std::memcpy(out.data() + done, block.data() + at, run);
      done += run;
      at = 0;
    }
  }
  std::string description() const override { return fmt::format("random, seed {}", seed_); }

 private:
  static constexpr std::size_t kBlock = 1'048'573;

  double scale_of(Part p) const {
    const int64_t fan_in = p == Part::kOutput ? model_.q_width()
                           : p == Part::kDown ? model_.ffn
                                              : model_.hidden;
    return std::sqrt(3.0 / static_cast<double>(fan_in));
  }

  const std::vector<std::byte>& block_of(Dtype dtype, double scale) {
    std::vector<std::byte>& block = blocks_[{dtype, scale}];
    if (!block.empty()) return block;
    const std::size_t size = bytes_per_element(dtype);
    block.resize(kBlock * size);
    std::mt19937_64 rng(seed_);
    for (std::size_t i = 0; i < block.size(); i += size) {
      const double unit = static_cast<double>(rng() >> 11) * 0x1p-53;  // in [0, 1)
      store_element(dtype, &block[i], scale * (2 * unit - 1));
    }
    return block;
  }

  Model model_;
  uint64_t seed_;
  std::map<std::pair<Dtype, double>, std::vector<std::byte>> blocks_;
};

class FolderWeights final : public WeightSource {
 public:
  FolderWeights(const Model& model, const std::string& folder)
      : folder_(folder), weights_(read_weights(model, folder)) {}

  void fill(Part part, int64_t layer, Dtype dtype, std::span<std::byte> out) override {
    for (const TensorView* view : views(part, layer)) {
      const auto bytes = static_cast<std::size_t>(view->elements()) * bytes_per_element(dtype);
      convert(*view, dtype, out.first(bytes));
      out = out.subspan(bytes);
    }
  }
  std::string description() const override { return folder_; }

 private:
  std::vector<const TensorView*> views(Part part, int64_t layer) const {
    if (part == Part::kEmbedding) return {weights_.embedding};
    if (part == Part::kFinalNorm) return {weights_.final_norm};
    if (part == Part::kLmHead) return {&weights_.output()};
    const LayerWeights& l = weights_.layers.at(static_cast<std::size_t>(layer));
    switch (part) {
      case Part::kInputNorm:
        return {l.input_norm};
      case Part::kQuery:
        return {l.q};
      case Part::kKey:
        return {l.k};
      case Part::kValue:
        return {l.v};
      case Part::kQueryBias:
        return {l.q_bias};
      case Part::kKeyBias:
        return {l.k_bias};
      case Part::kValueBias:
        return {l.v_bias};
      case Part::kQueryNorm:
        return {l.q_norm};
      case Part::kKeyNorm:
        return {l.k_norm};
      case Part::kOutput:
        return {l.o};
      case Part::kOutputBias:
        return {l.o_bias};
      case Part::kPostNorm:
        return {l.post_norm};
      case Part::kGateUp:
        return {l.gate, l.up};
      case Part::kGateUpBias:
        return {l.gate_bias, l.up_bias};
      case Part::kDownBias:
        return {l.down_bias};
      default:
        return {l.down};
    }
  }

  std::string folder_;
  ModelWeights weights_;
};

}  // namespace

std::unique_ptr<WeightSource> random_weights(const Model& model, uint64_t seed) {
  return std::make_unique<RandomWeights>(model, seed);
}

std::unique_ptr<WeightSource> weights_of_folder(const Model& model, const std::string& folder) {
  return std::make_unique<FolderWeights>(model, folder);
}

}  // namespace ridge
