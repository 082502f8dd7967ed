#include "programs/profile_calls.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <sstream>

#include "kernels/core/error.h"
#include "kernels/core/operators.h"

namespace ridge {
namespace {

// A handful of shapes per operator, from the low end of what LLMs use to the high.
std::vector<std::vector<int64_t>> default_dims(const OpSpec& spec) {
  std::vector<std::vector<int64_t>> shapes;
  for (double quantile : {0.0, 0.25, 0.5, 0.75}) {
    Call call{spec.name, {}, spec.dtypes.front(), ""};
    for (const Axis& axis : spec.axes) {
      if (axis.usual.empty()) {
        call.dims.push_back(std::llround(
            std::sqrt(static_cast<double>(axis.sweep_low) * static_cast<double>(axis.sweep_high))));
      } else {
        const double at = quantile * static_cast<double>(axis.usual.size() - 1);
        call.dims.push_back(axis.usual[static_cast<std::size_t>(at)]);
      }
    }
    spec.adjust(call);
    // Axes with few usual values give one shape at several quantiles.
    const bool known = std::find(shapes.begin(), shapes.end(), call.dims) != shapes.end();
    if (spec.constraint(call).empty() && !known) shapes.push_back(call.dims);
  }
  return shapes;
}

}  // namespace

Call parse_call(const std::string& text) {
  std::istringstream words(text);
  std::string word;
  words >> word;
  const OpSpec& spec = find_operator(word);
  Call call{spec.name, std::vector<int64_t>(spec.axes.size(), 0), spec.dtypes.front(), ""};
  while (words >> word) {
    const auto equals = word.find('=');
    if (word.front() == '[' && word.back() == ']') {
      call.implementation = word.substr(1, word.size() - 2);
    } else if (equals == std::string::npos) {
      call.dtype = parse_dtype(word);
    } else {
      bool known = false;
      for (std::size_t i = 0; i < spec.axes.size(); ++i)
        if (spec.axes[i].name == word.substr(0, equals)) {
          char* end = nullptr;
          call.dims[i] = std::strtoll(word.c_str() + equals + 1, &end, 10);
          known = *end == '\0' && end != word.c_str() + equals + 1;
        }
      if (!known) throw BadInput("--call: '" + word + "' is no axis=number of " + spec.name);
    }
  }
  validate(spec, call);
  return call;
}

std::string benchmark_name(const Call& call) {
  const OpSpec& spec = find_operator(call.op);
  std::string text = call.op;
  for (std::size_t i = 0; i < spec.axes.size(); ++i)
    text += fmt::format("/{}:{}", spec.axes[i].name, call.dims[i]);
  return fmt::format("{}/{}/{}", text, name(call.dtype), call.implementation);
}

std::vector<Call> calls_to_measure(const Backend& backend, const std::vector<std::string>& texts) {
  std::vector<Call> calls;
  for (const std::string& text : texts) calls.push_back(parse_call(text));
  if (calls.empty())
    for (const OpSpec& spec : operators())
      for (Dtype dtype : spec.dtypes)
        for (const auto& dims : default_dims(spec)) calls.push_back({spec.name, dims, dtype, ""});
  std::vector<Call> all;
  for (Call& call : calls) {
    std::string why;
    const std::vector<std::string> implementations = backend.implementations(call, &why);
    if (implementations.empty() && !texts.empty())
      throw BadInput(fmt::format("--call: {} does not run here: {}", to_string(call), why));
    for (const std::string& implementation : implementations) {
      call.implementation = implementation;
      all.push_back(call);
    }
  }
  return all;
}

}  // namespace ridge
