#!/usr/bin/env python3
"""Checks the layer rules of docs/architecture.md over a source tree.

    layers.py ROOT

1. A folder includes only itself and folders above it in LAYERS.
2. Device headers (CUDA and its libraries) appear only in folders of DEVICE_LAYERS, and there only
   in files that the CUDA plugin is built from.
3. Every operator folder under kernels/ is in the list of kernels/CMakeLists.txt, and the other way
   round.
Prints each violation as file:line: what is wrong, and fails if there is one.
"""
import pathlib
import re
import sys

# A folder within another may be a layer of its own: what a whole Llama takes is held against the
# prediction.
LAYERS = ["kernels", "profilers", "roofline", "calibrate", "predictor", "profilers/llama",
          "simulator", "python", "programs"]
DEVICE_LAYERS = {"kernels", "profilers", "roofline"}
# Folders of kernels/ that are not operators.
SHARED_KERNEL_FOLDERS = {"core", "cpu", "cuda"}
SOURCES = {".h", ".hpp", ".c", ".cc", ".cpp", ".cu", ".cuh", ".inl", ".inc"}
INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]')
DEVICE_HEADER = re.compile(
    r"^(cuda\.h|cuda_|cudart|cublas|cudnn|cupti|nccl|nvtx|nvToolsExt|nvrtc|curand|cusparse|cusolver"
    r"|cutlass|cub/|thrust/|cooperative_groups|nvtx3/|mma\.h|sm_\d|device_launch_parameters)"
)


def includes(path):
    """(line number, header) of each include directive that is not commented out."""
    in_comment = False
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if in_comment:
            in_comment = "*/" not in line
            continue
        match = INCLUDE.match(line)
        if match:
            yield number, match.group(1)
        elif line.lstrip().startswith("/*") and "*/" not in line:
            in_comment = True


def named_as_plugin(relative):
    """kernels/cuda/*, <folder>/…/cuda*, and device code in .cu or .cuh anywhere in those folders."""
    parts = relative.parts
    if parts[0] not in DEVICE_LAYERS:
        return False
    return (
        relative.suffix in {".cu", ".cuh"}
        or "cuda" in parts[:-1]
        or relative.name.startswith("cuda")
    )


def plugin_files(files):
    """The files that the CUDA plugin is built from: those named so, and headers that only they, or
    other such headers, include. `files` maps relative paths to their includes."""
    includers = {}
    for relative, found in files.items():
        for _, header in found:
            includers.setdefault(header, set()).add(relative)
    plugin = {r for r in files if named_as_plugin(r)}
    headers = {r for r in files if r.suffix in {".h", ".hpp"} and r.parts[0] in DEVICE_LAYERS}
    headers = {r for r in headers - plugin if str(r) in includers}
    while True:
        shared = {r for r in headers if not includers[str(r)] <= plugin | headers}
        if not shared:
            return plugin | headers
        headers -= shared


def layer_of(path):
    """The innermost layer that has the file; None for one of nobody's."""
    layers = [layer for layer in LAYERS if path.startswith(layer + "/")]
    return max(layers, key=len, default=None)


def check_file(relative, found, plugin):
    folder = layer_of(relative.as_posix())
    rank = LAYERS.index(folder)
    for number, header in found:
        where = f"{relative}:{number}"
        target = layer_of(header)
        if target and LAYERS.index(target) > rank:
            yield f"{where}: {folder}/ may not include {header}: {target}/ lies below it"
        if header.startswith("tests/"):
            yield f"{where}: {folder}/ may not include {header}: tests are not part of the product"
        if DEVICE_HEADER.match(header) and relative not in plugin:
            yield f"{where}: {header} belongs only in files of the CUDA plugin"
        # Headers that stand for a device's: what includes them needs CUDA too.
        if header.startswith("kernels/cuda/") and relative not in plugin:
            yield f"{where}: {header} is part of the CUDA plugin; only its files include it"


def listed_operators(root):
    text = (root / "kernels" / "CMakeLists.txt").read_text(encoding="utf-8")
    match = re.search(r"set\(\s*RIDGE_OPERATORS\s+([^)]*)\)", text)
    if not match:
        return None
    return set(re.sub(r"#[^\n]*", "", match.group(1)).split())


def check_operator_list(root):
    listed = listed_operators(root)
    if listed is None:
        yield "kernels/CMakeLists.txt: set(RIDGE_OPERATORS …) was not found"
        return
    folders = {p.name for p in (root / "kernels").iterdir() if p.is_dir()} - SHARED_KERNEL_FOLDERS
    for name in sorted(folders - listed):
        yield f"kernels/{name}: not in RIDGE_OPERATORS of kernels/CMakeLists.txt, so it is not built"
    for name in sorted(listed - folders):
        yield f"kernels/CMakeLists.txt: RIDGE_OPERATORS names {name}, but there is no such folder"


def check(root):
    """All violations in the tree under `root`, and how many files were read."""
    files = {
        path.relative_to(root): list(includes(path))
        for layer in LAYERS
        for path in sorted((root / layer).rglob("*"))
        if path.suffix in SOURCES and path.is_file()
    }
    plugin = plugin_files(files)
    found = []
    for relative, headers in files.items():
        found += check_file(relative, headers, plugin)
    if (root / "kernels" / "CMakeLists.txt").exists():
        found += check_operator_list(root)
    return found, len(files)


def main():
    root = pathlib.Path(sys.argv[1])
    found, files = check(root)
    for violation in found:
        print(violation)
    if files == 0:
        print(f"{root}: no sources found: wrong folder?")
    print(f"{files} files read, {len(found)} violations")
    return 1 if found or files == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
