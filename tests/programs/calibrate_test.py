"""The command `calibrate`: bad input, missing devices, a whole short run, a kill and its resumption,
and shapes left out of a table."""
import json
import signal
import subprocess
import time

import commands
from commands import run

# rmsnorm alone, ceilings and all, in a few seconds.
SHORT = ("calibrate", "--gpu=cpu", "--ops=rmsnorm")


def folder(name="results"):
    return commands.options.scratch / name


def lines(path):
    """The whole lines that are on disk."""
    text = path.read_text() if path.exists() else ""
    return text[:text.rfind("\n") + 1].splitlines()


def measurements(path):
    return [one for one in map(json.loads, lines(path)) if "run" not in one]


def key(one):
    return (one["op"], tuple(one["dims"].items()), one["dtype"], one["implementation"])


def calibrate_briefly():
    """A whole run of a few seconds. Where the ceilings alone take as long, as on a busy machine, it
    says so and is resumed."""
    argv = (*SHORT, "--budget=6s", "--out", folder())
    done = run(*argv)
    if done.code == 1 and not measurements(folder() / "measurements.jsonl"):
        done.says(1, "ceilings took all of the budget", "--resume")
        done = run(*argv, "--resume")
    return done.says(0)


def test_bad_budget():
    for budget in ("", "abc", "0", "-5", "10x", "nan", "inf", "9999h", "5 m", "1e400"):
        if budget:
            run(*SHORT, "--out", folder(), f"--budget={budget}").says(2, "--budget", "90s")
            assert not folder().exists(), f"{budget}: something was written"


def test_unknown_operator():
    run("calibrate", "--gpu=cpu", "--ops=rmsnorm,divination", "--out", folder()).says(
        2, "divination", "rmsnorm")
    assert not folder().exists(), "something was measured before the operator was looked up"


def test_import():
    csv = commands.options.scratch / "gemm.csv"
    csv.write_text("op,dtype,framework,m,n,k,latency_us\n" +
                   "".join(f"gemm,bf16,vllm,{m},4096,4096,{14 + m / 64}\n" for m in range(1, 40)) +
                   "gemm,bf16,vllm,1,64,64,0\n")
    done = run("calibrate", "import", "--gpu=H200-SXM", "--csv", csv, "--out", folder())
    done.says(0)
    for text in ("39 rows taken of 40", "gemm bf16 vllm", "line 41", "datasheet"):
        assert text in done.out, f"'{text}' is not in {done.out}"
    table = json.loads((folder() / "delay_factors.json").read_text())
    assert table["provenance"]["method"] == "imported"
    assert table["gpu_specs"]["name"] == "H200"
    as_json = run("calibrate", "import", "--gpu=h200", "--csv", csv, "--points=8", "--json",
                  "--out", folder("few") / "table.json").says(0).json()
    assert json.loads((folder("few") / "table.json").read_text()) == as_json


def test_import_of_bad_input():
    csv = commands.options.scratch / "x.csv"
    csv.write_text("op,dtype,m,n,k,latency_us\ngemm,bf16,1,64,64,nan\n")
    argv = ("calibrate", "import", "--csv", csv, "--out", folder())
    run(*argv, "--gpu=H200").says(2, "nothing is left", "line 2", "'nan'")
    run(*argv, "--gpu=H300").says(2, "H300", "--device", "H200")
    run(*argv).says(2, "--gpu")
    run(*argv, "--gpu=H200", "--dtype=bf17").says(2, "bf17")
    run(*argv, "--device", csv).says(2, "x.csv")
    run("calibrate", "import", "--gpu=H200", "--csv=absent.csv", "--out", folder()).says(
        2, "absent.csv")
    assert run(*argv, "--gpu=H200", "--points=0").code == 2
    assert not folder().exists(), "something was written"


