#pragma once
#include <algorithm>
#include <cstdint>
#include <vector>

#include "kernels/attention_prefill/attention_prefill.h"

namespace ridge::attention_prefill {

// One step of attention by two batched products with a softmax between: queries
// [first_query, + queries) of heads [first_head, + heads), counted through the batch, against the
// first `keys` keys. The scores, [heads][queries][stride], fit the scratch.
struct UnfusedStep {
  int64_t first_query, queries, first_head, heads, keys, stride;
};

// The steps that cover every query of every head once. Queries are cut in up to four parts, each of
// which multiplies only the keys that its last query sees; heads as the scratch demands.
inline std::vector<UnfusedStep> unfused_steps(const Dims& d, int64_t scratch_elements) {
  const auto stride = [](int64_t keys) { return (keys + 7) / 8 * 8; };
  int64_t part = std::max<int64_t>(256, (d.seq + 3) / 4);
  part = std::max<int64_t>(1, std::min(part, scratch_elements / stride(d.kv_len)));
  std::vector<UnfusedStep> steps;
  for (int64_t query = 0; query < d.seq; query += part) {
    const int64_t queries = std::min(part, d.seq - query);
    const int64_t keys = visible_keys(d, query + queries - 1);
    // 65535 is the limit of a grid's second axis.
    const int64_t heads =
        std::clamp<int64_t>(scratch_elements / (queries * stride(keys)), 1, 65535);
    for (int64_t head = 0; head < d.batch * d.heads; head += heads)
      steps.push_back(
          {query, queries, head, std::min(heads, d.batch * d.heads - head), keys, stride(keys)});
  }
  return steps;
}

}  // namespace ridge::attention_prefill
