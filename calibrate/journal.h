#pragma once
#include <cstdio>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "profilers/measurement.h"

namespace ridge {

// measurements.jsonl: first a line {"run": …} per run, then a line per measurement, each on disk
// before the next is taken. A run that was killed leaves at most a torn last line, which reading
// drops.
class Journal {
 public:
  // Opens `path` for appending, made with its folders where absent. With `resume` the measurements
  // already there are read; without, an earlier file is kept as <path>.previous. Throws BadInput
  // for lines that are no measurements (with the line number) and for those of another device,
  // std::runtime_error for a folder that cannot be written or that another run is writing to.
  Journal(const std::filesystem::path& path, const std::string& device, bool resume);

  // Throws std::runtime_error when the line did not reach the disk (full, removed, read-only).
  void append(const Measurement& m);
  void append_run(const std::map<std::string, std::string>& provenance);

  const std::vector<Measurement>& measurements() const { return measurements_; }
  const std::vector<std::string>& notices() const { return notices_; }

 private:
  void read(const std::filesystem::path& path);
  void write_line(const std::string& line);

  struct Close {
    void operator()(std::FILE* f) const { std::fclose(f); }
  };
  std::filesystem::path path_;
  std::string device_;
  std::unique_ptr<std::FILE, Close> file_;
  std::vector<Measurement> measurements_;
  std::vector<std::string> notices_;
};

}  // namespace ridge
