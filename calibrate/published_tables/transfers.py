"""Which GPUs that nobody measured get a table from which others. The rule: kernels come from GPUs
of the same architecture first, and where only one was measured, from the nearest other one too: by
leaving one out, errors are told. Collectives come from GPUs that are linked alike, layers from
those that Vidur measured."""
from dataclasses import dataclass

FRAMEWORKS = ("vllm", "trtllm", "sglang")
KERNELS = ("gemm", "attention_prefill", "attention_decode", "moe")
LINKS = ("all_reduce", "all_gather", "reduce_scatter", "alltoall")
LAYERS = ("rmsnorm", "layernorm", "rope", "silu_mul", "gelu", "add", "add3")


@dataclass(frozen=True)
class Transfer:
    device: str  # folder of results/
    gpu: str  # as roofline/devices calls it
    kernels: tuple[str, ...] = ()  # folders of results/ whose frameworks' tables give KERNELS
    links: tuple[str, ...] = ()  # … and LINKS
    layers: tuple[str, ...] = ()  # whose Vidur tables give LAYERS, and send_recv
    gemm: tuple[str, ...] = ()  # whose Vidur tables give gemm, instead of `kernels`
    half: bool = False  # has no bf16: what others measured in bf16 stands for f16

    @property
    def path(self) -> str:
        return f"{self.device}/transferred.json"


_A100, _H100, _H200, _L40S = "a100-sxm-80gb", "h100-sxm", "h200", "l40s"
_A40, _PRO = "a40", "rtx-pro-6000-server"
_NVLINK, _PCIE = (_A100, _H100, _H200), (_L40S, _PRO)

TRANSFERS = (
    # Only what their own tables lack.
    Transfer("h200", "H200", layers=(_H100, _A100)),
    Transfer("b200", "B200", layers=(_H100, _A100)),
    Transfer("l40s", "L40S", layers=(_A40, _A100, _H100)),
    Transfer("rtx-pro-6000-server", "RTX-PRO-6000-Server", layers=(_A40, _A100, _H100)),
    # All but the link is an H100's, whose tables answer for it.
    Transfer("h800", "H800", links=_NVLINK),
    # Ampere with HBM
    Transfer("a100-sxm-40gb", "A100-SXM-40GB", (_A100, _H100), _NVLINK, (_A100, _H100)),
    Transfer("a100-pcie-80gb", "A100-PCIe-80GB", (_A100, _H100), _PCIE, (_A100, _H100)),
    Transfer("a100-pcie-40gb", "A100-PCIe-40GB", (_A100, _H100), _PCIE, (_A100, _H100)),
    # Hopper
    Transfer("gh200-96gb", "GH200-96GB", (_H100, _H200), _NVLINK, (_H100, _A100)),
    Transfer("h20", "H20", (_H100, _H200), _NVLINK, (_H100, _A100)),
    Transfer("h100-pcie", "H100-PCIe", (_H100, _H200), _PCIE, (_H100, _A100)),
    # Ada
    *(Transfer(gpu.lower(), gpu, (_L40S, _PRO), _PCIE, (_A40, _A100))
      for gpu in ("L40", "L20", "L4", "RTX-6000-Ada", "RTX-4090")),
    # Ampere with GDDR: Vidur's A40 is of their chip; nobody published its attention.
    Transfer("a40", "A40", (_A100, _L40S), _PCIE),
    *(Transfer(gpu.lower(), gpu, (_A100, _L40S), _PCIE, (_A40, _A100), gemm=(_A40, _A100))
      for gpu in ("A10G", "RTX-A6000")),
    # Volta and Turing, whose tensor cores know f16 only
    *(Transfer(gpu.lower(), gpu, (_A100, _L40S), links, (_A40, _A100), gemm=(_A40, _A100),
               half=True)
      for gpu, links in (("V100-SXM2", _NVLINK), ("V100-PCIe", _PCIE), ("T4", _PCIE))),
)


def parts(t: Transfer) -> dict[str, list[tuple[str, tuple[str, ...]]]]:
    """By source GPU: its tables, and the operators that are taken of each."""
    found: dict[str, list[tuple[str, tuple[str, ...]]]] = {}
    wanted = (
        (t.kernels, FRAMEWORKS, tuple(op for op in KERNELS if not (t.gemm and op == "gemm"))),
        (t.links, FRAMEWORKS, LINKS),
        (t.layers, ("vidur",), (*LAYERS, "send_recv")),
        (t.gemm, ("vidur",), ("gemm",)),
    )
    for gpus, tables, operators in wanted:
        for gpu in gpus:
            found.setdefault(gpu, []).extend((f"{gpu}/{name}.json", operators) for name in tables)
    return found
