"""One transferred table: samples of the tables that its GPU takes, through `calibrate transfer`."""
import json
import pathlib
import tempfile
from typing import Any

from .errors import BadInput
from .make import MOST_BYTES, run, write
from .recipes import RECIPES
from .transfers import FRAMEWORKS, Transfer, parts

_SOURCES = {r.path: r.source for r in RECIPES}
Block = dict[str, Any]


def pooled(implementation: str) -> str:
    """Frameworks are one, and so are the distributions of tokens over experts: the GPU gets one
    curve, of what they took on average."""
    for framework in FRAMEWORKS:
        name, _, how = implementation.partition("-")
        if name.split("/")[0] == framework:
            return f"pooled-{how}" if how else "pooled"
    return implementation


def block_of(block: Block, half: bool) -> Block:
    dtype = "f16" if half and block["dtype"] == "bf16" else block["dtype"]
    return block | {"implementation": pooled(block["implementation"]), "dtype": dtype}


def source(tables: list[tuple[str, tuple[str, ...]]], whole: pathlib.Path,
           half: bool) -> dict[str, Any]:
    """Samples of one GPU's tables as one table, which has no curves."""
    made: dict[str, Any] = {}
    blocks: list[Block] = []
    for path, operators in tables:
        if not (whole / path).is_file():
            continue
        table = json.loads((whole / path).read_text(encoding="utf-8"))
        made = made or table | {"curves": [], "detailed_results": {}, "notes": []}
        blocks += [block_of(b, half) for b in table["samples"] if b["op"] in operators]
    return made | {"samples": blocks} if blocks else {}


def text_of(table: dict[str, Any]) -> bytes:
    """A line for each key and curve."""
    def plain(value: Any) -> str:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    lines = [f'"{key}":' + ("[\n" + ",\n".join(map(plain, value)) + "\n]"
                            if key == "curves" else plain(value))
             for key, value in table.items()]
    return ("{\n" + ",\n".join(lines) + "\n}\n").encode()


def attributed(table: dict[str, Any], t: Transfer) -> dict[str, Any]:
    sources = {_SOURCES[path] for tables in parts(t).values() for path, _ in tables
               if path in _SOURCES}
    said = {"source": ", ".join(sorted(s.name for s in sources)),
            "repository": "; ".join(sorted(s.repository for s in sources)),
            "licence": "; ".join(sorted(s.terms for s in sources))}
    return table | {"provenance": table["provenance"] | said}


def make(t: Transfer, whole: pathlib.Path, calibrate: pathlib.Path) -> bytes | None:
    """The table's text, or None where the tables of all rows below `whole` are absent."""
    with tempfile.TemporaryDirectory(prefix="ridge-transfer-") as name:
        work = pathlib.Path(name)
        files = []
        for gpu, tables in parts(t).items():
            if made := source(tables, whole, t.half):
                write(work / f"{gpu}.json", json.dumps(made).encode())
                files.append(f"{gpu}.json")
        if not files:
            return None
        run(calibrate, ["transfer", "--from", *files, "--to", t.gpu, "--out", "table.json"], work,
            t.path)
        table = json.loads((work / "table.json").read_text(encoding="utf-8"))
    text = text_of(attributed(table, t))
    if len(text) > MOST_BYTES:
        raise BadInput(f"{t.path}: has {len(text)} bytes, over {MOST_BYTES}; take fewer operators")
    return text
