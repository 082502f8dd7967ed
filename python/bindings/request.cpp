#include "predictor/request/request.h"

#include <fmt/format.h>

#include "python/bindings/bindings.h"
#include "roofline/device_specs.h"

namespace ridge::python {
namespace {

void bind_prompt(nb::module_& m) {
  nb::class_<Prompt>(m, "Prompt", "`count` prompts of `tokens` tokens, `cached` of them known.")
      .def(
          "__init__",
          [](Prompt* self, int64_t tokens, int64_t count, int64_t cached) {
            new (self) Prompt{.count = count, .tokens = tokens, .cached = cached};
          },
          nb::arg("tokens") = 1, nb::arg("count") = 1, nb::arg("cached") = 0)
      .def_ro("tokens", &Prompt::tokens)
      .def_ro("count", &Prompt::count)
      .def_ro("cached", &Prompt::cached, "Of `tokens`, found in the prefix cache.")
      .def("__repr__", [](const Prompt& p) {
        return fmt::format("Prompt({}, count={}, cached={})", p.tokens, p.count, p.cached);
      });
}

void bind_speculation(nb::module_& m) {
  nb::class_<Speculation> c(m, "Speculation",
                            "A smaller model proposes `tokens` tokens a step, each taken with\n"
                            "probability `acceptance` as long as those before it were.");
  c.def(
       "__init__",
       [](Speculation* self, const Model& draft, int64_t tokens, double acceptance) {
         new (self) Speculation{draft, tokens, acceptance};
       },
       nb::arg("draft"), nb::arg("tokens") = 4, nb::arg("acceptance") = 0.7)
      .def_rw("draft", &Speculation::draft)
      .def_rw("tokens", &Speculation::tokens)
      .def_rw("acceptance", &Speculation::acceptance)
      .def("__repr__", [](const Speculation& s) {
        return fmt::format("Speculation({}, tokens={}, acceptance={})", s.draft.name, s.tokens,
                           s.acceptance);
      });
  add_copies(c);
}

nb::tuple prompts(const Request& r) { return nb::tuple(nb::cast(r.prompts)); }

void bind_a_request(nb::module_& m) {
  nb::class_<Request> c(m, "Request",
                        "A static batch: all prompts at once, then `output` tokens for each.");
  c.def(
       "__init__",
       [](Request* self, std::vector<Prompt> prompts, int64_t output, int64_t chunk,
          std::optional<Speculation> speculation) {
         new (self) Request{std::move(prompts), output, chunk, std::move(speculation)};
       },
       nb::arg("prompts"), nb::arg("output") = 1, nb::kw_only(), nb::arg("chunk") = 0,
       nb::arg("speculation") = nb::none())
      .def_prop_rw(
          "prompts", &prompts,
          [](Request& r, std::vector<Prompt> made) { r.prompts = std::move(made); },
          nb::for_getter(nb::sig("def prompts(self) -> tuple[Prompt, ...]")),
          nb::for_setter(nb::sig("def prompts(self, value: Sequence[Prompt], /) -> None")))
      .def_rw("output", &Request::output)
      .def_rw("chunk", &Request::chunk,
              "Tokens of a prefill step at most; 0: as many as the engine takes.")
      .def_rw("speculation", &Request::speculation)
      .def_prop_ro("batch", &Request::batch)
      .def("__repr__", [](const Request& r) {
        return fmt::format("<Request: {} prompts, {} tokens out>", r.batch(), r.output);
      });
  add_copies(c);
}

// bf16 needs a GPU that has it: f16 is what engines take where there is none.
Dtype usual_dtype(const Model& model, const std::string& gpu) {
  const auto spec = find_device(gpu);
  const bool bf16 = !spec || spec->peak_flops_per_s.contains("matrix.bf16");
  return model.dtype == Dtype::kBf16 && !bf16 ? Dtype::kF16 : model.dtype;
}

void bind_deployment(nb::module_& m) {
  nb::class_<Deployment> c(m, "Deployment", "Which model runs how.");
  c.def(
       "__init__",
       [](Deployment* self, const Model& model, const Parallel& parallel,
          const Precision& precision, std::optional<EngineProfile> engine) {
         new (self) Deployment{model, parallel, precision,
                               engine ? std::move(*engine) : find_engine("kernels")};
       },
       nb::arg("model"), nb::arg("parallel") = Parallel(), nb::arg("precision") = Precision(),
       nb::arg("engine") = nb::none(), "Without an engine nothing is added to the kernels.")
      .def_rw("model", &Deployment::model)
      .def_rw("parallel", &Deployment::parallel)
      .def_rw("precision", &Deployment::precision)
      .def_rw("engine", &Deployment::engine)
      .def("__repr__", [](const Deployment& d) {
        return fmt::format("<Deployment: {} on {} GPUs, {}>", d.model.name, d.parallel.gpus(),
                           d.engine.name);
      });
  add_copies(c);
  m.def(
      "usual_dtype",
      [](const Model& model, const std::string& gpu) { return name(usual_dtype(model, gpu)); },
      nb::arg("model"), nb::arg("gpu"), "The model's, but 'f16' for 'bf16' on GPUs without it.");
}

}  // namespace

void bind_request(nb::module_& m) {
  bind_prompt(m);
  bind_speculation(m);
  bind_a_request(m);
  bind_deployment(m);
}

}  // namespace ridge::python
