#include "calibrate/boosted_trees.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>
#include <random>

namespace ridge {
namespace {

// Thresholds of a feature: midway between neighbouring values, at about equal counts of rows.
std::vector<float> thresholds_of(std::vector<float> values, std::size_t most) {
  std::sort(values.begin(), values.end());
  std::vector<float> distinct = values;
  distinct.erase(std::unique(distinct.begin(), distinct.end()), distinct.end());
  std::vector<float> cuts;
  const std::size_t gaps = distinct.size() - 1;
  if (gaps <= most) {
    for (std::size_t i = 0; i < gaps; ++i) cuts.push_back((distinct[i] + distinct[i + 1]) / 2);
  } else {
    for (std::size_t i = 1; i <= most; ++i) {
      const float v = values[i * (values.size() - 1) / (most + 1)];
      const auto next = std::upper_bound(distinct.begin(), distinct.end(), v);
      if (next != distinct.end()) cuts.push_back((v + *next) / 2);
    }
    cuts.erase(std::unique(cuts.begin(), cuts.end()), cuts.end());
  }
  return cuts;
}

// Sum of what is to be learned and number of rows, in one bin of one node.
struct Bin {
  float sum = 0, count = 0;
};

class Grower {
 public:
  Grower(const TreeRows& rows, const TreeOptions& options)
      : options_(options), n_(rows.y.size()), rng_(options.seed) {
    std::vector<float> column(n_);
    for (std::size_t f = 0; f < rows.features; ++f) {
      for (std::size_t i = 0; i < n_; ++i) column[i] = rows.x[i * rows.features + f];
      auto cuts = thresholds_of(column, static_cast<std::size_t>(options.bins) - 1);
      if (cuts.empty()) continue;  // does not vary
      std::vector<uint8_t> bins(n_);
      for (std::size_t i = 0; i < n_; ++i)
        bins[i] = static_cast<uint8_t>(std::lower_bound(cuts.begin(), cuts.end(), column[i]) -
                                       cuts.begin());
      columns_.push_back({static_cast<uint16_t>(f), std::move(cuts), std::move(bins)});
    }
    leaf_.resize(n_);
  }

  // Adds a tree for `residual`, which then loses the tree's answer; false where nothing is left to
  // ask.
  bool grow(std::vector<float>& residual, BoostedTrees& grown) {
    draw_rows();
    draw_features();
    std::fill(leaf_.begin(), leaf_.end(), uint8_t{0});
    parents_.clear();
    for (int level = 0; level < options_.levels; ++level) {
      fill_histograms(residual, level);
      const auto [column, cut] = best_question(std::size_t{1} << level);
      if (column == columns_.size()) {
        if (level == 0) return false;
        grown.features.push_back(0);  // a question that is always answered no
        grown.thresholds.push_back(std::numeric_limits<float>::max());
        continue;
      }
      const Column& c = columns_[column];
      grown.features.push_back(c.feature);
      grown.thresholds.push_back(c.cuts[cut]);
      for (std::size_t i = 0; i < n_; ++i)
        leaf_[i] = static_cast<uint8_t>(leaf_[i] | ((c.bins[i] > cut) << level));
    }
    set_leaves(grown, residual);
    return true;
  }

 private:
  struct Column {
    uint16_t feature;
    std::vector<float> cuts;
    std::vector<uint8_t> bins;  // of each row: how many cuts lie below it
  };

  double unit() { return static_cast<double>(rng_() >> 11) * 0x1p-53; }  // the same everywhere

  void draw_rows() {
    drawn_.clear();
    for (uint32_t i = 0; i < n_; ++i)
      if (unit() < options_.row_share) drawn_.push_back(i);
    if (drawn_.empty()) drawn_.push_back(0);
  }

  void draw_features() {
    asked_.clear();
    for (std::size_t c = 0; c < columns_.size(); ++c)
      if (unit() < options_.feature_share) asked_.push_back(c);
    if (asked_.empty() && !columns_.empty()) asked_.push_back(rng_() % columns_.size());
  }

  std::size_t stride() const { return static_cast<std::size_t>(options_.bins); }

  // Of every node of this level and every feature asked. Of two siblings the smaller is counted,
  // the other is what the parent has more.
  void fill_histograms(const std::vector<float>& residual, int level) {
    const std::size_t nodes = std::size_t{1} << level, size = asked_.size() * stride();
    std::vector<uint32_t> count(nodes, 0);
    for (const uint32_t i : drawn_) ++count[leaf_[i]];
    std::vector<std::vector<uint32_t>> rows(nodes);
    const auto counted = [&](std::size_t node) {
      if (level == 0) return true;
      const std::size_t half = nodes / 2, sibling = node ^ half;
      return count[node] < count[sibling] || (count[node] == count[sibling] && node < half);
    };
    for (std::size_t node = 0; node < nodes; ++node)
      if (counted(node)) rows[node].reserve(count[node]);
    for (const uint32_t i : drawn_)
      if (counted(leaf_[i])) rows[leaf_[i]].push_back(i);
    std::vector<Bin> histograms(nodes * size);
    for (std::size_t node = 0; node < nodes; ++node) {
      if (!counted(node)) continue;
      Bin* own = histograms.data() + node * size;
      for (std::size_t a = 0; a < asked_.size(); ++a) {
        const uint8_t* bins = columns_[asked_[a]].bins.data();
        Bin* bin = own + a * stride();
        for (const uint32_t i : rows[node]) {
          bin[bins[i]].sum += residual[i];
          bin[bins[i]].count += 1;
        }
      }
      if (level == 0) continue;
      const std::size_t half = nodes / 2;
      const Bin* parent = parents_.data() + (node & (half - 1)) * size;
      Bin* sibling = histograms.data() + (node ^ half) * size;
      for (std::size_t b = 0; b < size; ++b)
        sibling[b] = {parent[b].sum - own[b].sum, parent[b].count - own[b].count};
    }
    parents_ = std::move(histograms);
  }

