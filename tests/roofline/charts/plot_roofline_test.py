"""scripts/plot_roofline: what it draws, that its page needs no network, and what it says of bad
files. Skipped where scripts/setup could not install what draws charts."""
import copy
import html.parser
import json
import pathlib
import re
import subprocess
import sys
import xml.etree.ElementTree

import commands
import fake_9000
from commands import run

ROOT = pathlib.Path(__file__).resolve().parents[3]
CHARTS = ("roofline", "working_set", "access", "mix", "latency", "parallelism", "staircase",
          "sustained", "copy_size", "host_copy")
SKIPPED = 77

sys.path.insert(0, str(ROOT / "roofline"))
from charts import layout, units  # noqa: E402


def scratch(name=""):
    return commands.options.scratch / name


def written():
    return sorted(p.name for p in scratch("out").rglob("*")) if scratch("out").exists() else []


def plot(ceilings, table=None, out="out"):
    """`ceilings` and `table`: an object to be written, a text, or a path."""
    paths = []
    for name, content in (("ceilings.json", ceilings), ("delay_factors.json", table)):
        if content is None:
            continue
        if not isinstance(content, pathlib.Path):
            text = content if isinstance(content, str) else json.dumps(content)
            scratch(name).write_text(text, encoding="utf-8")
            content = scratch(name)
        paths += ["--table", content] if name == "delay_factors.json" else [content]
    return run("plot_roofline", *paths, "--out", scratch(out))


def fake(*, values=None, sweeps=None, **more):
    one = copy.deepcopy(fake_9000.ceilings())
    one |= more
    if values is not None:
        one["values"] = {k: v for k, v in one["values"].items() if values(k)}
    if sweeps is not None:
        one["sweeps"] = [s for s in one["sweeps"] if sweeps(s["key"])]
    return one


class Page(html.parser.HTMLParser):
    """What a browser would load, and the elements that there are."""

    def __init__(self, path):
        super().__init__()
        self.loads, self.tags, self.ids = [], [], set()
        self.text = path.read_text(encoding="utf-8")
        self.feed(self.text)

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        self.tags.append(tag)
        self.ids.add(found.get("id"))
        self.loads += [found[k] for k in ("src", "href", "data", "srcset") if found.get(k)]

    def specs(self):
        start = self.text.index("const charts = ") + len("const charts = ")
        return json.JSONDecoder().raw_decode(self.text, start)[0]


def walk(node):
    yield node
    if isinstance(node, (dict, list)):
        for child in node.values() if isinstance(node, dict) else node:
            yield from walk(child)


def texts(name):
    root = xml.etree.ElementTree.parse(scratch("out") / f"{name}.svg").getroot()
    return [e.text for e in root.iter() if e.tag.endswith("}text") and e.text]


def test_every_chart_is_drawn():
    done = plot(fake_9000.ceilings(), fake_9000.table()).says(0)
    assert not done.err, done.err
    names = {"roofline.html"} | {f"{n}.{kind}" for n in CHARTS for kind in ("svg", "png")}
    assert set(written()) == names, written()
    for name in CHARTS:
        assert len(texts(name)) > 8, f"{name}.svg has next to no text"
        assert (scratch("out") / f"{name}.png").read_bytes().startswith(b"\x89PNG\r\n"), name
    assert any("A copy takes 2.4" in t and "1.9 TB/s" in t for t in texts("copy_size"))
    assert "98 FLOP/B" in texts("roofline"), texts("roofline")
    assert "L2 48 MiB" in texts("working_set") and "DRAM 480 ns" in texts("latency")
    assert any("settles at 7" in t for t in texts("sustained"))


def test_page_loads_nothing():
    plot(fake_9000.ceilings(), fake_9000.table()).says(0)
    page = Page(scratch("out") / "roofline.html")
    assert all(link.startswith("#") for link in page.loads), page.loads
    assert not {"link", "img", "iframe", "object", "embed"} & set(page.tags), page.tags
    assert "@import" not in page.text and "url(http" not in page.text
    assert page.text.count("window.vegaEmbed=") == 1, "the libraries are not in it once"
    assert {f"chart-{n}" for n in CHARTS} <= page.ids
    for node in walk(page.specs()):
        if isinstance(node, dict) and "data" in node:
            assert "url" not in node["data"], node["data"]


