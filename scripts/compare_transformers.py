#!/usr/bin/env python3
"""Times Hugging Face Transformers on this machine: whole models with random weights, static batches.

    compare_transformers.py --csv requests.csv [--models llama-3.2-1b,llama-3.1-8b] [--static-cache]
                            [--compile] [--device cpu --layers 1 --prompts 16 --batches 1]

Each row is a prompt length with a batch size: forward passes with a key/value cache and an argmax,
without generate() and what it adds to each token. Times are between CUDA events (on a CPU of the
clock), the GPU's queue never waited for in between; medians of the repeats behind the warm-up.
Beside requests.csv lies requests.provenance.json: versions, clocks, and every sample. To use it:

    predict validate --csv requests.csv --engine transformers [--table delay_factors.json]
    predict fit-engine --csv requests.csv --out mine.json

Exit codes: 0 done, 1 nothing measured, 2 wrong use or bad input, 3 device missing.
"""
import argparse
import contextlib
import json
import pathlib
import platform
import subprocess
import sys
import time

import request_rows
from request_rows import BadInput, Row

DTYPES = {"bf16": "bfloat16", "fp16": "float16", "fp32": "float32"}
SOURCE, FRAMEWORK = "compare_transformers", "transformers"
CLOCKS = ("clocks.sm", "clocks.mem", "clocks.max.sm", "power.draw", "power.limit", "temperature.gpu",
          "clocks_throttle_reasons.active")


class DeviceMissing(Exception):
    pass


def arguments(words):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--csv", type=pathlib.Path, required=True, metavar="FILE",
                        help="where rows go; FILE's name with .provenance.json is written beside it")
    parser.add_argument("--models", default="llama-3.2-1b,llama-3.1-8b",
                        help="bundled names or config.json files (llama-3.2-1b,llama-3.1-8b)")
    parser.add_argument("--device", default="cuda", help="cuda, cuda:1 … or cpu (cuda)")
    parser.add_argument("--dtype", choices=sorted(DTYPES),
                        help="bf16; fp16 on GPUs older than Ampere, fp32 on a CPU")
    parser.add_argument("--layers", type=int, metavar="N", help="of each model, the first N only")
    parser.add_argument("--prompts", default="128,512,2048", help="tokens (128,512,2048)")
    parser.add_argument("--batches", default="1,4,16", help="prompts at once (1,4,16)")
    parser.add_argument("--output", type=int, default=32, help="tokens of each answer (32)")
    parser.add_argument("--repeats", type=int, default=5, help="timed requests of a row (5)")
    parser.add_argument("--static-cache", action="store_true", help="a cache of fixed size")
    parser.add_argument("--compile", action="store_true",
                        help="decode steps by torch.compile, in CUDA graphs; with a static cache")
    parser.add_argument("--seconds", type=float, default=280, help="time limit (280)")
    options = parser.parse_args(words)
    options.prompts = request_rows.whole_numbers("--prompts", options.prompts)
    options.batches = request_rows.whole_numbers("--batches", options.batches)
    for flag, value, least in (("--output", options.output, 2), ("--repeats", options.repeats, 1),
                               ("--layers", options.layers, 1)):
        if value is not None and value < least:
            raise BadInput(f"{flag} {value}: want {least} or more")
    kind, _, number = options.device.partition(":")
    if kind not in ("cuda", "cpu") or (number and not (kind == "cuda" and number.isdecimal())):
        raise BadInput(f"--device {options.device}: want cuda, cuda:N or cpu")
    if not options.csv.parent.is_dir():
        raise BadInput(f"{options.csv.parent}: is no folder; make it, or name another with --csv")
    options.models = options.models.split(",")
    for model in options.models:
        layers = request_rows.config_of(model)["num_hidden_layers"]
        if options.layers and options.layers > layers:
            raise BadInput(f"--layers {options.layers}: {model} has {layers}")
    options.static_cache |= options.compile
    return options


class Events:
    """Marks on the GPU's own time line."""

    def __init__(self, torch):
        self.torch = torch

    def mark(self):
        event = self.torch.cuda.Event(enable_timing=True)
        event.record()
        return event

    def finish(self):
        self.torch.cuda.synchronize()

    def seconds(self, begin, end):
        return begin.elapsed_time(end) / 1e3


class WallClock:
    """Of a CPU, which has no queue."""

    def mark(self):
        return time.perf_counter()

    def finish(self):
        pass

    def seconds(self, begin, end):
        return end - begin


