#!/usr/bin/env python3
"""tests/e2e/kill.py - kill -9 at random moments: every numbered line is in the store exactly once.

Writers emit numbered lines at full speed to the journal and to files that rotate by rename and by copytruncate; the
daemon is killed and started again all the while (300 times with --long).  At the end each number stands there once,
or, for copytruncate alone, within the bytes that a loss event reports.
"""
import collections
import json
import os
import random
import shutil
import threading
import time

from harness import LONG, Journald, Place, check, main

KILLS = int(os.environ.get("WEIR_KILLS", 300 if LONG else 12))


class FileWriter(threading.Thread):
    def __init__(self, path, how, every):
        super().__init__(daemon=True)
        self.path, self.how, self.every = path, how, every
        self.n = 0
        self.going = True

    def rotate(self, f):
        old = f"{self.path}.1"
        if self.how == "rename":
            if os.path.exists(old):
                os.rename(old, f"{self.path}.2")
            os.rename(self.path, old)
            f.close()
            return open(self.path, "ab", buffering=0)
        shutil.copyfile(self.path, old)
        f.truncate(0)
        return f

    def run(self):
        f = open(self.path, "ab", buffering=0)
        while self.going:
            lines = b""
            for _ in range(50):
                lines += json.dumps({"level": "info", "n": self.n, "how": self.how, "message": f"line {self.n} of {self.how}",
                                     "request_id": f"req_{self.how}_{self.n:08d}"}).encode() + b"\n"
                self.n += 1
            f.write(lines)
            if self.n % self.every == 0:
                f = self.rotate(f)
            time.sleep(0.004)


class JournalWriter(threading.Thread):
    def __init__(self, journald):
        super().__init__(daemon=True)
        self.journald = journald
        self.n = 0
        self.going = True

    def run(self):
        while self.going:
            for _ in range(20):
                self.journald.send(json.dumps({"level": "info", "n": self.n, "how": "journal",
                                               "message": f"line {self.n} of journal"}))
                self.n += 1
            time.sleep(0.004)


def count_numbers(place, how):
    got = collections.Counter()
    for row in place.query(f'how:="{how}" | fields n'):
        got[int(row["n"])] += 1
    return got


def test_kill():
    journald = Journald.need()
    with Place("kill") as place:
        seed = int(os.environ.get("WEIR_SEED", random.randrange(1 << 30)))
        print(f"   seed {seed}")
        rng = random.Random(seed)
        place.config(f"""
  - journal: {{from: boot}}
  - files: {{paths: ["{place.logs}/rename.log"]}}
  - files: {{paths: ["{place.logs}/copytruncate.log"]}}""", store="commit_interval: 100ms, seal_bytes: 4MiB")
        writers = [FileWriter(f"{place.logs}/rename.log", "rename", 20000),
                   FileWriter(f"{place.logs}/copytruncate.log", "copytruncate", 30000), JournalWriter(journald)]
        for w in writers:
            w.start()
        for _ in range(KILLS):
            place.start(wait=False)
            time.sleep(rng.choice([0.01, 0.05, 0.1, 0.2, 0.4, 0.8]) * rng.random() + 0.01)
            place.kill()
        place.start()
        time.sleep(1)
        for w in writers:
            w.going = False
            w.join()
        journald.sync()
        time.sleep(2)
        check(place.stop() == 0, "weird did not end with 0 on SIGTERM")
        place.once()
        lost_bytes = sum(int(r.get("bytes", 0)) for r in place.query('{weir="loss"} bytes:*'))
        for w, how in zip(writers, ("rename", "copytruncate", "journal")):
            got = count_numbers(place, how)
            doubled = [n for n, c in got.items() if c > 1]
            missing = [n for n in range(w.n) if n not in got]
            print(f"   {how}: {w.n} written, {len(got)} kept, {len(missing)} missing, {len(doubled)} doubled")
            check(not doubled, f"{how}: doubled {doubled[:10]} of {len(doubled)}")
            if how == "copytruncate" and missing:
                check(len(missing) * 60 <= lost_bytes, f"{len(missing)} lines missing, {lost_bytes} bytes reported as lost")
            else:
                check(not missing, f"{how}: missing {missing[:10]} of {len(missing)}")
        check(place.weir("store", "verify").returncode == 0, "the store does not verify")


main([test_kill])
