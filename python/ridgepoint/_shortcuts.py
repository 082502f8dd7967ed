"""A prediction in one call: names in, an answer out. What it reads is kept for the next call."""

from __future__ import annotations

import functools
import operator
import os
from collections.abc import Iterable, Mapping

from ridgepoint import _core
from ridgepoint._detect import detect_gpu


def deployment(
    model: str | _core.Model,
    gpu: str | None = None,
    *,
    tp: int = 1,
    pp: int = 1,
    ep: int = 1,
    dp: int = 1,
    engine: str | _core.EngineProfile = "kernels",
    dtype: str | None = None,
    weights: str = "native",
    weight_only: bool = False,
    kv_cache: str | None = None,
) -> _core.Deployment:
    """Which model runs how: by name or path, with degrees of tensor, pipeline, expert and data
    parallelism. `dtype` is the model's where it is not given ("f16" for "bf16" on a `gpu` without
    it), and `kv_cache` is `dtype`. Quantised `weights` ("fp8", "int8", "int4") are multiplied in
    their own format unless `weight_only`; "int4" never is."""
    found = _core.find_model(model) if isinstance(model, str) else model
    dtype = dtype or (_core.usual_dtype(found, gpu) if gpu else found.dtype)
    return _core.Deployment(
        found,
        _core.Parallel(tp, pp, ep, dp),
        _core.Precision(
            dtype,
            weights=weights,
            quantised_activations=not weight_only,
            kv_cache=kv_cache or dtype,
        ),
        _core.find_engine(engine) if isinstance(engine, str) else engine,
    )


def is_model_file(name: str) -> bool:
    """Whether find_model() reads a file or folder of that name instead of a bundled model."""
    return os.path.exists(name) and (
        os.path.isfile(name) or os.path.isfile(os.path.join(name, "config.json"))
    )


_cached_deployment = functools.lru_cache(maxsize=256)(deployment)


def _deployment(
    model: str | _core.Model, gpu: str, engine: str | _core.EngineProfile, **how: object
) -> _core.Deployment:
    # Files may change, and so may objects: only what ships is kept. Nobody else sees what is.
    make = deployment
    if isinstance(model, str) and isinstance(engine, str):
        if not is_model_file(model) and not os.path.isfile(engine):
            make = _cached_deployment
    return make(model, gpu, engine=engine, **how)  # type: ignore[arg-type]


@functools.lru_cache(maxsize=32)
def _shipped(device: str, framework: str) -> _core.TableSet:
    return _core.shipped_tables(device, framework)


@functools.lru_cache(maxsize=256)
def _tables_of(gpu: str, framework: str) -> _core.TableSet:
    spec = _core.find_device(gpu)
    return _shipped(spec.name if spec else gpu, framework)


@functools.lru_cache(maxsize=4)  # each has megabytes
def _tuned(gpu: str, framework: str, factors: tuple[tuple[str, float], ...]) -> _core.TableSet:
    return _tables_of(gpu, framework).tuned(dict(factors))


def _tables(
    gpu: str | _core.TableSet, framework: str, factors: Mapping[str, float] | None
) -> _core.TableSet:
    if isinstance(gpu, _core.TableSet):
        return gpu.tuned(dict(factors)) if factors else gpu
    if factors:
        return _tuned(gpu, framework, tuple(sorted(factors.items())))
    return _tables_of(gpu, framework)


def _gpu_name(gpu: str | _core.TableSet) -> str:
    return gpu if isinstance(gpu, str) else gpu.device.name


def _resolved(gpu: str | _core.TableSet) -> str | _core.TableSet:
    if gpu != "auto":
        return gpu
    found = detect_gpu()
    if found is None:
        raise _core.BadInput("gpu='auto': this machine shows no NVIDIA GPU; name one")
    return found


def _request(
    input: int | Iterable[int],
    output: int,
    batch: int,
    cached: int,
    chunk: int,
    speculation: _core.Speculation | None,
) -> _core.Request:
    # A number of numpy's is one, too.
    lengths = list(input) if isinstance(input, Iterable) else [operator.index(input)]
    prompts = [_core.Prompt(tokens, batch, cached) for tokens in lengths]
    return _core.Request(prompts, output, chunk=chunk, speculation=speculation)


