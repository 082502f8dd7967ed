"""Multipliers of predicted times, by GPU and operator: what a user's own measurements add."""

from __future__ import annotations

import functools
import json
import math
import os
import re
from collections.abc import Mapping

from ridgepoint import _core


def _plain(name: str) -> str:
    return re.sub(r"[\W_]", "", name).lower()


@functools.lru_cache(maxsize=1)
def _operators() -> dict[str, str]:
    """Names of operators and of first-generation tables, as they are and by their letters and
    digits alone; there "BMM" wins over "bmm": it covers more."""
    names: dict[str, str] = {}
    for operator, table in _core.operators().items():
        names[operator], names[table] = operator, table
    for name in sorted(names):  # capitals first
        names.setdefault(_plain(name), name)
    return names


def operator_named(name: str) -> str:
    """The operator's name, or the first-generation table's ("Linear_GEMM"), in any letter case."""
    found = _operators().get(name) or _operators().get(_plain(name))
    if found is None:
        known = ", ".join(sorted(set(_operators().values())))
        raise _core.BadInput(f"unknown operator '{name}'; known: {known}")
    return found


def gpu_named(name: str) -> str:
    """The GPU's name in its datasheet, by it, an alias or what the driver calls it."""
    spec = _core.find_device(name)
    if spec is None:
        raise _core.BadInput(f"unknown GPU '{name}'; known: {_core.suggested_devices(name)}")
    return spec.name


def split_key(key: str) -> tuple[str, str]:
    """A first-generation key as GPU and operator: "A100_80G_Linear_GEMM" is of A100-SXM-80GB."""
    cuts = [m.start() for m in re.finditer(r"[\W_]", key)]
    operators = [(key[:cut], key[cut + 1 :]) for cut in cuts if _plain(key[cut + 1 :]) in _operators()]
    for gpu, operator in operators:
        if _core.find_device(gpu) is not None:
            return gpu_named(gpu), operator_named(operator)
    if operators and _plain(key) not in _operators():
        return gpu_named(operators[0][0]), operators[0][1]  # raises: the GPU is unknown
    raise _core.BadInput(
        f"fine-tuning key '{key}': want a GPU and an operator, as in 'T4_Linear_GEMM'; operators: "
        + ", ".join(sorted(set(_operators().values())))
    )


class FineTuning:
    """Factors by GPU and operator. One that is set again replaces the one before; 1 takes it away.

    Its file is JSON: {"T4": {"Linear_GEMM": 0.8}}, as `predict --fine-tune` reads it."""

    def __init__(self, factors: Mapping[str, Mapping[str, float]] | None = None) -> None:
        self._factors: dict[str, dict[str, float]] = {}
        for gpu, operators in (factors or {}).items():
            if not isinstance(operators, Mapping):
                raise _core.BadInput(f"fine-tuning of '{gpu}': want factors by operator")
            for operator, factor in operators.items():
                self.set(gpu, operator, factor)

    def set(self, gpu: str, operator: str, factor: float) -> None:
        """Multiplies the operator's times on that GPU, whatever alias either is given by."""
        gpu, operator = gpu_named(gpu), operator_named(operator)
        number = isinstance(factor, (int, float)) and not isinstance(factor, bool)
        if not number or not math.isfinite(factor) or factor <= 0:
            raise _core.BadInput(
                f"fine-tuning of {operator} on {gpu}: factor {factor!r} must be a number above 0"
            )
        if factor == 1:
            self._factors.get(gpu, {}).pop(operator, None)
        else:
            self._factors.setdefault(gpu, {})[operator] = float(factor)

    def update(self, keys: Mapping[str, float]) -> None:
        """Of first-generation keys: {"T4_Linear_GEMM": 0.8}. All of them, or none if one is wrong."""
        made = FineTuning(self._factors)
        for key, factor in keys.items():
            made.set(*split_key(key), factor)
        self._factors = made._factors

    def of(self, gpu: str) -> dict[str, float]:
        """Factors by operator on one GPU."""
        return dict(self._factors.get(gpu_named(gpu), {}))

    def to_dict(self) -> dict[str, dict[str, float]]:
        return {gpu: dict(operators) for gpu, operators in self._factors.items() if operators}

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> FineTuning:
        try:
            with open(path, encoding="utf-8") as file:
                factors = json.load(file)
        except (OSError, ValueError) as error:
            raise _core.BadInput(f"{os.fspath(path)}: {error}") from error
        if not isinstance(factors, dict):
            raise _core.BadInput(f"{os.fspath(path)}: want an object of factors by GPU and operator")
        try:
            return cls(factors)
        except _core.BadInput as error:
            raise _core.BadInput(f"{os.fspath(path)}: {error}") from error

    def save(self, path: str | os.PathLike[str]) -> None:
        """Written beside `path` and renamed: never half there."""
        import tempfile

        folder = os.path.dirname(os.path.abspath(path))
        with tempfile.NamedTemporaryFile(
            "w", dir=folder, suffix=".tmp", delete=False, encoding="utf-8"
        ) as file:
            json.dump(self.to_dict(), file, indent=2)
            file.write("\n")
        os.replace(file.name, path)

    def __repr__(self) -> str:
        return f"FineTuning({self.to_dict()})"
