#!/usr/bin/env python3
"""tests/e2e/baddays_journal.py - bad days of the journal: odd entries, rotation under load, restarts, clocks, our own words."""
import base64
import ctypes
import json
import os
import signal
import subprocess
import time

from harness import WEIRD, Journald, Place, Skip, check, main, sanitized, wait_until

REMOTE = "/lib/systemd/systemd-journal-remote"
BOOT = "b" * 31


def journalctl(*args):
    return subprocess.run(["journalctl", *args], capture_output=True).stdout


def last_number():
    out = journalctl("-n", "1", "-o", "export", "--no-pager", "-q")
    return int(out.split(b";i=")[1].split(b";")[0], 16)


def children(pid):
    return [int(p) for p in open(f"/proc/{pid}/task/{pid}/children").read().split()]


def lost(place):
    return sum(int(r["lost"]) for r in place.query('{weir="loss"} | fields lost') if "lost" in r)


def crafted(place, entries):
    """A folder with a journal of these entries, made by systemd-journal-remote; pairs of (microseconds, boot, monotonic, fields)."""
    if not os.path.exists(REMOTE):
        raise Skip("no systemd-journal-remote")
    folder = os.path.join(place.dir, "j")
    os.mkdir(folder)
    out = []
    for us, boot, mono, fields in entries:
        out.append(f"__REALTIME_TIMESTAMP={us}\n__MONOTONIC_TIMESTAMP={mono}\n".encode())
        if boot:
            out.append(f"_BOOT_ID={BOOT}{boot}\n".encode())
        for name, value in fields:
            value = value if isinstance(value, bytes) else str(value).encode()
            out.append(name.encode() + b"\n" + len(value).to_bytes(8, "little") + value + b"\n")
        out.append(b"\n")
    export = os.path.join(place.dir, "export")
    with open(export, "wb") as f:
        f.write(b"".join(out))
    p = subprocess.run([REMOTE, "-o", os.path.join(folder, "x.journal"), export], capture_output=True)
    check(p.returncode == 0, f"systemd-journal-remote: {p.stderr}")
    return folder


def read_crafted(place, entries):
    folder = crafted(place, entries)
    place.config(f"  - journal: {{path: {folder}, from: beginning}}")
    place.once()


def test_odd_entries():
    """Repeated and empty fields, no MESSAGE, no sense in PRIORITY, a thousand fields; each a row, nothing dropped."""
    journald = Journald.need()
    with Place("odd") as place:
        place.config("  - journal: {from: boot}")
        journald.send("", ODD="empty", _FORGED="me")
        journald.send("x", ODD="banana", PRIORITY="banana")
        journald.send("x", ODD="nine", PRIORITY="9")
        journald.send("two\nlines", ODD="lines")
        raw = b"ODD=repeated\nFOO=1\nFOO=2\nFOO=3\nMESSAGE=first\nMESSAGE=second\n"
        journald.sock.send(raw)
        journald.sock.send(b"ODD=nomessage\nCODE=7\n")
        journald.sock.send(b"ODD=many\nMESSAGE=m\n" + b"".join(b"F%d=%d\n" % (i, i) for i in range(900)))
        journald.sock.send(b"ODD=toomany\nMESSAGE=m\n" + b"".join(b"F%d=%d\n" % (i, i) for i in range(3000)))
        journald.sync()
        place.once()
        rows = {r["ODD"]: r for r in place.query("ODD:*")}
        check("empty" in rows and "_FORGED" not in rows["empty"], f"an empty message, a forged field: {rows.get('empty')}")
        check("level" not in rows["banana"] and rows["banana"]["PRIORITY"] == "banana", f"{rows['banana']}")
        check("level" not in rows["nine"], f"{rows['nine']}")
        check(rows["lines"]["_msg"] == "two\nlines", f"{rows['lines']}")
        check(json.loads(rows["repeated"]["FOO"]) == ["1", "2", "3"], f"{rows['repeated']}")
        check("second" in str(rows["repeated"]), f"a second MESSAGE is lost: {rows['repeated']}")
        check(rows["nomessage"]["CODE"] == "7", f"{rows['nomessage']}")
        check(rows["many"]["F899"] == "899", "900 fields")
        # journald itself drops what has more than 1,024 fields: then there is no entry, and no number is missing
        check(lost(place) == 0, f"{lost(place)} reported lost")


def test_fast_reader():
    """Rotation and vacuum while entries come: a reader that keeps up loses nothing and holds no deleted file."""
    journald = Journald.need()
    with Place("fast") as place:
        place.config("  - journal: {from: now}", store="commit_interval: 100ms")
        place.start()
        wait_until(lambda: children(place.daemon.pid), what="the reader")
        time.sleep(0.5)
        n = 0
        for k in range(12):
            for _ in range(1500):
                journald.send(f"fast {n} " + "x" * 200, SYSLOG_IDENTIFIER="fast")
                n += 1
            journald.sync()
            wait_until(lambda: place.count('{unit="fast"}') >= n - 1500, seconds=30, what="the reader to keep up")
            journalctl("--rotate")
            if k % 3 == 2:
                wait_until(lambda: place.count('{unit="fast"}') == n, seconds=30, what="all before a vacuum")
                journalctl("--vacuum-size=1")
        wait_until(lambda: place.count('{unit="fast"}') == n, seconds=30, what=f"{n} rows")
        check(lost(place) == 0, f"{lost(place)} reported lost of a journal that was read in time")
        time.sleep(1.5)
        deleted = [os.readlink(f"/proc/{p}/fd/{f}") for p in children(place.daemon.pid) for f in os.listdir(f"/proc/{p}/fd")
                   if os.path.islink(f"/proc/{p}/fd/{f}")]
        check(not [d for d in deleted if ".journal" in d and "(deleted)" in d], f"deleted files are held: {deleted}")
        check(place.stop() == 0, "SIGTERM")


