#pragma once
#include <nanobind/nanobind.h>
#include <nanobind/stl/filesystem.h>
#include <nanobind/stl/map.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/string_view.h>
#include <nanobind/stl/vector.h>

#include <string>
#include <string_view>

#include "predictor/request/request.h"

// The predictor's types and functions as Python sees them. Enums are words there ("bf16", "dram").
namespace ridge::python {

namespace nb = nanobind;

using PlainDict = nb::typed<nb::dict, nb::str, nb::any>;

// One for each folder or header of the predictor; those of later ones take types of earlier ones.
void bind_devices(nb::module_& m);
void bind_models(nb::module_& m);
void bind_lowering(nb::module_& m);
void bind_tables(nb::module_& m);
void bind_engines(nb::module_& m);
void bind_request(nb::module_& m);
void bind_prediction(nb::module_& m);
void bind_memory(nb::module_& m);
void bind_compare(nb::module_& m);
void bind_serving(nb::module_& m, nb::handle bad_input);

// Throw BadInput that lists the words there are.
WeightFormat parse_weight_format(std::string_view word);
Activation parse_activation(std::string_view word);
std::string_view name(WeightFormat w);
std::string_view name(Activation a);

// A property that is an enum in C++ and a word in Python.
template <class Class, class Enum>
void add_word(nb::class_<Class>& c, const char* property, Enum Class::*field,
              Enum (*parse)(std::string_view), const char* doc) {
  c.def_prop_rw(
      property, [field](const Class& self) { return name(self.*field); },
      [field, parse](Class& self, std::string_view word) { self.*field = parse(word); }, doc);
}

// What the class's objects are copied by: their `copy` method and the module copy.
template <class Class>
void add_copies(nb::class_<Class>& c) {
  const auto copied = [](const Class& self) { return Class(self); };
  c.def("copy", copied, "A copy that shares nothing with this.");
  c.def("__copy__", copied);
  c.def(
      "__deepcopy__", [](const Class& self, nb::handle) { return Class(self); }, nb::arg("memo"));
}

nb::dict to_dict(const Estimate& e);
nb::dict to_dict(const Phase& p);
nb::dict to_dict(const RequestPrediction& p);

}  // namespace ridge::python
