#pragma once
#include "calibrate/table.h"

namespace ridge {

inline constexpr std::size_t kCompactFrom = 1500;

// A table of many samples made small, to ship. Each curve that stands on `from` of them or more
// gets one forest of an eighth of the leaves, or fewer, grown on all its samples: of log delays, or
// of what the process leaves, whichever errs less in cross-validation. Its errors and its interval
// are those of that forest. Of its samples only the process's stay; `notes` say how many there
// were. Other curves keep all. Throws BadInput for a table without samples.
DelayTable compact_table(const DelayTable& table, std::size_t from = kCompactFrom);

}  // namespace ridge
