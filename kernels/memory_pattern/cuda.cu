#include "kernels/cuda/check.h"
#include "kernels/cuda/context.h"
#include "kernels/memory_pattern/kernels.cuh"

namespace ridge::memory_pattern {
namespace {

template <class T>
const T* input(const Arguments& a, std::size_t i) {
  return static_cast<const T*>(a.inputs[i]);
}
float* output(const Arguments& a) { return static_cast<float*>(a.outputs[0]); }

template <class Bind>
CudaImplementation implementation(const char* op, Bind bind) {
  CudaImplementation own;
  own.op = op;
  own.name = "ridge";
  own.unsupported = [](const CudaContext&, const Call&) { return std::string(); };
  own.bind = std::move(bind);
  return own;
}

// One of three kernels, by the threads that move a row.
template <class Kernel>
Kernel by_row(const RowDims& d, Kernel of_32, Kernel of_64, Kernel of_128) {
  return d.row_bytes == 32 ? of_32 : d.row_bytes == 64 ? of_64 : of_128;
}

std::unique_ptr<Launch> bind_stride(CudaContext& context, const Call& c, const Arguments& a) {
  return make_launch(
      [d = stride_dims(c), x = input<float>(a, 0), y = output(a), stream = context.stream] {
        sum_strided<<<static_cast<unsigned>(d.chunks()), kThreads, 0, stream>>>(x, y, d);
        RIDGE_CUDA(cudaGetLastError());
      });
}

// `real` is the table of gather, the pattern of scatter.
template <class Kernel>
auto bind_rows(Kernel of_32, Kernel of_64, Kernel of_128) {
  return [=](CudaContext& context, const Call& c, const Arguments& a) {
    const RowDims d = row_dims(c);
    return make_launch([d, kernel = by_row(d, of_32, of_64, of_128), real = input<float>(a, 0),
                        index = input<int>(a, 1), y = output(a), stream = context.stream] {
      kernel<<<static_cast<unsigned>(d.chunks()), kThreads, 0, stream>>>(real, index, y, d);
      RIDGE_CUDA(cudaGetLastError());
    });
  };
}

}  // namespace

std::vector<CudaImplementation> cuda_implementations() {
  return {implementation("stride_read", bind_stride),
          implementation("gather", bind_rows(sum_rows<2>, sum_rows<4>, sum_rows<8>)),
          implementation("scatter", bind_rows(write_rows<2>, write_rows<4>, write_rows<8>))};
}

}  // namespace ridge::memory_pattern
