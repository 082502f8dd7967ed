#include <fmt/format.h>

#include "python/bindings/bindings.h"
#include "roofline/datasheet.h"
#include "roofline/device_specs.h"

namespace ridge::python {

void bind_devices(nb::module_& m) {
  nb::class_<DeviceSpec>(m, "DeviceSpec", "A GPU's datasheet. Peaks are dense.")
      .def_ro("name", &DeviceSpec::name)
      .def_ro("aliases", &DeviceSpec::aliases)
      .def_ro("compute_capability", &DeviceSpec::compute_capability)
      .def_ro("sm_count", &DeviceSpec::sm_count)
      .def_ro("cuda_cores_per_sm", &DeviceSpec::cuda_cores_per_sm)
      .def_ro("l2_bytes", &DeviceSpec::l2_bytes)
      .def_ro("memory_bytes", &DeviceSpec::memory_bytes)
      .def_ro("memory_bandwidth_bytes_per_s", &DeviceSpec::memory_bandwidth_bytes_per_s)
      .def_ro("l2_bandwidth_bytes_per_s", &DeviceSpec::l2_bandwidth_bytes_per_s,
              "As others measured it; 0 where nobody did.")
      .def_ro("link_bandwidth_bytes_per_s", &DeviceSpec::link_bandwidth_bytes_per_s,
              "To other GPUs, one direction; 0 where unknown.")
      .def_ro("max_clock_hz", &DeviceSpec::max_clock_hz)
      .def_ro("peak_flops_per_s", &DeviceSpec::peak_flops_per_s,
              "By pipe and dtype: 'matrix.bf16', 'vector.f32'.")
      .def_ro("source", &DeviceSpec::source, "Where the numbers are from.")
      .def("__repr__", [](const DeviceSpec& s) { return fmt::format("DeviceSpec('{}')", s.name); });

  nb::class_<DeviceInfo>(m, "DeviceInfo", "The device that a table is of.")
      .def_ro("kind", &DeviceInfo::kind, "'cpu' or 'cuda'.")
      .def_ro("name", &DeviceInfo::name)
      .def_ro("compute_capability", &DeviceInfo::compute_capability)
      .def_ro("units", &DeviceInfo::units, "SMs of a GPU, cores of a CPU.")
      .def_ro("last_level_cache_bytes", &DeviceInfo::last_level_cache_bytes)
      .def_ro("memory_bytes", &DeviceInfo::memory_bytes)
      .def("__repr__", [](const DeviceInfo& d) { return fmt::format("DeviceInfo('{}')", d.name); });

  m.def("device_specs", &device_specs, "The datasheets of all GPUs that are known, by name.");
  m.def("find_device", &find_device, nb::arg("name"),
        "The datasheet of a GPU by name or alias, or by what NVML calls it ('Tesla T4'): letter\n"
        "case, punctuation and the maker's name do not count. None for a name that fits none.");
  m.def("suggested_devices", &suggested_devices, nb::arg("name"),
        "Names of all GPUs in one text, those like `name` first.");
  m.def("device_info", &device_info, nb::arg("spec"), "The device of a datasheet.");
  m.def("data_dir", &data_dir,
        "Where models, datasheets, tables and engine profiles lie: $RIDGE_DATA_DIR, else what\n"
        "came with the package.");
}

}  // namespace ridge::python
