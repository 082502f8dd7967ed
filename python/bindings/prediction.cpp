#include <fmt/format.h>

#include "python/bindings/bindings.h"

namespace ridge::python {

nb::dict to_dict(const Estimate& e) {
  nb::dict d;
  d["value"] = e.value, d["low"] = e.low, d["high"] = e.high;
  return d;
}

nb::dict to_dict(const RoleTime& r) {
  nb::dict d;
  d["role"] = name(r.role), d["op"] = r.op, d["seconds"] = r.seconds;
  d["flops"] = r.flops, d["bytes"] = r.bytes;
  d["bound"] = name(r.bound), d["basis"] = name(r.basis);
  return d;
}

nb::dict to_dict(const Phase& p) {
  nb::dict d;
  nb::list roles;
  for (const RoleTime& r : p.roles) roles.append(to_dict(r));
  d["seconds"] = to_dict(p.seconds), d["host_s"] = p.host_s;
  d["roles"] = roles, d["bound_s"] = p.bound_s;
  d["flops"] = p.flops, d["bytes"] = p.bytes, d["intensity"] = p.intensity();
  d["mfu"] = p.mfu, d["bandwidth_utilisation"] = p.bandwidth_utilisation;
  return d;
}

nb::dict to_dict(const RequestPrediction& p) {
  nb::dict d;
  d["ttft_s"] = to_dict(p.ttft_s), d["tpot_s"] = to_dict(p.tpot_s);
  d["tpot_first_s"] = to_dict(p.tpot_first_s), d["tpot_last_s"] = to_dict(p.tpot_last_s);
  d["itl_p50_s"] = p.itl_p50_s, d["itl_p95_s"] = p.itl_p95_s, d["itl_p99_s"] = p.itl_p99_s;
  d["total_s"] = to_dict(p.total_s);
  d["output_tokens_per_s"] = p.output_tokens_per_s;
  d["output_tokens_per_s_user"] = p.output_tokens_per_s_user;
  d["prefill"] = to_dict(p.prefill), d["decode"] = to_dict(p.decode);
  d["notes"] = p.notes;
  return d;
}

namespace {

template <class Class>
void add_dict(nb::class_<Class>& c) {
  c.def(
      "to_dict", [](const Class& self) { return PlainDict(to_dict(self)); },
      "Of plain values, for JSON.");
}

void bind_estimate(nb::module_& m) {
  nb::class_<Estimate> c(m, "Estimate", "A value with its 80 % interval; float() is the value.");
  c.def_ro("value", &Estimate::value)
      .def_ro("low", &Estimate::low)
      .def_ro("high", &Estimate::high)
      .def("__float__", [](const Estimate& e) { return e.value; })
      .def("__repr__", [](const Estimate& e) {
        return fmt::format("<Estimate: {:.5g}, {:.5g} to {:.5g}>", e.value, e.low, e.high);
      });
  add_dict(c);
}

void bind_phase(nb::module_& m) {
  nb::class_<RoleTime> role(m, "RoleTime", "Time and work of the kernels of one role.");
  role.def_prop_ro(
          "role", [](const RoleTime& r) { return name(r.role); }, "'qkv', 'gate_up', …")
      .def_ro("op", &RoleTime::op, "Operator of its calls.")
      .def_ro("seconds", &RoleTime::seconds, "In the phase.")
      .def_ro("flops", &RoleTime::flops)
      .def_ro("bytes", &RoleTime::bytes)
      .def_prop_ro(
          "bound", [](const RoleTime& r) { return name(r.bound); }, "Of most of its time.")
      .def_prop_ro(
          "basis", [](const RoleTime& r) { return name(r.basis); },
          "The weakest of its calls: 'measured' … 'roofline'.")
      .def("__repr__", [](const RoleTime& r) {
        return fmt::format("<RoleTime: {} {:.3g} ms, {}>", name(r.role), r.seconds * 1e3,
                           name(r.basis));
      });
  add_dict(role);

  nb::class_<Phase> c(m, "Phase", "The whole prefill, or the mean decode step.");
  c.def_ro("seconds", &Phase::seconds, "Kernels and host.")
      .def_ro("host_s", &Phase::host_s)
      .def_ro("roles", &Phase::roles, "In the order of a forward pass.")
      .def_ro("bound_s", &Phase::bound_s, "Seconds by bound: 'compute', 'dram', 'launch', 'host'…")
      .def_ro("flops", &Phase::flops, "Of all GPUs.")
      .def_ro("bytes", &Phase::bytes, "Of all GPUs.")
      .def_prop_ro("intensity", &Phase::intensity, "Flops per byte.")
      .def_ro("mfu", &Phase::mfu, "Share of the matrix pipes' peak.")
      .def_ro("bandwidth_utilisation", &Phase::bandwidth_utilisation)
      .def("__repr__", [](const Phase& p) {
        return fmt::format("<Phase: {:.4g} ms, {} roles>", p.seconds.value * 1e3, p.roles.size());
      });
  add_dict(c);
}

void bind_request_prediction(nb::module_& m) {
  using P = RequestPrediction;
  nb::class_<P> c(m, "RequestPrediction", "Latencies and throughput of a request.");
  c.def_ro("ttft_s", &P::ttft_s, "Time to first token.")
      .def_ro("tpot_s", &P::tpot_s, "Mean time per output token; 0 with one token out.")
      .def_ro("tpot_first_s", &P::tpot_first_s)
      .def_ro("tpot_last_s", &P::tpot_last_s)
      .def_ro("itl_p50_s", &P::itl_p50_s, "Percentiles of the time between tokens.")
      .def_ro("itl_p95_s", &P::itl_p95_s)
      .def_ro("itl_p99_s", &P::itl_p99_s)
      .def_ro("total_s", &P::total_s, "ttft + (output - 1) · tpot")
      .def_ro("output_tokens_per_s", &P::output_tokens_per_s, "Of the batch, over total_s.")
      .def_ro("output_tokens_per_s_user", &P::output_tokens_per_s_user, "1 / tpot")
      .def_ro("prefill", &P::prefill)
      .def_ro("decode", &P::decode)
      .def_ro("notes", &P::notes, "What stands on less than a measurement.")
      .def("__repr__", [](const P& p) {
        return fmt::format("<RequestPrediction: TTFT {:.4g} ms, TPOT {:.4g} ms, total {:.4g} ms>",
                           p.ttft_s.value * 1e3, p.tpot_s.value * 1e3, p.total_s.value * 1e3);
      });
  add_dict(c);
}

}  // namespace

void bind_prediction(nb::module_& m) {
  bind_estimate(m);
  bind_phase(m);
  bind_request_prediction(m);
  m.def("predict_step", &predict_step, nb::arg("tables"), nb::arg("deployment"), nb::arg("step"),
        "The time of one engine step: kernels of all stages and the host's cost.");
  m.def("predict_request", &predict_request, nb::arg("tables"), nb::arg("deployment"),
        nb::arg("request"), "TTFT, TPOT and total time of a request.");
}

}  // namespace ridge::python
