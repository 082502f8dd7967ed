#!/usr/bin/env python3
"""Runs a Llama by speed_benchmark and by PyTorch in turns, and prints both.

    compare_speed.py [--device cpu|cuda] [--model llama-3.2-1b] [--layers N] [--prompt 512]
                     [--generate 32] [--rounds 5] [--bin build/bin] [--ceilings FILE] [--out FILE]

Both have the same shape, random weights, batch 1 and a cache that is laid out beforehand: float32
and all cores on a CPU, bfloat16 on a GPU, where both decode in CUDA graphs. PyTorch's side is
written for it in plain calls (linear, scaled_dot_product_attention with the cache in place), which
is faster than a framework around them. Rounds alternate, as the machine's speed may drift; a figure
is the median of its rounds. ratio = PyTorch's time / Ridgepoint's time.
FILE of --ceilings is a ceilings.json of `roofline`: with it the read bandwidth of decode is told as
a share of the measured one. Exit codes: 0 done, 1 failed, 2 wrong use.
"""
import argparse
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

try:
    import torch
    import torch.nn.functional as F
except ImportError:
    print("error: PyTorch is not installed: pip install torch", file=sys.stderr)
    sys.exit(1)

ROOT = pathlib.Path(__file__).resolve().parents[1]


class Llama:
    """A decoder of a bundled config with random weights."""

    def __init__(self, config, layers, device, dtype, positions):
        self.device, self.dtype, self.positions = device, dtype, positions
        self.hidden, self.heads = config["hidden_size"], config["num_attention_heads"]
        self.kv_heads = config["num_key_value_heads"]
        self.head_dim = config.get("head_dim", self.hidden // self.heads)
        ffn, vocab = config["intermediate_size"], config["vocab_size"]
        q, kv = self.heads * self.head_dim, self.kv_heads * self.head_dim
        shapes = {"q": (q, self.hidden), "k": (kv, self.hidden), "v": (kv, self.hidden),
                  "o": (self.hidden, q), "gate": (ffn, self.hidden), "up": (ffn, self.hidden),
                  "down": (self.hidden, ffn)}
        self.layers = [{name: self.random(*shape) for name, shape in shapes.items()}
                       for _ in range(layers)]
        for layer in self.layers:
            layer["n1"], layer["n2"] = (torch.ones(self.hidden, device=device, dtype=dtype)
                                        for _ in range(2))
            layer["cache"] = [torch.zeros(1, self.kv_heads, positions, self.head_dim,
                                          device=device, dtype=dtype) for _ in range(2)]
        self.table = self.random(vocab, self.hidden)
        self.norm = torch.ones(self.hidden, device=device, dtype=dtype)
        half = torch.arange(self.head_dim // 2, device=device) * 2 / self.head_dim
        angles = torch.arange(positions, device=device)[:, None] * 10000.0 ** -half[None, :]
        self.cos = torch.cat([angles.cos(), angles.cos()], -1).to(dtype)
        self.sin = torch.cat([angles.sin(), angles.sin()], -1).to(dtype)

    def random(self, *shape):
        return torch.randn(*shape, device=self.device, dtype=self.dtype) / shape[-1] ** 0.5

    def turn(self, x, at):
        left, right = x.chunk(2, -1)
        return x * self.cos[at] + torch.cat([-right, left], -1) * self.sin[at]

    def step(self, tokens, at, seen, mask=None):
        """`at`: positions of the tokens; attends to the first `seen` rows of the cache."""
        x = F.embedding(tokens, self.table)
        for w in self.layers:
            y = F.rms_norm(x, (self.hidden,), w["n1"], 1e-5)
            q, k, v = (F.linear(y, w[n]).view(1, len(tokens), -1, self.head_dim).transpose(1, 2)
                       for n in "qkv")
            keys, values = w["cache"]
            keys.index_copy_(2, at, self.turn(k, at))
            values.index_copy_(2, at, v)
            y = F.scaled_dot_product_attention(
                self.turn(q, at), keys[:, :, :seen], values[:, :, :seen], attn_mask=mask,
                is_causal=len(tokens) > 1, enable_gqa=True)
            x = x + F.linear(y.transpose(1, 2).reshape(len(tokens), -1), w["o"])
            y = F.rms_norm(x, (self.hidden,), w["n2"], 1e-5)
            x = x + F.linear(F.silu(F.linear(y, w["gate"])) * F.linear(y, w["up"]), w["down"])
        x = F.rms_norm(x[-1:], (self.hidden,), self.norm, 1e-5)
        return F.linear(x, self.table).argmax(-1)


class Torch:
    """Times of generations."""

    def __init__(self, options, config, layers):
        self.options = options
        cuda = options.device == "cuda"
        self.model = Llama(config, layers, options.device,
                           torch.bfloat16 if cuda else torch.float32,
                           options.prompt + options.generate)
        self.graph = self.capture() if cuda else None
        self.generate()  # warms up

    def capture(self):
        """Decode as a graph: over the whole cache, masked, as it must be the same each step."""
        m = self.model
        self.token = torch.zeros(1, device="cuda", dtype=torch.long)
        self.at = torch.zeros(1, device="cuda", dtype=torch.long)
        places = torch.arange(m.positions, device="cuda")

        def step():
            return m.step(self.token, self.at, m.positions, (places <= self.at)[None, None, None])

        stream = torch.cuda.Stream()
        with torch.cuda.stream(stream):
            step()
        torch.cuda.synchronize()
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            self.next = step()
        return graph

    def decode(self, token, position):
        if self.graph is None:
            at = torch.tensor([position])
            return self.model.step(token, at, position + 1)
        self.token.copy_(token)
        self.at.fill_(position)
        self.graph.replay()
        return self.next

    def generate(self):
        """Seconds of the prefill, and of each decode step."""
        o = self.options
        prompt = torch.randint(0, 1000, (o.prompt,), device=o.device)
        start = time.perf_counter()
        token = self.model.step(prompt, torch.arange(o.prompt, device=o.device), o.prompt)
        token.item()
        prefill, steps = time.perf_counter() - start, []
        for i in range(o.generate - 1):
            start = time.perf_counter()
            token = self.decode(token, o.prompt + i)
            token.item()
            steps.append(time.perf_counter() - start)
        return prefill, statistics.median(steps)


def ridgepoint(options, layers):
    """The same by speed_benchmark."""
    with tempfile.TemporaryDirectory() as scratch:
        done = subprocess.run(
            [options.bin / "speed_benchmark", "--device", options.device, "--model-name",
             options.model, "--layers", str(layers), "--prompt-lengths", str(options.prompt),
             "--max-gen-len", str(options.generate), "--max-seq-len",
             str(options.prompt + options.generate), "--repeats", "1", "--json", "--output-dir",
             scratch], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"error: speed_benchmark failed:\n{done.stderr}")
    test = json.loads(done.stdout)["tests"][0]
    return test["ttft_s"]["median"], test["tpot_s"]["median"]


def weight_bytes(config, layers, size):
    hidden, ffn = config["hidden_size"], config["intermediate_size"]
    head_dim = config.get("head_dim", hidden // config["num_attention_heads"])
    q, kv = (config[f"num_{n}_heads"] * head_dim for n in ("attention", "key_value"))
    layer = hidden * (2 * q + 2 * kv) + 3 * hidden * ffn
    return size * (layers * layer + config["vocab_size"] * hidden)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--model", default="llama-3.2-1b", help="a bundled model")
    parser.add_argument("--layers", type=int, help="default: all")
    parser.add_argument("--prompt", type=int, default=512)
    parser.add_argument("--generate", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--bin", type=pathlib.Path, default=ROOT / "build/bin")
    parser.add_argument("--ceilings", type=pathlib.Path)
    parser.add_argument("--out", type=pathlib.Path, help="JSON of all rounds")
    options = parser.parse_args()
    path = ROOT / f"predictor/models/bundled/{options.model}.json"
    if not path.is_file():
        parser.error(f"--model {options.model}: is not bundled")
    if options.prompt < 2 or options.generate < 3 or options.rounds < 1:
        parser.error("--prompt at least 2, --generate at least 3, --rounds at least 1")
    config = json.loads(path.read_text("utf-8"))
    layers = options.layers or config["num_hidden_layers"]
    torch.manual_seed(1)
    with torch.inference_mode():
        other = Torch(options, config, layers)
        rounds = [{"ridgepoint": ridgepoint(options, layers), "torch": other.generate()}
                  for _ in range(options.rounds)]
    size = 2 if options.device == "cuda" else 4
    report = {"model": options.model, "layers": layers, "device": options.device,
              "prompt": options.prompt, "generate": options.generate,
              "torch_version": torch.__version__, "rounds": rounds}
    for i, what in enumerate(("prefill_s", "decode_step_s")):
        own, theirs = (statistics.median(r[side][i] for r in rounds)
                       for side in ("ridgepoint", "torch"))
        report[what] = {"ridgepoint": own, "torch": theirs, "ratio": theirs / own}
        print(f"{what:<14} Ridgepoint {own * 1e3:9.3f} ms  PyTorch {theirs * 1e3:9.3f} ms  "
              f"ratio {theirs / own:.2f}")
    rate = weight_bytes(config, layers, size) / report["decode_step_s"]["ridgepoint"]
    report["weight_bytes_per_s"] = rate
    line = f"decode reads weights at {rate * 1e-9:.1f} GB/s"
    if options.ceilings:
        top = json.loads(options.ceilings.read_text("utf-8"))["values"]["dram.read"]["value"]
        report["of_read_bandwidth"] = rate / top
        line += f", {rate / top:.0%} of the measured {top * 1e-9:.1f}"
    print(line)
    if options.out:
        options.out.write_text(json.dumps(report, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
