#!/usr/bin/env python3
"""tests/e2e/files.py - log files through every kind of rotation and oddity: each numbered line exactly once."""
import bz2
import collections
import gzip
import lzma
import os
import shutil
import subprocess
import time

from harness import Place, Skip, check, main, wait_until

FAST = "commit_interval: 100ms"


class Lines:
    """Numbered lines into files of one folder."""

    def __init__(self, place):
        self.place, self.n = place, 0

    def path(self, name):
        return os.path.join(self.place.logs, name)

    def text(self, n, pad=20):
        out = b"".join(b'{"level":"info","n":%d,"msg":"numbered %s"}\n' % (i, b"x" * (i % pad)) for i in range(self.n, self.n + n))
        self.n += n
        return out

    def write(self, name, n=100):
        with open(self.path(name), "ab") as f:
            f.write(self.text(n))

    def settle(self, seconds=20):
        wait_until(lambda: self.place.count("numbered") >= self.n, seconds=seconds, what=f"all of {self.n} lines")
        self.check()

    def check(self):
        got = collections.Counter(int(r["n"]) for r in self.place.query("numbered | fields n"))
        doubled = sorted(n for n, c in got.items() if c > 1)
        missing = [n for n in range(self.n) if n not in got]
        check(not doubled, f"{len(doubled)} lines doubled: {doubled[:5]}…")
        check(not missing, f"{len(missing)} of {self.n} lines missing: {missing[:5]}…")


def follow(place, *globs, more="", store=FAST):
    globs = globs or ("*.log",)
    place.config("\n".join(f'  - files: {{paths: ["{place.logs}/{g}"]{more}}}' for g in globs), store=store)
    return Lines(place)


def losses(place):
    return place.query('{weir="loss"}')


def said(place, text):
    return [r for r in place.query('{weir="log"}') if text in r["_msg"]]


def test_rename():
    with Place("rename") as place:
        lines = follow(place)
        place.start()
        for i in range(5):
            lines.write("a.log")
            if i % 2:
                lines.settle()
            for k in range(4, 0, -1):
                if os.path.exists(lines.path(f"a.log.{k}")):
                    os.rename(lines.path(f"a.log.{k}"), lines.path(f"a.log.{k + 1}"))
            # its writer goes on for a while in the renamed file
            with open(lines.path("a.log"), "ab") as f:
                os.rename(lines.path("a.log"), lines.path("a.log.1"))
                f.write(lines.text(50))
                f.flush()
        lines.write("a.log")
        lines.settle()
        check(not losses(place), f"losses {losses(place)}")
        streams = {r["_stream"] for r in place.query("numbered | fields _stream")}
        check(len(streams) == 1 and "/a.log" in streams.pop(), "rotated lines have another stream")


def test_copytruncate():
    with Place("copytruncate") as place:
        lines = follow(place)
        place.start()
        for _ in range(5):
            lines.write("a.log", 300)
            lines.settle()
            shutil.copyfile(lines.path("a.log"), lines.path("a.log.1"))
            os.truncate(lines.path("a.log"), 0)
            time.sleep(0.3)
        lines.write("a.log")
        lines.settle()


def test_delete_and_make_again():
    with Place("delete") as place:
        lines = follow(place)
        place.start()
        for _ in range(10):
            lines.write("a.log")
            lines.settle()
            os.unlink(lines.path("a.log"))
            lines.write("a.log", 5)
        lines.settle()
        check(not losses(place), f"losses {losses(place)}")


def compress(path, how):
    data = open(path, "rb").read()
    if how == "zst":
        data = subprocess.run(["zstd", "-q", "-c"], input=data, capture_output=True, check=True).stdout
    else:
        data = {"gz": gzip, "xz": lzma}[how].compress(data)
    with open(f"{path}.{how}", "wb") as f:
        f.write(data)
    os.unlink(path)


def test_rotated_while_stopped():
    with Place("stopped") as place:
        lines = follow(place)
        place.start()
        for how in ("gz", "zst", "xz", None):
            lines.write("a.log")
            lines.settle()
            check(place.stop() == 0, "SIGTERM")
            # its rest and a whole file between are missed, each compressed
            for _ in range(2):
                lines.write("a.log", 70)
                for k in range(12, 0, -1):
                    for ext in ("", ".gz", ".zst", ".xz"):
                        if os.path.exists(lines.path(f"a.log.{k}{ext}")):
                            os.rename(lines.path(f"a.log.{k}{ext}"), lines.path(f"a.log.{k + 1}{ext}"))
                os.rename(lines.path("a.log"), lines.path("a.log.1"))
                if how:
                    compress(lines.path("a.log.1"), how)
            lines.write("a.log", 30)
            place.start()
            lines.settle()
        check(not losses(place), f"losses {losses(place)}")


