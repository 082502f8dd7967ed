#pragma once
#include <nlohmann/json_fwd.hpp>
#include <vector>

#include "calibrate/table.h"

namespace ridge {

// What a file keeps of a sample: five digits of its times, four of its delay factor, and the ideal
// time as their quotient. A table in memory holds the same, so that saving it changes nothing.
Sample as_kept(Sample s);

// In a table's order: by op, dtype, implementation, method, then dims. Curves go on naming the
// samples that they named.
void sort_samples(DelayTable& t);

// Tables of more samples do not tell the work of each call: readers who want it have the formulas.
inline constexpr std::size_t kMostWithWork = 10000;

// By columns: an object for each op, dtype, implementation and method, with an array for each
// axis and quantity (docs/file-formats.md).
nlohmann::json samples_to_json(const std::vector<Sample>& samples);

// Of what the schema has passed. Throws BadInput that names the group, the column and the row:
// columns of unequal length, unknown operators and axes, dims that the operator does not take.
std::vector<Sample> samples_from_json(const nlohmann::json& j);

// Version 2 had an object for each sample. Throws BadInput that names the sample and the key.
std::vector<Sample> samples_from_version_2(const nlohmann::json& j);

}  // namespace ridge
