#include "simulator/search/sweep.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <fstream>
#include <mutex>
#include <nlohmann/json.hpp>
#include <set>
#include <thread>

#include "kernels/core/error.h"
#include "simulator/outputs/report.h"

namespace ridge::sim {
namespace {

using nlohmann::json;

struct Point {
  json values;  // by key
  json config;
};

json value_of(const std::string& text) {
  const json read = json::parse(text, nullptr, false);
  return read.is_discarded() ? json(text) : read;
}

void put(json& config, const std::string& key, const json& value) {
  std::string pointer = "/" + key;
  std::replace(pointer.begin(), pointer.end(), '.', '/');
  try {
    config[json::json_pointer(pointer)] = value;
  } catch (const json::exception&) {
    throw BadInput("sweep: '" + key + "' goes through a key that holds no others");
  }
}

std::vector<Point> points_of(const SweepJob& job) {
  std::vector<Point> points;
  points.push_back({.values = json::object(), .config = job.base});
  for (const SweepAxis& axis : job.axes) {
    if (points.size() * axis.values.size() > kMostPoints)
      throw BadInput(fmt::format("sweep: more than {} points; shorten an axis", kMostPoints));
    std::vector<Point> more;
    for (const Point& p : points)
      for (const std::string& text : axis.values) {
        more.push_back(p);
        more.back().values[axis.key] = value_of(text);
        put(more.back().config, axis.key, value_of(text));
      }
    points = std::move(more);
  }
  return points;
}

// Lines that are whole; what a killed run left of its last one is dropped.
std::vector<json> read_lines(const std::string& file) {
  std::vector<json> lines;
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);)
    if (json j = json::parse(line, nullptr, false); j.is_object() && j.contains("config"))
      lines.push_back(std::move(j));
  return lines;
}

json result_of(const Point& p, const std::string& folder, TableCache& cache) {
  json line{{"point", p.values}, {"config", p.config}};
  try {
    const Scenario s = scenario_from_json(p.config, "sweep", folder, &cache);
    line["summary"] = summary_json(s, summarize(simulate(s), s.summary_options()));
  } catch (const BadInput& e) {
    line["error"] = e.what();
  }
  return line;
}

// Ends a line that a killed run did not.
void end_last_line(const std::string& file) {
  std::ifstream in(file, std::ios::binary | std::ios::ate);
  if (!in || in.tellg() <= 0) return;
  in.seekg(-1, std::ios::end);
  if (in.get() != '\n') std::ofstream(file, std::ios::app) << '\n';
}

}  // namespace

SweepAxis parse_axis(const std::string& text) {
  const std::size_t equals = text.find('=');
  SweepAxis axis{.key = text.substr(0, equals)};
  if (equals != std::string::npos) {
    std::size_t from = equals + 1;
    while (from <= text.size()) {
      const std::size_t comma = std::min(text.find(',', from), text.size());
      if (comma > from) axis.values.push_back(text.substr(from, comma - from));
      from = comma + 1;
    }
  }
  if (axis.key.empty() || axis.values.empty())
    throw BadInput("sweep: '" + text + "': want key=value,value, such as gpu=l40s,h100");
  return axis;
}

void sweep(const SweepJob& job, const std::function<void(std::size_t, std::size_t)>& tell) {
  if (job.axes.empty()) throw BadInput("sweep: nothing varies; give --vary key=value,value");
  const std::vector<Point> points = points_of(job);
  std::set<std::string> known;
  for (const json& line : read_lines(job.out)) known.insert(line["config"].dump());
  end_last_line(job.out);
  std::ofstream out(job.out, std::ios::app);
  if (!out) throw BadInput(job.out + ": cannot be written");
  TableCache cache;
  std::atomic<std::size_t> next{0};
  std::size_t done = 0;
  std::exception_ptr failure;
  std::mutex mutex;
  const auto work = [&] {
    for (std::size_t i = next++; i < points.size(); i = next++) {
      try {
        const bool there = known.contains(points[i].config.dump());
        const json line = there ? json() : result_of(points[i], job.folder, cache);
        const std::scoped_lock lock(mutex);
        if (!there) out << line.dump() + "\n" << std::flush;
        if (!out) throw std::runtime_error(job.out + ": cannot be written; is the disk full?");
        if (tell) tell(++done, points.size());
      } catch (...) {
        const std::scoped_lock lock(mutex);
        failure = std::current_exception();
        next = points.size();
      }
    }
  };
  const unsigned cores = std::max(1U, std::thread::hardware_concurrency());
  std::vector<std::thread> threads(job.threads > 0 ? static_cast<unsigned>(job.threads) : cores);
  for (std::thread& t : threads) t = std::thread(work);
  for (std::thread& t : threads) t.join();
  if (failure) std::rethrow_exception(failure);
}

std::vector<json> pareto(const std::string& file) {
  std::vector<json> lines = read_lines(file), best;
  std::erase_if(lines, [](const json& j) {
    return !j.contains("summary") || j["summary"]["tpot_s"].is_null();
  });
  const auto tokens = [](const json& j) {
    return j["summary"]["output_tokens_per_s_gpu"].get<double>();
  };
  const auto tpot = [](const json& j) { return j["summary"]["tpot_s"]["p50"].get<double>(); };
  std::sort(lines.begin(), lines.end(), [&](const json& a, const json& b) {
    return std::pair(tpot(a), -tokens(a)) < std::pair(tpot(b), -tokens(b));
  });
  for (json& line : lines)
    if (best.empty() || tokens(line) > tokens(best.back())) best.push_back(std::move(line));
  return best;
}

}  // namespace ridge::sim
