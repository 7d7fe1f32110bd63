#!/usr/bin/env python3
"""Run the query cases: tests/query/*.t against $WEIR (or build/weir).

A case file is a log and queries over it:
  # text            a comment
  log               the lines that follow are the log, up to the next empty line
  query [OPTION…]: LOGSQL
                    the lines that follow are the answer, up to the next empty line; "exit N" as the first of
                    them says how it ends (0 without it)
  any order         before a query: its rows may come in any order
  as is             before a query: asked with --as-is, over --input alone
Each query is asked of the log by --input, of a store where the log is in the open segment, and of one where it is
sealed; the answers must be the same.  Prints "ok NAME" or "not ok NAME" a query and way.
"""
import glob, os, shlex, subprocess, sys, tempfile

here = os.path.dirname(os.path.abspath(__file__))
weir = os.environ.get("WEIR", os.path.join(here, "../../build/weir"))
env = dict(os.environ, TZ="UTC", LC_ALL="C.UTF-8", NO_COLOR="1")
bad = 0


def blocks(path):
    """Pieces of the file between empty lines, without comments."""
    with open(path, encoding="utf-8") as f:
        text = "\n".join(l for l in f.read().split("\n") if not l.startswith("# "))
    return [b.split("\n") for b in text.split("\n\n") if b.strip()]


def call(args):
    p = subprocess.run([weir] + args, capture_output=True, env=env, timeout=60)
    return p.returncode, p.stdout.decode(errors="replace").splitlines(), p.stderr.decode(errors="replace")


def ask(name, where, options, query, want_exit, want, any_order):
    global bad
    args = ["query"] + where + (options or ["--output", "json"]) + ["--", query]
    code, got, err = call(args)
    if any_order:
        got, want = sorted(got), sorted(want)
    if (code, got) == (want_exit, want):
        print("ok", name)
        return
    bad += 1
    print(f"not ok {name}: {query}\n  exit {code}, wanted {want_exit}\n  got    {got}\n  wanted {want}\n  {err}")


def make_stores(log, folder):
    ways = {"input": ["--input", log]}
    for state in ("open", "sealed"):
        path = os.path.join(folder, state)
        code, _, err = call(["ingest", "--store", path, log])
        if code == 0 and state == "sealed":
            code, _, err = call(["store", "--store", path, "seal"])
        if code != 0:
            print(f"not ok store {state}: {err}")
        ways[state] = ["--store", path]
    return ways


def run_file(path, folder):
    name, ways, n = os.path.basename(path)[:-2], {}, 0
    any_order = as_is = False
    for lines in blocks(path):
        lines = [l for l in lines if l]
        if lines[0] == "log":
            log = os.path.join(folder, "log")
            with open(log, "w", encoding="utf-8") as f:
                f.write("\n".join(lines[1:]) + "\n")
            sub = tempfile.mkdtemp(dir=folder)
            ways = make_stores(log, sub)
            continue
        while lines and lines[0] in ("any order", "as is"):
            any_order, as_is = any_order or lines[0] == "any order", as_is or lines[0] == "as is"
            lines = lines[1:]
        head, _, query = lines[0].partition(": ")
        want, code = lines[1:], 0
        if want and want[0].startswith("exit "):
            code, want = int(want[0][5:]), want[1:]
        n += 1
        for way, where in ways.items():
            if as_is and way != "input":
                continue
            ask(f"{name} {n} {way}", where + (["--as-is"] if as_is else []), shlex.split(head[5:]), query, code, want,
                any_order)
        any_order = as_is = False


only = sys.argv[1:] or sorted(glob.glob(os.path.join(here, "*.t")))
for path in only:
    with tempfile.TemporaryDirectory(prefix="weir-query-") as folder:
        run_file(path, folder)
sys.exit(1 if bad else 0)
