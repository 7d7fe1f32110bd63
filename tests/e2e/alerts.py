#!/usr/bin/env python3
"""tests/e2e/alerts.py - from the line to the webhook: rules in a running weird."""
import http.client
import http.server
import json
import os
import signal
import socket
import statistics
import subprocess
import threading
import time

from harness import Journald, Place, Skip, check, main, wait_until

RULE = """
groups:
  - name: shop
    interval: 1s
    rules:
      - alert: Errors
        expr: 'level:error | stats by (app) count() n | filter n:>0'
        window: {window}
        for: {for_}
        labels: {{severity: page}}
        annotations: {{summary: '{{{{ $labels.app }}}} has {{{{ $value }}}} errors'}}
"""

# It fires from an error until a line of level info, however long a test takes between them.
UNTIL_WELL = RULE.replace("level:error | stats by (app) count() n |",
                          "app:* | stats by (app) count() if (level:error) bad, count() if (level:info) good | math bad - good n | delete bad, good |")

ROUTE = """
route: {{receiver: hook, group_by: [alertname, app], group_wait: {wait}, group_interval: 1s, repeat_interval: 1h}}
receivers:
  - name: hook
    webhook_configs: [{{url: 'http://127.0.0.1:{port}/', send_resolved: true}}]
"""


class Hook:
    """A receiver: keeps the bodies and when they came; answers what it is told to."""

    def __init__(self):
        self.got, self.status, self.lock = [], 200, threading.Lock()
        hook = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                with hook.lock:
                    hook.got.append((time.time(), json.loads(body), dict(self.headers)))
                    status = hook.status
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def alerts(self):
        """(status, app) of each alert told, in order; one whose answer was cut off may come again, with its key."""
        with self.lock:
            once = {h["Idempotency-Key"]: b for _, b, h in self.got}
            return [(a["status"], a["labels"].get("app", "")) for b in once.values() for a in b["alerts"]]

    def statuses(self):
        with self.lock:
            return [b["status"] for _, b, _ in self.got]


def request(place, method, path, body=None):
    conn = http.client.HTTPConnection("localhost", timeout=30)
    conn.sock = socket.socket(socket.AF_UNIX)
    conn.sock.settimeout(30)
    conn.sock.connect(os.path.join(place.store, "weir.sock"))
    conn.request(method, path, body, {"Content-Type": "application/json"} if body else {})
    answer = conn.getresponse()
    return answer.status, answer.read().decode()


def rules(place, text):
    os.makedirs(f"{place.dir}/rules", exist_ok=True)
    with open(f"{place.dir}/rules/shop.yaml", "w") as f:
        f.write(text)


def configure(place, hook, window="10s", for_="0s", wait="0s", inputs=None, store="commit_interval: 200ms", more=""):
    rules(place, RULE.format(window=window, for_=for_))
    with open(f"{place.dir}/alertmanager.yml", "w") as f:
        f.write(ROUTE.format(port=hook.port, wait=wait))
    place.config(inputs or f"  - files: {{paths: [\"{place.logs}/*.log\"]}}", store=store,
                 more=f"rules: [\"{place.dir}/rules/*.yaml\"]\nalerting: {place.dir}/alertmanager.yml\n{more}")


def line(place, app, level="error", at=None):
    at = time.time() if at is None else at
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at)) + f".{int(at % 1 * 1e6):06d}Z"
    with open(f"{place.logs}/a.log", "a") as f:
        f.write(json.dumps({"time": stamp, "level": level, "app": app, "msg": f"{app} says no"}) + "\n")


def get(place, path):
    status, body = request(place, "GET", path)
    check(status == 200, f"{path}: {status} {body[:300]}")
    return json.loads(body)


def events(place, more=""):
    return place.query('{weir="alerts"} change:* ' + more)


def test_webhook():
    hook = Hook()
    with Place("alerts") as place:
        configure(place, hook, window="3s")
        place.start()
        took = []
        for i in range(8):
            began = time.time()
            line(place, f"app{i}")
            wait_until(lambda: ("firing", f"app{i}") in hook.alerts(), what=f"the webhook of app{i}")
            took.append(time.time() - began)
            time.sleep(0.137)
        median = statistics.median(took)
        print(f"   line to webhook: median {median:.2f} s, most {max(took):.2f} s")
        check(median < 2, f"median {median}")
        body = hook.got[0][1]
        check(body["version"] == "4" and body["status"] == "firing" and body["receiver"] == "hook", f"{body}")
        check(body["alerts"][0]["labels"] == {"alertname": "Errors", "alertgroup": "shop", "app": "app0", "severity": "page"},
              f"labels {body['alerts'][0]['labels']}")
        check(body["alerts"][0]["annotations"]["summary"] == "app0 has 1 errors", f"{body['alerts'][0]['annotations']}")
        wait_until(lambda: all(("resolved", f"app{i}") in hook.alerts() for i in range(8)), what="all to be resolved")
        told = hook.alerts()
        check(all(told.count((s, f"app{i}")) == 1 for s in ("firing", "resolved") for i in range(8)), f"told twice: {told}")
        wait_until(lambda: len(events(place, 'change:delivered')) == 16, what="the events of delivery")
        rows = events(place, 'alert:Errors')
        check(sorted(r["change"] for r in rows) == ["firing"] * 8 + ["resolved"] * 8, f"events {[r['change'] for r in rows]}")
        check(len({r["event_id"] for r in rows}) == 16, "an event stands twice")
        check(place.count("* | filter alert:*") == 0, "events are seen by a query that does not name them")
        check(place.stop() == 0, "SIGTERM")
    hook.close()


