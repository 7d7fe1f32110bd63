#!/usr/bin/env python3
"""tests/e2e/daemon.py - what weird does for its users, from the line to the answer."""
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import time

from harness import WEIR, WEIRD, Journald, Place, Skip, beside_sanitizers, check, main, wait_until


def write(path, *lines, mode="a"):
    with open(path, mode) as f:
        for line in lines:
            f.write((line if isinstance(line, str) else json.dumps(line)) + "\n")


def asked(place, method, path, body=None, headers=None):
    """An answer's status, text and headers."""
    conn = http.client.HTTPConnection("localhost", timeout=30)
    conn.sock = socket.socket(socket.AF_UNIX)
    conn.sock.settimeout(30)
    conn.sock.connect(os.path.join(place.store, "weir.sock"))
    conn.request(method, path, body, headers or {})
    answer = conn.getresponse()
    return answer.status, answer.read().decode(), dict(answer.getheaders())


def request(place, method, path, body=None, headers=None):
    return asked(place, method, path, body, headers)[:2]


def files_config(place, more="", store="commit_interval: 100ms"):
    place.config(f"  - files: {{paths: [\"{place.logs}/*.log\"]{', ' + more if more else ''}}}", store=store)


def test_journal_rows():
    journald = Journald.need()
    with Place("journal") as place:
        place.config("  - journal: {from: boot}", store="commit_interval: 100ms")
        journald.send('{"timestamp":"2024-05-06T07:08:09.5+02:00","level":"warn","request_id":"req_1","http":{"status":503},'
                      '"message":"upstream is down"}', SYSLOG_IDENTIFIER="shop", PRIORITY="3")
        journald.send("plain words", SYSLOG_IDENTIFIER="other", PRIORITY="4", BLOB=b"\x00\xff\x01")
        place.start()
        row = wait_until(lambda: place.query('request_id:="req_1"'), what="the row")[0]
        check(row["_time"] == "2024-05-06T05:08:09.5Z", f"_time is {row['_time']}")
        check(row["_msg"] == "upstream is down" and row["http.status"] == "503" and row["level"] == "warn", f"fields {row}")
        check(row["unit"] == "shop" and 'unit="shop"' in row["_stream"] and row["PRIORITY"] == "3", f"stream {row}")
        check("message" not in row and "MESSAGE" not in row, "the message is kept twice")
        row = wait_until(lambda: place.query('"plain words"'), what="the plain row")[0]
        check(row["level"] == "warning", f"level from PRIORITY is {row.get('level')}")
        check("BLOB" in row, "a binary field is lost")
        journald.send("later", SYSLOG_IDENTIFIER="shop")
        wait_until(lambda: place.query('later'), what="a line written while following")
        place.kill()
        journald.send("while it was dead", SYSLOG_IDENTIFIER="shop")
        place.start()
        wait_until(lambda: place.query('"while it was dead"'), what="a line written while it was dead")
        check(place.count('unit:="shop"') == 3, "a row stands twice or is missing after the restart")
        check(place.stop() == 0, "SIGTERM")


def test_files_follow():
    with Place("files") as place:
        files_config(place, "stream: {app: shop, tier: }, fields: {env: prod}, drop: 'path:=\"/health\"', "
                            "redact: [{pattern: 'token=\\S+', with: 'token=***'}]")
        log = f"{place.logs}/a.log"
        write(log, {"level": "info", "msg": "one token=abc123", "tier": "web"}, {"msg": "no", "path": "/health"})
        place.start()
        wait_until(lambda: place.count("*") == 1, what="the first row")
        row = place.query("*")[0]
        check(row["_msg"] == "one token=***", f"redacted {row}")
        check(row["env"] == "prod" and 'app="shop"' in row["_stream"] and 'tier="web"' in row["_stream"] and
              f'file="{log}"' in row["_stream"], f"stream {row['_stream']}")
        write(log, "a line without JSON", '{"broken": ')
        wait_until(lambda: place.count("*") == 3, what="rows two and three")
        check(place.count('"a line without JSON"') == 1, "the plain line")
        with open(log, "a") as f:
            f.write('{"msg":"half')
            f.flush()
            time.sleep(0.5)
            check(place.count("*") == 3, "a partial line was taken")
            f.write(' and half"}\n')
        wait_until(lambda: place.count('"half and half"') == 1, what="the completed line")
        write(f"{place.logs}/new.log", {"msg": "found"})
        wait_until(lambda: place.count('found') == 1, what="a file that appeared")
        os.rename(log, log + ".1")
        write(log + ".1", {"msg": "late in the old file"})
        write(log, {"msg": "first in the new file"}, mode="w")
        wait_until(lambda: place.count('"old file" or "new file"') == 2, what="rows around the rename")
        os.unlink(log)
        write(log, {"msg": "same name again"}, mode="w")
        wait_until(lambda: place.count('"same name again"') == 1, what="a recreated file")
        place.kill()
        place.start()
        time.sleep(0.5)
        check(place.count("*") == 8, f"{place.count('*')} rows after a restart")
        check(place.stop() == 0, "SIGTERM")


