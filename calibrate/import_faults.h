#pragma once
#include <string>
#include <vector>

#include "calibrate/import_rows.h"
#include "roofline/ceilings.h"

namespace ridge {

// One call with every time that was imported of it, and what is odd about them.
struct ImportedCall {
  Call call;
  std::vector<double> latencies_s;
  std::vector<std::string> labels;

  double median_s() const;
};

// Repeats of a call become one; those whose times lie more than 10 % apart are told in `notes`.
std::vector<ImportedCall> merge_repeats(const std::vector<ImportedRow>& rows,
                                        std::vector<std::string>& notes);

// Drops calls whose ceilings are unknown, with a note.
void drop_unlimited(std::vector<ImportedCall>& calls, const Ceilings& ceilings,
                    std::vector<std::string>& notes);

// Drops calls so much faster than their ceilings that no cache, clock or algorithm explains it: a
// time in another unit than its column says. With a note.
void drop_impossible(std::vector<ImportedCall>& calls, const Ceilings& ceilings,
                     std::vector<std::string>& notes);

// Labels what is faster than DRAM allows ("l2": it must have been read from there) or than the peak
// of its pipe ("above_peak": a shorter algorithm, a higher clock or a mistake). Both are kept.
void label_fast(std::vector<ImportedCall>& calls, const Ceilings& ceilings,
                std::vector<std::string>& notes);

// Labels isolated spikes (kSpike): calls that took more than 1.5 times as long as both neighbours
// along some axis (all other dims alike; the larger one is at least as much work), and than what
// the neighbours along every other axis tell. Where those are as slow it is no accident but a
// ridge: a shape that the library handles badly.
void label_spikes(std::vector<ImportedCall>& calls, std::vector<std::string>& notes);

}  // namespace ridge
