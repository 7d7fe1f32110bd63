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

from harness import WEIR, Journald, Place, Skip, check, main, wait_until


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


def test_truncated_under_the_reader():
    """The pages that libsystemd is about to read go away: SIGBUS, and all that can be read is read."""
    journald = Journald.need()
    with Place("sigbus") as place:
        first = send_and_rotate(journald, "apricot", 10)
        a = send_and_rotate(journald, "amber " + "x" * 300, 8000)
        b = send_and_rotate(journald, "blue", 100)
        folder = os.path.join(place.dir, "j")
        os.mkdir(folder)
        place.config(f"  - journal: {{path: {folder}, from: beginning}}", store="commit_interval: 100ms")
        shutil.copy(first, folder)
        place.start()
        wait_until(lambda: place.count("apricot") == 10, what="the first file")
        place.daemon.send_signal(signal.SIGSTOP)
        shutil.copy(a, folder)
        time.sleep(2)  # the reader fills the socket and waits
        os.truncate(os.path.join(folder, os.path.basename(a)), 65536)
        place.daemon.send_signal(signal.SIGCONT)
        time.sleep(1)
        shutil.copy(b, folder)
        wait_until(lambda: place.count("blue") == 100, seconds=40, what="the file after it")
        said = [r["_msg"] for r in place.query('{weir="log"}')]
        check(any("SIGBUS" in m and os.path.basename(a) in m for m in said), f"nobody names the signal and the file: {said}")
        got = place.count("amber")
        told = sum(int(r["lost"]) for r in lost(place))
        check(0 < got < 8000 and 8000 - got <= told <= 8020 - got, f"{got} of 8000 rows, reported lost {told}")
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


def test_first_start_is_quiet():
    journald = Journald.need()
    with Place("quiet") as place:
        journald.send("early", SYSLOG_IDENTIFIER="quiet")
        journald.sync()
        time.sleep(1.1)
        began = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        journald.send("late", SYSLOG_IDENTIFIER="quiet")
        place.config(f"  - journal: {{from: \"{began}\", exclude: [_CAP*, _MACHINE_ID, PRIORITY]}}", store="commit_interval: 100ms")
        place.start()
        row = wait_until(lambda: place.query('{unit="quiet"} late'), what="the row")[0]
        check(place.count('{unit="quiet"} early') == 0, "a row from before the time asked for")
        check("_CAP_EFFECTIVE" not in row and "_MACHINE_ID" not in row and "PRIORITY" not in row and "_PID" in row, f"excluded: {row}")
        check(row["level"] == "info", "the level comes from PRIORITY, kept or not")
        check(place.stop() == 0, "SIGTERM")
        check(place.query('{weir=~".+"}') == [] and place.said() == "", f"a first start said: {place.said()}")


def test_input_journal():
    """weir query --input journal: asks the live journal with no store."""
    journald = Journald.need()
    for i in range(300):
        journald.send(json.dumps({"message": "asked", "n": i, "level": "warn" if i % 3 == 0 else "info"}), SYSLOG_IDENTIFIER="asked")
    journald.sync()
    ask = lambda q, **env: subprocess.run([WEIR, "query", "--input", "journal:", "--output", "json", q], capture_output=True,
                                          env={**os.environ, **env}, timeout=60)
    p = ask('{unit="asked"} level:warn | stats count() n, max(n) m')
    check(p.returncode == 0 and json.loads(p.stdout) == {"n": "100", "m": "297"}, f"{p}")
    with Place("input") as place:
        folder = os.path.join(place.dir, "j")
        os.mkdir(folder)
        shutil.copy(send_and_rotate(journald, "elsewhere", 25), folder)
        p = ask("elsewhere | stats count() n", WEIR_JOURNAL=folder)
        check(p.returncode == 0 and json.loads(p.stdout) == {"n": "25"}, f"{p}")
        p = ask("asked", WEIR_JOURNAL=folder)
        check(p.returncode == 1 and p.stdout == b"", f"WEIR_JOURNAL reads another journal: {p}")


main([test_missing_file_is_a_loss, test_lost_position, test_from_now_and_units, test_killed_reader,
      test_truncated_while_following, test_truncated_under_the_reader, test_large_and_binary, test_first_start_is_quiet, test_input_journal])
