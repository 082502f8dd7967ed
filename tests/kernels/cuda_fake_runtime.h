#pragma once
#include <string>
#include <vector>

// A CUDA runtime and a cuBLASLt of the few functions that batches and the choice of an algorithm
// use, without a device: work "runs" at once on a clock that only it moves. It shows that calls
// come in the right order and that failures are cleaned up after; it says nothing about time.
namespace ridge::fake_cuda {

struct Algorithm {
  double time_s = 0;
  bool refused = false;
};

struct State {
  std::vector<std::string> log;  // "malloc", "flush", "launch A", "begin capture", …
  double now_s = 0;
  bool capturing = false, invalidated = false;
  int live_graphs = 0, live_execs = 0;
  bool malloc_fails = false;
  int fail_sync_with = 0;             // a cudaError_t that the next synchronisation returns
  std::vector<Algorithm> algorithms;  // what the heuristic proposes, in order
  std::vector<int> runs;              // of each algorithm
};
State& state();  // reset with state() = {}

// A launch on the stream.
void launch(const std::string& name, double time_s);
// What cudaStreamSynchronize does during a capture.
void break_capture();

}  // namespace ridge::fake_cuda