def test_journal():
    journald = Journald.need()
    hook = Hook()
    with Place("alertsj") as place:
        configure(place, hook, inputs="  - journal: {from: now}", store="commit_interval: 1s")
        place.start()
        time.sleep(1)
        took = []
        for i in range(5):
            began = time.time()
            journald.send(json.dumps({"level": "error", "app": f"app{i}", "msg": "no"}), SYSLOG_IDENTIFIER="shop")
            wait_until(lambda: ("firing", f"app{i}") in hook.alerts(), what="the webhook")
            took.append(time.time() - began)
            time.sleep(0.211)
        median = statistics.median(took)
        print(f"   journald line to webhook, commit interval 1s: median {median:.2f} s, most {max(took):.2f} s")
        check(median < 2, f"median {median}")
        check(place.stop() == 0, "SIGTERM")
    hook.close()


def test_restart_pending_and_firing():
    hook = Hook()
    with Place("alertsr") as place:
        configure(place, hook, window="5s", for_="3s")
        place.start()
        line(place, "one")
        wait_until(lambda: get(place, "/api/v1/alerts")["data"]["alerts"], what="a pending alert")
        active = get(place, "/api/v1/alerts")["data"]["alerts"][0]
        check(active["state"] == "pending", f"{active}")
        place.kill()
        place.start()
        wait_until(lambda: hook.alerts() == [("firing", "one")], what="firing after the restart")
        now = get(place, "/api/v1/alerts")["data"]["alerts"][0]
        check(now["activeAt"] == active["activeAt"], f"active since {now['activeAt']}, was {active['activeAt']}")
        place.kill()
        place.start()
        wait_until(lambda: hook.alerts() == [("firing", "one"), ("resolved", "one")], what="resolved after the restart")
        place.kill()
        place.start()
        time.sleep(2)
        check(hook.alerts() == [("firing", "one"), ("resolved", "one")], f"told {hook.alerts()}")
        changes = [r["change"] for r in sorted(events(place, "alert:Errors"), key=lambda r: r["_time"])]
        check(changes == ["pending", "firing", "resolved"], f"events {changes}")
    hook.close()


def test_reload():
    hook = Hook()
    with Place("alertsl") as place:
        configure(place, hook, window="1m")
        place.start()
        line(place, "one")
        wait_until(lambda: hook.alerts() == [("firing", "one")], what="firing")
        rules(place, "groups: [{name: shop, rules: [{alert: Broken, expr: 'level:error | stats by ('}]}]")
        place.daemon.send_signal(signal.SIGHUP)
        wait_until(lambda: "configuration is refused" in place.said(), what="the refusal")
        check("shop.yaml:1:" in place.said(), f"no place of the mistake: {place.said()[-500:]}")
        check(len(get(place, "/api/v1/rules")["data"]["groups"][0]["rules"]) == 1, "the old rules hold")
        rules(place, RULE.format(window="1m", for_="0s").replace("Errors", "Renamed"))
        place.daemon.send_signal(signal.SIGHUP)
        wait_until(lambda: ("resolved", "one") in hook.alerts(), what="the old rule's alert to resolve")
        wait_until(lambda: hook.alerts().count(("firing", "one")) == 2, what="the new rule's alert")
        check(hook.got[-1][1]["alerts"][0]["labels"]["alertname"] in ("Renamed", "Errors"), "labels")
        check(place.stop() == 0, "SIGTERM")
    hook.close()


def test_receiver_down():
    hook = Hook()
    hook.status = 503
    with Place("alertsd") as place:
        configure(place, hook, window="1m")
        place.start()
        line(place, "one")
        wait_until(lambda: hook.statuses(), what="a try")
        wait_until(lambda: get(place, "/api/weir/outbox")["outbox"], what="the outbox to show it")
        out = place.weir("alerts", "outbox").stdout.decode()
        check("hook" in out and "503" in out, f"outbox says {out}")
        place.kill()
        hook.status = 200
        n = len(hook.got)
        place.start()
        wait_until(lambda: len(hook.got) > n, what="the delivery after the restart")
        time.sleep(1)
        check(len(hook.got) == n + 1, "delivered twice")
        check(get(place, "/api/weir/outbox")["outbox"] == [], "the outbox is not empty")
        check(place.stop() == 0, "SIGTERM")
    hook.close()


