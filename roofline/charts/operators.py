"""Which colour and shape an operator has: a colour a family, a shape an operator in it."""
from . import theme

FAMILIES: tuple[tuple[str, tuple[str, ...]], ...] = (
    (theme.BLUE, ("gemm", "bmm", "swiglu", "conv2d", "lstm")),
    (theme.VERMILLION, ("attention_prefill", "attention_decode")),
    (theme.GREEN, ("rmsnorm", "add_rmsnorm", "layernorm", "softmax")),
    (theme.ORANGE, ("add", "mul", "silu", "silu_mul", "gelu")),
    (theme.PURPLE, ("rope", "argmax", "embedding", "kv_cache_write", "copy", "quantise_rows",
                    "dequantise")),
)
MOST = 25  # entries of a legend
OTHER = "others"


def named(ops: set[str]) -> dict[str, str]:
    """What each operator is called in the legend; the last of too many are one entry."""
    known = [op for _, members in FAMILIES for op in members if op in ops]
    order = known + sorted(ops - set(known))
    kept = order if len(order) <= MOST else order[:MOST - 1]
    return {op: op if op in kept else OTHER for op in order}


def style(name: str) -> tuple[str, str]:
    for colour, members in FAMILIES:
        if name in members:
            return colour, theme.SHAPES[members.index(name)]
    # Operators that this list does not know yet: black, and a shape by their name.
    return theme.BLACK, theme.SHAPES[sum(map(ord, name)) % len(theme.SHAPES)]
