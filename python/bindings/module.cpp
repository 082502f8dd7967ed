#include "kernels/core/error.h"
#include "python/bindings/bindings.h"

NB_MODULE(_core, m) {
  using namespace ridge::python;
  m.doc() = "The predictor in C++; import ridgepoint instead.";
  m.attr("VERSION") = RIDGE_VERSION;  // stubs leave out names with underscores
  auto bad_input = nb::exception<ridge::BadInput>(m, "BadInput", PyExc_ValueError);
  bad_input.attr("__doc__") =
      "An argument or a file is wrong: the message says what, where and what to do.";
  bind_devices(m);
  bind_models(m);
  bind_lowering(m);
  bind_tables(m);
  bind_engines(m);
  bind_request(m);
  bind_prediction(m);
  bind_memory(m);
  bind_compare(m);
  bind_serving(m, bad_input);
}
