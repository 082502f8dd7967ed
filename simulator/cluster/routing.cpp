#include "simulator/cluster/routing.h"

#include <fmt/format.h>

#include <array>

#include "kernels/core/error.h"
#include "predictor/models/nearest_names.h"

namespace ridge::sim {
namespace {

using Replicas = std::vector<std::unique_ptr<Replica>>;

constexpr std::array<std::pair<Routing, std::string_view>, 5> kNames{{
    {Routing::kRoundRobin, "round_robin"},
    {Routing::kRandom, "random"},
    {Routing::kLeastOutstanding, "least_outstanding"},
    {Routing::kPowerOfTwo, "power_of_two"},
    {Routing::kPrefixAware, "prefix_aware"},
}};

std::size_t least(const Replicas& replicas, double time_s) {
  std::size_t best = 0;
  for (std::size_t i = 1; i < replicas.size(); ++i)
    if (replicas[i]->outstanding(time_s) < replicas[best]->outstanding(time_s)) best = i;
  return best;
}

std::size_t warmest(const Replicas& replicas, const Arrival& a, double time_s) {
  std::size_t best = least(replicas, time_s);
  if (a.stream < 0) return best;
  const int64_t most = replicas[best]->outstanding(time_s) + kMostAhead;
  int64_t found = replicas[best]->batch().cache().present(a.stream);
  for (std::size_t i = 0; i < replicas.size(); ++i) {
    const int64_t here = replicas[i]->batch().cache().present(a.stream);
    if (here <= found || replicas[i]->outstanding(time_s) > most) continue;
    found = here;
    best = i;
  }
  return best;
}

}  // namespace

std::string_view name(Routing r) {
  for (const auto& [routing, word] : kNames)
    if (routing == r) return word;
  return "";
}

std::vector<std::string> routing_names() {
  std::vector<std::string> names;
  for (const auto& [routing, word] : kNames) names.emplace_back(word);
  return names;
}

Routing parse_routing(const std::string& word) {
  for (const auto& [routing, known] : kNames)
    if (plain_name(known) == plain_name(word)) return routing;
  throw BadInput(fmt::format("routing '{}' is not known; nearest: {}", word,
                             fmt::join(nearest_names(word, routing_names(), 3), ", ")));
}

std::size_t Router::choose(const Replicas& replicas, const Arrival& a, double time_s) {
  const auto count = static_cast<int64_t>(replicas.size());
  if (count == 1) return 0;
  switch (routing_) {
    case Routing::kRandom:
      return static_cast<std::size_t>(random_.between(0, count - 1));
    case Routing::kLeastOutstanding:
      return least(replicas, time_s);
    case Routing::kPowerOfTwo: {
      const auto one = static_cast<std::size_t>(random_.between(0, count - 1));
      const auto other = static_cast<std::size_t>(random_.between(0, count - 1));
      return replicas[other]->outstanding(time_s) < replicas[one]->outstanding(time_s) ? other
                                                                                       : one;
    }
    case Routing::kPrefixAware:
      return warmest(replicas, a, time_s);
    case Routing::kRoundRobin:
      break;
  }
  return turn_++ % replicas.size();
}

}  // namespace ridge::sim
