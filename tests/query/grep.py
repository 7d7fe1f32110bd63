#!/usr/bin/env python3
"""tests/query/grep.py - weir grep finds what grep finds.

usage: grep.py [--seed N] [--rounds N]

Random lines of several formats, with values that need escapes, in one file; its store, open (as weird fills it) and sealed (by weir
ingest); and patterns out of the lines: pieces that cross values, keys, punctuation and times, words, alternatives, any case.  Of each,
grep on the file says what weir must print, whatever lines the store leaves out without making them.  Prints "ok NAME" or "not ok NAME".
"""
import argparse, json, os, random, shutil, subprocess, sys, tempfile

arg = argparse.ArgumentParser(usage=__doc__)
arg.add_argument("--seed", type=int, default=1)
arg.add_argument("--rounds", type=int, default=40 if os.environ.get("WEIR_LONG") else 4)
opt = arg.parse_args()
weir = os.environ.get("WEIR", os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../build/weir"))
env = dict(os.environ, TZ="UTC", LC_ALL="C.UTF-8", NO_COLOR="1")
work = tempfile.mkdtemp(prefix="weir-grep-")
failures = asked = found = 0
WORDS = ["timeout", "retry", "Error", "breaker", "cache", "user", "noun", "bus", "fetch", "rank", "tab\there", "new\nline", 'quo"te', "back\\slash",
         "bell\x07\x1b[0m", "del\x7f", "café", "a/b", "k=v", "<tag>", "ünï", "\x01\x02"]


def run(args):
    p = subprocess.run(args, capture_output=True, env=env, timeout=60)
    return p.returncode, p.stdout


def message(r):
    kind = r.random()
    if kind < 0.5:
        return r.choice([f"user {r.randrange(90)} failed: {r.choice(WORDS)}", f"GET /api/v1/items/{r.randrange(10**5)} took {r.random() * 9:.3f} ms",
                         f"upstream 10.{r.randrange(4)}.{r.randrange(20)}.{r.randrange(256)}:80 timed out", f"session {r.getrandbits(48):012x} refreshed"])
    return " ".join(r.choice(WORDS) for _ in range(r.randrange(1, 6)))


def line(r, i, form):
    """One line; its time is above that of the line before."""
    time = f"2026-01-{5 + i // 1440:02}T{i // 60 % 24:02}:{i % 60:02}:{r.randrange(60):02}.{r.randrange(1000):03}Z"
    uuid = f"{r.randrange(16):08x}-0000-4000-8000-{r.getrandbits(48):012x}"
    if form == "json":
        row = {"time": time, "level": r.choice(["INFO", "ERROR", "warn"]), "msg": message(r), "request_id": uuid, "n": r.randrange(10**r.randrange(1, 9)),
               "d": round(r.random() * 100, 2), "host": r.choice(["web-1", "web-2"]), "who": r.choice(WORDS), "hex": f"{r.getrandbits(64):016x}"}
        for k in r.sample(["n", "d", "host", "who", "hex", "request_id"], r.randrange(4)):
            del row[k]
        if r.random() < 0.1:
            row["nested"] = {"a": [1, message(r)], "b": None, "c": True}
        return json.dumps(row, ensure_ascii=r.random() < 0.2, separators=(",", ":") if r.random() < 0.9 else (", ", ": "))
    if form == "logfmt":
        return f'time={time} level=info msg={json.dumps(message(r), ensure_ascii=False)} id={uuid} n={r.randrange(1000)}'
    text = message(r).replace("\n", " ").replace("\x7f", "")
    return f"{time} {text}" if form == "plain" else f"{text} at {time}"


def piece(r, lines):
    l = r.choice(lines)
    at, n = r.randrange(len(l)), r.choice([2, 3, 4, 6, 9, 14, 30, 90])
    escapes = [i for i, c in enumerate(l) if c == "\\"]
    if escapes and r.random() < 0.4:
        at = r.choice(escapes) + r.choice([0, 1, 1, 2, 3, 4, 5])
    return l[at:at + n]


def word(r, lines):
    l = "".join(c if c.isascii() and c.isalnum() else " " for c in r.choice(lines)).split()
    return r.choice(l) if l else "none"


def pattern(r, lines):
    """(options, pattern), as grep takes them."""
    kind = r.random()
    more = r.choice([[], [], [], ["-c"], ["-o"], ["-m", "3"], ["-v"], ["-q"], ["-C", "1"], ["-A", "2"], ["-w"], ["-x"]])
    if kind < 0.4:
        return ["-F"] + more, piece(r, lines)
    if kind < 0.5:
        return ["-F"] + more, r.choice([word(r, lines) + "zq", '":"', '","', "Z\",\"", "u00", "001b", "n", "\\n", "\\u0", "T0"])
    if kind < 0.7:
        w = word(r, lines)
        return ["-E", "-i"] + more, r.choice([w.upper(), w.lower()])
    if kind < 0.85:
        return ["-E"] + more, "|".join(word(r, lines) for _ in range(r.randrange(2, 5)))
    if kind < 0.92:
        p = "".join("." if r.random() < 0.15 else "\\" + c if c in "\\.+*?()|[]{}^$" else c for c in piece(r, lines) if ord(c) >= 32)
        at = r.randrange(len(p) + 1)
        dots = "" if p[:at].endswith("\\") else r.choice(["", "", ".*", ".+", ".?"])
        return ["-E"] + r.choice([[], ["-i"]]) + more, p[:at] + dots + p[at:]
    if kind < 0.95:
        return ["-E"] + more, r.choice([word(r, lines) + "[0-9]+", "(" + word(r, lines) + "|" + word(r, lines) + ")[^a-z]", word(r, lines)[:3] + ".*" + word(r, lines)[-3:]])
    return ["-F"] + more + ["-e", piece(r, lines)], None


def one_round(seed):
    global failures, asked, found
    r = random.Random(seed)
    form = r.choice(["json", "json", "json", "logfmt", "plain", "end"])
    lines = [line(r, i, form) for i in range(r.choice([5, 80, 700, 2000]))]
    log, stores = os.path.join(work, "log"), [os.path.join(work, s) for s in ("open", "sealed")]
    with open(log, "w", encoding="utf-8", newline="\n") as f:
        f.write("".join(l + "\n" for l in lines))
    for s in stores:
        shutil.rmtree(s, ignore_errors=True)
    # One as weird fills it, with fields beside those of the line.
    with open(os.path.join(work, "weird.yaml"), "w") as f:
        f.write(f"store: {{path: {stores[0]}, min_free_percent: 0}}\ninputs:\n  - files: {{paths: [{log}], fields: {{env: '6', who: cache}}}}\n")
    if run([os.path.join(os.path.dirname(weir), "weird"), "--config", os.path.join(work, "weird.yaml"), "--once"])[0] != 0:
        sys.exit("not ok grep weird")
    if run([weir, "ingest", "--store", stores[1], log])[0] != 0:
        sys.exit("not ok grep ingest")
    run([weir, "store", "--store", stores[1], "seal"])
    for _ in range(60):
        options, p = pattern(r, lines)
        if p is not None and "-E" in options:
            options = [o for o in options if o != "-o"]  # grep takes the longest alternative, weir the first
        last = ["--", p] if p is not None else []
        want = run(["grep", "-h"] + options + last + [log])
        asked += 1
        found += want[0] == 0
        for where in (["--store", stores[0]], ["--store", stores[1]], ["--input", log]):
            got = run([weir, "grep"] + where + options + last)
            if got != want:
                failures += 1
                print(f"not ok grep seed {seed}: {where[0]} {where[1][-6:]} {options} {p!r}: exit {got[0]}, not {want[0]}; "
                      f"{len(got[1].splitlines())} lines, not {len(want[1].splitlines())}")


try:
    for seed in range(opt.seed, opt.seed + opt.rounds):
        one_round(seed)
        if failures > 10:
            break
finally:
    shutil.rmtree(work, ignore_errors=True)
print(f"# {asked} patterns, {found} of them found")
if failures == 0:
    print("ok grep: the same lines as grep, of a file, an open and a sealed store")
sys.exit(1 if failures else 0)
