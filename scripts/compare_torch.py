#!/usr/bin/env python3
"""Times PyTorch on the shapes that Ridgepoint measured, on the same GPU, and prints both.

    compare_torch.py --measurements results/DEVICE/measurements.jsonl --csv OUT.csv
                     [--profiles FOLDER] [--seconds 200]

FOLDER holds JSON files of `profile --benchmark_out=…`; their calls are compared first.

Both sides are timed alike: back to back in a CUDA graph over rotating buffers that span at least
four times the L2 cache, on random values, with CUDA events around batches of at least 2 ms.
ratio = PyTorch's time / Ridgepoint's time: above 1, Ridgepoint's kernel is the faster one.
"""
import argparse
import csv
import json
import pathlib
import statistics
import sys
import time

import torch
import torch.nn.functional as F

DTYPES = {"bf16": torch.bfloat16, "f16": torch.float16, "f32": torch.float32}
# Most shapes of each operator that are compared, the largest first.
LIMITS = {"gemm": 24, "attention_decode": 6, "attention_prefill": 6}
DEFAULT_LIMIT = 3


def randn(dtype, *shape):
    return torch.randn(*shape, device="cuda", dtype=dtype)


def matrix(dims, dtype):
    a, w = randn(dtype, dims["m"], dims["k"]), randn(dtype, dims["n"], dims["k"])
    out = torch.empty(dims["m"], dims["n"], device="cuda", dtype=dtype)
    return lambda: torch.mm(a, w.t(), out=out)


def batched(dims, dtype):
    a, b = randn(dtype, dims["b"], dims["m"], dims["k"]), randn(dtype, dims["b"], dims["k"], dims["n"])
    out = torch.empty(dims["b"], dims["m"], dims["n"], device="cuda", dtype=dtype)
    return lambda: torch.bmm(a, b, out=out)


def rows_by_cols(function):
    """An operator of one tensor [rows, cols]."""

    def make(dims, dtype):
        x = randn(dtype, dims["rows"], dims["cols"])
        return lambda: function(x)

    return make


def binary(function):
    def make(dims, dtype):
        x, y = (randn(dtype, dims["rows"], dims["cols"]) for _ in range(2))
        out = torch.empty_like(x)
        return lambda: function(x, y, out=out)

    return make


def copy(dims, dtype):
    x = randn(dtype, dims["rows"], dims["cols"])
    out = torch.empty_like(x)
    return lambda: out.copy_(x)


def rmsnorm(dims, dtype):
    x, w = randn(dtype, dims["rows"], dims["cols"]), randn(dtype, dims["cols"])
    return lambda: F.rms_norm(x, (dims["cols"],), w, 1e-5)


def layernorm(dims, dtype):
    x = randn(dtype, dims["rows"], dims["cols"])
    w, b = randn(dtype, dims["cols"]), randn(dtype, dims["cols"])
    return lambda: F.layer_norm(x, (dims["cols"],), w, b)


def attention(dims, dtype, queries, keys, causal):
    q = randn(dtype, dims["batch"], dims["heads"], queries, dims["head_dim"])
    k, v = (randn(dtype, dims["batch"], dims["kv_heads"], keys, dims["head_dim"]) for _ in range(2))
    grouped = dims["heads"] != dims["kv_heads"]
    return lambda: F.scaled_dot_product_attention(q, k, v, is_causal=causal, enable_gqa=grouped)


def decode(dims, dtype):
    return attention(dims, dtype, 1, dims["context"], False)


def prefill(dims, dtype):
    # PyTorch aligns a causal mask at the top left, so only square ones mean the same.
    causal = bool(dims.get("causal", 1))
    if causal and dims["seq"] != dims["kv_len"]:
        raise NotImplementedError("causal with seq != kv_len means another mask in PyTorch")
    return attention(dims, dtype, dims["seq"], dims["kv_len"], causal)


MAKERS = {
    "gemm": matrix,
    "bmm": batched,
    "add": binary(torch.add),
    "mul": binary(torch.mul),
    "copy": copy,
    "silu": rows_by_cols(F.silu),
    "softmax": rows_by_cols(lambda x: torch.softmax(x, -1)),
    "rmsnorm": rmsnorm,
    "layernorm": layernorm,
    "attention_decode": decode,
    "attention_prefill": prefill,
}


