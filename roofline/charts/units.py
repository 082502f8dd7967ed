"""Numbers as people read them: SI prefixes for rates and times, IEC prefixes for sizes."""
import math

_SI = ((1e15, "P"), (1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"), (1.0, ""), (1e-3, "m"),
       (1e-6, "µ"), (1e-9, "n"), (1e-12, "p"))
_IEC = ((2**40, "TiB"), (2**30, "GiB"), (2**20, "MiB"), (2**10, "KiB"), (1, "B"))
# Half a unit in the third digit is rounded up into the next prefix: 999.7 GB/s is 1 TB/s.
_NEARLY = 0.9995


def number(value: float, digits: int = 3) -> str:
    """Three digits, no exponent, no trailing zeros: 0.0123, 4.56, 789, 12300."""
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    decimals = max(0, digits - 1 - math.floor(math.log10(abs(value))))
    text = f"{value:.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def prefix(value: float) -> tuple[float, str]:
    """The SI prefix that a value is best read in, and its factor."""
    for factor, name in _SI:
        if abs(value) >= factor * _NEARLY:
            return factor, name
    return _SI[-1]


def si(value: float, unit: str) -> str:
    if value == 0:
        return f"0 {unit}"
    factor, name = prefix(value)
    return f"{number(value / factor)} {name}{unit}"


def bytes_per_second(value: float) -> str:
    return si(value, "B/s")


def flops_per_second(value: float) -> str:
    return si(value, "FLOP/s")


def seconds(value: float) -> str:
    return si(value, "s")


def size(value: float) -> str:
    for factor, name in _IEC:
        if value >= factor * _NEARLY:
            return f"{number(value / factor)} {name}"
    return f"{number(value)} B"


def quantity(value: float, unit: str) -> str:
    """A ceiling with the unit that the file gives it."""
    names = {"flop/s": "FLOP/s", "byte/s": "B/s"}
    return si(value, names.get(unit, unit))
