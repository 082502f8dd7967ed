#pragma once
#include <map>
#include <string>
#include <vector>

#include "calibrate/transfer_law.h"

namespace ridge {

// provenance.method of a table whose GPU was never measured.
inline constexpr const char* kTransferredMethod = "transferred";
bool is_transferred(const DelayTable& table);

struct NamedTable {
  std::string file;
  DelayTable table;
};

// A table for a GPU that was never measured: its ceilings, no samples, and curves of every
// operator, dtype and implementation that a source has (transferred_curve), those of one name
// pooled. `notes` say what each stands on and what was left out. Throws BadInput for a source that
// is of this GPU, of a CPU, timed another way than the first, or without samples, and where nothing
// is left.
DelayTable transfer_table(const std::vector<NamedTable>& sources, const TransferGpu& to,
                          const std::map<std::string, std::string>& provenance);

// One line a curve, and the notes.
std::string transfer_summary(const DelayTable& table);

}  // namespace ridge