  // The column and cut whose answers, in all nodes together, explain most of the residual.
  std::pair<std::size_t, std::size_t> best_question(std::size_t nodes) const {
    const std::size_t size = asked_.size() * stride();
    const auto ridge = static_cast<float>(options_.ridge);
    std::pair<std::size_t, std::size_t> best{columns_.size(), 0};
    float most = 1e-9F;
    std::vector<float> gain(stride());
    for (std::size_t a = 0; a < asked_.size(); ++a) {
      const std::size_t cuts = columns_[asked_[a]].cuts.size();
      std::fill(gain.begin(), gain.end(), 0.0F);
      for (std::size_t node = 0; node < nodes; ++node) {
        const Bin* bin = parents_.data() + node * size + a * stride();
        Bin all, left;
        for (std::size_t b = 0; b <= cuts; ++b) {
          all.sum += bin[b].sum;
          all.count += bin[b].count;
        }
        if (all.count < 1) continue;
        const float before = all.sum * all.sum / (all.count + ridge);
        for (std::size_t b = 0; b < cuts; ++b) {
          left.sum += bin[b].sum;
          left.count += bin[b].count;
          const float right = all.sum - left.sum;
          gain[b] += left.sum * left.sum / (left.count + ridge) +
                     right * right / (all.count - left.count + ridge) - before;
        }
      }
      for (std::size_t b = 0; b < cuts; ++b)
        if (gain[b] > most) {
          most = gain[b];
          best = {asked_[a], b};
        }
    }
    return best;
  }

  void set_leaves(BoostedTrees& grown, std::vector<float>& residual) {
    const std::size_t leaves = std::size_t{1} << options_.levels;
    std::vector<double> sum(leaves, 0), count(leaves, 0);
    for (const uint32_t i : drawn_) {
      sum[leaf_[i]] += residual[i];
      count[leaf_[i]] += 1;
    }
    std::vector<float> answers;
    for (std::size_t l = 0; l < leaves; ++l) {
      const double answer = options_.rate * sum[l] / (count[l] + options_.ridge);
      const double units = std::clamp(std::round(answer / BoostedTrees::kUnit), -32768.0, 32767.0);
      grown.leaves.push_back(static_cast<int16_t>(units));
      answers.push_back(static_cast<float>(units * BoostedTrees::kUnit));
    }
    for (std::size_t i = 0; i < n_; ++i) residual[i] -= answers[leaf_[i]];
  }

  const TreeOptions options_;
  std::size_t n_;
  std::mt19937_64 rng_;
  std::vector<Column> columns_;
  std::vector<uint8_t> leaf_;  // of each row, in the tree that grows
  std::vector<uint32_t> drawn_;
  std::vector<std::size_t> asked_;
  std::vector<Bin> parents_;  // node by node, feature by feature
};

}  // namespace

void BoostedTrees::at(const float* block, float* sum) const {
  std::fill(sum, sum + kBlock, static_cast<float>(start));
  const std::size_t depth = static_cast<std::size_t>(levels), width = std::size_t{1} << depth;
  const int16_t* tree = leaves.data();
  std::array<int32_t, kBlock> total{};
  for (std::size_t q = 0; q < features.size(); q += depth, tree += width) {
    std::array<int32_t, kBlock> leaf{};
    for (std::size_t level = 0; level < depth; ++level) {
      const float* x = block + features[q + level] * kBlock;
      const float threshold = thresholds[q + level];
      const int32_t bit = 1 << level;
      for (std::size_t i = 0; i < kBlock; ++i) leaf[i] |= x[i] > threshold ? bit : 0;
    }
    for (std::size_t i = 0; i < kBlock; ++i) total[i] += tree[leaf[i]];
  }
  for (std::size_t i = 0; i < kBlock; ++i)
    sum[i] += static_cast<float>(total[i]) * static_cast<float>(kUnit);
}

BoostedTrees grow_trees(const TreeRows& rows, const TreeOptions& options) {
  BoostedTrees grown;
  grown.levels = options.levels;
  if (rows.y.empty()) return grown;
  grown.start =
      std::accumulate(rows.y.begin(), rows.y.end(), 0.0) / static_cast<double>(rows.y.size());
  std::vector<float> residual;
  for (const float y : rows.y) residual.push_back(y - static_cast<float>(grown.start));
  Grower grower(rows, options);
  for (int round = 0; round < options.rounds; ++round)
    if (!grower.grow(residual, grown)) break;
  return grown;
}

}  // namespace ridge
