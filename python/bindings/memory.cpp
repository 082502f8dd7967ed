#include "predictor/request/memory.h"

#include <fmt/format.h>

#include "kernels/core/error.h"
#include "predictor/request/best_batch.h"
#include "python/bindings/bindings.h"
#include "roofline/datasheet.h"
#include "roofline/device_specs.h"

namespace ridge::python {
namespace {

nb::dict to_dict(const Memory& m) {
  nb::dict d;
  d["capacity"] = m.capacity, d["usable"] = m.usable, d["weights"] = m.weights, d["kv"] = m.kv;
  d["activations"] = m.activations, d["workspace"] = m.workspace, d["framework"] = m.framework;
  d["total"] = m.total(), d["fits"] = m.fits(), d["kv_bytes_per_token"] = m.kv_bytes_per_token;
  d["kv_blocks"] = m.kv_blocks, d["max_batch"] = m.max_batch, d["max_context"] = m.max_context;
  return d;
}

DeviceInfo known_device(const std::string& gpu) {
  const auto spec = find_device(gpu);
  if (!spec) throw BadInput("unknown GPU '" + gpu + "'; known: " + suggested_devices(gpu));
  return device_info(*spec);
}

void bind_memory_class(nb::module_& m) {
  nb::class_<Memory>(m, "Memory", "Bytes on the fullest GPU.")
      .def_ro("capacity", &Memory::capacity)
      .def_ro("usable", &Memory::usable, "capacity · the engine's share")
      .def_ro("weights", &Memory::weights, "Of the draft model, too.")
      .def_ro("kv", &Memory::kv, "At the end of the request.")
      .def_ro("activations", &Memory::activations, "The largest step's buffers.")
      .def_ro("workspace", &Memory::workspace, "Of the libraries.")
      .def_ro("framework", &Memory::framework, "CUDA context and graphs; assumed, not measured.")
      .def_prop_ro("total", &Memory::total)
      .def_prop_ro("fits", &Memory::fits)
      .def_ro("kv_bytes_per_token", &Memory::kv_bytes_per_token)
      .def_ro("kv_blocks", &Memory::kv_blocks, "Of 16 tokens, that fit beside the rest.")
      .def_ro("max_batch", &Memory::max_batch, "Of the request's longest prompt and its output.")
      .def_ro("max_context", &Memory::max_context, "At this batch; 0: none fits.")
      .def(
          "to_dict", [](const Memory& x) { return PlainDict(to_dict(x)); },
          "Of plain values, for JSON.")
      .def("__repr__", [](const Memory& x) {
        return fmt::format("<Memory: {:.4g} of {:.4g} GB, {}>", x.total() / 1e9, x.usable / 1e9,
                           x.fits() ? "fits" : "does not fit");
      });
  const char* doc =
      "What the request takes of the fullest GPU's memory. `device` is a table's, or a GPU's name.";
  m.def("memory_of", &memory_of, nb::arg("device"), nb::arg("deployment"), nb::arg("request"), doc);
  m.def(
      "memory_of",
      [](const std::string& gpu, const Deployment& d, const Request& r) {
        return memory_of(known_device(gpu), d, r);
      },
      nb::arg("device"), nb::arg("deployment"), nb::arg("request"), doc);
}

void bind_limits(nb::module_& m) {
  nb::class_<Limits>(m, "Limits", "Of predicted latencies; 0: none.")
      .def(
          "__init__",
          [](Limits* self, double ttft_s, double tpot_s) {
            new (self) Limits{ttft_s, tpot_s};
          },
          nb::arg("ttft_s") = 0.0, nb::arg("tpot_s") = 0.0)
      .def_rw("ttft_s", &Limits::ttft_s)
      .def_rw("tpot_s", &Limits::tpot_s)
      .def("hold", &Limits::hold, nb::arg("prediction"))
      .def("__repr__", [](const Limits& l) {
        return fmt::format("Limits(ttft_s={}, tpot_s={})", l.ttft_s, l.tpot_s);
      });
}

void bind_curve(nb::module_& m) {
  nb::class_<BatchPoint>(m, "BatchPoint", "One batch of a BatchCurve.")
      .def_ro("batch", &BatchPoint::batch)
      .def_ro("prediction", &BatchPoint::prediction)
      .def_ro("fits", &BatchPoint::fits)
      .def("__repr__", [](const BatchPoint& p) {
        return fmt::format("<BatchPoint: {}, {:.4g} tokens/s>", p.batch,
                           p.prediction.output_tokens_per_s);
      });
  nb::class_<BatchCurve>(m, "BatchCurve",
                         "Throughput and latency over batches up to the largest that fits.")
      .def_ro("points", &BatchCurve::points)
      .def_ro("knee", &BatchCurve::knee, "Index of the point where latency starts to cost more.")
      .def_ro("best", &BatchCurve::best, "Index of the most tokens/s within the limits, or None.");
  m.def(
      "batch_curve",
      [](const TableSet& t, const Deployment& d, const Request& one, const Limits& limits) {
        return batch_curve(t, d, one, limits);
      },
      nb::arg("tables"), nb::arg("deployment"), nb::arg("request"), nb::arg("limits") = Limits(),
      "The latency-throughput curve; `request` is that of batch 1, each prompt of it multiplied.");
}

}  // namespace

void bind_memory(nb::module_& m) {
  bind_memory_class(m);
  bind_limits(m);
  bind_curve(m);
}

}  // namespace ridge::python
