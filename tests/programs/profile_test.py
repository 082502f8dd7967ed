"""The command `profile`: bad input, missing devices, and Google Benchmark's flags and outputs."""
import csv
import io

import commands
from commands import fake_gpu, run

QUICK = ("--gpu=cpu", "--time-budget=0.005")


def test_unknown_gpu_name_is_bad_input():
    run("profile", "--gpu", "quantum9000").says(2, "--gpu quantum9000", "unknown", "T4", "H200")
    run("profile", "--gpu", "").says(2)
    run("profile", "--gpu", "cuda:x").says(2, "cuda:0")


def test_missing_gpu_is_exit_code_3():
    for gpu in ("t4", "T4", "h200", "a100-80gb", "cuda", "cuda:1"):
        run("profile", "--gpu", gpu).says(3, f"--gpu {gpu}", "ridge_cuda.so")


def test_auto_goes_on_with_the_cpu_and_says_why():
    run("profile", "--gpu=auto", "--benchmark_list_tests").says(0, "note: no CUDA device")


def test_other_gpu_than_the_one_asked_for_is_refused():
    plugin = fake_gpu()
    for gpu in ("t4", "a100-40gb", "h200", "a10g"):
        run("profile", "--gpu", gpu, plugin=plugin).says(3, f"--gpu {gpu}", "A100-SXM4-80GB",
                                                        "--gpu auto")
    # A part of a word is another GPU.
    for gpu in ("a10", "a1", "80g"):
        assert run("profile", "--gpu", gpu, plugin=plugin).code in (2, 3), gpu
    for gpu in ("a100-80gb", "A100", "cuda:0", "auto", "a100-sxm-80gb"):
        run("profile", "--gpu", gpu, "--benchmark_list_tests", plugin=plugin).says(1)
    run("profile", "--gpu", "cuda:1", plugin=plugin).says(3, "there is no device 1")


def test_bad_dims_are_named():
    for call, word in (("rmsnorm rows=0 cols=64", "rows=0"), ("rmsnorm rows=-4 cols=64", "rows=-4"),
                       ("rmsnorm rows=4", "cols=0"), ("rmsnorm rows=abc cols=4", "rows=abc"),
                       ("rmsnorm rows=4x cols=4", "rows=4x"),
                       ("rmsnorm rows=99999999999999999999 cols=4", "rows="),
                       ("rmsnorm depth=4 cols=4", "depth=4"), ("rmsnorm rows=4 cols=4 f33", "f33"),
                       ("divination rows=4", "divination"), ("", "unknown operator"),
                       ("rmsnorm rows=4 cols=4 [", "["),
                       ("rmsnorm rows=4 cols=4 [nonesuch]", "nonesuch")):
        run("profile", *QUICK, "--call", call).says(2, word)


def test_call_that_cannot_run_here_says_why():
    run("profile", *QUICK, "--call", "gemm m=4 n=64 k=64 bf16").says(2, "gemm m=4", "only f32")


def test_bad_flags():
    run("profile", "--benchmark_fliter=rmsnorm").says(2)
    run("profile", "--nonsense").says(2, "")
    run("profile", "--time-budget=-1").says(2, "--time-budget")
    run("profile", "--ceilings=/nonesuch/ceilings.json").says(2, "/nonesuch/ceilings.json")
    run("profile", *QUICK, "--method=lukewarm", "--call", "rmsnorm rows=1 cols=64").says(
        2, "lukewarm", "cold, stream or graph")


def test_torn_ceilings_are_named():
    path = commands.options.scratch / "torn.json"
    path.write_text('{"device": "x", "val')
    run("profile", *QUICK, "--ceilings", path).says(2, "torn.json", "line 1")


def test_help():
    done = run("profile", "--help").says(0)
    for word in ("--gpu", "--call", "--benchmark_"):
        assert word in done.out, done.out


def test_list_tests():
    names = run("profile", "--gpu=cpu", "--benchmark_list_tests").says(0).out.split()
    assert len(names) == len(set(names)) and len(names) > 10, names
    for op in ("gemm/", "rmsnorm/"):
        assert any(name.startswith(op) for name in names), names
    assert all(name.count("/") >= 3 for name in names), names


def test_filter_and_json():
    done = run("profile", *QUICK, "--benchmark_filter=^rmsnorm/rows:1/",
               "--benchmark_format=json").says(0)
    report = done.json()
    context = report["context"]
    assert context["device"], context
    assert context["device.threads"].isdigit(), context
    assert report["benchmarks"], "nothing was measured"
    for one in report["benchmarks"]:
        assert one["name"].startswith("rmsnorm/rows:1/"), one
        assert "error_occurred" not in one, one
        assert one["time_unit"] == "us" and one["real_time"] > 0, one
        assert abs(one["real_time"] - one["p50_us"]) <= 1e-3 * one["p50_us"], one
        assert 0 < one["p10_us"] <= one["p50_us"] <= one["p90_us"], one
        assert one["FLOP/s"] > 0 and one["bytes/s"] > 0 and one["samples"] >= 3, one


def test_percent_of_ceiling():
    ceilings = commands.options.scratch / "ceilings.json"
    rate = '{"value": %g, "unit": "byte/s", "method": "test", "spread": 0}'
    ceilings.write_text('{"device": "x", "provenance": {}, "values": {' + ", ".join(
        f'"{key}": {rate % 1e6}' for key in ("dram.read", "dram.copy", "vector.f32")) + "}}")
    one = run("profile", *QUICK, "--call", "rmsnorm rows=8 cols=1024 f32", "--ceilings", ceilings,
              "--benchmark_format=json").says(0).json()["benchmarks"][0]
    # At 1 MB/s and 1 MFLOP/s: 64 KiB + 4 KiB by memory, 32 K flop by arithmetic; memory bounds.
    ideal_us = 65536 + 4096
    assert one["label"] == "dram bound", one
    assert abs(one["ceiling_%"] / (100 * ideal_us / one["p50_us"]) - 1) < 1e-3, one


def test_csv():
    out = run("profile", *QUICK, "--call", "rmsnorm rows=1 cols=64", "--benchmark_format=csv").out
    rows = list(csv.DictReader(io.StringIO(out[out.index("name,"):])))
    assert len(rows) == 1 and float(rows[0]["real_time"]) > 0, rows


def test_methods():
    for method in ("cold", "stream"):
        report = run("profile", *QUICK, "--call", "rmsnorm rows=1 cols=64", f"--method={method}",
                     "--benchmark_format=json").says(0).json()
        assert "error_occurred" not in report["benchmarks"][0], report
    report = run("profile", *QUICK, "--call", "rmsnorm rows=1 cols=64", "--method=graph",
                 "--benchmark_format=json").json()
    assert "no graph method" in report["benchmarks"][0]["error_message"], report


def test_filter_that_matches_nothing():
    run("profile", *QUICK, "--benchmark_filter=divination").says(1)


if __name__ == "__main__":
    commands.main(globals())
