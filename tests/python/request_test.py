"""Predictions of requests, their memory and their best batch from Python."""
import json
import os

import ridgepoint
import harness
from harness import close, raises
from ridgepoint import BadInput, Prompt, Request

LLAMA = {"model": "llama-3.1-8b", "gpu": "h100", "input": 1024, "output": 64}


def parts():
    """What predict(**LLAMA) is made of."""
    deployment = ridgepoint.Deployment(ridgepoint.find_model("llama-3.1-8b"))
    return ridgepoint.shipped_tables("h100"), deployment, Request([Prompt(1024)], 64)


def test_one_call_is_its_parts():
    short, long = ridgepoint.predict(**LLAMA), ridgepoint.predict_request(*parts())
    assert short.to_dict() == long.to_dict()
    assert ridgepoint.predict(**{**LLAMA, "gpu": parts()[0]}).to_dict() == short.to_dict()


def test_parts_add_up():
    p = ridgepoint.predict(**LLAMA, batch=4)
    close(p.total_s.value, p.ttft_s.value + 63 * p.tpot_s.value)
    close(p.output_tokens_per_s, 4 * 64 / p.total_s.value)
    for e in (p.ttft_s, p.tpot_s, p.total_s):
        assert 0 < e.low < e.value < e.high and float(e) == e.value
    assert p.tpot_first_s.value < p.tpot_s.value < p.tpot_last_s.value
    for phase in (p.prefill, p.decode):
        close(phase.seconds.value, sum(r.seconds for r in phase.roles) + phase.host_s)
        close(phase.seconds.value, sum(phase.bound_s.values()))
        assert 0 < phase.mfu < 1 and 0 < phase.bandwidth_utilisation < 1
    assert p.prefill.intensity > 50 * p.decode.intensity
    assert json.loads(json.dumps(p.to_dict()))["tpot_s"]["value"] == p.tpot_s.value


def test_longer_is_slower():
    one = ridgepoint.predict(**LLAMA)
    assert ridgepoint.predict(**{**LLAMA, "input": 4096}).ttft_s.value > 3 * one.ttft_s.value
    assert ridgepoint.predict(**LLAMA, cached=1000).ttft_s.value < one.ttft_s.value / 2
    assert ridgepoint.predict(**LLAMA, batch=64).tpot_s.value > one.tpot_s.value
    assert ridgepoint.predict(**LLAMA, tp=2).tpot_s.value < one.tpot_s.value
    assert ridgepoint.predict(**LLAMA, weights="fp8").tpot_s.value < one.tpot_s.value
    mixed = ridgepoint.predict(**{**LLAMA, "input": [512, 1024, 2048]})
    assert mixed.ttft_s.value > one.ttft_s.value
    assert ridgepoint.predict("8b", "h100", 16).tpot_s.value == 0


def test_speculation():
    draft = ridgepoint.find_model("llama-3.2-1b")
    good = ridgepoint.Speculation(draft, tokens=4, acceptance=0.9)
    p = ridgepoint.predict(**LLAMA, speculation=good)
    assert p.tpot_s.value < ridgepoint.predict(**LLAMA).tpot_s.value
    assert any("proposes 4 tokens" in note for note in p.notes)


def test_step():
    tables, deployment, _ = parts()
    step = [ridgepoint.Sequences(tokens=1024)]
    close(ridgepoint.predict_step(tables, deployment, step).seconds.value,
          ridgepoint.predict(**LLAMA).ttft_s.value)


def test_fine_tuned_prediction():
    plain = ridgepoint.predict(**LLAMA)
    tuned = ridgepoint.predict(**LLAMA, fine_tune={"gemm": 0.8})
    gemm = sum(r.seconds for r in plain.prefill.roles if r.op == "gemm")
    close(tuned.ttft_s.value, plain.ttft_s.value - 0.2 * gemm)
    assert ridgepoint.predict(**LLAMA).to_dict() == plain.to_dict(), "the factor has stayed"


