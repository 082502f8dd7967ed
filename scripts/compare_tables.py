#!/usr/bin/env python3
"""How far two delay-factor tables of one machine are apart, on the calls that both measured.

usage: scripts/compare_tables.py A/delay_factors.json B/delay_factors.json
"""
import json
import statistics
import sys
from collections import defaultdict


def medians(path):
    """Call -> median seconds."""
    try:
        with open(path, encoding="utf-8") as file:
            table = json.load(file)
        found = {}
        for group in table["samples"]:
            axes = sorted(group["dims"])
            key = group["op"], group["dtype"], group["implementation"]
            shapes = zip(*(group["dims"][axis] for axis in axes), strict=True)
            for shape, median_s in zip(shapes, group["median_s"], strict=True):
                found[*key, shape] = median_s
        return found
    except (OSError, ValueError, KeyError, TypeError) as error:
        sys.exit(f"error: {path}: is no delay-factor table ({error})")


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    first, second = medians(sys.argv[1]), medians(sys.argv[2])
    apart = defaultdict(list)
    for call in first.keys() & second.keys():
        difference = abs(first[call] / second[call] - 1)
        apart[" ".join(call[:3])].append(difference)
        apart["all"].append(difference)
    if not apart:
        sys.exit("error: no call is in both tables")
    print(f"{'operator':<32} {'calls':>6} {'median':>8} {'p90':>8}")
    for name in sorted(apart, key=lambda n: (n == "all", n)):
        values = sorted(apart[name])
        p90 = values[int(0.9 * (len(values) - 1))]
        print(f"{name:<32} {len(values):>6} {statistics.median(values):>8.1%} {p90:>8.1%}")


if __name__ == "__main__":
    main()
