"""scripts/model_accuracy --data FOLDER [--out FILE] [--bin FOLDER]

Exit codes: 0 done, 1 failed, 2 wrong use or bad input.
"""
import argparse
import csv
import hashlib
import os
import pathlib
import subprocess
import sys
import tempfile

from . import page
from .rows import Row, read

_ROOT = pathlib.Path(__file__).resolve().parents[2]


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="model_accuracy", description=(
        "Predicts published latencies of whole models with the tables that ship and writes how far "
        "off they are. Engines' times are fitted to one half of the rows and tested on the other."))
    parser.add_argument("--data", type=pathlib.Path, metavar="FOLDER", required=True,
                        help="has open/<source>.csv and workloads/")
    parser.add_argument("--out", type=pathlib.Path, metavar="FILE",
                        default=_ROOT / "docs/model-accuracy.md")
    parser.add_argument("--bin", type=pathlib.Path, metavar="FOLDER", default=_ROOT / "build/bin",
                        help="where predict is; default: build/bin")
    return parser.parse_args()


def predict(options: argparse.Namespace, *words: str) -> None:
    done = subprocess.run([options.bin / "predict", *words], capture_output=True, text=True,
                          check=False)
    if done.returncode not in (0, 1):  # 1: rows that cannot be predicted, which the rest survives
        raise RuntimeError(f"predict {words[0]} failed: {done.stderr.strip()}")


def validated(options: argparse.Namespace, file: pathlib.Path, engine: str,
              work: pathlib.Path) -> list[Row]:
    out = work / "predicted.csv"
    predict(options, "validate", "--csv", str(file), "--engine", engine, "--out", str(out),
            "--workloads", str(options.data / "workloads"))
    return read(out)


def halves(file: pathlib.Path, work: pathlib.Path) -> list[pathlib.Path]:
    """Rows by a hash of what they are, so that a configuration's TTFT and total stay together."""
    with file.open(encoding="utf-8", newline="") as text:
        rows = list(csv.DictReader(text))
    parts = [work / "first.csv", work / "second.csv"]
    for i, part in enumerate(parts):
        with part.open("w", encoding="utf-8", newline="") as out:
            writer = csv.DictWriter(out, rows[0].keys())
            writer.writeheader()
            for row in rows:
                key = "|".join(row[c] for c in ("gpu", "gpus", "framework", "model", "input_tokens",
                                                "batch"))
                if hashlib.sha1(key.encode()).digest()[0] % 2 == i:
                    writer.writerow(row)
    return parts


def cross_validated(options: argparse.Namespace, file: pathlib.Path,
                    work: pathlib.Path) -> list[Row]:
    """Each half predicted with what was fitted to the other."""
    parts, rows = halves(file, work), []
    for fitted, tested in (parts, parts[::-1]):
        engines = work / f"engines-{fitted.stem}"
        predict(options, "fit-engine", "--csv", str(fitted), "--out", str(engines),
                "--workloads", str(options.data / "workloads"))
        rows += validated(options, tested, str(engines), work)
    return rows


def run(options: argparse.Namespace) -> None:
    opened = options.data / "open"
    if not opened.is_dir():
        raise ValueError(f"{opened}: is not a folder; name the one that has it with --data")
    if not (options.bin / "predict").is_file():
        raise ValueError(f"{options.bin}: has no predict; build it, or name another with --bin")
    with tempfile.TemporaryDirectory() as folder:
        work = pathlib.Path(folder)
        text = page.text(
            kernels={name: validated(options, opened / f"{name}.csv", "kernels", work)
                     for name in ("pipeweave", "argbench")},
            fitted={name: cross_validated(options, opened / f"{name}.csv", work)
                    for name in ("argbench", "splitwise")})
    temporary = options.out.with_name(options.out.name + ".tmp")
    temporary.write_text(text, encoding="utf-8")
    os.replace(temporary, options.out)
    print(f"written to {options.out}")


def main() -> int:
    try:
        run(arguments())
    except ValueError as e:
        print(f"error: {e}", file=sys.stderr)
        return 2
    except (OSError, RuntimeError) as e:
        print(f"error: {e}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
