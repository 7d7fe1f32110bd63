#!/usr/bin/env python3
"""tests/bench/bench.py - weir against the tools it replaces, side by side in one run.

usage: bench.py [--lines N] [--runs N] [--dir DIR] [--json FILE] [--report FILE] [SECTION…]
sections: ingest query journal store logs trace engine memory commits scale rules backtest --report writes docs/BENCHMARKS.md and its plot

Exit 1 when a promise is not kept.
"""
import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile

import backtest_bench
import report
import rules_bench
import store_bench
from measure import SHARED, WEIR, WEIRD, Bench, bytes_of, ids_of

arg = argparse.ArgumentParser(usage=__doc__)
arg.add_argument("--lines", type=int, default=4_000_000)
arg.add_argument("--runs", type=int, default=3)
arg.add_argument("--json")
arg.add_argument("--report")
arg.add_argument("--dir", default=None)
arg.add_argument("sections", nargs="*", default=[])


def through_weird(b, path):
    """The file as a source of weird, until all is committed."""
    store, config = b.path("weird-store"), b.path("weird.yaml")
    shutil.rmtree(store, ignore_errors=True)
    with open(config, "w") as f:
        f.write(f"store: {{path: {store}, min_free_percent: 0}}\ninputs:\n  - files: {{paths: [{path}], parser: json}}\n")
    out = b.run([WEIRD, "--config", config, "--once"])
    shutil.rmtree(store, ignore_errors=True)
    return out


def bench_ingest(b, path):
    size = os.path.getsize(path)
    store, part = b.path("store"), b.path("part.jsonl")
    subprocess.check_call(f"head -n 380000 {path} > {part}", shell=True)

    def ours():
        shutil.rmtree(store, ignore_errors=True)
        return b.run([WEIR, "ingest", "--store", store, path], stdout=subprocess.DEVNULL)

    mine, jq, zstd = b.best(ours, lambda: b.run(["jq", "-c", ".", part], stdout=subprocess.DEVNULL),
                            lambda: b.run(["zstd", "-1", "-q", "-c", path], stdout=subprocess.DEVNULL), runs=4)
    rate = size / 1e6 / mine[0]
    jq_rate = os.path.getsize(part) / 1e6 / jq[0]
    b.say("ingest, durable and searchable", rate, "MB per CPU s", ">= 200", rate >= 200)
    b.say("  wall", size / 1e6 / mine[1], "MB/s")
    b.say("  peak memory", mine[2] / 1024, "MiB")
    b.say("  jq -c . takes this many times longer", rate / jq_rate, "x", ">= 8", rate / jq_rate >= 8, "jq MB/s", jq_rate)
    b.say("  zstd -1 of the file takes this many times longer", zstd[0] / mine[0], "x", ">= 1", zstd[0] >= mine[0], "zstd -1 MB/s",
          size / 1e6 / zstd[0])
    daemon = b.best(lambda: through_weird(b, path), runs=2)[0]
    b.say("  through weird, followed and committed", size / 1e6 / daemon[0], "MB per CPU s", ">= 200", size / 1e6 / daemon[0] >= 200)
    subprocess.check_call([WEIR, "store", "seal", "--store", store])
    used = bytes_of(store)
    b.say("store bytes / raw bytes, sealed", used / size, "", "<= 0.085", used / size <= 0.085)


