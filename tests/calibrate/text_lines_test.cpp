#include "calibrate/text_lines.h"

#include <gtest/gtest.h>

namespace ridge {
namespace {

TEST(TextLines, WrapAtEightyColumnsAndKeepEveryWord) {
  std::string text, words;
  for (int i = 0; i < 60; ++i) text += (i > 0 ? " word" : "word") + std::to_string(i);
  std::size_t lines = 0;
  std::string lined = wrapped(text, 2, 4);
  for (std::size_t at = 0, end; (end = lined.find('\n', at)) != std::string::npos; at = end + 1) {
    EXPECT_LE(end - at, 80U);
    const std::string line = lined.substr(at, end - at), margin(lines++ == 0 ? 2 : 6, ' ');
    EXPECT_EQ(line.substr(0, margin.size()), margin);
    EXPECT_NE(line.at(margin.size()), ' ');
    words += (words.empty() ? "" : " ") + line.substr(margin.size());
  }
  EXPECT_GT(lines, 4U);
  EXPECT_EQ(words, text);
  EXPECT_EQ(wrapped("", 2), "");
}

TEST(TextLines, CountInWords) {
  EXPECT_EQ(counted(0, "row"), "0 rows");
  EXPECT_EQ(counted(1, "row"), "1 row");
  EXPECT_EQ(counted(1234567, "call"), "1,234,567 calls");
}

}  // namespace
}  // namespace ridge
