"""Writes tiny models with random weights, and what they answer by reference.py.

    make_tiny.py FOLDER [NAME...]     all of VARIANTS, or these

FOLDER/NAME/ has config.json, weights as safetensors, and expected.json:

    prompts: [{prompt: [tokens], logits: [vocab] after the prompt, logits_after_8: after the first 8
               of `tokens` were appended, tokens: 64 chosen greedily}]
    smallest_margin  of all choices, between the likeliest and the next, in standard deviations of
                     the logits: it bounds how far another implementation may be off
Prompts are of unequal lengths. Seeds are fixed, and are moved on until no choice is close. A model
that these very scripts made already is kept.
"""
import hashlib
import json
import pathlib
import struct
import sys

try:
    import numpy as np
except ImportError:
    print("skipped: Python has no NumPy (scripts/setup installs it into .venv)")
    sys.exit(77)

from reference import Decoder

PROMPT_LENGTHS = (1, 5, 17, 33)
GENERATED = 64
LEAST_MARGIN = 1e-3  # f32 is off by some 1e-6, so that greedy tokens are the same
LEAST_DISTINCT = 16  # of the tokens of a prompt: a model that repeats itself tests little

LLAMA = {
    "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_act": "silu",
    "hidden_size": 64, "intermediate_size": 160, "num_hidden_layers": 2,
    "num_attention_heads": 4, "num_key_value_heads": 4, "vocab_size": 300,
    "max_position_embeddings": 256, "rms_norm_eps": 1e-5, "rope_theta": 10000.0,
    "tie_word_embeddings": False, "torch_dtype": "float32",
}
LLAMA3_SCALING = {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0,
                  "high_freq_factor": 4.0, "original_max_position_embeddings": 64}


def architecture(name, model_type, **more):
    return {**LLAMA, "architectures": [name + "ForCausalLM"], "model_type": model_type, **more}


# llama3_scaled_v5 is what Transformers 5 writes, which moved the keys of rotary positions.
VARIANTS = {
    "llama2": LLAMA,
    "llama3": {**LLAMA, "num_attention_heads": 8, "num_key_value_heads": 2, "rope_theta": 500000.0,
               "num_hidden_layers": 3, "torch_dtype": "bfloat16"},
    "llama3_scaled_tied": {**LLAMA, "num_key_value_heads": 2, "head_dim": 32,
                           "rope_theta": 500000.0, "rope_scaling": LLAMA3_SCALING,
                           "tie_word_embeddings": True},
    "llama3_scaled_v5": {**{key: value for key, value in LLAMA.items()
                            if key not in ("rope_theta", "torch_dtype")}, "dtype": "float32",
                         "num_key_value_heads": 2,
                         "rope_parameters": {**LLAMA3_SCALING, "rope_theta": 500000.0}},
    "llama_linear": {**LLAMA, "num_key_value_heads": 1, "vocab_size": 211,
                     "rope_scaling": {"rope_type": "linear", "factor": 4.0}},
    "llama_biases": {**LLAMA, "attention_bias": True, "mlp_bias": True},
    "mistral": architecture("Mistral", "mistral", num_key_value_heads=2, head_dim=24,
                            sliding_window=None, torch_dtype="float16"),
    "mistral_window": architecture("Mistral", "mistral", num_key_value_heads=2, sliding_window=12),
    "qwen2": architecture("Qwen2", "qwen2", num_key_value_heads=2, num_hidden_layers=3,
                          rms_norm_eps=1e-6, rope_theta=1e6, torch_dtype="bfloat16"),
    "qwen2_tied": architecture("Qwen2", "qwen2", num_key_value_heads=2, rms_norm_eps=1e-6,
                               rope_theta=1e6, tie_word_embeddings=True, vocab_size=500),
    "qwen3": architecture("Qwen3", "qwen3", num_key_value_heads=2, head_dim=32, rms_norm_eps=1e-6,
                          rope_theta=1e6),
    "qwen3_tied": architecture("Qwen3", "qwen3", num_attention_heads=8, num_key_value_heads=4,
                               head_dim=16, rms_norm_eps=1e-6, rope_theta=1e6,
                               tie_word_embeddings=True),
}
SHARDS = {"llama2": 2, "qwen3": 3}  # the others are one file


def shapes(config):
    """{name: shape}, as Transformers saves a model of this config."""
    hidden, inner = config["hidden_size"], config["intermediate_size"]
    width = config.get("head_dim") or hidden // config["num_attention_heads"]
    q, kv = config["num_attention_heads"] * width, config["num_key_value_heads"] * width
    every = config.get("attention_bias", False)
    all_shapes = {"model.embed_tokens.weight": [config["vocab_size"], hidden],
                  "model.norm.weight": [hidden]}
    if not config["tie_word_embeddings"]:
        all_shapes["lm_head.weight"] = [config["vocab_size"], hidden]
    for layer in range(config["num_hidden_layers"]):
        at = f"model.layers.{layer}."
        for norm in ("input_layernorm", "post_attention_layernorm"):
            all_shapes[f"{at}{norm}.weight"] = [hidden]
        if config["model_type"] == "qwen3":
            for norm in ("q_norm", "k_norm"):
                all_shapes[f"{at}self_attn.{norm}.weight"] = [width]
        qkv_bias = every or config["model_type"] == "qwen2"
        for name, out, inputs, bias in (
                ("self_attn.q_proj", q, hidden, qkv_bias),
                ("self_attn.k_proj", kv, hidden, qkv_bias),
                ("self_attn.v_proj", kv, hidden, qkv_bias),
                ("self_attn.o_proj", hidden, q, every),
                ("mlp.gate_proj", inner, hidden, config.get("mlp_bias", False)),
                ("mlp.up_proj", inner, hidden, config.get("mlp_bias", False)),
                ("mlp.down_proj", hidden, inner, config.get("mlp_bias", False))):
            all_shapes[f"{at}{name}.weight"] = [out, inputs]
            if bias:
                all_shapes[f"{at}{name}.bias"] = [out]
    return all_shapes


