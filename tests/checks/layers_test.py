"""The layer check finds what is planted, and is silent about what is allowed."""
import pathlib
import tempfile
import unittest

import layers


class Layers(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        self.write("kernels/CMakeLists.txt", "set(RIDGE_OPERATORS\n    gemm  # products\n    norm)\n")
        self.write("kernels/gemm/spec.cpp", '#include "kernels/core/op_spec.h"\n#include <vector>\n')
        self.write("kernels/norm/spec.cpp", "")

    def write(self, name, text):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def violations(self):
        return layers.check(self.root)[0]

    def assert_one(self, *words):
        found = self.violations()
        self.assertEqual(len(found), 1, found)
        for word in words:
            self.assertIn(word, found[0])

    def test_clean_tree_has_no_violations_and_is_read(self):
        found, files = layers.check(self.root)
        self.assertEqual((found, files), ([], 2))

    def test_including_a_folder_above_is_allowed(self):
        self.write("calibrate/run.cpp", '#include "roofline/ceilings.h"\n#include "kernels/core/call.h"\n')
        self.assertEqual(self.violations(), [])

    def test_including_a_folder_below_is_found_with_its_line(self):
        self.write("profilers/arena.cpp", '#include <vector>\n#include "predictor/table.h"\n')
        self.assert_one("profilers/arena.cpp:2", "predictor/table.h")

    def test_a_folder_within_another_may_be_a_layer_below_it(self):
        self.write("profilers/llama/weights.h", '#include "predictor/models/model.h"\n'
                   '#include "profilers/sampler.h"\n')
        self.assertEqual(self.violations(), [])
        self.write("profilers/llama/session.h", '#include "simulator/request.h"\n')
        self.assert_one("profilers/llama/session.h:1", "simulator/request.h")

    def test_a_layer_within_another_is_closed_to_it(self):
        self.write("profilers/sampler.cpp", '#include "profilers/llama/weights.h"\n')
        self.assert_one("profilers/sampler.cpp:1", "profilers/llama/weights.h")

    def test_product_code_may_not_include_tests(self):
        self.write("roofline/peak.cpp", '#include "tests/shim.h"\n')
        self.assert_one("roofline/peak.cpp:1")

    def test_device_header_outside_the_plugin_is_found(self):
        for header in ("cuda_runtime.h", "cublasLt.h", "cudnn.h", "cupti.h", "nccl.h", "nvtx3/nvToolsExt.h"):
            with self.subTest(header):
                self.write("kernels/gemm/cpu.cpp", f"#include <{header}>\n")
                self.assert_one("kernels/gemm/cpu.cpp:1", header)

    def test_device_header_in_a_folder_without_devices_is_found_whatever_the_file_is_called(self):
        self.write("predictor/cuda_model.cpp", "#include <cuda_runtime.h>\n")
        self.assert_one("predictor/cuda_model.cpp:1")

    def test_device_header_in_plugin_files_is_allowed(self):
        for name in ("kernels/cuda/x.h", "kernels/gemm/cuda.cu", "kernels/gemm/cuda_lt.cpp",
                     "kernels/norm/kernels.cuh", "roofline/cuda_peak.cu"):
            self.write(name, "#include <cuda_runtime.h>\n")
        self.assertEqual(self.violations(), [])

    def test_header_that_only_plugin_files_include_may_use_device_headers(self):
        self.write("kernels/norm/owned.h", "#include <cudnn.h>\n")
        self.write("kernels/norm/race.h", '#include "kernels/norm/owned.h"\n')
        self.write("kernels/norm/cuda.cpp", '#include "kernels/norm/race.h"\n')
        self.assertEqual(self.violations(), [])

    def test_header_that_others_include_may_not_use_device_headers(self):
        self.write("kernels/norm/owned.h", "#include <cudnn.h>\n")
        self.write("kernels/norm/cuda.cpp", '#include "kernels/norm/owned.h"\n')
        self.write("kernels/norm/cpu.cpp", '#include "kernels/norm/owned.h"\n')
        self.assert_one("kernels/norm/owned.h:1", "cudnn.h")

    def test_plugin_header_outside_the_plugin_is_found(self):
        self.write("profilers/sampler.cpp", '#include "kernels/cuda/context.h"\n')
        self.assert_one("profilers/sampler.cpp:1")

    def test_commented_include_is_ignored(self):
        self.write("profilers/a.cpp", '// #include <cuda_runtime.h>\n/*\n#include <cuda.h>\n*/\n')
        self.assertEqual(self.violations(), [])

    def test_operator_folder_missing_from_the_list_is_found(self):
        self.write("kernels/softmax/spec.cpp", "")
        self.assert_one("kernels/softmax", "RIDGE_OPERATORS")

    def test_listed_operator_without_folder_is_found(self):
        self.write("kernels/CMakeLists.txt", "set(RIDGE_OPERATORS gemm norm rope)\n")
        self.assert_one("rope")


if __name__ == "__main__":
    unittest.main()