def test_once():
    with Place("once") as place:
        files_config(place)
        write(f"{place.logs}/a.log", *[{"n": i, "msg": "x"} for i in range(5000)])
        with open(f"{place.logs}/a.log", "a") as f:
            f.write('{"msg":"partial')
        place.once()
        check(place.count("*") == 5000, f"{place.count('*')} rows")
        place.once()
        check(place.count("*") == 5000, "a second --once doubled rows")


def test_second_daemon():
    with Place("second") as place:
        files_config(place)
        place.start()
        p = subprocess.run([WEIRD, "--config", place.config_path], capture_output=True, timeout=20)
        check(p.returncode == 3, f"exit {p.returncode}")
        check(str(place.daemon.pid) in p.stderr.decode(), f"does not say who holds it: {p.stderr}")


def test_bad_config():
    with Place("config") as place:
        with open(place.config_path, "w") as f:
            f.write("store:\n  path: /tmp/x\n  retentoin: 3d\ninputs:\n  - files: {paths: [/x], drop: 'a:(b'}\n  - jurnal: {}\n")
        p = subprocess.run([WEIRD, "--config", place.config_path], capture_output=True, timeout=20)
        text = p.stderr.decode()
        check(p.returncode == 2, f"exit {p.returncode}")
        check("weir.yaml:3:3" in text and "did you mean 'retention'" in text, text)
        check("weir.yaml:5:" in text and "weir.yaml:6:" in text, text)
        p = place.weir("check", place.config_path, ok=(2,))
        check(b"retention" in p.stderr + p.stdout, "weir check")


def test_reload():
    with Place("reload") as place:
        files_config(place)
        write(f"{place.logs}/a.log", {"msg": "before"})
        place.start()
        wait_until(lambda: place.count("before") == 1, what="the first row")
        with open(place.config_path, "a") as f:
            f.write("nonsense: 1\n")
        place.daemon.send_signal(signal.SIGHUP)
        wait_until(lambda: "nonsense" in place.said(), what="why the new configuration was refused")
        write(f"{place.logs}/a.log", {"msg": "still there"})
        wait_until(lambda: place.count('"still there"') == 1, what="the old configuration")
        os.mkdir(f"{place.dir}/more")
        place.config(f"  - files: {{paths: [\"{place.logs}/*.log\", \"{place.dir}/more/*.log\"]}}", store="commit_interval: 100ms")
        place.daemon.send_signal(signal.SIGHUP)
        write(f"{place.dir}/more/b.log", {"msg": "new place"})
        wait_until(lambda: place.count('"new place"') == 1, what="the new configuration")
        check(place.count("before") == 1, "the reload doubled a row")
        check(place.stop() == 0, "SIGTERM")


def test_retention_reload():
    """SIGHUP with another retention: rows that are too old for it go, and those that it allows stay."""
    with Place("retention") as place:
        log = f"{place.logs}/a.log"
        ticks = 0

        def reload(retention):
            n = place.said().count("is taken over")
            files_config(place, store=f"retention: {retention}, seal_age: 1s, commit_interval: 100ms")
            place.daemon.send_signal(signal.SIGHUP)
            wait_until(lambda: place.said().count("is taken over") > n, what="the reload")

        def count_while_rows_come(q):
            nonlocal ticks
            write(log, {"msg": "tick", "n": ticks})
            ticks += 1
            time.sleep(0.2)
            return place.count(q)

        files_config(place, store="retention: 1h, seal_age: 1s, commit_interval: 100ms")
        place.start()
        write(log, *[{"msg": "old", "n": i} for i in range(300)])
        wait_until(lambda: place.count("old") == 300, what="the rows")
        wait_until(lambda: count_while_rows_come("old") == 300 and b"sealed" in place.weir("store", "stats").stdout, what="a sealed segment")
        reload("4s")
        wait_until(lambda: count_while_rows_come("old") == 0, seconds=40, what="an end of the old rows")
        reload("1h")
        write(log, *[{"msg": "late", "n": i} for i in range(100)])
        end = time.monotonic() + 9
        wait_until(lambda: count_while_rows_come("late") == 100 and time.monotonic() > end, what="late rows that stay")
        check(place.stop() == 0, "SIGTERM")
        check(place.count("late") == 100 and place.count("old") == 0, "rows after the stop")
        check(place.weir("store", "verify").returncode == 0, "verify")


