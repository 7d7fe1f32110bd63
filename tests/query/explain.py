#!/usr/bin/env python3
"""tests/query/explain.py - what a query says of the store and of itself.

--explain shows the simplified query, the order of filters, and after the run what each stage met; blocks_count and
block_stats tell of the store's own blocks.  Prints "ok NAME" or "not ok NAME".
"""
import json, os, re, shutil, subprocess, sys, tempfile

here = os.path.dirname(os.path.abspath(__file__))
weir = os.path.abspath(os.environ.get("WEIR", os.path.join(here, "../../build/weir")))
env = dict(os.environ, TZ="UTC", LC_ALL="C.UTF-8", NO_COLOR="1")
work = tempfile.mkdtemp(prefix="weir-explain-")
store = os.path.join(work, "store")
bad = 0


def say(good, name, why=""):
    global bad
    bad += not good
    print(("ok " if good else "not ok ") + name + ("" if good else f"\n  {why}"), flush=True)


def run(*args):
    p = subprocess.run([weir, *args], capture_output=True, env=env, timeout=120)
    return p.returncode, p.stdout.decode(errors="replace"), p.stderr.decode(errors="replace")


def rows(query, *where):
    code, out, err = run("query", *(where or ("--store", store)), "--output", "json", "--", query)
    return [json.loads(l) for l in out.splitlines()] if code in (0, 1) else err


def write(hour):
    path = os.path.join(work, f"{hour}.jsonl")
    with open(path, "w") as f:
        for i in range(3600):
            f.write(json.dumps({"time": f"2026-01-31T{hour:02d}:{i // 60:02d}:{i % 60:02d}Z", "message": f"job {i} of {hour} done", "level": ["info", "warn"][i % 2],
                                "n": i, "host": "a"}) + "\n")
    return path


def explain(query):
    return run("query", "--store", store, "--explain", "--", query)[1]


def number(text, pattern):
    m = re.search(pattern, text)
    return [int(g) for g in m.groups()] if m else text


def test_blocks():
    for hour in (1, 2, 3):
        run("ingest", "--quiet", "--store", store, write(hour))
        run("store", "--store", store, "seal")
    blocks = rows("* | block_stats | filter field:=_time")
    say(len(blocks) == 3 and sum(int(b["rows"]) for b in blocks) == 10800, "block_stats has a row for each column of each block", blocks)
    say(rows("* | blocks_count") == [{"blocks_count": "3"}], "blocks_count counts the store's blocks", rows("* | blocks_count"))
    say(rows("_msg:\"of 2\" | blocks_count as n") == [{"n": "1"}], "blocks_count counts those with rows that match", rows("_msg:\"of 2\" | blocks_count as n"))
    stats = {r["field"]: r for r in rows("* | limit 1 | block_stats")}
    say(stats["host"]["type"] == "const" and stats["level"]["type"] == "dict" and stats["level"]["dict_items"] == "2" and stats["level"]["dict_bytes"] == "8" and
        stats["n"]["type"] == "int", "block_stats tells encodings", stats)
    say(all(r["part_path"].endswith(".seg") and int(r["values_bytes"]) < 40000 for r in stats.values()), "block_stats tells files and encoded bytes", stats)
    made = rows("* | limit 1 | math 1 as z | block_stats | filter field:=z")
    say([r["type"] for r in made] == ["string"], "block_stats tells what a pipe made", made)


def test_plan():
    text = explain("(level:warn and (* or x)) and n:>=3590 | stats by (host) count() c | sort by (c)")
    say("query: n:>=3590 level:warn | stats by (host) count(*) as c" in text, "the query is simplified", text)
    say(text.index("n:>=3590   cost") < text.index("level:warn   cost") and "min and max of the column" in text, "filters stand in their order, with their tests", text)
    text = explain('_msg:~"(?i)pay.ment.*declined"')
    say('text that contains (in any case) "declined" and "pay.ment", then values' in text, "pieces of a regular expression", text)