def test_axes_carry_units_and_text_is_legible():
    plot(fake_9000.ceilings(), fake_9000.table()).says(0)
    specs = Page(scratch("out") / "roofline.html").specs()
    unit = re.compile(r"\([^)]*(bytes|B/s|FLOP|elements|count|%|[nµm]?s\b)[^)]*\)$")
    for name, spec in specs.items():
        titles = {node["axis"]["title"] for node in walk(spec)
                  if isinstance(node, dict) and isinstance(node.get("axis"), dict)
                  and "title" in node["axis"]}
        assert len(titles) >= 2, f"{name}: {titles}"
        assert all(unit.search(t) for t in titles), f"{name}: {titles}"
        sizes = [v for node in walk(spec) if isinstance(node, dict)
                 for k, v in node.items() if k.lower().endswith("fontsize")]
        assert sizes and min(sizes) >= 11, f"{name}: {sizes}"


def test_hover_tells_the_call():
    plot(fake_9000.ceilings(), fake_9000.table()).says(0)
    spec = Page(scratch("out") / "roofline.html").specs()["roofline"]
    rows = [r for node in walk(spec) if isinstance(node, dict) for r in node.get("values", [])
            if isinstance(r, dict) and r.get("call", "").startswith("gemm bf16")]
    one = next(r for r in rows if r["shape"] == "m=16 n=4096 k=4096")
    assert one["bound by"] == "dram" and one["delay"].endswith("×"), one
    # 2 · 16 · 4096² flop over (16 · 4096 + 4096² + 16 · 4096) · 2 bytes.
    assert abs(one["x"] - 15.88) < 0.01, one


def version_1():
    values = {k: {f: v[f] for f in ("value", "unit", "method", "spread")}
              for k, v in fake_9000.values().items() if not k.startswith(("l1.", "l2."))}
    return {"device": fake_9000.DEVICE, "provenance": {}, "values": values}


def test_version_1_draws_the_dram_roofline():
    done = plot(version_1()).says(0, "no chart mix")
    assert done.err.count("note:") == len(CHARTS) - 1, done.err
    assert written() == ["roofline.html", "roofline.png", "roofline.svg"], written()
    assert any(t.startswith("DRAM ") for t in texts("roofline")), texts("roofline")


def test_a_chart_that_is_left_out_leaves_no_old_picture():
    plot(fake_9000.ceilings()).says(0)
    assert "mix.svg" in written()
    plot(fake(sweeps=lambda key: key not in ("mix", "burst"))).says(0, "no chart mix", "`burst`")
    assert "mix.svg" not in written() and "mix.png" not in written()
    assert "access.svg" in written()


def test_bad_ceilings_are_named_and_nothing_is_written():
    good = fake_9000.ceilings()
    whole = json.dumps(good)
    torn_point = copy.deepcopy(good)
    torn_point["sweeps"][0]["points"][1] = [1]
    text_value = copy.deepcopy(good)
    text_value["values"]["dram.read"]["value"] = "fast"
    cases = [
        ("", "ceilings.json:1"), (whole[:-40], "ceilings.json:1"), ("[1, 2]", "bare value"),
        (whole.replace('"spread": 0.012', '"spread": NaN', 1), "NaN"),
        ({k: v for k, v in good.items() if k != "values"}, "'values'"),
        ({k: v for k, v in good.items() if k != "device"}, "'device'"),
        ({"hello": "world"}, "required"), (fake(schema_version=99), "99"),
        (torn_point, "sweeps[0].points[1]"), (text_value, "values.dram.read.value"),
        (json.loads(whole) | {"samples": [], "ceilings": {}}, "--table"),
        (fake(values=lambda k: k.startswith("launch"), sweeps=lambda k: False), "nothing to draw"),
        (pathlib.Path(scratch("no.json")), "no.json"), (scratch(), "read")]
    for ceilings, says in cases:
        place = ceilings if isinstance(ceilings, pathlib.Path) else scratch("ceilings.json")
        plot(ceilings).says(2, str(place), says)
        assert not scratch("out").exists(), f"{says}: {written()}"


