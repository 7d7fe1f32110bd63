#!/usr/bin/env python3
"""tests/bench/bench.py - the main job against the tools it replaces, side by side in one run.

usage: bench.py [--lines N] [--runs N] [--json FILE] [SECTION…]     sections: ingest query journal

CPU seconds are user + system of the whole process (and its children), the least of several runs that alternate between the two
sides.  Ratios are what counts: a machine is shared and noisy.  Exit 1 when a promise is not kept.
"""
import argparse
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("WEIR_BENCH_BUILD", os.path.join(TOP, "build-bench"))
WEIR, WEIRD = os.path.join(BUILD, "weir"), os.path.join(BUILD, "weird")
SHARED = os.path.join(os.path.dirname(TOP), "shared")

arg = argparse.ArgumentParser(usage=__doc__)
arg.add_argument("--lines", type=int, default=4_000_000)
arg.add_argument("--runs", type=int, default=3)
arg.add_argument("--json")
arg.add_argument("--dir", default=None)
arg.add_argument("sections", nargs="*", default=[])
opt = arg.parse_args()
work = opt.dir or tempfile.mkdtemp(prefix="weir-bench-")
os.makedirs(work, exist_ok=True)
results, broken = [], []


def run(argv, stdin=None, stdout=None, env=None):
    """CPU seconds, wall seconds, peak resident KiB, output."""
    out = open(os.path.join(work, "out"), "w+b") if stdout is None else stdout
    began = time.perf_counter()
    pid = subprocess.Popen(argv, stdin=stdin or subprocess.DEVNULL, stdout=out, stderr=subprocess.DEVNULL,
                           env={**os.environ, **(env or {})}).pid
    _, status, ru = os.wait4(pid, 0)
    wall = time.perf_counter() - began
    text = b""
    if stdout is None:
        out.seek(0)
        text = out.read()
        out.close()
    if os.waitstatus_to_exitcode(status) not in (0, 1):
        sys.exit(f"{argv} ended with {os.waitstatus_to_exitcode(status)}")
    return ru.ru_utime + ru.ru_stime, wall, ru.ru_maxrss, text


def best(*sides, runs=None):
    """The least CPU and wall of each side, runs alternating."""
    got = [[1e9, 1e9, 0, b""] for _ in sides]
    for _ in range(runs or opt.runs):
        for g, side in zip(got, sides):
            cpu, wall, rss, text = side()
            g[0], g[1], g[2], g[3] = min(g[0], cpu), min(g[1], wall), max(g[2], rss), text
    return got


def say(name, value, unit, want=None, ok=None):
    line = f"{name:58} {value:10.3f} {unit}"
    if want is not None:
        line += f"   promised {want}: {'kept' if ok else 'BROKEN'}"
        if not ok:
            broken.append(name)
    print(line, flush=True)
    results.append({"name": name, "value": value, "unit": unit, "kept": ok})


def data():
    path = os.path.join(work, f"log-{opt.lines}.jsonl")
    if os.path.exists(path):
        return path
    source = os.path.join(SHARED, "tools", "loggen.c")
    theirs = os.path.exists(source)
    gen = os.path.join(work, "gen")
    subprocess.check_call(["cc", "-O2", "-w", "-o", gen, source if theirs else os.path.join(TOP, "tests/bench/gen.c"), "-lm"])
    with open(path, "wb") as f:
        subprocess.check_call([gen, "-s", "42", "-n", str(opt.lines)] if theirs else [gen, "42", str(opt.lines)], stdout=f)
    return path


def bench_ingest(path):
    size = os.path.getsize(path)
    store = os.path.join(work, "store")
    part = os.path.join(work, "part.jsonl")
    subprocess.check_call(f"head -c {min(size, 100_000_000)} {path} > {part}", shell=True)

    def ours():
        shutil.rmtree(store, ignore_errors=True)
        return run([WEIR, "ingest", "--store", store, path], stdout=subprocess.DEVNULL)

    mine, jq = best(ours, lambda: run(["jq", "-c", ".", part], stdout=subprocess.DEVNULL), runs=2)
    rate = size / 1e6 / mine[0]
    jq_rate = os.path.getsize(part) / 1e6 / jq[0]
    say("ingest, durable and searchable", rate, "MB per CPU s", ">= 150", rate >= 150)
    say("  wall", size / 1e6 / mine[1], "MB/s")
    say("  peak memory", mine[2] / 1024, "MiB")
    say("  jq -c . takes this many times longer", rate / jq_rate, "x", ">= 5", rate / jq_rate >= 5)
    subprocess.check_call([WEIR, "store", "seal", "--store", store])
    used = sum(e.stat().st_size for e in os.scandir(store) if e.is_file())
    say("store bytes / raw bytes, sealed", used / size, "", "<= 0.11", used / size <= 0.11)