def test_run():
    text = explain("_time:[2026-01-31T02:00:00Z, 2026-01-31T03:00:00Z) n:>=3590 | stats by (level) count() c | sort by (c) limit 1")
    say(number(text, r"segments: (\d+) in all, (\d+) skipped, (\d+) opened") == [3, 2, 1], "segments are counted, and no empty one among those opened", text)
    say(number(text, r"blocks: (\d+) in all, (\d+) skipped, (\d+) opened") == [3, 2, 1], "blocks are counted", text)
    say(number(text, r"rows: (\d+) in all, (\d+) skipped, (\d+) tested, (\d+) matched") == [10800, 7200, 3600, 10], "rows are counted", text)
    stats = number(text, r"1 stats   in (\d+), out (\d+), (\d+) bytes decoded, [0-9.]+\S+, at most (\d+) bytes kept")
    say(stats[:2] == [10, 2] and stats[2] > 0 and stats[3] > 0, "a stage has rows, bytes, time and memory", text)
    say(number(text, r"2 sort   in (\d+), out (\d+)") == [2, 1] and number(text, r"output   in (\d+)") == [1], "each stage is told", text)
    total, parts = number(text, r"in all: 1 rows, (\d+) bytes")[0], [int(n) for n in re.findall(r"   in .* (\d+) bytes decoded", text)]
    say(total == sum(parts), "bytes of the stages are those of the run", text)
    text = explain("n:=7 | fields _msg")
    say(number(text, r"output   in 3, (\d+) bytes decoded")[0] > 0, "what the output reads is counted", text)
    text = explain("nothing")
    say(number(text, r"output   in (\d+)") == [0], "a query that finds nothing is explained", text)


def test_extremes():
    """Least and greatest times: of whole blocks from their directory, else as numbers."""
    query = "stats by (host) count() c, min(_time) lo, max(_time) hi, min(n) a, max(n) b"
    want = [{"host": "a", "c": "10800", "lo": "2026-01-31T01:00:00Z", "hi": "2026-01-31T03:59:59Z", "a": "0", "b": "3599"}]
    say(rows(f"* | {query}") == want, "least and greatest of whole blocks", rows(f"* | {query}"))
    for by in "", "by (host) ", "by (_stream) ":
        text = explain(f"* | stats {by}count() c, min(_time) lo, max(_time) hi")
        say(number(text, r"in all: 1 rows, (\d+) bytes") == [0], f"min and max of _time {by}read no column", text)
    text = explain("n:>=3590 | stats min(_time) lo, max(_time) hi")
    say(number(text, r"in all: 1 rows, (\d+) bytes")[0] > 0, "what a filter cuts is read", text)
    say(rows("n:range[5,3590] | stats by (level) min(_time) lo, max(_time) hi, min(n) a, max(n) b | sort by (level)") ==
        [{"level": "info", "lo": "2026-01-31T01:00:06Z", "hi": "2026-01-31T03:59:50Z", "a": "6", "b": "3590"},
         {"level": "warn", "lo": "2026-01-31T01:00:05Z", "hi": "2026-01-31T03:59:49Z", "a": "5", "b": "3589"}], "least and greatest of some rows")
    say(rows("* | math _time as t | stats min(_time) if (level:warn) lo, max(_time, n) hi, count() if (level:warn) c") ==
        [{"lo": "2026-01-31T01:00:01Z", "hi": "2026-01-31T03:59:59Z", "c": "5400"}], "least and greatest with conditions and of two fields")


def write_bad_clock():
    path = os.path.join(work, "clock.jsonl")
    with open(path, "w") as f:
        for i in range(3600):
            time = f"1970-01-01T00:00:{i // 60:02d}Z" if i % 100 == 7 else f"2026-01-31T09:{i // 60:02d}:{i % 60:02d}Z"
            f.write(json.dumps({"time": time, "message": f"tick {i}", "n": i}) + "\n")
    return path


def test_bad_clock():
    """Rows with a time far from the others' lie apart, so that a query between the two times reads nothing."""
    where = os.path.join(work, "clock")
    run("ingest", "--quiet", "--store", where, write_bad_clock())
    for state in ("as written", "sealed"):
        text = run("query", "--store", where, "--explain", "--", "_time:[2000-01-01, 2010-01-01) | stats count() n")[1]
        say(number(text, r"blocks: (\d+) in all, (\d+) skipped") == [2, 2], f"a bad clock ruins no bounds of time, {state}", text)
        text = run("query", "--store", where, "--explain", "--", "_time:<1980-01-01 | stats count() n")[1]
        say(number(text, r"(\d+) skipped, (\d+) opened") and number(text, r"(\d+) tested, (\d+) matched") == [36, 36], f"its rows are found, {state}", text)
        say(rows("* | stats count() n, count_uniq(n) u", "--store", where) == [{"n": "3600", "u": "3600"}], f"all rows are there, {state}")
        run("store", "--store", where, "seal")


try:
    test_blocks()
    test_plan()
    test_run()
    test_extremes()
    test_bad_clock()
finally:
    shutil.rmtree(work, ignore_errors=True)
sys.exit(1 if bad else 0)
