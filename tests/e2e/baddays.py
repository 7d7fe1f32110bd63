#!/usr/bin/env python3
"""tests/e2e/baddays.py - bad days of clock, disk, limits and process, with the built weir and weird.

Rows come from a file of numbered lines; after each day each number must stand in the store exactly once and the store
must verify.
"""
import json
import os
import resource
import shutil
import signal
import subprocess
import time

from harness import WEIR, WEIRD, Place, Skip, beside_sanitizers, check, main, sanitized, wait_until


class Numbered:
    """A log of numbered lines in a place."""

    def __init__(self, place, store="", more=""):
        self.place, self.path, self.n = place, os.path.join(place.logs, "a.log"), 0
        place.config(f"  - files: {{paths: [\"{place.logs}/*.log\"]}}", more=more,
                     store="commit_interval: 100ms" + (", " + store if store else ""))

    def write(self, count, pad=0):
        with open(self.path, "a") as f:
            for _ in range(count):
                f.write(json.dumps({"n": self.n, "level": "info", "msg": f"line {self.n} {os.urandom(pad).hex()}"}) + "\n")
                self.n += 1

    def all_in(self, seconds=20):
        wait_until(lambda: self.place.count("n:*") >= self.n, seconds=seconds, what=f"{self.n} rows")

    def whole(self):
        got = sorted(int(r["n"]) for r in self.place.query("n:* | fields n"))
        check(got == list(range(self.n)), f"{len(got)} rows, {len(set(got))} numbers of {self.n}")
        p = self.place.weir("store", "verify", ok=(0, 1, 2, 3))
        check(p.returncode == 0, f"verify: {(p.stdout + p.stderr).decode()[-500:]}")


def need(tool, package):
    path = shutil.which(tool)
    if path is None:
        raise Skip(f"no {tool} (package {package})")
    return path


def faked(place, when, *args):
    """weird --once at another time of the wall clock; the monotonic clock is the true one."""
    p = subprocess.run([need("faketime", "faketime"), "-f", when, WEIRD, "--config", place.config_path, "--once", *args],
                       capture_output=True, timeout=60, env={**os.environ, **beside_sanitizers(), "FAKETIME_DONT_FAKE_MONOTONIC": "1",
                                                             "DONT_FAKE_MONOTONIC": "1"})
    check(p.returncode == 0, f"weird at {when} ended with {p.returncode}: {p.stderr.decode()[-500:]}")


# ---- the clock ----

def test_clock_back_and_forth():
    """A day back, a day forth, ten years forth and back, 2038: nothing goes, nothing is doubled, order is by row."""
    with Place("clock") as place:
        log = Numbered(place, "retention: 7d")
        for when in ("+0", "-1d", "+1d", "+3650d", "+0", "@2038-01-19 03:14:06", "@2106-02-07 06:28:14", "+0"):
            log.write(100)
            faked(place, when)
            place.weir("store", "seal")
        log.whole()
        years = {r["_time"][:4] for r in place.query("n:* | fields _time")}
        check({"2038", "2106"} <= years, f"years of rows without a time of their own: {years}")


def test_times_of_rows():
    """Times of 1970, 2100, before the epoch, a leap second, and numbers that are none."""
    with Place("times") as place:
        log = Numbered(place)
        lines = [("1970-01-01T00:00:00Z", "1970-"), ("2100-06-01T00:00:00Z", "2100-"), ("1965-03-04T05:06:07Z", "1965-"),
                 ("2016-12-31T23:59:60Z", ""), (10 ** 18, ""), (-1, ""), ("no time", ""), (None, ""), ("0001-01-01T00:00:00Z", ""),
                 ("9999-12-31T23:59:59Z", "")]
        with open(log.path, "a") as f:
            for i, (t, _) in enumerate(lines):
                f.write(json.dumps({"timestamp": t, "i": i, "msg": "odd time"}) + "\n")
        place.once()
        rows = {int(r["i"]): r for r in place.query('"odd time"')}
        check(len(rows) == len(lines), f"{len(rows)} rows of {len(lines)}")
        for i, (_, want) in enumerate(lines):
            check(rows[i]["_time"].startswith(want), f"{lines[i]} became {rows[i]['_time']}")
        place.weir("store", "seal")
        check(place.count('_time:1970-01-01Z "odd time"') >= 1, "a row of 1970 is not found by its time")


# ---- the disk ----

def mounted(place, options):
    if os.geteuid() != 0:
        raise Skip("needs root to mount a tmpfs")
    os.mkdir(place.store)
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", place.store], check=True)


def unmount(place):
    if place.daemon and place.daemon.poll() is None:
        place.kill()
    subprocess.run(["umount", "-l", place.store], check=False)


