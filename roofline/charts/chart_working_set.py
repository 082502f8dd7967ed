"""Bandwidth against the working set: the levels of the hierarchy as steps."""
import altair as alt

from . import marks, theme, units
from .ceilings import DIRECTIONS, Ceilings, Level, Sweep, level_title
from .frame import Frame, bytes_axis, log_axis

NAME = "working_set"
NEEDS = "sweep `working_set.read`, `.write`, `.copy` …"
READ = ("The same bytes are passed over again and again. While they fit into a cache, they come "
        "from it; each step down is a level that has become too small. The dashed rules are the "
        "capacities found from the steps.")


def draw(c: Ceilings, _table: object = None) -> alt.Chart | None:
    shared = _curves(c, "working_set")
    alone = _curves(c, "working_set_unit")
    if not shared and not alone:
        return None
    panels = []
    if shared:
        panels.append(_panel(shared, "Working set of all units together", c.levels,
                             marks.title(_heading(c), c.device)))
    if alone:
        heading = "The same, against what each unit (multiprocessor, core) passes over alone"
        panels.append(_panel(alone, "Working set of each unit", _of_a_unit(c),
                             heading if shared else marks.title(_heading(c), c.device)))
    return panels[0] if len(panels) == 1 else alt.vconcat(*panels, spacing=34).resolve_scale(
        color="independent", shape="independent")


def _curves(c: Ceilings, prefix: str) -> dict[str, Sweep]:
    found = {d: c.sweep(f"{prefix}.{d}") for d in DIRECTIONS}
    return {d: s for d, s in found.items() if s and s.points}


def _heading(c: Ceilings) -> str:
    levels = c.read_levels()
    if len(levels) < 2:
        return "Bandwidth falls where a working set outgrows a cache"
    (near, fast), (far, slow) = levels[0], levels[-1]
    return (f"Reads fall from {units.bytes_per_second(fast.value)} in {level_title(near)} to "
            f"{units.bytes_per_second(slow.value)} in {level_title(far)}")


def _of_a_unit(c: Ceilings) -> tuple[Level, ...]:
    """Levels that units have parts of, as one of those parts; nothing where their number is not
    told."""
    return tuple(Level(lv.name, lv.bytes / c.units, True) for lv in c.levels
                 if lv.per_unit and c.units)


def _panel(curves: dict[str, Sweep], x_title: str, levels: tuple[Level, ...],
           heading: alt.TitleParams | str) -> alt.LayerChart:
    rates = [y for s in curves.values() for _, y in s.points]
    factor, prefix = units.prefix(max(rates))
    sizes = [x for s in curves.values() for x, _ in s.points]
    frame = Frame(bytes_axis(f"{x_title} (bytes)", sizes),
                  log_axis(f"Bandwidth ({prefix}B/s, reads plus writes)",
                           (r / factor for r in rates)),
                  height=theme.HEIGHT if isinstance(heading, alt.TitleParams) else 290)
    points = [row for d, s in curves.items()
              for row in marks.rows(s, d, factor, "working set", units.size, "bandwidth",
                                    units.bytes_per_second)]
    return marks.panel([*marks.level_rules(levels, frame),
                        *marks.series_layer(points, frame, list(DIRECTIONS),
                                            ["working set", "bandwidth"])], frame, heading,
                       raised=bool(levels))
