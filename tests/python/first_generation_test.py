"""Code that was written for the first generation's predictor."""
import contextlib
import dataclasses
import io
import json
import warnings

import harness
import ridgepoint
from harness import Skipped, close, raises
from llm_latency_predictor import BadInput, LLMLatencyPredictor

# The example of its documentation, word for word.
EXAMPLE = """
from llm_latency_predictor import LLMLatencyPredictor

predictor = LLMLatencyPredictor()

# LLaMA 3.2 1B + T4 + 512 input + 100 output tokens
result = predictor.predict_latency('LLaMA_3.2_1B', 'T4', 512, 100)
print(f"Total latency: {result.total_ms:.1f}ms")

predictor.fine_tune_delay_factors({
    'T4_Linear_GEMM': 0.8,
    'T4_BMM': 1.1
})
"""
GPUS = ("T4", "A10G", "L40S", "A100", "L4", "A100_40G", "A100_80G", "V100", "RTX 4090", "H100",
        "H200")


def test_example():
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        names = {}
        exec(EXAMPLE, names)  # pylint: disable=exec-used
    before = names["result"].total_ms
    assert out.getvalue() == f"Total latency: {before:.1f}ms\n"
    after = names["predictor"].predict_latency("LLaMA_3.2_1B", "T4", 512, 100).total_ms
    assert after < 0.95 * before


def test_result():
    r = LLMLatencyPredictor().predict_latency("LLaMA_3_8B", "A100", 1024, 128, 4)
    names = [field.name for field in dataclasses.fields(r)]
    assert len(names) == 12 and list(r.to_dict()) == names
    assert {"total_ms", "prefill_ms", "decode_per_token_ms"} <= set(names)
    assert json.loads(json.dumps(r.to_dict()))["total_ms"] == r.total_ms
    assert (r.model, r.gpu, r.input_length) == ("llama-3-8b", "A100-SXM-80GB", 1024)
    assert (r.output_length, r.batch_size, r.ttft_ms) == (128, 4, r.prefill_ms)
    close(r.total_ms, r.prefill_ms + r.decode_ms)
    close(r.decode_ms, 127 * r.decode_per_token_ms)
    close(r.tokens_per_second, 4 * 128 / r.total_ms * 1e3)
    assert r.total_low_ms < r.total_ms < r.total_high_ms
    assert r.bottleneck == "dram" and r.fits and 16 < r.memory_gb < 20
    close(sum(r.prefill_breakdown_ms.values()), r.prefill_ms)
    close(sum(r.decode_breakdown_ms.values()), r.decode_per_token_ms)


def test_agrees_with_ridgepoint():
    r = LLMLatencyPredictor().predict_latency("1b", "H100", 512, 100, 2)
    p = ridgepoint.predict("llama-3.2-1b", "H100", 512, 100, 2)
    close(r.total_ms, p.total_s.value * 1e3)
    one_token = LLMLatencyPredictor().predict_latency("1b", "H100", 512, 1)
    assert one_token.decode_ms == one_token.decode_per_token_ms == 0


def test_decode_reads_the_weights_every_step():
    """The first generation was 10 to 180 times too fast here."""
    for gpu in ("A100", "H100", "L40S"):
        r = LLMLatencyPredictor().predict_latency("LLaMA_3_8B", gpu, 512, 100)
        bandwidth = ridgepoint.find_device(gpu).memory_bandwidth_bytes_per_s
        assert r.decode_per_token_ms > 15e9 / bandwidth * 1e3


def test_models_and_their_aliases():
    predictor = LLMLatencyPredictor()
    for aliases in (("LLaMA_3.2_1B", "1b", "llama_3.2_1b"), ("LLaMA_3_8B", "8b", "llama-3-8b"),
                    ("LLaMA_3_70B", "70b", "LLAMA_3_70B")):
        rows = [predictor.predict_latency(a, "H100", 128, 8).to_dict() for a in aliases]
        assert rows[0] == rows[1] == rows[2]
    model = ridgepoint.find_model("1b")
    assert (predictor.predict_latency(model, "H100", 128, 8).total_ms
            == predictor.predict_latency("1b", "H100", 128, 8).total_ms)
    assert not predictor.predict_latency("70b", "L40S", 128, 8).fits