def bench_query(path):
    store = os.path.join(work, "store")
    if not os.path.isdir(store):
        subprocess.check_call([WEIR, "ingest", "--store", store, path])
        subprocess.check_call([WEIR, "store", "seal", "--store", store])
    ids = []
    with open(path, "rb") as f:
        for _ in range(5):
            f.seek(random.Random(7 + len(ids)).randrange(os.path.getsize(path) - 4096))
            ids.append(re.search(rb'"request_id":"([^"]+)"', f.read(4096)).group(1).decode())
    query = lambda q: (lambda: run([WEIR, "query", "--store", store, "--output", "json", q]))
    rg = lambda *a: (lambda: run(["rg", *a, path]))
    pairs = []
    for i in ids:
        pairs.append(best(lambda i=i: run([WEIR, "trace", "--store", store, "--output", "json", i]), rg("-F", i), runs=3))
        lines = pairs[-1][0][3].count(b"\n"), pairs[-1][1][3].count(b"\n")
        if lines[0] != lines[1]:
            broken.append(f"trace {i}: {lines[0]} rows, rg {lines[1]} lines")
    mine = sum(p[0][1] for p in pairs) / len(pairs) * 1000
    say("trace of one request ID, whole process, wall", mine, "ms", "<= 10", mine <= 10)
    ratio = sum(p[1][1] for p in pairs) / sum(p[0][1] for p in pairs)
    say("  rg ID file takes this many times longer, wall", ratio, "x", ">= 20", ratio >= 20)

    part = os.path.join(work, "part.jsonl")
    subprocess.check_call(f"head -c 100000000 {path} > {part}", shell=True)
    mine, jq = best(query("* | stats by (level) count() n"), lambda: run(["jq", "-r", ".level", part]))
    times = jq[0] * os.path.getsize(path) / os.path.getsize(part) / mine[0]
    say("count by level, CPU", mine[0] * 1000, "ms")
    say("  jq takes this many times longer", times, "x", ">= 50", times >= 50)

    for name, q, rg_args, limit in (
            ("substring of _msg, 57,650 hits", '_msg:*"circuit breaker"* | stats count() n', ("-c", "-F", "circuit breaker"), 3),
            ("substring of _msg inside variables", '_msg:*"10.3.17."* | stats count() n', ("-c", "-F", "10.3.17."), 3),
            ("substring of _msg, absent", '_msg:*"no such text"* | stats count() n', ("-c", "-F", "no such text"), 3),
            ("word of _msg", '_msg:breaker | stats count() n', ("-c", "-w", "breaker"), 1.5),
            ("word of _msg, absent", '_msg:zanzibar | stats count() n', ("-c", "-w", "zanzibar"), 1.5)):
        mine, theirs = best(query(q), rg(*rg_args))
        ratio = mine[0] / max(theirs[0], 1e-3)
        say(f"{name}: CPU as a share of rg's", ratio, "x", f"<= {limit}", ratio <= limit)


def bench_journal(_path):
    n = 100_000
    source = os.path.join(SHARED, "tools", "loggen.c")
    if not os.path.exists(source):
        print("journal: needs loggen.c; left out")
        return
    gen, export = os.path.join(work, "gen"), os.path.join(work, "export")
    folder = os.path.join(work, "journal")
    if not os.path.isdir(folder):
        subprocess.check_call(["cc", "-O2", "-w", "-o", gen, source, "-lm"])
        with open(export, "wb") as f:
            subprocess.check_call([gen, "-s", "42", "-n", str(n), "-f", "export"], stdout=f)
        os.makedirs(folder)
        subprocess.check_call(["/lib/systemd/systemd-journal-remote", "-o", os.path.join(folder, "x.journal"), export],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    config = os.path.join(work, "journal.yaml")
    store = os.path.join(work, "journal-store")
    with open(config, "w") as f:
        f.write(f"store: {{path: {store}, min_free_percent: 0}}\ninputs:\n  - journal: {{path: {folder}, from: beginning}}\n")

    def ours():
        shutil.rmtree(store, ignore_errors=True)
        return run([WEIRD, "--config", config, "--once"])

    mine, theirs = best(ours, lambda: run(["journalctl", "-D", folder, "-o", "json"], stdout=subprocess.DEVNULL))
    rows = json.loads(run([WEIR, "query", "--store", store, "--output", "json", "* | stats count() n"])[3])["n"]
    if int(rows) < n:
        broken.append(f"journal: {rows} rows of {n}")
    say("journal, followed and committed", n / mine[0], "entries per CPU s", ">= 100000", n / mine[0] >= 100_000)
    say("  journalctl -o json takes this many times longer", theirs[0] / mine[0], "x", ">= 6", theirs[0] / mine[0] >= 6)
    say("  peak memory of one process", mine[2] / 1024, "MiB", "<= 96", mine[2] / 1024 <= 96)


sections = {"ingest": bench_ingest, "query": bench_query, "journal": bench_journal}
path = data()
print(f"data: {path}, {os.path.getsize(path) / 1e6:.0f} MB, {opt.lines} lines")
for name in opt.sections or sections:
    sections[name](path)
if opt.json:
    with open(opt.json, "w") as f:
        json.dump(results, f, indent=1)
if not opt.dir:
    shutil.rmtree(work, ignore_errors=True)
for b in broken:
    print(f"broken: {b}")
sys.exit(1 if broken else 0)
