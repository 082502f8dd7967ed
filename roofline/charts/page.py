"""A page of charts with the libraries that draw them, in one file that loads nothing."""
import html
import json
from typing import Any

import altair as alt
import vl_convert

from . import units
from .ceilings import Ceilings

_STYLE = """
body { font: 15px/1.5 Helvetica, Arial, "Liberation Sans", sans-serif; color: #222;
       max-width: 1060px; margin: 2em auto; padding: 0 1.5em; background: white; }
h1 { font-size: 1.7em; margin-bottom: 0.1em; }
section { margin: 2.8em 0; break-inside: avoid; }
section > p { max-width: 760px; color: #444; margin: 0.4em 12px 0; }
nav { margin: 1em 0; } nav a { margin-right: 1em; }
a { color: #0072B2; }
table { border-collapse: collapse; font-size: 13px; }
th, td { text-align: left; padding: 2px 14px 2px 0; border-bottom: 1px solid #e6e6e6; }
td.number { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
td.outside { color: #D55E00; font-weight: bold; }
.quiet { color: #555; }
@media print { nav { display: none; } body { margin: 0; } }
"""
# No editor and no source in the menu: they would leave the page.
_OPTIONS = {"mode": "vega-lite", "renderer": "svg",
            "actions": {"export": True, "source": False, "compiled": False, "editor": False}}


def page(c: Ceilings, charts: list[tuple[Any, dict[str, Any]]], left_out: list[str]) -> str:
    """`charts`: each chart's module and its specification."""
    return document(f"Roofline of {c.device}", _provenance(c), charts,
                    [("ceilings", "All ceilings", _table(c))], [*c.notes, *left_out])


def document(title: str, below: str, charts: list[tuple[Any, dict[str, Any]]],
             sections: list[tuple[str, str, str]], notes: list[str]) -> str:
    """A page of charts. `below` the title stands HTML, too; `sections`: anchor, heading, HTML."""
    title = html.escape(title)
    links = " ".join([*(f'<a href="#{m.NAME}">{m.NAME.replace("_", " ")}</a>' for m, _ in charts),
                      *(f'<a href="#{anchor}">{html.escape(heading.lower())}</a>'
                        for anchor, heading, _ in sections)])
    drawn = "\n".join(
        f'<section id="{m.NAME}"><div id="chart-{m.NAME}"></div><p>{html.escape(m.READ)}</p>'
        "</section>" for m, _ in charts)
    told = "\n".join(f'<section id="{anchor}"><h2>{html.escape(heading)}</h2>\n{body}</section>'
                     for anchor, heading, body in sections)
    specs = {m.NAME: spec for m, spec in charts}
    listed = "".join(f"<li>{html.escape(n)}</li>" for n in notes)
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>{title}</title>
<style>{_STYLE}</style>
</head>
<body>
<h1>{title}</h1>
<p class="quiet">{below}</p>
<nav>{links}</nav>
{drawn}
{told}
{f'<section id="notes"><h2>Notes</h2><ul>{listed}</ul></section>' if notes else ""}
<script>{_library()}</script>
<script>
{{  // a block: the library's own names are global
  const charts = {_script_json(specs)};
  for (const [name, spec] of Object.entries(charts))
    vegaEmbed("#chart-" + name, spec, {_script_json(_OPTIONS)}).catch(console.error);
}}
</script>
</body>
</html>
"""


def _library() -> str:
    """vega, vega-lite and vega-embed in one module; it makes `vegaEmbed` known to the page."""
    version = ".".join(alt.SCHEMA_VERSION.lstrip("v").split(".")[:2])
    return vl_convert.javascript_bundle(vl_version=version).replace("</script", "<\\/script")


def _script_json(value: Any) -> str:
    """JSON that may stand in a <script>: no text in it can end the element."""
    return json.dumps(value, separators=(",", ":")).replace("<", "\\u003c")


def _provenance(c: Ceilings) -> str:
    return html.escape(" · ".join(f"{k} {v}" for k, v in sorted(c.provenance.items()) if v))


def _table(c: Ceilings) -> str:
    rows = []
    for key, v in sorted(c.values.items()):
        of = f"{100 * v.of_datasheet:.0f} %" if v.of_datasheet else ""
        verdict = "outside" if v.verdict == "outside" else ""
        rows.append(f'<tr><td>{html.escape(key)}</td><td class="number">'
                    f'{html.escape(units.quantity(v.value, v.unit))}</td>'
                    f'<td class="number">{100 * v.spread:.1f} %</td><td class="number">{of}</td>'
                    f'<td class="{verdict}">{html.escape(v.verdict)}</td>'
                    f"<td>{html.escape(v.method)}</td></tr>")
    return ("<table><tr><th>ceiling</th><th>measured</th><th>spread</th><th>of datasheet</th>"
            f"<th>verdict</th><th>by</th></tr>{''.join(rows)}</table>")