def predict_on(gpu):
    try:
        return LLMLatencyPredictor().predict_latency("LLaMA_3.2_1B", gpu, 512, 100)
    except BadInput as error:
        if "no table ships" not in str(error):
            raise
        return None


def test_gpus():
    missing = [gpu for gpu in GPUS if predict_on(gpu) is None]
    assert not {"T4", "L40S", "A100", "A100_80G", "H100", "H200"} & set(missing)
    assert predict_on("H200").total_ms < predict_on("A100").total_ms < predict_on("L40S").total_ms
    if missing:
        raise Skipped("no tables ship for " + ", ".join(missing))


def gemm_ms(result):
    """Of the whole request."""
    phases = result.prediction.prefill, result.prediction.decode
    prefill, decode = (sum(r.seconds for r in p.roles if r.op == "gemm") for p in phases)
    return (prefill + (result.output_length - 1) * decode) * 1e3


def test_fine_tuning_acts_by_every_alias():
    for gpu in ("T4", "A100", "H100", "L40S"):
        spec = ridgepoint.find_device(gpu)
        names = [spec.name, *spec.aliases, gpu.lower(), "NVIDIA " + spec.name]
        names += [name.replace("-", "_").replace(" ", "_") for name in names]
        before = LLMLatencyPredictor().predict_latency("1b", gpu, 512, 100)
        want = before.total_ms - 0.2 * gemm_ms(before)
        for name in names:
            predictor = LLMLatencyPredictor()
            predictor.fine_tune_delay_factors({f"{name}_Linear_GEMM": 0.8})
            for asked in names[:3]:
                close(predictor.predict_latency("1b", asked, 512, 100).total_ms, want)
    # 40 GB and 80 GB are two GPUs.
    predictor = LLMLatencyPredictor()
    predictor.fine_tune_delay_factors({"A100_40G_Linear_GEMM": 0.5})
    assert predictor.fine_tuning.to_dict() == {"A100-SXM-40GB": {"Linear_GEMM": 0.5}}


def test_every_first_generation_operator_acts():
    before = LLMLatencyPredictor().predict_latency("1b", "H100", 512, 100).total_ms
    for operator in ("Linear_GEMM", "BMM", "Grouped_Query_Attention", "SwiGLU_MLP", "RMS_Norm"):
        predictor = LLMLatencyPredictor()
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            predictor.fine_tune_delay_factors({f"H100_{operator}": 2})
        assert predictor.predict_latency("1b", "H100", 512, 100).total_ms > 1.001 * before
        # Elsewhere nothing changes.
        assert (predictor.predict_latency("1b", "H200", 512, 100).total_ms
                == LLMLatencyPredictor().predict_latency("1b", "H200", 512, 100).total_ms)
    for operator in ("Elementwise_Add", "Softmax", "Conv2D", "LSTM"):
        with warnings.catch_warnings(record=True) as seen:
            warnings.simplefilter("always")
            LLMLatencyPredictor().fine_tune_delay_factors({f"H100_{operator}": 2})
        assert any("does not act" in str(w.message) for w in seen), f"{operator} says nothing"


def test_fine_tuning_again_replaces():
    predictor = LLMLatencyPredictor()
    before = predictor.predict_latency("1b", "H100", 512, 100).total_ms
    predictor.fine_tune_delay_factors({"H100_Linear_GEMM": 0.5})
    predictor.fine_tune_delay_factors({"h100_sxm_linear_gemm": 0.8})
    predictor.fine_tune_delay_factors({"H100_BMM": 1.1})
    assert predictor.fine_tuning.to_dict() == {"H100-SXM": {"Linear_GEMM": 0.8, "BMM": 1.1}}
    predictor.fine_tune_delay_factors({"H100_Linear_GEMM": 1, "H100_BMM": 1.0})
    assert predictor.predict_latency("1b", "H100", 512, 100).total_ms == before
    assert predictor.fine_tuning.to_dict() == {}


