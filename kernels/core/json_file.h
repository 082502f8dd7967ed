#pragma once
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>
#include <string_view>

namespace ridge {

// Throws BadInput that names the file, and the line and column of what is no JSON.
nlohmann::json read_json(const std::filesystem::path& path);

// Written beside `path`, synced and renamed: readers see the old file or the new one, whole. Throws
// std::runtime_error that names the file and the system's reason (folder missing, disk full).
void write_file(const std::filesystem::path& path, const std::string& text);
// The parts one after another, none of them copied.
void write_file(const std::filesystem::path& path, std::span<const std::string_view> parts);
void write_json(const std::filesystem::path& path, const nlohmann::json& j);

// Fails as write_file() would, before the work whose result is to be written; leaves nothing.
void check_writable(const std::filesystem::path& path);

}  // namespace ridge
