#include "profilers/progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

namespace ridge {

Progress::Progress(std::string title, double total_s)
    : title_(std::move(title)), total_s_(total_s), terminal_(isatty(STDERR_FILENO) == 1) {}

Progress::~Progress() {
  if (drawn_) fmt::print(stderr, "\r\033[K");
}

void Progress::update(double done_s, const std::string& what) {
  const double share = total_s_ > 0 ? std::clamp(done_s / total_s_, 0.0, 1.0) : 1;
  const int left = static_cast<int>(std::max(0.0, total_s_ - done_s));
  if (terminal_) {
    constexpr int kWidth = 20;
    const int full = static_cast<int>(share * kWidth);
    fmt::print(stderr, "\r\033[K{} [{:#<{}}{:.<{}}] {:3.0f} % {}:{:02} left  {:.30}", title_, "",
               full, "", kWidth - full, 100 * share, left / 60, left % 60, what);
    std::fflush(stderr);
    drawn_ = true;
  } else if (const int tenths = static_cast<int>(share * 10); tenths > tenths_) {
    fmt::print(stderr, "{} {} % {}:{:02} left\n", title_, tenths * 10, left / 60, left % 60);
    tenths_ = tenths;
  }
}

}  // namespace ridge
