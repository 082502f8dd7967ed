#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "kernels/core/error.h"
#include "python/bindings/bindings.h"

namespace ridge::python {

Activation parse_activation(std::string_view word) {
  for (const Activation a : {Activation::kSilu, Activation::kGelu})
    if (name(a) == word) return a;
  throw BadInput(fmt::format("activation '{}': use silu or gelu", word));
}

std::string_view name(Activation a) { return a == Activation::kSilu ? "silu" : "gelu"; }

namespace {

void bind_experts(nb::module_& m) {
  nb::class_<Experts> c(m, "Experts", "The experts of a mixture-of-experts layer.");
  c.def(
       "__init__",
       [](Experts* self, int64_t count, int64_t per_token, int64_t ffn, int64_t shared_ffn,
          bool shared_gate, int64_t layers) {
         new (self) Experts{count, per_token, ffn, shared_ffn, shared_gate, layers};
       },
       nb::kw_only(), nb::arg("count"), nb::arg("per_token"), nb::arg("ffn"),
       nb::arg("shared_ffn") = 0, nb::arg("shared_gate") = false, nb::arg("layers"))
      .def_rw("count", &Experts::count)
      .def_rw("per_token", &Experts::per_token)
      .def_rw("ffn", &Experts::ffn, "Inner width of one.")
      .def_rw("shared_ffn", &Experts::shared_ffn, "Of an expert that every token takes; 0: none.")
      .def_rw("shared_gate", &Experts::shared_gate)
      .def_rw("layers", &Experts::layers, "That have experts; the others are dense.");
  add_copies(c);
}

// Through its text: a model is read seldom.
Model from_config(const PlainDict& config, const std::string& name) {
  const auto text = nb::cast<std::string>(nb::module_::import_("json").attr("dumps")(config));
  return model_from_json(nlohmann::json::parse(text), name, name);
}

}  // namespace

void bind_models(nb::module_& m) {
  bind_experts(m);
  nb::class_<Model> c(m, "Model",
                      "A decoder-only transformer, dense or mixture of experts. Made by\n"
                      "find_model(), read_model() or model_from_config().");
  c.def_rw("name", &Model::name)
      .def_rw("architecture", &Model::architecture, "As Transformers calls it.")
      .def_rw("hidden", &Model::hidden)
      .def_rw("layers", &Model::layers)
      .def_rw("heads", &Model::heads)
      .def_rw("kv_heads", &Model::kv_heads)
      .def_rw("head_dim", &Model::head_dim)
      .def_rw("ffn", &Model::ffn, "Inner width of a dense MLP.")
      .def_rw("vocab", &Model::vocab)
      .def_rw("max_positions", &Model::max_positions, "Longest context; 0: unknown.")
      .def_rw("rotary_dim", &Model::rotary_dim, "Features of a head that RoPE turns; 0: all.")
      .def_rw("window", &Model::window, "Keys that windowed layers look back at most.")
      .def_rw("windowed_layers", &Model::windowed_layers)
      .def_rw("gated", &Model::gated)
      .def_rw("tied_embeddings", &Model::tied_embeddings)
      .def_rw("qkv_bias", &Model::qkv_bias)
      .def_rw("output_bias", &Model::output_bias)
      .def_rw("mlp_bias", &Model::mlp_bias)
      .def_rw("qk_norm", &Model::qk_norm)
      .def_rw("norms_per_layer", &Model::norms_per_layer)
      .def_rw("norm_bias", &Model::norm_bias, "LayerNorm instead of RMSNorm.")
      .def_rw("experts", &Model::experts)
      .def_prop_ro("parameters", &parameters, "The published parameter count.")
      .def_prop_ro("active_parameters", &active_parameters, "Those that one token takes.")
      .def("__repr__", [](const Model& x) {
        return fmt::format("Model('{}', {:.4g} billion parameters)", x.name, parameters(x) / 1e9);
      });
  add_word(c, "activation", &Model::activation, &parse_activation, "'silu' or 'gelu'.");
  add_word(c, "dtype", &Model::dtype, &parse_dtype, "That its weights are published in.");
  add_copies(c);

  m.def("find_model", &find_model, nb::arg("name_or_path"),
        "A bundled model by name or alias ('llama-3.1-8b', 'LLaMA_3.2_1B',\n"
        "'meta-llama/Llama-3.1-8B-Instruct'), or a config.json, or a folder that has one.");
  m.def("read_model", &read_model, nb::arg("path"), "A config.json, or a folder that has one.");
  m.def("model_from_config", &from_config, nb::arg("config"), nb::arg("name") = "config.json",
        "A model from the keys of a Hugging Face config.json; `name` is what errors call it.");
  m.def("bundled_models", &bundled_models, "Names of the models that ship.");
  m.def("parameters", &parameters, nb::arg("model"), "The published parameter count.");
  m.def("active_parameters", &active_parameters, nb::arg("model"),
        "Parameters that one token takes.");
}

}  // namespace ridge::python