def test_insert_and_status():
    with Place("insert") as place:
        files_config(place)
        place.start()
        check(request(place, "GET", "/health") == (200, "OK\n"), "/health")
        status, _ = request(place, "POST", "/insert/jsonline?_stream_fields=app",
                            '{"app":"a","msg":"pushed one"}\n{"app":"a","msg":"pushed two"}')
        check(status == 200, f"insert {status}")
        check(place.count("pushed") == 2, "what was acknowledged is not there")
        for _ in range(2):
            status, _ = request(place, "POST", "/insert/jsonline", '{"msg":"in a batch"}\n', {"Weir-Batch": "b-1"})
            check(status == 200, f"batch {status}")
        check(place.count('"in a batch"') == 1, "a batch sent twice stands twice")
        place.kill()
        place.start()
        status, _ = request(place, "POST", "/insert/jsonline", '{"msg":"in a batch"}\n', {"Weir-Batch": "b-1"})
        check(place.count('"in a batch"') == 1 and status == 200, "the batch is forgotten after a crash")
        check("weir_" in request(place, "GET", "/metrics")[1], "/metrics")
        json.loads(request(place, "GET", "/status")[1])
        write(f"{place.logs}/a.log", {"msg": "from a file"})
        wait_until(lambda: place.count('"from a file"') == 1, what="a row from a file")
        check(b"a.log" in place.weir("status").stdout, "weir status names its sources")
        check(request(place, "GET", "/nothing")[0] == 404, "404")
        check(request(place, "DELETE", "/health")[0] == 405, "405")
        p = place.weir("ingest", "-", input=b'{"msg":"by the command"}\n')
        check(p.returncode == 0 and place.count('"by the command"') == 1, "weir ingest beside the daemon")


def test_redact_by_name():
    """token=\\S+ hides a token wherever it stands: in the text, in a field of that name, in the stream, in the line."""
    journald = Journald.need()
    redact = "redact: [{pattern: '(?i)token=\\S+', with: 'token=***'}, {pattern: '\"pin\":\\s*\\d+', with: '***'}]"
    with Place("redact-name") as place:
        place.config(f"  - files: {{paths: [\"{place.logs}/*.log\"], stream: {{token: }}, {redact}}}\n  - journal: {{from: boot, {redact}}}",
                     store="commit_interval: 100ms")
        lines = ['{"msg":"as JSON","token":"s3cret","pin": 98761234509,"user":{"Token":"s3cret"},"row":1}',
                 'level=info token=s3cret row=2 msg="as logfmt, access_token=s3cret"', '{"msg":"nothing to hide","tokens":7,"row":3}']
        write(f"{place.logs}/a.log", *lines)
        for line in lines:
            journald.send(line, SYSLOG_IDENTIFIER="redact", TOKEN="s3cret")
        place.start()
        wait_until(lambda: place.count("*") >= 6 and place.count("unit:=redact") == 3, what="the rows")
        for source in ("file:*", "unit:=redact"):
            rows = {row["row"]: row for row in place.query(f"{source} row:*")}
            check(rows["1"]["token"] == "***" and rows["1"]["user.Token"] == "***" and rows["1"]["pin"] == "***", f"JSON: {rows['1']}")
            check(rows["2"]["token"] == "***" and rows["2"]["_msg"] == "as logfmt, access_token=***", f"logfmt: {rows['2']}")
            check(rows["3"]["tokens"] == "7" and rows["3"]["_msg"] == "nothing to hide", f"untouched: {rows['3']}")
        check(place.count('file:* _stream:{token="***"}') == 2, "the stream's label")
        check(place.count("unit:=redact TOKEN:=\"***\"") == 3, "a field of the journal")
        check(place.stop() == 0, "SIGTERM")
        held = b"".join(open(os.path.join(at, f), "rb").read() for at, _, names in os.walk(place.store) for f in names
                        if not f.endswith(".sock"))
        check(b"s3cret" not in held and b"98761234509" not in held, "a secret in the store's files")