def open_device(torch, options):
    """Its name, dtype and clock."""
    if options.device == "cpu":
        return cpu_name(), options.dtype or "fp32", WallClock()
    if not torch.cuda.is_available():
        raise DeviceMissing("PyTorch finds no CUDA device; to try it without one: --device cpu "
                            "--layers 1 --prompts 16 --batches 1")
    index = torch.device(options.device).index or 0
    if index >= torch.cuda.device_count():
        raise DeviceMissing(f"--device {options.device}: there are {torch.cuda.device_count()}")
    torch.cuda.set_device(index)
    newer = torch.cuda.get_device_capability(index) >= (8, 0)
    return (torch.cuda.get_device_name(index), options.dtype or ("bf16" if newer else "fp16"),
            Events(torch))


def cpu_name():
    with contextlib.suppress(OSError):
        for line in pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip().replace(",", " ")
    return platform.processor() or platform.machine()


def smi(options, fields):
    """What nvidia-smi says of the GPU, as it says it; nothing without one."""
    if options.device == "cpu":
        return {}
    try:
        said = subprocess.run(
            ["nvidia-smi", f"--id={options.device.partition(':')[2] or 0}",
             f"--query-gpu={','.join(fields)}", "--format=csv,noheader"], check=True, text=True,
            capture_output=True, timeout=20).stdout.splitlines()[0]
        return dict(zip(fields, (v.strip() for v in said.split(",")), strict=True))
    except (OSError, subprocess.SubprocessError, ValueError, IndexError) as e:
        return {"unknown": str(e)}


def build(torch, transformers, config, dtype, device):
    """The model with random weights, on the device."""
    config = {**config, "torch_dtype": DTYPES[dtype]}
    made = transformers.AutoConfig.for_model(config.pop("model_type"), **config)
    wanted = getattr(torch, DTYPES[dtype])
    before = torch.get_default_dtype()
    torch.set_default_dtype(wanted)
    try:
        with torch.device(device):
            model = transformers.AutoModelForCausalLM.from_config(made, attn_implementation="sdpa")
    finally:
        torch.set_default_dtype(before)
    return model.to(wanted).eval()


def static_cache(transformers, model, batch, length, device, dtype):
    """Older versions want the sizes that newer ones take from the first call."""
    more = {"max_batch_size": batch, "device": device, "dtype": dtype}
    try:
        return transformers.StaticCache(config=model.config, max_cache_len=length, **more)
    except TypeError:
        return transformers.StaticCache(config=model.config, max_cache_len=length)


class Measured:
    """One model: a request of a batch, timed."""

    def __init__(self, torch, transformers, model, clock, options):
        self.torch, self.transformers, self.model = torch, transformers, model
        self.clock, self.options = clock, options
        self.step = (torch.compile(model.forward, mode="reduce-overhead") if options.compile
                     else model.forward)

    def new_cache(self, batch, prompt):
        if not self.options.static_cache:
            return self.transformers.DynamicCache()
        return static_cache(self.transformers, self.model, batch, prompt + self.options.output,
                            self.options.device, self.model.dtype)

    def request(self, prompt, cache):
        """TTFT, mean of the other steps, and all of it, in seconds."""
        marks = [self.clock.mark()]
        token = self.token(self.model.forward, prompt, cache, 0)
        marks.append(self.clock.mark())
        for made in range(self.options.output - 1):
            token = self.token(self.step, token, cache, prompt.shape[1] + made)
        marks.append(self.clock.mark())
        self.clock.finish()
        first, rest, total = (self.clock.seconds(marks[a], marks[b])
                              for a, b in ((0, 1), (1, 2), (0, 2)))
        return first, rest / (self.options.output - 1), total

    def token(self, forward, ids, cache, past):
        places = self.torch.arange(past, past + ids.shape[1], device=ids.device)
        out = forward(input_ids=ids, past_key_values=cache, use_cache=True, logits_to_keep=1,
                      position_ids=places.expand(ids.shape[0], -1))
        return out.logits[:, -1:].argmax(-1)

    def row(self, prompt, batch):
        """Samples of TTFT, TPOT and total, one a repeat."""
        ids = self.torch.randint(0, self.model.config.vocab_size, (batch, prompt),
                                 device=self.options.device)
        cache = self.new_cache(batch, prompt)
        samples = []
        warm_up = 3 if self.options.compile else 2
        with self.torch.no_grad():
            for repeat in range(warm_up + self.options.repeats):
                if not self.options.static_cache:
                    cache = self.new_cache(batch, prompt)
                elif repeat:
                    cache.reset()
                self.clock.finish()
                taken = self.request(ids, cache)
                if repeat >= warm_up:
                    samples.append(taken)
        return tuple(zip(*samples, strict=True))


