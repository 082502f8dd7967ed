#!/usr/bin/env python3
"""Holds the bandwidth probes against likwid-bench (Debian: likwid), one after the other in
each round so that both meet the same neighbours; prints the median of the ratios.

    scripts/compare_likwid.py [--bin build/bin] [--rounds 9] [--mib 256]
"""
import argparse
import json
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys

# Ours, and likwid-bench's kernels, the best of which counts. Neither counts what a plain store reads
# first.
PAIRS = {
    "read": ("stream_read", ("load_avx512", "load_avx")),
    "copy": ("stream_copy", ("copy_mem_avx512", "copy_mem_avx", "copy_avx")),
    "triad": ("stream_triad", ("stream_mem_avx512", "stream_mem_avx", "stream_avx_fma")),
}
ARRAYS = {"stream_read": 1, "stream_copy": 2, "stream_triad": 3}


def likwid(kernel, mib, threads):
    """MB/s, or nothing where this CPU lacks the kernel's instructions."""
    done = subprocess.run(["likwid-bench", "-t", kernel, "-s", "1", "-W", f"S0:{mib}MB:{threads}"],
                          text=True, capture_output=True, check=False)
    found = re.search(r"MByte/s:\s*([0-9.]+)", done.stdout)
    return float(found.group(1)) * 1e6 if found else None


def ours(programs, op, mib):
    count = mib * 10**6 // 4 // ARRAYS[op] // 16384 * 16384
    best = None
    for way in (["plain", "nontemporal"] if op != "stream_read" else ["ridge"]):
        call = f"{op} count={count} parts={count // 16384} passes=1 shift=0 f32 [{way}]"
        done = subprocess.run([programs / "profile", "--gpu=cpu", "--call", call,
                               "--benchmark_format=json"], text=True, capture_output=True,
                              check=False)
        if done.returncode != 0:
            sys.exit(done.stderr)
        rate = json.loads(done.stdout)["benchmarks"][0]["bytes/s"]
        best = max(best or 0, rate)
    return best


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    root = pathlib.Path(__file__).resolve().parent.parent
    parser.add_argument("--bin", type=pathlib.Path, default=root / "build" / "bin")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--mib", type=int, default=256)
    options = parser.parse_args()
    if not shutil.which("likwid-bench"):
        sys.exit("likwid-bench is not installed: apt-get install likwid")
    threads = len(os.sched_getaffinity(0))
    print(f"{'probe':<8} {'ours GB/s':>10} {'likwid GB/s':>12} {'ratio':>7}  kernel")
    for name, (op, kernels) in PAIRS.items():
        mine, theirs, ratios, best_kernel = [], [], [], ""
        for _ in range(options.rounds):
            rates = {k: likwid(k, options.mib, threads) for k in kernels}
            rates = {k: r for k, r in rates.items() if r}
            if not rates:
                sys.exit(f"likwid-bench runs none of {', '.join(kernels)} here")
            best_kernel = max(rates, key=rates.get)
            theirs.append(rates[best_kernel])
            mine.append(ours(options.bin, op, options.mib))
            ratios.append(mine[-1] / theirs[-1])
        print(f"{name:<8} {statistics.median(mine) / 1e9:>10.1f} "
              f"{statistics.median(theirs) / 1e9:>12.1f} {statistics.median(ratios):>7.2f}  "
              f"{best_kernel}")


if __name__ == "__main__":
    main()
