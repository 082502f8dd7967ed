#pragma once
#include <stdexcept>
#include <string>

namespace ridge {

// The caller's input is wrong (a dim, a file, a flag). Commands end with exit code 2.
struct BadInput : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// The device that was asked for is not there. Commands end with exit code 3.
struct DeviceMissing : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// The device ran out of memory; the call is skipped with this reason and the run goes on.
struct OutOfMemory : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// The device's context died (an illegal address, an ECC error): nothing more runs on it in this
// process. Runs end here, what was measured is kept.
struct DeviceLost : std::runtime_error {
  using std::runtime_error::runtime_error;
};

}  // namespace ridge
