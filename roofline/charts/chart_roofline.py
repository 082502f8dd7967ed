"""The hierarchical roofline: what each level of memory and each arithmetic unit allows at an
intensity, and where the measured operators are under it."""
import math
from dataclasses import dataclass
from typing import Any

import altair as alt

from . import marks, operators, theme, units
from .ceilings import Ceiling, Ceilings, level_title
from .frame import Frame, decade_axis, flops_axis
from .layout import spread_out
from .table import Sample, Table

NAME = "roofline"
NEEDS = "bandwidth of reads (`dram.read`) with a peak (`vector.f32` …)"
READ = ("Each slanted roof is a level of memory, each flat one an arithmetic unit; a kernel is a "
        "point, at its FLOPs per byte. It can rise to the lowest roof above it: left of a ridge "
        "point memory limits it, right of it arithmetic. The gap to the roof is its delay.")
WIDTH, HEIGHT = 680, 460
_SAME = 1.05  # peaks within 5 % share a roof: their lines would lie on one another
_RATE = "Arithmetic rate (FLOP/s)"
_INTENSITY = "Arithmetic intensity (FLOP per byte of compulsory traffic)"


@dataclass(frozen=True)
class Flat:
    pipes: tuple[str, ...]
    rate: float
    ceiling: Ceiling

    @property
    def label(self) -> str:
        """["matrix.f16", "matrix.bf16"]: "matrix f16, bf16"."""
        kinds: dict[str, list[str]] = {}
        for pipe in self.pipes:
            kind, dtype = pipe.split(".")
            kinds.setdefault(kind, []).append(dtype)
        return ", ".join(f"{kind} {', '.join(dtypes)}" for kind, dtypes in kinds.items())


def draw(c: Ceilings, table: Table | None) -> alt.LayerChart | None:
    levels, flats = c.read_levels(), flat_roofs(c)
    if not levels or not flats:
        return None
    samples = table.samples if table else ()
    frame = _frame(levels, flats, samples)
    labels = [*_slanted_labels(levels, frame), *_ridge_labels(levels[-1][1], flats, frame)]
    layers = [*_points(samples, frame), *(_label(one, frame, halo=True) for one in labels),
              *_slanted(levels, flats, frame), *_flat(levels, flats, frame),
              _ridges(levels, flats, frame), *(_label(one, frame) for one in labels)]
    return marks.panel(layers, frame, _title(c, levels, flats, table))


def flat_roofs(c: Ceilings) -> list[Flat]:
    """Highest first."""
    groups: list[list[tuple[str, Ceiling]]] = []
    for pipe, ceiling in sorted(c.pipes().items(), key=lambda p: -p[1].value):
        if groups and groups[-1][0][1].value <= ceiling.value * _SAME:
            groups[-1].append((pipe, ceiling))
        else:
            groups.append([(pipe, ceiling)])
    return [Flat(tuple(p for p, _ in g), g[0][1].value, g[0][1]) for g in groups]


def _frame(levels: list[tuple[str, Ceiling]], flats: list[Flat],
           samples: tuple[Sample, ...]) -> Frame:
    intensities = [s.intensity for s in samples]
    rates = [s.flops / s.median_s for s in samples]
    slow, fast = levels[-1][1].value, max(v.value for _, v in levels)
    left = min([flats[-1].rate / fast / 8, 0.1, *(i / 1.8 for i in intensities)])
    right = max([flats[0].rate / slow * 8, *(i * 1.5 for i in intensities)])
    low = min([left * slow / 1.5, *(r / 1.5 for r in rates)])
    return Frame(decade_axis(_INTENSITY, left, right), flops_axis(_RATE, low, flats[0].rate * 2.2),
                 WIDTH, HEIGHT)


def _title(c: Ceilings, levels: list[tuple[str, Ceiling]], flats: list[Flat],
           table: Table | None) -> alt.TitleParams:
    name, slow = levels[-1]
    ridge = flats[0].rate / slow.value
    lines = [f"{c.device}: {units.number(ridge, 2)} FLOP per byte from {level_title(name)} keep "
             f"{flats[0].label} busy"]
    if table and table.samples:
        count = f"{len(table.samples)} measured calls"
        still = ", ".join(table.without_flops)
        lines.append(count + (f"; without arithmetic, so not here: {still}" if still else ""))
    heading = ("What memory and arithmetic allow, and what the operators reach"
               if table and table.samples else "What memory and arithmetic allow")
    return marks.title(heading, *lines)


def _facts(name: str, ceiling: Ceiling) -> marks.Row:
    of = f"{100 * ceiling.of_datasheet:.0f} %" if ceiling.of_datasheet else "no datasheet"
    return {"roof": name, "ceiling": units.quantity(ceiling.value, ceiling.unit),
            "of datasheet": of, "verdict": ceiling.verdict, "measured by": ceiling.method}


_FACTS = ("roof", "ceiling", "of datasheet", "verdict", "measured by")


def _line(points: list[tuple[float, float]], facts: marks.Row, frame: Frame, width: float,
          dash: list[int]) -> alt.Chart:
    rows = [{"x": x, "y": y, **facts} for x, y in points]
    return alt.Chart(marks.data(rows)).mark_line(
        color=theme.INK, strokeWidth=width, strokeDash=dash, clip=True).encode(
            **frame.encode(), tooltip=marks.tooltips(*_FACTS))


def _slanted(levels: list[tuple[str, Ceiling]], flats: list[Flat], frame: Frame) -> list[alt.Chart]:
    """DRAM's roof is the thickest: it is the one that large operands are under."""
    return [_line([(frame.x.low, frame.x.low * v.value), (flats[0].rate / v.value, flats[0].rate)],
                  _facts(f"reads from {level_title(name)}", v), frame,
                  2.6 if name == "dram" else 1.7, [1, 0]) for name, v in levels]


