"""scripts/compare_transformers.py where there is neither a GPU nor PyTorch: what it refuses, and the
rows that it writes, in predict's hands. The times here are made up and stay in the scratch folder."""
import csv
import json
import os
import pathlib
import subprocess
import sys

import commands
from commands import main

SCRIPTS = pathlib.Path(__file__).resolve().parents[2] / "scripts"
sys.path.insert(0, str(SCRIPTS))
import compare_transformers  # noqa: E402
import request_rows  # noqa: E402


def scratch(name=""):
    return commands.options.scratch / name


def script(*flags, torch="raise ImportError('there is no torch')\n"):
    """With a made-up module `torch`, whatever this machine has."""
    folder = scratch("modules")
    folder.mkdir(exist_ok=True)
    (folder / "torch.py").write_text(torch, encoding="utf-8")
    (folder / "transformers.py").write_text("__version__ = '0'\n", encoding="utf-8")
    return commands.Result(subprocess.run(
        [sys.executable, SCRIPTS / "compare_transformers.py", *map(str, flags)], check=False,
        text=True, capture_output=True, timeout=60, cwd=scratch(),
        env={**os.environ, "PYTHONPATH": str(folder)}))


def row(batch=1, prompt=128, scale=1.0, model="llama-3.2-1b", **more):
    times = {"ttft_s": (0.03, 0.02, 0.04), "tpot_s": (0.006, 0.005, 0.0055),
             "total_s": (0.2, 0.21, 0.19)}
    times = {name: tuple(scale * t for t in samples) for name, samples in times.items()}
    return request_rows.Row("NVIDIA H200", model, "bf16", prompt, 32, batch,
                            **{**times, "notes": ("static batch", "loop=forward"), **more})


def write(rows):
    path = scratch("requests.csv")
    request_rows.write(path, request_rows.text_of(rows, "made", "transformers"))
    return path


def refused(make, *texts):
    try:
        make()
    except (ValueError, request_rows.BadInput) as error:
        assert all(t in str(error) for t in texts), error
        return
    raise AssertionError("was not refused")


def test_rows_have_the_documented_columns_and_medians():
    with write([row(), row(4, ttft_s=(1.0, 3.0), tpot_s=(1.0, 1.0), total_s=(2.0, 5.0))]).open(
            encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))
    assert tuple(lines[0]) == ("source", "gpu", "gpus", "pp", "framework", "model", "dtype",
                               "input_tokens", "output_tokens", "batch", "measured_ttft_ms",
                               "measured_tpot_ms", "measured_total_ms", "repeats", "notes")
    assert [lines[0][f"measured_{t}_ms"] for t in ("ttft", "tpot", "total")] == ["30", "5.5", "200"]
    assert lines[1]["measured_ttft_ms"] == "2000" and lines[1]["repeats"] == "2"
    assert lines[0]["notes"] == "static batch;loop=forward"
    assert list(scratch().iterdir()) == [scratch("requests.csv")], "something else is left"


def test_predict_takes_the_rows():
    path = write([row(b, p) for b in (1, 4) for p in (128, 512, 2048)])
    said = commands.run("predict", "validate", "--csv", path, "--engine", "transformers", "--json")
    found = said.says(0).json()
    assert len(found["rows"]) == 6 and found["statistics"]["all"]["ttft"]["count"] == 6
    assert abs(found["rows"][0]["ttft"]["measured_ms"] - 30) < 1e-9
    fitted = commands.run("predict", "fit-engine", "--csv", path, "--out", scratch("mine.json"))
    # What is written where is one line, however long its name.
    lines = [line for line in fitted.says(0).out.splitlines() if "written to" not in line]
    assert lines and all(len(line) <= 80 for line in lines), fitted.out
    profile = json.loads(scratch("mine.json").read_text(encoding="utf-8"))
    assert profile["name"] == "transformers" and len(profile["fitted_rows"]) == 7
    again = commands.run("predict", "validate", "--csv", path, "--engine", scratch("mine.json"))
    again.says(0)


