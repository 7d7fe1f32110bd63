#!/usr/bin/env python3
"""tests/e2e/baddays_cli.py - bad days of the command line: no memory, hostile patterns and terminals, broken outputs,
impossible configurations."""
import base64
import hashlib
import json
import os
import random
import re
import resource
import subprocess
import time

from harness import LONG, TOP, WEIR, WEIRD, Place, Skip, check, main, sanitized, wait_until

ENV = {**os.environ, "NO_COLOR": "1"}


def filled(place, n=2000):
    with open(f"{place.logs}/a.log", "w") as f:
        for i in range(n):
            f.write(json.dumps({"n": i, "level": "info", "request_id": f"req_{i:08x}", "msg": f"GET /item/{i} took {i % 97} ms"}) + "\n")
    place.config(f"  - files: {{paths: [\"{place.logs}/*.log\"]}}")
    place.once()


def run(argv, **kw):
    return subprocess.run(argv, capture_output=True, timeout=60, env={**ENV, **kw.pop("env", {})}, **kw)


# ---- memory ----

def oom_shim(place):
    out = os.path.join(place.dir, "oom.so")
    p = run(["cc", "-shared", "-fPIC", "-O1", "-o", out, os.path.join(TOP, "tests", "fault", "oom.c")])
    if p.returncode != 0:
        raise Skip("no C compiler")
    return out


