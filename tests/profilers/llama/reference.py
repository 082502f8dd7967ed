"""Logits and greedy tokens of decoder-only transformers, in double precision, with NumPy alone.

Written from the published descriptions, to hold another implementation against; nothing is cached
and nothing is fused: every step computes the whole sequence anew.

    Llama 2       Touvron et al. 2023, arXiv 2307.09288: pre-norm, RMSNorm (arXiv 1910.07467),
                  SwiGLU (arXiv 2002.05202), rotary positions (arXiv 2104.09864), grouped queries
                  (arXiv 2305.13245)
    Llama 3.x     frequencies scaled by wavelength, as Meta's llama-models has it (apply_scaling)
    Mistral 7B    arXiv 2310.06825: a query sees at most `sliding_window` keys, its own included
    Qwen2, 2.5    arXiv 2407.10671: biases of query, key and value
    Qwen3         arXiv 2505.09388: an RMSNorm of head_dim over every query and key head instead

Names, shapes and the pairing of rotated features (j with j + head_dim/2) are Hugging Face's.

    reference.py FOLDER TOKEN...     the likeliest tokens after these, of a folder with config.json
                                     and safetensors
"""
import json
import pathlib
import struct
import sys

import numpy as np


def as_doubles(data, dtype):
    if dtype == "BF16":  # the upper half of an f32
        return (np.frombuffer(data, "<u2").astype("<u4") << 16).view("<f4").astype(np.float64)
    return np.frombuffer(data, {"F16": "<f2", "F32": "<f4", "F64": "<f8"}[dtype]).astype(np.float64)


def read_safetensors(path):
    """{name: array} of one file."""
    content = pathlib.Path(path).read_bytes()
    length, = struct.unpack("<Q", content[:8])
    header = json.loads(content[8:8 + length])
    header.pop("__metadata__", None)
    tensors = {}
    for name, tensor in header.items():
        begin, end = (8 + length + offset for offset in tensor["data_offsets"])
        tensors[name] = as_doubles(content[begin:end], tensor["dtype"]).reshape(tensor["shape"])
    return tensors


def frequencies(config):
    """Radians a position turns each of the head_dim/2 pairs by."""
    head_dim = head_dim_of(config)
    # Transformers 5 writes both keys into one object.
    scaling = config.get("rope_parameters") or config.get("rope_scaling") or {}
    base = scaling.get("rope_theta", config.get("rope_theta", 10000.0))
    plain = base ** (-np.arange(0, head_dim, 2, dtype=np.float64) / head_dim)
    kind = scaling.get("rope_type", scaling.get("type", "default"))
    if kind == "default":
        return plain
    if kind == "linear":  # positions are divided by the factor
        return plain / scaling["factor"]
    if kind != "llama3":
        raise ValueError(f"rope_scaling {kind} is not known")
    # Waves that turn often within the original context stay; those that turn seldom are stretched
    # by the factor; between them the share falls linearly with the number of turns.
    turns = scaling["original_max_position_embeddings"] * plain / (2 * np.pi)
    low, high = scaling["low_freq_factor"], scaling["high_freq_factor"]
    kept = np.clip((turns - low) / (high - low), 0, 1)
    return kept * plain + (1 - kept) * plain / scaling["factor"]


def head_dim_of(config):
    if config["architectures"][0] == "Qwen3ForCausalLM":
        return config.get("head_dim") or 128
    return config.get("head_dim") or config["hidden_size"] // config["num_attention_heads"]


def turned(x, angles):
    """x[position, head, feature] with feature j and j + half turned as the two axes of a plane."""
    half = x.shape[-1] // 2
    first, second = x[..., :half], x[..., half:]
    cosine, sine = np.cos(angles)[:, None, :], np.sin(angles)[:, None, :]
    return np.concatenate([first * cosine - second * sine, second * cosine + first * sine], axis=-1)


