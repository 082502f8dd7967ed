#pragma once
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "simulator/config/scenario.h"

namespace ridge::sim {

// The same run with all steps as fast, and as slow, as their error allows: 80 % of the times that
// steps were predicted for lie within. Errors of steps are taken as one, for most of what a table
// is off by is common to all of them; so this is the width of the run, not of its noise.
struct Band {
  double fast = 1, slow = 1;  // factors of steps' times
  std::string from;           // where they are from, in words
  Summary if_fast, if_slow;
};

// The factors are 1 ∓ the engine profile's spread where its times were fitted, else the interval of
// predict_step() of the mean decode step of `r`.
Band band_of(const Scenario& s, const Summary& r);

std::string band_text(const Summary& r, const Band& b);
nlohmann::json band_json(const Band& b);

}  // namespace ridge::sim
