#!/usr/bin/env python3
"""Prints the dtype an LLM would run in, of those that a table has matrix products in."""
import json
import sys


def gemm_dtypes(table):
    return {curve["dtype"] for curve in table.get("curves", []) if curve.get("op") == "gemm"}


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        found = gemm_dtypes(json.load(file))
    print(next((d for d in ("bf16", "f16", "f32") if d in found), "f32"))


if __name__ == "__main__":
    main()