def tensors_bytes(make, dims, dtype):
    """Device bytes that one set of arguments takes, and the set."""
    before = torch.cuda.memory_allocated()
    run = make(dims, dtype)
    return max(torch.cuda.memory_allocated() - before, 1), run


def median_seconds(make, dims, dtype):
    """The median time of one call, from 10 timed batches."""
    size, first = tensors_bytes(make, dims, dtype)
    first()
    l2 = getattr(torch.cuda.get_device_properties(0), "L2_cache_size", 64 << 20)
    sets = [first] + [make(dims, dtype) for _ in range(min(63, 4 * l2 // size))]
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):  # a graph must not record libraries setting themselves up
        for run in sets[:3] * 2:
            run()
    torch.cuda.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        for run in sets:
            run()
    begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))

    def batch(replays):
        begin.record()
        for _ in range(replays):
            graph.replay()
        end.record()
        end.synchronize()
        return begin.elapsed_time(end) / 1e3 / replays / len(sets)

    batch(1)
    replays = max(1, int(2e-3 / (batch(1) * len(sets))) + 1)
    return statistics.median(batch(replays) for _ in range(10))


def fingerprint(line):
    return (line["op"], line["dtype"], tuple(sorted(line["dims"].items())))


def ridgepoint_calls(path):
    """The fastest correct implementation of each call that PyTorch can run too, largest first."""
    best = {}
    with open(path, encoding="utf-8") as file:
        for number, text in enumerate(file, 1):
            try:
                line = json.loads(text)
            except json.JSONDecodeError:
                print(f"{path}:{number}: not a whole line of JSON, left out", file=sys.stderr)
                continue
            if line.get("status") != "ok" or line.get("op") not in MAKERS:
                continue
            if line["dtype"] not in DTYPES:
                continue
            known = best.get(fingerprint(line))
            if known is None or line["median_s"] < known["median_s"]:
                best[fingerprint(line)] = line
    return sorted(best.values(), key=lambda line: -line["median_s"])


def profiled_calls(folder):
    """Calls that `profile` timed, from Google Benchmark's JSON: "add/rows:1/cols:2/bf16/ridge/…"."""
    for path in sorted(pathlib.Path(folder).glob("*.json")):
        try:
            runs = json.loads(path.read_text(encoding="utf-8"))["benchmarks"]
        except (json.JSONDecodeError, KeyError) as error:
            print(f"{path}: not a whole output of profile ({error}), left out", file=sys.stderr)
            continue
        best = None
        for run in runs:
            parts = run["name"].split("/")
            if run.get("error_occurred") or parts[0] not in MAKERS or "p50_us" not in run:
                continue
            dims = dict(p.split(":") for p in parts[1:] if ":" in p and p.split(":")[1].isdigit())
            dims = {k: int(v) for k, v in dims.items() if k not in ("iterations", "repeats")}
            plain = [p for p in parts[1:] if ":" not in p]
            if len(plain) < 2 or plain[0] not in DTYPES:
                continue
            line = {"op": parts[0], "dims": dims, "dtype": plain[0], "implementation": plain[1],
                    "median_s": run["p50_us"] / 1e6}
            if best is None or line["median_s"] < best["median_s"]:
                best = line
        if best:
            yield best


