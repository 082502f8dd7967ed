"""results/README.md: every table that ships, where it is from and how good it is."""
import json
import pathlib
import statistics
from typing import Any

from .recipes import RECIPES
from .sources import MIT, SOURCES, Source

_RECIPES = {r.path: r for r in RECIPES}

_LICENCE_OF = {s.name: s.licence for s in SOURCES}

_HEAD = """\
# Tables that ship

Written by `scripts/import_published`; the figures are read from the tables.

- `measured`: by `calibrate` on that device.
- `imported`: from latencies that others measured and published, by `calibrate import`. Ceilings are
  the datasheet's, so delay factors are against those. Tables of aic for A100-SXM, H100, H200 and
  L40S are fitted to all published calls, of which they keep few (`calibrate compact`); the other
  tables of aic, neusight and vidur stand on at most 800 calls (vidur: 600) of each operator, dtype
  and implementation, chosen as a sweep would choose them, and were not made again by the recipes of
  today, which take all. Transferred ones stand on tables of so many calls.
- `imported, host`: likewise, but the source timed launches on the host (`provenance.timing`), so
  that what the host needs for one, 20 to 60 us, is inside each time. Of small kernels such tables
  tell little: prefer another of the GPU where there is one.
- `transferred`: no kernel was measured on the GPU. Its delays are those of other GPUs, carried over
  by `calibrate transfer`: which GPUs is written in the table's notes, by what rule in
  [transfers.py](../calibrate/published_tables/transfers.py). Operators that the GPU's other tables
  have are left to those.

The error is the mean of |predicted / measured - 1| in cross-validation: of calls that a curve was
not fitted to; of transferred curves, of a source GPU that was left out (50% stands for unknown,
where there is but one). A table is used as any other: `predict kernels --table
results/h200/vllm.json`. A GPU's tables together answer by the rule in
[routes.h](../predictor/tables/routes.h). An H800 and other GPUs whose datasheet equals another's
but for memory size and link are answered by that one's tables. How far such tables are off in other
tests: [docs/accuracy.md](../docs/accuracy.md).
"""


def tables(results: pathlib.Path) -> dict[str, dict[str, Any]]:
    """Every delay-factor table under `results`, by its path there."""
    found = {}
    for path in sorted(results.glob("*/*.json")):
        table = json.loads(path.read_text(encoding="utf-8"))
        if "delay_factors" in table:
            found[path.relative_to(results).as_posix()] = table
    return found


def _grid(heads: list[str], rows: list[list[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "".join("| " + " | ".join(cells) + " |\n" for cells in lines)


def _error(curve: dict[str, Any]) -> float:
    """The median, in tables from before the mean was kept."""
    return curve.get("cv_mean_error", curve["cv_median_error"])


def _licence(path: str, provenance: dict[str, str]) -> str:
    if path in _RECIPES:
        return _RECIPES[path].source.licence
    names = [n for n in provenance.get("source", "").split(", ") if n in _LICENCE_OF]
    return ", ".join(sorted({_LICENCE_OF[n] for n in names})) or "Apache-2.0"


def _summary(path: str, table: dict[str, Any]) -> list[str]:
    provenance = table["provenance"]
    errors = [_error(c) for c in table["curves"]]
    return [f"[{path}]({path})", table["device"]["name"],
            provenance.get("source", "this project"), _licence(path, provenance),
            _method(provenance), f"{sum(_stands_on(c) for c in table['curves']):,}",
            f"{_calls(table):,}", f"{statistics.median(errors):.1%}", f"{max(errors):.1%}"]


def _method(provenance: dict[str, str]) -> str:
    method = provenance.get("method", "")
    if method != "imported":
        return method if method == "transferred" else "measured"
    return "imported, host" if provenance.get("timing") == "host" else "imported"


def _calls(table: dict[str, Any]) -> int:
    """A sample each in tables of version 2, a column of them since."""
    return sum(len(s["median_s"]) if isinstance(s["median_s"], list) else 1
               for s in table["samples"])


def _stands_on(curve: dict[str, Any]) -> int:
    """Calls that a curve was fitted to."""
    return curve["count"] if "count" in curve else len(curve["samples"])


def _curves(table: dict[str, Any]) -> str:
    rows = [[c["op"], c["dtype"], c["implementation"], f"{_stands_on(c):,}",
             f"{_error(c):.1%}", f"{c['cv_p90_error']:.1%}"] for c in table["curves"]]
    return _grid(["operator", "dtype", "implementation", "calls", "error", "p90"], rows)


def _source(source: Source) -> str:
    words = f"{source.repository}. {source.terms}. {source.timed} {source.remark}"
    return f"**{source.name}**: {words.rstrip()}\n"


def _quoted(words: str) -> str:
    return "".join(f"> {line}".rstrip() + "\n" for line in words.splitlines())


def text(results: pathlib.Path) -> str:
    shipped = tables(results)
    heads = ["table", "device", "source", "licence", "method", "calls", "kept",
             "median curve's error", "worst curve's"]
    parts = [_HEAD, _grid(heads, [_summary(p, t) for p, t in shipped.items()]),
             "## Sources\n", *(_source(s) for s in SOURCES),
             "Apache-2.0 is in [LICENSE](../LICENSE). The MIT licence of neusight and vidur, below "
             "their line of copyright:\n", _quoted(MIT),
             "## Curves\n"]
    for path, table in shipped.items():
        parts.append(f"### {path}\n")
        recipe = _RECIPES.get(path)
        if recipe:
            parts.append(f"Left out of the published rows: {recipe.left_out}.\n")
        parts.append(_curves(table))
    return "\n".join(parts)