def test_original_lines():
    """What came in comes back to the byte, from files, from the journal and from senders; a secret does not."""
    lines = [b'{"timestamp":"2026-01-05T02:33:20.250Z","level":"warn","message":"first \\u00e9","n":1.50, "empty":""}',
             b'{"timestamp":"2026-01-05T02:33:20.251Z","level":"warn","message":"second","n":2, "weir":"x","host":"theirs"}',
             b'10.0.0.7 - ann [05/Jan/2026:02:33:21 +0100] "GET /a?b=1 HTTP/1.1" 200 512 "-" "curl/8 (x)"',
             b"<34>Jan  5 02:33:22 gate su[71]: failed for ann", b'level=info msg="a b" took=3ms', b"plain words \xff\x01 end",
             b"  indented, with a tail  ", b'{"broken":', b'{"time":"2026-01-05T02:33:20Z","container":{"id":7},"message":"nested"}']
    raw = lambda place, query: place.weir("query", "--output", "raw", query).stdout.splitlines()
    with Place("original") as place:
        os.makedirs(f"{place.logs}/secret")
        place.config(f"  - files: {{paths: [\"{place.logs}/*.log\"], fields: {{env: test}}}}\n"
                     f"  - files: {{paths: [\"{place.logs}/secret/*.log\"], redact: [{{pattern: 'token=\\S+', with: 'token=***'}}]}}",
                     store="commit_interval: 100ms")
        with open(f"{place.logs}/a.log", "wb") as f:
            for _ in range(3):
                f.writelines(line + b"\n" for line in lines)
        write(f"{place.logs}/secret/b.log", '{"msg":"in token=abc"}', '{"token=abc":"name","msg":"in a name"}', '{"msg":"no secret"}')
        place.start()
        wait_until(lambda: place.count('env:=test') == 3 * len(lines), what="the file's rows")
        check(sorted(raw(place, "env:=test")) == sorted(lines * 3), f"a file's lines: {raw(place, 'env:=test')}")
        for pipe in ("sort by (_time)", "sort by (_time desc) limit 100 | sort by (_msg)", "first 100 by (_time)", "running_stats count() n",
                     "stream_context before 1"):
            check(sorted(raw(place, "env:=test | " + pipe)) == sorted(lines * 3), f"lines behind {pipe}")
        check(raw(place, "env:=test second | sort by (_time) limit 1 | fields n") == [b"2"], "chosen fields are no line")
        check(b"line" not in place.weir("query", "--output", "raw", "env:=test | sort by (_time) | field_names").stdout, "line is no field")
        wait_until(lambda: place.count("file:~secret") == 3, what="the other file's rows")
        told = raw(place, "file:~secret")
        check(b'{"msg":"no secret"}' in told and not any(b"abc" in line for line in told), f"redacted: {told}")
        status, _ = request(place, "POST", "/insert/jsonline?_msg_field=text&_time_field=at&_stream_fields=app",
                            '{"app":"a","text":"pushed","at":"2026-01-05T02:33:20Z","message":"m"}\n{"text":"pushed", "n":1.0}\n')
        check(status == 200, f"insert {status}")
        check(sorted(raw(place, "pushed")) == [b'{"app":"a","text":"pushed","at":"2026-01-05T02:33:20Z","message":"m"}',
                                               b'{"text":"pushed", "n":1.0}'], f"pushed lines: {raw(place, 'pushed')}")
        check(place.weir("ingest", "-", input=b'{"msg":"by the command", "n":1.0}\n').returncode == 0, "weir ingest beside the daemon")
        check(raw(place, '"by the command"') == [b'{"msg":"by the command", "n":1.0}'], "a line of weir ingest")
        p = place.weir("grep", "-c", '"level":"warn"')
        check(p.stdout == b"6\n", f"weir grep sees the line itself: {p.stdout}")


