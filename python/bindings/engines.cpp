#include <fmt/format.h>

#include "predictor/engines/engine.h"
#include "python/bindings/bindings.h"

namespace ridge::python {

void bind_engines(nb::module_& m) {
  nb::class_<HostCost> cost(m, "HostCost", "Of a step: per_step_s + per_sequence_s · sequences.");
  cost.def(
          "__init__",
          [](HostCost* self, double per_step_s, double per_sequence_s) {
            new (self) HostCost{per_step_s, per_sequence_s};
          },
          nb::arg("per_step_s") = 0.0, nb::arg("per_sequence_s") = 0.0)
      .def_rw("per_step_s", &HostCost::per_step_s)
      .def_rw("per_sequence_s", &HostCost::per_sequence_s)
      .def("__repr__", [](const HostCost& h) {
        return fmt::format("HostCost({}, {})", h.per_step_s, h.per_sequence_s);
      });

  nb::class_<EngineTimes> times(
      m, "EngineTimes", "What an engine adds to its kernels' times, on one kind of machine.");
  times.def(nb::init<>())
      .def_rw("prefill", &EngineTimes::prefill)
      .def_rw("decode", &EngineTimes::decode)
      .def_rw("tensor_step_s", &EngineTimes::tensor_step_s,
              "More, of each step of several GPUs that share the model.")
      .def_rw("per_request_s", &EngineTimes::per_request_s, "Ahead of a request's first token.")
      .def_rw("decode_floor_s", &EngineTimes::decode_floor_s, "Least time of a step's kernels.")
      .def_rw("per_cached_token_s", &EngineTimes::per_cached_token_s, "Of a decode step.")
      .def_rw("spread", &EngineTimes::spread, "Share that holds 80 % of the fit's errors.")
      .def_prop_ro("adds_time", &EngineTimes::adds_time);

  nb::class_<EngineProfile> c(m, "EngineProfile",
                              "What an engine adds to its kernels, and how it runs them. Those\n"
                              "that ship are found by find_engine().");
  c.def(nb::init<>())
      .def_rw("name", &EngineProfile::name)
      .def_rw("aliases", &EngineProfile::aliases)
      .def_rw("framework", &EngineProfile::framework, "Whose kernels it runs; '': all pooled.")
      .def_rw("times", &EngineProfile::times, "On a GPU that on_gpu has not.")
      .def_rw("on_gpu", &EngineProfile::on_gpu, "By the GPU's datasheet name.")
      .def("times_on", &EngineProfile::times_on, nb::arg("gpu"), nb::rv_policy::reference_internal)
      .def_rw("decode_graphs", &EngineProfile::decode_graphs)
      .def_rw("fusion", &EngineProfile::fusion)
      .def_rw("memory_share", &EngineProfile::memory_share, "Of the GPU's memory that it takes.")
      .def_rw("step_tokens", &EngineProfile::step_tokens, "New tokens of a step at most; 0: all.")
      .def_rw("habits", &EngineProfile::habits, "Where what is not fitted is known from.")
      .def_rw("fitted_on", &EngineProfile::fitted_on, "Rows and error, in a sentence.")
      .def_rw("fitted_rows", &EngineProfile::fitted_rows, "Lines of CSV, the header first.")
      .def_prop_ro("adds_time", &EngineProfile::adds_time,
                   "Whether it adds any time to that of the kernels.")
      .def("__repr__",
           [](const EngineProfile& e) { return fmt::format("EngineProfile('{}')", e.name); });
  add_copies(c);

  m.def("find_engine", &find_engine, nb::arg("name_or_path"),
        "A bundled profile by name or alias, or a file.");
  m.def("read_engine", &read_engine, nb::arg("file"));
  m.def("save_engine", &save_engine, nb::arg("engine"), nb::arg("file"),
        "Raises RuntimeError for a profile that read_engine() would refuse.");
  m.def("bundled_engines", &bundled_engines, "Names of the profiles that ship.");
}

}  // namespace ridge::python
