#!/usr/bin/env python3
"""tests/query/logsql_md.py - docs/LOGSQL.md does what it says.

Every block of docs/LOGSQL.md that begins with "$ weir " is run from the top of the tree with $WEIR (or build/weir); what
follows the command in the block must be its output.  --update writes the outputs into the page instead; read the
difference before it is committed.  Prints "ok NAME" or "not ok NAME" for each block.
"""
import os, re, shutil, subprocess, sys, tempfile

top = os.path.realpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../.."))
page = os.path.join(top, "docs/LOGSQL.md")
weir = os.path.abspath(os.environ.get("WEIR", os.path.join(top, "build/weir")))
store = tempfile.mkdtemp(prefix="weir-logsql-md-")
env = dict(os.environ, TZ="UTC", LC_ALL="C.UTF-8", NO_COLOR="1", WEIR_STORE=os.path.join(store, "s"), PATH=store + ":" + os.environ["PATH"])
bad = 0


def run(command):
    p = subprocess.run(["sh", "-c", command + " 2>&1"], cwd=top, env=env, capture_output=True, timeout=60)
    return p.stdout.decode(errors="replace")


def replace(m):
    global bad, n
    n += 1
    command, want = m[1], m[2]
    got = run(command)
    if got and not got.endswith("\n"):
        got += "\n"
    name = f"logsql_md {n}: {command[:90]}"
    if "--update" in sys.argv or got == want:
        print("ok", name)
    else:
        bad += 1
        print(f"not ok {name}\n  got:\n{got}  the page says:\n{want}")
    return f"```console\n$ {command}\n{got}```\n"


n = 0
os.symlink(weir, os.path.join(store, "weir"))
try:
    run("weir ingest --quiet --stream service samples/logs/shop.jsonl")
    with open(page, encoding="utf-8") as f:
        text = f.read()
    fresh = re.sub(r"```console\n\$ (weir [^\n]*)\n(.*?)```\n", replace, text, flags=re.S)
finally:
    shutil.rmtree(store, ignore_errors=True)
if n < 20:
    bad += 1
    print(f"not ok logsql_md: only {n} examples were found")
if "--update" in sys.argv:
    with open(page, "w", encoding="utf-8") as f:
        f.write(fresh)
sys.exit(1 if bad else 0)
