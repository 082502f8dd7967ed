#pragma once
#include <string>
#include <vector>

#include "calibrate/import_rows.h"
#include "calibrate/table.h"

namespace ridge {

// A table of latencies that were measured elsewhere, against the datasheet's ceilings. What each
// framework measured is a curve of its own: the framework's name is the implementation. Faults of
// the rows (import_faults.h, and `files`) are told in the table's notes. With `points`, the planner
// chooses those and sees no other time. Throws BadInput where no row is left, with the first
// reasons.
DelayTable import_table(const ImportedRows& imported, const ImportOptions& options);

// What a person wants to know after an import: files with their rows, faults, operators.
std::string import_summary(const ImportedRows& imported, const DelayTable& table);

}  // namespace ridge
