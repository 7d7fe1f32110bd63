#!/usr/bin/env python3
"""tests/e2e/service.py - weird as a service: systemd's protocol, reloads, status, pushed lines, a killed daemon."""
import gzip
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import tempfile
import threading
import time

from harness import LONG, WEIR, WEIRD, Place, Skip, check, main, sanitized, wait_until


def write(path, *lines, mode="a"):
    with open(path, mode) as f:
        for line in lines:
            f.write((line if isinstance(line, str) else json.dumps(line)) + "\n")


def connect(place):
    conn = http.client.HTTPConnection("localhost", timeout=30)
    conn.sock = socket.socket(socket.AF_UNIX)
    conn.sock.settimeout(30)
    conn.sock.connect(os.path.join(place.store, "weir.sock"))
    return conn


def request(place, method, path, body=None, headers=None):
    conn = connect(place)
    conn.request(method, path, body, headers or {})
    answer = conn.getresponse()
    return answer.status, answer.read().decode(), dict(answer.getheaders())


def insert(place, body, query="", **headers):
    return request(place, "POST", "/insert/jsonline" + query, body, {k.replace("_", "-"): v for k, v in headers.items()})


def files_config(place, store="commit_interval: 100ms", more=""):
    place.config(f"  - files: {{paths: [\"{place.logs}/*.log\"]}}", store=store, more=more)


def memory(pid, key="VmRSS"):
    return int(re.search(rf"{key}:\s+(\d+) kB", open(f"/proc/{pid}/status").read()).group(1))


class Notify:
    """The socket that systemd gives a service; what comes is noted when it comes, by a thread, and not when somebody asks."""

    def __init__(self, place):
        self.path = os.path.join(place.dir, "notify")
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.sock.bind(self.path)
        self.got = []
        threading.Thread(target=self.listen, daemon=True).start()

    def env(self, watchdog_us):
        return {"NOTIFY_SOCKET": self.path, "WATCHDOG_USEC": str(watchdog_us), "WATCHDOG_PID": ""}

    def listen(self):
        while True:
            text = self.sock.recv(8192)
            self.got += [(time.monotonic(), line) for line in text.decode().splitlines()]

    def seen(self, key):
        return [(t, line) for t, line in list(self.got) if line.startswith(key)]

    def longest_gap(self, key):
        times = [t for t, _ in self.seen(key)]
        return max((b - a for a, b in zip(times, times[1:])), default=0)


def test_systemd_protocol():
    with Place("notify") as place:
        files_config(place)
        notify = Notify(place)
        env = notify.env(600000)
        del env["WATCHDOG_PID"]
        place.start(env=env)
        wait_until(lambda: notify.seen("READY=1"), what="READY")
        wait_until(lambda: len(notify.seen("WATCHDOG=1")) >= 3, what="three watchdog signs")
        check(notify.seen("STATUS="), "STATUS")
        place.daemon.send_signal(signal.SIGHUP)
        wait_until(lambda: notify.seen("RELOADING=1") and notify.seen("MONOTONIC_USEC="), what="RELOADING")
        wait_until(lambda: len(notify.seen("READY=1")) == 2, what="READY after the reload")
        check(place.stop() == 0, "SIGTERM")
        check(notify.seen("STOPPING=1"), "STOPPING")


def test_stuck_disk_starves_the_watchdog():
    if not any(os.access(os.path.join(d, "strace"), os.X_OK) for d in os.environ["PATH"].split(":")):
        raise Skip("no strace")
    with Place("stuck") as place:
        files_config(place)
        notify = Notify(place)
        env = notify.env(600000)
        del env["WATCHDOG_PID"]
        place.start(env=env)
        wait_until(lambda: notify.seen("WATCHDOG=1"), what="a watchdog sign")
        tracer = subprocess.Popen(["strace", "-qq", "-f", "-o", "/dev/null", "-e", "trace=fdatasync", "-e",
                                   "inject=fdatasync:delay_enter=2500000", "-p", str(place.daemon.pid)])
        try:
            wait_until(lambda: "TracerPid:\t0" not in open(f"/proc/{place.daemon.pid}/status").read(), what="strace")
            write(f"{place.logs}/a.log", {"msg": "waits for the disk"})
            # Readers see a row once it is written, which is before the disk says that it has it.
            wait_until(lambda: place.count("waits") == 1, what="the row")
            wait_until(lambda: notify.longest_gap("WATCHDOG=1") > 2, seconds=15, what="a gap of 2 s between two signs of life")
        finally:
            tracer.terminate()
            tracer.wait()
        check(place.stop() == 0, "SIGTERM")


def test_stop_with_a_backlog():
    with Place("backlog") as place:
        files_config(place, store="commit_interval: 60s")
        with open(f"{place.logs}/a.log", "w") as f:
            for i in range(1500000 if LONG else 400000):
                f.write('{"n":%d,"msg":"line %d of a backlog, with some words"}\n' % (i, i))
        place.start()
        time.sleep(0.1)
        began = time.monotonic()
        check(place.stop(seconds=6) == 0, "SIGTERM")
        check(time.monotonic() - began < 5, "SIGTERM took more than 5 s")
        n = place.count("*")
        place.once()
        got = place.query("* | stats count() n, count_uniq(n) u, max(n) m")[0]
        total = 1500000 if LONG else 400000
        check(got == {"n": str(total), "u": str(total), "m": str(total - 1)}, f"{n} rows at the stop, then {got}")


