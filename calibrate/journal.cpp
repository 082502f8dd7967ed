#include "calibrate/journal.h"

#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>

#include "kernels/core/error.h"

namespace ridge {

namespace fs = std::filesystem;

namespace {

void check_device(const nlohmann::json& run, const std::string& device) {
  if (!run.is_object() || !run.contains("device") || !run["device"].is_string())
    throw BadInput("key 'run.device' is missing or not a string");
  if (const auto other = run["device"].get<std::string>(); other != device)
    throw BadInput(fmt::format("measured on {}, this is {}; use another --out", other, device));
}

// For appending, and by one run at a time: two would mix their lines and cut each other's.
std::FILE* open_alone(const fs::path& path) {
  std::FILE* file = std::fopen(path.c_str(), "ae");
  if (!file)
    throw std::runtime_error(fmt::format("cannot write {}: {}; choose another folder with --out",
                                         path.string(), std::strerror(errno)));
  // A run that was just killed holds the lock until its memory is given back.
  constexpr int kTries = 10;
  for (int tries = 0; flock(fileno(file), LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
       ++tries) {
    if (tries < kTries) {
      usleep(100'000);
      continue;
    }
    std::fclose(file);
    throw std::runtime_error(fmt::format(
        "{} is being written by another run; wait for it or choose another folder with --out",
        path.string()));
  }
  return file;
}

// Text of drivers and libraries need not be UTF-8, which JSON must be.
std::string to_line(const nlohmann::json& j) {
  return j.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

}  // namespace

Journal::Journal(const fs::path& path, const std::string& device, bool resume)
    : path_(path), device_(device) {
  std::error_code failed;
  fs::create_directories(path.parent_path(), failed);
  if (failed)
    throw std::runtime_error(fmt::format("cannot make folder {}: {}; choose another with --out",
                                         path.parent_path().string(), failed.message()));
  file_.reset(open_alone(path));
  if (!fs::is_regular_file(path, failed) || fs::file_size(path) == 0) return;
  if (resume) {
    read(path);
    return;
  }
  fs::rename(path, path.string() + ".previous", failed);
  if (failed)
    throw std::runtime_error(
        fmt::format("cannot move the earlier {} aside: {}; choose another folder with --out",
                    path.string(), failed.message()));
  notices_.push_back("the earlier run is kept as " + path.string() + ".previous");
  file_.reset(open_alone(path));
}

void Journal::read(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in)
    throw std::runtime_error(
        fmt::format("cannot read {}: {}", path.string(), std::strerror(errno)));
  std::string line;
  std::uintmax_t good = 0;  // bytes of whole lines
  bool device_known = false;
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
        check_device(j["run"], device_);
        device_known = true;
        continue;
      }
      if (!device_known) throw BadInput("a measurement before any run line that names its device");
      measurements_.push_back(measurement_from_json(j));
    } catch (const BadInput& e) {
      throw BadInput(fmt::format("{}:{}: {}", path.string(), number, e.what()));
    }
  }
  if (in.bad()) throw std::runtime_error("cannot read all of " + path.string());
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
  write_line(to_line(to_json(m)));
  measurements_.push_back(m);
}

void Journal::append_run(const std::map<std::string, std::string>& provenance) {
  nlohmann::json run = provenance;
  run["device"] = device_;
  write_line(to_line({{"run", run}}));
}

}  // namespace ridge
