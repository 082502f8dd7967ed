"""The command `speed_benchmark`: bad input, and a whole run of a tiny model on the CPU."""
import json
import pathlib
import struct

import commands
from commands import run

CONFIG = {
    "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_act": "silu",
    "hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 2, "num_attention_heads": 4,
    "num_key_value_heads": 2, "vocab_size": 97, "max_position_embeddings": 256,
    "tie_word_embeddings": True, "torch_dtype": "float32",
}
BRIEF = ("speed_benchmark", "--device=cpu", "--max-gen-len=4", "--prompt-lengths=3,5,8",
         "--repeats=2", "--no-charts")


def folder(name="results"):
    return commands.options.scratch / name


def model(name="tiny", **changes):
    path = folder(name)
    path.mkdir(exist_ok=True)
    (path / "config.json").write_text(json.dumps({**CONFIG, **changes}))
    return path


def shapes():
    """Hugging Face's tensors of CONFIG."""
    all_of = {"model.embed_tokens.weight": (97, 64), "model.norm.weight": (64,)}
    for i in range(2):
        layer = f"model.layers.{i}."
        all_of |= {layer + "input_layernorm.weight": (64,),
                   layer + "post_attention_layernorm.weight": (64,),
                   layer + "self_attn.q_proj.weight": (64, 64),
                   layer + "self_attn.k_proj.weight": (32, 64),
                   layer + "self_attn.v_proj.weight": (32, 64),
                   layer + "self_attn.o_proj.weight": (64, 64),
                   layer + "mlp.gate_proj.weight": (96, 64),
                   layer + "mlp.up_proj.weight": (96, 64),
                   layer + "mlp.down_proj.weight": (64, 96)}
    return all_of


def write_weights(path, tensors):
    header, data = {}, b""
    for name, shape in tensors.items():
        count = 1
        for side in shape:
            count *= side
        values = [((i * 37 + len(name)) % 101 - 50) / 400 for i in range(count)]
        header[name] = {"dtype": "F32", "shape": list(shape),
                        "data_offsets": [len(data), len(data) + 4 * count]}
        data += struct.pack(f"<{count}f", *values)
    text = json.dumps(header).encode()
    (path / "model.safetensors").write_bytes(struct.pack("<Q", len(text)) + text + data)


def results(name="results"):
    return json.loads((folder(name) / "benchmark_results.json").read_text())


def test_random_weights_are_run_profiled_and_written():
    done = run(*BRIEF, "--model-path", model(), "--profile", "--output-dir", folder())
    done.says(0)
    for text in ("Test Name", "Tokens/sec", "short", "medium", "long", "TTFT", "Memory",
                 "Findings"):
        assert text in done.out, text
    wide = [line for line in done.out.splitlines()
            if len(line) > 80 and not line.startswith(("results:", "profile:"))]
    assert not wide, wide
    tests = results()["tests"]
    assert [t["name"] for t in tests] == ["short", "medium", "long"]
    assert all(t["tokens_per_s"] > 0 and len(t["runs"]) == 2 for t in tests)
    assert all(len(r["decode_steps_s"]) == 3 for t in tests for r in t["runs"])
    assert results()["weights"].startswith("random")
    trace = json.loads((folder() / "profiler_trace.json").read_text())
    assert {"prefill", "decode", "layer 1", "down"} <= {e["name"] for e in trace["traceEvents"]}
    assert "gate_up" in (folder() / "profiler_stats.txt").read_text()


def test_weights_of_a_folder_are_read():
    path = model()
    write_weights(path, shapes())
    run(*BRIEF, "--model-path", path, "--output-dir", folder()).says(0)
    assert results()["weights"] == str(path)
    # By the variable of the first generation.
    run(*BRIEF, "--output-dir", folder("again"), env={"LLAMA_MODEL_PATH": str(path)}).says(0)
    assert results("again")["weights"] == str(path)


def test_int8_weights_are_run_and_said():
    run(*BRIEF, "--model-path", model(), "--output-dir", folder("f32")).says(0)
    done = run(*BRIEF, "--model-path", model(), "--weights=int8", "--profile", "--output-dir",
               folder())
    done.says(0)
    assert "int8" in done.out
    wide = [line for line in done.out.splitlines()
            if len(line) > 80 and not line.startswith(("results:", "profile:"))]
    assert not wide, wide
    native, int8 = results("f32"), results()
    assert (native["weight_format"], int8["weight_format"]) == ("native", "int8")
    assert int8["memory_bytes"]["weights"] < native["memory_bytes"]["weights"]
    stats = (folder() / "profiler_stats.txt").read_text()
    assert "quantise_rows" in stats and "dequantise" in stats
    assert any("rounding to int8" in f for f in int8["findings"])


