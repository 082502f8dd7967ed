#include "kernels/core/call_json.h"

#include <nlohmann/json.hpp>

#include "kernels/core/error.h"
#include "kernels/core/operators.h"

namespace ridge {

nlohmann::json call_to_json(const Call& call) {
  const OpSpec& spec = find_operator(call.op);
  nlohmann::json dims = nlohmann::json::object();
  for (std::size_t i = 0; i < spec.axes.size(); ++i) dims[spec.axes[i].name] = call.dims.at(i);
  return {{"op", call.op},
          {"dims", std::move(dims)},
          {"dtype", std::string(name(call.dtype))},
          {"implementation", call.implementation}};
}

Call call_from_json(const nlohmann::json& j) {
  auto text = [&](const char* key) {
    if (!j.is_object() || !j.contains(key) || !j[key].is_string())
      throw BadInput(std::string("call: key '") + key + "' is missing or not a string");
    return j[key].get<std::string>();
  };
  const OpSpec& spec = find_operator(text("op"));
  Call call{.op = spec.name,
            .dims = {},
            .dtype = parse_dtype(text("dtype")),
            .implementation = text("implementation")};
  if (!j.contains("dims") || !j["dims"].is_object())
    throw BadInput(spec.name + ": key 'dims' is missing or not an object");
  for (const Axis& axis : spec.axes) {
    const auto it = j["dims"].find(axis.name);
    if (it == j["dims"].end() || !it->is_number_integer())
      throw BadInput(spec.name + ": dims." + axis.name + " is missing or not an integer");
    call.dims.push_back(it->get<int64_t>());
  }
  validate(spec, call);
  return call;
}

}  // namespace ridge
