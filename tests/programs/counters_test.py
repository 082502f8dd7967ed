"""`profile --counters`: with a stand-in for Nsight Compute on PATH, without it, and on a CPU."""
import json
import sys

import commands
from commands import counted_gpu, run

CALL = ("--time-budget=0.005", "--call", "rmsnorm rows=8 cols=1024 f32")
JSON = "--benchmark_format=json"

# Runs the program under it, as ncu does, and writes the page that it was asked for.
COUNTS = r'''
import subprocess, sys
arguments = sys.argv[1:]
def option(name):
    at = arguments.index(name)
    value = arguments[at + 1]
    del arguments[at:at + 2]
    return value
metrics = option("--metrics").split(",")
assert option("--page") == "raw" and option("--print-units") == "base"
assert option("--nvtx-include") == "ridge_counted/"
assert option("--clock-control") == "none"
option("--config-file"), option("--cache-control")
for flag in ("--csv", "--nvtx"):
    arguments.remove(flag)
print("==PROF== Connected to process 4711 (" + arguments[0] + ")")
code = subprocess.run(arguments).returncode
print("==PROF== Disconnected from process 4711")
if code:
    print("==ERROR== The application returned an error code (%d)." % code)
    sys.exit(code)
kernels = [
    {"gpu__time_duration.sum": "3,000", "dram__throughput": "20", "lts__throughput": "40",
     "sm__pipe_tensor_cycles_active": "90"},
    {"gpu__time_duration.sum": "1,000", "dram__throughput": "80", "lts__throughput": "(!) n/a",
     "sm__pipe_tensor_cycles_active": "10"}]
def row(*fields):
    print(",".join('"%s"' % f for f in fields))
row("ID", "Process ID", "Kernel Name", "CC", *metrics)
row("", "", "", "", *("ns" if m.startswith("gpu__time") else "%" for m in metrics))
for i, kernel in enumerate(kernels):
    row(i, 4711, "kernel<1, 2>(float *, int)", "9.0",
        *(kernel.get(m, kernel.get(m.split(".")[0], "n/a")) for m in metrics))
'''

REFUSES = r'''
print("==PROF== Connected to process 17664 (profile)")
print("==ERROR== ERR_NVGPUCTRPERM - The user does not have permission to access NVIDIA GPU "
      "Performance Counters on the target device 0.")
import pathlib
with pathlib.Path(__file__).with_name("asked").open("a") as asked:
    asked.write("again\n")
'''

FAILS = r'''
import sys
print("==ERROR== Failed to prepare kernel for profiling")
sys.exit(1)
'''


def path_with(script):
    """A PATH with nothing but an `ncu` that runs the script, or nothing at all."""
    folder = commands.options.scratch / "tools"
    folder.mkdir()
    if script:
        ncu = folder / "ncu"
        ncu.write_text(f"#!{sys.executable}\n{script}")
        ncu.chmod(0o755)
    return {"PATH": str(folder)}


def ceilings_file(path):
    rate = '{"value": %g, "unit": "%s/s", "method": "test", "spread": 0}'
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text('{"device": "x", "provenance": {}, "values": {' + ", ".join(
        f'"{key}": {rate % (1e9, unit)}' for key, unit in (
            ("dram.read", "byte"), ("dram.copy", "byte"), ("vector.f32", "flop"))) + "}}")
    return path


def only(done):
    """The one benchmark of a run that measured one."""
    benchmarks = done.says(0).json()["benchmarks"]
    assert len(benchmarks) == 1, benchmarks
    assert "error_occurred" not in benchmarks[0], benchmarks
    return benchmarks[0]


def near(value, wanted):
    return abs(value / wanted - 1) < 1e-3


def test_counters_are_weighted_by_duration():
    log = commands.options.scratch / "log"
    done = run("profile", "--gpu=cuda", *CALL, "--counters", JSON, plugin=counted_gpu(),
               env={**path_with(COUNTS), "RIDGE_FAKE_LOG": str(log)})
    one = only(done)
    assert near(one["tensor_pipe_pct"], 70) and near(one["tensor_pipe_elapsed_pct"], 70), one
    assert near(one["dram_pct"], 35), one
    assert "l2_pct" not in one, "a metric that one kernel lacks"
    assert one["label"] == "hardware counters of 2 kernels", one
    assert near(one["real_time"], 100), one
    assert not any("of_ceiling" in key for key in one), one
    assert "no hardware counters" not in done.err, done.err
    # What was counted: one launch after another that loaded the code.
    counted = ["launch", "push ridge_counted", "launch", "pop"]
    assert log.read_text().splitlines()[-4:] == counted, log.read_text()


