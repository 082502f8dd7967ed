#include "predictor/request/best_batch.h"

#include <algorithm>

namespace ridge {
namespace {

int64_t sequences(const Request& r) {
  int64_t count = 0;
  for (const Prompt& p : r.prompts) count += p.count;
  return count;
}

// The last in (good, bad) that holds, else `good`.
int64_t last_that_holds(int64_t good, int64_t bad, const std::function<bool(int64_t)>& holds) {
  while (bad - good > 1) {
    const int64_t middle = good + (bad - good) / 2;
    (holds(middle) ? good : bad) = middle;
  }
  return good;
}

double latency(const BatchPoint& p) {
  const double tpot = p.prediction.tpot_s.value;
  return tpot > 0 ? tpot : p.prediction.total_s.value;
}

std::optional<std::size_t> knee_of(const std::vector<BatchPoint>& points) {
  if (points.size() < 3) return {};
  const auto rate = [](const BatchPoint& p) { return p.prediction.output_tokens_per_s; };
  const double x0 = latency(points.front()), dx = latency(points.back()) - x0;
  const double y0 = rate(points.front()), dy = rate(points.back()) - y0;
  if (!(dx > 0) || !(dy > 0)) return {};
  std::optional<std::size_t> knee;
  double farthest = 1e-9;  // a straight line has no knee
  for (std::size_t i = 1; i + 1 < points.size(); ++i) {
    const double above = (rate(points[i]) - y0) / dy - (latency(points[i]) - x0) / dx;
    if (above > farthest) farthest = above, knee = i;
  }
  return knee;
}

class Builder {
 public:
  Builder(const BatchSource& source, const Request& one, const Limits& limits)
      : source_(source), one_(one), limits_(limits) {}

  BatchCurve curve() {
    const int64_t most = largest();
    if (most == 0) {
      BatchPoint alone = at(1);
      alone.fits = false;
      return {.points = {std::move(alone)}};
    }
    BatchCurve c;
    for (int64_t n = 1; n <= most; n *= 2) c.points.push_back(at(n));
    if (c.points.back().batch < most * sequences(one_)) c.points.push_back(at(most));
    add_limit(c.points);
    c.knee = knee_of(c.points);
    for (std::size_t i = 0; i < c.points.size(); ++i) {
      const RequestPrediction& p = c.points[i].prediction;
      if (limits_.hold(p) &&
          (!c.best || p.output_tokens_per_s > c.points[*c.best].prediction.output_tokens_per_s))
        c.best = i;
    }
    return c;
  }

 private:
  int64_t largest() const {
    const int64_t most = std::max<int64_t>(1, kMostBatch / sequences(one_));
    const auto fits = [&](int64_t n) { return source_.fits(batch_of(one_, n)); };
    int64_t good = 0;
    for (int64_t n = 1; n <= most; n *= 2) {
      if (!fits(n)) return last_that_holds(good, n, fits);
      good = n;
    }
    return last_that_holds(good, most + 1, fits);
  }

  BatchPoint at(int64_t n) const {
    const Request r = batch_of(one_, n);
    return {.batch = sequences(r), .prediction = source_.predict(r)};
  }

  // The largest batch within the limits lies between the last point that holds them and the next.
  void add_limit(std::vector<BatchPoint>& points) const {
    for (std::size_t i = points.size(); i-- > 1;) {
      if (limits_.hold(points[i].prediction)) return;
      if (!limits_.hold(points[i - 1].prediction)) continue;
      const int64_t low = points[i - 1].batch / sequences(one_);
      const int64_t last = last_that_holds(low, points[i].batch / sequences(one_), [&](int64_t n) {
        return limits_.hold(at(n).prediction);
      });
      if (last > low) points.insert(points.begin() + static_cast<std::ptrdiff_t>(i), at(last));
      return;
    }
  }

  const BatchSource& source_;
  const Request& one_;
  const Limits& limits_;
};

}  // namespace

bool Limits::hold(const RequestPrediction& p) const {
  return (ttft_s <= 0 || p.ttft_s.value <= ttft_s) && (tpot_s <= 0 || p.tpot_s.value <= tpot_s);
}

Request batch_of(Request one, int64_t times) {
  for (Prompt& p : one.prompts) p.count *= times;
  return one;
}

BatchCurve batch_curve(const BatchSource& source, const Request& one, const Limits& limits) {
  return Builder(source, one, limits).curve();
}

BatchCurve batch_curve(const TableSet& tables, const Deployment& d, const Request& one,
                       const Limits& limits) {
  return batch_curve(
      {.predict = [&](const Request& r) { return predict_request(tables, d, r); },
       .fits = [&](const Request& r) { return memory_of(tables.device(), d, r).fits(); }},
      one, limits);
}

}  // namespace ridge