def bench_query(b, path):
    store = store_bench.sealed_store(b, path)
    query = lambda q: (lambda: b.run([WEIR, "query", "--store", store, "--output", "json", q]))
    rg = lambda *a: (lambda: b.run(["rg", *a, path]))
    pairs = []
    for i in ids_of(path, 5):
        pairs.append(b.best(lambda i=i: b.run([WEIR, "trace", "--store", store, "--output", "json", i]), rg("-F", i), runs=5))
        lines = pairs[-1][0][3].count(b"\n"), pairs[-1][1][3].count(b"\n")
        if lines[0] != lines[1]:
            b.broken.append(f"trace {i}: {lines[0]} rows, rg {lines[1]} lines")
    mine = sum(p[0][1] for p in pairs) / len(pairs) * 1000
    theirs = sum(p[1][1] for p in pairs) / len(pairs) * 1000
    b.say("trace of one request ID, whole process, wall", mine, "ms", "<= 10", mine <= 10, "rg ms", theirs)
    b.say("  rg ID file takes this many times longer, wall", theirs / mine, "x", ">= 20", theirs / mine >= 20)

    part = b.path("part.jsonl")
    subprocess.check_call(f"head -n 380000 {path} > {part}", shell=True)
    mine, jq = b.best(query("* | stats by (level) count() n"), lambda: b.run(["jq", "-r", ".level", part]))
    times = jq[0] * os.path.getsize(path) / os.path.getsize(part) / mine[0]
    b.say("count by level, CPU", mine[0] * 1000, "ms")
    b.say("  jq takes this many times longer", times, "x", ">= 50", times >= 50)

    for name, q, rg_args, limit in (
            ("substring of _msg", '_msg:*"circuit breaker"* | stats count() n', ("-c", "-F", "circuit breaker"), 3),
            ("substring of _msg inside variables", '_msg:*"10.3.17."* | stats count() n', ("-c", "-F", "10.3.17."), 3),
            ("substring of _msg, absent", '_msg:*"no such text"* | stats count() n', ("-c", "-F", "no such text"), 3),
            ("word of _msg", '_msg:breaker | stats count() n', ("-c", "-w", "breaker"), 1.5),
            ("word of _msg, absent", '_msg:zanzibar | stats count() n', ("-c", "-w", "zanzibar"), 1.5)):
        mine, theirs = b.best(query(q), rg(*rg_args))
        ratio = mine[0] / max(theirs[0], 1e-3)
        b.say(f"{name}: CPU as a share of rg's", ratio, "x", f"<= {limit}", ratio <= limit, "rg ms", theirs[0] * 1000)


def make_journal(b, folder, n):
    gen, export = b.path("gen"), b.path("export")
    subprocess.check_call(["cc", "-O2", "-w", "-o", gen, os.path.join(SHARED, "tools", "loggen.c"), "-lm"])
    with open(export, "wb") as f:
        subprocess.check_call([gen, "-s", "42", "-n", str(n), "-f", "export"], stdout=f)
    os.makedirs(folder)
    subprocess.check_call(["/lib/systemd/systemd-journal-remote", "-o", os.path.join(folder, "x.journal"), export],
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def bench_journal(b, _path):
    n = 300_000
    if not os.path.exists(os.path.join(SHARED, "tools", "loggen.c")):
        print("journal: needs loggen.c; left out")
        return
    folder, config, store = b.path("journal"), b.path("journal.yaml"), b.path("journal-store")
    if not os.path.isdir(folder):
        make_journal(b, folder, n)
    with open(config, "w") as f:
        f.write(f"store: {{path: {store}, min_free_percent: 0}}\ninputs:\n  - journal: {{path: {folder}, from: beginning}}\n")

    def ours():
        shutil.rmtree(store, ignore_errors=True)
        return b.run([WEIRD, "--config", config, "--once"])

    mine, theirs = b.best(ours, lambda: b.run(["journalctl", "-D", folder, "-o", "json"], stdout=subprocess.DEVNULL))
    rows = json.loads(b.run([WEIR, "query", "--store", store, "--output", "json", "* | stats count() n"])[3])["n"]
    if int(rows) < n:
        b.broken.append(f"journal: {rows} rows of {n}")
    b.say("journal, followed and committed", n / mine[0], "entries per CPU s", ">= 150000", n / mine[0] >= 150_000)
    b.say("  journalctl -o json takes this many times longer", theirs[0] / mine[0], "x", ">= 6", theirs[0] / mine[0] >= 6)
    b.say("  peak memory of one process", mine[2] / 1024, "MiB", "<= 64", mine[2] / 1024 <= 64)


SECTIONS = {"ingest": bench_ingest, "query": bench_query, "journal": bench_journal, **store_bench.SECTIONS,
            **rules_bench.SECTIONS, **backtest_bench.SECTIONS}


def main():
    opt = arg.parse_args()
    work = opt.dir or tempfile.mkdtemp(prefix="weir-bench-")
    os.makedirs(work, exist_ok=True)
    b = Bench(work, opt.lines, opt.runs)
    path = b.data()
    print(f"data: {path}, {os.path.getsize(path) / 1e6:.0f} MB, {opt.lines} lines")
    for name in opt.sections or SECTIONS:
        b.section = name
        SECTIONS[name](b, path)
    if opt.json:
        with open(opt.json, "w") as f:
            json.dump(b.results, f, indent=1)
    if opt.report:
        report.write(opt.report, b, os.path.getsize(path))
    if not opt.dir:
        shutil.rmtree(work, ignore_errors=True)
    for text in b.broken:
        print(f"broken: {text}")
    return 1 if b.broken else 0


if __name__ == "__main__":
    sys.exit(main())
