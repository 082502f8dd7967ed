#include <nlohmann/json.hpp>

#include "python/bindings/bindings.h"
#include "simulator/outputs/report.h"
#include "simulator/search/capacity.h"

namespace ridge::python {
namespace {

// A configuration travels as JSON text: it is small, and read once a run.
sim::Scenario scenario(const PlainDict& config, const std::string& folder) {
  const auto text = nb::cast<std::string>(nb::module_::import_("json").attr("dumps")(config));
  try {
    return sim::scenario_from_json(nlohmann::json::parse(text), "config", folder);
  } catch (const sim::DoesNotFit& e) {
    // nanobind would take it for the BadInput that it is, too.
    const nb::object kind = nb::module_::import_("ridgepoint._core").attr("DoesNotFit");
    PyErr_SetString(kind.ptr(), e.what());
    throw nb::python_error();
  }
}

nb::object plain(const nlohmann::json& j) {
  return nb::module_::import_("json").attr("loads")(j.dump());
}

nb::object simulate_serving(const PlainDict& config, const std::string& folder) {
  const sim::Scenario s = scenario(config, folder);
  nlohmann::json answer;
  {
    const nb::gil_scoped_release others_run;
    const sim::Outcome run = simulate(s);
    answer = {{"summary", summary_json(s, summarize(run, s.summary_options()))},
              {"requests_csv", requests_csv(run)},
              {"series_csv", series_csv(run)}};
  }
  return plain(answer);
}

nb::object serving_capacity(const PlainDict& config, double quantile, double precision,
                            const std::string& folder) {
  const sim::Scenario s = scenario(config, folder);
  nlohmann::json answer;
  {
    const nb::gil_scoped_release others_run;
    const sim::Capacity c = find_capacity(s, {.limits = s.limits, .quantile = quantile}, precision);
    answer = {{"rate_per_s", c.rate_per_s}, {"points", nlohmann::json::array()}};
    for (const sim::CapacityPoint& p : c.points)
      answer["points"].push_back({{"rate_per_s", p.rate_per_s},
                                  {"keeps", p.keeps},
                                  {"summary", summary_json(s, p.summary)}});
  }
  return plain(answer);
}

}  // namespace

void bind_serving(nb::module_& m, nb::handle bad_input) {
  m.attr("DoesNotFit") = nb::steal(PyErr_NewExceptionWithDoc(
      "ridgepoint._core.DoesNotFit", "The model's weights leave no room for a cache on that GPU.",
      bad_input.ptr(), nullptr));
  m.def("simulate_serving", &simulate_serving, nb::arg("config"), nb::arg("folder") = ".",
        nb::sig("def simulate_serving(config: dict, folder: str = '.') -> dict"),
        "Simulates LLM serving. `config` has the keys of serving.schema.json; paths in it are\n"
        "relative to `folder`. The answer has `summary` as simulate --json prints it, and\n"
        "`requests_csv` and `series_csv` as texts.");
  m.def("serving_capacity", &serving_capacity, nb::arg("config"), nb::arg("quantile") = 0.95,
        nb::arg("precision") = 0.02, nb::arg("folder") = ".",
        nb::sig("def serving_capacity(config: dict, quantile: float = 0.95, "
                "precision: float = 0.02, folder: str = '.') -> dict"),
        "The largest request rate that keeps config['limits']: `rate_per_s`, 0 where none does,\n"
        "and the `points` that were simulated.");
}

}  // namespace ridge::python
