"""What Python's own safetensors package writes and reads: `write FILE`, or `same FILE`, which fails
unless FILE holds what `write` would have written. Exits with 77 where the package is not installed.
"""
import sys

try:
    import numpy as np
    import safetensors
    import safetensors.numpy
except ImportError:
    sys.exit(77)

TENSORS = {
    "weights": np.arange(6, dtype=np.float32).reshape(2, 3) / 4,
    "halves": np.array([0.5, -1.5], np.float16),
    "scalar": np.array(-3, np.float64),
    "empty": np.zeros((0, 4), np.int64),
}
METADATA = {"format": "pt"}


def same(a, b):
    return a.dtype == b.dtype and a.shape == b.shape and np.array_equal(a, b)


def main():
    action, path = sys.argv[1:]
    if action == "write":
        safetensors.numpy.save_file(TENSORS, path, METADATA)
        return 0
    found = safetensors.numpy.load_file(path)
    with safetensors.safe_open(path, "numpy") as file:
        metadata = file.metadata()
    if (found.keys() == TENSORS.keys() and all(same(found[name], TENSORS[name]) for name in found)
            and metadata == METADATA):
        return 0
    print("found", found, metadata, sep="\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
