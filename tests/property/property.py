#!/usr/bin/env python3
"""tests/property/property.py - an answer does not depend on where the rows are or on how many threads look.

usage: property.py [--seed N] [--seconds N]

Random rows of all kinds of values, random queries from a grammar.  Each query is asked with one thread and with several,
of standard input, of a store of many small commits, of a sealed one, and of one of several segments with blocks of
all sizes; where the naive evaluator knows the query, of it too.  A round's seed is printed when it fails and
repeats it: property.py --seed N --seconds 0.  Prints "ok NAME" or "not ok NAME".
"""
import argparse, json, os, random, shutil, subprocess, sys, tempfile, time

here = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, here)
import naive
from rows import Grammar, rows

arg = argparse.ArgumentParser(usage=__doc__)
arg.add_argument("--seed", type=int, default=1)
arg.add_argument("--seconds", type=float, default=600 if os.environ.get("WEIR_LONG") else 30)
arg.add_argument("--queries", type=int, default=40)
arg.add_argument("--keep", help="write the rows of a failed round into this folder")
opt = arg.parse_args()
weir = os.environ.get("WEIR", os.path.join(here, "../../build/weir"))
env = dict(os.environ, TZ="UTC", LC_ALL="C.UTF-8", NO_COLOR="1")
work = tempfile.mkdtemp(prefix="weir-property-")
counts = {"queries": 0, "naive": 0, "rounds": 0}
failures = 0


def call(args, stdin=b""):
    p = subprocess.run([weir] + args, input=stdin, capture_output=True, env=env, timeout=120)
    return p.returncode, p.stdout, p.stderr.decode(errors="replace")


def must(args, stdin=b""):
    code, _, err = call(args, stdin)
    if code != 0:
        sys.exit(f"not ok property: {args} ended with {code}: {err}")


def lines(data):
    return b"".join(json.dumps(r, ensure_ascii=False).encode() + b"\n" for r in data)


def make_ways(rnd, data, pieces=(1, 60)):
    """Folder names to the arguments that ask there; all hold the same rows in the same order of arrival."""
    folder = os.path.join(work, "round")
    shutil.rmtree(folder, ignore_errors=True)
    ways = {}
    for state in ("open", "sealed", "segments"):
        store = os.path.join(folder, state)
        at = 0
        while at < len(data):
            n = {"open": rnd.randrange(*pieces), "sealed": len(data), "segments": rnd.choice([1, 3, 40, 200, 1000])}[state]
            must(["ingest", "--store", store, "--stream", "level", "-"], lines(data[at:at + n]))
            at += n
            if state == "sealed" or state == "segments" and rnd.random() < 0.5:
                must(["store", "--store", store, "seal"])
        ways[state] = ["--store", store, "--threads", rnd.choice(["1", "4"])]
    ways["threads 1"] = ways["segments"][:2] + ["--threads", "1"]
    ways["threads 4"] = ways["segments"][:2] + ["--threads", "4"]
    return ways


def parse(out):
    return [json.loads(l) for l in out.decode(errors="replace").split("\n") if l]


def plain(r):
    """A row without what only a store knows."""
    return {k: v for k, v in r.items() if k not in ("_stream", "_stream_id")}


def canonical(rows_out, ordered):
    out = [json.dumps(plain(r), sort_keys=True) for r in rows_out]
    return out if ordered is True else sorted(out)


def ask_all(ways, text, data):
    got = {}
    for name, where in ways.items():
        code, out, err = call(["query"] + where + ["--output", "json", "--", text])
        got[name] = (code, parse(out), err, out)
    # A file can be read again for a subquery, a pipe is read once.
    log = os.path.join(work, "log")
    if any(w in text for w in ("join ", "union ", "| fields ")):
        with open(log, "wb") as f:
            f.write(lines(data))
    else:
        log = "-"
    code, out, err = call(["query", "--input", log, "--parser", "json", "--output", "json", "--", text], b"" if log != "-" else lines(data))
    got["input"] = (code, parse(out), err)
    return got


def report(seed, text, why):
    global failures
    failures += 1
    print(f"not ok property seed {seed}: {text}\n  {why}", flush=True)