def test_unknown():
    """A source that cannot be read makes its rules unknown, and nothing resolves."""
    hook = Hook()
    with Place("alertsu") as place:
        configure(place, hook, window="3s", inputs=f"  - files: {{paths: [\"{place.logs}/*.log\"], rescan: 1s}}")
        os.chmod(place.dir, 0o755)
        place.start()
        line(place, "one")
        wait_until(lambda: hook.alerts() == [("firing", "one")], what="firing")
        # a loss is a gap: the file is cut off while it is followed
        with open(f"{place.logs}/a.log", "w") as f:
            f.write("")
        time.sleep(4)
        state = place.weir("why-not", "Errors").stdout.decode()
        check("Errors" in state, state)
        check(place.stop() == 0, "SIGTERM")
    hook.close()


def test_full_disk():
    """state.db cannot grow: alerts stay in memory, nothing is sent; with room again all of it is told, once."""
    hook = Hook()
    with Place("alertsf") as place:
        if os.geteuid() != 0:
            raise Skip("needs root for a small file system")
        # as large as a store can do with: what fills it is beside the store's own files
        os.mkdir(place.store)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m,mode=750", "tmpfs", place.store], check=True)
        try:
            configure(place, hook, window="4s")
            place.start()
            line(place, "before")
            wait_until(lambda: ("firing", "before") in hook.alerts(), what="an alert before")
            with open(f"{place.store}/filler", "wb") as f:
                try:
                    while True:
                        f.write(b"x" * 65536)
                        f.flush()
                except OSError:
                    pass
            line(place, "during")
            time.sleep(4)
            check(place.daemon.poll() is None, f"weird ended: {place.said()[-1000:]}")
            check(("firing", "during") not in hook.alerts() or "cannot be written" not in place.said(),
                  "told before it was stored")
            os.unlink(f"{place.store}/filler")
            wait_until(lambda: ("firing", "during") in hook.alerts(), seconds=30, what="the alert of the full time")
            wait_until(lambda: ("resolved", "during") in hook.alerts(), seconds=30, what="its end")
            wait_until(lambda: ("resolved", "before") in hook.alerts(), seconds=30, what="the end of the one before")
            time.sleep(2)
            told = hook.alerts()
            check(all(told.count((s, a)) == 1 for s in ("firing", "resolved") for a in ("before", "during")), f"told {told}")
            check(place.stop() == 0, "SIGTERM")
        finally:
            if place.daemon and place.daemon.poll() is None:
                place.kill()
            subprocess.run(["umount", "-l", place.store])
    hook.close()


def test_commands():
    hook = Hook()
    with Place("alertsc") as place:
        configure(place, hook)
        rules(place, UNTIL_WELL.format(window="1h", for_="0s"))
        place.start()
        line(place, "one")
        wait_until(lambda: hook.alerts() == [("firing", "one")], what="firing")
        out = place.weir("alerts").stdout.decode()
        check("Errors" in out and "firing" in out and 'app="one"' in out, f"weir alerts says {out}")
        rows = json.loads(place.weir("alerts", "--output", "json").stdout)
        check(rows["alerts"][0]["state"] == "firing", f"{rows}")
        out = place.weir("why", "Errors").stdout.decode()
        check("level:error" in out and "firing" in out, f"weir why says {out}")
        out = place.weir("why-not", "Errors").stdout.decode()
        check("interval 1s" in out and "as the store has them now" in out, f"weir why-not says {out}")
        check(place.weir("why", "Nothing", ok=(1,)).returncode == 1, "why of nothing")
        status = place.weir("status").stdout.decode()
        check("rules" in status and "1 firing" in status, f"weir status says {status}")
        metrics = lambda: request(place, "GET", "/metrics")[1]
        check('vmalert_alerts_firing{alertname="Errors"' in metrics(), "metrics")
        wait_until(lambda: "weir_outbox_delivered_total 1\n" in metrics(), what="the count of what was delivered")
        line(place, "one", level="info")
        wait_until(lambda: ("resolved", "one") in hook.alerts(), what="resolved")
        wait_until(lambda: len(events(place, 'alert:Errors')) == 2, what="the events")
        fired = [r for r in events(place, 'change:firing')][0]["_time"]
        check(place.stop() == 0, "SIGTERM")
        # without the daemon
        out = place.weir("alerts", "--history").stdout.decode()
        check("firing" in out and "resolved" in out and 'app="one"' in out, f"history says {out}")
        out = place.weir("alerts", "--at", fired).stdout.decode()
        check('app="one"' in out, f"alerts --at says {out}")
        check(place.weir("alerts", ok=(3,)).returncode == 3, "alerts without a daemon")
    hook.close()


if __name__ == "__main__":
    main([v for k, v in list(globals().items()) if k.startswith("test_")])
