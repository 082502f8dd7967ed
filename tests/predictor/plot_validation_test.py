"""scripts/plot_validation as a user runs it."""
import math
import pathlib
import re
import subprocess
import sys
import xml.etree.ElementTree

import commands
from commands import main

ROOT = pathlib.Path(__file__).resolve().parents[2]
HEAD = "file,line,gpu,op,dtype,implementation,m,latency_us,predicted_us,low_us,high_us,bound,basis"
CHARTS = ("agreement", "error_by_size")


def scratch(name=""):
    return commands.options.scratch / name


def line(i, measured_us, predicted_us, basis="interpolated", gpu="Fake 9000"):
    return (f"k.csv,{i},{gpu},{'gemm' if i % 2 else 'copy'},bf16,,{i + 1},{measured_us:.6g},"
            f"{predicted_us:.6g},{0.9 * predicted_us:.6g},{1.1 * predicted_us:.6g},dram,{basis}")


def lines(count):
    """Errors of −15 to +15 % on times of 1 µs to 10 ms."""
    return [line(i, 10 ** (4 * i / count), 10 ** (4 * i / count) * (1 + 0.15 * math.sin(i)))
            for i in range(count)]


def plot(found, *flags):
    (scratch("v")).mkdir(exist_ok=True)
    if found is not None:
        (scratch("v") / "predictions.csv").write_text("\n".join([HEAD, *found]) + "\n", "utf-8")
    done = commands.run("plot_validation", scratch("v"), *flags, timeout=600)
    if done.code == 1 and "scripts/setup" in done.err:
        print("skipped: what draws charts is not installed")
        sys.exit(77)
    return done


def texts(name, folder="v"):
    root = xml.etree.ElementTree.parse(scratch(folder) / f"{name}.svg").getroot()
    return ["".join(e.itertext()) for e in root.iter() if e.tag.endswith("}text")]


def written():
    return sorted(p.name for p in scratch("v").iterdir())


def test_charts_and_a_page_are_drawn():
    plot([*lines(200), line(7, 10, 30, "measured")]).says(0)
    assert written() == ["agreement.svg", "error_by_size.svg", "predictions.csv",
                         "validation.html"], written()
    for name in CHARTS:
        assert any("Fake 9000" in t for t in texts(name)), texts(name)
        assert any("200 rows" in t and "1 of the table's" in t for t in texts(name)), texts(name)
    page = (scratch("v") / "validation.html").read_text("utf-8")
    body = re.sub(r"<script>.*?</script>", "", page, flags=re.DOTALL)
    assert not re.search(r"<(script|link|img|iframe)|@import|url\(", body), "it loads something"
    assert page.count("window.vegaEmbed=") == 1, "the libraries are not in it once"
    assert "Fake 9000: gemm bf16" in page


def test_out_names_another_folder():
    plot(lines(50), "--out", scratch("o")).says(0)
    assert written() == ["predictions.csv"] and texts("agreement", "o")


def test_few_and_equal_rows_do_no_harm():
    for found in ([line(1, 5, 5)], [line(1, 5, 5)] * 30, [line(1, 5, 500), line(2, 5e4, 5)],
                  [line(1, 5, 5, "measured")]):
        plot(found).says(0)
        for name in CHARTS:
            text = (scratch("v") / f"{name}.svg").read_text("utf-8")
            assert "NaN" not in text and "Infinity" not in text, name


def test_many_rows_are_thinned():
    plot(lines(9000)).says(0)
    assert any("3,000 of the rows are drawn" in t for t in texts("agreement")), texts("agreement")
    assert (scratch("v") / "agreement.svg").stat().st_size < 3e6


def test_names_cannot_break_the_page():
    evil = "</script><b>Fake</b>"
    plot([line(i, 5, 6, gpu=evil) for i in range(20)]).says(0)
    assert "<b>" not in (scratch("v") / "validation.html").read_text("utf-8")


def test_bad_files_are_named_and_nothing_is_written():
    good = lines(5)
    cases = [([], "no rows"),
             ([*good, line(1, 5, 5).replace(",5,5,", ",nan,5,")], ":7: column 'latency_us'"),
             ([line(1, 5, 5).replace(",5,5,", ",5,-5,")], ":2: column 'predicted_us'"),
             ([good[0][:40]], ":2: has fewer")]
    for found, says in cases:
        plot(found).says(2, "predictions.csv", says)
        assert written() == ["predictions.csv"], written()
    (scratch("v") / "predictions.csv").write_text("a,b\n1,2\n", "utf-8")
    plot(None).says(2, "predictions.csv:1: column 'gpu'")
    (scratch("v") / "predictions.csv").unlink()
    plot(None).says(2, "predictions.csv", "cannot be read")


def test_without_altair_it_says_how_to_get_it():
    path = f"{ROOT / 'roofline'}:{ROOT / 'predictor'}"
    done = subprocess.run([sys.executable, "-S", "-m", "validation_charts", "v"], check=False,
                          capture_output=True, text=True, timeout=60, cwd=scratch(),
                          env={"PYTHONPATH": path})
    assert done.returncode == 1 and "scripts/setup" in done.stderr, done.stderr
    assert "Traceback" not in done.stderr, done.stderr


if __name__ == "__main__":
    main(globals())