def test_notices_of_the_device_are_printed():
    run("profile", "--gpu=cuda", "--benchmark_list_tests", plugin=counted_gpu()).says(
        0, "note: another process (pid 1234) uses this GPU")


def test_ceilings_stand_beside_counters():
    ceilings = ceilings_file(commands.options.scratch / "given.json")
    one = only(run("profile", "--gpu=cuda", *CALL, "--counters", "--ceilings", ceilings, JSON,
                   plugin=counted_gpu(), env=path_with(COUNTS)))
    assert one["label"] == "dram bound; hardware counters of 2 kernels", one
    assert near(one["tensor_pipe_pct"], 70) and "ceiling_%" in one, one


def test_refusal_is_said_once_and_asked_once():
    done = run("profile", "--gpu=cuda", *CALL, "rmsnorm rows=16 cols=64", "--counters", JSON,
               plugin=counted_gpu(), env=path_with(REFUSES))
    done.says(0, "note: no hardware counters: the driver reserves counters to root: run as root",
              "NVreg_RestrictProfilingToAdminUsers=0")
    assert done.err.count("no hardware counters") == 1, done.err
    assert len(done.json()["benchmarks"]) == 2, done.out
    asked = commands.options.scratch / "tools" / "asked"
    assert asked.read_text() == "again\n", "asked again though every call is refused"


def test_failure_falls_back_to_shares_of_ceilings():
    ceilings_file(commands.options.scratch / "results/nvidia-h200/ceilings.json")
    done = run("profile", "--gpu=cuda", *CALL, "--counters", JSON, plugin=counted_gpu(),
               env=path_with(FAILS))
    one = only(done)
    assert "rmsnorm rows=8 cols=1024 f32 [fake]: ncu: Failed to prepare kernel" in done.err, done.err
    # 64 KiB and the weights' 4 KiB at 1 GB/s, in 100 µs.
    assert near(one["dram_pct_of_ceiling"], 100 * (65536 + 4096) * 1e-9 / 100e-6), one
    assert near(one["compute_pct_of_ceiling"],
                100 * one["FLOP/s"] / 1e9), one
    assert one["label"] == "no counters: shares of ceilings by time", one
    for key in ("tensor_pipe_pct", "dram_pct", "l2_pct"):
        assert key not in one, "a share of a ceiling passes for a counter"


def test_without_ncu_it_says_so_in_one_line():
    done = run("profile", "--gpu=cuda", *CALL, "--counters", JSON, plugin=counted_gpu(),
               env=path_with(None))
    one = only(done)
    lines = [line for line in done.err.splitlines() if "counters" in line]
    assert len(lines) == 1 and "ncu (Nsight Compute" in lines[0], done.err
    assert "results/nvidia-h200/ceilings.json" in lines[0] and "calibrate" in lines[0], done.err
    assert not any("pct" in key for key in one), one


def test_cpu_says_so_in_one_line():
    ceilings = ceilings_file(commands.options.scratch / "given.json")
    done = run("profile", "--gpu=cpu", *CALL, "--counters", "--ceilings", ceilings, JSON,
               env=path_with(COUNTS))
    one = only(done)
    lines = [line for line in done.err.splitlines() if "hardware counters" in line]
    assert len(lines) == 1 and "a CPU's counters are not read" in lines[0], done.err
    assert one["dram_pct_of_ceiling"] > 0 and "dram_pct" not in one, one


def test_call_that_fails_under_ncu_says_why():
    fails = COUNTS.replace("subprocess.run(arguments)",
                           "subprocess.run(arguments[:-1] + ['rmsnorm rows=0 cols=1'])")
    done = run("profile", "--gpu=cuda", *CALL, "--counters", JSON, plugin=counted_gpu(),
               env=path_with(fails))
    done.says(0, "the call fails under ncu: ", "rows=0")


def test_counters_are_in_the_csv():
    out = run("profile", "--gpu=cuda", *CALL, "--counters", "--benchmark_format=csv",
              plugin=counted_gpu(), env=path_with(COUNTS)).says(0).out
    assert '"tensor_pipe_pct"' in out and json.dumps("hardware counters of 2 kernels") in out, out


if __name__ == "__main__":
    commands.main(globals())