def rms_norm(x, weight, epsilon):
    return x / np.sqrt(np.mean(x * x, axis=-1, keepdims=True) + epsilon) * weight


def softmax(x):
    e = np.exp(x - np.max(x, axis=-1, keepdims=True))
    return e / np.sum(e, axis=-1, keepdims=True)


def window_of(config):
    """Keys that a query looks back at, itself among them; None: all."""
    if config["architectures"][0] == "MistralForCausalLM":
        return config.get("sliding_window", 4096)
    if config.get("use_sliding_window"):
        raise ValueError("use_sliding_window is not known")
    return None


class Decoder:
    def __init__(self, folder):
        folder = pathlib.Path(folder)
        self.config = json.loads((folder / "config.json").read_text("utf-8"))
        self.weights = {}
        for path in sorted(folder.glob("*.safetensors")):
            self.weights.update(read_safetensors(path))
        self.embedding = self.weights["model.embed_tokens.weight"]
        tied = self.config.get("tie_word_embeddings", False)
        self.head = self.embedding if tied else self.weights["lm_head.weight"]
        self.frequencies = frequencies(self.config)

    def product(self, name, x):
        y = x @ self.weights[name + ".weight"].T
        bias = self.weights.get(name + ".bias")
        return y if bias is None else y + bias

    def norm(self, name, x):
        return rms_norm(x, self.weights[name + ".weight"], self.config.get("rms_norm_eps", 1e-6))

    def attention(self, at, x):
        count, width = len(x), head_dim_of(self.config)
        q, k, v = (self.product(f"{at}.{name}_proj", x).reshape(count, -1, width) for name in "qkv")
        if at + ".q_norm.weight" in self.weights:
            q, k = self.norm(at + ".q_norm", q), self.norm(at + ".k_norm", k)
        positions = np.arange(count, dtype=np.float64)
        angles = positions[:, None] * self.frequencies
        q, k = turned(q, angles), turned(k, angles)
        group = q.shape[1] // k.shape[1]  # consecutive query heads share a key head
        k, v = np.repeat(k, group, axis=1), np.repeat(v, group, axis=1)
        scores = np.einsum("ihd,jhd->hij", q, k) / np.sqrt(width)
        behind = positions[:, None] - positions[None, :]
        window = window_of(self.config)
        seen = (behind >= 0) & (behind < (window or count))
        shares = softmax(np.where(seen, scores, -np.inf))
        mixed = np.einsum("hij,jhd->ihd", shares, v)
        return self.product(at + ".o_proj", mixed.reshape(count, -1))

    def mlp(self, at, x):
        gate = self.product(at + ".gate_proj", x)
        up = self.product(at + ".up_proj", x)
        return self.product(at + ".down_proj", gate / (1 + np.exp(-gate)) * up)

    def logits(self, tokens):
        """[position, vocab]: of the token after each of `tokens`."""
        x = self.embedding[np.asarray(tokens)]
        for layer in range(self.config["num_hidden_layers"]):
            at = f"model.layers.{layer}"
            x = x + self.attention(at + ".self_attn", self.norm(at + ".input_layernorm", x))
            x = x + self.mlp(at + ".mlp", self.norm(at + ".post_attention_layernorm", x))
        return self.norm("model.norm", x) @ self.head.T

    def generate(self, prompt, count):
        """`count` tokens, the likeliest each, and the logits that each was chosen from."""
        tokens, chosen_from = list(prompt), []
        for _ in range(count):
            chosen_from.append(self.logits(tokens)[-1])
            tokens.append(int(np.argmax(chosen_from[-1])))
        return tokens[len(prompt):], np.array(chosen_from)


def main():
    if len(sys.argv) < 3:
        print(__doc__)
        return 2
    logits = Decoder(sys.argv[1]).logits([int(token) for token in sys.argv[2:]])[-1]
    for token in np.argsort(-logits)[:10]:
        print(f"{token:7d}  {logits[token]:.9g}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