def test_not_to_unpack():
    with Place("bz2") as place:
        lines = follow(place)
        lines.write("a.log")
        place.once()
        with open(lines.path("a.log.1.bz2"), "wb") as f:
            f.write(bz2.compress(b"missed\n" * 100))
        os.unlink(lines.path("a.log"))
        lines.write("a.log")
        place.start()
        lines.settle()
        wait_until(lambda: any("a.log.1.bz2" in r["_msg"] for r in losses(place)), what="a loss for what cannot be unpacked")
        check(place.count("*") == lines.n, "compressed bytes became rows")


def test_overlap():
    """Globs of one input, of several, links of both kinds: one file is read once, by the input named first."""
    with Place("overlap") as place:
        lines = Lines(place)
        place.config("\n".join(f'  - files: {{paths: [{paths}], fields: {{input: "{i}"}}}}' for i, paths in enumerate((
            f'"{place.logs}/app/*.log"', f'"{place.logs}/app/a.log", "{place.logs}/**/*.log"', f'"{place.logs}/links/*"'))), store=FAST)
        os.mkdir(lines.path("app"))
        os.mkdir(lines.path("links"))
        lines.write("app/a.log")
        lines.write("other.log")
        os.symlink(lines.path("app/a.log"), lines.path("links/soft"))
        os.link(lines.path("app/a.log"), lines.path("links/hard"))
        for i in range(3):
            place.start()
            lines.write("app/a.log")
            lines.settle()
            lines.write("app/a.log")
            os.rename(lines.path("app/a.log"), lines.path("app/a.log.1"))
            lines.write("app/a.log")
            lines.settle()
            place.kill()
            lines.write("app/a.log", 20)
            lines.write("other.log", 20)
            os.rename(lines.path("app/a.log.1"), lines.path(f"app/a.log.{9 - i}"))
        place.once()
        lines.check()
        inputs = {(r["input"], r["_stream"].split("/logs/")[1].split('"')[0]) for r in place.query("numbered | fields input, _stream")}
        check(inputs == {("0", "app/a.log"), ("1", "other.log")}, f"read by {inputs}")


def test_links():
    with Place("links") as place:
        lines = follow(place, "current")
        os.mkdir(lines.path("d"))
        for i in range(3):
            lines.write(f"d/app-{i}.txt")
            if os.path.lexists(lines.path("current")):
                os.unlink(lines.path("current"))
            os.symlink(f"d/app-{i}.txt", lines.path("current"))
            if i == 0:
                place.start()
            lines.settle(40)
            # changes of a link's target wake the daemon at once, though its folder is in no glob
            began = time.monotonic()
            lines.write(f"d/app-{i}.txt", 10)
            lines.settle()
            check(time.monotonic() - began < 2, "a change behind a link was seen late")


def test_odd_kinds():
    with Place("kinds") as place:
        lines = follow(place, "*")
        os.mkdir(lines.path("folder"))
        os.mkfifo(lines.path("fifo"))
        os.symlink("loop", lines.path("loop"))
        os.symlink("/dev/null", lines.path("device"))
        lines.write("a.log")
        place.start()
        lines.settle()
        for _ in range(5):
            lines.write("a.log", 10)
            os.utime(lines.path("fifo"))
            time.sleep(0.2)
        lines.settle()
        for name in ("fifo", "loop", "device"):
            check(len(said(place, f"/{name}: ")) == 1, f"{name} was refused {len(said(place, f'/{name}: '))} times: {said(place, name)}")


def test_unreadable():
    if os.geteuid() != 0:
        raise Skip("needs root to become nobody")
    with Place("denied") as place:
        lines = follow(place, more=", rescan: 1s")
        os.chmod(place.dir, 0o755)
        os.mkdir(place.store)
        shutil.chown(place.store, "nobody", "nogroup")
        lines.write("a.log")
        lines.write("b.log")
        os.chmod(lines.path("a.log"), 0o600)
        place.start(as_user="nobody")
        wait_until(lambda: place.count("numbered") == 100, what="the readable file")
        time.sleep(2.5)
        check(len(said(place, "a.log")) == 1, f"said {said(place, 'a.log')}")
        os.chmod(lines.path("a.log"), 0o644)
        lines.settle()


