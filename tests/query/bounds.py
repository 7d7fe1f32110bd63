#!/usr/bin/env python3
"""tests/query/bounds.py - no query takes more than it may.

Every pipe that gathers ends, beyond --memory, with an error that names pipe and bound, and is never killed; Ctrl-C ends
a query within 100 ms (ten times that under a sanitizer), however long its input is.  Prints "ok NAME" or "not ok NAME".
"""
import os, resource, shutil, signal, subprocess, sys, tempfile, time

here = os.path.dirname(os.path.abspath(__file__))
weir = os.path.abspath(os.environ.get("WEIR", os.path.join(here, "../../build/weir")))
env = dict(os.environ, TZ="UTC", LC_ALL="C.UTF-8", NO_COLOR="1")
work = tempfile.mkdtemp(prefix="weir-bounds-")
bad = 0
slow = b"__asan" in open(weir, "rb").read()


def say(good, name, why=""):
    global bad
    bad += not good
    print(("ok " if good else "not ok ") + name + ("" if good else f"\n  {why}"), flush=True)


def rows(path, n):
    with open(path, "w") as f:
        for i in range(n):
            f.write(f'{{"_time":"2026-01-31T10:{i // 60 % 60:02d}:{i % 60:02d}Z","_msg":"row {i} {"x" * 60}","k":"key-{i}","n":"{i}","request_id":"r{i:08x}",'
                    f'"level":"info"}}\n')


PIPES = {
    "sort": "sort by (k)", "first": "first 1000000 by (k)", "last": "last 1000000 by (k)", "uniq": "uniq by (k)", "top": "top 100000 by (k)",
    "stats": "stats by (k) count()", "field_values": "field_values k", "facets": "facets 10 max_values_per_field 1000000",
    "running_stats": "running_stats by (k) count()", "total_stats": "total_stats by (k) count()",
    "join": "join by (k) (* | fields k, n)", "patterns": "patterns by (k)", "trace": "trace",
    "stats values": "stats values(k)", "stats uniq": "stats count_uniq(k)", "stats quantile": "stats uniq_values(k) u, median(n)",
    "stats json": "stats json_values(k, n)", "stream_context": "stream_context before 1", "in": "filter k:in(* | fields k)",
}


def test_memory():
    log = os.path.join(work, "rows.jsonl")
    rows(log, 20000)
    store = os.path.join(work, "store")
    subprocess.run([weir, "ingest", "--quiet", "--store", store, log], check=True, env=env)
    for name, pipe in PIPES.items():
        p = subprocess.run([weir, "query", "--store", store, "--memory", "256KiB", "--output", "json", "--", "* | " + pipe], capture_output=True, env=env,
                           timeout=120)
        err = p.stderr.decode(errors="replace")
        named = name.split()[0] in err and "262144" in err
        say(p.returncode == 3 and named, f"memory of {name} is bounded", f"exit {p.returncode}: {err[:300]}")
    for name, pipe, n in (("sort", "sort by (k) limit 20", 20), ("values", "stats values(k) limit 20", 1), ("json_values", "stats json_values(k) sort by (n) limit 20", 1),
                          ("uniq_values", "stats uniq_values(k) limit 20", 1)):
        p = subprocess.run([weir, "query", "--store", store, "--memory", "256KiB", "--", "* | " + pipe], capture_output=True, env=env)
        say(p.returncode == 0 and p.stdout.count(b"\n") == n, f"{name} with a limit needs no more than its rows", p.stderr.decode())


def test_growth():
    """Pipes that change rows one by one: what they make of a batch is bounded too."""
    log = os.path.join(work, "few.jsonl")
    rows(log, 2000)
    for name, pipe in (("pack_json", " | ".join(["pack_json j"] * 40)), ("pack_logfmt", " | ".join(["pack_logfmt j"] * 40)),
                       ("replace", "replace ('x', '%s')" % ("y" * 3000)), ("format", "format '%s'" % ("<_msg>" * 3000)),
                       ("unpack_json", "format '{\"<k>\":1,\"a<k>\":1,\"b<k>\":1,\"c<k>\":1}' | unpack_json")):
        p = subprocess.run([weir, "query", "--input", log, "--memory", "1MiB", "--", "* | " + pipe], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=env,
                           timeout=300)
        err = p.stderr.decode(errors="replace")
        say(p.returncode == 3 and f"pipe {name}" in err and "1048576" in err, f"what {name} makes is bounded", f"exit {p.returncode}: {err[:300]}")


def resident(argv):
    """MiB of the program alone, by its high-water mark; getrusage counts what was there before exec."""
    p = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=env)
    peak = 0
    while p.poll() is None:
        try:
            with open(f"/proc/{p.pid}/status") as f:
                peak = max([peak] + [int(l.split()[1]) for l in f if l.startswith("VmHWM")])
        except OSError:
            break
        time.sleep(0.002)
    p.wait()
    return peak / 1024


def test_resident():
    """What is charged is what is held: at a bound of 32 MiB the process has hardly more than that and its own."""
    if slow:
        return
    log = os.path.join(work, "many.jsonl")
    rows(log, 400000)
    for name, pipe in (("join", "join by (k) (* | fields k, n)"), ("sort", "sort by (k)"), ("stats", "stats by (k) count()"), ("uniq", "uniq by (k)"),
                       ("running_stats", "running_stats by (k) count()"), ("in", "filter k:in(* | fields k)"),
                       ("join of groups", "join by (k) (* | stats by (k) count() c, max(n) m | sort by (c))")):
        peak = resident([weir, "query", "--input", log, "--memory", "32MiB", "--", "* | " + pipe])
        say(0 < peak < 32 * 1.3 + 24, f"{name} holds no more than is charged", f"{peak:.1f} MiB")


def stop(name, argv, stdin=None):
    """A query that ends by itself just as the signal comes is stopped earlier the next time."""
    for after in (0.4, 0.2, 0.1, 0.05, 0.02):
        p = subprocess.Popen(argv, stdin=stdin, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=env)
        time.sleep(after)
        began = time.monotonic()
        p.send_signal(signal.SIGINT)
        code = p.wait(timeout=60)
        took = time.monotonic() - began
        if code != 0 or took > 0.1:
            break
    say(code == 130 and took < (1.0 if slow else 0.1) + 0.15 * os.getloadavg()[0], f"Ctrl-C ends {name}",
        f"exit {code} after {took * 1000:.0f} ms, sent after {after} s")


def test_stop():
    log = os.path.join(work, "big.jsonl")
    rows(os.path.join(work, "piece"), 20000)
    subprocess.run(f"for i in $(seq {10 if slow else 40}); do cat piece; done > big.jsonl", shell=True, check=True, cwd=work)
    for name, q in (("a scan", '_msg:~"(x+x+)+y" | stats count()'), ("a sort", "* | sort by (k, n)"), ("groups", "* | stats by (k, _msg) count(), max(n)"),
                    ("a sequence", "* | generate_sequence 100000000000 | stats by (_msg) count()"), ("patterns", "* | patterns by (k)")):
        stop(name, [weir, "query", "--input", log, "--", q])
    r, w = os.pipe()
    stop("a query that waits for its input", [weir, "query", "--input", "-", "--", "*"], stdin=r)
    os.close(r)
    os.close(w)


try:
    test_memory()
    test_growth()
    test_resident()
    test_stop()
finally:
    shutil.rmtree(work, ignore_errors=True)
sys.exit(1 if bad else 0)
