#!/usr/bin/env python3
"""tests/query/segments.py - one log in 1, 100 and 300 segments.

Answers are the same however many segments a store has, with the merged ID indexes and without them; who asks for one ID, for
the newest rows or for any few opens few segments.  Prints "ok NAME" or "not ok NAME".
"""
import json, os, re, resource, shutil, subprocess, sys, tempfile

here = os.path.dirname(os.path.abspath(__file__))
weir = os.path.abspath(os.environ.get("WEIR", os.path.join(here, "../../build/weir")))
env = dict(os.environ, TZ="UTC", LC_ALL="C.UTF-8", NO_COLOR="1")
work = tempfile.mkdtemp(prefix="weir-segments-")
ROWS = 3000
bad = 0


def say(good, name, why=""):
    global bad
    bad += not good
    print(("ok " if good else "not ok ") + name + ("" if good else f"\n  {why}"), flush=True)


def run(*args, files=None):
    limit = None if files is None else lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))
    p = subprocess.run([weir, *args], capture_output=True, env=env, timeout=120, preexec_fn=limit)
    return p.returncode, p.stdout.decode(errors="replace"), p.stderr.decode(errors="replace")


def request(i):
    return f"{i * 2654435761 % 2**32:08x}-0000-4000-8000-{i:012x}"


def line(i):
    """Three rows a request, far from each other; `ticket` has IDs, and no name that says so."""
    return json.dumps({"time": f"2026-01-31T{i // 3600:02d}:{i // 60 % 60:02d}:{i % 60:02d}Z", "message": f"step {i} of it", "level": "error" if i % 50 == 7 else "info",
                       "request_id": request(i % 1000), "ticket": f"{(i // 2) * 11400714819323198485 % 2**64:016x}", "n": i}) + "\n"


def make(n):
    store = os.path.join(work, f"store-{n}")
    step = ROWS // n
    for k in range(n):
        piece = os.path.join(work, "piece")
        with open(piece, "w") as f:
            f.writelines(line(i) for i in range(k * step, (k + 1) * step))
        run("ingest", "--quiet", "--store", store, piece)
        run("store", "--store", store, "seal")
    return store


QUERIES = ['*', 'level:error', f'request_id:="{request(5)}"', f'request_id:"{request(5)}"', f'request_id:{request(5)[:8]}', f'request_id:in("{request(7)}","{request(900)}","none")', 'ticket:="9e3779b97f4a7c15"',
           'request_id:="none"', 'n:>=2990', '* | stats count() c, sum(n) s', '* | sort by (_time desc) | limit 10', 'level:error | sort by (n) | limit 5',
           f'request_id:="{request(5)}" or n:=77', '* | stats by (level) count() c', f'n:in(request_id:="{request(3)}" | fields n)']
LIMITS = ['*', 'level:error', 'n:<1000']


def answers(store, files=None):
    global run
    if files is not None:
        whole = run
        run = lambda *args: whole(*args, files=files)
        try:
            return answers(store)
        finally:
            run = whole
    out = {q: run("query", "--store", store, "--output", "json", "--", q) for q in QUERIES}
    out.update({("limit", q): run("query", "--store", store, "--output", "json", "--limit", "20", "--", q) for q in LIMITS})
    for i in (0, 5, 500, 999):
        out["trace", i] = run("trace", "--store", store, "--output", "json", request(i))
    out["trace", "ticket"] = run("trace", "--store", store, "--output", "json", "9e3779b97f4a7c15")
    out["trace", "none"] = run("trace", "--store", store, "--output", "json", request(12345))
    out["since"] = run("query", "--store", store, "--output", "json", "--since", "2026-01-31T00:40:00Z", "--", "level:error")
    return out


def opened(store, query, *more):
    """By one thread: of many, one may be a segment ahead of what another has found."""
    text = run("query", "--store", store, "--explain", "--threads", "1", *more, "--", query)[1]
    m = re.search(r"segments: (\d+) in all, (\d+) skipped, (\d+) opened", text)
    return int(m.group(3)) if m else text


def test_same(stores):
    want = answers(stores[1])
    say(want["trace", 5][1].count("\n") == 3, "a trace has its rows", want["trace", 5])
    say(want["trace", "ticket"][1].count("\n") == 2, "a trace finds IDs under any name", want["trace", "ticket"])
    for n, store in stores.items():
        for index in (True, False):
            if not index:
                shutil.rmtree(os.path.join(store, "index"), ignore_errors=True)
            got = answers(store)
            wrong = [q for q in want if got[q] != want[q]]
            say(not wrong, f"{n} segments, {'as they are' if index else 'without merged indexes'}: the same", [(q, got[q], want[q]) for q in wrong[:2]])