def imported(gpu, slower):
    csv = commands.options.scratch / f"{gpu}.csv"
    csv.write_text("op,dtype,framework,m,n,k,latency_us\n" +
                   "".join(f"gemm,bf16,vllm,{m},{n},4096,{slower * (8 + m * n / 4e5)}\n"
                           for m in range(1, 400, 16) for n in (512, 2048)))
    path = commands.options.scratch / f"{gpu}.json"
    run("calibrate", "import", "--gpu", gpu, "--csv", csv, "--out", path).says(0)
    return path


def test_transfer():
    sources = imported("A100-SXM-80GB", 2), imported("L40S", 3)
    path = folder() / "h200.json"
    argv = ("calibrate", "transfer", "--from", *sources, "--out", path)
    run(*argv, "--to=H200").says(0)
    table = json.loads(path.read_text())
    assert table["provenance"]["method"] == "transferred"
    assert table["device"]["name"] == "H200" and table["samples"] == []
    shapes = commands.options.scratch / "shapes.csv"
    shapes.write_text("op,dtype,m,n,k\ngemm,bf16,33,1024,4096\n")
    done = run("predict", "kernels", "--table", path, "--csv", shapes).says(0)
    assert "transferred" in done.out, done.out
    spec = commands.options.scratch / "h200x.json"
    spec.write_text(json.dumps({
        "name": "H200X", "aliases": [], "compute_capability": "9.0", "sm_count": 132,
        "cuda_cores_per_sm": 128, "l2_bytes": 6e7, "memory_bytes": 1e11, "max_clock_hz": 2e9,
        "memory_bandwidth_bytes_per_s": 4e12, "peak_flops_per_s": {"matrix.bf16": 9e14},
        "source": "made up"}))
    run(*argv, "--to", spec).says(0)
    assert json.loads(path.read_text())["device"]["name"] == "H200X"


def test_transfer_of_bad_input():
    source = imported("L40S", 1)
    argv = ("calibrate", "transfer", "--out", folder() / "t.json")
    run(*argv, "--from", source, "--to=H300").says(2, "H300", "H200", "ceilings.json")
    run(*argv, "--from", source, "--to=l40s").says(2, "L40S itself", "predict")
    run(*argv, "--from", "absent.json", "--to=H200").says(2, "absent.json")
    assert run(*argv, "--to=H200").code == 2
    assert not folder().exists(), "something was written"


def test_operator_without_a_launch_is_not_swept():
    run("calibrate", "--gpu=cpu", "--ops=all_reduce", "--out", folder()).says(
        2, "all_reduce", "several devices")


def test_probe_is_not_swept():
    run("calibrate", "--gpu=cpu", "--ops=stream_read", "--out", folder()).says(2, "stream_read")


def test_missing_gpu_is_exit_code_3():
    for gpu in ("t4", "cuda:0", "h100-sxm"):
        run("calibrate", "--gpu", gpu, "--out", folder()).says(3, f"--gpu {gpu}")
        assert not folder().exists()
    run("calibrate", "--gpu=quantum9000", "--out", folder()).says(2, "quantum9000")


def test_output_folder_that_is_a_file():
    folder().write_text("in the way")
    for out in (folder(), folder() / "below"):
        run(*SHORT, "--budget=3s", "--out", out).says(1, str(folder()), "--out")
    assert folder().read_text() == "in the way"


def test_short_run_leaves_a_table():
    done = calibrate_briefly()
    assert "rmsnorm" in done.out and "delay_factors.json" in done.out, done.out
    wide = [line for line in done.out.splitlines()
            if len(line) > 80 and not line.startswith(("table:", "note:"))]
    assert not wide, wide
    table = json.loads((folder() / "delay_factors.json").read_text())
    ceilings = json.loads((folder() / "ceilings.json").read_text())
    assert ceilings["values"]["dram.read"]["value"] > 1e8, ceilings
    assert "RMS_Norm" in table["delay_factors"], table["delay_factors"]
    one = table["delay_factors"]["RMS_Norm"]
    assert 0 < one["min_delay_factor"] <= one["avg_delay_factor"] <= one["max_delay_factor"], one
    timed = [m for m in measurements(folder() / "measurements.jsonl") if m["status"] == "ok"]
    assert len(timed) >= 10, len(timed)
    assert not list(folder().glob("*.tmp")), "a temporary file was left"


