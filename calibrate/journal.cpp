#include "calibrate/journal.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>

#include "kernels/core/error.h"

namespace ridge {

namespace fs = std::filesystem;

Journal::Journal(const fs::path& path, const std::string& device, bool resume)
    : path_(path), device_(device) {
  std::error_code failed;
  fs::create_directories(path.parent_path(), failed);
  if (failed)
    throw std::runtime_error(fmt::format("cannot make folder {}: {}; choose another with --out",
                                         path.parent_path().string(), failed.message()));
  if (fs::exists(path) && fs::file_size(path) > 0) {
    if (resume) {
      read(path);
    } else {
      fs::rename(path, path.string() + ".previous", failed);
      if (!failed) notices_.push_back("the earlier run is kept as " + path.string() + ".previous");
    }
  }
  file_.reset(std::fopen(path.c_str(), "a"));
  if (!file_)
    throw std::runtime_error(fmt::format("cannot write {}: {}; choose another folder with --out",
                                         path.string(), std::strerror(errno)));
}

void Journal::read(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::string line;
  std::uintmax_t good = 0;  // bytes of whole lines
  for (int number = 1; std::getline(in, line); ++number) {
    const bool torn = in.eof();  // no newline at its end: the run was killed while writing it
    const nlohmann::json j = nlohmann::json::parse(line, nullptr, false);
    if (torn) {
      notices_.push_back(fmt::format("{}:{}: dropped a half-written line", path.string(), number));
      break;
    }
    if (j.is_discarded())
      throw BadInput(
          fmt::format("{}:{}: is not JSON; repair or remove the line, or start anew "
                      "without --resume",
                      path.string(), number));
    good += line.size() + 1;
    try {
      if (j.contains("run")) {
        if (const std::string other = j["run"].value("device", ""); other != device_)
          throw BadInput(
              fmt::format("measured on {}, this is {}; use another --out", other, device_));
        continue;
      }
      measurements_.push_back(measurement_from_json(j));
    } catch (const BadInput& e) {
      throw BadInput(fmt::format("{}:{}: {}", path.string(), number, e.what()));
    }
  }
  in.close();
  if (good < fs::file_size(path)) fs::resize_file(path, good);
}

void Journal::write_line(const std::string& line) {
  const bool written = std::fwrite(line.data(), 1, line.size(), file_.get()) == line.size() &&
                       std::fflush(file_.get()) == 0 && fsync(fileno(file_.get())) == 0;
  if (!written)
    throw std::runtime_error(
        fmt::format("cannot write {}: {}; free some space and go on with "
                    "--resume: what was measured is kept",
                    path_.string(), std::strerror(errno)));
}

void Journal::append(const Measurement& m) {
  write_line(to_json(m).dump() + "\n");
  measurements_.push_back(m);
}

void Journal::append_run(const std::map<std::string, std::string>& provenance) {
  nlohmann::json run = provenance;
  run["device"] = device_;
  write_line(nlohmann::json{{"run", run}}.dump() + "\n");
}

}  // namespace ridge
