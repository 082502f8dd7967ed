"""Which rows of which files become which table."""
from collections.abc import Callable
from dataclasses import dataclass

from .sources import AIC, ANCHOVY, NEUSIGHT, VIDUR, Source

Row = dict[str, str]


@dataclass(frozen=True)
class Recipe:
    device: str  # folder of results/
    name: str  # of the table
    source: Source
    gpu: str  # as the files call it
    points: int  # of each operator, dtype and implementation at most; 0: all
    families: tuple[str, ...]
    takes: Callable[[Row], bool]
    left_out: str  # what `takes` refuses of these files, in words

    @property
    def path(self) -> str:
        return f"{self.device}/{self.name}.json"


# Experts get one distribution of tokens: balanced, or where that was not measured the least skewed.
_MOE = {"A100-SXM-80GB": "power_law_1.01"}
# nccl-tests ran once a GPU, not once a framework: one table has them.
_NCCL: dict[str, set[str]] = {"vllm": {"nccl-tests"}, "trtllm": set(), "sglang": set()}
# GPUs that there are in SXM form only, and are called without it.
_ONE_FORM = {"H200-SXM", "B200-SXM"}
# Element-wise operators that transformers have none of, or little.
_SELDOM = {"add_scalar", "div", "div_scalar", "mul_scalar", "pow", "pow_scalar", "relu", "tanh"}


def _framework(gpu: str, framework: str) -> Recipe:
    moe = _MOE.get(gpu, "balanced")

    def takes(row: Row) -> bool:
        if "distribution" in row:
            return row["framework"] == framework and row["distribution"] == moe
        return row["framework"] in {framework, f"{framework}-custom-graph"} | _NCCL[framework]

    device = gpu.lower().removesuffix("-sxm") if gpu in _ONE_FORM else gpu.lower()
    return Recipe(device, framework, AIC, gpu, 0,
                  ("gemm", "attention_prefill", "attention_decode", "moe", "comm"), takes,
                  f"experts with another distribution of tokens than {moe}; all-reduce outside of "
                  "CUDA graphs" + ("" if _NCCL[framework] else "; nccl-tests, in vllm.json"))


def _torch(name: str, families: tuple[str, ...], takes: Callable[[Row], bool], left_out: str,
           points: int = 0) -> Recipe:
    return Recipe("t4", name, NEUSIGHT, "T4", points, families, takes, left_out)


def _vidur(device: str, gpu: str) -> Recipe:
    return Recipe(device, "vidur", VIDUR, gpu, 0,
                  ("gemm", "elementwise", "norm", "rope", "comm"),
                  lambda row: row["framework"] != "nccl-pairwise",
                  "GPUs linked in pairs (nccl-pairwise)")


def _first_generation(device: str, gpu: str) -> Recipe:
    def takes(row: Row) -> bool:
        return row["op"] != "gemm" or len({row[axis] for axis in ("m", "n", "k")}) > 1

    return Recipe(device, "first-generation", ANCHOVY, gpu, 100,
                  ("gemm", "bmm", "elementwise", "norm", "softmax", "composite"), takes,
                  "square products of an L4, whose sizes or times were not published but follow "
                  "from ratios that were" if gpu == "L4" else "none")


RECIPES = (
    *(_framework(gpu, framework)
      for gpu in ("A100-SXM-80GB", "L40S", "H100-SXM", "H200-SXM", "B200-SXM",
                  "RTX-PRO-6000-Server")
      for framework in ("vllm", "trtllm", "sglang")),
    _torch("torch2.1", ("gemm", "bmm", "softmax", "norm", "elementwise"),
           lambda row: row["op"] not in _SELDOM, "what torch2.1-elementwise.json has"),
    _torch("torch2.1-conv", ("conv",), lambda row: True, "none"),
    _torch("torch2.1-elementwise", ("elementwise",), lambda row: row["op"] in _SELDOM,
           "what torch2.1.json has", 390),
    _vidur("a100-sxm-80gb", "A100-80GB"),
    _vidur("h100-sxm", "H100-80GB"),
    _vidur("a40", "A40"),
    *(_first_generation(*device_and_gpu) for device_and_gpu in (
        ("t4", "T4"), ("a10g", "A10G"), ("l4", "L4"), ("l40s", "L40S"),
        ("a100-sxm-40gb", "A100-40GB"), ("a100-sxm-80gb", "A100-80GB"))),
)