def chosen(calls):
    """Of each operator and dtype, the largest calls; of gemm also some across the range."""
    groups = {}
    for line in calls:
        groups.setdefault((line["op"], line["dtype"]), []).append(line)
    for (op, dtype), lines in sorted(groups.items(), key=lambda g: (g[0][0] != "gemm", g[0])):
        limit = LIMITS.get(op, DEFAULT_LIMIT)
        if dtype == "f32" and len({d for o, d in groups if o == op}) > 1:
            limit = min(limit, 3)
        head = lines[: max(3, limit // 3)]
        rest = lines[len(head) :]
        step = max(1, len(rest) // max(1, limit - len(head)))
        yield from head[:limit] + rest[::step][: max(0, limit - len(head))]


# name, bytes moved per element of a [rows, 8192] bf16 tensor of 1 GiB
STREAMING = [("copy", 4), ("add", 6), ("rmsnorm", 4), ("softmax", 4)]


def streaming_rates():
    """PyTorch's bytes/s at 1 GiB a tensor: what memory-bound kernels can be held against."""
    dims = {"rows": 65536, "cols": 8192}
    for op, bytes_per_element in STREAMING:
        try:
            seconds = median_seconds(MAKERS[op], dims, torch.bfloat16)
        except (RuntimeError, NotImplementedError) as error:
            print(f"pytorch {op} at 1 GiB: {str(error).splitlines()[0]}")
            continue
        rate = dims["rows"] * dims["cols"] * bytes_per_element / seconds
        print(f"pytorch {op:10} bf16 1 GiB a tensor: {rate / 1e12:6.3f} TB/s")
        yield {"op": op, "dtype": "bf16", "dims": "rows=65536 cols=8192",
               "torch_us": f"{seconds * 1e6:.3f}", "torch_bytes_per_s": f"{rate:.4g}"}
        torch.cuda.empty_cache()


def compare(line):
    """One row: both times, their ratio, and FLOP/s for matrix products."""
    dims, dtype = line["dims"], line["dtype"]
    row = {"op": line["op"], "dtype": dtype, "implementation": line.get("implementation", ""),
           "dims": " ".join(f"{k}={v}" for k, v in dims.items()),
           "ridgepoint_us": f"{line['median_s'] * 1e6:.3f}"}
    try:
        torch.backends.cuda.matmul.allow_tf32 = False
        seconds = median_seconds(MAKERS[line["op"]], dims, DTYPES[dtype])
    except (RuntimeError, NotImplementedError) as error:
        row["note"] = str(error).splitlines()[0][:120]
        return row
    finally:
        torch.cuda.empty_cache()
    row["torch_us"] = f"{seconds * 1e6:.3f}"
    row["ratio"] = f"{seconds / line['median_s']:.3f}"
    if line["op"] == "gemm":
        flops = 2 * dims["m"] * dims["n"] * dims["k"]
        row["ridgepoint_tflops"] = f"{flops / line['median_s'] / 1e12:.2f}"
        row["torch_tflops"] = f"{flops / seconds / 1e12:.2f}"
    return row


COLUMNS = ["op", "dtype", "dims", "implementation", "ridgepoint_us", "torch_us", "ratio",
           "ridgepoint_tflops", "torch_tflops", "torch_bytes_per_s", "note"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--measurements", required=True)
    parser.add_argument("--csv", required=True)
    parser.add_argument("--profiles", help="folder with outputs of profile")
    parser.add_argument("--seconds", type=float, default=200, help="time limit (200)")
    arguments = parser.parse_args()
    deadline = time.monotonic() + arguments.seconds
    print(f"PyTorch {torch.__version__}, CUDA {torch.version.cuda}, "
          f"{torch.cuda.get_device_name(0)}; ratio = PyTorch's time / Ridgepoint's")
    ratios = {}
    with open(arguments.csv, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(streaming_rates())
        large = list(profiled_calls(arguments.profiles)) if arguments.profiles else []
        for line in large + list(chosen(ridgepoint_calls(arguments.measurements))):
            if time.monotonic() > deadline:
                print("the time limit is reached; the rest is left out")
                break
            row = compare(line)
            writer.writerow(row)
            file.flush()
            print(f"{row['op']:18}{row['dtype']:6}{row['dims']:44}{row['ridgepoint_us']:>12} us"
                  f"{row.get('torch_us', '-'):>12} us  {row.get('ratio', row.get('note', ''))}")
            if "ratio" in row:
                ratios.setdefault((row["op"], row["dtype"]), []).append(float(row["ratio"]))
    for (op, dtype), values in sorted(ratios.items()):
        print(f"{op} {dtype}: median ratio {statistics.median(values):.3f} over {len(values)} shapes, "
              f"worst {min(values):.3f}")


if __name__ == "__main__":
    main()
