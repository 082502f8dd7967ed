#pragma once
#include <cstdint>

namespace ridge::sim {

// A request as it comes in. `stream` names content that requests share: those of one stream begin
// with the same `shared` tokens of it; a conversation's turn is its stream's whole text so far.
struct Arrival {
  double time_s = 0;
  int64_t input = 1, output = 1;
  int64_t stream = -1;   // none
  int64_t shared = 0;    // leading tokens of `input`; the rest is the request's own
  bool extends = false;  // what it generates belongs to the stream, too (a conversation)
  int32_t priority = 0;  // lower ones go first
  int32_t turn = 0;      // of a conversation
};

}  // namespace ridge::sim
