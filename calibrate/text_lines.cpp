#include "calibrate/text_lines.h"

#include <algorithm>

namespace ridge {

std::string wrapped(const std::string& text, std::size_t indent, std::size_t hanging) {
  constexpr std::size_t kColumns = 80;  // of a terminal
  std::string lines;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t margin = indent + (at == 0 ? 0 : hanging), most = kColumns - margin;
    std::size_t end = text.size();
    if (end - at > most) {
      const auto space = text.rfind(' ', at + most);
      end = space == std::string::npos || space <= at ? at + most : space;
    }
    lines += std::string(margin, ' ') + text.substr(at, end - at) + "\n";
    at = std::min(text.size(), text.find_first_not_of(' ', end));
  }
  return lines;
}

std::string notes_text(const std::vector<std::string>& notes) {
  std::string text;
  for (const std::string& note : notes) text += wrapped("note: " + note, 0, 6);
  return text;
}

std::string counted(std::size_t n, const std::string& what) {
  std::string digits = std::to_string(n);
  for (std::size_t i = digits.size(); i > 3; i -= 3) digits.insert(i - 3, ",");
  return digits + " " + what + (n == 1 ? "" : "s");
}

}  // namespace ridge
