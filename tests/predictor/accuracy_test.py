"""scripts/accuracy as a user runs it, on made-up latencies."""
import math
import pathlib
import subprocess
import sys

import commands
from commands import main

ROOT = pathlib.Path(__file__).resolve().parents[2]
COLUMNS = "source,gpu,framework,op,dtype,m,n,k,latency_us"
FILE = "aic__H200-SXM__gemm.csv"


def scratch(name=""):
    return commands.options.scratch / name


def latency_us(m, n, k):
    """A roofline, half as fast as H200's, with a ripple."""
    compute, memory = 2 * m * n * k / 989e6, 2 * (m * n + n * k + m * k) / 4.8e6
    return (3 + max(compute, memory)) * (2 + 0.2 * math.sin(math.log(m * n)))


def write(folder, sides=(256, 512, 1024, 2048, 4096, 8192), framework="vllm"):
    scratch(folder).mkdir()
    lines = [f"aic,H200-SXM,{framework},gemm,bf16,{m},{n},{k},{latency_us(m, n, k):.5g}"
             for m in (1, 4, 16, 64, 256, 1024, 4096, 16384) for n in sides for k in sides]
    (scratch(folder) / FILE).write_text("\n".join([COLUMNS, *lines]) + "\n", "utf-8")


def accuracy(*arguments):
    """Without scripts/accuracy's asking the network for what is not installed."""
    venv = ROOT / ".venv/bin/python"
    line = [venv if venv.exists() else sys.executable, "-m", "accuracy", "--quick", "--bin",
            commands.options.bin, *arguments]
    paths = f"{ROOT / 'roofline'}:{ROOT / 'predictor'}"
    return commands.Result(subprocess.run(
        [str(word) for word in line], env={**commands.environment(), "PYTHONPATH": paths},
        capture_output=True, text=True, timeout=600, check=False))


def test_a_page_is_written_of_what_is_there():
    write("data")
    done = accuracy("--data", scratch("data"), "--out", scratch("out")).says(0)
    assert "A100-SXM-80GB GEMM bf16: skipped" in done.out, done.out
    page = (scratch("out") / "accuracy.md").read_text("utf-8")
    assert "H200-SXM GEMM bf16" in page, page
    assert "`gemm m=" in page, page
    assert "$" not in page, page
    assert str(scratch()) not in page, page


def test_training_and_both_tests_share_no_row_and_no_column():
    sys.path[:0] = [str(ROOT / "predictor")]
    from accuracy import split
    from accuracy.cases import CASES
    write("data")
    parts = split.load(CASES[0], scratch("data"))
    columns = {name: {(r["n"], r["k"]) for r in getattr(parts, name)}
               for name in ("train", "rows", "columns")}
    assert not columns["train"] & columns["columns"]
    assert not columns["rows"] & columns["columns"]
    assert ("4096", "4096") in columns["columns"]  # of Llama-3.1-8B
    shapes = [{tuple(r.values()) for r in part} for part in (parts.train, parts.rows, parts.columns)]
    assert sum(map(len, shapes)) == len(set.union(*shapes)) == 8 * 6 * 6


def test_a_folder_with_nothing_to_test_on_is_told():
    write("data", framework="another")
    accuracy("--data", scratch("data"), "--out", scratch("out")).says(2, "has none of the files")
    accuracy("--data", scratch("none"), "--out", scratch("out")).says(2, "is not a folder")
    assert not (scratch("out") / "accuracy.md").exists()


if __name__ == "__main__":
    main(globals())
