#!/usr/bin/env python3
"""tests/query/phrases.py - phrases of ID fields, by the ID index and without it.

A phrase may be a part of a value, and the index has whole values; what else a block's values can hold is said by marks. Whatever
the values are made of, the rows are those that a filter finds which the index cannot serve.  Prints "ok NAME" or "not ok NAME".
"""
import json, os, random, re, shutil, subprocess, sys, tempfile

here = os.path.dirname(os.path.abspath(__file__))
weir = os.path.abspath(os.environ.get("WEIR", os.path.join(here, "../../build/weir")))
env = dict(os.environ, TZ="UTC", LC_ALL="C.UTF-8", NO_COLOR="1")
work = tempfile.mkdtemp(prefix="weir-phrases-")
bad = 0


def say(good, name, why=""):
    global bad
    bad += not good
    print(("ok " if good else "not ok ") + name + ("" if good else f"\n  {why}"), flush=True)


def run(*args, input=None):
    p = subprocess.run([weir, *args], capture_output=True, env=env, timeout=120, input=input)
    return p.returncode, p.stdout.decode(errors="replace"), p.stderr.decode(errors="replace")


def uuid(r):
    h = f"{r.getrandbits(128):032x}"
    return "-".join((h[:8], h[8:12], h[12:16], h[16:20], h[20:]))


def value(r, ids):
    """IDs of many forms, and what holds one of them with something beside it."""
    x = r.choice(ids)
    return r.choice((x, x, x, f"req-{x}", f"{x}-1", f"{x}/child", f"a.{x}", f"é{x}", f"{x}é", f"{x}_1", f"{x} {r.choice(ids)}", f"-{x}-", f"[{x}]",
                     f"{x}-{r.choice(ids)}", [x, r.choice(ids)], "-".join([x] + ["z"] * r.randrange(8)), "", x.upper(), x[:4], r.randrange(10 ** 6)))


def rows(seed, n, ids, kinds):
    r = random.Random(seed)
    for i in range(n):
        row = {"time": "2026-01-31T00:00:00Z", "message": "m", "n": seed * 1000 + i}
        for name in kinds:
            row[name] = value(r, ids) if r.random() < 0.4 else r.choice(ids)
        if i % 97 == 5:
            # rare names share one column
            row.update({f"rare{r.randrange(400)}.trace_id": value(r, ids), "x": {"request_id": value(r, ids)}})
        yield json.dumps(row, ensure_ascii=False) + "\n"


def make(store, ids):
    """Segments whose values are of one form each, and some of all forms; sealed ones, and the last ones not."""
    forms = {"uuid": [x for x in ids if x.count("-") == 4], "word": [x for x in ids if "-" not in x], "all": ids}
    for k in range(24):
        form = ("uuid", "word", "all")[k % 3]
        plain = k % 2 == 0 and form != "all"
        text = "".join(json.dumps({"time": "2026-01-31T00:00:00Z", "n": k * 1000 + i, "request_id": forms[form][i % len(forms[form])]}) + "\n"
                       for i in range(60)) if plain else "".join(rows(k, 120, forms[form], ("request_id", "trace_id", "X-Request-ID")))
        code, _, err = run("ingest", "--quiet", "--store", store, "-", input=text.encode())
        assert code == 0, err
        if k < 21:
            run("store", "--store", store, "seal")


def found(store, filt):
    code, out, err = run("query", "--store", store, "--output", "json", "--", f"{filt} | fields n | sort by (n)")
    return code, [json.loads(line).get("n") for line in out.splitlines()], err


def compare(store, ids, name):
    wrong, n_found = [], 0
    for field in "request_id", "trace_id", "X-Request-ID", "x.request_id":
        for x in ids[:40] + [f"{ids[0]}-1", f"req-{ids[1]}", ids[2][:8], ids[3].upper(), "z", "-z", "none", "a-b-c-d-e-f", "", f"{ids[4]}-"]:
            ask = f'"{field}":"{x}"'
            by_index, without = found(store, ask), found(store, f'({ask} or n:="none")')
            n_found += len(without[1])
            if by_index != without:
                wrong.append((ask, len(by_index[1]), len(without[1]), by_index[2]))
    say(not wrong and n_found > 1000, f"{name}: the same rows", (n_found, wrong[:5]))


def read(store, query):
    text = run("query", "--store", store, "--explain", "--", query)[1]
    m = re.search(r"blocks: (\d+) in all, (\d+) skipped, (\d+) opened", text)
    return int(m.group(3)) if m else text


