"""What Python's own safetensors package writes and reads: `write FILE`, or `same FILE`, which fails
unless FILE holds what `write` would have written. Exits with 77 where the package is not installed.
"""
import struct
import sys

try:
    import safetensors
except ImportError:
    sys.exit(77)

TENSORS = {
    "weights": ("float32", "F32", [2, 3], struct.pack("<6f", *(i / 4 for i in range(6)))),
    "halves": ("float16", "F16", [2], struct.pack("<2e", 0.5, -1.5)),
    "scalar": ("float64", "F64", [], struct.pack("<d", -3)),
    "empty": ("int64", "I64", [0, 4], b""),
}


def main():
    action, path = sys.argv[1:]
    if action == "write":
        tensors = {name: {"dtype": dtype, "shape": shape, "data": data}
                   for name, (dtype, _, shape, data) in TENSORS.items()}
        safetensors.serialize_file(tensors, path, {"format": "pt"})
        return 0
    with open(path, "rb") as file:
        found = {name: (t["dtype"], list(t["shape"]), bytes(t["data"]))
                 for name, t in safetensors.deserialize(file.read())}
    wanted = {name: (dtype, shape, data) for name, (_, dtype, shape, data) in TENSORS.items()}
    if found != wanted:
        print("found", found, "wanted", wanted, sep="\n")
    return found != wanted


if __name__ == "__main__":
    sys.exit(main())
