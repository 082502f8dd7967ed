#include "profilers/llama/trace.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

namespace ridge {
namespace {

using nlohmann::json;

constexpr int kSteps = 1, kKernels = 2;

class Writer {
 public:
  explicit Writer(const Decoder& decoder) : decoder_(decoder) {
    meta("process_name", 0, "speed_benchmark " + decoder.model().name);
    meta("thread_name", kSteps, "steps");
    meta("thread_name", kKernels, "kernels");
  }

  void add(const SpeedResult& r) {
    const GenerationTimes& g = r.profile;
    if (g.prefill.empty()) return;
    const double end = g.total_s();
    span(kSteps, r.test.name, 0, end,
         {{"prompt", r.test.prompt}, {"output", r.test.output}, {"batch", r.test.batch}});
    phase("prefill", g.prefill, r.test);
    if (!g.decode.empty()) phase("decode", g.decode, r.test);
    offset_ += end + 1e-3;
  }

  json take() { return {{"traceEvents", std::move(events_)}, {"displayTimeUnit", "ms"}}; }

 private:
  void meta(const char* what, int track, const std::string& text) {
    events_.push_back(
        {{"ph", "M"}, {"name", what}, {"pid", 1}, {"tid", track}, {"args", {{"name", text}}}});
  }
  double us(double s) const { return (offset_ + s) * 1e6; }

  void span(int track, const std::string& name, double begin, double end, json args = {}) {
    json e{{"ph", "X"},    {"name", name},    {"pid", 1},
           {"tid", track}, {"ts", us(begin)}, {"dur", (end - begin) * 1e6}};
    if (!args.empty()) e["args"] = std::move(args);
    events_.push_back(std::move(e));
  }

  void counters(double at, int64_t cached_tokens, const SpeedTest& test) {
    const Decoder::Bytes b = decoder_.bytes();
    const Decoder::Limits& l = decoder_.limits();
    const double mib = 1 << 20;
    const double kv = static_cast<double>(b.kv) * static_cast<double>(cached_tokens) /
                      static_cast<double>(l.sequences * l.positions);
    events_.push_back({{"ph", "C"},
                       {"name", "memory"},
                       {"pid", 1},
                       {"ts", us(at)},
                       {"args",
                        {{"weights MiB", static_cast<double>(b.weights) / mib},
                         {"KV cache in use MiB", kv / mib},
                         {"activations MiB", static_cast<double>(b.activations) / mib}}}});
    events_.push_back({{"ph", "C"},
                       {"name", "tokens"},
                       {"pid", 1},
                       {"ts", us(at)},
                       {"args", {{"generated", generated_ * test.batch}}}});
  }

  void phase(const char* name, const std::vector<StepTime>& steps, const SpeedTest& test) {
    span(kSteps, name, steps.front().begin_s, steps.back().begin_s + steps.back().seconds);
    for (const StepTime& s : steps) {
      span(kSteps, "step", s.begin_s, s.begin_s + s.seconds,
           {{"tokens", s.tokens}, {"context", s.context}});
      layers(s);
      for (const OperationTime& o : s.operations) {
        span(kSteps, std::string(ridge::name(o.role)), o.begin_s, o.end_s);
        span(kKernels, to_string(o.call), o.begin_s, o.end_s);
      }
      ++generated_;
      counters(s.begin_s + s.seconds, test.batch * s.context, test);
    }
  }

  // Runs of operations of one layer.
  void layers(const StepTime& s) {
    const auto& all = s.operations;
    for (std::size_t first = 0, last = 0; first < all.size(); first = last) {
      for (last = first; last < all.size() && all[last].layer == all[first].layer;) ++last;
      if (all[first].layer >= 0)
        span(kSteps, fmt::format("layer {}", all[first].layer), all[first].begin_s,
             all[last - 1].end_s);
    }
  }

  const Decoder& decoder_;
  json events_ = json::array();
  double offset_ = 0;
  int64_t generated_ = 0;  // of each sequence
};

}  // namespace

json chrome_trace(const std::vector<SpeedResult>& results, const Decoder& decoder) {
  Writer writer(decoder);
  for (const SpeedResult& r : results) writer.add(r);
  return writer.take();
}

}  // namespace ridge
