#pragma once
#include <cmath>

#include "kernels/core/call.h"

namespace ridge::lstm {

// A stack of unidirectional LSTM layers with biases and zero initial state. Per layer and step t
//   i = σ(Wi·x + Ri·h + bi)   f = σ(Wf·x + Rf·h + bf)   g = tanh(Wg·x + Rg·h + bg)
//   o = σ(Wo·x + Ro·h + bo)   c ← f·c + i·g             h ← o·tanh(c)
// x[seq, batch, input]; y[seq, batch, hidden] is h of the last layer at every step. Gates are in
// the order i f g o. With in(0) = input and in(l) = hidden above, the weights are flat tensors:
//   w_input   per layer l: [4, hidden, in(l)]      w_hidden  [layers, 4, hidden, hidden]
//   bias      [layers, 4, hidden]
// The values that W, R and b stand for are those of the tensors times weight_scale(): a power of
// two near 1/√hidden, so exact in every dtype. It makes uniform random tensors what deep learning
// frameworks initialise an LSTM with; without it every gate saturates and rounding errors grow
// from step to step. Launches scale when they pack the weights.
struct Dims {
  int64_t batch, seq, input, hidden, layers;

  int64_t in(int64_t layer) const { return layer == 0 ? input : hidden; }
  // Elements of w_input before `layer`.
  int64_t w_input_at(int64_t layer) const {
    return layer == 0 ? 0 : 4 * hidden * (input + (layer - 1) * hidden);
  }
};

inline Dims dims(const Call& call) {
  return {call.dims[0], call.dims[1], call.dims[2], call.dims[3], call.dims[4]};
}

inline float weight_scale(const Dims& d) {
  return static_cast<float>(std::exp2(-std::round(std::log2(static_cast<double>(d.hidden)) / 2)));
}

}  // namespace ridge::lstm