def oom_sweep(place, shim, argv, good, store=None):
    """Each of some allocations fails, once and for ever: an exit and a word, never a signal; ${good} lets it be as without."""
    count = os.path.join(place.dir, "count")
    want = run(argv, env={"LD_PRELOAD": shim, "OOM_COUNT": count})
    if not os.path.exists(count) or int(open(count).read()) < 10:
        raise Skip("allocations cannot be counted here (a sanitizer?)")
    total = int(open(count).read())
    check(want.returncode == 0, f"{argv}: {want}")
    step = 1 if LONG else max(1, total // 25)
    for k in range(1, total + 1, step):
        for on in ({}, {"OOM_ON": "1"}):
            if store:
                subprocess.run(["rm", "-rf", store], check=True)
                subprocess.run(["cp", "-r", store + ".base", store], check=True)
            p = run(argv, env={"LD_PRELOAD": shim, "OOM_AT": str(k), **on})
            what = f"allocation {k} of {total}{' and all after it' if on else ''}: weir {argv[1]}"
            check(p.returncode in (0, 1, 2, 3), f"{what}: exit {p.returncode}: {p.stderr[-300:]}")
            check(p.returncode == 0 or p.stderr.strip(), f"{what}: exit {p.returncode} without a word")
            check(p.returncode != 0 or not good or p.stdout == want.stdout, f"{what}: exit 0 and another answer")
            if store:
                v = run([WEIR, "store", "verify", "--store", store])
                check(v.returncode == 0, f"{what}: verify: {v.stdout + v.stderr}")
    print(f"   weir {argv[1]}: {total} allocations, every {step}. failed")


def test_no_memory_questions():
    with Place("oom") as place:
        filled(place)
        shim = oom_shim(place)
        one = ["--threads", "1", "--store", place.store]
        for argv, good in (([WEIR, "query", *one, "--output", "json", "GET | sort by (n) | fields n, _msg"], True),
                           ([WEIR, "query", *one, "--output", "json", "* | stats by (level) count() n"], True),
                           ([WEIR, "trace", "--store", place.store, "req_00000007"], False),
                           ([WEIR, "grep", "took 5 ", f"{place.logs}/a.log"], False),
                           ([WEIR, "store", "verify", "--store", place.store], False),
                           ([WEIR, "check", place.config_path], False)):
            oom_sweep(place, shim, argv, good)


def test_no_memory_ingest():
    with Place("oomin") as place:
        filled(place, 200)
        shim = oom_shim(place)
        subprocess.run(["cp", "-r", place.store, place.store + ".base"], check=True)
        oom_sweep(place, shim, [WEIR, "ingest", "--store", place.store, f"{place.logs}/a.log"], False, place.store)
        subprocess.run(["rm", "-rf", place.store], check=True)
        subprocess.run(["cp", "-r", place.store + ".base", place.store], check=True)
        oom_sweep(place, shim, [WEIR, "store", "seal", "--store", place.store], False, place.store)


# ---- lines ----

def test_odd_lines():
    """Hostile lines: each is a row, is found by its number, and comes back to the byte with --output raw."""
    lines = ['{"k": 1, "k": 2}', '{"a": 1e400, "b": -0, "c": ' + "9" * 3000 + "}", '{"nul": "\\u0000x", "half": "\\ud800"}', '{"": 1}',
             '{"' + "K" * 65536 + '": 1}', '{"a": 1} trailing', '{"a": 1}{"b": 2}', '{"a": ', "{'a': 1}", '{"a": 1} // no', '{"a": NaN}',
             '{"_time": "x", "_stream": "{}", "_msg": "mine", "_stream_id": 7}', '{"a.b": 1, "a": {"b": 2}}', '{"t": "text"}', '{"t": 5}',
             '{"t": {"u": []}}', "[" * 100000, '{"a":' * 3000, "<999>x", "<34>1 - - - - - [x y=\"\\]", "-99999999999 <13>x", "\x00\x00", "\x7f\x1b[2J",
             "'; DROP TABLE rows; --", "%s%n%x%p", "$(reboot)", "../../etc/passwd", "\u202e\ufeff\u2028", "=IMPORT", "{{7*7}}", "NaN", "nil",
             '{"msg": "' + "\\n" * 1000 + '"}', json.dumps({f"k{i}": i for i in range(100000)})]
    with Place("lines") as place:
        raw = b"".join(line.encode("utf-8", "surrogatepass") + b" #%d\n" % i for i, line in enumerate(lines))
        raw += b"\xff\xfe\xc0\x80\xed\xa0\x80\xf4\x90\x80\x80 #%d\n" % len(lines)
        with open(f"{place.logs}/a.log", "wb") as f:
            f.write(raw)
            for i in range(2000):
                f.write(json.dumps({f"distinct{i}": i, "tail": 1}).encode() + b"\n")
        place.weir("ingest", "--store", place.store, f"{place.logs}/a.log")
        check(place.count("*") == len(lines) + 1 + 2000, f"{place.count('*')} rows of {len(lines) + 2001}")
        check(place.count("distinct1999:=1999") == 1 and place.count("tail:=1") == 2000, "fields beyond the columns of a block")
        for i in (5, 6, 7, 8, 9, 18, 20, 22, 23, 27, len(lines)):
            check(place.count(f'"#{i}"') >= 1, f"line {i} is not found: {lines[i] if i < len(lines) else 'bytes'}")
        place.weir("store", "seal")
        check(place.weir("store", "verify").returncode == 0 and place.count("*") == len(lines) + 2001, "after a seal")
        out = place.weir("query", "--output", "raw", "--store", place.store, "NOT tail:=1").stdout
        check(sorted(out.splitlines()) == sorted(raw.splitlines()), "lines do not come back to the byte")


# ---- patterns ----

def test_regex_limits():
    """Patterns that explode, are huge or reach into PCRE2: bounded time, a refusal with the place, never a crash."""
    with Place("regex") as place:
        with open(f"{place.logs}/a.log", "w") as f:
            for i in range(300):
                f.write(json.dumps({"n": i, "msg": "a" * 60 + "!"}) + "\n")
        place.config(f"  - files: {{paths: [\"{place.logs}/*.log\"]}}")
        place.once()
        for pattern in ("(a+)+$", "(a|aa)+$", "^(a?){40}a{40}b", "((a*)*)*b", "(.*a){20}b"):
            began = time.monotonic()
            p = place.weir("query", f"~{json.dumps(pattern)} | stats count() n", ok=(0, 1, 2, 3))
            check(time.monotonic() - began < 5, f"{pattern}: {time.monotonic() - began:.1f} s")
            p = place.weir("grep", pattern, f"{place.logs}/a.log", ok=(0, 1, 2, 3))
        for pattern in ("a\\C", "(" * 3000 + "a" + ")" * 3000, "x" * 70000, "(?R)a(", "(*LIMIT_MATCH=1000000000)(a+)+$", "(?C1)a", "[", "a{99999}"):
            p = run([WEIR, "query", "--store", place.store, "--check", f"~{json.dumps(pattern)}"])
            check(p.returncode in (0, 2), f"{pattern[:40]}: exit {p.returncode}")
            began = time.monotonic()
            p = run([WEIR, "query", "--store", place.store, f"~{json.dumps(pattern)} | stats count() n"])
            check(p.returncode in (0, 1, 2, 3) and time.monotonic() - began < 5, f"{pattern[:40]}: {p.returncode}")
        p = run([WEIR, "query", "--store", place.store, "~\"a\\\\C\""])
        check(p.returncode == 2, f"\\C is let in: {p}")


def test_stopped_query():
    """SIGINT ends a long query at once with 130; what came out before are whole lines."""
    with Place("int") as place:
        filled(place, 60000)
        p = subprocess.Popen([WEIR, "query", "--store", place.store, "--output", "json", "* | sort by (_msg desc) | fields n"],
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=ENV)
        time.sleep(0.05)
        p.send_signal(2)
        began = time.monotonic()
        out, _ = p.communicate(timeout=20)
        check(time.monotonic() - began < 3 and p.returncode in (0, 130), f"exit {p.returncode}")
        check(out == b"" or out.endswith(b"\n"), "half a line")


# ---- outputs ----

def test_broken_outputs():
    with Place("out") as place:
        filled(place, 30000)
        base = [WEIR, "query", "--store", place.store]
        for fmt in ("json", "text", "csv", "table", "logfmt", "raw"):
            with open("/dev/full", "wb") as full:
                p = subprocess.run([*base, "--output", fmt, "*"], stdout=full, stderr=subprocess.PIPE, env=ENV, timeout=60)
            check(p.returncode == 3 and b"pace" in p.stderr, f"{fmt} to /dev/full: {p}")
            p = subprocess.run(f"{WEIR} query --store {place.store} --output {fmt} '*' | head -1; exit ${{PIPESTATUS[0]}}", shell=True,
                               executable="/bin/bash", capture_output=True, env=ENV, timeout=60)
            check(p.returncode in (0, 141) and p.stderr == b"", f"{fmt} to head: {p}")
        for env in ({"LC_ALL": "C"}, {"LC_ALL": "xx_YY.none"}, {"COLUMNS": "0"}, {"COLUMNS": "1"}, {"COLUMNS": "-7"}, {"COLUMNS": "banana"},
                    {"TERM": ""}, {"TZ": "Nowhere/Nothing"}, {"TZ": ""}):
            p = run([*base, "--output", "table", "--limit", "5", "*"], env=env)
            check(p.returncode == 0 and p.stdout.count(b"\n") >= 5, f"{env}: {p}")
        p = run(["bash", "-c", f"exec {WEIR} query --store {place.store} '*' >&-"])
        check(p.returncode in (1, 2, 3), f"a closed stdout: exit {p.returncode}")
        place.config(f"  - journal: {{path: {place.logs}}}")
        place.start()
        p = run(["bash", "-c", f"exec {WEIR} status --store {place.store} >&-"])
        check(p.returncode == 3 and b"standard output" in p.stderr, f"a socket is no standard output: {p}")
        place.stop()
        # What weird says must not end up in a file of its store.
        new = os.path.join(place.dir, "new")
        subprocess.run(["bash", "-c", f"exec {WEIRD} --once --store {new} --config {place.config_path} <&- 2>&-"], env=ENV, timeout=60)
        for name in os.listdir(new):
            with open(f"{new}/{name}", "rb") as f:
                check(b"weird: " not in f.read(), f"a message of weird in {name}")


def test_streaming_memory():
    """A million rows to a pipe take no more memory than a few do."""
    if sanitized():
        raise Skip("a sanitizer keeps what was freed")
    with Place("mem") as place:
        filled(place, 150000)

        def peak(query):
            p = subprocess.Popen([WEIR, "query", "--threads", "1", "--store", place.store, "--output", "json", query], stdout=subprocess.DEVNULL, env=ENV)
            _, status, usage = os.wait4(p.pid, 0)
            p.returncode = os.waitstatus_to_exitcode(status)
            check(p.returncode == 0, f"exit {p.returncode}")
            return usage.ru_maxrss
        few, all_ = peak("n:<20000"), peak("*")
        check(all_ < few + 60000, f"{all_} KiB for all, {few} KiB for an eighth")


def test_damaged_archives():
    """A compressed file with a flipped byte, or cut: what was whole is there, and the error says what is wrong at which byte."""
    with Place("archives") as place:
        place.config(f"  - files: {{paths: [\"{place.logs}/*.log\"]}}", store="commit_interval: 50ms")
        rng = random.Random(5)
        lines = "".join(f'{{"_msg":"line {i} {rng.getrandbits(64):x}"}}\n' for i in range(20000)).encode()
        # gzip may find it by the sum at the end only, zstd names the block
        for suffix, pack in ((".gz", ["gzip", "-c"]), (".zst", ["zstd", "-qc"]), (".xz", ["xz", "-c"])):
            packed = subprocess.run(pack, input=lines, capture_output=True, check=True).stdout
            at = len(packed) * 3 // 4
            path = f"{place.dir}/bad{suffix}"
            for way, content in (("flipped", packed[:at] + bytes([packed[at] ^ 0x55]) + packed[at + 1:]), ("cut", packed[:at])):
                with open(path, "wb") as f:
                    f.write(content)
                ways = [[WEIR, "grep", "-c", "line", path], [WEIR, "query", "--input", path, "* | count()"],
                        [WEIR, "ingest", "--quiet", "--store", f"{place.dir}/{way}{suffix}", path]]
                for argv in ways:
                    p = run(argv)
                    err = p.stderr.decode()
                    found = re.fullmatch(r"weir: read failed: (\S+): damaged \w+ data found at offset (\d+), after (\d+) bytes of text: (.+)\n", err)
                    check(p.returncode == (2 if argv[1] == "grep" else 3) and found and found[1] == path, f"{suffix} {way} {argv[1]}: {p.returncode} {err}")
                    check(int(found[2]) == at if way == "cut" else at - (128 << 10) <= int(found[2]) <= len(packed), f"{suffix} {way} at {at}: {err}")
                    check((found[4] == "it ends there, and should go on") == (way == "cut"), f"{suffix} {way}: {err}")
                    check(int(found[3]) < 2 * len(lines) and lines[:int(found[3])].count(b"\n") > 5000, f"{suffix} {way}: {err}")
        place.start()
        p = run([WEIR, "ingest", "--quiet", "--store", place.store, path])
        check(p.returncode == 3 and b"damaged xz data found at offset" in p.stderr, f"through the daemon: {p}")
        wait_until(lambda: place.count("line") > 5000, what="the lines before the damage, through the daemon")


def test_echo_of_arguments():
    """What is typed comes back escaped in errors: control bytes, C1, bidi, bytes that are no text."""
    with Place("echo") as place:
        filled(place, 10)
        evil = b"\x1b]0;t\x07 \xc2\x9b31m \xe2\x80\xae \x08 \xff\xfe"
        for argv in ([WEIR, "query", b"--store", place.store.encode(), b"| " + evil], [WEIR, b"query", b"--" + evil], [WEIR, evil],
                     [WEIR, b"query", b"--store", b"/nowhere/" + evil, b"*"], [WEIR, b"query", b"--since", evil, b"*"],
                     [WEIR, b"query", b"--output", evil, b"*"], [WEIR, b"grep", b"x", b"/nowhere/" + evil],
                     [WEIR, b"check", b"/nowhere/" + evil], [WEIR, b"query", b"--input", b"/nowhere/" + evil, b"*"],
                     [WEIR, b"query", b"--store", place.store.encode(), b"a:\"" + evil], [WEIR, b"help", evil],
                     [WEIR, b"trace", b"--store", place.store.encode(), evil],
                     [WEIR, b"query", b"--store", place.store.encode(), b"~\"(" + evil + b"\""],
                     [WEIRD, b"--config", b"/nowhere/" + evil], [WEIRD, evil]):
            p = run(argv)
            text = p.stdout + p.stderr
            for bad in (b"\x1b", b"\x07", b"\xc2\x9b", b"\xe2\x80\xae", b"\x08"):
                check(bad not in text, f"{argv[1:]}: {bad} comes back in {text[:300]}")


# ---- more than waits for one commit ----

def test_load_faster_than_commits():
    """What does not compress, taken in faster than the clock makes commits: the store's bound on uncommitted bytes is never met."""
    lines = 200_000
    with Place("load") as place:
        path = os.path.join(place.dir, "random.log")
        noise = base64.b64encode(os.urandom(600 * 1024))
        with open(path, "wb") as f:
            for i in range(lines):
                at = i * 7919 % (len(noise) - 600)
                f.write(b"%d " % i + hashlib.sha256(b"%d" % i).hexdigest().encode() + base64.b64encode(os.urandom(360)) + noise[at:at + 20] + b"\n")
        p = run([WEIR, "ingest", "--store", place.store, "--parser", "plain", path])
        check(p.returncode == 0, f"ingest: {p.returncode} {p.stderr[-300:]}")
        n = run([WEIR, "query", "--store", place.store, "--output", "json", "* | stats count() as n"]).stdout
        check(str(lines).encode() in n, f"{lines} lines written, found {n}")


# ---- configuration ----

def test_impossible_configs():
    with Place("conf") as place:
        path = place.config_path
        bad = {"twice": "store: {path: /tmp/x, path: /tmp/y}\n", "negative": "store: {retention: -3d}\n", "nan": "store: {retention: nan}\n",
               "zero": "store: {commit_interval: 0s}\n", "list": "store: [1, 2]\n", "unknown": "stroe: {}\n", "huge": "store: {max_bytes: 99999999999999999999GiB}\n",
               "nul": "store: {path: \"/tmp/\\0x\"}\n", "tab": "store:\n\tpath: x\n", "alias": "a: &a [*a]\n", "input": "inputs: 7\n",
               "percent": "store: {min_free_percent: 200}\n", "filter": "inputs:\n  - files: {paths: [/x], drop: '((((('}\n",
               "regex": "inputs:\n  - files: {paths: [/x], redact: [{pattern: '(', with: ''}]}\n", "bytes": b"store: {path: \xff\xfe}\n",
               "bomb": "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\n"
                       "d: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d]\nstore: *e\n"}
        for name, text in bad.items():
            with open(path, "wb") as f:
                f.write(text if isinstance(text, bytes) else text.encode())
            for argv in ([WEIR, "check", path], [WEIRD, "--config", path, "--once"]):
                p = run(argv)
                check(p.returncode == 2 and p.stderr + p.stdout, f"{name}: {os.path.basename(argv[0])} exit {p.returncode}: {p.stderr}")
        with open(path, "wb") as f:
            f.truncate(1 << 30)
        for argv in ([WEIR, "check", path], [WEIRD, "--config", path], [WEIR, "check", "/dev/zero"], [WEIR, "check", place.dir]):
            began = time.monotonic()
            p = run(argv)
            check(p.returncode in (2, 3) and time.monotonic() - began < 5, f"{argv[1:]}: {p.returncode} in {time.monotonic() - began:.1f} s")
        check(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss < 600000, "a gigabyte of configuration was read")


if __name__ == "__main__":
    main([test_no_memory_questions, test_no_memory_ingest, test_odd_lines, test_regex_limits, test_stopped_query, test_broken_outputs, test_streaming_memory, test_load_faster_than_commits,
          test_damaged_archives, test_echo_of_arguments, test_impossible_configs])
