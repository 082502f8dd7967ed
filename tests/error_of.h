#pragma once
#include <string>

#include "kernels/core/error.h"

namespace ridge {

// What `f` complains of; "" where it throws no BadInput.
template <typename F>
std::string error_of(F f) {
  try {
    f();
  } catch (const BadInput& e) {
    return e.what();
  }
  return {};
}

}  // namespace ridge
