"""Models, precisions and lowered steps from Python."""
import copy
import json

import harness
import ridgepoint
from harness import close, raises
from ridgepoint import BadInput


def test_bundled_models_and_aliases():
    names = ridgepoint.bundled_models()
    assert {"llama-3.1-8b", "mixtral-8x7b", "qwen3-30b-a3b"} <= set(names)
    for alias in ("LLaMA_3.2_1B", "1b", "meta-llama/Llama-3.2-1B-Instruct"):
        assert ridgepoint.find_model(alias).name == "llama-3.2-1b"
    model = ridgepoint.find_model("llama-3.1-8b")
    assert (model.hidden, model.layers, model.heads, model.kv_heads) == (4096, 32, 32, 8)
    assert (model.activation, model.dtype, model.experts) == ("silu", "bf16", None)
    close(model.parameters, 8030261248)
    assert model.parameters == ridgepoint.parameters(model) == model.active_parameters


def test_experts():
    model = ridgepoint.find_model("mixtral-8x7b")
    assert (model.experts.count, model.experts.per_token) == (8, 2)
    assert model.active_parameters < 0.3 * model.parameters
    model.experts.per_token = 4
    assert model.experts.per_token == 4, "a part of a model is not the model's own"


def test_unknown_models():
    with raises(BadInput, "llama-3.1-9b", "llama-3.1-8b"):
        ridgepoint.find_model("llama-3.1-9b")
    with raises(ValueError, "nowhere.json"):
        ridgepoint.find_model("./nowhere.json")
    with raises(BadInput, "mine", "num_attention_heads"):
        ridgepoint.model_from_config({"architectures": ["LlamaForCausalLM"], "hidden_size": 64,
                                      "num_hidden_layers": 2, "intermediate_size": 128,
                                      "vocab_size": 100}, "mine")


def test_config_as_dict_and_as_file():
    config = {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": 512,
              "num_hidden_layers": 4, "num_attention_heads": 8, "intermediate_size": 1024,
              "vocab_size": 1000, "max_position_embeddings": 2048, "torch_dtype": "float16"}
    path = harness.scratch / "config.json"
    path.write_text(json.dumps(config))
    models = (ridgepoint.model_from_config(config), ridgepoint.read_model(path),
              ridgepoint.find_model(str(harness.scratch)))
    assert len({m.parameters for m in models}) == 1
    assert models[0].dtype == "f16"
    close(ridgepoint.weight_bytes(models[0]), 2 * models[0].parameters, 1e-3)


def test_copies_are_independent():
    model = ridgepoint.find_model("8b")
    for made in (model.copy(), copy.copy(model), copy.deepcopy(model)):
        made.layers = 1
        assert model.layers == 32


def test_words_of_precision():
    p = ridgepoint.Precision("half", weights="int4")
    assert (p.dtype, p.kv_cache, p.weights) == ("f16", "f16", "int4")
    close(p.bytes_per_weight, 0.5 + 2 / 128)
    p.kv_cache = "fp8"
    assert p.kv_cache == "f8e4m3"
    for wrong in ({"dtype": "f17"}, {"weights": "int3"}, {"kv_cache": "x"}):
        with raises(BadInput, *wrong.values()):
            ridgepoint.Precision(**wrong)
    with raises(BadInput, "int3", "int4"):
        p.weights = "int3"


def test_lowered_step():
    model = ridgepoint.find_model("llama-3.1-8b")
    step = [ridgepoint.Sequences(tokens=1, past=1000, count=4)]
    (stage,) = ridgepoint.lower(model, step, ridgepoint.Parallel(tensor=2))
    roles = [k.role for k in stage]
    assert roles[0] == "embedding" and "decode_attention" in roles and "all_reduce" in roles
    down = next(k for k in stage if k.role == "down")
    assert (down.call.op, down.count) == ("gemm", 32)
    assert down.call.dims == {"m": 4, "n": 4096, "k": 7168}
    stages = ridgepoint.lower(model, step, ridgepoint.Parallel(pipeline=4))
    assert len(stages) == 4
    with raises(BadInput, "3"):
        ridgepoint.lower(model, step, ridgepoint.Parallel(tensor=3))


def test_bytes_of_a_token():
    model = ridgepoint.find_model("llama-3.1-8b")
    assert ridgepoint.kv_bytes_per_token(model) == 2 * 32 * 8 * 128 * 2
    fp8 = ridgepoint.Precision(kv_cache="f8e4m3")
    assert ridgepoint.kv_bytes_per_token(model, precision=fp8) == 2 * 32 * 8 * 128


if __name__ == "__main__":
    harness.main(globals())
