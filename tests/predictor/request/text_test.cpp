#include "predictor/request/text.h"

#include <gmock/gmock.h>

#include <sstream>

namespace ridge {
namespace {

TEST(Text, NumbersHaveThreeDigitsAndEightCharactersAtMost) {
  EXPECT_EQ(number(0), "0.00");
  EXPECT_EQ(number(0.0123), "0.0123");
  EXPECT_EQ(number(1.5), "1.50");
  EXPECT_EQ(number(99.94), "99.9");
  EXPECT_EQ(number(99.96), "100");
  EXPECT_EQ(number(99999), "99999");
  EXPECT_EQ(number(123456), "1.23e+05");
  for (const double v : {1e-12, 3.14159e-5, 0.1, 12345.6, 1e12, 1e300})
    EXPECT_LE(number(v).size(), 9u) << v;
}

TEST(Text, TimesAreInTheUnitThatSuitsThem) {
  EXPECT_EQ(time_text(12.34), "12.3 s");
  EXPECT_EQ(time_text(0.99951), "1.00 s");
  EXPECT_EQ(time_text(0.9994), "999 ms");
  EXPECT_EQ(time_text(0.00456), "4.56 ms");
  EXPECT_EQ(time_text(0.0000123), "12.3 us");
  EXPECT_EQ(time_range(0.5, 0.25, 1.5), "250 to 1500 ms");
}

TEST(Text, WholeNumbersAreGrouped) {
  EXPECT_EQ(grouped(0), "0");
  EXPECT_EQ(grouped(999), "999");
  EXPECT_EQ(grouped(1000), "1,000");
  EXPECT_EQ(grouped(1234567), "1,234,567");
  EXPECT_EQ(grouped(-1234), "-1,234");
  EXPECT_EQ(grouped(-123), "-123");
}

TEST(Text, LinesAreFilledWithWholeWords) {
  EXPECT_EQ(paragraph("short"), "short\n");
  EXPECT_EQ(paragraph(""), "");
  std::string words;
  for (int i = 0; i < 60; ++i) words += "word" + std::to_string(i) + " ";
  std::istringstream lines(paragraph(words, 4, 2));
  std::string all;
  int count = 0;
  for (std::string line; std::getline(lines, line); ++count) {
    EXPECT_LE(line.size(), kColumns);
    EXPECT_EQ(line.substr(0, count == 0 ? 2 : 4), std::string(count == 0 ? 2 : 4, ' '));
    EXPECT_EQ(line.find("word"), count == 0 ? 2u : 4u);
    all += line.substr(line.find("word")) + " ";
  }
  EXPECT_GT(count, 4);
  EXPECT_EQ(all.substr(0, words.size() - 1), words.substr(0, words.size() - 1));
  EXPECT_EQ(paragraph(std::string(200, 'x')).size(), 200u + 3 + 2 * 2);  // no blank to break at
}

}  // namespace
}  // namespace ridge
