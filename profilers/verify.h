#pragma once
#include <cstdint>
#include <string>

#include "profilers/arena.h"

namespace ridge {

struct Verdict {
  bool correct = false;
  double error = 0;  // ‖out − ref‖ / ‖ref‖ over the checked elements
  int64_t checked = 0;
  double run_s = 0;    // what the launch took, loading of code included
  std::string reason;  // what is wrong: which element, got, expected
};

// Runs `launch` once on poisoned outputs and holds it against the operator's double-precision
// reference: on every element where those are few and cheap, else on random ones, the first and
// last element of each output among them, for as long as `budget_s` lasts. Unwritten elements show
// as poison.
Verdict verify(Backend& backend, const OpSpec& spec, const Call& call, const Operands& operands,
               Launch& launch, uint64_t seed, double budget_s);

}  // namespace ridge