def test_what_is_kept_is_not_handed_out():
    before = ridgepoint.predict(**LLAMA).to_dict()
    how = ridgepoint.deployment("llama-3.1-8b", "h100")
    how.model.layers = 1
    how.precision.dtype = "f16"
    ridgepoint.shipped_tables("h100").fine_tune("gemm", 9)
    assert ridgepoint.predict(**LLAMA).to_dict() == before


def test_a_changed_file_is_read_again():
    path = harness.scratch / "mine.json"
    config = {"architectures": ["LlamaForCausalLM"], "hidden_size": 2048, "vocab_size": 32000,
              "num_attention_heads": 16, "intermediate_size": 8192, "num_hidden_layers": 4}
    times = []
    for config["num_hidden_layers"] in (4, 8):
        path.write_text(json.dumps(config))
        times.append(ridgepoint.predict(str(path), "h100", 512, 2).ttft_s.value)
    assert times[1] > 1.5 * times[0]


def test_dtype_of_the_gpu():
    model = ridgepoint.find_model("8b")
    assert ridgepoint.usual_dtype(model, "T4") == "f16"
    assert ridgepoint.usual_dtype(model, "H100") == "bf16"
    assert ridgepoint.deployment("8b", "t4").precision.kv_cache == "f16"


def test_bad_requests():
    for wrong, text in (({"input": 0}, "at least 1"), ({"output": 0}, "at least 1"),
                        ({"batch": -1}, "at least 1"), ({"input": 10**6}, "context"),
                        ({"tp": 3}, "3"), ({"engine": "vlm"}, "vllm"), ({"gpu": "x1"}, "x1"),
                        ({"dtype": "x"}, "x"), ({"fine_tune": {"x": 2}}, "x")):
        with raises(BadInput, text):
            ridgepoint.predict(**{**LLAMA, **wrong})
    with raises(TypeError, "incompatible"):
        ridgepoint.predict(**{**LLAMA, "output": "many"})


def test_no_gpu_to_detect():
    os.environ["PATH"] = str(harness.scratch)
    if ridgepoint.detect_gpu() is not None:
        raise harness.Skipped("this machine has a GPU")
    with raises(BadInput, "no NVIDIA GPU"):
        ridgepoint.predict(**{**LLAMA, "gpu": "auto"})


def test_request_is_not_changed_behind_its_back():
    request = Request([Prompt(10)], 5)
    with raises(AttributeError):
        request.prompts.append(Prompt(20))
    request.prompts = [Prompt(10), Prompt(20, count=3)]
    assert request.batch == 4


def test_memory():
    m = ridgepoint.memory("llama-3.1-8b", "a10g", 2048, 256, batch=2)
    close(m.weights, 2 * 8.03e9, 1e-2)
    assert m.fits and m.capacity > m.usable > m.total and m.max_batch >= 2
    assert not ridgepoint.memory("llama-3.1-8b", "T4", 512).fits
    assert ridgepoint.memory("llama-3.1-8b", "T4", 512, weights="int4").fits
    tables, deployment, request = parts()
    assert (ridgepoint.memory_of(tables.device, deployment, request).total
            == ridgepoint.memory_of("H100", deployment, request).total)
    assert m.to_dict()["total"] == m.total
    with raises(BadInput, "H300"):
        ridgepoint.memory_of("H300", deployment, request)


def test_best_batch():
    curve = ridgepoint.best_batch(**LLAMA, tpot_limit_s=0.02)
    batches = [point.batch for point in curve.points]
    assert batches == sorted(batches) and batches[0] == 1 and curve.knee is not None
    best = curve.points[curve.best]
    assert best.fits and best.prediction.tpot_s.value <= 0.02
    assert all(p.prediction.output_tokens_per_s <= best.prediction.output_tokens_per_s
               for p in curve.points if p.fits and p.prediction.tpot_s.value <= 0.02)
    assert ridgepoint.best_batch(**LLAMA, tpot_limit_s=1e-6).best is None
    tables, deployment, request = parts()
    limits = ridgepoint.Limits(tpot_s=0.02)
    same = ridgepoint.batch_curve(tables, deployment, request, limits)
    assert [p.batch for p in same.points] == batches and same.best == curve.best
    assert limits.hold(best.prediction)


if __name__ == "__main__":
    harness.main(globals())