def random_tensor(name, shape, rng):
    """Large enough that attention looks at some positions more than at others, and embeddings small
    beside what the layers add, lest a model with tied ones repeats its last token."""
    if name.endswith("norm.weight"):
        return rng.uniform(0.5, 1.5, shape)
    if name.endswith(".bias"):
        return rng.normal(0, 0.2, shape)
    if "embed_tokens" in name:
        return rng.normal(0, 0.1, shape)
    gain = 2.0 if "q_proj" in name or "k_proj" in name else 1.0
    return rng.normal(0, gain / np.sqrt(shape[-1]), shape)


def stored(values, dtype):
    """(the format's name, bytes), rounded to nearest even."""
    if dtype == "bfloat16":
        bits = values.astype("<f4").view("<u4").astype(np.uint64)
        return "BF16", ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype("<u2").tobytes()
    name, code = {"float16": ("F16", "<f2"), "float32": ("F32", "<f4")}[dtype]
    return name, values.astype(code).tobytes()


def write_safetensors(path, tensors):
    """`tensors`: {name: (format, shape, bytes)}."""
    header, end = {"__metadata__": {"format": "pt"}}, 0
    for name, (dtype, shape, data) in tensors.items():
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [end, end + len(data)]}
        end += len(data)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    data = b"".join(data for _, _, data in tensors.values())
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


def write_model(folder, config, seed, shards=1):
    for old in folder.glob("*.safetensors*"):
        old.unlink()
    rng = np.random.default_rng(seed)
    tensors, kept_in = {}, config.get("torch_dtype") or config["dtype"]
    for name, shape in shapes(config).items():
        dtype, data = stored(random_tensor(name, shape, rng), kept_in)
        tensors[name] = (dtype, shape, data)
    (folder / "config.json").write_text(json.dumps(config, indent=1) + "\n", "utf-8")
    if shards == 1:
        write_safetensors(folder / "model.safetensors", tensors)
        return
    files = [f"model-{i + 1:05d}-of-{shards:05d}.safetensors" for i in range(shards)]
    weight_map = {name: files[i * shards // len(tensors)] for i, name in enumerate(tensors)}
    for file in files:
        inside = {name: t for name, t in tensors.items() if weight_map[name] == file}
        write_safetensors(folder / file, inside)
    total = sum(len(data) for _, _, data in tensors.values())
    index = {"metadata": {"total_size": total}, "weight_map": weight_map}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index, indent=1), "utf-8")


def rounded(values):
    return [float(f"{value:.12g}") for value in values]


def expected(folder, seed):
    """What expected.json holds; None where a choice is close or the tokens repeat themselves."""
    decoder = Decoder(folder)
    rng = np.random.default_rng([seed, 1])
    answers, smallest = [], np.inf
    for length in PROMPT_LENGTHS:
        prompt = [int(t) for t in rng.integers(0, decoder.config["vocab_size"], length)]
        tokens, logits = decoder.generate(prompt, GENERATED)
        best = np.sort(logits, axis=-1)
        smallest = min(smallest, np.min((best[:, -1] - best[:, -2]) / np.std(logits, axis=-1)))
        if smallest < LEAST_MARGIN or len(set(tokens)) < LEAST_DISTINCT:
            return None
        answers.append({"prompt": prompt, "logits": rounded(logits[0]),
                        "logits_after_8": rounded(logits[8]), "tokens": tokens})
    return {"prompts": answers, "smallest_margin": float(smallest), "seed": seed,
            "made_by": scripts_digest()}


def scripts_digest():
    here = pathlib.Path(__file__).resolve().parent
    scripts = [(here / name).read_bytes() for name in ("make_tiny.py", "reference.py")]
    return hashlib.sha256(b"\0".join(scripts)).hexdigest()


def kept(path):
    """What an expected.json of these very scripts holds, else None."""
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return found if found.get("made_by") == scripts_digest() else None


def make(folder, name):
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "expected.json"
    if found := kept(path):
        return found
    path.unlink(missing_ok=True)
    for seed in range(100):
        write_model(folder, VARIANTS[name], seed, SHARDS.get(name, 1))
        found = expected(folder, seed)
        if found:
            path.write_text(json.dumps(found) + "\n", "utf-8")  # the last, so that it says: done
            return found
    raise RuntimeError(f"{name}: no seed below 100 makes a model whose choices are clear")


def main():
    if len(sys.argv) < 2 or any(name not in VARIANTS for name in sys.argv[2:]):
        print(__doc__, "VARIANTS are " + " ".join(VARIANTS), sep="\n")
        return 2
    for name in sys.argv[2:] or VARIANTS:
        found = make(pathlib.Path(sys.argv[1]) / name, name)
        distinct = [len(set(answer["tokens"])) for answer in found["prompts"]]
        print(f"{name}: seed {found['seed']}, smallest margin {found['smallest_margin']:.2g}, "
              f"distinct tokens {distinct}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
