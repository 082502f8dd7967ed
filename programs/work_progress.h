#pragma once
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <string>
#include <utility>

namespace ridge {

// Progress of work whose amount is known and whose time is not, on standard error: a bar with the
// time left on a terminal, a line every tenth of the way elsewhere.
class WorkProgress {
 public:
  WorkProgress(std::string title, double total) : title_(std::move(title)), total_(total) {}
  ~WorkProgress() {
    if (drawn_) std::fputs("\r\033[K", stderr);
  }
  WorkProgress(const WorkProgress&) = delete;
  WorkProgress& operator=(const WorkProgress&) = delete;

  void update(double done) {
    const double share = total_ > 0 ? (done < total_ ? done / total_ : 1) : 1;
    const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - start_;
    const double left_s = share > 0 ? spent.count() * (1 - share) / share : 0;
    const int tenths = static_cast<int>(10 * share), cells = static_cast<int>(30 * share);
    if (terminal_) {
      std::fprintf(stderr, "\r%s [%-30s] %3.0f %%, %.0f s left\033[K", title_.c_str(),
                   std::string(static_cast<std::size_t>(cells), '#').c_str(), 100 * share, left_s);
      drawn_ = true;
    } else if (tenths > tenths_) {
      std::fprintf(stderr, "%s %d %%, %.0f s left\n", title_.c_str(), 10 * tenths, left_s);
    }
    tenths_ = tenths;
  }

 private:
  std::string title_;
  double total_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  bool terminal_ = isatty(STDERR_FILENO) == 1, drawn_ = false;
  int tenths_ = 0;
};

}  // namespace ridge