def test_original_lines_journal():
    journald = Journald.need()
    with Place("original-journal") as place:
        place.config("  - journal: {from: boot}", store="commit_interval: 100ms")
        lines = ['{"level":"warn","app":"origin","n":1.50, "PRIORITY":"9"}', '{"level":"warn","app":"origin","n":2.00, "PRIORITY":"9"}',
                 '{"app":"origin","n":3}', "origin in plain words", "  origin, indented "]
        for line in lines:
            journald.send(line, SYSLOG_IDENTIFIER="origin", PRIORITY="3")
        place.start()
        raw = lambda: place.weir("query", "--output", "raw", "unit:=origin").stdout.decode().splitlines()
        wait_until(lambda: len(raw()) == len(lines), what="the rows")
        check(sorted(raw()) == sorted(lines), f"MESSAGE as it was: {raw()}")
        row = place.query("unit:=origin n:=3")[0]
        check(row["PRIORITY"] == "3" and row["level"] == "err" and row["unit"] == "origin", f"fields of a row: {row}")


def test_tail():
    with Place("tail") as place:
        files_config(place)
        write(f"{place.logs}/a.log", *[{"n": i, "msg": "old"} for i in range(20)])
        place.start()
        wait_until(lambda: place.count("*") == 20, what="the rows before")
        tail = subprocess.Popen([WEIR, "tail", "--store", place.store, "--output", "json"], stdout=subprocess.PIPE,
                                env={**os.environ, "NO_COLOR": "1"})
        try:
            got = [json.loads(tail.stdout.readline())["n"] for _ in range(10)]
            check(got == [str(i) for i in range(10, 20)], f"tail began with {got}")
            write(f"{place.logs}/a.log", {"n": 20, "msg": "new"})
            check(json.loads(tail.stdout.readline())["n"] == "20", "a new row")
            place.kill()
            write(f"{place.logs}/a.log", {"n": 21, "msg": "while dead"})
            place.start()
            check(json.loads(tail.stdout.readline())["n"] == "21", "a row after the daemon's restart")
            place.stop()
            place.weir("store", "seal")
            write(f"{place.logs}/a.log", {"n": 22, "msg": "after the seal"})
            place.start()
            check(json.loads(tail.stdout.readline())["n"] == "22", "a row after a seal")
        finally:
            tail.kill()
            tail.wait()


def cpu_seconds(pid):
    total = 0
    for p in [pid] + [int(c) for c in open(f"/proc/{pid}/task/{pid}/children").read().split()]:
        fields = open(f"/proc/{p}/stat").read().rsplit(")", 1)[1].split()
        total += int(fields[11]) + int(fields[12])
    return total / os.sysconf("SC_CLK_TCK")


# Words of what changed in folders cannot be read while a file is there; it holds the number of the error.
READ_FAILS = """
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
ssize_t
read(int fd, void *p, size_t n)
{
	char link[64], what[64] = "";
	FILE *f;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	if (readlink(link, what, sizeof(what) - 1) > 0 && strstr(what, "inotify") && (f = fopen(getenv("READ_FAILS"), "r"))) {
		if (fscanf(f, "%d", &errno) != 1)
			errno = EIO;
		fclose(f);
		return -1;
	}
	return syscall(SYS_read, fd, p, n);
}
"""


def test_failing_source():
    """A source that fails and fails: told once, again when it is another failure, and when it is over; and it takes no CPU."""
    with Place("failing") as place:
        files_config(place, more="rescan: 2s")
        shim = f"{place.dir}/read_fails.so"
        subprocess.run(["cc", "-shared", "-fPIC", "-o", shim, "-xc", "-"], input=READ_FAILS.encode(), check=True)
        sign = f"{place.dir}/fails"
        said = lambda what: sum(what in line for line in place.said().splitlines())
        place.start(env={"LD_PRELOAD": shim, "READ_FAILS": sign, **beside_sanitizers()})
        write(f"{place.logs}/a.log", "begun")
        wait_until(lambda: place.count("begun") == 1, what="a line before")
        cpu = lambda: sum(int(n) for n in open(f"/proc/{place.daemon.pid}/stat").read().rsplit(") ", 1)[1].split()[11:13])
        before = cpu()
        for number, text in ((5, "Input/output error"), (12, "Cannot allocate memory")):
            write(f"{place.dir}/next", str(number), mode="w")
            os.rename(f"{place.dir}/next", sign)
            write(f"{place.logs}/a.log", f"unread {number}")
            wait_until(lambda: said(text) > 0, what=f"a word of {text}")
            time.sleep(4)
            check(said(text) == 1, f"told {said(text)} times: {place.said()[-1000:]}")
        spent = (cpu() - before) / os.sysconf("SC_CLK_TCK")
        check(spent < 2, f"{spent} s of CPU to fail for 8 s")
        os.unlink(sign)
        wait_until(lambda: place.count("unread") == 2, what="the lines that could not be read")
        wait_until(lambda: said("reading goes on: file") == 1, seconds=60, what="a word that it is over")
        check(said("reading failed") == 2 and place.stop() == 0, place.said()[-1000:])