def test_reload_storm():
    with Place("storm") as place:
        keep = "keep: [{match: 'level:debug', for: 2d}], "
        files_config(place, store=keep + "commit_interval: 50ms", more="ids: [order_id]")
        notify_n = 0
        place.start()
        before = None
        for i in range(200 if LONG else 60):
            write(f"{place.logs}/a.log", {"n": i, "level": "debug" if i % 2 else "info", "msg": "during reloads", "order_id": f"o{i}"})
            place.daemon.send_signal(signal.SIGHUP)
            if i % 3 == 0:
                time.sleep(0.02)
            if i == 20:
                time.sleep(0.3)
                before = memory(place.daemon.pid)
                files_config(place, store=keep + "retention: 10d, commit_interval: 50ms")
        n = 200 if LONG else 60
        wait_until(lambda: place.count("during") == n, what=f"{n} rows")
        check(place.said().count("configuration is taken over") > 5, "reloads")
        check(sanitized() or memory(place.daemon.pid) < before + 4096, f"{before} kB before, {memory(place.daemon.pid)} kB after")
        fds = len(os.listdir(f"/proc/{place.daemon.pid}/fd"))
        check(fds < 40, f"{fds} descriptors are open")
        os.unlink(place.config_path)
        place.daemon.send_signal(signal.SIGHUP)
        wait_until(lambda: "configuration is refused" in place.said(), what="a word on the deleted configuration")
        write(f"{place.logs}/a.log", {"msg": "the old one holds"})
        wait_until(lambda: place.count('"old one holds"') == 1, what="a row by the old configuration")
        metrics = request(place, "GET", "/metrics")[1]
        check("weir_reloads_refused_total 1\n" in metrics, "refused reloads are counted")
        check(place.stop() == 0, "SIGTERM")


def test_once_beside_a_daemon():
    with Place("beside") as place:
        files_config(place)
        place.start()
        p = subprocess.run([WEIRD, "--config", place.config_path, "--once"], capture_output=True, timeout=20)
        check(p.returncode == 3 and str(place.daemon.pid) in p.stderr.decode(), f"{p}")
        check(place.stop() == 0, "SIGTERM")
        p = place.weir("status", ok=(3,))
        check(b"no daemon" in p.stderr, f"{p.stderr}")


def test_status_and_metrics():
    with Place("status") as place:
        files_config(place)
        write(f"{place.logs}/a.log", *[{"n": i, "msg": "x"} for i in range(1000)])
        write(f"{place.logs}/quo\"te.log", "one")
        place.start()
        wait_until(lambda: place.count("*") == 1001, what="rows")
        text = place.weir("status").stdout.decode()
        for word in ("weird ", "pid", "memory", "1001 rows", "losses   none", "segment", "commits", "a.log", "1000 lines", "up to date"):
            check(word in text, f"{word!r} is missing in:\n{text}")
        check(max(len(line) for line in text.splitlines()) <= 80, f"wider than 80 columns:\n{text}")
        state = json.loads(place.weir("status", "--output", "json").stdout)
        check(state["pid"] == place.daemon.pid and state["store"]["rows"] == 1001 and len(state["sources"]) == 2, f"{state}")
        check(state["memory_bytes"] > 1 << 20 and state["memory_peak_bytes"] >= state["memory_bytes"], "memory")
        _, metrics, headers = request(place, "GET", "/metrics")
        for name in ("weir_rows_total 1001", "weir_lost_lines_total 0", "weir_store_rows 1001", "weir_commit_seconds_count",
                     "weir_memory_bytes", "weir_source_lag_seconds{", "weir_source_lines_total{kind=\"file\"", "weir_build_info{"):
            check(name in metrics, f"{name} is missing in:\n{metrics}")
        check(headers["Content-Type"].startswith("text/plain; version=0.0.4"), f"{headers}")
        series = [line.rsplit(" ", 1)[0] for line in metrics.splitlines() if not line.startswith("#")]
        check(len(series) == len(set(series)), "a series stands twice")
        helped = re.findall(r"^# HELP (\S+)", metrics, re.M)
        check(helped == re.findall(r"^# TYPE (\S+)", metrics, re.M) and len(helped) == len(set(helped)), "HELP and TYPE")
        try:
            p = subprocess.run(["promtool", "check", "metrics"], input=metrics.encode(), capture_output=True)
            check(p.returncode == 0, f"promtool: {p.stderr.decode()}")
        except FileNotFoundError:
            pass


