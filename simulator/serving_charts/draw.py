"""The charts: each has a NAME, and READ tells how to read it."""
from typing import Any

import altair as alt

from . import rows

WIDTH, HEIGHT = 640, 320


class Chart:
    def __init__(self, name: str, read: str, drawn: alt.TopLevelMixin) -> None:
        self.NAME, self.READ, self.drawn = name, read, drawn


def _data(values: list[dict[str, Any]]) -> alt.Data:
    return alt.Data(values=values)


def latency(requests: list[dict[str, str]]) -> Chart:
    values = [{"what": what, "ms": max(x * 1e3, 1e-3), "share": share}
              for what, times in rows.latencies(requests).items()
              for x, share in rows.quantiles(times)]
    drawn = alt.Chart(_data(values), title="Latency of requests", width=WIDTH,
                      height=HEIGHT).mark_line().encode(
        x=alt.X("ms:Q", title="Latency (ms)", scale=alt.Scale(type="log")),
        y=alt.Y("share:Q", title="Requests at or below it", axis=alt.Axis(format="%")),
        color=alt.Color("what:N", title=None))
    return Chart("latency", "Each curve tells what share of the requests was served within a "
                 "latency: where it crosses 95 % is p95.", drawn)


def _lines(series: list[dict[str, str]], fields: dict[str, str], title: str,
           percent: bool) -> alt.Chart:
    step = max(1, len(series) // (4 * rows.SHOWN))
    values = [{"time_s": float(r["time_s"]), "value": float(r[field]),
               "what": f"{what}, replica {r['replica']}" if r["replica"] != "0" else what}
              for r in series[::step] for field, what in fields.items()]
    axis = alt.Axis(format="%") if percent else alt.Axis()
    return alt.Chart(_data(values), title=title, width=WIDTH, height=HEIGHT).mark_line(
        interpolate="step-after").encode(
            x=alt.X("time_s:Q", title="Time (s)"),
            y=alt.Y("value:Q", title=title, axis=axis),
            color=alt.Color("what:N", title=None))


def timeline(series: list[dict[str, str]]) -> Chart:
    drawn = _lines(series, {"running": "running", "waiting": "waiting"}, "Requests", False)
    return Chart("timeline", "Requests that run and that wait: a queue that only grows is more "
                 "than the service can do.", drawn)


def cache(series: list[dict[str, str]]) -> Chart:
    drawn = _lines(series, {"cache_used": "in use"}, "KV cache in use", True)
    return Chart("kv_cache", "Share of the KV cache's blocks. At 100 % requests wait for blocks, "
                 "or are preempted.", drawn)


def pareto(points: list[dict[str, Any]]) -> Chart:
    base = alt.Chart(_data(points), title="Throughput against time per token", width=WIDTH,
                     height=HEIGHT)
    place = {"x": alt.X("tpot_ms:Q", title="Time per output token, p50 (ms)"),
             "y": alt.Y("tokens:Q", title="Output tokens/s a GPU")}
    marks = base.mark_point(filled=True, size=60).encode(
        **place, tooltip=["point:N", "tokens:Q", "tpot_ms:Q"],
        color=alt.condition("datum.beaten", alt.value("#bbb"), alt.value("#0072B2")))
    front = base.transform_filter("!datum.beaten").mark_line(color="#0072B2").encode(**place)
    return Chart("pareto", "Each point is a run of the sweep; on the line are those that no other "
                 "beats in both.", alt.layer(front, marks))
