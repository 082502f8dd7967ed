#pragma once
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "kernels/core/error.h"

namespace ridge {

// A whole CSV file. Throws BadInput that names it.
inline std::string read_text(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in || std::filesystem::is_directory(path))
    throw BadInput(path + ": cannot be read; give a CSV file");
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace ridge
