"""The command `roofline`: bad input, a whole quick run, and what it leaves."""
import json

import commands
from commands import run

BRIEF = ("roofline", "--gpu=cpu", "--quick", "--budget=4s", "--no-charts")


def folder(name="results"):
    return commands.options.scratch / name


def test_bad_budget():
    for budget in ("abc", "0", "-5", "nan"):
        run("roofline", "--gpu=cpu", f"--budget={budget}", "--out", folder()).says(
            2, "--budget", "90s")
    assert not (folder() / "ceilings.json").exists()


def test_missing_gpu_is_exit_code_3():
    run("roofline", "--gpu=t4", "--out", folder()).says(3, "--gpu t4")
    run("roofline", "--gpu=quantum9000", "--out", folder()).says(2, "quantum9000")
    assert not folder().exists()


def test_output_that_cannot_be_written_is_said_before_measuring():
    folder().write_text("in the way")
    run(*BRIEF, "--out", folder()).says(1, str(folder()))
    assert folder().read_text() == "in the way"


def test_quick_run_leaves_ceilings():
    done = run(*BRIEF, "--out", folder())
    done.says(0)
    wide = [line for line in done.out.splitlines()
            if len(line) > 80 and not line.startswith(("note:", "ceilings:"))]
    assert not wide, wide
    ceilings = json.loads((folder() / "ceilings.json").read_text())
    assert ceilings["schema_version"] == 2
    values = ceilings["values"]
    for key in ("dram.read", "dram.write", "dram.copy", "dram.mix_3:1", "vector.f32", "matrix.f32",
                "launch.stream", "latency.dram", "clock"):
        assert values[key]["value"] > 0, key
        assert values[key]["method"], key
    assert values["vector.f32"]["value"] <= values["matrix.f32"]["value"] * 1.5
    assert values["latency.dram"]["value"] > 1e-9
    assert {"working_set.read", "mix", "latency"} <= {s["key"] for s in ceilings["sweeps"]}
    for sweep in ceilings["sweeps"]:
        xs = [x for x, _ in sweep["points"]]
        assert xs == sorted(xs) and len(xs) > 1, sweep["key"]
        assert sweep["x"]["unit"] and sweep["y"]["unit"], sweep
    sizes = [level["bytes"] for level in ceilings["levels"]]
    assert sizes == sorted(sizes), sizes
    for ridge in ceilings["ridge_points"]:
        roof = values[ridge["pipe"]]["value"] / values[ridge["level"] + ".read"]["value"]
        assert abs(ridge["intensity"] / roof - 1) < 1e-6, ridge
    assert ceilings["provenance"]["command_line"].startswith("roofline")
    assert not list(folder().glob("*.tmp")) and not list(folder().glob("*.probe"))


def test_json_goes_to_standard_output():
    done = run(*BRIEF, "--json", "--out", folder())
    done.says(0)
    assert done.json()["device"] == json.loads((folder() / "ceilings.json").read_text())["device"]


def test_profile_and_calibrate_read_them():
    run(*BRIEF, "--out", folder()).says(0)
    done = run("profile", "--gpu=cpu", "--ceilings", folder() / "ceilings.json", "--call",
               "rmsnorm rows=8 cols=1024 f32", "--benchmark_format=json")
    done.says(0)


if __name__ == "__main__":
    commands.main(globals())
