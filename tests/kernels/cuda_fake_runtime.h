#pragma once
#include <map>
#include <string>
#include <vector>

// A CUDA runtime and a cuBLASLt of the few functions that batches, overheads, host copies and the
// choice of an algorithm use, without a device: work "runs" at once, and each stream has a clock
// that only its work and the events it waits for move. It shows that calls come in the right order,
// what may overlap, and that failures are cleaned up after; it says nothing about a device's time.
namespace ridge::fake_cuda {

struct Algorithm {
  double time_s = 0;
  bool refused = false;
};

struct State {
  std::vector<std::string> log;              // "malloc", "flush", "launch A", "begin capture", …
  double now_s = 0;                          // of the default stream
  std::map<const void*, double> streams_s;   // of the others
  std::map<const void*, double> captured_s;  // of each stream in the capture, from its beginning
  double event_s = 0;                        // what recording an event takes
  double tiny_s = 0;                         // and the shortest kernel
  double copy_s = 0;                         // and a copy between host and device
  bool capturing = false, invalidated = false;
  int live_graphs = 0, live_execs = 0, live_streams = 0, live_events = 0, live_host = 0;
  bool malloc_fails = false, host_malloc_fails = false;
  int fail_sync_with = 0;             // a cudaError_t that the next synchronisation returns
  std::vector<Algorithm> algorithms;  // what the heuristic proposes, in order
  std::vector<int> runs;              // of each algorithm
};
State& state();  // reset with state() = {}

// A launch on the stream, by default on the default one.
void launch(const std::string& name, double time_s, const void* stream = nullptr);
// What cudaStreamSynchronize does during a capture.
void break_capture();

}  // namespace ridge::fake_cuda
