"""`simulate` as a user runs it: runs, searches, files, wrong use."""
import csv
import io
import json

import commands
from commands import run

SMALL = ("--model", "llama-3.1-8b", "--gpu", "h100", "--rate", "5", "--requests", "300",
         "--output", "40")


def write(name, text):
    path = commands.options.scratch / name
    path.write_text(text, encoding="utf-8")
    return path


def test_a_run_is_told_in_words_and_in_numbers():
    told = run("simulate", *SMALL).says(0)
    assert "time to first token" in told.out and "keeps up" in told.out
    assert all(len(line) <= 80 for line in told.out.splitlines())
    numbers = run("simulate", *SMALL, "--json").says(0).json()
    assert numbers["finished"] == 300 and numbers["tokens_out"] == 300 * 40
    assert numbers["ttft_s"]["p50"] <= numbers["ttft_s"]["p99"]


def test_a_band_holds_its_run():
    numbers = run("simulate", *SMALL, "--json", "--band").says(0).json()
    fast, slow = numbers["band"]["if_fast"], numbers["band"]["if_slow"]
    assert numbers["band"]["fast_factor"] < 1 < numbers["band"]["slow_factor"]
    assert fast["tpot_p50_s"] < numbers["tpot_s"]["p50"] < slow["tpot_p50_s"]
    assert fast["latency_p50_s"] < numbers["latency_s"]["p50"] < slow["latency_p50_s"]
    told = run("simulate", *SMALL, "--engine", "kernels", "--band").says(0).out
    assert "interval of the mean decode step" in told
    assert all(len(line) <= 80 for line in told.splitlines())


def test_its_files_agree():
    files = ("--requests-csv", "r.csv", "--series-csv", "s.csv", "--trace", "t.json", "--out", "o.txt")
    assert run("simulate", *SMALL, *files).says(0).out == ""
    folder = commands.options.scratch
    requests = list(csv.DictReader((folder / "r.csv").open(encoding="utf-8")))
    assert len(requests) == 300
    ends = max(float(r["finish_s"]) for r in requests)
    events = json.loads((folder / "t.json").read_text(encoding="utf-8"))["traceEvents"]
    steps = [e for e in events if e["ph"] == "X"]
    assert abs(max(e["ts"] + e["dur"] for e in steps) / 1e6 - ends) < 1e-3
    assert sum(e["args"]["prompt_tokens"] for e in steps) == 300 * 512
    assert all(a["ts"] + a["dur"] <= b["ts"] + 1e-3 for a, b in zip(steps, steps[1:]))
    assert list(csv.DictReader((folder / "s.csv").open(encoding="utf-8")))


def test_yaml_and_json_are_the_same_run():
    config = {"model": "llama-3.1-8b", "gpu": "h100", "engine": "vllm-serving",
              "workload": {"arrivals": {"kind": "gamma", "rate_per_s": 6, "variation": 2},
                           "output": {"kind": "uniform", "low": 5, "high": 50}, "requests": 200}}
    as_json = run("simulate", "--config", write("c.json", json.dumps(config)), "--json").says(0)
    text = """# a comment
model: llama-3.1-8b
gpu: "h100"
engine: vllm-serving
workload:
  arrivals: {kind: gamma, rate_per_s: 6, variation: 2}
  output: {kind: uniform, low: 5, high: 50}
  requests: 200
"""
    as_yaml = run("simulate", "--config", write("c.yaml", text), "--json").says(0)
    assert as_json.json() == as_yaml.json()
    changed = run("simulate", "--config", write("c.yaml", text), "--json", "--set",
                  "workload.seed=2").says(0)
    assert changed.json() != as_yaml.json()


def test_a_trace_beside_its_config():
    write("requests.csv", "arrival_s,input_tokens,output_tokens\n0,100,10\n0.5,200,20\n")
    text = "{model: llama-3.1-8b, gpu: h100, workload: {trace: requests.csv}}"
    assert run("simulate", "--config", write("c.yaml", text), "--json").says(0).json()[
        "tokens_out"] == 30