def test_no_inodes():
    with Place("inodes") as place:
        mounted(place, "size=200m,nr_inodes=40,mode=750")
        try:
            log = Numbered(place, "seal_bytes: 64KiB")
            log.write(100)
            place.start()
            log.all_in()
            fillers = []
            try:
                for i in range(1000):
                    fillers.append(f"{place.store}/filler{i}")
                    open(fillers[-1], "w").close()
            except OSError:
                fillers.pop()
            for _ in range(20):
                log.write(2000, 40)
                time.sleep(0.1)
            check(place.daemon.poll() is None, f"weird ended: {place.said()[-500:]}")
            for f in fillers:
                os.unlink(f)
            log.all_in(40)
            check(place.stop() == 0, "SIGTERM")
            log.whole()
        finally:
            unmount(place)


def test_read_only():
    """The disk turns read-only and back: queries answer meanwhile, and nothing is lost."""
    with Place("ro") as place:
        mounted(place, "size=200m,mode=750")
        try:
            log = Numbered(place)
            log.write(1000)
            place.start()
            log.all_in()
            place.kill()
            p = subprocess.run(["mount", "-o", "remount,ro", place.store], capture_output=True)
            check(p.returncode == 0, f"remount: {p.stderr}")
            check(place.count("n:*") == 1000, "a query of a store that cannot be written")
            p = subprocess.run([WEIRD, "--config", place.config_path], capture_output=True, timeout=20)
            check(p.returncode == 3 and b"ead-only" in p.stderr, f"a start on a read-only disk: {p}")
            subprocess.run(["mount", "-o", "remount,rw", place.store], check=True)
            log.write(10)
            place.start()
            log.all_in()
            check(place.stop() == 0, "SIGTERM")
            log.whole()
        finally:
            unmount(place)


