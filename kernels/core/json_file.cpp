#include "kernels/core/json_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>

#include "kernels/core/error.h"

namespace ridge {
namespace {

// False, with errno's reason, where the disk or the pipe does not take all of it.
bool written(int file, std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = ::write(file, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return false;
    text.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

}  // namespace

nlohmann::json read_json(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw BadInput(path.string() + ": cannot be read: " + std::strerror(errno));
  std::string text;
  std::error_code unknown;  // the size of a pipe
  if (const auto bytes = std::filesystem::file_size(path, unknown); !unknown) text.reserve(bytes);
  for (char block[1 << 16]; in.read(block, sizeof(block)), in.gcount() > 0;)
    text.append(block, static_cast<std::size_t>(in.gcount()));
  try {
    return nlohmann::json::parse(text);
  } catch (const nlohmann::json::parse_error& e) {
    std::string what = e.what();  // "[json.exception.…] parse error at line 1, column 2: …"
    what.erase(0, std::min(what.find("parse error"), what.size()));
    // The last token follows, which may be a megabyte.
    what.erase(std::min(what.find("; last read"), what.size()));
    throw BadInput(path.string() + ": is not whole JSON: " + what);
  }
}

void write_file(const std::filesystem::path& path, const std::string& text) {
  const std::string_view whole = text;
  write_file(path, {&whole, 1});
}

void write_file(const std::filesystem::path& path, std::span<const std::string_view> parts) {
  // A pipe or a device (/dev/stdout) is written to as it is: a rename would put a file in its
  // place.
  std::error_code absent;
  const auto status = std::filesystem::status(path, absent);
  const bool special = std::filesystem::exists(status) && !is_regular_file(status);
  const std::string temporary = special ? path.string() : path.string() + ".tmp";
  auto fail = [&](const char* step) {
    const std::string reason = std::strerror(errno);
    if (!special) ::unlink(temporary.c_str());
    throw std::runtime_error("cannot " + std::string(step) + " " + path.string() + ": " + reason);
  };
  if (path.has_parent_path()) {
    std::error_code ignored;
    std::filesystem::create_directories(path.parent_path(), ignored);
  }
  const int file = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (file < 0) fail("write");
  if (!std::all_of(parts.begin(), parts.end(), [&](auto part) { return written(file, part); })) {
    const int reason = errno;
    ::close(file);
    errno = reason;
    fail("write");
  }
  const bool synced = ::fsync(file) == 0 || errno == EINVAL;  // EINVAL: a pipe or /dev/full's kin
  const int reason = errno;
  if (::close(file) != 0 || !synced) {
    if (!synced) errno = reason;
    fail("sync");
  }
  if (!special && std::rename(temporary.c_str(), path.c_str()) != 0) fail("rename");
}

void check_writable(const std::filesystem::path& path) {
  std::filesystem::path probe = path;
  probe += ".probe";
  write_file(probe, "");
  std::filesystem::remove(probe);
}

void write_json(const std::filesystem::path& path, const nlohmann::json& j) {
  write_file(path, j.dump(1) + "\n");
}

}  // namespace ridge