def test_wrong_use_is_code_2():
    run("simulate").says(2, "--model and --gpu")
    run("simulate", *SMALL, "--set", "workload.arivals.kind=gamma").says(2, "arivals", "arrivals")
    run("simulate", *SMALL, "--set", "workload.arrivals.rate_per_s=-1").says(2, "rate_per_s")
    run("simulate", *SMALL, "--tp", "3").says(2)
    run("simulate", *SMALL, "--scheduler", "vlm").says(2, "vllm_v")
    run("simulate", "--model", "llama-3.1-8b", "--gpu", "t4").says(2, "does not fit", "would fit")
    run("simulate", "--config", write("bad.yaml", "model: [1\n")).says(2, "bad.yaml:")
    run("simulate", "--config", "missing.json").says(2, "missing.json")
    run("simulate", "capacity", *SMALL).says(2, "--ttft-limit")
    run("simulate", "sweep", *SMALL, "--vary", "gpu", "--out", "x.jsonl").says(2, "key=value")
    run("simulate", "validate").says(2, "--rows")
    write("file", "")
    run("simulate", *SMALL, "--out", "file/o.txt").says(1, "file/o.txt")


def test_nothing_completed_is_warned_of():
    told = run("simulate", *SMALL, "--set", "stop_s=0.1").says(0)
    assert "warning" in told.out


def test_capacity_and_batches():
    found = run("simulate", "capacity", *SMALL, "--tpot-limit", "15ms", "--json").says(0).json()
    assert found["rate_per_s"] > 0
    assert any(p["keeps"] for p in found["points"])
    assert "requests/s of" in run("simulate", "capacity", *SMALL, "--tpot-limit", "15ms").out
    best = run("simulate", "find-batch", *SMALL, "--most", "64", "--json").says(0).json()
    assert [c["max_sequences"] for c in best["choices"]] == [1, 2, 4, 8, 16, 32, 64]


def test_a_sweep_goes_on():
    arguments = ("sweep", *SMALL, "--vary", "workload.arrivals.rate_per_s=2,4", "--vary",
                 "gpu=h100,t4", "--out", "sweep.jsonl")
    first = run("simulate", *arguments).says(0)
    assert "not beaten" in first.out and "rate_per_s" in first.out
    file = commands.options.scratch / "sweep.jsonl"
    lines = file.read_text(encoding="utf-8")
    assert run("simulate", *arguments).says(0).out == first.out
    assert file.read_text(encoding="utf-8") == lines
    points = [json.loads(line) for line in lines.splitlines()]
    assert sum("error" in p for p in points) == 2  # a T4 does not hold it
    assert sum("summary" in p for p in points) == 2


def test_validation_against_itself():
    """What was simulated, given as if it had been measured, is off by rounding alone."""
    run("simulate", *SMALL, "--requests-csv", "r.csv").says(0)
    rows = csv.DictReader((commands.options.scratch / "r.csv").open(encoding="utf-8"))
    out = io.StringIO()
    out.write("arrival_s,input_tokens,output_tokens,first_token_s,last_token_s\n")
    for r in rows:
        out.write(f"{r['arrival_s']},{r['input_tokens']},{r['output_tokens']},"
                  f"{r['first_token_s']},{r['finish_s']}\n")
    told = run("simulate", "validate", *SMALL[:4], "--served", write("m.csv", out.getvalue()))
    told.says(0)
    errors = [float(line.split()[-2]) for line in told.out.splitlines() if line.endswith("%")]
    assert len(errors) == 4 and all(abs(e) < 0.2 for e in errors), told.out


def test_validation_of_closed_loops():
    head = ("gpu,gpus,pp,framework,model,dtype,input_tokens,output_tokens,batch,measured_ttft_ms,"
            "measured_tpot_ms,notes\n")
    text = head + ("h100,1,1,vllm,llama-3.1-8b,bf16,512,64,8,100,10,\n"
                   "h100,1,1,vllm,llama-3.1-8b,bf16,512,64,8,100,10,suspect=too fast\n"
                   "h100,1,1,vllm,llama-9.9-8b,bf16,512,64,8,100,10,\n")
    told = run("simulate", "validate", "--rows", write("rows.csv", text)).says(0)
    assert "vllm llama-3.1-8b 1 x h100" in told.out
    assert "1 rows were not asked for" in told.out
    assert "line 4 cannot be simulated" in told.out and "llama-9.9-8b" in told.out


if __name__ == "__main__":
    commands.main(globals())
