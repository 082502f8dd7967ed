"""The lines of docs/accuracy.md: which published rows, and how far off they may be."""
from collections.abc import Callable
from dataclasses import dataclass

Row = dict[str, str]


@dataclass(frozen=True)
class Case:
    key: str
    title: str
    file: str
    framework: str
    dtype: str
    axes: tuple[str, ...]
    column: tuple[str, ...]  # axes that tell a column of the published grid: a layer's, a head's
    aim_all: float  # of the mean error with all rows, and with 500 of each operator
    aim_500: float
    model: Callable[[Row], bool] | None = None  # columns of one whole model
    learning: bool = False  # drawn as a learning curve

    def is_of(self, row: Row) -> bool:
        return row["framework"] == self.framework and row["dtype"] == self.dtype


_HIDDEN, _FFN, _HEADS, _KV_HEADS, _HEAD = 4096, 14336, 32, 8, 128
# (n, k) of the layers of Llama-3.1-8B, cut for up to eight GPUs.
_LLAMA_8B = {cut for gpus in (1, 2, 4, 8) for cut in (
    ((_HEADS + 2 * _KV_HEADS) * _HEAD // gpus, _HIDDEN), (_KV_HEADS * _HEAD // gpus, _HIDDEN),
    (_HIDDEN, _HEADS * _HEAD // gpus), (2 * _FFN // gpus, _HIDDEN), (_FFN // gpus, _HIDDEN),
    (_HIDDEN, _FFN // gpus))}


def _of_llama_8b(row: Row) -> bool:
    return (int(row["n"]), int(row["k"])) in _LLAMA_8B


def _gemm(gpu: str, aim_all: float, aim_500: float, learning: bool = False) -> Case:
    return Case(f"{gpu}-gemm", f"{gpu} GEMM bf16", f"aic__{gpu}__gemm.csv", "vllm", "bf16",
                ("m", "n", "k"), ("n", "k"), aim_all, aim_500, _of_llama_8b, learning)


def _attention(gpu: str, phase: str, aim_all: float, aim_500: float,
               learning: bool = False) -> Case:
    heads = ("heads", "kv_heads", "head_dim")
    length = ("seq",) if phase == "prefill" else ("context",)
    return Case(f"{gpu}-{phase}", f"{gpu} {phase} bf16", f"aic__{gpu}__attention_{phase}.csv",
                "vllm", "bf16", ("batch", *length, *heads), heads, aim_all, aim_500, None, learning)


def _torch(gpu: str, family: str, title: str, axes: tuple[str, ...], column: tuple[str, ...],
           aims: tuple[float, float], learning: bool = False) -> Case:
    return Case(f"{gpu}-{family}", f"{gpu} {title} fp32", f"neusight__{gpu}__{family}.csv",
                "torch2.1", "fp32", axes, column, *aims, None, learning)


_MNK, _BMNK, _ROWS = ("m", "n", "k"), ("b", "m", "n", "k"), ("rows", "cols")
_CONV = ("b", "in_ch", "out_ch", "kernel", "in_size", "stride", "padding")

CASES = (
    _gemm("H200-SXM", 2.9, 4.3, True),
    _gemm("A100-SXM-80GB", 3.2, 5.3),
    _attention("H200-SXM", "prefill", 3.0, 5.5, True),
    _attention("H200-SXM", "decode", 1.9, 4.5, True),
    _attention("A100-SXM-80GB", "prefill", 2.0, 4.0),
    _attention("A100-SXM-80GB", "decode", 1.9, 5.0),
    _gemm("L40S", 5.0, 9.0),
    _torch("T4", "gemm", "GEMM", _MNK, ("n", "k"), (8.0, 11.0), True),
    _torch("T4", "bmm", "BMM", _BMNK, ("n", "k"), (8.5, 13.5), True),
    _torch("T4", "conv", "convolution", _CONV, ("in_ch", "out_ch", "kernel"), (11.0, 13.5), True),
    _torch("T4", "softmax", "softmax", _ROWS, ("cols",), (3.5, 4.0), True),
    _torch("T4", "norm", "layer norm", _ROWS, ("cols",), (2.5, 3.2), True),
    _torch("T4", "elementwise", "element-wise", _ROWS, ("cols",), (2.0, 4.5), True),
    _torch("A100-PCIe-40GB", "gemm", "GEMM", _MNK, ("n", "k"), (4.3, 5.6)),
    _torch("A100-PCIe-40GB", "bmm", "BMM", _BMNK, ("n", "k"), (4.0, 9.5)),
    _torch("A100-PCIe-80GB", "gemm", "GEMM", _MNK, ("n", "k"), (4.3, 5.6)),
    _torch("A100-PCIe-80GB", "bmm", "BMM", _BMNK, ("n", "k"), (4.0, 9.5)),
)