def provenance(torch, transformers, options, words):
    return {"schema_version": 1, "command_line": " ".join(["compare_transformers.py", *words]),
            "begun": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "versions": {"python": platform.python_version(), "torch": torch.__version__,
                         "cuda": torch.version.cuda, "transformers": transformers.__version__},
            "threads": torch.get_num_threads(), "machine": platform.platform(),
            "gpu": smi(options, ("name", "uuid", "driver_version", "memory.total", "ecc.mode.current",
                                 "mig.mode.current")),
            "rows": [], "skipped": []}


def notes_of(options):
    return ("static batch", "random weights", "loop=forward", "attention=sdpa",
            f"cache={'static' if options.static_cache else 'dynamic'}",
            f"compile={'reduce-overhead' if options.compile else 'no'}",
            f"clock={'wall' if options.device == 'cpu' else 'events'}")


def told(row):
    ttft, tpot, total = (request_rows.median(s) * 1e3 for s in (row.ttft_s, row.tpot_s, row.total_s))
    return (f"{row.input:>7} in x{row.batch:<4} TTFT {ttft:9.2f} ms   TPOT {tpot:8.3f} ms   "
            f"total {total:9.1f} ms")


def run(torch, transformers, options, words):
    """Exit code. Files are written anew with each row, so that a run that is killed leaves those it
    had."""
    gpu, dtype, clock = open_device(torch, options)
    about, rows = provenance(torch, transformers, options, words), []
    deadline = time.monotonic() + options.seconds
    print(f"{gpu}, {dtype}, torch {torch.__version__}, transformers {transformers.__version__}")
    for name in options.models:
        config, model = request_rows.config_of(name), name
        if options.layers:
            config, model = request_rows.shortened(config, options.layers, name, options.csv)
        print(model)
        for found in measured_rows(torch, transformers, options, config, dtype, clock, deadline):
            if isinstance(found, str):
                print(f"  {found}", file=sys.stderr)
                about["skipped"].append(f"{model}: {found}")
                continue
            prompt, batch, samples = found
            rows.append(Row(gpu, model, dtype, prompt, options.output, batch, *samples,
                            notes_of(options)))
            about["rows"].append({**rows[-1].samples(), "after": smi(options, CLOCKS)})
            print(told(rows[-1]), flush=True)
            request_rows.write(options.csv, request_rows.text_of(rows, SOURCE, FRAMEWORK))
            request_rows.write(options.csv.with_suffix(".provenance.json"),
                               json.dumps(about, indent=1) + "\n")
    print(f"{len(rows)} rows: {options.csv}" if rows else "nothing was measured")
    return 0 if rows else 1


def measured_rows(torch, transformers, options, config, dtype, clock, deadline):
    """Prompt, batch and samples of each row, or why there are none of it."""
    out_of_memory = getattr(torch, "OutOfMemoryError", None) or torch.cuda.OutOfMemoryError
    try:
        measured = Measured(torch, transformers,
                            build(torch, transformers, config, dtype, options.device), clock, options)
    except out_of_memory:
        yield "skipped: its weights do not fit in memory"
        return
    for prompt in options.prompts:
        for batch in options.batches:
            if time.monotonic() > deadline:
                yield f"skipped: {prompt} in x{batch}: the time limit is reached"
                continue
            try:
                yield prompt, batch, measured.row(prompt, batch)
            except out_of_memory:
                yield f"skipped: {prompt} in x{batch}: does not fit in memory"
                torch.cuda.empty_cache()


def main(words):
    try:
        options = arguments(words)
        try:
            import torch
            import transformers
        except ImportError as missing:
            print(f"error: {missing}; pip install torch transformers", file=sys.stderr)
            return 1
        return run(torch, transformers, options, words)
    except BadInput as e:
        print(f"error: {e}", file=sys.stderr)
        return 2
    except DeviceMissing as e:
        print(f"error: {e}", file=sys.stderr)
        return 3


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
