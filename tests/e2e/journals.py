#!/usr/bin/env python3
"""tests/e2e/journals.py - damaged and real journal files: read to what can be read, and no daemon ends.

Needs the folder ../shared/data/journals beside the checkout; without it nothing is run.
"""
import os
import shutil
import subprocess
import tempfile
import time

from harness import LONG, TOP, Place, Skip, check, main, wait_until

DATA = os.path.join(os.path.dirname(TOP), "shared", "data", "journals")
KILLER = "aborts-libsystemd-252.journal"


def unpack(name, to):
    path = os.path.join(DATA, name + ".tar.zst")
    if not os.path.exists(path):
        raise Skip("no ../shared/data/journals")
    subprocess.run(["tar", "--zstd", "-xf", path, "-C", to], check=True)
    return sorted(os.path.join(d, f) for d, _, files in os.walk(to) for f in files if ".journal" in f)


def config(place, folder):
    place.config(f"  - journal: {{path: {folder}, from: beginning}}", store="commit_interval: 200ms")


def test_damaged_singly():
    with tempfile.TemporaryDirectory() as tmp, Place("single") as place:
        files = unpack("damaged", tmp)
        step = 1 if LONG else 16
        chosen = files[::step] + [f for f in files if f.endswith(KILLER)]
        folder = os.path.join(place.dir, "j")
        slow = 0
        for f in chosen:
            shutil.rmtree(folder, ignore_errors=True)
            shutil.rmtree(place.store, ignore_errors=True)
            os.mkdir(folder)
            shutil.copy(f, folder)
            config(place, folder)
            began = time.monotonic()
            place.once(timeout=60)
            slow = max(slow, time.monotonic() - began)
        print(f"   {len(chosen)} files, the slowest took {slow:.1f} s")


def test_damaged_together():
    with tempfile.TemporaryDirectory() as tmp, Place("together") as place:
        unpack("damaged", tmp)
        real = unpack("real", tmp)
        folder = os.path.join(place.dir, "j")
        os.mkdir(folder)
        for d, _, names in os.walk(tmp):
            for n in names:
                shutil.copy(os.path.join(d, n), folder)
        config(place, folder)
        p = place.once(timeout=300)
        said = p.stderr.decode(errors="replace")
        events = " ".join(str(r) for r in place.query('{weir=~".+"} ' + KILLER.split(".")[0]))
        check(KILLER in said or KILLER in events, f"the file that kills is not named: {said[-1500:]}")
        check(real and place.count("*") > 1000, f"{place.count('*')} rows")


def test_damaged_while_following():
    with tempfile.TemporaryDirectory() as tmp, Place("follow") as place:
        damaged = unpack("damaged", tmp)
        folder = os.path.join(place.dir, "j")
        os.mkdir(folder)
        with tempfile.TemporaryDirectory() as tmp2:
            for f in unpack("real", tmp2):
                shutil.copy(f, folder)
        config(place, folder)
        place.start()
        wait_until(lambda: place.count("*") > 100, seconds=40, what="rows of the real journals")
        for f in damaged[::40] + [f for f in damaged if f.endswith(KILLER)]:
            shutil.copy(f, folder)
            time.sleep(0.05)
        time.sleep(3)
        check(place.daemon.poll() is None, f"weird ended: {place.said()[-1500:]}")
        check(place.stop() == 0, "SIGTERM")


def test_real_counts():
    """Each entry of the real journals once: as many rows as journalctl counts entries."""
    with tempfile.TemporaryDirectory() as tmp, Place("real") as place:
        unpack("real", tmp)
        folder = os.path.join(place.dir, "j")
        os.mkdir(folder)
        for d, _, names in os.walk(tmp):
            for n in names:
                shutil.copy(os.path.join(d, n), folder)
        want = subprocess.run(f"journalctl -D {folder} -o export --no-pager -q | grep -ac '^__CURSOR='", shell=True,
                              capture_output=True, text=True).stdout.strip()
        config(place, folder)
        place.once(timeout=120)
        got = place.count("*")
        check(got == int(want), f"{got} rows, journalctl has {want} entries")


main([test_damaged_singly, test_damaged_together, test_damaged_while_following, test_real_counts])
