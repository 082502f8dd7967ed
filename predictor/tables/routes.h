#pragma once
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "calibrate/transfer.h"

namespace ridge {

// A curve of a set of tables.
struct CurvePlace {
  std::size_t table = 0;
  std::string implementation;
};

// Who answers calls of one operator and dtype.
struct Route {
  std::vector<CurvePlace> curves;  // none: the roofline
  Dtype dtype = Dtype::kF32;       // that they are asked in
  bool transferred = false;        // some of them are
};

// Which curves of several tables of one GPU answer a call, by this rule and no other:
//   1. measured ones, else transferred ones, else those that know little: of fewer than kFewCalls
//      calls, from which nobody learns a shape, or timed on the host, what this needs for a launch
//      included;
//   2. of these the asked framework's ("vllm", "trtllm", "sglang"; "vllm-custom-graph" and
//      "vllm/balanced" are vllm's): of the call's dtype, else of the dtype of equal size and pipe
//      (f16 for bf16 and back);
//   3. else all: of the call's dtype, else of its twin.
// Tables that tell of one implementation are one voice: the curve of most samples. A table that
// `calibrate` measured speaks with the implementation of most samples alone, which is the one that
// its backend prefers. A call that names an implementation is answered by that one where there is
// one.
class Routes {
 public:
  Routes() = default;
  Routes(const std::vector<NamedTable>& tables, std::string framework);

  Route of(const Call& call) const;

 private:
  struct Voice {
    CurvePlace place;
    std::size_t samples = 0;
    bool transferred = false;
    bool host_timed = false;
  };
  using Voices = std::vector<Voice>;
  const Voices* voices(const std::string& op, Dtype dtype) const;
  enum class Rank { kMeasured, kTransferred, kLittle };
  static Rank rank(const Voice& v);
  Route chosen(const Call& call, Rank rank) const;

  std::string framework_;
  std::map<std::pair<std::string, Dtype>, Voices> voices_;
};

inline constexpr std::size_t kFewCalls = 20;

// The dtype of equal size and pipe; the dtype itself where there is none.
Dtype twin(Dtype dtype);

// Whether an implementation is a framework's: "vllm", "vllm-custom-graph", "vllm/balanced".
bool is_of_framework(const std::string& implementation, const std::string& framework);

}  // namespace ridge
