#!/usr/bin/env python3
"""Prints the dtype an LLM would run in, of those that a delay-factor table was measured in."""
import json
import sys


def measured_dtypes(table):
    """The dtypes of the table's samples; its samples hold the call's keys or a `call` object."""
    found = set()
    for sample in table.get("samples", []):
        if isinstance(sample, dict):
            found.add(sample.get("dtype") or sample.get("call", {}).get("dtype"))
    found.add(table.get("benchmark_config", {}).get("dtype"))
    return found


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        found = measured_dtypes(json.load(file))
    print(next((d for d in ("bf16", "f16", "f32") if d in found), "f32"))


if __name__ == "__main__":
    main()