def test_few_files(store):
    """More segments than the process may have files."""
    want, got = answers(store), answers(store, files=40)
    wrong = [q for q in want if got[q] != want[q]]
    say(not wrong, "300 segments, 40 files: the same", [(q, got[q], want[q]) for q in wrong[:2]])
    for args in (("store", "--store", store, "verify"), ("store", "--store", store, "stats"), ("grep", "--store", store, "-c", "step"),
                 ("fields", "--store", store), ("patterns", "--store", store), ("values", "--store", store, "level")):
        want, got = run(*args), run(*args, files=40)
        say(want[0] == 0 and got == want, f"300 segments, 40 files: {args[0]} {args[-1]}", (want, got))


def test_opened(store, n, index):
    some = n // 8 + 15 if index else n
    for name, got, most in (("one ID", opened(store, f'request_id:="{request(5)}"'), 3 + 7 if index else n),
                            ("one ID as a phrase", opened(store, f'request_id:"{request(5)}"'), 3 + 7 if index else n),
                            ("no ID", opened(store, 'request_id:="none"'), 7 if index else n),
                            ("the newest", opened(store, "level:error", "--limit", "10"), some),
                            ("the newest by a pipe", opened(store, "level:error | sort by (_time desc) limit 10"), some),
                            ("any few", opened(store, "* | limit 5"), 16),
                            ("a time", opened(store, "level:error", "--since", "2026-01-31T00:49:00Z"), n // 40 + 3)):
        say(isinstance(got, int) and got <= most, f"{n} segments{'' if index else ' without merged indexes'}: {name} opens at most {most}", got)
    got = opened(store, "*")
    say(got == n, f"{n} segments: all are opened for all, and no more than there are", got)


def test_stats(store):
    """store stats counts all that stands in the folder."""
    text = run("store", "--store", store, "stats")[1]
    found = [os.path.join(folder, f) for folder, _, files in os.walk(store) for f in files]
    m = re.search(r"(?m)^on disk +(\d+)  (\d+) files$", text)
    say(m and [int(g) for g in m.groups()] == [sum(map(os.path.getsize, found)), len(found)], "store stats: its total is what stands on disk", text[-600:])
    ids = [f for f in found if f.endswith(".idx")]
    m = re.search(r"(?m)^ID indexes +(\d+)  (\d+) files$", text)
    say(m and ids and [int(g) for g in m.groups()] == [sum(map(os.path.getsize, ids)), len(ids)], "store stats: merged indexes are told", text[-600:])


def test_missing(store):
    """A segment that is gone is a fault for who asks for it."""
    first = sorted(f for f in os.listdir(store) if f.endswith(".seg"))[0]
    os.unlink(os.path.join(store, first))
    code, out, err = run("query", "--store", store, "--output", "json", "--", "* | stats count() c")
    say(code == 3 and first in err and str(ROWS - ROWS // 100) in out, "a missing segment is told, and the rest answered", (code, out, err))
    say(run("query", "--store", store, "--output", "json", "--limit", "3", "--", "*")[0] == 0, "who needs it not is answered")


def test_alone():
    """One line a commit, so that its ID is the same in the whole block."""
    store = os.path.join(work, "store-alone")
    for i in range(0, 8, 2):
        piece = os.path.join(work, "piece")
        with open(piece, "w") as f:
            f.write(line(i))
        run("ingest", "--quiet", "--store", store, piece)
    for when in "as it is", "sealed":
        got = [run("trace", "--store", store, "--output", "json", f"{i * 11400714819323198485 % 2**64:016x}")[1].count("\n") for i in range(5)]
        say(got == [1, 1, 1, 1, 0], f"an ID alone in its block is found under any name, {when}", got)
        run("store", "--store", store, "seal")


try:
    test_alone()
    stores = {n: make(n) for n in (1, 100, 300)}
    for n in (100, 300):
        test_opened(stores[n], n, True)
    test_stats(stores[300])
    test_few_files(stores[300])
    test_same(stores)
    test_opened(stores[100], 100, False)
    test_missing(stores[100])
finally:
    shutil.rmtree(work, ignore_errors=True)
sys.exit(1 if bad else 0)
