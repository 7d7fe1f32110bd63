#!/usr/bin/env python3
"""tests/e2e/templates.py - templates of annotations against Prometheus' own.

usage: templates.py [SEED…]      $WEIR_BUILD is the build folder

Random templates that both accept are run by `weir rules test` and by promtool, and must print the same.  Where promtool is
not installed there is nothing to compare with.
"""
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
WEIR = os.path.join(os.environ.get("WEIR_BUILD", os.path.join(TOP, "build")), "weir")
SEEDS = [int(s) for s in sys.argv[1:]] or [1, 2]
COUNT = 300
VERBS = {"f": "vfFeEgG", "i": "vdxXcobq", "s": "vsqxX", "b": "vt"}
LITERALS = {
    "f": ["$value", "1.5", "-0.001", "1e21", "123456789.125", "2.0", "1e-7", "99.995"],
    "i": ["42", "-7", "0", "65", "1234567", "8364"],
    "s": ['"abc"', '"héllo wörld"', "$labels.job", '"a\\"b\\n"', '""', '"%"'],
    "b": ["true", "false"],
}
VALUES = [3.25, 1e6, 0.1, -17, 123456.789, 1e-9, 2.5e10, 999.9999, 0, -0.5]
HUMANIZE = ["humanize", "humanize1024", "humanizeDuration", "humanizePercentage"]


def verb(rnd, kind):
    flags = "".join(rnd.sample("-+ 0", rnd.randint(0, 2))) if rnd.random() < 0.6 else ""
    letter = rnd.choice(VERBS[kind])
    if letter in "qxX":
        flags = flags.replace("+", "").replace(" ", "")
    return "%" + flags + rnd.choice(["", "", "5", "12", "3"]) + rnd.choice(["", "", ".0", ".2", ".5", ".10"]) + letter


def template(rnd):
    literal = lambda kinds: rnd.choice(LITERALS[rnd.choice(kinds)])
    pick = rnd.random()
    if pick < 0.7:
        kinds = [rnd.choice("ffiisb") for _ in range(rnd.randint(1, 3))]
        return '{{ printf "%s" %s }}' % ("|".join(verb(rnd, k) for k in kinds), " ".join(literal(k) for k in kinds))
    if pick < 0.9:
        return "{{ %s | %s }}" % (literal("fi"), rnd.choice(HUMANIZE))
    return "{{ print %s %s %s }}" % tuple(literal("fisb") for _ in range(3))


def unquote(text):
    out, i, raw = bytearray(), 0, text.encode()
    while i < len(raw):
        if raw[i] != 0x5C:
            out.append(raw[i])
            i += 1
        elif raw[i + 1] == ord("x"):
            out.append(int(raw[i + 2:i + 4], 16))
            i += 4
        else:
            out += {"n": b"\n", "t": b"\t", "r": b"\r"}.get(chr(raw[i + 1]), raw[i + 1:i + 2])
            i += 2
    return out.decode("utf8", "replace")


def ours(work, cases):
    """Each annotation as weir made it: nothing is expected, so that all of them are shown."""
    rules = [{"alert": f"A{i}", "expr": f"i:={i} | stats max(v) v", "window": "1h", "labels": {"job": "shop"},
              "annotations": {"s": t}} for i, (_, t) in enumerate(cases)]
    lines = [json.dumps({"i": i, "v": v}) for i, (v, _) in enumerate(cases)]
    looks = [{"at": "1m", "alertname": f"A{i}", "exp_alerts": []} for i in range(len(cases))]
    with open(os.path.join(work, "ours.yaml"), "w") as f:
        json.dump({"groups": [{"name": "g", "interval": "1m", "rules": rules}]}, f)
    with open(os.path.join(work, "ours_test.yaml"), "w") as f:
        json.dump({"rule_files": ["ours.yaml"],
                   "tests": [{"name": "all", "input": [{"at": "1s", "lines": lines}], "alerts": looks}]}, f)
    done = subprocess.run([WEIR, "rules", "test", os.path.join(work, "ours_test.yaml")], capture_output=True, text=True)
    found = re.finditer(r'alertname="A(\d+)".*?\} \{(?:s="((?:[^"\\]|\\.)*)")?\}', done.stdout)
    got = {int(m.group(1)): unquote(m.group(2) or "") for m in found}
    if len(got) != len(cases):
        print(done.stdout[:2000], done.stderr[:2000])
    return got


def theirs(work, cases, got):
    rules = [{"alert": f"A{i}", "expr": f'label_replace(vector({v!r}), "job", "shop", "", "")', "annotations": {"s": t}}
             for i, (v, t) in enumerate(cases)]
    looks = [{"eval_time": "0m", "alertname": f"A{i}", "exp_alerts": [
        {"exp_labels": {"job": "shop"}, "exp_annotations": {"s": got.get(i, "?")}}]} for i in range(len(cases))]
    with open(os.path.join(work, "theirs.yaml"), "w") as f:
        json.dump({"groups": [{"name": "g", "rules": rules}]}, f)
    with open(os.path.join(work, "theirs_test.yaml"), "w") as f:
        json.dump({"rule_files": ["theirs.yaml"], "evaluation_interval": "1m",
                   "tests": [{"interval": "1m", "input_series": [], "alert_rule_test": looks}]}, f)
    done = subprocess.run(["promtool", "test", "rules", os.path.join(work, "theirs_test.yaml")], capture_output=True,
                          text=True)
    return done.returncode, done.stdout + done.stderr


def main():
    if shutil.which("promtool") is None:
        print("ok rules templates (promtool is not installed)")
        return 0
    failed = 0
    for seed in SEEDS:
        rnd = random.Random(seed)
        cases = [(rnd.choice(VALUES), template(rnd)) for _ in range(COUNT)]
        with tempfile.TemporaryDirectory() as work:
            got = ours(work, cases)
            code, text = theirs(work, cases, got)
        good = code == 0 and len(got) == COUNT
        for m in [] if good else list(re.finditer(r"alertname: A(\d+), time", text))[:10]:
            i = int(m.group(1))
            print(cases[i], "ours:", repr(got.get(i)), "\n", text[m.start():m.start() + 600])
        print(("ok" if good else "not ok") + f" rules {COUNT} templates as promtool prints them, seed {seed}")
        failed += not good
    return 1 if failed else 0


sys.exit(main())