def test_stream_context():
    """What is around a row of its stream: pieces by the first row that was found, rows between them that say where they stand, and
    no window or number too large."""
    with Place("context") as place:
        files_config(place)
        for name, hour in (("a", 5), ("b", 3)):
            write(f"{place.logs}/{name}.log", *[{"time": f"2026-01-01T{hour + n // 60:02}:{n % 60:02}:00Z", "msg": f"{name}{n}"} for n in range(90)])
        place.once()
        ask = lambda pipe, which="a40, a1, b7, a41": place.query(f"_msg:in({which}) | {pipe}", ok=(0,))
        said = lambda *args: [row["_msg"] for row in ask(*args)]
        check(said("stream_context before 1 after 1") == ["b6", "b7", "b8", "---", "a0", "a1", "a2", "---", "a39", "a40", "a41", "a42"], "pieces")
        gaps = [row for row in ask("stream_context after 0") if row["_msg"] == "---"]
        check([(g["_time"], "b.log" in g["_stream"], g.keys()) for g in gaps] ==
              [("2026-01-01T03:07:00.000000001Z", True, {"_time", "_stream", "_msg"}), ("2026-01-01T05:01:00.000000001Z", False, {"_time", "_stream", "_msg"})],
              f"rows between pieces: {gaps}")
        check(said("stream_context after 0 | sort by (_time)") == ["b7", "---", "a1", "---", "a40", "a41"], "sorted, they stay")
        check(said("stream_context before 0 | fields _msg") == ["b7", "---", "a1", "---", "a40", "a41"], "without times")
        many = 2 ** 64
        for window in ("", "time_window 1w", "time_window 300y", "time_window 5000000y"):
            check(said(f"stream_context before {many} after {many} {window}", "a20") == [f"a{n}" for n in range(0, 81 if not window else 90)], window)
        check(said("stream_context before 5 after 5 time_window 59s", "a20") == ["a20"], "a window that ends before the next row")
        check(said("stream_context before 5 after 5 time_window 1m", "a20") == ["a19", "a20", "a21"], "a window that ends with it")


def test_idle():
    Journald.need().send("something")
    with Place("idle") as place:
        place.config(f"  - journal: {{from: boot}}\n  - files: {{paths: [\"{place.logs}/*.log\"]}}")
        write(f"{place.logs}/a.log", {"msg": "x"})
        place.start()
        wait_until(lambda: place.count("*") >= 2, what="rows")
        time.sleep(2.5)
        before = cpu_seconds(place.daemon.pid)
        time.sleep(5)
        used = cpu_seconds(place.daemon.pid) - before
        check(used <= 0.05, f"an idle daemon used {used:.2f} CPU s in 5 s")


def test_store_full():
    if os.geteuid() != 0:
        raise Skip("needs root to mount a tmpfs")
    with Place("full") as place:
        os.mkdir(place.store)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m,mode=750", "tmpfs", place.store], check=True)
        try:
            files_config(place, store="commit_interval: 100ms, max_bytes: 20MiB")
            log = f"{place.logs}/a.log"
            place.start()
            write(log, *[{"n": i, "msg": "before"} for i in range(100)])
            wait_until(lambda: place.count("before") == 100, what="the rows before")
            with open(f"{place.store}/filler", "wb") as f:
                try:
                    while True:
                        f.write(b"\0" * 65536)
                        f.flush()
                except OSError:
                    pass
            n = 0
            for _ in range(40):
                write(log, *[{"n": n + i, "msg": "during", "pad": os.urandom(40).hex()} for i in range(2000)])
                n += 2000
                time.sleep(0.05)
            wait_until(lambda: "full" in place.said().lower() or "no space" in place.said().lower(), what="a word about the full disk")
            check(place.daemon.poll() is None, "the daemon ended on a full disk")
            os.unlink(f"{place.store}/filler")
            wait_until(lambda: place.count("during") == n, seconds=40, what=f"all {n} rows after there was room")
            check(place.stop() == 0, "SIGTERM")
            check(place.count("before") == 100, "rows from before")
            check(place.weir("store", "verify").returncode == 0, "verify")
        finally:
            if place.daemon and place.daemon.poll() is None:
                place.kill()
            subprocess.run(["umount", "-l", place.store], check=False)


