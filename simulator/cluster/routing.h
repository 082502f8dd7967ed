#pragma once
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "simulator/cluster/replica.h"
#include "simulator/workload/random.h"

namespace ridge::sim {

// Which replica gets a request.
enum class Routing {
  kRoundRobin,
  kRandom,
  kLeastOutstanding,  // that has the fewest requests running or waiting
  kPowerOfTwo,        // the better of two drawn at random, by that measure
  kPrefixAware,  // that has most of the request's stream in its cache, unless it has kMostAhead
                 // requests more than the one with the fewest
};
inline constexpr int64_t kMostAhead = 32;

std::string_view name(Routing r);                // "round_robin"
Routing parse_routing(const std::string& word);  // throws BadInput with the nearest
std::vector<std::string> routing_names();

class Router {
 public:
  Router(Routing routing, uint64_t seed) : routing_(routing), random_(seed) {}
  // An index into `replicas`; of equals the first.
  std::size_t choose(const std::vector<std::unique_ptr<Replica>>& replicas, const Arrival& a,
                     double time_s);

 private:
  Routing routing_;
  Random random_;
  std::size_t turn_ = 0;
};

}  // namespace ridge::sim
