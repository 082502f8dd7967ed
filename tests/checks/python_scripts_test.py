"""The Python scripts compile, and the parts that need no GPU do what they say."""
import ast
import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

SCRIPTS = pathlib.Path(__file__).resolve().parents[2] / "scripts"


class PythonScripts(unittest.TestCase):
    def test_all_parse(self):
        found = list(SCRIPTS.glob("*.py"))
        self.assertTrue(found)
        for path in found:
            ast.parse(path.read_text(encoding="utf-8"), str(path))

    def table_dtype(self, table):
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            json.dump(table, file)
            file.flush()
            return subprocess.run([sys.executable, SCRIPTS / "table_dtype.py", file.name],
                                  check=True, capture_output=True, text=True).stdout.strip()

    def test_table_dtype_prefers_bf16_then_f16_of_what_gemm_was_measured_in(self):
        curves = [{"op": "gemm", "dtype": d} for d in ("f32", "f16", "bf16")]
        self.assertEqual(self.table_dtype({"curves": curves}), "bf16")
        self.assertEqual(self.table_dtype({"curves": curves[:2]}), "f16")
        self.assertEqual(self.table_dtype({"curves": curves[:1]}), "f32")
        # A CPU gathers bf16 rows, but multiplies no bf16 matrices.
        embedding = [{"op": "embedding", "dtype": "bf16"}]
        self.assertEqual(self.table_dtype({"curves": curves[:1] + embedding}), "f32")
        self.assertEqual(self.table_dtype({}), "f32")


if __name__ == "__main__":
    unittest.main()