def fill(path):
    with open(path, "wb") as f:
        try:
            while True:
                f.write(b"\0" * 65536)
                f.flush()
        except OSError:
            pass


def insert(place, lines):
    return asked(place, "POST", "/insert/jsonline", lines)


def test_push_full():
    """A push is refused whole while the store is full, and what is refused may be sent again: it never stands twice."""
    if os.geteuid() != 0:
        raise Skip("needs root to mount a tmpfs")
    with Place("pushfull") as place:
        os.mkdir(place.store)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m,mode=750", "tmpfs", place.store], check=True)
        try:
            files_config(place, store="commit_interval: 100ms, max_bytes: 60MiB")
            place.start()
            check(insert(place, '{"msg":"before"}\n')[0] == 200, "before")
            fill(f"{place.store}/filler")

            def lines(msg, n):
                return "".join(json.dumps({"msg": msg, "n": i, "pad": os.urandom(20).hex()}) + "\n" for i in range(n))

            # What was set aside is used up; the one that finds no room is answered in the end, and not kept.
            caught = lines("caught", 10000)
            n_taken, status = 0, 200
            while status == 200 and n_taken < 200:
                status, text, headers = insert(place, caught)
                n_taken += status == 200
            check(status in (429, 503) and headers.get("Retry-After"), f"caught: {status} {headers} {text}")
            body = lines("large", 80000)
            check(len(body) > 6 << 20, "the body is no large one")
            status, text, headers = insert(place, body)
            # 503 where a commit of nothing went through in between, so that it was taken in and given up again.
            check(status in (429, 503) and headers.get("Retry-After"), f"large: {status} {headers} {text}")
            check("Weir-Lines-Taken" not in headers, "nothing of it was taken")
            os.unlink(f"{place.store}/filler")
            wait_until(lambda: insert(place, '{"msg":"room"}\n')[0] == 200, what="room again")
            check(place.count("caught") == n_taken * 10000, "what was refused is there")
            check(insert(place, caught)[0] == 200, "caught again")
            check(insert(place, body)[0] == 200, "large again")
            check(place.stop() == 0, "SIGTERM")
            check(place.count("caught") == (n_taken + 1) * 10000 and place.count("large") == 80000 and place.count("before") == 1,
                  f"{place.count('caught')} {place.count('large')}")
        finally:
            if place.daemon and place.daemon.poll() is None:
                place.kill()
            subprocess.run(["umount", "-l", place.store], check=False)


def test_flipped_bit():
    with Place("bit") as place:
        files_config(place)
        write(f"{place.logs}/a.log", *[{"n": i, "level": "info", "msg": f"line {i} {os.urandom(8).hex()}"} for i in range(50000)])
        place.once()
        place.weir("store", "seal")
        check(place.weir("store", "verify").returncode == 0, "verify before")
        segment = max((e for e in os.scandir(place.store) if e.name.endswith(".seg")), key=lambda e: e.stat().st_size).path
        with open(segment, "r+b") as f:
            at = os.path.getsize(segment) // 2
            f.seek(at)
            byte = f.read(1)
            f.seek(-1, 1)
            f.write(bytes([byte[0] ^ 4]))
        p = place.weir("store", "verify", ok=(0, 1, 2, 3))
        told = re.compile(re.escape(os.path.basename(segment)) + r": block \d+: at offset (\d+): column \S+: the bytes from there on do not have their checksum")
        found = told.search(p.stderr.decode())
        check(p.returncode == 3 and found and at - (256 << 10) <= int(found[1]) <= at, f"verify says {p} of {at}")
        p = place.weir("query", "--output", "json", "* | fields n, _msg, level", ok=(3,))
        check(p.stdout.count(b"\n") >= 1, "the rest is answered")
        check((again := told.search(p.stderr.decode())) and again[0] == found[0], f"the query says {p.stderr}, verify {found[0]}")


