#include "kernels/cuda/check.h"
#include "kernels/cuda/context.h"
#include "kernels/memory_stream/kernels.cuh"

namespace ridge::memory_stream {
namespace {

const float* input(const Arguments& a, std::size_t i) {
  return static_cast<const float*>(a.inputs[i]);
}
float* output(const Arguments& a) { return static_cast<float*>(a.outputs[0]); }

CudaImplementation implementation(const char* op, decltype(CudaImplementation::bind) bind) {
  CudaImplementation own;
  own.op = op;
  own.name = "ridge";
  own.unsupported = [](const CudaContext&, const Call&) { return std::string(); };
  own.bind = std::move(bind);
  return own;
}

// What holds the parts that units come back to: the L1 beside each, or what all of them share.
Cache cache_of(const Dims& d) {
  if (d.passes == 1) return Cache::kStreaming;
  return d.shift % d.parts == 0 ? Cache::kL1 : Cache::kL2;
}

// launch<cache>(…) for the cache that the dims ask for.
template <class F>
void with_cache(Cache cache, const F& launch) {
  if (cache == Cache::kStreaming) launch.template operator()<Cache::kStreaming>();
  if (cache == Cache::kL1) launch.template operator()<Cache::kL1>();
  if (cache == Cache::kL2) launch.template operator()<Cache::kL2>();
  RIDGE_CUDA(cudaGetLastError());
}

template <class MakeSource>
CudaImplementation writer(const char* op, MakeSource make_source) {
  return implementation(op, [=](CudaContext& context, const Call& c, const Arguments& a) {
    return make_launch(
        [source = make_source(a), y = output(a), d = dims(c), stream = context.stream] {
          with_cache(cache_of(d), [&]<Cache cache>() {
            write_parts<cache><<<static_cast<unsigned>(d.parts), block_threads(d), 0, stream>>>(
                source, y, Parts(d.count, d.parts), d.parts, d.passes, d.shift % d.parts);
          });
        });
  });
}

CudaImplementation reader() {
  return implementation("stream_read", [](CudaContext& context, const Call& c, const Arguments& a) {
    return make_launch([x = input(a, 0), y = output(a), d = dims(c), stream = context.stream] {
      with_cache(cache_of(d), [&]<Cache cache>() {
        read_parts<cache><<<static_cast<unsigned>(d.parts), block_threads(d), 0, stream>>>(
            x, y, Parts(d.count, d.parts), d.parts, d.passes, d.shift % d.parts);
      });
    });
  });
}

CudaImplementation shared_reader() {
  return implementation(
      "stream_shared", [](CudaContext& context, const Call& c, const Arguments& a) {
        return make_launch([x = input(a, 0), y = output(a), blocks = c.dims[0], passes = c.dims[1],
                            stream = context.stream] {
          read_shared<<<static_cast<unsigned>(blocks), kSharedThreads, 0, stream>>>(x, y, passes);
          RIDGE_CUDA(cudaGetLastError());
        });
      });
}

}  // namespace

std::vector<CudaImplementation> cuda_implementations() {
  return {reader(),
          writer("stream_write", [](const Arguments& a) { return Pattern{input(a, 0)}; }),
          writer("stream_copy", [](const Arguments& a) { return Same{input(a, 0)}; }),
          writer("stream_scale",
                 [](const Arguments& a) {
                   return Scaled{input(a, 0), input(a, 1)};
                 }),
          writer("stream_triad",
                 [](const Arguments& a) {
                   return Triad{input(a, 0), input(a, 1), input(a, 2)};
                 }),
          shared_reader()};
}

}  // namespace ridge::memory_stream
