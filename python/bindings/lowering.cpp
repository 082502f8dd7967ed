#include <fmt/format.h>

#include <array>

#include "kernels/core/error.h"
#include "kernels/core/operators.h"
#include "python/bindings/bindings.h"

namespace ridge::python {

std::string_view name(WeightFormat w) {
  static constexpr std::array<std::string_view, 4> kWords{"native", "fp8", "int8", "int4"};
  return kWords.at(static_cast<std::size_t>(w));
}

WeightFormat parse_weight_format(std::string_view word) {
  for (const WeightFormat w :
       {WeightFormat::kNative, WeightFormat::kFp8, WeightFormat::kInt8, WeightFormat::kInt4})
    if (name(w) == word) return w;
  throw BadInput(fmt::format("weights '{}': use native, fp8, int8 or int4", word));
}

namespace {

void bind_precision(nb::module_& m) {
  nb::class_<Precision> c(m, "Precision",
                          "How weights, activations and the KV cache are kept. Weights that are\n"
                          "'int4', or 'int8' and 'fp8' without quantised activations, have one\n"
                          "scale of 2 bytes for every `group` of them.");
  c.def(
       "__init__",
       [](Precision* self, std::string_view dtype, std::string_view weights,
          bool quantised_activations, std::optional<std::string_view> kv_cache, int64_t group) {
         new (self) Precision{.dtype = parse_dtype(dtype),
                              .weights = parse_weight_format(weights),
                              .quantised_activations = quantised_activations,
                              .kv_cache = parse_dtype(kv_cache.value_or(dtype)),
                              .group = group};
       },
       nb::arg("dtype") = "bf16", nb::kw_only(), nb::arg("weights") = "native",
       nb::arg("quantised_activations") = true, nb::arg("kv_cache") = nb::none(),
       nb::arg("group") = 128, "`kv_cache` is `dtype` where it is not given.")
      .def_rw("quantised_activations", &Precision::quantised_activations,
              "Products are fp8 · fp8 or int8 · int8; int4 never is.")
      .def_rw("group", &Precision::group)
      .def_prop_ro("bytes_per_weight", &Precision::bytes_per_weight, "Scales included.")
      .def("__repr__", [](const Precision& p) {
        return fmt::format("Precision('{}', weights='{}', kv_cache='{}')", name(p.dtype),
                           name(p.weights), name(p.kv_cache));
      });
  add_word(c, "dtype", &Precision::dtype, &parse_dtype,
           "Of activations and of weights that are not quantised.");
  add_word(c, "weights", &Precision::weights, &parse_weight_format,
           "'native', 'fp8', 'int8' or 'int4'.");
  add_word(c, "kv_cache", &Precision::kv_cache, &parse_dtype, "'bf16', 'f16', 'f8e4m3', 'int8'.");
  add_copies(c);
}

void bind_parallel(nb::module_& m) {
  nb::class_<Parallel> c(m, "Parallel",
                         "GPUs of one replica are tensor · pipeline. `expert` of the\n"
                         "tensor · data GPUs share a layer's experts.");
  c.def(
       "__init__",
       [](Parallel* self, int64_t tensor, int64_t pipeline, int64_t expert, int64_t data,
          int64_t gpus_per_node) {
         new (self) Parallel{tensor, pipeline, expert, data, gpus_per_node};
       },
       nb::arg("tensor") = 1, nb::arg("pipeline") = 1, nb::arg("expert") = 1, nb::arg("data") = 1,
       nb::arg("gpus_per_node") = 8)
      .def_rw("tensor", &Parallel::tensor)
      .def_rw("pipeline", &Parallel::pipeline)
      .def_rw("expert", &Parallel::expert)
      .def_rw("data", &Parallel::data)
      .def_rw("gpus_per_node", &Parallel::gpus_per_node)
      .def_prop_ro("gpus", &Parallel::gpus)
      .def("__repr__", [](const Parallel& p) {
        return fmt::format("Parallel(tensor={}, pipeline={}, expert={}, data={})", p.tensor,
                           p.pipeline, p.expert, p.data);
      });
  add_copies(c);
}

void bind_fusion(nb::module_& m) {
  nb::class_<Fusion> c(m, "Fusion", "What an engine runs as one kernel: that is true.");
  c.def(nb::init<>())
      .def_rw("qkv", &Fusion::qkv)
      .def_rw("gate_up", &Fusion::gate_up)
      .def_rw("add_norm", &Fusion::add_norm)
      .def_rw("activation", &Fusion::activation)
      .def_rw("rope_in_attention", &Fusion::rope_in_attention)
      .def_rw("kv_write_in_attention", &Fusion::kv_write_in_attention)
      .def_rw("quantise_in_product", &Fusion::quantise_in_product);
  add_copies(c);
}

void bind_sequences(nb::module_& m) {
  nb::class_<Sequences>(m, "Sequences",
                        "`count` sequences of a step that are alike: each runs `tokens` new\n"
                        "tokens behind `past` cached ones. A step is a list of these.")
      .def(
          "__init__",
          [](Sequences* self, int64_t tokens, int64_t past, int64_t count, bool samples,
             bool samples_all) {
            new (self) Sequences{count, tokens, past, samples, samples_all};
          },
          nb::arg("tokens") = 1, nb::arg("past") = 0, nb::arg("count") = 1, nb::kw_only(),
          nb::arg("samples") = true, nb::arg("samples_all") = false)
      .def_ro("count", &Sequences::count)
      .def_ro("tokens", &Sequences::tokens)
      .def_ro("past", &Sequences::past)
      .def_ro("samples", &Sequences::samples, "A token after the last of its new ones.")
      .def_ro("samples_all", &Sequences::samples_all, "A token after each of its new ones.")
      .def("__repr__", [](const Sequences& s) {
        return fmt::format("Sequences(tokens={}, past={}, count={})", s.tokens, s.past, s.count);
      });
}

Call make_call(const std::string& op, nb::handle dims, std::string_view dtype,
               const std::string& implementation) {
  Call call{.op = op, .dims = {}, .dtype = parse_dtype(dtype), .implementation = implementation};
  if (!nb::isinstance<nb::dict>(dims)) {
    call.dims = nb::cast<std::vector<int64_t>>(dims);
  } else {
    auto by_axis = nb::cast<std::map<std::string, int64_t>>(dims);
    for (const Axis& axis : find_operator(op).axes) {
      auto node = by_axis.extract(axis.name);
      if (node.empty()) throw BadInput(op + ": dims has no '" + axis.name + "'");
      call.dims.push_back(node.mapped());
    }
    if (!by_axis.empty()) throw BadInput(op + ": has no axis '" + by_axis.begin()->first + "'");
  }
  validate(find_operator(op), call);
  return call;
}

void bind_call(nb::module_& m) {
  nb::class_<Call>(m, "Call", "One execution of one operator.")
      .def(
          "__init__",
          [](Call* self, const std::string& op, nb::handle dims, std::string_view dtype,
             const std::string& implementation) {
            new (self) Call(make_call(op, dims, dtype, implementation));
          },
          nb::arg("op"), nb::arg("dims"), nb::arg("dtype") = "bf16", nb::arg("implementation") = "",
          nb::sig("def __init__(self, op: str, dims: dict[str, int] | Sequence[int], "
                  "dtype: str = 'bf16', implementation: str = '') -> None"),
          "`dims` by axis ({'m': 16, 'n': 4096, 'k': 4096}), or in the axes' order.")
      .def_ro("op", &Call::op)
      .def_prop_ro(
          "dims",
          [](const Call& c) {
            nb::dict dims;
            const OpSpec& spec = find_operator(c.op);
            for (std::size_t i = 0; i < c.dims.size(); ++i)
              dims[spec.axes[i].name.c_str()] = c.dims[i];
            return dims;
          },
          nb::sig("def dims(self) -> dict[str, int]"))
      .def_prop_ro("dtype", [](const Call& c) { return name(c.dtype); })
      .def_ro("implementation", &Call::implementation)
      .def("__eq__", [](const Call& a, const Call& b) { return a == b; })
      .def("__eq__", [](const Call&, nb::handle) { return false; })
      .def("__hash__", [](const Call& c) { return std::hash<std::string>()(to_string(c)); })
      .def("__repr__", [](const Call& c) { return "<" + to_string(c) + ">"; });
}

}  // namespace

void bind_lowering(nb::module_& m) {
  bind_precision(m);
  bind_parallel(m);
  bind_fusion(m);
  bind_sequences(m);
  bind_call(m);
  nb::class_<Kernel>(m, "Kernel", "A call of a step, how often it runs and what for.")
      .def_ro("call", &Kernel::call)
      .def_ro("count", &Kernel::count)
      .def_prop_ro("role", [](const Kernel& k) { return name(k.role); })
      .def("__repr__", [](const Kernel& k) {
        return fmt::format("<{} x {}: {}>", k.count, name(k.role), to_string(k.call));
      });
  m.def(
      "lower",
      [](const Model& model, const Step& step, const Parallel& parallel, const Precision& precision,
         const Fusion& fusion) { return lower(model, parallel, precision, fusion, step); },
      nb::arg("model"), nb::arg("step"), nb::arg("parallel") = Parallel(),
      nb::arg("precision") = Precision(), nb::arg("fusion") = Fusion(),
      "The kernels that the GPU of each pipeline stage runs for one step.");
  m.def("weight_bytes", &weight_bytes, nb::arg("model"), nb::arg("parallel") = Parallel(),
        nb::arg("precision") = Precision(), "Of one GPU of the fullest stage, scales included.");
  m.def("kv_bytes_per_token", &kv_bytes_per_token, nb::arg("model"),
        nb::arg("parallel") = Parallel(), nb::arg("precision") = Precision(),
        "Cache that a token takes on one GPU of the fullest stage.");
  m.def(
      "operators",
      [] {
        std::map<std::string, std::string> names;
        for (const OpSpec& spec : operators())
          if (!spec.probe) names[spec.name] = spec.table_name;
        return names;
      },
      "Operators by name, with their first-generation table's names: {'gemm': 'Linear_GEMM', …}.");
}

}  // namespace ridge::python