def test_bad_tables_are_named_and_nothing_is_written():
    no_time = fake_9000.table()
    del no_time["samples"][3]["median_s"]
    torn = fake_9000.table()
    torn["samples"][2]["flops"].pop()
    cases = [('{"samples": [', "delay_factors.json:1"), ({}, "'samples'"),
             (fake_9000.table() | {"device": {"name": "Fake 8000"}}, "Fake 8000"),
             (fake_9000.table() | {"samples": [1]}, "samples[0]"), (no_time, "samples[3].median_s"),
             (torn, "samples[2]': flops has 9 numbers, median_s has 10")]
    for table, says in cases:
        plot(fake_9000.ceilings(), table).says(2, str(scratch("delay_factors.json")), says)
        assert not scratch("out").exists(), f"{says}: {written()}"


def test_a_table_without_work_leaves_the_points_out():
    table = fake_9000.table()
    for one in table["samples"]:
        del one["flops"]
    plot(fake(sweeps=lambda key: False), table).says(0, "'flops'", "10,000 calls")
    assert "gemm" not in texts("roofline")


def test_a_table_of_version_2_leaves_the_points_out():
    table = fake_9000.table() | {"schema_version": 2, "samples": [{"call": {}, "method": "graph"}]}
    plot(fake(sweeps=lambda key: False), table).says(0, "version 2", "calibrate --resume")
    assert "gemm" not in texts("roofline")


def test_a_folder_that_cannot_be_written():
    scratch("out").write_text("in the way")
    plot(fake_9000.ceilings()).says(2, str(scratch("out")), "--out")
    plot(fake_9000.ceilings(), out="out/below").says(2, str(scratch("out")), "--out")
    assert scratch("out").read_text() == "in the way"


def test_sweeps_of_few_points_do_no_harm():
    for points in ([], [[0, 0], [1, 1e9]], [[0, 1e9], [0, 1e9], [2, 1e-9]]):
        one = fake_9000.ceilings()
        for sweep in one["sweeps"]:
            sweep["points"] = points
        plot(one).says(0)
        assert all("NaN" not in p.read_text(encoding="utf-8") for p in scratch("out").glob("*.svg"))


def test_names_cannot_break_the_page():
    evil = "</script><b>Fake & \"9000\"</b>"
    plot(fake(device=evil, notes=["<b>bold</b>"], sweeps=lambda key: key == "mix")).says(0)
    page = Page(scratch("out") / "roofline.html")
    assert "b" not in page.tags and page.tags.count("script") == 2, page.tags


def test_without_altair_it_says_how_to_get_it():
    done = subprocess.run([sys.executable, "-S", "-m", "charts", "ceilings.json"], check=False,
                          capture_output=True, text=True, timeout=60, cwd=scratch(),
                          env={"PYTHONPATH": str(ROOT / "roofline")})
    assert done.returncode == 1 and "scripts/setup" in done.stderr, done.stderr
    assert "Traceback" not in done.stderr, done.stderr


def test_numbers_read_well():
    assert units.bytes_per_second(4.8e12) == "4.8 TB/s"
    assert units.bytes_per_second(9.998e11) == "1 TB/s"
    assert units.seconds(0) == "0 s" and units.seconds(2.1e-6) == "2.1 µs"
    assert units.size(192 * 1024) == "192 KiB" and units.size(48 * 2**20) == "48 MiB"
    assert units.number(12345.6) == "12346" and units.number(0.01234) == "0.0123"


def test_labels_are_moved_apart():
    for wanted in ([], [5.0], [0.0, 0.0, 0.0], [10, 0, 12, 40], [3, 1, 2, 100, 101]):
        placed = sorted(layout.spread_out([float(w) for w in wanted], 10))
        assert all(b - a > 9.999 for a, b in zip(placed, placed[1:])), (wanted, placed)
    assert layout.spread_out([0.0, 50.0], 10) == [0.0, 50.0]


def needs_altair(name):
    return name not in ("test_numbers_read_well", "test_labels_are_moved_apart",
                        "test_without_altair_it_says_how_to_get_it")


def have_altair():
    venv = ROOT / ".venv" / "bin" / "python"
    python = venv if venv.exists() else "python3"
    return subprocess.run([python, "-c", "import altair, vl_convert"], check=False,
                          capture_output=True).returncode == 0


if __name__ == "__main__":
    if needs_altair(sys.argv[-1]) and not have_altair():
        print("skipped: Altair is not installed (scripts/setup installs it from PyPI)")
        sys.exit(SKIPPED)
    commands.main(globals())