def test_int8_weights_of_a_folder_are_run():
    path = model()
    write_weights(path, shapes())
    run(*BRIEF, "--model-path", path, "--weights=int8", "--output-dir", folder()).says(0)
    assert results()["weights"] == str(path) and results()["weight_format"] == "int8"


def test_int8_weights_are_of_the_cpu_in_f32():
    out = ("--weights=int8", "--model-path", model(), "--output-dir", folder())
    for device in ("cuda", "cuda:1"):
        run("speed_benchmark", "--device", device, *out).says(2, "--weights int8", "CPU only")
    run(*BRIEF, "--dtype=bfloat16", *out).says(2, "--dtype bfloat16", "float32")
    run(*BRIEF, "--model-path", model(), "--weights=int4").says(2, "--weights", "int8")
    assert not (folder() / "benchmark_results.json").exists()


def test_broken_weights_are_named_and_earlier_results_kept():
    path = model()
    run(*BRIEF, "--model-path", path, "--output-dir", folder()).says(0)
    before = (folder() / "benchmark_results.json").read_text()
    tensors = shapes()
    del tensors["model.layers.1.mlp.up_proj.weight"]
    write_weights(path, tensors)
    run(*BRIEF, "--model-path", path, "--output-dir", folder()).says(
        2, "model.layers.1.mlp.up_proj.weight")
    write_weights(path, {**shapes(), "model.norm.weight": (63,)})
    run(*BRIEF, "--model-path", path, "--output-dir", folder()).says(2, "model.norm.weight", "63")
    write_weights(path, shapes())
    whole = (path / "model.safetensors").read_bytes()
    (path / "model.safetensors").write_bytes(whole[:-100])
    run(*BRIEF, "--model-path", path, "--output-dir", folder()).says(2, "model.safetensors")
    assert (folder() / "benchmark_results.json").read_text() == before


def test_bad_input():
    out = ("--output-dir", folder())
    run(*BRIEF, "--model-name", "no-such-model", *out).says(2, "no-such-model", "nearest")
    run(*BRIEF, "--model-path", folder("nowhere"), *out).says(2, "nowhere")
    run(*BRIEF, "--model-path", model(), "--max-seq-len=10", *out).says(
        2, "--prompt-lengths 8", "--max-seq-len 10")
    run(*BRIEF, "--model-path", model(), "--dtype=bfloat16", *out).says(2, "--dtype bfloat16")
    run(*BRIEF, "--model-path", model(), "--dtype=int4", *out).says(2, "int4")
    run(*BRIEF, "--model-path", model(), "--layers=3", *out).says(2, "--layers 3", "has 2")
    run(*BRIEF, "--model-path", model(), "--prompt-lengths=-3", *out).says(2, "--prompt-lengths")
    run(*BRIEF, "--model-path", model(), "--batch=0", *out).says(2, "--batch")
    run("speed_benchmark", "--device=cuda", "--model-path", model(), *out).says(3)
    run(*BRIEF, "--model-path", model(), "--prompt=Hello", *out).says(2, "--prompt", "weights")
    run(*BRIEF, "--model-path", model("moe", num_local_experts=4, num_experts_per_tok=2,
                                      architectures=["MixtralForCausalLM"],
                                      model_type="mixtral"), *out).says(2, "experts")
    run(*BRIEF, "--model-path", model("scaled", rope_scaling={"rope_type": "yarn", "factor": 4}),
        *out).says(2, "rope_scaling", "yarn")
    assert not (folder() / "benchmark_results.json").exists()


def test_a_model_that_does_not_fit_is_refused_before_it_starts():
    run(*BRIEF, "--model-name", "llama-3.1-405b", "--output-dir", folder()).says(
        2, "llama-3.1-405b", "needs about", "GB are free", "--layers")


def test_a_folder_that_cannot_be_written_is_said_before_measuring():
    folder().write_text("in the way")
    run(*BRIEF, "--model-path", model(), "--output-dir", folder()).says(1, str(folder()))
    assert folder().read_text() == "in the way"


def test_a_table_of_another_device_is_refused():
    run(*BRIEF, "--model-path", model(), "--table", folder("absent.json"), "--output-dir",
        folder()).says(2, "absent.json")
    results_folder = pathlib.Path(__file__).resolve().parents[2] / "results"
    run(*BRIEF, "--model-path", model(), "--table", results_folder / "h200" / "vllm.json",
        "--output-dir", folder()).says(2, "vllm.json", "H200")


def test_sweep_covers_powers_of_two():
    run(*BRIEF, "--model-path", model(), "--sweep=4", "--output-dir", folder()).says(0)
    assert [t["batch"] for t in results()["sweep"]] == [1, 2, 4]


if __name__ == "__main__":
    commands.main(globals())
