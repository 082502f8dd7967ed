#include <fmt/format.h>

#include "predictor/tables/table_set.h"
#include "python/bindings/bindings.h"

namespace ridge::python {
namespace {

TableSet load(const std::vector<std::filesystem::path>& files, const std::string& framework) {
  std::vector<NamedTable> tables;
  for (const auto& file : files) tables.push_back({file.string(), load_table(file)});
  return {std::move(tables), framework};
}

std::map<std::string, double> ceilings(const TableSet& t) {
  std::map<std::string, double> values;
  for (const auto& [key, ceiling] : t.ceilings().values) values[key] = ceiling.value;
  return values;
}

void bind_prediction_of_a_call(nb::module_& m) {
  nb::class_<Prediction>(m, "Prediction", "The time of one call.")
      .def_ro("seconds", &Prediction::seconds)
      .def_ro("low_s", &Prediction::low_s, "low_s … high_s hold about 80 % of measurements.")
      .def_ro("high_s", &Prediction::high_s)
      .def_prop_ro(
          "bound", [](const Prediction& p) { return name(p.bound); },
          "'compute', 'dram', 'l2', 'launch', 'link', …")
      .def_prop_ro(
          "basis", [](const Prediction& p) { return name(p.basis); },
          "'measured', 'interpolated', 'extrapolated', 'transferred' or 'roofline'.")
      .def("__repr__", [](const Prediction& p) {
        return fmt::format("<Prediction: {:.3g} us, {:.3g} to {:.3g}, {}>", p.seconds * 1e6,
                           p.low_s * 1e6, p.high_s * 1e6, name(p.basis));
      });
}

void bind_table_set(nb::module_& m) {
  nb::class_<TableSet> c(m, "TableSet",
                         "The delay-factor tables of one GPU, asked as one.\n\n"
                         "Made of files that `calibrate` wrote, or by shipped_tables(). With a\n"
                         "framework ('vllm', 'trtllm', 'sglang') its kernels answer where they\n"
                         "were measured; else those of all frameworks are pooled.");
  c.def(
       "__init__",
       [](TableSet* self, const std::vector<std::filesystem::path>& files,
          const std::string& framework) { new (self) TableSet(load(files, framework)); },
       nb::arg("files"), nb::arg("framework") = "", nb::call_guard<nb::gil_scoped_release>())
      .def(
          "predict",
          [](const TableSet& t, const std::vector<Call>& calls) { return t.predict(calls); },
          nb::arg("calls"), "Many calls at once are several times faster than one by one.")
      .def(
          "predict",
          [](const TableSet& t, const std::vector<Kernel>& kernels) { return t.predict(kernels); },
          nb::arg("kernels"), "Of each kernel once: not multiplied by its count.")
      .def(
          "predict",
          [](const TableSet& t, const Call& call) {
            return t.predict({&call, 1})[0];
          },
          nb::arg("call"))
      .def("answered_by", &TableSet::answered_by, nb::arg("call"),
           "What a call is answered from: 'gemm bf16: vllm, trtllm, sglang pooled'.")
      .def("fine_tune", &TableSet::fine_tune, nb::arg("op"), nb::arg("factor"),
           "Multiplies every later answer of an operator. `op` is its name ('gemm'), or a\n"
           "first-generation table's ('Linear_GEMM'), which means all that this covered then.\n"
           "Factors of one operator multiply.")
      .def(
          "tuned",
          [](const TableSet& t, const std::map<std::string, double>& factors) {
            TableSet made = t;
            for (const auto& [op, factor] : factors) made.fine_tune(op, factor);
            return made;
          },
          nb::arg("factors"), "A copy that is fine-tuned by operator; this one stays as it is.")
      .def_prop_ro("device", &TableSet::device, nb::rv_policy::reference_internal)
      .def_prop_ro("ceilings", &ceilings, "Rates in SI units by key: 'matrix.bf16', 'dram.read'.")
      .def_prop_ro("launch_s", &TableSet::launch_s, "Seconds of a launch alone.")
      .def_prop_ro("files",
                   [](const TableSet& t) {
                     std::vector<std::string> files;
                     for (const NamedTable& n : t.tables()) files.push_back(n.file);
                     return files;
                   })
      .def_prop_ro(
          "notes",
          [](const TableSet& t) {
            std::vector<std::string> notes;
            for (const NamedTable& n : t.tables())
              notes.insert(notes.end(), n.table.notes.begin(), n.table.notes.end());
            return notes;
          },
          "What was left out of the tables or corrected, in sentences.")
      .def("__repr__", [](const TableSet& t) {
        return fmt::format("<TableSet of {}: {} files>", t.device().name, t.tables().size());
      });
  add_copies(c);
}

}  // namespace

void bind_tables(nb::module_& m) {
  bind_prediction_of_a_call(m);
  bind_table_set(m);
  m.def("shipped_tables", &shipped_tables, nb::arg("gpu"), nb::arg("framework") = "",
        nb::call_guard<nb::gil_scoped_release>(),
        "The tables that ship for a GPU, by name or alias. Read anew at each call.");
  m.def("gpus_with_tables", &gpus_with_tables, "Names of GPUs that shipped_tables() knows.");
  m.def("first_generation_operators", &first_generation_operators, nb::arg("table_name"),
        "Operators that a first-generation table's name covered; none for another name.");
}

}  // namespace ridge::python