def predict(
    model: str | _core.Model,
    gpu: str | _core.TableSet,
    input: int | Iterable[int],
    output: int = 1,
    batch: int = 1,
    *,
    tp: int = 1,
    pp: int = 1,
    ep: int = 1,
    dp: int = 1,
    engine: str | _core.EngineProfile = "kernels",
    dtype: str | None = None,
    weights: str = "native",
    weight_only: bool = False,
    kv_cache: str | None = None,
    cached: int = 0,
    chunk: int = 0,
    speculation: _core.Speculation | None = None,
    fine_tune: Mapping[str, float] | None = None,
) -> _core.RequestPrediction:
    """Time to first token, time per output token and total time of `batch` prompts of `input`
    tokens (of each of several lengths) that get `output` tokens each.

    `gpu` is a GPU whose tables ship, "auto" for this machine's, or a TableSet. `cached` tokens of
    each prompt are in the prefix cache; a prefill step has `chunk` tokens at most. `fine_tune`
    multiplies the times of operators: {"gemm": 0.9}. For the rest see deployment(). Whether it
    fits the GPU's memory is not asked here: see memory()."""
    gpu = _resolved(gpu)
    how = _deployment(
        model,
        _gpu_name(gpu),
        engine,
        tp=tp,
        pp=pp,
        ep=ep,
        dp=dp,
        dtype=dtype,
        weights=weights,
        weight_only=weight_only,
        kv_cache=kv_cache,
    )
    asked = _request(input, output, batch, cached, chunk, speculation)
    return _core.predict_request(_tables(gpu, how.engine.framework, fine_tune), how, asked)


def memory(
    model: str | _core.Model,
    gpu: str | _core.TableSet,
    input: int | Iterable[int],
    output: int = 1,
    batch: int = 1,
    *,
    tp: int = 1,
    pp: int = 1,
    ep: int = 1,
    dp: int = 1,
    engine: str | _core.EngineProfile = "kernels",
    dtype: str | None = None,
    weights: str = "native",
    weight_only: bool = False,
    kv_cache: str | None = None,
    cached: int = 0,
    chunk: int = 0,
    speculation: _core.Speculation | None = None,
) -> _core.Memory:
    """What the same request as predict()'s takes of the fullest GPU's memory, and whether it fits.
    Needs no table of the GPU."""
    gpu = _resolved(gpu)
    name = _gpu_name(gpu)
    how = _deployment(
        model,
        name,
        engine,
        tp=tp,
        pp=pp,
        ep=ep,
        dp=dp,
        dtype=dtype,
        weights=weights,
        weight_only=weight_only,
        kv_cache=kv_cache,
    )
    asked = _request(input, output, batch, cached, chunk, speculation)
    if isinstance(gpu, _core.TableSet):
        return _core.memory_of(gpu.device, how, asked)
    return _core.memory_of(name, how, asked)


def best_batch(
    model: str | _core.Model,
    gpu: str | _core.TableSet,
    input: int | Iterable[int],
    output: int = 1,
    *,
    ttft_limit_s: float = 0,
    tpot_limit_s: float = 0,
    tp: int = 1,
    pp: int = 1,
    ep: int = 1,
    dp: int = 1,
    engine: str | _core.EngineProfile = "kernels",
    dtype: str | None = None,
    weights: str = "native",
    weight_only: bool = False,
    kv_cache: str | None = None,
    cached: int = 0,
    chunk: int = 0,
    speculation: _core.Speculation | None = None,
    fine_tune: Mapping[str, float] | None = None,
) -> _core.BatchCurve:
    """Throughput and latency over batches up to the largest that fits, its knee, and the best batch
    under limits of TTFT and TPOT (0: none). For the rest see predict()."""
    gpu = _resolved(gpu)
    how = _deployment(
        model,
        _gpu_name(gpu),
        engine,
        tp=tp,
        pp=pp,
        ep=ep,
        dp=dp,
        dtype=dtype,
        weights=weights,
        weight_only=weight_only,
        kv_cache=kv_cache,
    )
    asked = _request(input, output, 1, cached, chunk, speculation)
    tables = _tables(gpu, how.engine.framework, fine_tune)
    return _core.batch_curve(tables, how, asked, _core.Limits(ttft_limit_s, tpot_limit_s))


def read_prices(path: str | os.PathLike[str]) -> _core.Prices:
    """Of a CSV file with columns usd_per_hour and instance or gpu."""
    try:
        with open(path, encoding="utf-8") as file:
            return _core.Prices.from_csv(file.read(), os.fspath(path))
    except (OSError, UnicodeDecodeError) as error:
        raise _core.BadInput(f"{os.fspath(path)}: {error}") from error
