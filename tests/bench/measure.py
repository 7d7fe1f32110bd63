"""tests/bench/measure.py - what the benchmark programs share.

CPU seconds are user + system of the whole process (and its children), the least of several runs that alternate between the
sides.  Ratios are what counts: a machine is shared and noisy.
"""
import os
import random
import re
import subprocess
import sys
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("WEIR_BENCH_BUILD", os.path.join(TOP, "build-bench"))
WEIR, WEIRD = os.path.join(BUILD, "weir"), os.path.join(BUILD, "weird")
SHARED = os.path.join(os.path.dirname(TOP), "shared")


class Bench:
    """Options, results, and the promises that were broken."""

    def __init__(self, work, lines, runs):
        self.work, self.lines, self.runs = work, lines, runs
        self.results, self.broken = [], []
        self.section = ""

    def path(self, *names):
        return os.path.join(self.work, *names)

    def run(self, argv, stdin=None, stdout=None, env=None):
        """CPU seconds, wall seconds, peak resident KiB, output."""
        out = open(self.path("out"), "w+b") if stdout is None else stdout
        began = time.perf_counter()
        # Held until it is waited for: a Popen that is dropped is waited for by the next one.
        child = subprocess.Popen(argv, stdin=stdin or subprocess.DEVNULL, stdout=out, stderr=subprocess.DEVNULL,
                                 env={**os.environ, **(env or {})})
        _, status, ru = os.wait4(child.pid, 0)
        wall = time.perf_counter() - began
        child.returncode = os.waitstatus_to_exitcode(status)
        text = b""
        if stdout is None:
            out.seek(0)
            text = out.read()
            out.close()
        if child.returncode not in (0, 1):
            sys.exit(f"{argv} ended with {child.returncode}")
        return ru.ru_utime + ru.ru_stime, wall, ru.ru_maxrss, text

    def best(self, *sides, runs=None):
        """The least CPU and wall of each side, runs alternating."""
        got = [[1e9, 1e9, 0, b""] for _ in sides]
        for _ in range(runs or self.runs):
            for g, side in zip(got, sides):
                cpu, wall, rss, text = side()
                g[0], g[1], g[2], g[3] = min(g[0], cpu), min(g[1], wall), max(g[2], rss), text
        return got

    def say(self, name, value, unit, want=None, ok=None, peer=None, peer_value=None, point=None):
        """point: the name of a curve and its x."""
        line = f"{name:62} {value:10.3f} {unit}"
        if peer is not None:
            line += f"   {peer} {peer_value:.3f}"
        if want is not None:
            line += f"   promised {want}: {'kept' if ok else 'BROKEN'}"
            if not ok:
                self.broken.append(name)
        print(line, flush=True)
        self.results.append({"section": self.section, "name": name.strip(), "value": value, "unit": unit, "want": want,
                             "kept": ok, "peer": peer, "peer_value": peer_value, "point": point})

    def data(self):
        """The log that all sections read."""
        path = self.path(f"log-{self.lines}.jsonl")
        if os.path.exists(path):
            return path
        source = os.path.join(SHARED, "tools", "loggen.c")
        theirs = os.path.exists(source)
        gen = self.path("gen")
        subprocess.check_call(["cc", "-O2", "-w", "-o", gen, source if theirs else os.path.join(TOP, "tests/bench/gen.c"), "-lm"])
        with open(path, "wb") as f:
            subprocess.check_call([gen, "-s", "42", "-n", str(self.lines)] if theirs else [gen, "42", str(self.lines)], stdout=f)
        return path


def ids_of(path, n):
    """Request IDs from anywhere in the file, the same in each run."""
    ids = []
    with open(path, "rb") as f:
        for k in range(n):
            f.seek(random.Random(7 + k).randrange(os.path.getsize(path) - 4096))
            ids.append(re.search(rb'"request_id":"([^"]+)"', f.read(4096)).group(1).decode())
    return ids


def bytes_of(store):
    return sum(os.path.getsize(os.path.join(folder, name)) for folder, _, names in os.walk(store) for name in names)