def test_large_journal():
    """A journal of 100 MB is read whole, and its pages do not stay in the reader's memory."""
    if sanitized():
        raise Skip("memory under a sanitizer says nothing")
    n, began = 120_000, 1_700_000_000_000_000
    with Place("large") as place:
        folder = crafted(place, ((began + 1000 * i, "1", 1000 * i, [("MESSAGE", f"entry {i}"), ("NOISE", base64.b64encode(os.urandom(450)))])
                                 for i in range(n)))
        size = sum(os.path.getsize(os.path.join(folder, f)) for f in os.listdir(folder))
        check(size > 90 << 20, f"a journal of {size} bytes is too small for this test")
        place.config(f"  - journal: {{path: {folder}, from: beginning}}", store="commit_interval: 100ms")
        place.start()
        wait_until(lambda: place.count("*") == n, seconds=60, what="all entries", every=0.5)
        (reader,) = children(place.daemon.pid)
        with open(f"/proc/{reader}/status") as f:
            most = int(f.read().split("VmHWM:")[1].split()[0])
        check(most < 64 << 10, f"the reader had {most} kB of memory")
        check(place.stop() == 0, "SIGTERM")


def test_slow_reader():
    """The reader stands still while files are vacuumed away: the reported loss is the true one, to the entry."""
    journald = Journald.need()
    with Place("slow") as place:
        place.config("  - journal: {from: now}", store="commit_interval: 100ms")
        journald.sync()
        place.start()
        reader = wait_until(lambda: children(place.daemon.pid), what="the reader")[0]
        time.sleep(0.5)
        first = last_number()
        journald.send("before", SYSLOG_IDENTIFIER="slow")
        journald.sync()
        wait_until(lambda: place.count('{unit="slow"}') == 1, what="the entry before")
        os.kill(reader, signal.SIGSTOP)
        for k in range(3):
            for i in range(4000):
                journald.send(f"slow {k} {i} " + "y" * 300, SYSLOG_IDENTIFIER="slow")
            journald.sync()
            journalctl("--rotate")
        journalctl("--vacuum-files=2")
        journald.send("after", SYSLOG_IDENTIFIER="slow")
        journald.sync()
        os.kill(reader, signal.SIGCONT)
        wait_until(lambda: place.count('{unit="slow"} "after"') == 1, seconds=30, what="the entry after")
        time.sleep(0.5)
        journald.send("last", SYSLOG_IDENTIFIER="slow")
        journald.sync()
        wait_until(lambda: place.count('{unit="slow"} "last"') == 1, seconds=30, what="the last entry")
        rows = place.count("*")
        end = last_number()
        check(place.count('{unit="slow"}') < 12003, "nothing was vacuumed away: the test is without an object")
        check(rows + lost(place) == end - first, f"{end - first} entries, {rows} rows, {lost(place)} reported lost")
        check(place.stop() == 0, "SIGTERM")


def test_journald_dies():
    """journald is killed and comes back; what it takes then is read, and nothing is read twice."""
    journald = Journald.need()
    with Place("dies") as place:
        place.config("  - journal: {from: now}", store="commit_interval: 100ms")
        place.start()
        wait_until(lambda: children(place.daemon.pid), what="the reader")
        time.sleep(0.5)
        for i in range(100):
            journald.send(f"one {i}", SYSLOG_IDENTIFIER="dies")
        journald.sync()
        restart(journald, signal.SIGKILL)
        for i in range(100):
            journald.send(f"two {i}", SYSLOG_IDENTIFIER="dies")
        journald.sync()
        wait_until(lambda: place.count('{unit="dies"} "two"') == 100, seconds=30, what="entries after the restart")
        check(place.count('{unit="dies"}') == 200, "rows doubled or missing")
        check(place.stop() == 0, "SIGTERM")


