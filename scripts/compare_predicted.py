#!/usr/bin/env python3
"""Runs whole models by speed_benchmark on this machine, and holds its own table's predictions to them.

    compare_predicted.py --table results/DEVICE/delay_factors.json [--device auto] [--bin build/bin]
                         [--quick] [--out FILE.json]

Twelve configurations: three shapes (on a CPU with few layers, so that they fit and end in minutes),
each at four prompts, outputs and batches. Nothing is fitted: the table comes from `calibrate`, which
measures kernels one by one. Prints each error, and the median of their sizes for TTFT, TPOT and
total. Exit codes: 0 done, 1 failed, 2 wrong use.
"""
import argparse
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[1]
# Model and layers: all of them on a GPU.
SHAPES = (("llama-3.2-1b", 8), ("qwen2.5-7b", 2), ("llama-3.1-8b", 2))
# Prompt, output, batch.
CONFIGURATIONS = ((32, 32, 1), (128, 16, 4), (512, 16, 1), (256, 16, 8))
TIMES = ("ttft", "tpot", "total")


def run(options, model, layers, configuration, scratch):
    prompt, output, batch = configuration
    words = [options.bin / "speed_benchmark", "--device", options.device, "--model-name", model,
             "--prompt-lengths", prompt, "--max-gen-len", output, "--batch", batch, "--repeats", 3,
             "--validate", "--table", options.table, "--output-dir", scratch, "--json"]
    if options.few_layers:
        words += ["--layers", layers]
    done = subprocess.run([str(w) for w in words], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"error: speed_benchmark failed on {model}:\n{done.stderr}")
    return json.loads(done.stdout)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--table", type=pathlib.Path, required=True)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--bin", type=pathlib.Path, default=ROOT / "build/bin")
    parser.add_argument("--quick", action="store_true", help="the first configuration of each shape")
    parser.add_argument("--out", type=pathlib.Path, help="JSON of all results")
    options = parser.parse_args()
    if not options.table.is_file():
        parser.error(f"--table {options.table}: is no file; `calibrate` makes one")
    table = json.loads(options.table.read_text("utf-8"))
    options.few_layers = table["device"]["kind"] == "cpu"
    found = []
    print(f"{'model':<26} {'in':>5} {'out':>4} {'batch':>5}  {'TTFT':>7} {'TPOT':>7} {'total':>7}"
          f"  {'explained':>9}")
    with tempfile.TemporaryDirectory() as scratch:
        for model, layers in SHAPES:
            for configuration in CONFIGURATIONS[:1 if options.quick else None]:
                result = run(options, model, layers, configuration, scratch)
                one = result["validation"][0]
                found.append({"model": result["model"]["name"], "prompt": configuration[0],
                              "output": configuration[1], "batch": configuration[2], **one})
                errors = "".join(f" {100 * one[t]['error']:+6.1f}%" for t in TIMES)
                share = min(one["explained_prefill"], one["explained_decode"])
                print(f"{result['model']['name']:<26} {configuration[0]:>5} {configuration[1]:>4} "
                      f"{configuration[2]:>5} {errors}  {100 * share:>8.1f}%", flush=True)
    medians = [statistics.median(abs(f[t]["error"]) for f in found) for t in TIMES]
    inside = [statistics.mean(f[t]["inside"] for f in found) for t in TIMES]
    print(f"{'median error':<44}" + "".join(f" {100 * m:6.1f}%" for m in medians))
    print(f"{'inside the interval':<44}" + "".join(f" {100 * i:6.0f}%" for i in inside))
    if options.out:
        options.out.write_text(json.dumps(found, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
