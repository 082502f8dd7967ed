"""Tables and engine profiles from Python."""
import harness
import ridgepoint
from harness import close, raises
from ridgepoint import BadInput, Call

GEMM = Call("gemm", {"m": 16, "n": 4096, "k": 4096})


def test_call():
    assert GEMM.dims == {"m": 16, "n": 4096, "k": 4096}
    assert GEMM == Call("gemm", [16, 4096, 4096], "bfloat16") and GEMM != 1
    assert len({GEMM, Call("gemm", [16, 4096, 4096])}) == 1
    assert GEMM != Call("gemm", [16, 4096, 4096], "f16")
    with raises(BadInput, "'k'"):
        Call("gemm", {"m": 1, "n": 1})
    with raises(BadInput, "'z'"):
        Call("gemm", {"m": 1, "n": 1, "k": 1, "z": 1})
    with raises(BadInput, "k=-3"):
        Call("gemm", [1, 1, -3])
    with raises(BadInput, "divination", "gemm"):
        Call("divination", [1])
    with raises(BadInput):
        Call("gemm", [1, 1])


def test_predicted_calls():
    tables = ridgepoint.shipped_tables("NVIDIA H100 80GB HBM3")
    assert tables.device.name == "H100-SXM" and tables.files
    one = tables.predict(GEMM)
    assert 0 < one.low_s < one.seconds < one.high_s
    assert (one.bound, one.basis) == ("dram", "interpolated")
    larger = Call("gemm", {"m": 4096, "n": 4096, "k": 4096})
    both = tables.predict([GEMM, larger])
    close(both[0].seconds, one.seconds)
    assert both[1].bound == "compute" and both[1].seconds > one.seconds
    assert "gemm bf16" in tables.answered_by(GEMM)
    assert tables.predict([]) == []


def test_framework():
    pooled = ridgepoint.shipped_tables("h100")
    vllm = ridgepoint.shipped_tables("h100", "vllm")
    assert "pooled" in pooled.answered_by(GEMM) and "pooled" not in vllm.answered_by(GEMM)


def test_predicted_kernels():
    tables = ridgepoint.shipped_tables("h100")
    model = ridgepoint.find_model("8b")
    (stage,) = ridgepoint.lower(model, [ridgepoint.Sequences(tokens=128)])
    times = tables.predict(stage)
    assert len(times) == len(stage) and all(t.seconds > 0 for t in times)


def test_fine_tuning_of_a_table_set():
    tables = ridgepoint.shipped_tables("h100")
    before = tables.predict(GEMM)
    tuned = tables.tuned({"Linear_GEMM": 0.5})
    close(tuned.predict(GEMM).seconds, before.seconds / 2)
    close(tuned.predict(GEMM).low_s, before.low_s / 2)
    close(tables.predict(GEMM).seconds, before.seconds)
    tables.fine_tune("gemm", 3)
    close(tables.predict(GEMM).seconds, 3 * before.seconds)
    close(tables.copy().predict(GEMM).seconds, 3 * before.seconds)
    for factor in (0, -1, float("nan"), float("inf")):
        with raises(BadInput, "factor"):
            tables.fine_tune("gemm", factor)
    with raises(BadInput, "divination"):
        tables.fine_tune("divination", 2)


def test_files():
    shipped = ridgepoint.shipped_tables("h100")
    vllm = next(f for f in shipped.files if f.endswith("vllm.json"))
    tables = ridgepoint.TableSet([vllm])
    assert tables.files == [vllm]
    assert tables.ceilings["matrix.bf16"] > 5e14 and tables.launch_s > 0
    other = next(f for f in ridgepoint.shipped_tables("l40s").files)
    with raises(BadInput, "L40S", "one device"):
        ridgepoint.TableSet([vllm, other])
    with raises(BadInput, "nowhere.json"):
        ridgepoint.TableSet(["nowhere.json"])
    with raises(BadInput, "no delay-factor table"):
        ridgepoint.TableSet([])


def test_unknown_gpus():
    with raises(BadInput, "H300", "H100-SXM"):
        ridgepoint.shipped_tables("H300")
    assert ridgepoint.find_device("H300") is None
    assert {"H100-SXM", "H200", "L40S", "A100-SXM-80GB"} <= set(ridgepoint.gpus_with_tables())


def test_engine_profiles():
    assert {"kernels", "vllm", "sglang", "tensorrt-llm", "transformers"} <= set(
        ridgepoint.bundled_engines())
    engine = ridgepoint.find_engine("kernels")
    assert not engine.adds_time
    engine.times.decode, engine.fitted_on = ridgepoint.HostCost(1e-3, 1e-5), ""
    assert engine.adds_time
    path = harness.scratch / "mine.json"
    with raises(RuntimeError, "fitted_on"):
        ridgepoint.save_engine(engine, path)
    engine.fitted_on = "ten rows of mine"
    engine.name = "mine"
    ridgepoint.save_engine(engine, path)
    assert ridgepoint.find_engine(str(path)).times.decode.per_step_s == 1e-3
    engine.fusion.qkv = False
    assert not engine.fusion.qkv
    with raises(BadInput, "vlm", "vllm"):
        ridgepoint.find_engine("vlm")


if __name__ == "__main__":
    harness.main(globals())
