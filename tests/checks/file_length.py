#!/usr/bin/env python3
"""Lists source files longer than 300 lines: a hint to divide them, never a failure.

    file_length.py ROOT
"""
import pathlib
import sys

LIMIT = 300
FOLDERS = ["kernels", "profilers", "roofline", "calibrate", "predictor", "simulator", "python",
           "programs", "tests", "scripts"]
SUFFIXES = {".h", ".cpp", ".cu", ".cuh", ".py", ".sh"}


def main():
    root = pathlib.Path(sys.argv[1])
    files = [p for f in FOLDERS for p in (root / f).rglob("*") if p.suffix in SUFFIXES]
    lengths = {p: len(p.read_text(encoding="utf-8").splitlines()) for p in files}
    for path, lines in sorted(lengths.items(), key=lambda item: -item[1]):
        if lines > LIMIT:
            print(f"warning: {path.relative_to(root)} has {lines} lines (more than {LIMIT})")
    print(f"{len(files)} files read")
    return 0 if files else 1


if __name__ == "__main__":
    sys.exit(main())
