"""scripts/plot_serving as a user runs it."""
import json
import pathlib
import sys
import xml.etree.ElementTree

import commands
from commands import main


def scratch(name):
    return commands.options.scratch / name


def plot(*flags):
    done = commands.run("plot_serving", *flags, timeout=600)
    if done.code == 1 and "scripts/setup" in done.err:
        print("skipped: what draws charts is not installed")
        sys.exit(77)
    return done


def requests(count):
    rows = [f"{i},0,{i},{i + 0.1},{i + 0.5},{i + 2 + i / count}" for i in range(count)]
    return "\n".join(["request,replica,arrival_s,scheduled_s,first_token_s,finish_s", *rows]) + "\n"


def texts(name):
    root = xml.etree.ElementTree.parse(scratch("out") / f"{name}.svg").getroot()
    return ["".join(e.itertext()) for e in root.iter() if e.tag.endswith("}text")]


def write(name, text):
    path = pathlib.Path(scratch(name))
    path.write_text(text, encoding="utf-8")
    return path


def test_each_file_is_drawn():
    series = "replica,time_s,running,waiting,cache_used,tokens_out\n0,0,1,0,0.1,0\n0,1,4,2,0.9,9\n"
    points = [{"point": {"gpu": g}, "config": {},
               "summary": {"output_tokens_per_s_gpu": t, "tpot_s": {"p50": p}}}
              for g, t, p in (("a", 10, 0.01), ("b", 20, 0.02), ("c", 5, 0.03))]
    sweep = "".join(json.dumps(p) + "\n" for p in points) + '{"point": {}, "error": "no"}\n'
    plot("--requests", write("r.csv", requests(50)), "--series", write("s.csv", series),
         "--sweep", write("w.jsonl", sweep), "--out", scratch("out")).says(0)
    assert sorted(p.name for p in scratch("out").iterdir()) == [
        "kv_cache.svg", "latency.svg", "pareto.svg", "serving.html", "timeline.svg"]
    assert "time to first token" in texts("latency") and "waiting" in texts("timeline")
    assert "Output tokens/s a GPU" in texts("pareto")


def test_bad_files():
    plot("--out", scratch("out")).says(2, "--requests")
    plot("--requests", scratch("none.csv"), "--out", scratch("out")).says(2, "none.csv")
    plot("--requests", write("e.csv", "a,b\n1,2\n"), "--out", scratch("out")).says(2, "arrival_s")
    unfinished = "arrival_s,first_token_s,finish_s\n0,,\n"
    plot("--requests", write("u.csv", unfinished), "--out", scratch("out")).says(2, "no request")
    plot("--sweep", write("w.jsonl", "{}\n"), "--out", scratch("out")).says(2, "no point")
    plot("--sweep", write("w.jsonl", "x\n"), "--out", scratch("out")).says(2, "w.jsonl")
    assert not scratch("out").exists()


if __name__ == "__main__":
    main(globals())
