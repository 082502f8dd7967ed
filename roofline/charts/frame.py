"""A plotting area: its size, the ranges of its axes, their ticks, and where a value lies in it.
Knowing the pixels beforehand is what keeps labels from lying on one another."""
import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import altair as alt

from . import theme

# Labels of a byte axis: "32 KiB".
_IEC_LABEL = ("datum.value >= 1099511627776 ? datum.value / 1099511627776 + ' TiB' : "
              "datum.value >= 1073741824 ? datum.value / 1073741824 + ' GiB' : "
              "datum.value >= 1048576 ? datum.value / 1048576 + ' MiB' : "
              "datum.value >= 1024 ? datum.value / 1024 + ' KiB' : datum.value + ' B'")
# "10 GFLOP/s"
_FLOPS_LABEL = "replace(format(datum.value, '~s'), /([a-zA-Zµ]?)$/, ' $1FLOP/s')"
_PLAIN_LABEL = "format(datum.value, ',~r')"


@dataclass(frozen=True)
class Axis:
    title: str
    low: float
    high: float
    log: int = 0  # the base, or 0 for a linear axis
    label: str = _PLAIN_LABEL
    ticks: tuple[float, ...] | None = None

    def share(self, value: float) -> float:
        """0 at the low end, 1 at the high end."""
        if self.log:
            return math.log(value / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)

    def at(self, share: float) -> float:
        if self.log:
            return self.low * (self.high / self.low) ** share
        return self.low + (self.high - self.low) * share

    def scale(self) -> alt.Scale:
        kind = {"type": "log", "base": self.log} if self.log else {"zero": False}
        return alt.Scale(domain=[self.low, self.high], nice=False, **kind)

    def axis(self, count: int) -> alt.Axis:
        """`count` is about how many ticks there are where this axis does not list them."""
        ticks = {"tickCount": count} if self.ticks is None else {"values": list(self.ticks)}
        return alt.Axis(title=self.title, labelExpr=self.label, **ticks)


@dataclass(frozen=True)
class Frame:
    x: Axis
    y: Axis
    width: int = theme.WIDTH
    height: int = theme.HEIGHT

    def left(self, x: float) -> float:
        return self.x.share(x) * self.width

    def top(self, y: float) -> float:
        return (1 - self.y.share(y)) * self.height

    def encode(self, x: str = "x", y: str = "y") -> dict[str, Any]:
        return {"x": alt.X(f"{x}:Q", scale=self.x.scale(), axis=self.x.axis(self.width // 70)),
                "y": alt.Y(f"{y}:Q", scale=self.y.scale(), axis=self.y.axis(self.height // 45))}


def bytes_axis(title: str, values: Iterable[float]) -> Axis:
    """Powers of two, at most nine of them labelled."""
    low, high = _range(values)
    first, last = math.floor(math.log2(low) + 1e-9), math.ceil(math.log2(high) - 1e-9)
    step = max(1, math.ceil((last - first + 1) / 9))
    # Multiples of the step, so that 1 KiB and 1 MiB are among them where the step divides ten.
    ticks = tuple(2.0**i for i in range(first, last + 1) if i % step == 0)
    return Axis(title, 2.0**first, 2.0 ** max(last, first + 1), 2, _IEC_LABEL, ticks)


def count_axis(title: str, values: Iterable[float]) -> Axis:
    """Powers of two of a plain number."""
    low, high = _range(values)
    first, last = math.floor(math.log2(low) + 1e-9), math.ceil(math.log2(high) - 1e-9)
    step = max(1, math.ceil((last - first + 1) / 12))
    ticks = tuple(2.0**i for i in range(first, last + 1, step))
    return Axis(title, 2.0**first, 2.0 ** max(last, first + 1), 2, ticks=ticks)


def log_axis(title: str, values: Iterable[float], room: float = 1.25) -> Axis:
    """Round numbers, finer where there are fewer decades; `room` is left above and below."""
    low, high = _range(values)
    low, high = low / room, high * room
    decades = math.log10(high / low)
    steps = (1, 1.5, 2, 3, 4, 5, 7) if decades < 0.8 else (1, 2, 5) if decades < 3.2 else (1,)
    ticks = _decade_ticks(low, high, steps)
    return Axis(title, low, high, 10, ticks=ticks if len(ticks) > 1 else None)


def decade_axis(title: str, low: float, high: float) -> Axis:
    return Axis(title, low, high, 10, ticks=_decade_ticks(low, high, (1,)))


def flops_axis(title: str, low: float, high: float) -> Axis:
    """Decades with SI prefixes, since the range is too wide for one prefix."""
    return Axis(title, low, high, 10, _FLOPS_LABEL, _decade_ticks(low, high, (1,)))


def linear_axis(title: str, low: float, high: float) -> Axis:
    return Axis(title, low, high if high > low else low + 1)


def _decade_ticks(low: float, high: float, steps: tuple[float, ...]) -> tuple[float, ...]:
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    ticks = (float(f"{step * 10.0**d:.6g}") for d in decades for step in steps)
    return tuple(t for t in ticks if low * 0.999 <= t <= high * 1.001)


def _range(values: Iterable[float]) -> tuple[float, float]:
    """Of the positive ones: others have no place on a logarithmic axis."""
    positive = [v for v in values if v > 0]
    return (min(positive), max(positive)) if positive else (1.0, 2.0)