def differs(name, a, b):
    for x, y in zip(a, b):
        if x != y:
            return f"{name}: {y[:400]}\n  instead of {x[:400]}"
    return f"{name}: {len(b)} rows, not {len(a)}"


def check(seed, data, ways, text, trees, ordered):
    got = ask_all(ways, text, data)
    base = got["threads 1"]
    if base[0] not in (0, 1):
        same_code = all(g[0] == base[0] for g in got.values())
        if base[0] != 2 or not same_code:
            report(seed, text, f"exits {[(n, g[0]) for n, g in got.items()]}: {base[2]}")
        return
    want = canonical(base[1], ordered)
    for name, g in got.items():
        if name == "input" and ordered in ("names",):
            continue  # fields of a store's own (_stream) are counted too
        have = canonical(g[1], ordered)
        if g[0] != base[0] or have != want:
            return report(seed, text, differs(f"{name} (exit {g[0]})", want, have))
        # The same store: the same bytes, with fields in the same order, however many threads.
        if name == "threads 4" and sorted(g[3].split(b"\n")) != sorted(base[3].split(b"\n")):
            a, b = (sorted(x[3].decode(errors="replace").split("\n")) for x in (base, g))
            return report(seed, text, differs(f"{name}, the order of fields", a, b))
        if ordered == "rows" and name not in ("input",) and [plain(r) for r in g[1]] != [plain(r) for r in base[1]]:
            return report(seed, text, f"{name}: another order")
    if trees is None:
        return
    try:
        expected = naive.run(trees, [{k: v for k, v in r.items() if v != ""} for r in data])
    except naive.Unknown:
        return
    counts["naive"] += 1
    have = [plain(r) for r in base[1]]
    if not naive.same(expected, have):
        key = lambda r: json.dumps(r, sort_keys=True)
        a, b = sorted(map(key, expected)), sorted(map(key, have))
        extra, lost = [x for x in b if x not in a][:2], [x for x in a if x not in b][:2]
        report(seed, text, f"naive has {len(a)} rows, weir {len(b)}\n  only weir:  {str(extra)[:600]}\n  only naive: {str(lost)[:600]}")


def one_round(seed):
    rnd = random.Random(seed)
    data, kinds = rows(rnd, rnd.choice([1, 7, 60, 300, 900, 2500]))
    ways = make_ways(rnd, data)
    grammar = Grammar(rnd, data, kinds)
    before = failures
    for _ in range(opt.queries):
        text, trees, ordered = grammar.query()
        counts["queries"] += 1
        check(seed, data, ways, text, trees, ordered)
    counts["rounds"] += 1
    if opt.keep and failures > before:
        os.makedirs(opt.keep, exist_ok=True)
        with open(os.path.join(opt.keep, f"{seed}.jsonl"), "wb") as f:
            f.write(lines(data))


def big_round(seed):
    """Blocks of many thousand rows under the pipes that count: more values than are kept one by one, more groups than one."""
    rnd = random.Random(seed)
    data, kinds = rows(rnd, 15000, rnd.random() < 0.5)
    ways = make_ways(rnd, data, (2000, 6000))
    grammar = Grammar(rnd, data, kinds)
    for _ in range(24):
        text = rnd.choice(["*", "*", "*", grammar.leaf()[1]])
        last = rnd.choice([grammar.counts, grammar.quantiles, grammar.quantiles, grammar.tops])()
        counts["queries"] += 1
        check(seed, data, ways, f"{text} | {last[1]}", None, last[2])
    counts["rounds"] += 1


began, seed = time.monotonic(), opt.seed
try:
    big_round(seed)
    while seed == opt.seed or time.monotonic() - began < opt.seconds and failures < 20:
        one_round(seed)
        seed += 1
finally:
    shutil.rmtree(work, ignore_errors=True)
print(f"# {counts['rounds']} rounds, {counts['queries']} queries, {counts['naive']} of them naively too")
if failures == 0:
    print(f"ok property: the same answer everywhere, seeds {opt.seed} to {seed - 1}")
sys.exit(1 if failures else 0)
