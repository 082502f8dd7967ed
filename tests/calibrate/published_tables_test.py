"""The tables that ship are made of the rows they say, with their licence, and are listed."""
import csv
import json
import pathlib
import stat
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "calibrate"))
from published_tables import make, make_transfers, readme  # noqa: E402
from published_tables.errors import BadInput  # noqa: E402
from published_tables.recipes import RECIPES  # noqa: E402
from published_tables.transfers import TRANSFERS, parts  # noqa: E402

VLLM = next(r for r in RECIPES if r.path == "h200/vllm.json")

H20 = next(t for t in TRANSFERS if t.gpu == "H20")

# Stands for `calibrate`: a table that tells how it was run, `room` bytes large once compact.
FAKE = """#!{python}
import json, sys
name = sys.argv[sys.argv.index("--out") + 1]
room = {room} if sys.argv[1] == "compact" else 0
table = {{"curves": [], "argv": sys.argv[1:], "room": "x" * room, "provenance": {{}}}}
if sys.argv[1] == "transfer":
    table["sources"] = [json.load(open(f)) for f in sys.argv[3:sys.argv.index("--to")]]
json.dump(table, open(name, "w"))
"""


class PublishedTables(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        self.calibrate = self.root / "calibrate"
        self.be_calibrate(room=0)

    def be_calibrate(self, room):
        self.calibrate.write_text(FAKE.format(python=sys.executable, room=room), encoding="utf-8")
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

    def test_the_import_of_all_rows_names_no_folder_and_no_points(self):
        self.moe()
        whole = self.root / "whole"
        self.assertTrue(make.whole(VLLM, self.root, self.calibrate, whole))
        argv = json.loads((whole / VLLM.path).read_text(encoding="utf-8"))["argv"]
        self.assertFalse([a for a in argv if "/" in a])
        self.assertNotIn("--points", argv)

    def test_a_small_table_ships_and_a_large_one_is_refused(self):
        table = make.small(VLLM, self.calibrate, self.root)
        self.assertEqual(json.loads(table)["argv"][:3], ["compact", "--table", VLLM.path])
        self.be_calibrate(room=make.MOST_BYTES)
        with self.assertRaisesRegex(BadInput, "h200/vllm.json.*over 2000000"):
            make.small(VLLM, self.calibrate, self.root)

    def test_the_first_generation_is_imported_as_timed_on_the_host_without_rebuilt_squares(self):
        recipe = next(r for r in RECIPES if r.path == "l4/first-generation.json")
        self.write("anchovy__L4__gemm.csv", "op,m,n,k\ngemm,512,4096,4096\ngemm,64,64,64\n")
        make.whole(recipe, self.root, self.calibrate, self.root)
        table = json.loads((self.root / recipe.path).read_text(encoding="utf-8"))
        self.assertIn("host", table["argv"])
        made = self.root / "made.csv"
        self.assertEqual(make.taken(recipe, self.root / "anchovy__L4__gemm.csv", made), 1)
        with made.open(encoding="utf-8", newline="") as file:
            row = next(csv.DictReader(file))
        self.assertIn("No licence stated", row["licence"])
        self.assertIn("wrong peaks", row["remark"])

    def test_absent_files_make_no_table(self):
        self.assertFalse(make.whole(VLLM, self.root, self.calibrate, self.root / "whole"))
        self.assertIsNone(make_transfers.make(H20, self.root / "whole", self.calibrate))

    def test_a_transfer_takes_its_operators_of_its_sources_pooled_and_attributed(self):
        def block(op, implementation):
            return {"op": op, "dtype": "bf16", "implementation": implementation}
        for path, blocks in (
                ("h100-sxm/vllm.json", [block("gemm", "vllm"), block("rmsnorm", "vllm"),
                                        block("all_reduce", "vllm-custom-graph"),
                                        block("moe", "vllm/balanced")]),
                ("h100-sxm/trtllm.json", [block("gemm", "trtllm")]),
                ("h100-sxm/vidur.json", [block("rmsnorm", "sarathi/vllm"),
                                         block("gemm", "sarathi/vllm")]),
                ("l40s/vllm.json", [block("gemm", "vllm")])):
            make.write(self.root / path, json.dumps({"samples": blocks, "curves": [1]}).encode())
        table = json.loads(make_transfers.make(H20, self.root, self.calibrate))
        self.assertEqual(table["argv"], ["transfer", "--from", "h100-sxm.json", "--to", "H20",
                                         "--out", "table.json"])
        taken = [(b["op"], b["implementation"]) for b in table["sources"][0]["samples"]]
        self.assertCountEqual(taken, [
            ("gemm", "pooled"), ("gemm", "pooled"), ("moe", "pooled"),
            ("all_reduce", "pooled-custom-graph"), ("rmsnorm", "sarathi/vllm")])
        self.assertEqual(table["sources"][0]["curves"], [])
        self.assertIn("MIT, (c) Microsoft", table["provenance"]["licence"])
        self.assertIn("Apache-2.0, (c) NVIDIA", table["provenance"]["licence"])

    def test_a_gpu_without_bf16_takes_it_for_f16(self):
        t4 = next(t for t in TRANSFERS if t.gpu == "T4")
        for path, op in (("a100-sxm-80gb/vllm.json", "attention_decode"), ("a40/vidur.json", "gemm")):
            blocks = [{"op": op, "dtype": "bf16", "implementation": "vllm"}]
            make.write(self.root / path, json.dumps({"samples": blocks, "curves": []}).encode())
        table = json.loads(make_transfers.make(t4, self.root, self.calibrate))
        self.assertEqual({b["dtype"] for s in table["sources"] for b in s["samples"]}, {"f16"})

    def test_no_gpu_is_transferred_to_from_itself(self):
        for transfer in TRANSFERS:
            self.assertNotIn(transfer.device, parts(transfer), transfer.gpu)

    def test_a_failed_import_is_told(self):
        self.moe()
        self.calibrate.write_text("#!/bin/sh\necho 'no such GPU' >&2; exit 2\n", encoding="utf-8")
        with self.assertRaisesRegex(BadInput, "h200/vllm.json.*no such GPU"):
            make.whole(VLLM, self.root, self.calibrate, self.root / "whole")

    def test_the_readme_lists_each_table_with_source_licence_calls_and_error(self):
        curve = {"op": "gemm", "dtype": "bf16", "implementation": "vllm", "count": 2,
                 "cv_mean_error": 0.0312, "cv_median_error": 0.02, "cv_p90_error": 0.061}
        table = {"delay_factors": {}, "device": {"name": "H200"}, "curves": [curve],
                 "samples": [{"median_s": [1e-5, 2e-5]}],
                 "provenance": {"method": "imported", "source": "aic"}}
        (self.root / "h200").mkdir()
        self.write("h200/vllm.json", json.dumps(table))
        self.write("h200/ceilings.json", "{}")
        text = readme.text(self.root)
        self.assertIn("| [h200/vllm.json](h200/vllm.json) | H200 | aic | Apache-2.0 | imported | "
                      "2 | 2 | 3.1% | 3.1% |", text)
        self.assertIn("| gemm | bf16 | vllm | 2 | 3.1% | 6.1% |", text)
        self.assertNotIn("ceilings.json", text)


if __name__ == "__main__":
    unittest.main()
