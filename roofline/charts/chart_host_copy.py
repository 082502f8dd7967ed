"""Copies between the host and the device against their size."""
import altair as alt

from . import marks, units
from .ceilings import Ceilings
from .frame import Frame, bytes_axis, log_axis

NAME = "host_copy"
NEEDS = "sweep `host_copy.to_device.pinned` …"
READ = ("Small copies wait for their start, large ones run at the rate of the bus. Memory that the "
        "driver cannot address directly (pageable) is copied twice.")


def draw(c: Ceilings, _table: object = None) -> alt.LayerChart | None:
    curves = {_series(s.key): s for s in c.sweeps_of("host_copy") if s.points}
    if not curves:
        return None
    rates = [y for s in curves.values() for _, y in s.points]
    factor, prefix = units.prefix(max(rates))
    best, name = max((max(y for _, y in s.points), n) for n, s in curves.items())
    frame = Frame(bytes_axis("Copied (bytes)", (x for s in curves.values() for x, _ in s.points)),
                  log_axis(f"Bandwidth ({prefix}B/s)", (r / factor for r in rates)))
    points = [row for n, s in curves.items()
              for row in marks.rows(s, n, factor, "bytes", units.size, "bandwidth",
                                    units.bytes_per_second)]
    layers = marks.series_layer(points, frame, sorted(curves), ["bytes", "bandwidth"])
    return marks.panel(layers, frame, marks.title(
        f"Between host and device, {units.bytes_per_second(best)} at most ({name})", c.device))


def _series(key: str) -> str:
    """ "host_copy.to_device.pinned": "to device, pinned"."""
    return ", ".join(part.replace("_", " ") for part in key.split(".")[1:])
