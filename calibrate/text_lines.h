#pragma once
#include <string>
#include <vector>

namespace ridge {

// Lines of whole words, at most 80 columns wide, indented; those after the first by `hanging` more.
std::string wrapped(const std::string& text, std::size_t indent, std::size_t hanging = 0);

// "note: …" each, wrapped.
std::string notes_text(const std::vector<std::string>& notes);

// "1 row", "2 rows", "1,000 rows".
std::string counted(std::size_t n, const std::string& what);

}  // namespace ridge
