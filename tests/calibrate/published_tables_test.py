"""The tables that ship are made of the rows they say, with their licence, and are listed."""
import csv
import json
import pathlib
import stat
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "calibrate"))
from published_tables import make, readme  # noqa: E402
from published_tables.errors import BadInput  # noqa: E402
from published_tables.recipes import RECIPES  # noqa: E402

VLLM = next(r for r in RECIPES if r.path == "h200/vllm.json")

# Stands for `calibrate`: a table that is as large as asked for many points, and how it was run.
FAKE = """#!{python}
import json, sys
points = int(sys.argv[sys.argv.index("--points") + 1])
table = {{"curves": [], "points": points, "argv": sys.argv[1:], "room": "x" * (4000 * points)}}
json.dump(table, open("table.json", "w"))
"""


class PublishedTables(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        self.calibrate = self.root / "calibrate"
        self.calibrate.write_text(FAKE.format(python=sys.executable), encoding="utf-8")
        self.calibrate.chmod(self.calibrate.stat().st_mode | stat.S_IXUSR)

    def write(self, name, text):
        (self.root / name).write_text(text, encoding="utf-8")
        return self.root / name

    def moe(self):
        return self.write("aic__H200-SXM__moe.csv", "framework,op,distribution\n"
                          "vllm,moe,balanced\nvllm,moe,power_law_1.2\ntrtllm,moe,balanced\n")

    def test_rows_of_one_framework_and_one_distribution_are_taken_with_their_licence(self):
        made = self.root / "made.csv"
        self.assertEqual(make.taken(VLLM, self.moe(), made), 1)
        with made.open(encoding="utf-8", newline="") as file:
            row = next(csv.DictReader(file))
        self.assertEqual((row["framework"], row["distribution"]), ("vllm", "balanced"))
        self.assertEqual(row["licence"], "Apache-2.0, (c) NVIDIA")
        self.assertIn("aiconfigurator @ ", row["repository"])

    def test_collectives_come_from_nccl_and_the_frameworks_own_in_graphs(self):
        source = self.write("aic__H200-SXM__comm.csv", "framework,op\nnccl-tests,all_gather\n"
                            "vllm-custom-graph,all_reduce\nvllm-custom-eager,all_reduce\n"
                            "trtllm-custom-graph,all_reduce\n")
        self.assertEqual(make.taken(VLLM, source, self.root / "made.csv"), 2)

    def test_a_table_that_is_too_big_gets_fewer_points_and_names_no_folder(self):
        self.moe()
        table = json.loads(make.make(VLLM, self.root, self.calibrate))
        self.assertLess(table["points"], VLLM.points)
        self.assertFalse([a for a in table["argv"] if "/" in a])

    def test_the_first_generation_is_imported_as_timed_on_the_host_without_rebuilt_squares(self):
        recipe = next(r for r in RECIPES if r.path == "l4/first-generation.json")
        self.write("anchovy__L4__gemm.csv", "op,m,n,k\ngemm,512,4096,4096\ngemm,64,64,64\n")
        table = json.loads(make.make(recipe, self.root, self.calibrate))
        self.assertIn("host", table["argv"])
        made = self.root / "made.csv"
        self.assertEqual(make.taken(recipe, self.root / "anchovy__L4__gemm.csv", made), 1)
        with made.open(encoding="utf-8", newline="") as file:
            row = next(csv.DictReader(file))
        self.assertIn("No licence stated", row["licence"])
        self.assertIn("wrong peaks", row["remark"])

    def test_absent_files_make_no_table(self):
        self.assertIsNone(make.make(VLLM, self.root, self.calibrate))

    def test_a_failed_import_is_told(self):
        self.moe()
        self.calibrate.write_text("#!/bin/sh\necho 'no such GPU' >&2; exit 2\n", encoding="utf-8")
        with self.assertRaisesRegex(BadInput, "h200/vllm.json.*no such GPU"):
            make.make(VLLM, self.root, self.calibrate)

    def test_the_readme_lists_each_table_with_source_licence_calls_and_error(self):
        curve = {"op": "gemm", "dtype": "bf16", "implementation": "vllm", "count": 2,
                 "cv_mean_error": 0.0312, "cv_median_error": 0.02, "cv_p90_error": 0.061}
        table = {"delay_factors": {}, "device": {"name": "H200"}, "curves": [curve],
                 "samples": [{"median_s": [1e-5, 2e-5]}],
                 "provenance": {"method": "imported", "source": "aic", "points": "800 of each"}}
        (self.root / "h200").mkdir()
        self.write("h200/vllm.json", json.dumps(table))
        self.write("h200/ceilings.json", "{}")
        text = readme.text(self.root)
        self.assertIn("| [h200/vllm.json](h200/vllm.json) | H200 | aic | Apache-2.0 | imported | "
                      "800 | 2 | 3.1% | 3.1% |", text)
        self.assertIn("| gemm | bf16 | vllm | 2 | 3.1% | 6.1% |", text)
        self.assertNotIn("ceilings.json", text)


if __name__ == "__main__":
    unittest.main()