def test_bad_fine_tuning():
    predictor = LLMLatencyPredictor()
    for key, texts in (("H300_Linear_GEMM", ("H300", "H100-SXM")), ("H100_Magic", ("H100_Magic",)),
                       ("Linear_GEMM", ("Linear_GEMM",)), ("", ("''",))):
        with raises(BadInput, *texts):
            predictor.fine_tune_delay_factors({"H100_BMM": 2, key: 0.8})
    for factor in (0, -1, float("nan"), float("inf"), "2", None, True):
        with raises(ValueError, "factor"):
            predictor.fine_tune_delay_factors({"H100_Linear_GEMM": factor})
    assert predictor.fine_tuning.to_dict() == {}, "a part of a wrong call has stayed"


def test_fine_tuning_is_saved_and_loaded():
    path = harness.scratch / "factors.json"
    one, other = LLMLatencyPredictor(), LLMLatencyPredictor()
    one.fine_tune_delay_factors({"H100_Linear_GEMM": 0.8, "Tesla_T4_BMM": 1.1})
    one.save_fine_tuning(path)
    assert json.loads(path.read_text()) == {"H100-SXM": {"Linear_GEMM": 0.8}, "T4": {"BMM": 1.1}}
    other.load_fine_tuning(path)
    assert (one.predict_latency("1b", "H100", 512, 100).total_ms
            == other.predict_latency("1b", "H100", 512, 100).total_ms)
    assert [p.name for p in harness.scratch.iterdir()] == ["factors.json"]
    for text in ("", "[]", '{"H100": 2}', '{"H300": {"gemm": 2}}', '{"H100": {"x": 2}}',
                 '{"H100": {"gemm": -2}}'):
        path.write_text(text)
        with raises(BadInput, "factors.json"):
            other.load_fine_tuning(path)
    with raises(BadInput, "nowhere.json"):
        other.load_fine_tuning(harness.scratch / "nowhere.json")
    assert other.fine_tuning.to_dict() == one.fine_tuning.to_dict()


def test_accuracy():
    predictor = LLMLatencyPredictor()
    case = {"model": "LLaMA_3.2_1B", "gpu": "H100", "input_length": 512, "output_length": 100}
    truth = predictor.predict_latency("LLaMA_3.2_1B", "H100", 512, 100).total_ms
    report = predictor.benchmark_prediction_accuracy([
        {**case, "actual_ms": truth}, {**case, "actual_ms": truth / 1.2},
        {**case, "actual_ms": truth / 0.9}, {**case, "gpu": "H300", "actual_ms": 5},
        {**case, "actual_ms": 0}, case, {"actual_ms": 5}, {**case, "actual_ms": "soon"}])
    assert report["count"] == 3 and len(report["results"]) == 3 and len(report["rejected"]) == 5
    close(report["mean_error_percent"], 10)
    close(report["median_error_percent"], 10)
    close(report["max_error_percent"], 20)
    close(report["bias_percent"], ((1.2 * 0.9) ** (1 / 3) - 1) * 100)
    assert report["results"][0]["within_interval"] and report["results"][0]["gpu"] == "H100"
    assert "H300" in report["rejected"][0]["reason"]
    nothing = predictor.benchmark_prediction_accuracy([])
    assert nothing["count"] == 0 and nothing["mean_error_percent"] is None


def test_own_tables_and_engine():
    files = [f for f in ridgepoint.shipped_tables("H100").files if f.endswith("vllm.json")]
    mine = LLMLatencyPredictor(tables={"h100": files})
    assert mine.predict_latency("1b", "H100-SXM5", 512, 100).total_ms > 0
    assert "H100-SXM" in mine.supported_gpus and "llama-3.2-1b" in mine.supported_models
    with raises(BadInput, "L40S"):
        LLMLatencyPredictor(tables={"L40S": files}).predict_latency("1b", "L40S", 512, 100)
    with raises(BadInput, "vlm"):
        LLMLatencyPredictor(engine="vlm")


def test_bad_input():
    predictor = LLMLatencyPredictor()
    for wrong, text in ((("LLaMA_9_1B", "T4", 512, 100), "LLaMA_9_1B"),
                        (("1b", "T5", 512, 100), "T4"), (("1b", "H100", 0, 100), "at least 1"),
                        (("1b", "H100", 512, 0), "at least 1"),
                        (("1b", "H100", 512, 100, 0), "at least 1"),
                        (("1b", "H100", 10**7, 100), "context")):
        with raises(ValueError, text):
            predictor.predict_latency(*wrong)


if __name__ == "__main__":
    harness.main(globals())
