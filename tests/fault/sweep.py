#!/usr/bin/env python3
"""tests/fault/sweep.py - every write, sync, rename and unlink of the store goes wrong once, in every way.

Under test are a run that takes in numbered lines, and one that seals; before it there is a sealed segment already.  For
the k-th operation and each fault it runs once with the fault, once without, and then each number must stand in the store
exactly once and the store must verify.  --long takes every k; the short form about 8 of each fault.
"""
import collections
import json
import os
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))
from harness import LONG, WEIR, WEIRD, check, main  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
LINES, ROUNDS = 3000, 3


def build_shim(folder):
    out = os.path.join(folder, "shim.so")
    subprocess.check_call(["cc", "-D_GNU_SOURCE", "-shared", "-fPIC", "-O1", "-o", out, os.path.join(HERE, "shim.c"), "-ldl"])
    return out


class Run:
    """One store and one log, fed in rounds."""

    def __init__(self, folder, shim):
        self.folder, self.shim = folder, shim
        self.store, self.log = os.path.join(folder, "store"), os.path.join(folder, "a.log")
        self.config = os.path.join(folder, "weir.yaml")
        self.n = 0
        with open(self.config, "w") as f:
            f.write(f"store: {{path: {self.store}, min_free_percent: 0, seal_bytes: 64KiB, commit_interval: 1ms}}\n"
                    f"inputs:\n  - files: {{paths: [{self.log}]}}\n")

    def feed(self):
        with open(self.log, "a") as f:
            for _ in range(LINES):
                f.write(json.dumps({"n": self.n, "level": "info", "request_id": f"req_{self.n * 2654435761 % 2**32:08x}",
                                    "msg": f"line {self.n} {self.n * 40503 % 65536:x}"}) + "\n")
                self.n += 1

    def once(self, **env):
        return self.call([WEIRD, "--config", self.config, "--once"], env)

    def call(self, argv, env):
        e = {**os.environ, **env}
        if env:
            e["LD_PRELOAD"] = self.shim
            e["SHIM_UNDER"] = self.store
            e["ASAN_OPTIONS"] = "verify_asan_link_order=0:detect_leaks=0"
        return subprocess.run(argv, env=e, capture_output=True, timeout=60)

    def seal(self, **env):
        return self.call([WEIR, "store", "seal", "--store", self.store], env)

    def look(self, what):
        p = subprocess.run([WEIR, "query", "--store", self.store, "--output", "json", "n:* | fields n"], capture_output=True)
        check(p.returncode in (0, 1), f"{what}: query ended with {p.returncode}: {p.stderr.decode()[-500:]}")
        got = collections.Counter(int(json.loads(line)["n"]) for line in p.stdout.splitlines())
        missing = [i for i in range(self.n) if i not in got]
        doubled = [i for i, c in got.items() if c > 1]
        check(not missing and not doubled, f"{what}: missing {missing[:5]} of {len(missing)}, doubled {doubled[:5]} of {len(doubled)}")
        p = subprocess.run([WEIR, "store", "verify", "--store", self.store], capture_output=True)
        check(p.returncode == 0, f"{what}: verify ended with {p.returncode}: {(p.stdout + p.stderr).decode()[-500:]}")


def prepare(folder, shim, act):
    """A store before the act under test: some rounds of lines, one sealed segment, and for a seal an open one."""
    run = Run(folder, shim)
    for i in range(ROUNDS):
        run.feed()
        if i < ROUNDS - 1 or act == "seal":
            check(run.once().returncode == 0, "a round before the fault")
        if i == 0:
            check(run.seal().returncode == 0, "a seal before the fault")
    return run


def sweep_act(act, fault, err, tmp, shim):
    base = os.path.join(tmp, "base-" + act)
    os.mkdir(base)
    count = os.path.join(tmp, "count")
    check(getattr(prepare(base, shim, act), act)(SHIM_COUNT=count).returncode == 0, "the run without a fault")
    total = int(open(count).read())
    check(total >= 5, f"only {total} operations counted")
    step = 1 if LONG else max(1, total // 8)
    folder = os.path.join(tmp, "try")
    for k in range(1, total + 1, step):
        what = f"{act}: {fault} {err} at {k} of {total}"
        shutil.rmtree(folder, ignore_errors=True)
        os.mkdir(folder)
        run = prepare(folder, shim, act)
        getattr(run, act)(SHIM_AT=str(k), SHIM_MODE=fault, SHIM_ERRNO=str(err))
        if act == "seal":
            run.look(what + ", as it was left")
        for again in (run.once, run.seal):
            p = again()
            check(p.returncode == 0, f"{what}: the run after ended with {p.returncode}: {p.stderr.decode()[-500:]}")
        run.look(what)
    print(f"   {act}: {fault} {err}: {total} operations, every {step}. tried")


def sweep(fault, err):
    with tempfile.TemporaryDirectory(prefix="weir-fault-") as tmp:
        shim = build_shim(tmp)
        for act in ("once", "seal"):
            sweep_act(act, fault, err, tmp, shim)


def test_kill():
    sweep("kill", 0)


def test_torn():
    sweep("torn", 0)


def test_short():
    sweep("short", 0)


def test_eio():
    sweep("fail", 5)


def test_enospc():
    sweep("fail", 28)


def test_enospc_for_ever():
    sweep("fail-on", 28)


def test_eio_for_ever():
    sweep("fail-on", 5)


def test_erofs():
    sweep("fail", 30)


main([test_kill, test_torn, test_short, test_eio, test_enospc, test_enospc_for_ever, test_eio_for_ever, test_erofs])