@dataclass(frozen=True)
class Label:
    """Text at a place of the data, which a halo keeps readable over the points."""
    x: float
    y: float
    text: str
    look: dict[str, Any]


def _label(one: Label, frame: Frame, halo: bool = False) -> alt.Chart:
    outline = {"stroke": "white", "strokeWidth": 4, "strokeJoin": "round"} if halo else {}
    return marks.note(one.x, one.y, one.text, frame, align="left", **one.look, **outline)


def _slanted_labels(levels: list[tuple[str, Ceiling]], frame: Frame) -> list[Label]:
    rise = math.degrees(math.atan2(frame.top(1) - frame.top(10), frame.left(10) - frame.left(1)))
    texts = [f"{level_title(n)} {units.bytes_per_second(v.value)}" for n, v in levels]
    look = {"angle": 360 - rise, "baseline": "bottom", "dy": -3, "fontWeight": "bold"}
    return [Label(x, x * v.value, text, look) for (_, v), text, x in
            zip(levels, texts, _slanted_places(levels, texts, frame, rise), strict=True)]


def _slanted_places(levels: list[tuple[str, Ceiling]], texts: list[str], frame: Frame,
                    rise: float) -> list[float]:
    """Where the labels begin (x): at the left end, and further right where the roof above is too
    near for a line of text between them."""
    cosine = math.cos(math.radians(rise))
    places: list[float] = []
    shift = 0.0
    for i, (_, v) in enumerate(levels):
        if i > 0:
            gap = (frame.top(v.value) - frame.top(levels[i - 1][1].value)) * cosine
            shift = shift + (len(texts[i - 1]) * 7.5 + 20) * cosine if abs(gap) < 20 else 0.0
        places.append(frame.x.at((14 + shift) / frame.width))
    return places


def _flat(levels: list[tuple[str, Ceiling]], flats: list[Flat], frame: Frame) -> list[alt.Chart]:
    layers = []
    fast = max(v.value for _, v in levels)
    wanted = [frame.top(f.rate) for f in flats]
    for f, top in zip(flats, spread_out(wanted, 15), strict=True):
        dash = [1, 0] if any(p.startswith("matrix") for p in f.pipes) else [7, 3]
        facts = _facts(f.label, f.ceiling)
        layers.append(_line([(f.rate / fast, f.rate), (frame.x.high, f.rate)], facts, frame, 1.7,
                            dash))
        text = f"{f.label}: {units.si(f.rate, 'FLOP/s')}"
        layers.append(alt.Chart(marks.data([{"text": text}])).mark_text(
            fontSize=theme.LABEL, color=theme.INK, align="left", dx=6).encode(
                x=alt.value(frame.width), y=alt.value(top), text="text:N"))
    return layers


def _ridges(levels: list[tuple[str, Ceiling]], flats: list[Flat], frame: Frame) -> alt.Chart:
    rows = [{"x": f.rate / v.value, "y": f.rate, "ridge of": f"{level_title(n)} and {f.label}",
             "intensity": f"{units.number(f.rate / v.value)} FLOP/byte"}
            for n, v in levels for f in flats]
    return alt.Chart(marks.data(rows)).mark_point(
        shape="diamond", size=46, filled=True, color="white", stroke=theme.INK, strokeWidth=1.4,
        opacity=1).encode(**frame.encode(), tooltip=marks.tooltips("ridge of", "intensity"))


def _ridge_labels(slowest: Ceiling, flats: list[Flat], frame: Frame) -> list[Label]:
    """From the top; only where the label before leaves room."""
    labels: list[Label] = []
    for f in flats:
        if labels and frame.top(f.rate) - frame.top(labels[-1].y) < 17:
            continue
        x = f.rate / slowest.value
        labels.append(Label(x, f.rate, f"{units.number(x, 2)} FLOP/B", {"dx": 8, "dy": 11}))
    return labels


def _points(samples: tuple[Sample, ...], frame: Frame) -> list[alt.Chart]:
    if not samples:
        return []
    names = operators.named({s.op for s in samples})
    entries = list(dict.fromkeys(names.values()))
    styles = [operators.style(e) for e in entries]
    legend = alt.Legend(title=None, columns=6, symbolOpacity=1)
    rows = [_row(s, names[s.op]) for s in samples]
    dense = len(rows) > 400
    return [alt.Chart(marks.data(rows)).mark_point(
        filled=True, size=26 if dense else 42, opacity=0.55 if dense else 0.85).encode(
            **frame.encode(),
            color=alt.Color("operator:N", legend=legend, sort=entries, scale=alt.Scale(
                domain=entries, range=[s[0] for s in styles])),
            shape=alt.Shape("operator:N", legend=legend, sort=entries, scale=alt.Scale(
                domain=entries, range=[s[1] for s in styles])),
            tooltip=marks.tooltips("call", "shape", "median", "ideal", "delay", "bound by",
                                   "intensity", "rate"))]


def _row(s: Sample, operator: str) -> marks.Row:
    return {"x": float(f"{s.intensity:.5g}"), "y": float(f"{s.flops / s.median_s:.5g}"),
            "operator": operator, "call": f"{s.op} {s.dtype} [{s.implementation}]",
            "shape": s.shape, "median": units.seconds(s.median_s),
            "ideal": units.seconds(s.ideal_s), "delay": f"{units.number(s.delay_factor)} ×",
            "bound by": s.bound, "intensity": f"{units.number(s.intensity)} FLOP/byte",
            "rate": units.flops_per_second(s.flops / s.median_s)}
