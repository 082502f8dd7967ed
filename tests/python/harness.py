"""Runs functions test_…() of a file: those that are named, else all. ctest runs one by its name.

    <file>.py [test_name …]

The package is the one that Python finds: of the build tree by PYTHONPATH, or an installed one."""
import contextlib
import pathlib
import sys
import tempfile
import traceback

SKIPPED = 77  # ctest's code for it

scratch = None  # a folder for the running test's files


class Skipped(Exception):
    """Raised by a test that cannot run here; its text says why."""


@contextlib.contextmanager
def raises(kind, *texts):
    """The block must raise `kind` with all the texts in its message."""
    try:
        yield
    except kind as error:
        for text in texts:
            assert text in str(error), f"'{text}' is not in: {error}"
    else:
        raise AssertionError(f"{kind.__name__} was not raised")


def close(a, b, tolerance=1e-9):
    assert abs(a - b) <= tolerance * max(abs(a), abs(b)), f"{a} is not {b}"


def run(name, test):
    """0, 1 or SKIPPED."""
    global scratch
    with tempfile.TemporaryDirectory(prefix="ridge-python-") as folder:
        scratch = pathlib.Path(folder)
        try:
            test()
        except Skipped as reason:
            print(f"{name}: skipped: {reason}")
            return SKIPPED
        except Exception:  # all that a test can fail by
            traceback.print_exc()
            print(f"{name}: FAILED")
            return 1
    print(f"{name}: passed")
    return 0


def main(tests):
    asked = sys.argv[1:] or [name for name in tests if name.startswith("test_")]
    codes = [run(name, tests[name]) for name in asked]
    if 1 in codes:
        sys.exit(1)
    sys.exit(SKIPPED if codes and all(code == SKIPPED for code in codes) else 0)
