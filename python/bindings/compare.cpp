#include "predictor/request/compare.h"

#include <fmt/format.h>
#include <nanobind/stl/variant.h>

#include <nlohmann/json.hpp>

#include "kernels/core/error.h"
#include "predictor/request/compare_report.h"
#include "python/bindings/bindings.h"

namespace ridge::python {
namespace {

using Named = std::variant<Model, std::string>;

SortBy parse_sort(std::string_view word) {
  static const std::map<std::string_view, SortBy> kWords{{"given", SortBy::kGiven},
                                                         {"ttft", SortBy::kTtft},
                                                         {"tpot", SortBy::kTpot},
                                                         {"total", SortBy::kTotal},
                                                         {"throughput", SortBy::kThroughput},
                                                         {"cost", SortBy::kCost}};
  const auto it = kWords.find(word);
  if (it != kWords.end()) return it->second;
  throw BadInput(
      fmt::format("sort_by '{}': use given, ttft, tpot, total, throughput or cost", word));
}

struct Asked {
  std::vector<std::string> gpus;
  std::vector<Named> models;
  std::vector<int64_t> batches;
  int64_t input, output, chunk, tensor;
  Precision precision;
  std::optional<std::string> dtype, kv_cache;
  EngineProfile engine;
  Limits limits;
  Prices prices;
};

Comparison comparison(const Asked& a) {
  Comparison c{.targets = {}, .models = {}, .batches = a.batches};
  for (const std::string& gpu : a.gpus) c.targets.push_back(find_target(gpu));
  for (const Named& m : a.models)
    c.models.push_back(std::holds_alternative<Model>(m) ? std::get<Model>(m)
                                                        : find_model(std::get<std::string>(m)));
  c.input = a.input, c.output = a.output, c.chunk = a.chunk, c.tensor = a.tensor;
  c.precision = a.precision;
  if (a.dtype) c.dtype = parse_dtype(*a.dtype);
  if (a.kv_cache) c.kv_cache = parse_dtype(*a.kv_cache);
  c.engine = a.engine, c.limits = a.limits, c.prices = a.prices;
  return c;
}

// What compare() asked, and what it found.
struct Compared {
  Comparison asked;
  std::vector<ComparedRow> rows;
};

void bind_instances(nb::module_& m) {
  nb::class_<Instance>(m, "Instance", "An EC2 instance type.")
      .def_ro("name", &Instance::name)
      .def_ro("gpu", &Instance::gpu)
      .def_ro("gpus", &Instance::gpus)
      .def_ro("host_memory_bytes", &Instance::host_memory_bytes)
      .def("__repr__", [](const Instance& i) { return fmt::format("<Instance: {}>", i.name); });
  m.def("instances", &instances, "All that are known.");
  m.def("find_instance", &find_instance, nb::arg("name"), "None for a name that is not known.");

  nb::class_<Prices> c(m, "Prices", "What an hour costs, in US dollars. Nothing ships.");
  c.def(
       "__init__",
       [](Prices* self, std::map<std::string, double> instances,
          const std::map<std::string, double>& gpus) {
         Prices prices{std::move(instances), {}};
         for (const auto& [gpu, usd] : gpus) prices.gpu_usd_per_hour[find_target(gpu).gpu] = usd;
         new (self) Prices(std::move(prices));
       },
       nb::kw_only(), nb::arg("instances") = nb::dict(), nb::arg("gpus") = nb::dict(),
       "By instance's name ('g5.xlarge'), and of one GPU by its name or alias.")
      .def_ro("instances", &Prices::instance_usd_per_hour)
      .def_ro("gpus", &Prices::gpu_usd_per_hour)
      .def_static(
          "from_csv",
          [](const std::string& text, const std::string& where) {
            return prices_from(parse_csv(text, where), where);
          },
          nb::arg("text"), nb::arg("where") = "prices",
          "Of CSV text with columns usd_per_hour and instance or gpu; `where` is what errors call\n"
          "it.");
  add_copies(c);
}

void bind_rows(nb::module_& m) {
  nb::class_<ComparedRow>(m, "ComparedRow", "One model on one target at one batch.")
      .def_prop_ro("target", [](const ComparedRow& r) { return r.target.name; })
      .def_prop_ro("gpu", [](const ComparedRow& r) { return r.target.gpu; })
      .def_ro("model", &ComparedRow::model)
      .def_ro("precision", &ComparedRow::precision)
      .def_ro("batch", &ComparedRow::batch)
      .def_ro("tensor", &ComparedRow::tensor, "GPUs that one replica is sharded over.")
      .def_ro("replicas", &ComparedRow::replicas, "That the target's GPUs hold.")
      .def_ro("memory", &ComparedRow::memory)
      .def_prop_ro("fits", &ComparedRow::fits)
      .def_ro("gpus_needed", &ComparedRow::gpus_needed, "Where it does not fit; 0: more than 64.")
      .def_ro("prediction", &ComparedRow::prediction, "None where it does not fit.")
      .def_ro("problem", &ComparedRow::problem, "Why there is no prediction although it fits.")
      .def_ro("within_limits", &ComparedRow::within_limits)
      .def_ro("usd_per_hour", &ComparedRow::usd_per_hour)
      .def_ro("usd_per_million_output", &ComparedRow::usd_per_million_output)
      .def_ro("usd_per_million_tokens", &ComparedRow::usd_per_million_tokens)
      .def("__repr__", [](const ComparedRow& r) {
        return fmt::format("<ComparedRow: {} on {}, batch {}>", r.model, r.target.name, r.batch);
      });
}

void bind_compared(nb::module_& m) {
  nb::class_<Compared>(m, "Compared", "What compare() found; str() is a table.")
      .def_prop_ro("rows", [](const Compared& c) { return c.rows; })
      .def("__str__", [](const Compared& c) { return compare_text(c.asked, c.rows); })
      .def(
          "to_csv", [](const Compared& c) { return compare_csv(c.asked, c.rows); },
          "One line a row; empty cells where there is nothing.")
      .def(
          "to_json", [](const Compared& c) { return to_json(c.asked, c.rows).dump(2); },
          "Times in seconds, memory in bytes; null where there is nothing.")
      .def("__repr__",
           [](const Compared& c) { return fmt::format("<Compared: {} rows>", c.rows.size()); });
}

}  // namespace

void bind_compare(nb::module_& m) {
  bind_instances(m);
  bind_rows(m);
  bind_compared(m);
  m.attr("BEST_BATCH") = kBestBatch;
  m.def(
      "compare",
      [](std::vector<std::string> gpus, std::vector<Named> models, std::vector<int64_t> batches,
         int64_t input, int64_t output, int64_t chunk, int64_t tensor, const Precision& precision,
         std::optional<std::string> dtype, std::optional<std::string> kv_cache,
         std::optional<EngineProfile> engine, const Limits& limits, const Prices& prices,
         std::string_view sort_by) {
        const SortBy order = parse_sort(sort_by);
        const Asked asked{std::move(gpus),
                          std::move(models),
                          std::move(batches),
                          input,
                          output,
                          chunk,
                          tensor,
                          precision,
                          std::move(dtype),
                          std::move(kv_cache),
                          engine ? std::move(*engine) : find_engine("kernels"),
                          limits,
                          prices};
        nb::gil_scoped_release others_run;  // `asked` is a copy
        Compared c{comparison(asked), {}};
        c.rows = compare(c.asked);
        sort_rows(c.rows, order);
        return c;
      },
      nb::kw_only(), nb::arg("gpus"), nb::arg("models"), nb::arg("batches") = std::vector{1},
      nb::arg("input") = 1024, nb::arg("output") = 256, nb::arg("chunk") = 0, nb::arg("tensor") = 0,
      nb::arg("precision") = Precision(), nb::arg("dtype") = nb::none(),
      nb::arg("kv_cache") = nb::none(), nb::arg("engine") = nb::none(),
      nb::arg("limits") = Limits(), nb::arg("prices") = Prices(), nb::arg("sort_by") = "given",
      "Models on GPUs or EC2 instances, with the tables that ship.\n\n"
      "`gpus` are names or aliases of GPUs or instances, `models` names, paths or Models, a batch\n"
      "of BEST_BATCH the best within the limits, tensor = 0 the fewest GPUs that hold the model.\n"
      "dtype and kv_cache, where not given, are the model's (f16 for bf16 where a GPU has none);\n"
      "`precision` says the rest. sort_by: 'given', 'ttft', 'tpot', 'total', 'throughput' or\n"
      "'cost'.");
}

}  // namespace ridge::python
