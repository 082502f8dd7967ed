"""GPUs and instances compared from Python."""
import csv
import io
import json

import harness
import ridgepoint
from harness import close, raises
from ridgepoint import BadInput

ASKED = {"gpus": ["h100", "L40S"], "models": ["llama-3.1-8b"], "input": 512, "output": 64}


def test_rows():
    found = ridgepoint.compare(**ASKED, batches=[1, 8])
    assert [(r.gpu, r.batch) for r in found.rows] == [
        ("H100-SXM", 1), ("H100-SXM", 8), ("L40S", 1), ("L40S", 8)]
    first = found.rows[0]
    assert first.fits and first.usd_per_hour is None and first.tensor == 1
    one = ridgepoint.predict("llama-3.1-8b", "h100", 512, 64)
    close(first.prediction.total_s.value, one.total_s.value)


def test_texts():
    found = ridgepoint.compare(**ASKED)
    text = str(found)
    assert "H100-SXM" in text and max(map(len, text.splitlines())) <= 80
    assert len(list(csv.DictReader(io.StringIO(found.to_csv())))) == 2
    assert json.loads(found.to_json())


def test_does_not_fit():
    (row,) = ridgepoint.compare(gpus=["L40S"], models=["llama-3.1-405b"]).rows
    assert not row.fits and row.prediction is None and row.gpus_needed > 8


def test_costs_and_order():
    prices = ridgepoint.Prices(gpus={"h100": 4.0, "L40S": 1.0})
    found = ridgepoint.compare(**ASKED, prices=prices, sort_by="cost").rows
    costs = [r.usd_per_million_output for r in found]
    assert costs == sorted(costs) and costs[0] > 0
    (row,) = (r for r in found if r.gpu == "H100-SXM")
    assert row.usd_per_hour == 4
    close(row.usd_per_million_output,
          4 / 3600 / row.prediction.output_tokens_per_s * 1e6)
    path = harness.scratch / "prices.csv"
    path.write_text("gpu,usd_per_hour\nH100,4\n")
    assert ridgepoint.read_prices(path).gpus == {"H100-SXM": 4}
    path.write_text("gpu,usd_per_hour\nH100,free\n")
    with raises(BadInput, "prices.csv", "line 2", "free"):
        ridgepoint.read_prices(path)
    with raises(BadInput, "nowhere.csv"):
        ridgepoint.read_prices(harness.scratch / "nowhere.csv")


def test_instances():
    instance = ridgepoint.find_instance("P5.48xlarge")
    assert (instance.gpu, instance.gpus) == ("H100-SXM", 8)
    assert ridgepoint.find_instance("p9.nano") is None
    rows = ridgepoint.compare(gpus=["p5.48xlarge"], models=["llama-3.1-70b"]).rows
    assert rows[0].target == "p5.48xlarge" and rows[0].fits and rows[0].tensor >= 2


def test_best_batch_within_limits():
    found = ridgepoint.compare(**ASKED, batches=[ridgepoint.BEST_BATCH],
                               limits=ridgepoint.Limits(tpot_s=0.03))
    assert all(r.batch > 1 and r.prediction.tpot_s.value <= 0.03 for r in found.rows)


def test_bad_input():
    for wrong, text in (({"gpus": ["h300"]}, "h300"), ({"gpus": []}, "GPU"),
                        ({"models": ["x"]}, "'x'"), ({"batches": [-1]}, "batch"),
                        ({"sort_by": "taste"}, "taste"), ({"dtype": "f17"}, "f17")):
        with raises(BadInput, text):
            ridgepoint.compare(**{**ASKED, **wrong})


if __name__ == "__main__":
    harness.main(globals())