def test_read(words, uuids):
    """Plain values alone: who asks for one ID opens the blocks that have it, and no more than with '='."""
    store = os.path.join(work, "plain")
    for k in range(6):
        run("ingest", "--quiet", "--store", store, "-", input="".join(json.dumps({"n": i, "request_id": words[2 * k + i % 4], "trace_id": uuids[2 * k + i % 4]}) + "\n"
                                                                      for i in range(40)).encode())
        run("store", "--store", store, "seal")
    for field, x in ("request_id", words[5]), ("request_id", "none"), ("trace_id", uuids[5]), ("trace_id", "00000000-0000-4000-8000-000000000000"):
        whole, phrase = read(store, f'{field}:="{x}"'), read(store, f'{field}:"{x}"')
        say(whole == phrase and whole < 6, f"{field}:{x}: a phrase opens what the whole value opens", (whole, phrase))
    part = read(store, f'trace_id:"{uuids[5][:8]}"')
    say(part == 6, "a part of a UUID may be in all that have one", part)


def old_and_new():
    """Segments from before there were marks, beside new ones, under one merged index, and merged with them."""
    store = os.path.join(work, "old")
    shutil.copytree(os.path.join(here, "..", "stores", "unmarked"), store)
    theirs = ["9531985d5d9dc9f8", "req_0badc0de", "923a7369-94e3-4f91-9a61-dbe22e44158b", "923a7369", "child", "1", "a", "large", "none"]
    compare_few(store, theirs, "as they lie")
    upgraded = os.path.join(work, "upgraded")
    shutil.copytree(store, upgraded)
    before = run("query", "--store", upgraded, "--output", "raw", "--", "*")
    run("store", "--store", upgraded, "seal")
    say(run("store", "--store", upgraded, "upgrade") == (0, "", ""), "upgrade")
    say(run("query", "--store", upgraded, "--output", "raw", "--", "*") == before, "upgraded: the same lines")
    compare_few(upgraded, theirs, "upgraded")
    say(read(upgraded, 'request_id:none') <= 9 < read(store, 'request_id:none'), "upgraded: a phrase opens few", read(upgraded, 'request_id:none'))
    for k in range(24):
        run("ingest", "--quiet", "--store", store, "-", input="".join(rows(90 + k, 12, theirs, ("request_id", "trace_id"))).encode())
        run("store", "--store", store, "seal")
        if k in (0, 4, 23):
            compare_few(store, theirs, f"beside {k + 1} new ones")
    shutil.rmtree(os.path.join(store, "index"), ignore_errors=True)
    compare_few(store, theirs, "without merged indexes")
    for _ in range(3):
        run("store", "--store", store, "merge")
    say(sum(f.endswith(".seg") for f in os.listdir(store)) < 12, "they are merged")
    compare_few(store, theirs, "merged")


def test_rare(ids):
    """Names that are so many that they share one column."""
    store, r = os.path.join(work, "rare"), random.Random(11)
    names = [f"rare{i}.trace_id" for i in range(600)]
    for k in range(3):
        text = "".join(json.dumps({"n": i, name: f"{r.choice(ids)}-{'z' * (i % 3)}" if i % 2 else r.choice(ids)}) + "\n" for i, name in enumerate(names))
        run("ingest", "--quiet", "--store", store, "-", input=text.encode())
        run("store", "--store", store, "seal")
    wrong, n = [], 0
    for i in range(1, 600, 13):
        for x in r.sample(ids, 3) + ["zz"]:
            by_index, without = found(store, f'"rare{i}.trace_id":"{x}"'), found(store, f'("rare{i}.trace_id":"{x}" or n:="none")')
            n += len(without[1])
            if by_index != without:
                wrong.append((i, x, by_index, without))
    say(n > 10 and not wrong, "rare names: the same rows", (n, wrong[:5]))


def compare_few(store, ids, when):
    wrong, n = [], 0
    for field in "request_id", "trace_id":
        for x in ids:
            by_index, without = found(store, f'{field}:"{x}"'), found(store, f'({field}:"{x}" or n:="none")')
            n += len(without[1])
            if by_index != without:
                wrong.append((field, x, len(by_index[1]), len(without[1])))
    say(n > 100 and not wrong, f"old segments {when}: the same rows", (n, wrong[:5]))


r = random.Random(7)
words = [f"{r.getrandbits(64):016x}" for _ in range(12)] + [f"req_{r.getrandbits(32):08x}" for _ in range(12)]
uuids = [uuid(r) for _ in range(20)]
ids = [x for pair in zip(words, uuids) for x in pair]
try:
    store = os.path.join(work, "store")
    make(store, ids)
    compare(store, ids, "as written")
    shutil.rmtree(os.path.join(store, "index"), ignore_errors=True)
    compare(store, ids, "without merged indexes")
    run("store", "--store", store, "seal")
    run("store", "--store", store, "merge")
    compare(store, ids, "sealed and merged")
    say(run("store", "--store", store, "verify")[0] == 0, "verify")
    test_read(words, uuids)
    old_and_new()
    test_rare(ids)
finally:
    shutil.rmtree(work, ignore_errors=True)
sys.exit(1 if bad else 0)
