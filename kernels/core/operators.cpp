#include "kernels/core/operators.h"

#include <iterator>

#include "kernels/core/backend.h"
#include "kernels/core/error.h"

namespace ridge {

// One folder an operator family; operator_list.inc is made from the list in kernels/CMakeLists.txt.
#define RIDGE_OPERATOR(folder) \
  namespace folder {           \
  std::vector<OpSpec> specs(); \
  }
#include "operator_list.inc"
#undef RIDGE_OPERATOR

const std::vector<OpSpec>& operators() {
  static const std::vector<OpSpec> all = [] {
    std::vector<OpSpec> list;
    auto add = [&](std::vector<OpSpec> some) {
      list.insert(list.end(), std::make_move_iterator(some.begin()),
                  std::make_move_iterator(some.end()));
    };
#define RIDGE_OPERATOR(folder) add(folder::specs());
#include "operator_list.inc"
#undef RIDGE_OPERATOR
    return list;
  }();
  return all;
}

const OpSpec& find_operator(std::string_view name) {
  for (const OpSpec& spec : operators())
    if (spec.name == name || spec.table_name == name) return spec;
  std::string known;
  for (const OpSpec& spec : operators()) known += (known.empty() ? "" : " ") + spec.name;
  throw BadInput("unknown operator '" + std::string(name) + "'; known: " + known);
}

std::string no_implementation(const Call& call) {
  const OpSpec& spec = find_operator(call.op);
  return spec.no_launch.empty() ? "no implementation of " + call.op + " here"
                                : call.op + " " + spec.no_launch;
}

std::string to_string(const Call& call) {
  const OpSpec& spec = find_operator(call.op);
  std::string text = call.op;
  for (std::size_t i = 0; i < call.dims.size(); ++i)
    text +=
        " " + (i < spec.axes.size() ? spec.axes[i].name : "?") + "=" + std::to_string(call.dims[i]);
  text += " " + std::string(name(call.dtype));
  if (!call.implementation.empty()) text += " [" + call.implementation + "]";
  return text;
}

std::string_view name(Method m) {
  return m == Method::kCold ? "cold" : m == Method::kStream ? "stream" : "graph";
}

Method parse_method(std::string_view text) {
  for (Method m : {Method::kCold, Method::kStream, Method::kGraph})
    if (name(m) == text) return m;
  throw BadInput("unknown method '" + std::string(text) + "'; use cold, stream or graph");
}

}  // namespace ridge
