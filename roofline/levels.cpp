#include "roofline/levels.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace ridge {
namespace {

// The smallest step that counts: L2 and L3 of a server CPU are often within 1.4 of each other.
constexpr double kLeastStep = 1.2;
// What one more piece must save of the squared log error: a piece of a few points fits noise.
constexpr double kPiecePenalty = 0.04;
constexpr double kLeastOctaves = 0.9;  // of a level: the next is twice as large at least
// Share of the way from one level's time per byte to the next's at which the edge is drawn. Private
// caches evict what was used longest ago, so a walk that is a little too large misses all of the
// time; the last level evicts by chance, and at 1.15 × its size misses so often.
constexpr double kEdge = 1.0 / 3, kLastEdge = 0.15;
constexpr std::size_t kMostPieces = 8;
constexpr std::size_t kMostLevels = 3;

// One point of the envelope.
struct Point {
  double octave;  // log2 of the working set
  double y;       // log bandwidth
  double weight;  // octaves that it stands for, because points crowd around edges
};

struct Piece {
  std::size_t first, last;  // points [first, last)
  double level;             // log bandwidth
  double octaves;           // wide
};

// The cut into pieces, each about its mean, that minimises squared error plus penalty.
std::vector<Piece> flat_pieces(const std::vector<Point>& points) {
  const std::size_t n = points.size();
  std::vector<double> weight(n + 1), sum(n + 1), squares(n + 1);
  for (std::size_t i = 0; i < n; ++i) {
    const auto [octave, y, w] = points[i];
    weight[i + 1] = weight[i] + w;
    sum[i + 1] = sum[i] + w * y;
    squares[i + 1] = squares[i] + w * y * y;
  }
  const auto cost = [&](std::size_t a, std::size_t b) {
    const double s = sum[b] - sum[a];
    return squares[b] - squares[a] - s * s / (weight[b] - weight[a]);
  };
  constexpr double kNever = std::numeric_limits<double>::infinity();
  std::vector<std::vector<double>> best(kMostPieces + 1, std::vector<double>(n + 1, kNever));
  std::vector<std::vector<std::size_t>> from(kMostPieces + 1, std::vector<std::size_t>(n + 1));
  best[0][0] = 0;
  for (std::size_t k = 1; k <= kMostPieces; ++k)
    for (std::size_t b = 1; b <= n; ++b)
      for (std::size_t a = 0; a < b; ++a)
        if (const double total = best[k - 1][a] + cost(a, b) + kPiecePenalty; total < best[k][b]) {
          best[k][b] = total;
          from[k][b] = a;
        }
  std::size_t pieces = 1;
  for (std::size_t k = 2; k <= kMostPieces; ++k)
    if (best[k][n] < best[pieces][n]) pieces = k;
  std::vector<Piece> cut;
  for (std::size_t k = pieces, b = n; k > 0; b = from[k][b], --k) {
    const std::size_t a = from[k][b];
    cut.insert(cut.begin(), {a, b, (sum[b] - sum[a]) / (weight[b] - weight[a]),
                             points[b - 1].octave - points[a].octave});
  }
  return cut;
}

// A narrow piece between two others is an edge that is not quite steep.
void merge_edges(std::vector<Piece>& pieces) {
  for (std::size_t i = 1; i + 1 < pieces.size();) {
    if (pieces[i].octaves < kLeastOctaves)
      pieces.erase(pieces.begin() + static_cast<std::ptrdiff_t>(i));
    else
      ++i;
  }
  for (std::size_t i = 1; i < pieces.size();) {
    if (pieces[i - 1].level - pieces[i].level < std::log(kLeastStep))
      pieces.erase(pieces.begin() + static_cast<std::ptrdiff_t>(i));
    else
      ++i;
  }
}

// Of more steps than there can be levels, the lowest are noise.
void keep_highest_steps(std::vector<Piece>& pieces) {
  while (pieces.size() > kMostLevels + 1) {
    std::size_t lowest = 1;
    for (std::size_t i = 1; i < pieces.size(); ++i)
      if (pieces[i - 1].level - pieces[i].level < pieces[lowest - 1].level - pieces[lowest].level)
        lowest = i;
    pieces.erase(pieces.begin() + static_cast<std::ptrdiff_t>(lowest));
  }
}

}  // namespace

std::vector<double> find_edges(const std::vector<std::pair<double, double>>& bandwidth,
                               double most) {
  const std::size_t n = bandwidth.size();
  if (n < 4) return {};
  std::vector<Point> points(n);
  double highest = 0;
  for (std::size_t i = n; i-- > 0;) {
    highest = std::max(highest, bandwidth[i].second);
    points[i] = {std::log2(bandwidth[i].first), std::log(highest), 0};
  }
  for (std::size_t i = 0; i < n; ++i)
    points[i].weight =
        (points[std::min(i + 1, n - 1)].octave - points[i > 0 ? i - 1 : 0].octave) / 2;
  std::vector<Piece> pieces = flat_pieces(points);
  // What lies beyond the most that a cache can hold is DRAM, in good times and bad.
  while (pieces.size() > 1 && points[pieces.back().first].octave > std::log2(most))
    pieces.pop_back();
  merge_edges(pieces);
  keep_highest_steps(pieces);
  std::vector<double> edges;
  for (std::size_t p = 0; p + 1 < pieces.size(); ++p) {
    const double fast = std::exp(-pieces[p].level), slow = std::exp(-pieces[p + 1].level);
    const bool last = p + 2 == pieces.size();
    const double crossing = fast + (last ? kLastEdge : kEdge) * (slow - fast);
    for (std::size_t i = pieces[p].first + 1; i < n; ++i) {
      const double before = std::exp(-points[i - 1].y), after = std::exp(-points[i].y);
      if (after < crossing) continue;
      const double part = after > before ? (crossing - before) / (after - before) : 1;
      const double a = points[i - 1].octave, b = points[i].octave;
      edges.push_back(std::exp2(a + std::clamp(part, 0.0, 1.0) * (b - a)));
      break;
    }
  }
  return edges;
}

LevelRange inside_level(const std::vector<double>& edges, std::size_t index) {
  return {.low = index == 0 ? 0 : 2 * edges.at(index - 1),
          .high = index < edges.size() ? 0.8 * edges.at(index)
                                       : std::numeric_limits<double>::infinity()};
}

}  // namespace ridge