def test_push_parameters():
    with Place("push") as place:
        files_config(place)
        place.start()
        body = b'{"at":"2024-05-06T07:08:09Z","text":"hello","app":"shop","level":"warn"}'
        status = insert(place, body, "?_stream_fields=app&_time_field=at&_msg_field=text")[0]
        check(status == 200, f"status {status}")
        row = place.query("hello")[0]
        check(row["_time"] == "2024-05-06T07:08:09Z" and row["_msg"] == "hello" and row["_stream"] == '{app="shop"}', f"{row}")
        check("at" not in row and "text" not in row, f"kept twice: {row}")
        check(insert(place, b'{"a":{"t":"x1"},"b":{"t":"x2"}}\n\n\r\n{"b":{"t":"y2"}}\n', "?_msg_field=a.t,b.t")[0] == 200, "two names")
        check({r["_msg"] for r in place.query("x1 or y2")} == {"x1", "y2"}, "the first of _msg_field that is there")
        check(insert(place, b"")[0] == 200, "an empty body")
        check(insert(place, b"x", "?parser=nonsense")[0] == 400, "a parser that is none")


def test_push_compressed():
    with Place("gzip") as place:
        files_config(place)
        place.start()
        lines = b"".join(b'{"n":%d,"msg":"packed"}\n' % i for i in range(20000))
        check(insert(place, gzip.compress(lines), Content_Encoding="gzip")[0] == 200, "gzip")
        check(place.count("packed") == 20000, f"{place.count('packed')} rows of gzip")
        packed = subprocess.run(["zstd", "-qc"], input=lines, capture_output=True).stdout
        check(insert(place, packed, Content_Encoding="zstd", Weir_Batch="z1")[0] == 200, "zstd")
        check(insert(place, packed, Content_Encoding="zstd", Weir_Batch="z1")[0] == 200, "zstd again")
        check(place.count("packed") == 40000, f"{place.count('packed')} rows of zstd")
        cut = gzip.compress(lines)[:-100]
        status, said, _ = insert(place, cut, Content_Encoding="gzip", Weir_Batch="cut")
        check(status == 400 and f"damaged gzip data found at offset {len(cut)}, after " in said, f"cut gzip: {said}")
        status, said, _ = insert(place, b"no gzip at all", Content_Encoding="gzip")
        check(status == 400 and "expected gzip, found plain" in said, f"no gzip: {said}")
        check(insert(place, lines, Content_Encoding="br")[0] == 415, "brotli")
        bomb = gzip.compress(b"\0" * (64 << 20), 1)
        check(insert(place, bomb, Content_Encoding="gzip")[0] == 413, "a bomb")
        check(sanitized() or memory(place.daemon.pid, "VmHWM") < 96 << 10, f"{memory(place.daemon.pid, 'VmHWM')} kB at the most")
        check(place.count("packed") == 40000, "what was refused is not there")


def test_push_refusals():
    with Place("refuse") as place:
        files_config(place)
        place.start()
        big = b'{"msg":"too long"}\n' * (17 << 20 >> 4)
        check(insert(place, big, Weir_Batch="big")[0] == 413, "a batch of 20 MB")
        check(place.count('"too long"') == 0, "rows of a refused batch")
        idle = [connect(place) for _ in range(60)]
        check(request(place, "GET", "/health")[0] == 200, "/health beside 60 idle connections")
        for conn in idle:
            conn.close()
        conn = connect(place)
        conn.sock.sendall(b"POST /insert/jsonline HTTP/1.1\r\nHost: x\r\nWeir-Batch: dies\r\nContent-Length: 1000\r\n\r\n" b'{"msg":"half a body"}\n')
        time.sleep(0.2)
        conn.close()
        check(request(place, "GET", "/health")[0] == 200, "/health after a client that died")
        time.sleep(0.3)
        check(place.count('"half a body"') == 0, "a batch without its end was taken")
        check(place.stop() == 0, "SIGTERM")


def test_ingest_beside_a_killed_daemon():
    n = 1000000 if LONG else 200000
    with Place("killed") as place:
        files_config(place)
        path = os.path.join(place.dir, "in.jsonl")
        with open(path, "w") as f:
            for i in range(n):
                f.write('{"n":%d,"level":"info","path":"/a/b/%d","msg":"line %d of a file that is loaded"}\n' % (i, i % 97, i))
        place.start()
        ingest = subprocess.Popen([WEIR, "ingest", "--store", place.store, path], stderr=subprocess.PIPE)
        for _ in range(3):
            time.sleep(0.15)
            place.kill()
            time.sleep(0.2)
            place.start()
        err = ingest.communicate(timeout=120)[1].decode()
        check(ingest.returncode == 0, f"weir ingest ended with {ingest.returncode}: {err}")
        got = place.query("* | stats count() n, count_uniq(n) u")[0]
        check(got == {"n": str(n), "u": str(n)}, f"{n} lines, {got}")
        check(place.stop() == 0, "SIGTERM")


main([test_systemd_protocol, test_stuck_disk_starves_the_watchdog, test_stop_with_a_backlog, test_reload_storm,
      test_once_beside_a_daemon, test_status_and_metrics, test_push_parameters, test_push_compressed, test_push_refusals,
      test_ingest_beside_a_killed_daemon])