def test_file_size_limit():
    """RLIMIT_FSIZE: the write fails with EFBIG, the daemon waits instead of dying of SIGXFSZ, and goes on later."""
    with Place("fsize") as place:
        log = Numbered(place)
        log.write(100)
        place.start()
        log.all_in()
        resource.prlimit(place.daemon.pid, resource.RLIMIT_FSIZE, (300000, resource.RLIM_INFINITY))
        for _ in range(10):
            log.write(2000, 60)
            time.sleep(0.1)
        wait_until(lambda: "failed" in place.said(), what="a word about it")
        check(place.daemon.poll() is None, "weird ended")
        check(place.count("n:*") >= 100, "queries meanwhile")
        resource.prlimit(place.daemon.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        log.all_in(40)
        check(place.stop() == 0, "SIGTERM")
        log.whole()


def test_slow_disk():
    """Each sync takes half a second: rows wait in bounded memory, questions are answered at once."""
    strace = need("strace", "strace")
    with Place("slow") as place:
        log = Numbered(place)
        log.write(10)
        place.start()
        log.all_in()
        tracer = subprocess.Popen([strace, "-f", "-qq", "-o", "/dev/null", "-p", str(place.daemon.pid), "-e", "trace=fsync,fdatasync",
                                   "-e", "inject=fsync,fdatasync:delay_enter=500000"], stderr=subprocess.DEVNULL)
        try:
            time.sleep(0.5)
            if tracer.poll() is not None:
                raise Skip("strace cannot attach here")
            for _ in range(10):
                log.write(5000)
                time.sleep(0.2)
            began = time.monotonic()
            place.count("n:*")
            check(time.monotonic() - began < 2, "a question waits for the disk")
            log.all_in(60)
        finally:
            tracer.terminate()
            tracer.wait()
        check(place.stop() == 0, "SIGTERM")
        log.whole()


def test_unreadable_block():
    """EIO while a segment is read: it is told, with the file's name, and the exit says so."""
    strace = need("strace", "strace")
    with Place("eio") as place:
        log = Numbered(place)
        log.write(20000, 20)
        place.once()
        place.weir("store", "seal")
        log.write(50)
        place.once()
        segment = max((e for e in os.scandir(place.store) if e.name.endswith(".seg")), key=lambda e: e.stat().st_size).path
        bad = 0
        for k in [*range(1, 16), *range(16, 40, 4)]:
            for ask in (("query", "n:* | fields n, _msg"), ("query", "line or *ab* | fields n, _msg"), ("grep", "line .*[0-9a-f]")):
                p = subprocess.run([strace, "-f", "-qq", "-o", "/dev/null", "-P", segment, "-e", f"inject=pread64,read:error=EIO:when={k}+",
                                    WEIR, ask[0], "--store", place.store, *(("--threads", "1", "--output", "json") if ask[0] == "query" else ()), "--", ask[1]],
                                   capture_output=True, timeout=60, env={**os.environ, **beside_sanitizers()})
                failed = 2 if ask[0] == "grep" else 3
                check(p.returncode in (0, failed), f"read {k}: {ask}: exit {p.returncode}: {p.stderr[-300:]}")
                n = p.stdout.count(b"\n")
                check(n == log.n or (n >= 50 and p.returncode == failed and os.path.basename(segment).encode() in p.stderr),
                      f"read {k}: {ask}: {n} rows of {log.n} and exit {p.returncode}: {p.stderr[-300:]}")
                bad += p.returncode == failed
        check(bad > 0, "no read failed: the test is without an object")


# ---- what lies in the folder ----

def test_strange_files():
    """Unknown files stay and are no matter; a segment that is empty, zeroed, cut or missing is told; the rest answers."""
    with Place("strange") as place:
        log = Numbered(place)
        for _ in range(3):
            log.write(3000, 20)
            place.once()
            place.weir("store", "seal")
        log.write(10)
        place.once()
        strangers = ["notes.txt", "0000000009.seg.bak", ".hidden", "0000000777.seg.tmp", "-rf", "weird\x1bname", "x.seg"]
        for name in strangers:
            with open(os.path.join(place.store, name), "wb") as f:
                f.write(b"not mine")
        os.mkdir(os.path.join(place.store, "lost+found"))
        log.whole()
        place.once()
        for name in strangers[:3] + strangers[4:]:
            check(os.path.exists(os.path.join(place.store, name)), f"{name} was deleted")
        segments = sorted((e.path for e in os.scandir(place.store) if e.name.endswith(".seg") and len(e.name) == 14),
                          key=lambda p: -os.path.getsize(p))
        keep = os.path.join(place.dir, "keep")
        shutil.copytree(place.store, keep)
        for how in ("empty", "zero", "cut", "missing", "twice"):
            shutil.rmtree(place.store)
            shutil.copytree(keep, place.store)
            size = os.path.getsize(segments[0])
            if how == "empty":
                os.truncate(segments[0], 0)
            elif how == "zero":
                with open(segments[0], "wb") as f:
                    f.write(b"\0" * size)
            elif how == "cut":
                os.truncate(segments[0], size * 2 // 3)
            elif how == "missing":
                os.unlink(segments[0])
            else:
                shutil.copy(segments[0], os.path.join(place.store, "0000000500.seg"))
            p = place.weir("query", "--output", "json", "n:* | fields n", ok=(0, 3))
            got = [json.loads(line)["n"] for line in p.stdout.splitlines()]
            check(len(set(got)) == len(got), f"{how}: rows doubled")
            check(len(got) >= 3000, f"{how}: {len(got)} rows")
            check(how == "twice" or p.returncode == 3, f"{how}: exit {p.returncode}, and {len(got)} rows of {log.n}")
            check(how == "twice" or os.path.basename(segments[0]).encode() in p.stderr, f"{how}: {p.stderr}")
            place.once()
            again = place.query("n:* | fields n", ok=(0, 1, 3))
            check(len({r["n"] for r in again}) == len(again) >= len(got), f"{how}: {len(again)} rows after weird ran")


def test_copy_while_live():
    """cp -r of a store that is written, sealed and merged opens, holds a prefix of the rows, and verifies."""
    with Place("copy") as place:
        log = Numbered(place, "seal_bytes: 128KiB")
        place.start()
        for k in range(8):
            for _ in range(4):
                log.write(700, 20)
                time.sleep(0.03)
            to = os.path.join(place.dir, f"copy{k}")
            subprocess.run(["cp", "-r", place.store, to], capture_output=True)
            p = subprocess.run([WEIR, "query", "--store", to, "--output", "json", "n:* | fields n"], capture_output=True)
            got = sorted(int(json.loads(line)["n"]) for line in p.stdout.splitlines())
            check(p.returncode in (0, 1) and got == list(range(len(got))), f"copy {k}: exit {p.returncode}, {len(got)} rows: "
                  f"{p.stderr.decode()[-300:]}")
            p = subprocess.run([WEIR, "store", "verify", "--store", to], capture_output=True)
            check(p.returncode == 0, f"copy {k} does not verify: {(p.stdout + p.stderr).decode()[-400:]}")
        log.all_in()
        check(place.stop() == 0, "SIGTERM")
        log.whole()


# ---- limits of the process ----

def test_few_descriptors():
    """RLIMIT_NOFILE 20 and forty files to follow: all are read, and the socket answers."""
    with Place("fds") as place:
        log = Numbered(place)
        for i in range(40):
            with open(f"{place.logs}/f{i}.log", "w") as f:
                f.writelines(json.dumps({"n": log.n + k, "msg": "x"}) + "\n" for k in range(50))
            log.n += 50
        old = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (20, old[1]))
        try:
            place.start()
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, old)
        log.path = f"{place.logs}/f39.log"
        log.write(100)
        log.all_in(40)
        check(place.weir("status").returncode == 0, "weir status")
        place.kill()
        p = subprocess.run(["prlimit", "--nofile=20", WEIRD, "--config", place.config_path, "--once"], capture_output=True, timeout=60)
        check(p.returncode in (0, 3), f"weird under 20 descriptors: {p}")
        log.whole()


