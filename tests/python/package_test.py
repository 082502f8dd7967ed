"""The package as such: what it imports, finds and costs, its types and its documentation."""
import inspect
import os
import pathlib
import re
import shutil
import subprocess
import sys
import timeit

import harness
import ridgepoint
from harness import Skipped
from ridgepoint import _core

PACKAGES = str(pathlib.Path(ridgepoint.__file__).absolute().parents[1])


def python(code, **environment):
    done = subprocess.run([sys.executable, "-c", code], text=True, capture_output=True, timeout=60,
                          cwd=harness.scratch, check=False,
                          env={**os.environ, "PYTHONPATH": PACKAGES, **environment})
    assert done.returncode == 0, done.stderr
    assert not done.stderr, done.stderr
    return done.stdout.strip()


def test_import_reads_nothing():
    python("import ridgepoint, llm_latency_predictor, gpu_specs_database", RIDGE_DATA_DIR="/nowhere")


def test_import_is_quick():
    code = "import time; t = time.perf_counter(); import ridgepoint; print(time.perf_counter() - t)"
    assert min(float(python(code)) for _ in range(5)) < 0.15


def test_data_is_found_from_anywhere():
    found = pathlib.Path(python("import ridgepoint; print(ridgepoint.data_dir())"))
    assert found.is_absolute() and (found / "roofline" / "devices").is_dir()
    assert python("import ridgepoint; print(ridgepoint.data_dir())", RIDGE_DATA_DIR="/x") == "/x"


def test_missing_data_is_said():
    said = python("import ridgepoint\ntry: ridgepoint.find_model('8b')\n"
                  "except ridgepoint.BadInput as e: print(e)", RIDGE_DATA_DIR="/nowhere")
    assert "/nowhere" in said and "RIDGE_DATA_DIR" in said


def test_nothing_leaks_at_exit():
    python("import ridgepoint\nkept = ridgepoint.predict('1b', 'h100', 8, 2)\n"
           "also = [ridgepoint.shipped_tables('h100'), ridgepoint.find_model('8b')]")


def test_threads():
    python("import concurrent.futures as c, ridgepoint\n"
           "def one(i): return ridgepoint.predict('1b', 'h100', 64 + i % 4, 8).total_s.value\n"
           "with c.ThreadPoolExecutor(8) as pool: found = list(pool.map(one, range(64)))\n"
           "assert found == [one(i) for i in range(64)]")


def test_calls_cost_little():
    """At most 20 microseconds go by in Python, with the prediction itself taken away."""
    os.chdir(harness.scratch)
    (harness.scratch / "kernels").mkdir()  # no profile of that name, but looked at
    predict = _core.predict_request
    answer = ridgepoint.predict("8b", "h100", 512, 64, batch=8, tp=2)  # reads what is kept

    def microseconds(call, count=1000):
        return min(timeit.repeat(call, number=count, repeat=7)) / count * 1e6

    _core.predict_request = lambda tables, deployment, request: answer
    try:
        cost = microseconds(lambda: ridgepoint.predict("8b", "h100", 512, 64, batch=8, tp=2))
    finally:
        _core.predict_request = predict
        os.chdir("/")
    request = ridgepoint.Request([ridgepoint.Prompt(512)], 64)
    bound = microseconds(lambda: request.batch)
    print(f"predict(): {cost:.1f} us, a bound call: {bound:.2f} us")
    assert cost + bound < 20


def test_everything_public_is_documented():
    assert sorted(ridgepoint.__all__) == sorted(
        {name for name in dir(ridgepoint) if not name.startswith("_")} - {"fine_tuning"})
    for name in ridgepoint.__all__:
        thing = getattr(ridgepoint, name)
        if inspect.isclass(thing) or callable(thing):
            assert thing.__doc__, f"{name} has no docstring"
    public = {name for name in dir(_core) if not name.startswith("_")} - {"VERSION"}
    assert public <= set(ridgepoint.__all__), public - set(ridgepoint.__all__)


def test_examples_of_the_documentation():
    page = pathlib.Path(__file__).resolve().parents[2] / "docs" / "python.md"
    blocks = re.findall(r"^```python\n(.*?)^```", page.read_text(encoding="utf-8"), re.M | re.S)
    assert len(blocks) >= 5
    os.chdir(harness.scratch)
    names = {}
    for block in blocks:
        exec(block, names)  # pylint: disable=exec-used
    os.chdir("/")


def test_version_is_the_project_s():
    root = pathlib.Path(__file__).resolve().parents[2]
    for file, pattern in (("pyproject.toml", r'^version = "(.*)"'),
                          ("CMakeLists.txt", r"^project\(ridgepoint VERSION ([0-9.]+)")):
        text = (root / file).read_text(encoding="utf-8")
        assert re.findall(pattern, text, re.M) == [ridgepoint.__version__], file


def typed(name):
    return name.endswith((".py", ".pyi", "py.typed"))


def test_types():
    """Stubs lie beside the package, and code that uses it passes mypy --strict."""
    folder = pathlib.Path(ridgepoint.__file__).parent
    assert (folder / "py.typed").exists() and "class Model" in (folder / "_core.pyi").read_text()
    try:
        import mypy.api  # pylint: disable=import-outside-toplevel
    except ImportError as missing:
        raise Skipped("mypy is not installed") from missing
    here = pathlib.Path(__file__).resolve().parent
    # os.PathLike without its parameter is how nanobind writes it.
    flags = ["--strict", "--disable-error-code=type-arg", f"--cache-dir={harness.scratch}",
             "--python-executable", sys.executable]
    # A copy, for mypy takes no path that Python installs packages into.
    copy = harness.scratch / "copy"
    shutil.copytree(folder, copy / "ridgepoint",
                    ignore=lambda at, names: {n for n in names if not typed(n)})
    modules = ["llm_latency_predictor.py", "gpu_specs_database.py"]
    for name in modules:
        shutil.copy(folder.parent / name, copy)
    modules += [f"ridgepoint/{name}" for name in ("__init__.py", "_detect.py", "_shortcuts.py",
                                                  "fine_tuning.py")]
    os.environ["MYPYPATH"] = str(copy)
    said, errors, code = mypy.api.run([*flags, *(str(copy / name) for name in modules),
                                       str(here / "typed_use.py")])
    assert code == 0, said + errors
    said, errors, code = mypy.api.run([*flags, str(here / "typed_misuse.py")])
    wrong = [line for line in (here / "typed_misuse.py").read_text().splitlines()
             if line.endswith("# wrong")]
    found = [line for line in said.splitlines() if ": error:" in line]
    assert code == 1 and len(found) == len(wrong) > 0, said + errors


if __name__ == "__main__":
    harness.main(globals())
