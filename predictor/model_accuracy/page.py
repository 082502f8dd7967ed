"""docs/model-accuracy.md."""
from collections.abc import Iterable

from .rows import TIMES, Row

_HEAD = """# Accuracy of whole models

Written by `scripts/model_accuracy --data FOLDER`; figures are of the run that wrote it.

Measured rows are published ones (Apache-2.0, BSD-3-Clause and MIT; the page of each source says how
it measured): pipeweave (github.com/zksainx/pipeweave @ 55e0317, SGLang, static batches of mixed
prompt lengths), argbench (github.com/argonne-lcf/LLM-Inference-Bench @ 4211f5d, vLLM and TensorRT-LLM
of mid 2024) and splitwise (github.com/Mutinifni/splitwise-sim @ 8f99e7d, Llama-2-70B on a 2023
engine). Predictions come from the tables in [results](../results/README.md). Several frameworks'
tables of a GPU are pooled: the geometric mean, for they differ by more than each errs. With the
profile `kernels` nothing is added to the kernels and no constant is fitted.

Mean |predicted / measured - 1|, its bias (mean of predicted / measured - 1), and how many of the
rows lie inside the 80 % interval. Aims and peers are of other rows of the same sources.
"""

_PEERS = """
PipeWeave's published predictions of pipeweave's rows err by 9.8 / 10.7 / 10.4 % (TTFT / TPOT / total) on
one GPU and by 10.0 / 6.3 % (TPOT / total) on several.
"""

_TAIL = """
## What is known of the errors

- argbench with the kernels alone is too fast by what its engines' hosts add: about 1.4 ms a step for
  vLLM 0.5, 0.6 ms for TensorRT-LLM, and more with each sequence. Fitted, they are in
  `predictor/engines/profiles`.
- pipeweave synchronises the host after each step, which `kernels` leaves out by its meaning: that may
  be why decode is predicted too fast on several GPUs. Not verified.
- Tables of L40, H20, L20, A40, RTX A6000, GH200 and A100-40GB are transferred: nobody published
  their kernels. H20 and L20 have far less arithmetic for their bandwidth than any measured GPU, so
  libraries choose other tiles there; their prefill is predicted too slow.
- H800 on eight GPUs: small all-reduces over its slower links were not measured by anybody.
- splitwise's TTFT has fixed costs of its engine that differ by prompt (vLLM of 2023).
- Rows whose KV cache is full (`kv_need_over_free` from 0.95 on) are left out: the engine waits there.
"""


def _cell(rows: list[Row], time: str) -> str:
    errors = [r.errors[time] for r in rows if time in r.errors]
    if not errors:
        return ""
    mean = sum(abs(e.relative) for e in errors) / len(errors)
    bias = sum(e.relative for e in errors) / len(errors)
    inside = sum(e.inside for e in errors) / len(errors)
    return f"{mean:.1%} ({bias:+.1%}, {inside:.0%} inside)"


def _line(name: str, rows: Iterable[Row], aims: str = "") -> str:
    kept = [r for r in rows if not r.full and r.errors]
    if not kept:
        return ""
    return f"| {name} | {len(kept)} | {' | '.join(_cell(kept, t) for t in TIMES)} | {aims} |\n"


def _table(lines: list[str]) -> str:
    return ("\n| rows of | rows | TTFT | TPOT | total | aim |\n|---|---|---|---|---|---|\n"
            + "".join(lines))


def text(kernels: dict[str, list[Row]], fitted: dict[str, list[Row]]) -> str:
    pipeweave = [r for r in kernels["pipeweave"] if r.pipeline == 1]
    lines = [
        _line("pipeweave, A100/H100/H200, TP 2 to 4",
              (r for r in pipeweave if r.gpus > 1 and r.gpu.startswith(("A100", "H100", "H200"))),
              "3.5 / 5.5 / 3.5 %"),
        _line("pipeweave, H800 and L40, 1 GPU",
              (r for r in pipeweave if r.gpus == 1 and r.gpu in ("H800", "L40")), "3 / 4 / 3 %"),
        _line("argbench, 1 GPU", (r for r in kernels["argbench"] if r.gpus == 1), "total 15 %"),
    ]
    several = [
        _line("argbench, 1 GPU", (r for r in fitted["argbench"] if r.gpus == 1), "total 6 %"),
        _line("argbench, TP 2 to 4", (r for r in fitted["argbench"] if r.gpus > 1), "total 8 %"),
        _line("splitwise", fitted["splitwise"], "TPOT 8 %"),
    ]
    groups = sorted({(r.gpu, r.gpus) for r in pipeweave})
    each = [_line(f"{gpu} x {gpus}", (r for r in pipeweave if (r.gpu, r.gpus) == (gpu, gpus)))
            for gpu, gpus in groups]
    engines = sorted({(r.gpu, r.framework) for r in fitted["argbench"]})
    by_engine = [_line(f"{gpu}, {framework}", (r for r in fitted["argbench"]
                                               if (r.gpu, r.framework) == (gpu, framework)))
                 for gpu, framework in engines]
    return (_HEAD + "\n## The kernels alone\n" + _table(lines) + _PEERS
            + "\n## Engines fitted\n\n`predict fit-engine` on one half of the rows of a source, "
            "tested on the other half, both ways.\n" + _table(several)
            + "\n## pipeweave by GPU, the kernels alone\n" + _table(each)
            + "\n## argbench by GPU and engine, fitted\n" + _table(by_engine) + _TAIL)
