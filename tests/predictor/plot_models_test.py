"""scripts/plot_validation on whole models, as a user runs it."""
import re
import sys
import xml.etree.ElementTree

import commands
from commands import main

TIMES = ("ttft", "tpot", "total")
ADDED = ",".join(f"predicted_{t}_ms{end}" for t in TIMES for end in ("", "_low", "_high"))
HEAD = ("source,gpu,gpus,framework,model,input_tokens,output_tokens,batch,measured_ttft_ms,"
        f"measured_tpot_ms,measured_total_ms,notes,{ADDED}")
CHARTS = ("agreement", "error_by_group")


def scratch(name=""):
    return commands.options.scratch / name


def predicted(ms, off):
    return ",".join(f"{ms * (1 + off) * f:.6g}" for f in (1, 0.9, 1.1))


def line(i, off=0.05, gpu="Fake 9000", model="toy-1b", source="made"):
    ttft, tpot = 20 + i, 5 + 0.1 * i
    total = ttft + 15 * tpot
    return (f"{source},{gpu},{1 + i % 2},{'ab'[i % 2]},{model},128,16,{2 ** (i % 4)},{ttft},"
            f"{tpot:.6g},{total:.6g},,{predicted(ttft, off)},{predicted(tpot, -off)},"
            f"{predicted(total, 3 * off)}")


def plot(found, *flags):
    scratch("v").mkdir(exist_ok=True)
    (scratch("v") / "predictions.csv").write_text("\n".join([HEAD, *found]) + "\n", "utf-8")
    done = commands.run("plot_validation", scratch("v"), *flags, timeout=600)
    if done.code == 1 and "scripts/setup" in done.err:
        print("skipped: what draws charts is not installed")
        sys.exit(77)
    return done


def texts(name):
    root = xml.etree.ElementTree.parse(scratch("v") / f"{name}.svg").getroot()
    return ["".join(e.itertext()) for e in root.iter() if e.tag.endswith("}text")]


def page():
    text = (scratch("v") / "validation.html").read_text("utf-8")
    return re.sub(r"<script>.*?</script>", "", text, flags=re.DOTALL)


def written():
    return sorted(p.name for p in scratch("v").iterdir())


def test_charts_and_a_page_are_drawn():
    plot([line(i) for i in range(24)]).says(0)
    assert written() == ["agreement.svg", "error_by_group.svg", "predictions.csv",
                         "validation.html"], written()
    for name in CHARTS:
        assert any("Fake 9000" in t for t in texts(name)), texts(name)
        # Each prediction is off by 5, 5 and 15 %.
        assert any("24 rows; mean error of TTFT 5.0%, TPOT 5.0%, total 15.0%" in t
                   for t in texts(name)), texts(name)
    assert {"TTFT, 24 rows", "TPOT, 24 rows", "total, 24 rows"} <= set(texts("agreement"))
    assert {"Framework", "GPU", "Batch"} <= set(texts("error_by_group")), texts("error_by_group")
    assert "Model" not in texts("error_by_group"), "one group is no comparison"
    body = page()
    assert not re.search(r"<(script|link|img|iframe)|@import|url\(", body), "it loads something"
    assert "The worst" in body and "toy-1b on Fake 9000 x2, 128 in, 16 out, batch 2, b" in body


def test_intervals_are_scored():
    """Low and high are 10 % around the prediction: 5 % off lies inside, 15 % does not."""
    plot([line(i) for i in range(24)]).says(0)
    row = re.search(r"<tr><td>all rows</td>(.*?)</tr>", page()).group(1)
    assert re.findall(r">([^<]*)</td>", row) == ["24", "5.0%", "100%", "24", "5.0%", "100%", "24",
                                                 "15.0%", "0%"], row


def test_rows_without_a_prediction_or_a_time_are_counted():
    cells = line(3).split(",")
    unpredicted = ",".join(cells[:12] + [""] * 9)
    unmeasured = ",".join(cells[:8] + [""] * 3 + cells[11:])
    # One token out: no time per token, which is written as 0.
    one_token = ",".join(cells[:9] + [""] + cells[10:15] + ["0"] * 3 + cells[18:])
    plot([line(1), unpredicted, unmeasured, one_token]).says(0)
    assert any("2 rows; " in t and "2 rows not compared" in t for t in texts("agreement"))
    assert {"TTFT, 2 rows", "TPOT, 1 row", "total, 2 rows"} <= set(texts("agreement")), texts("agreement")


def test_totals_alone_are_drawn_alone():
    found = []
    for i in range(5):
        cells = line(i).split(",")
        found.append(",".join(cells[:8] + ["", ""] + cells[10:]))
    plot(found).says(0)
    assert not any("TTFT" in t for t in texts("agreement")), texts("agreement")


def test_odd_rows_do_no_harm():
    many = [line(i, gpu=f"Fake {i}") for i in range(40)]
    for found in ([line(1)], [line(1)] * 30, [line(1, 0.9), line(2, -0.3)], many,
                  [line(i, gpu="</script><b>Fake</b>", model="m" * 90) for i in range(4)]):
        plot(found).says(0)
        assert "<b>" not in (scratch("v") / "validation.html").read_text("utf-8")
        for name in CHARTS:
            text = (scratch("v") / f"{name}.svg").read_text("utf-8")
            assert "NaN" not in text and "Infinity" not in text, name
        assert ("others" in texts("agreement")) == (found is many)


def test_charts_of_kernels_are_replaced():
    plot([line(1)]).says(0)
    (scratch("v") / "predictions.csv").write_text(
        "file,line,gpu,op,dtype,implementation,m,latency_us,predicted_us,low_us,high_us,bound,"
        "basis\nk.csv,2,Fake 9000,copy,bf16,,1,5,5,4,6,dram,interpolated\n", "utf-8")
    commands.run("plot_validation", scratch("v"), timeout=600).says(0)
    assert written() == ["agreement.svg", "error_by_size.svg", "predictions.csv",
                         "validation.html"], written()


def test_bad_files_are_named_and_nothing_is_written():
    good = line(5)
    cases = [([], "no row"), ([good, good.replace(",25,", ",x25,")], ":3: column 'measured_ttft_ms'"),
             ([good[0:40]], ":2: has fewer"),
             ([good[:good.rindex(",")] + ",-1"], ":2: column 'predicted_total_ms_high'")]
    for found, says in cases:
        plot(found).says(2, "predictions.csv", says)
        assert written() == ["predictions.csv"], written()
    (scratch("v") / "predictions.csv").write_text("gpu,model\n1,2\n", "utf-8")
    done = commands.run("plot_validation", scratch("v"), timeout=600)
    done.says(2, "predictions.csv:1: column 'input_tokens'")


if __name__ == "__main__":
    main(globals())
