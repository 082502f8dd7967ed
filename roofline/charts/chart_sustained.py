"""What a pipe still reaches after seconds of full load, against its short-burst ceiling."""
import altair as alt

from . import marks, units
from .ceilings import Ceilings, Sweep
from .frame import Frame, linear_axis

NAME = "sustained"
NEEDS = "sweep `sustained.<pipe>`"
READ = ("The ceilings are those of short bursts at boost clocks. Under full load, power and "
        "temperature bring clocks down: where a curve settles is what a long run can count on.")


def draw(c: Ceilings, _table: object = None) -> alt.LayerChart | None:
    curves = {s.key.removeprefix("sustained."): s for s in c.sweeps_of("sustained") if s.points}
    if not curves:
        return None
    boosts = {pipe: c.value(pipe) or max(y for _, y in s.points) for pipe, s in curves.items()}
    names = {pipe: f"{pipe.replace('.', ' ')} (100 % is {units.flops_per_second(boosts[pipe])})"
             for pipe in curves}
    points = [{"x": x, "y": 100 * y / boosts[p], "series": names[p],
               "after": units.seconds(x), "rate": units.flops_per_second(y),
               "of the ceiling": f"{100 * y / boosts[p]:.1f} %"}
              for p, s in curves.items() for x, y in s.points]
    lowest = min(p["y"] for p in points)
    low = max(0.0, 10 * (lowest // 10) - 10)
    frame = Frame(linear_axis("Time since the load began (s)", 0, max(p["x"] for p in points)),
                  linear_axis("Rate (% of the short-burst ceiling)", low,
                              max(105, max(p["y"] for p in points) * 1.03)))
    layers = [*marks.horizontal_rule(100, "short-burst ceiling", frame),
              *marks.series_layer(points, frame, list(names.values()),
                                  ["after", "rate", "of the ceiling"], size=18)]
    return marks.panel(layers, frame, marks.title(_heading(curves, boosts), c.device))


def _settled(s: Sweep) -> float:
    """Median of the last quarter."""
    last = sorted(y for _, y in s.points[-max(1, len(s.points) // 4):])
    return last[len(last) // 2]


def _heading(curves: dict[str, Sweep], boosts: dict[str, float]) -> str:
    kept, pipe = min((_settled(s) / boosts[p], p) for p, s in curves.items())
    if kept > 0.98:
        return "Every pipe keeps its short-burst rate under load"
    return f"Under load, {pipe.replace('.', ' ')} settles at {100 * kept:.0f} % of its burst"