def test_fewer_layers_are_another_model():
    """predict reads the shortened config beside the rows, and answers with less time."""
    config = request_rows.config_of("llama-3.2-1b")
    short, path = request_rows.shortened(config, 2, "llama-3.2-1b", scratch("requests.csv"))
    assert short["num_hidden_layers"] == 2 and config["num_hidden_layers"] > 2
    said = commands.run("predict", "validate", "--csv", write([row(), row(model=path)]), "--json")
    whole, part = (r["ttft"]["predicted_ms"] for r in said.says(0).json()["rows"])
    assert part < whole


def test_rows_that_are_no_measurements_are_refused():
    nan = float("nan")
    for times in ({"ttft_s": ()}, {"tpot_s": (0.1, 0.1)}, {"total_s": (1.0, nan, 1.0)},
                  {"tpot_s": (0.0, 0.1, 0.1)}, {"ttft_s": (-1.0, 1.0, 1.0)}):
        refused(lambda times=times: row(**times), next(iter(times)))
    for text in ("a,b", "a;b", 'a"b', "a\nb"):
        refused(lambda text=text: row(notes=(text,)), "no comma")
        refused(lambda text=text: row(model=text), "no comma")


def test_what_cannot_be_written_is_told_and_leaves_nothing():
    refused(lambda: request_rows.write(scratch("none") / "a.csv", "x"), "none/a.csv", "--csv")
    scratch("folder").mkdir()
    refused(lambda: request_rows.write(scratch("folder"), "x"), "cannot be written")
    assert [p.name for p in scratch().iterdir()] == ["folder"]


def test_wrong_use_is_told_before_torch_is_loaded():
    (scratch("torn.json")).write_text('{"model_type": "llama"', encoding="utf-8")
    (scratch("empty.json")).write_text("{}", encoding="utf-8")
    cases = [("--models llama-9", "'llama-9' is not bundled", "llama-3.2-1b"),
             ("--models torn.json", "torn.json", "no config.json"),
             ("--models empty.json", "empty.json", "num_hidden_layers"),
             ("--models no.json", "no.json", "cannot be read"),
             ("--layers 0", "--layers 0: want 1"), ("--layers 99", "--layers 99: llama-3.2-1b has 16"),
             ("--prompts 0", "--prompts 0"), ("--prompts 1,x", "--prompts 1,x"),
             ("--batches 4,4", "each once"), ("--batches -1", "--batches"),
             ("--output 1", "--output 1: want 2"), ("--repeats 0", "--repeats 0: want 1"),
             ("--device gpu", "--device gpu: want cuda, cuda:N or cpu"),
             ("--device cpu:1", "--device cpu:1"), ("--dtype int8", "--dtype"),
             ("--csv none/a.csv", "none", "is no folder")]
    for flags, *says in cases:
        script("--csv", "a.csv", *flags.split()).says(2, *says)
    script().says(2, "--csv")
    assert not scratch("a.csv").exists()


def test_what_is_missing_is_told():
    script("--csv", "a.csv").says(1, "there is no torch", "pip install torch transformers")
    no_gpu = ("__version__ = '0'\nclass cuda:\n    @staticmethod\n"
              "    def is_available(): return False\n")
    script("--csv", "a.csv", torch=no_gpu).says(3, "no CUDA device", "--device cpu")
    assert not scratch("a.csv").exists() and not scratch("a.provenance.json").exists()


class FakeClock:
    now = 0.0

    def mark(self):
        return self.now

    def finish(self):
        pass

    def seconds(self, begin, end):
        return end - begin


class FakeModel(compare_transformers.Measured):
    """Takes 4 s for a prompt and 0.5 s for a token."""

    def __init__(self, output):  # pylint: disable=super-init-not-called
        self.clock, self.contexts = FakeClock(), []
        self.options = compare_transformers.arguments(
            ["--csv", str(scratch("a.csv")), "--output", str(output)])
        self.model, self.step = type("Model", (), {"forward": "prompt"}), "token"

    def token(self, forward, ids, cache, past):
        self.clock.now += 4 if forward == "prompt" else 0.5
        self.contexts.append(past)
        return ids


def test_each_token_is_one_pass_and_times_add_up():
    model = FakeModel(9)
    prompt = type("Ids", (), {"shape": (2, 100)})()
    assert model.request(prompt, None) == (4.0, 0.5, 8.0)
    assert model.contexts == [0, *range(100, 108)], "each token sees those before it"


if __name__ == "__main__":
    main(globals())