def restart(journald, sig):
    journald.proc.send_signal(sig)
    journald.proc.wait()
    journald.proc = subprocess.Popen(["/lib/systemd/systemd-journald"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                     preexec_fn=lambda: ctypes.CDLL(None).prctl(1, signal.SIGKILL))

    def connected():
        try:
            journald.sock.connect("/run/systemd/journal/socket")
            return True
        except OSError:
            return False
    wait_until(connected, what="journald")


def test_flush():
    """The runtime journal is copied to /var/log/journal: its entries get new numbers and are no new entries."""
    journald = Journald.need()
    conf = "/run/systemd/journald.conf.d/test.conf"
    with open(conf) as f:
        before = f.read()
    if not os.path.exists("/etc/machine-id") or not open("/etc/machine-id").read().strip():
        raise Skip("no machine-id")
    try:
        with open(conf, "w") as f:
            f.write(before.replace("Storage=volatile", "Storage=auto"))
        restart(journald, signal.SIGTERM)
        with Place("flush") as place:
            place.config("  - journal: {from: now}", store="commit_interval: 100ms")
            place.start()
            wait_until(lambda: children(place.daemon.pid), what="the reader")
            time.sleep(0.5)
            for i in range(300):
                journald.send(f"volatile {i}", SYSLOG_IDENTIFIER="flush")
            journald.sync()
            wait_until(lambda: place.count('{unit="flush"}') == 300, what="the runtime entries")
            journalctl("--flush")
            if not [f for _, _, fs in os.walk("/var/log/journal") for f in fs]:
                raise Skip("journald did not flush")
            for i in range(50):
                journald.send(f"persistent {i}", SYSLOG_IDENTIFIER="flush")
            journald.sync()
            wait_until(lambda: place.count('{unit="flush"} "persistent"') == 50, seconds=30, what="entries after the flush")
            time.sleep(1)
            check(place.count('{unit="flush"}') == 350, "rows doubled or missing")
            place.kill()
            place.start()
            time.sleep(1.5)
            check(place.count('{unit="flush"}') == 350, "rows doubled after a restart")
            check(place.stop() == 0, "SIGTERM")
    finally:
        with open(conf, "w") as f:
            f.write(before)
        restart(journald, signal.SIGTERM)


def test_clock_jumps():
    """The clock goes back a day and forth ten years, boots interleave: each entry once, at the time it says."""
    base, day = 1700000000000000, 86400000000
    entries = []
    for i in range(200):
        boot = "12"[(i // 50) % 2]
        us = base + i * 1000
        if 60 <= i < 90:
            us -= day
        if 120 <= i < 140:
            us += 3650 * day
        entries.append((us, boot, 1000 + i * 1000, [("MESSAGE", f"jump {i}"), ("N", i), ("PRIORITY", "6")]))
    with Place("clock") as place:
        read_crafted(place, entries)
        got = {int(r["N"]): r["_time"] for r in place.query("N:* | fields N, _time")}
        check(sorted(got) == list(range(200)) and place.count("N:*") == 200, f"{place.count('N:*')} rows of 200")
        check(got[0].startswith("2023-11-14") and got[61].startswith("2023-11-13") and got[130].startswith("2033-11-"),
              f"times {got[0]} {got[61]} {got[130]}")
        check(lost(place) == 0, f"{lost(place)} reported lost")
        place.once()
        check(place.count("N:*") == 200, "a second run doubled rows")


def test_words_of_journald():
    """Suppressed N messages, told by journald's own driver, are a loss of N; told by anybody else they are a line."""
    us = 1700000000000000
    entries = [(us, "1", 1000, [("MESSAGE", "Suppressed 312 messages from shop.service"), ("_TRANSPORT", "driver"),
                                ("N_DROPPED", "312"), ("MESSAGE_ID", "a596d6fe7bfa4994828e72309e95d61e")]),
               (us + 1, "1", 1001, [("MESSAGE", "Suppressed 999 messages from shop.service"), ("_TRANSPORT", "stdout"),
                                    ("N_DROPPED", "999")]),
               (us + 2, "", 1002, [("MESSAGE", "of no boot"), ("_TRANSPORT", "stdout")])]
    with Place("words") as place:
        read_crafted(place, entries)
        check(lost(place) == 312, f"{lost(place)} reported lost")
        check(place.count("Suppressed") >= 2 and place.count('"of no boot"') <= 1, "rows")


def test_own_words():
    """What weird says goes to the journal too; it does not read itself."""
    journald = Journald.need()
    with Place("own") as place:
        place.config("  - journal: {from: now}", store="commit_interval: 100ms")
        place.daemon = subprocess.Popen(["systemd-cat", "-t", "weird-own", WEIRD, "--config", place.config_path])
        wait_until(place.answers, what="the control socket")
        time.sleep(0.5)
        for _ in range(3):
            with open(place.config_path, "a") as f:
                f.write("nonsense: 1\n")
            place.daemon.send_signal(signal.SIGHUP)
            time.sleep(0.3)
        journald.send("the end", SYSLOG_IDENTIFIER="other")
        journald.sync()
        wait_until(lambda: place.count('"the end"') == 1, what="an entry of another")
        said = journalctl("-t", "weird-own", "-o", "cat", "--no-pager", "-q")
        check(b"nonsense" in said, "weird said nothing: the test is without an object")
        check(place.count('{unit="weird-own"}') == 0, "weird reads what weird says")
        check(place.stop() == 0, "SIGTERM")


if __name__ == "__main__":
    main([test_odd_entries, test_fast_reader, test_large_journal, test_slow_reader, test_journald_dies, test_flush, test_clock_jumps,
          test_words_of_journald, test_own_words])
