#include "kernels/cuda/check.h"
#include "kernels/cuda/context.h"
#include "kernels/memory_stream/kernels.cuh"

namespace ridge::memory_stream {
namespace {

const float* input(const Arguments& a, std::size_t i) {
  return static_cast<const float*>(a.inputs[i]);
}

template <class MakeSource>
CudaImplementation writer(const char* op, MakeSource make_source) {
  CudaImplementation own;
  own.op = op;
  own.name = "ridge";
  own.unsupported = [](const CudaContext&, const Call&) { return std::string(); };
  own.bind = [make_source](CudaContext& context, const Call& c, const Arguments& a) {
    const int64_t n = count(c);
    return make_launch([source = make_source(a), y = static_cast<float*>(a.outputs[0]), n,
                        grid = static_cast<unsigned>((n + kTile - 1) / kTile),
                        stream = context.stream] {
      write_tiles<<<grid, kThreads, 0, stream>>>(source, y, n);
      RIDGE_CUDA(cudaGetLastError());
    });
  };
  return own;
}

CudaImplementation reader() {
  CudaImplementation own;
  own.op = "stream_read";
  own.name = "ridge";
  own.unsupported = [](const CudaContext&, const Call&) { return std::string(); };
  own.bind = [](CudaContext& context, const Call& c, const Arguments& a) {
    return make_launch([x = input(a, 0), y = static_cast<float*>(a.outputs[0]), n = count(c),
                        grid = static_cast<unsigned>(chunks(count(c))), stream = context.stream] {
      sum_chunks<<<grid, kThreads, 0, stream>>>(x, y, n);
      RIDGE_CUDA(cudaGetLastError());
    });
  };
  return own;
}

}  // namespace

std::vector<CudaImplementation> cuda_implementations() {
  return {reader(), writer("stream_write", [](const Arguments& a) { return Pattern{input(a, 0)}; }),
          writer("stream_copy", [](const Arguments& a) { return Same{input(a, 0)}; }),
          writer("stream_triad", [](const Arguments& a) {
            return Triad{input(a, 0), input(a, 1), input(a, 2)};
          })};
}

}  // namespace ridge::memory_stream
