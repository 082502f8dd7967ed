#!/usr/bin/env python3
"""Runs the commands of a page again and puts in what they print.

usage: scripts/refresh_page.py --bin build/bin docs/choosing-a-gpu.md

An indented block whose first line begins with `$ ` is a command (a backslash at the end of a line
continues it) and what it printed. Commands run in the repository's root with the folder --bin
before others in PATH; a page is only written when all of them end with 0.
"""
import argparse
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
INDENT = "    "


def printed(command, folder):
    environment = {**os.environ, "PATH": f"{folder}{os.pathsep}{os.environ.get('PATH', '')}"}
    done = subprocess.run(["bash", "-c", command], cwd=ROOT, env=environment, text=True,
                          capture_output=True, check=False)
    if done.returncode != 0:
        sys.exit(f"error: exit code {done.returncode} of: {command}\n{done.stderr}")
    return done.stdout.rstrip("\n").split("\n")


def refreshed(lines, folder):
    out, at = [], 0
    while at < len(lines):
        out.append(lines[at])
        at += 1
        if not out[-1].startswith(INDENT + "$ "):
            continue
        command = out[-1][len(INDENT) + 2:]
        while command.endswith("\\"):
            out.append(lines[at])
            command = command[:-1] + lines[at].strip()
            at += 1
        end = at  # of the block: blank lines inside it are part of it
        for i in range(at, len(lines)):
            if lines[i].startswith(INDENT + "$ "):
                break
            if lines[i].startswith(INDENT):
                end = i + 1
            elif lines[i].strip():
                break
        out += [(INDENT + line).rstrip() for line in printed(command, folder)]
        at = end
    return out


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--bin", type=pathlib.Path, required=True, help="folder of the programs")
    parser.add_argument("pages", type=pathlib.Path, nargs="+")
    options = parser.parse_args()
    for page in options.pages:
        before = page.read_text(encoding="utf-8")
        after = "\n".join(refreshed(before.split("\n"), options.bin.resolve()))
        if after != before:
            page.write_text(after, encoding="utf-8")
        print(f"{page}: {'changed' if after != before else 'as it was'}")


if __name__ == "__main__":
    main()