def test_killed_run_resumes():
    journal = folder() / "measurements.jsonl"
    argv = commands.command(*SHORT, "--budget=40s", "--resume", "--out", folder())
    kept = []
    for more in (4, 9):
        with subprocess.Popen(argv, env=commands.environment(), stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL, cwd=commands.options.scratch) as child:
            end = time.time() + 100
            while len(lines(journal)) < len(kept) + more and time.time() < end:
                time.sleep(0.02)
            child.send_signal(signal.SIGKILL)
        now = lines(journal)
        assert len(now) >= len(kept) + more, now
        assert now[:len(kept)] == kept, "a finished measurement was lost"
        kept = now
    spent = sum(one["wall_s"] for one in measurements(journal))
    run(*SHORT, f"--budget={spent + 3}", "--resume", "--out", folder()).says(0)
    assert lines(journal)[:len(kept)] == kept, "a finished measurement was lost"
    swept = [key(one) for one in measurements(journal) if not one["anchor"]]
    assert len(swept) == len(set(swept)), "a finished measurement was repeated"
    assert len(lines(journal)) > len(kept) + 1, "the resumed run measured nothing"
    json.loads((folder() / "delay_factors.json").read_text())


def test_resume_refuses_another_devices_run():
    folder().mkdir()
    (folder() / "measurements.jsonl").write_text('{"run": {"device": "Other GPU"}}\n')
    run(*SHORT, "--budget=3s", "--resume", "--out", folder()).says(
        2, "measurements.jsonl:1", "Other GPU", "--out")


def test_resume_names_a_garbage_line():
    folder().mkdir()
    (folder() / "measurements.jsonl").write_text("garbage\n")
    run(*SHORT, "--budget=3s", "--resume", "--out", folder()).says(2, "measurements.jsonl:1")
    assert (folder() / "measurements.jsonl").read_text() == "garbage\n"


def test_holdout_needs_a_table_of_this_device():
    missing = folder("missing.json")
    run("calibrate", "holdout", "--gpu=cpu", "--table", missing).says(2, "missing.json")
    torn = folder("torn.json")
    torn.write_text('{"schema_version": 1, "gpu_sp')
    run("calibrate", "holdout", "--gpu=cpu", "--table", torn).says(2, "torn.json")
    torn.write_text('{"foreign": true}')
    run("calibrate", "holdout", "--gpu=cpu", "--table", torn).says(2, "torn.json")
    run("calibrate", "holdout", "--gpu=cpu").says(2, "--table")


def test_holdout_refuses_another_devices_table_and_measures_its_own():
    calibrate_briefly()
    path = folder() / "delay_factors.json"
    csv = folder("holdout.csv")
    run("calibrate", "holdout", "--gpu=cpu", "--table", path, "--shapes=3", "--out", csv).says(0)
    rows = csv.read_text().splitlines()
    assert rows[0].startswith("op,dtype,implementation,"), rows
    assert len(rows) == 4, rows
    seen = {tuple(map(str, one["dims"].values()))
            for one in measurements(folder() / "measurements.jsonl")}
    header = rows[0].split(",")
    for row in rows[1:]:
        cells = dict(zip(header, row.split(",")))
        assert (cells["rows"], cells["cols"]) not in seen, "a shape of the sweep was held out"
        assert float(cells["latency_us"]) > 0, row
    table = path.read_text()
    name = json.loads((folder() / "ceilings.json").read_text())["device"]
    foreign = folder("foreign.json")
    foreign.write_text(table.replace(json.dumps(name), '"Other GPU"'))
    run("calibrate", "holdout", "--gpu=cpu", "--table", foreign).says(2, "Other GPU")


if __name__ == "__main__":
    commands.main(globals())
