#!/usr/bin/env python3
"""tests/e2e/journal.py - following a live journal: starts, losses by number, a reader that dies."""
import glob
import json
import os
import random
import shutil
import signal
import subprocess
import tempfile
import time

from harness import Journald, Place, Skip, check, main, wait_until


def journal_files():
    return glob.glob("/run/log/journal/*/*.journal*")


def rotate():
    subprocess.run(["journalctl", "--sync"], stderr=subprocess.DEVNULL)
    subprocess.run(["journalctl", "--rotate"], stderr=subprocess.DEVNULL)


def numbers(path):
    """The sequence numbers of all entries in a journal file."""
    out = subprocess.run(["journalctl", "--file", path, "-o", "export", "--no-pager", "-q"], capture_output=True).stdout
    return [int(line.split(b";i=")[1].split(b";")[0], 16) for line in out.splitlines() if line.startswith(b"__CURSOR=")]


def children(pid):
    return [int(p) for p in open(f"/proc/{pid}/task/{pid}/children").read().split()]


def lost(place):
    return [r for r in place.query('{weir="loss"} | fields _msg, lost, first, last, reason') if "lost" in r]


def send_and_rotate(journald, tag, n):
    """n entries in a file of their own; its path."""
    rotate()
    before = set(journal_files())
    for i in range(n):
        journald.send(f"{tag} {i}")
    rotate()
    for path in set(journal_files()) - before:
        if "@" in path and len(numbers(path)) >= n:
            return path
    raise Skip("journald did not rotate")


def test_missing_file_is_a_loss():
    journald = Journald.need()
    with Place("missing") as place:
        place.config("  - journal: {from: beginning}", store="commit_interval: 100ms")
        send_and_rotate(journald, "apple", 50)
        path = send_and_rotate(journald, "berry", 70)
        send_and_rotate(journald, "cherry", 30)
        n = len(numbers(path))
        os.unlink(path)
        place.once()
        check(place.count('apple') == 50 and place.count('berry') == 0 and place.count('cherry') == 30, "rows")
        got = [int(r["lost"]) for r in lost(place)]
        check(got == [n], f"{n} entries are gone, reported {got}")


def test_lost_position():
    journald = Journald.need()
    with Place("position") as place:
        place.config("  - journal: {from: boot}", store="commit_interval: 100ms")
        one = send_and_rotate(journald, "alpha", 40)
        place.once()
        check(place.count("alpha") == 40, "alpha")
        before = len(lost(place))
        gone = numbers(one)
        two = send_and_rotate(journald, "beta", 60)
        gone_two = numbers(two)
        for path in journal_files():
            if "@" in path and max(numbers(path) or [0]) <= max(gone_two):
                os.unlink(path)
        journald.send("gamma 0")
        journald.sync()
        place.once()
        check(place.count("alpha") == 40 and place.count("gamma") == 1, "a row doubled or missing")
        got = sum(int(r["lost"]) for r in lost(place)[before:])
        check(got >= 60 and got <= max(gone_two) - min(gone) + 5, f"60 entries and journald's own are gone, reported {got}")
        check("position is gone" in str(place.query('{weir="log"}')), "nobody said that the position is gone")


def test_from_now_and_units():
    journald = Journald.need()
    with Place("now") as place:
        place.config("  - journal: {from: now, units: [wanted]}", store="commit_interval: 100ms")
        journald.send("old", SYSLOG_IDENTIFIER="wanted")
        journald.sync()
        place.start()
        wait_until(lambda: children(place.daemon.pid), what="the reader")
        time.sleep(0.5)
        place.kill()
        journald.send("while dead", SYSLOG_IDENTIFIER="wanted")
        journald.send("other", SYSLOG_IDENTIFIER="unwanted")
        place.start()
        wait_until(lambda: place.count('"while dead"') == 1, what="what was written while it was dead")
        check(place.count("old") == 0 and place.count("other") == 0, "rows that were not asked for")
        check(lost(place) == [], "entries of other units are no loss")


def test_killed_reader():
    journald = Journald.need()
    with Place("reader") as place:
        place.config("  - journal: {from: boot}", store="commit_interval: 100ms")
        place.start()
        rng = random.Random(7)
        n = kills = 0
        end = time.monotonic() + 4
        while time.monotonic() < end:
            for _ in range(100):
                journald.send(json.dumps({"message": "numbered", "n": n}), SYSLOG_IDENTIFIER="killed")
                n += 1
            if rng.random() < 0.1:
                for pid in children(place.daemon.pid):
                    try:
                        os.kill(pid, rng.choice([signal.SIGKILL, signal.SIGABRT, signal.SIGBUS, signal.SIGSEGV]))
                        kills += 1
                    except ProcessLookupError:
                        pass
            time.sleep(0.01)
        wait_until(lambda: place.count('{unit="killed"}') >= n, seconds=90, what=f"{n} rows after {kills} deaths")
        got = sorted(int(r["n"]) for r in place.query('{unit="killed"} | fields n'))
        check(got == list(range(n)), f"{len(got)} rows of {n}")
        check(place.stop() == 0, "SIGTERM")


def test_truncated_while_following():
    journald = Journald.need()
    with Place("truncated") as place, tempfile.TemporaryDirectory() as tmp:
        a = send_and_rotate(journald, "amber", 2000)
        b = send_and_rotate(journald, "blue", 100)
        c = send_and_rotate(journald, "cyan", 100)
        folder = os.path.join(place.dir, "j")
        os.mkdir(folder)
        place.config(f"  - journal: {{path: {folder}, from: beginning}}", store="commit_interval: 100ms")
        shutil.copy(a, folder)
        place.start()
        wait_until(lambda: place.count("amber") == 2000, what="the first file")
        os.truncate(os.path.join(folder, os.path.basename(a)), 4096)
        for path in (b, c):
            shutil.copy(path, folder)
            time.sleep(1)
        wait_until(lambda: place.count("blue or cyan") == 200, seconds=40, what="the files after it")
        check(place.count("amber") == 2000, "rows doubled")
        check(place.daemon.poll() is None and place.stop() == 0, "the daemon ended")


def test_large_and_binary():
    journald = Journald.need()
    with Place("large") as place:
        place.config("  - journal: {from: boot}", store="commit_interval: 100ms")
        journald.send("carries much", BIG="x" * 100000, BIN=bytes(range(256)), SYSLOG_IDENTIFIER="large")
        journald.sync()
        place.once()
        row = place.query('"carries much"')[0]
        check(len(row["BIG"]) == 100000, f"{len(row.get('BIG', ''))} bytes of a field over the data threshold")
        check("BIN" in row, "the binary field")


main([test_missing_file_is_a_loss, test_lost_position, test_from_now_and_units, test_killed_reader,
      test_truncated_while_following, test_large_and_binary])