def test_unreadable_bytes():
    """A file that opens and cannot be read: told once with its name, and the others go on; a file in its place is read."""
    with Place("unread") as place:
        lines = follow(place, more=", rescan: 1s")
        os.symlink("/proc/self/mem", lines.path("mem.log"))
        lines.write("a.log")
        place.start()
        time.sleep(2.5)
        lines.write("z.log")
        lines.settle()
        check(len(said(place, "mem.log: cannot be read")) == 1 and len(place.said()) < 2000, f"said {place.said()[-2000:]}")
        os.unlink(lines.path("mem.log"))
        lines.write("mem.log")
        lines.settle()


def test_odd_bytes():
    with Place("bytes") as place:
        lines = follow(place, more=", parser: plain")
        with open(lines.path("a.log"), "wb") as f:
            f.write(b"\xef\xbb\xbfbom\r\nnul\0byte\n\xff\xfe bad\n\nlast part")
        place.once()
        check(place.count("*") in (3, 4) and place.count("part") == 0, f"{place.query('*')}")
        raw = place.weir("query", "--output", "raw", "nul*").stdout
        check(raw == b"nul\0byte\n", f"a NUL byte: {raw!r}")
        check(place.count('_msg:="bom"') == 1, "BOM and CR are in the message")
        with open(lines.path("a.log"), "ab") as f:
            f.write(b" is whole now\n")
        place.once()
        check(place.count('_msg:="last part is whole now"') == 1, "a partial last line")


def test_long_line():
    with Place("long") as place:
        lines = follow(place)
        body = b"".join(b"%07d|" % i for i in range(3 << 17))
        with open(lines.path("a.log"), "wb") as f:
            f.write(b"before\n" + body + b"\nafter\n")
        place.once()
        rows = place.query("partial:*")
        text = "".join(r["_msg"] for r in rows).encode()
        check(text == body, f"{len(text)} of {len(body)} bytes in {len(rows)} parts")
        check([r["partial"] for r in rows][0] == "begin" and rows[-1]["partial"] == "end", "how the parts are named")
        check(place.count("before or after") == 2, "the lines around it")


def test_deleted_before_its_commit():
    """The store is full, the file is deleted, then there is room again: what was open is read from there."""
    if os.geteuid() != 0:
        raise Skip("needs root to mount a tmpfs")
    with Place("abort") as place:
        os.mkdir(place.store)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m,mode=750", "tmpfs", place.store], check=True)
        try:
            lines = follow(place, store="commit_interval: 1s, max_bytes: 14MiB")
            place.start()
            lines.write("a.log")
            lines.settle()
            with open(f"{place.store}/filler", "wb", buffering=0) as f:
                try:
                    while f.write(b"\0" * 65536):
                        pass
                except OSError:
                    pass
            with open(lines.path("a.log"), "ab", buffering=0) as f:
                for _ in range(20):
                    start = lines.n
                    lines.n += 2000
                    f.write(b"".join(b'{"n":%d,"msg":"numbered","pad":"%s"}\n' % (i, os.urandom(40).hex().encode()) for i in range(start, lines.n)))
                    time.sleep(0.02)
            wait_until(lambda: "no space left" in place.said(), what="a commit without room")
            os.unlink(lines.path("a.log"))
            time.sleep(1.5)
            os.unlink(f"{place.store}/filler")
            lines.settle(60)
            check(not losses(place), f"losses {losses(place)}")
            check(place.stop() == 0, "SIGTERM")
        finally:
            if place.daemon and place.daemon.poll() is None:
                place.kill()
            subprocess.run(["umount", "-l", place.store], check=False)


def test_loss_is_counted():
    with Place("loss") as place:
        lines = follow(place)
        lines.write("a.log")
        place.once()
        with open(lines.path("a.log"), "ab") as f:
            f.write(b"lost " * 20)  # seen, though no whole line
        place.start()
        time.sleep(0.5)
        place.kill()
        os.unlink(lines.path("a.log"))
        lines.write("a.log")
        place.start()
        lines.settle()
        rows = wait_until(lambda: losses(place), what="a loss event")
        check(rows[0]["source"] == "file" and rows[0]["reason"] == "gone" and int(rows[0]["bytes"]) > 0, f"{rows}")
        status = place.weir("status", "--output", "json", ok=(0, 1, 2)).stdout.decode()
        check(f'"lost_bytes":{rows[0]["bytes"]}' in status.replace(" ", "").replace('":"', '":'), f"status {status}")


main([fn for name, fn in list(globals().items()) if name.startswith("test_")])
