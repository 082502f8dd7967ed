#pragma once
#include <cstdio>
#include <exception>

#include "kernels/core/error.h"

namespace ridge {

// Runs the body of a program's main() and turns what it throws into the exit codes that every
// command shares: 0 done, 1 failed, 2 wrong use or bad input, 3 device missing. `body` returns the
// code of an end without exception.
template <class Body>
int run_main(Body body) {
  try {
    return body();
  } catch (const BadInput& e) {
    std::fprintf(stderr, "error: %s\n", e.what());
    return 2;
  } catch (const DeviceMissing& e) {
    std::fprintf(stderr, "error: %s\n", e.what());
    return 3;
  } catch (const std::exception& e) {
    std::fprintf(stderr, "error: %s\n", e.what());
    return 1;
  }
}

}  // namespace ridge