def test_little_memory():
    """RLIMIT_AS: a query that does not fit says so and ends with 3; what fits is answered."""
    if sanitized():
        raise Skip("a sanitizer wants more address space")
    with Place("as") as place:
        log = Numbered(place)
        log.write(30000, 40)
        place.once()
        for mib in (20, 40, 60, 80, 120, 200, 2000):
            for q in ("n:* | stats count() n", "* | sort by (_msg) | fields n", "* | uniq by (_msg) | stats count() n"):
                p = subprocess.run(["prlimit", f"--as={mib << 20}", WEIR, "query", "--threads", "2", "--store", place.store, q],
                                   capture_output=True, timeout=60)
                check(p.returncode in (0, 3) or (p.returncode == 127 and b"shared librar" in p.stderr),
                      f"{mib} MiB, {q}: exit {p.returncode}: {p.stderr[-300:]}")
                check(p.returncode == 0 or p.stderr.strip(), f"{mib} MiB, {q}: no word")
                check(mib < 2000 or p.returncode == 0, f"{q}: {p.stderr[-300:]}")


# ---- the process ----

def test_term_with_backlog():
    """SIGTERM, twice, in the middle of a large file: down within the bound, all state on disk."""
    with Place("term") as place:
        log = Numbered(place)
        log.write(200000)
        place.start()
        wait_until(lambda: place.count("n:*") > 0, what="the first rows")
        place.daemon.terminate()
        place.daemon.terminate()
        began = time.monotonic()
        check(place.daemon.wait(timeout=15) == 0, "SIGTERM")
        check(time.monotonic() - began < 10, "it took too long")
        place.start()
        log.all_in(60)
        check(place.stop() == 0, "SIGTERM")
        log.whole()


def test_hup_storm():
    """Hundreds of SIGHUP while lines come: each row once."""
    with Place("hup") as place:
        log = Numbered(place)
        place.start()
        for i in range(300):
            place.daemon.send_signal(signal.SIGHUP)
            log.write(20)
            time.sleep(0.005)
        log.all_in(40)
        check(place.stop() == 0, "SIGTERM")
        log.whole()


def test_stale_lock():
    """A lock file of a process that is gone is no lock; another user's socket file neither."""
    with Place("stale") as place:
        log = Numbered(place)
        log.write(10)
        place.start()
        log.all_in()
        place.kill()
        check([n for n in os.listdir(place.store) if "lock" in n.lower()], "no lock file: the test is without an object")
        log.write(10)
        place.start()
        log.all_in()
        check(place.stop() == 0, "SIGTERM")
        log.whole()


def test_modes():
    """Nobody but the owner and the store's group reads the store."""
    with Place("modes") as place:
        log = Numbered(place, "group: nogroup" if os.geteuid() == 0 else "")
        log.write(10)
        # The merged ID indexes of before, of another group.
        index = os.path.join(place.store, "index")
        os.makedirs(index, 0o750)
        with open(os.path.join(index, "0000000001.idx.old"), "w"):
            os.chmod(os.path.join(index, "0000000001.idx.old"), 0o640)
        os.chmod(place.store, 0o750)
        os.chmod(index, 0o750)
        old = os.umask(0)
        try:
            place.start()
        finally:
            os.umask(old)
        log.all_in()
        place.weir("store", "seal", ok=(0, 1, 2, 3))
        for name in [place.store] + [e.path for e in os.scandir(place.store)] + [e.path for e in os.scandir(index)]:
            st = os.stat(name)
            check(st.st_mode & 0o007 == 0, f"{name} has mode {st.st_mode:o}")
            if os.geteuid() == 0:
                check(st.st_gid == 65534, f"{name} is of group {st.st_gid}")
        check(place.stop() == 0, "SIGTERM")


if __name__ == "__main__":
    main([test_clock_back_and_forth, test_times_of_rows, test_no_inodes, test_read_only, test_file_size_limit, test_slow_disk,
          test_unreadable_block, test_strange_files, test_copy_while_live, test_few_descriptors, test_little_memory,
          test_term_with_backlog, test_hup_storm, test_stale_lock, test_modes])
