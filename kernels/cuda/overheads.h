#pragma once
#include <map>
#include <string>

#include "kernels/cuda/context.h"

namespace ridge::cuda {

// Backend::overheads(): medians of several repeats after a warm-up, in seconds, each of the
// shortest kernel:
//   event               an event with a time, recorded between two kernels of a stream
//   stream.independent  one of many kernels that go round over several streams
//   graph.independent   one of many nodes of a graph that wait for nothing but its beginning
// Takes about 0.1 s. The stream is idle afterwards.
std::map<std::string, double> measure_overheads(const CudaContext& context);

}  // namespace ridge::cuda
