#pragma once
#include <chrono>
#include <string>

namespace ridge {

// Progress on standard error: a bar with the time left on a terminal, a plain line every tenth of
// the way elsewhere.
class Progress {
 public:
  Progress(std::string title, double total_s);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  void update(double done_s, const std::string& what);

 private:
  std::string title_;
  double total_s_;
  bool terminal_;
  int tenths_ = -1;
  bool drawn_ = false;
};

}  // namespace ridge
