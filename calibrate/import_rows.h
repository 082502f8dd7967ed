#pragma once
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "kernels/core/call.h"
#include "roofline/device_specs.h"

namespace ridge {

struct ImportOptions {
  DeviceSpec device;           // of rows that name a GPU, only those of this one are taken
  std::string framework;       // only its rows; where a file names none, what all its rows ran on
  std::optional<Dtype> dtype;  // only these rows
  bool host_timed = false;     // launch by launch: what the host needs for one is inside each time
  std::size_t points = 0;      // at most so many of each operator, dtype and implementation; 0: all
  std::map<std::string, std::string> provenance;  // beside what the files say
};

// What became of one file's rows.
struct ImportedFile {
  std::string name;  // without its folders
  std::size_t rows = 0, taken = 0;
  std::size_t filtered = 0;             // not asked for
  std::size_t rejected = 0;             // faulty
  std::vector<std::string> rejections;  // the first few of them: line, column, what is wrong
};

struct ImportedRow {
  Call call;  // with its implementation
  double latency_s = 0;
};

struct ImportedRows {
  std::vector<ImportedRow> rows;
  std::vector<ImportedFile> files;
  // What the columns source, framework, version, repository, licence and remark say of the rows
  // that were taken.
  std::map<std::string, std::set<std::string>> said;
};

// Adds the rows of one CSV file (CallReader tells its columns) to `all`: those with a call, a
// positive finite time and, if they name a GPU, this one. The others are counted, and the import
// goes on. Throws BadInput for a text that is no CSV and for one without a column of times.
void add_rows(const std::string& text, const std::string& path, const ImportOptions& options,
              ImportedRows& all);

}  // namespace ridge
