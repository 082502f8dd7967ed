#pragma once
#include <filesystem>
#include <string_view>

namespace ridge {

// Writes all of `text` to <path>.<pid>.tmp, syncs it and renames it to `path`, with folders made
// where absent: afterwards `path` has either all of it or what it had. Throws std::runtime_error
// with the path and the system's reason (full disk, unwritable folder).
void write_atomically(const std::filesystem::path& path, std::string_view text);

}  // namespace ridge
