#pragma once
#include <dnnl.hpp>

// oneDNN 2 (Debian 12, Ubuntu 22.04) describes an operation first and then picks a kernel; oneDNN 3
// (Ubuntu 24.04) does both at once. Each function here makes the kernel choice either way.
namespace ridge::dnnl_compat {

// `bias` may be empty.
inline dnnl::matmul::primitive_desc matmul(const dnnl::engine& engine, const dnnl::memory::desc& a,
                                           const dnnl::memory::desc& b, const dnnl::memory::desc& c,
                                           const dnnl::memory::desc& bias = {}) {
#if DNNL_VERSION_MAJOR >= 3
  return {engine, a, b, bias, c};
#else
  return {dnnl::matmul::desc(a, b, bias, c), engine};
#endif
}

// Forward convolution without bias; `padding` is the same on both sides.
inline dnnl::convolution_forward::primitive_desc convolution(const dnnl::engine& engine,
                                                             const dnnl::memory::desc& x,
                                                             const dnnl::memory::desc& weights,
                                                             const dnnl::memory::desc& y,
                                                             const dnnl::memory::dims& strides,
                                                             const dnnl::memory::dims& padding) {
  constexpr auto kind = dnnl::prop_kind::forward_inference;
  constexpr auto algorithm = dnnl::algorithm::convolution_direct;
#if DNNL_VERSION_MAJOR >= 3
  return {engine, kind, algorithm, x, weights, y, strides, padding, padding};
#else
  return {{kind, algorithm, x, weights, y, strides, padding, padding}, engine};
#endif
}

// Descriptions of one unidirectional LSTM's tensors; zero initial state, final state not kept.
struct LstmTensors {
  dnnl::memory::desc x, weights_layer, weights_iter, bias, y;
};

inline dnnl::lstm_forward::primitive_desc lstm(const dnnl::engine& engine, const LstmTensors& t) {
  constexpr auto kind = dnnl::prop_kind::forward_inference;
  constexpr auto direction = dnnl::rnn_direction::unidirectional_left2right;
  const dnnl::memory::desc none;
#if DNNL_VERSION_MAJOR >= 3
  return {engine,          kind,           direction, t.x, none, none,
          t.weights_layer, t.weights_iter, t.bias,    t.y, none, none};
#else
  return {
      {kind, direction, t.x, none, none, t.weights_layer, t.weights_iter, t.bias, t.y, none, none},
      engine};
#endif
}

}  // namespace ridge::dnnl_compat
