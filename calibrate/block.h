#pragma once
#include <cstddef>

namespace ridge {

// Calls are evaluated this many at a time, features first: x[feature * kBlock + call]. Every step
// of a model then runs over neighbours in memory, which compilers turn into vector instructions.
inline constexpr std::size_t kBlock = 8;

}  // namespace ridge