def test_ids():
    with Place("ids") as place:
        place.config(f"  - files: {{paths: [{place.logs}/*.log]}}", more="ids: [request_id, application_name]")
        write(f"{place.logs}/a.log", {"request_id": "req_1", "msg": "asked"}, {"application_name": "req_1", "msg": "statement"})
        place.once()
        check(place.weir("trace", "--output", "json", "req_1").stdout.count(b"\n") == 2, "a row under a name of the configuration")
        place.weir("ingest", "-", input=b'{"application_name":"req_1","msg":"by hand"}\n')
        place.weir("store", "seal")
        check(place.weir("trace", "--output", "json", "req_1").stdout.count(b"\n") == 3, "a row that came by hand, after a seal")
        write(f"{place.logs}/a.log", {"trace_id": "t 1", "msg": "before its name held"})
        place.once()
        place.config(f"  - files: {{paths: [{place.logs}/*.log]}}")
        write(f"{place.logs}/a.log", {"trace_id": "t 1", "msg": "since it holds"})
        place.once()
        check("trace_id\t" in open(f"{place.store}/ids").read(), "the built-in names hold again, and it is known since when")
        check(place.count('trace_id:="t 1"') == 2, "a row that was not indexed then")


def test_ids_change():
    """A name that becomes an ID's, is none for a while, and one again: no row is missed, the index is made anew by seals."""
    with Place("ids2") as place:
        names = lambda ids: place.config(f"  - files: {{paths: [{place.logs}/*.log]}}", more=f"ids: [{ids}]")
        asked = lambda: (place.count('basket:="b 7"'), place.count('basket:in("b 7", "b 7000")'),
                         place.weir("trace", "--output", "json", "b 7").stdout.count(b"\n"))
        for n, ids in ((1, "request_id"), (2, "request_id, basket"), (3, "request_id"), (4, "basket, request_id")):
            names(ids)
            write(f"{place.logs}/a.log", *({"basket": f"b {i}", "msg": f"turn {n}"} for i in range(300)))
            place.once()
            check(asked() == ((n, n, n) if "basket" in ids else (n, n, 0)), f"turn {n}: {asked()}")
            if n == 2:
                place.weir("store", "seal")
                check(asked() == (n, n, n), f"after a seal: {asked()}")
        place.start()
        check(asked() == (4, 4, 4), f"asked beside the daemon: {asked()}")
        names("request_id")
        place.daemon.send_signal(signal.SIGHUP)
        wait_until(lambda: "basket" not in open(f"{place.store}/ids").read(), what="a reload")
        write(f"{place.logs}/a.log", {"basket": "b 7", "msg": "turn 5"})
        wait_until(lambda: place.count("turn 5") == 1, what="a row")
        names("request_id, basket")
        place.daemon.send_signal(signal.SIGHUP)
        wait_until(lambda: "basket" in open(f"{place.store}/ids").read(), what="another")
        check(asked() == (5, 5, 5), f"after two reloads: {asked()}")
        check(place.stop() == 0, "SIGTERM")
        place.weir("store", "seal")
        check(asked() == (5, 5, 5), f"sealed: {asked()}")
        skipped = lambda: place.weir("query", "--explain", 'basket:="none"').stdout.decode().count(" 0 by the ID index")
        check(skipped() == 0, "what was sealed before the name held is read")
        place.weir("store", "upgrade")
        check(asked() == (5, 5, 5) and skipped() == 1, f"upgraded: {asked()}, nothing to read for none: {skipped()}")


def test_hostile_terminal():
    with Place("tty") as place:
        files_config(place)
        write(f"{place.logs}/a.log", "red \x1b[31m bell \x07 \u202e bidi \x9b c1", {"msg": "\u001b]0;title\u0007 x", "k\u001bey": "v\u009b"})
        place.once()
        out = subprocess.run(["script", "-qec", f"{WEIR} query --store {place.store} '*'", "/dev/null"], capture_output=True,
                             env={**os.environ, "WEIR_PAGER": "cat", "TERM": "xterm", "NO_COLOR": "1"}, stdin=subprocess.DEVNULL).stdout
        check(b"bell" in out, f"no rows: {out}")
        check(b"\x1b" not in out and b"\x07" not in out and "\x9b".encode() not in out and "\u202e".encode() not in out,
              f"control bytes reach the terminal: {out}")


main([test_journal_rows, test_files_follow, test_once, test_second_daemon, test_bad_config, test_reload, test_retention_reload, test_insert_and_status,
      test_redact_by_name, test_original_lines, test_original_lines_journal,
      test_tail, test_failing_source, test_stream_context, test_idle, test_store_full, test_push_full, test_flipped_bit, test_ids, test_ids_change, test_hostile_terminal])
