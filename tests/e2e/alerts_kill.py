#!/usr/bin/env python3
"""tests/e2e/alerts_kill.py - weird killed at random moments tells what one that lived would have told.

Lines are written all the while; every app has its own times of trouble.  Its webhooks, by alert, must be firing, resolved, firing, …
as often as there was trouble: none missing, and one twice only where its answer may have been cut off, with the same ID.
20 kills; 200 with $WEIR_LONG.
"""
import collections
import http.server
import json
import os
import random
import threading
import time

from harness import LONG, Place, check, main, wait_until

KILLS = 200 if LONG else 20
APPS = 6
WINDOW_S = 3
RULES = """
groups:
  - name: kill
    interval: 1s
    rules:
      - {alert: Errors, expr: 'level:error | stats by (app) count() n | filter n:>0', window: 3s}
      - {alert: Lasting, expr: 'level:error | stats by (app) count() n | filter n:>0', window: 3s, for: 2s, keep_firing_for: 1s}
"""
ROUTE = """
route: {receiver: hook, group_by: [alertname, app], group_wait: 0s, group_interval: 1s, repeat_interval: 10h}
receivers: [{name: hook, webhook_configs: [{url: 'http://127.0.0.1:%d/', send_resolved: true}]}]
"""


class Hook:
    """Answers most at once, some late, so that kills cut answers off."""

    def __init__(self):
        self.got, self.lock = [], threading.Lock()
        hook, rng = self, random.Random(1)

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                name = self.headers["Idempotency-Key"]
                with hook.lock:
                    hook.got.append((time.time(), name, body))
                    late = rng.random() < 0.2
                if late:
                    time.sleep(0.3)
                try:
                    self.send_response(200)
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                except OSError:
                    pass

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


class Writer(threading.Thread):
    """Each app has trouble for a while, then none for longer than the window; the times are kept."""

    def __init__(self, path, seed):
        super().__init__(daemon=True)
        self.path, self.rng, self.stop = path, random.Random(seed), threading.Event()
        self.trouble = collections.defaultdict(list)  # app: [from, to]
        self.lines = 0

    def run(self):
        turn = {f"app{i}": (False, time.time() + self.rng.uniform(1, 4)) for i in range(APPS)}
        with open(self.path, "a", buffering=1) as f:
            while not self.stop.is_set():
                for app, (bad, until) in list(turn.items()):
                    if time.time() >= until:
                        bad = not bad
                        turn[app] = (bad, time.time() + (self.rng.uniform(5, 8) if bad else self.rng.uniform(11, 15)))
                    self.write(f, app, bad)
                time.sleep(0.1)
            for app in turn:
                self.write(f, app, False)

    def write(self, f, app, bad):
        now = time.time()
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now)) + f".{int(now % 1 * 1e6):06d}Z"
        f.write(json.dumps({"time": stamp, "level": "error" if bad else "info", "app": app, "msg": "line"}) + "\n")
        self.lines += 1
        if bad:
            mine = self.trouble[app]
            if not mine or now - mine[-1][1] > WINDOW_S + 1:
                mine.append([now, now])
            mine[-1][1] = now


def told(hook):
    """By alert and app: the statuses in order; and what came twice."""
    seen, all_, twice = set(), collections.defaultdict(list), 0
    with hook.lock:
        got = list(hook.got)
    for _, name, body in got:
        key = (name, json.dumps(body, sort_keys=True))
        if key in seen:
            twice += 1
            continue
        seen.add(key)
        for a in body["alerts"]:
            all_[a["labels"]["alertname"], a["labels"]["app"]].append((body["status"], a["startsAt"]))
    return all_, twice, got


def configure(place, hook):
    os.makedirs(f"{place.dir}/rules")
    with open(f"{place.dir}/rules/kill.yaml", "w") as f:
        f.write(RULES)
    with open(f"{place.dir}/alertmanager.yml", "w") as f:
        f.write(ROUTE % hook.port)
    place.config(f"  - files: {{paths: [\"{place.logs}/*.log\"]}}", store="commit_interval: 100ms",
                 more=f"rules: [\"{place.dir}/rules/*.yaml\"]\nalerting: {place.dir}/alertmanager.yml")


def is_done(hook, writer):
    all_, _, _ = told(hook)
    want = {(rule, app): len(t) for app, t in writer.trouble.items() for rule in ("Errors", "Lasting")}
    return all(sum(s == "resolved" for s, _ in all_[k]) >= n for k, n in want.items())


def test_kills():
    hook, rng = Hook(), random.Random(7)
    with Place("alertskill") as place:
        configure(place, hook)
        writer = Writer(f"{place.logs}/a.log", 3)
        place.start()
        writer.start()
        for _ in range(KILLS):
            time.sleep(rng.choice([rng.uniform(0, 0.3), rng.uniform(0.3, 1.5), rng.uniform(1, 3)]))
            place.kill()
            time.sleep(rng.choice([0, 0, rng.uniform(0, 1), rng.uniform(0, 3) if rng.random() < 0.2 else 0]))
            place.start(wait=False)
        writer.stop.set()
        writer.join()
        wait_until(lambda: is_done(hook, writer), seconds=60, what="every trouble to be told as resolved")
        time.sleep(4)
        all_, twice, got = told(hook)
        problems = []
        for app, troubles in sorted(writer.trouble.items()):
            for rule in ("Errors", "Lasting"):
                statuses = [s for s, _ in all_[rule, app]]
                if statuses != ["firing", "resolved"] * len(troubles):
                    problems.append(f"{rule} {app}: {len(troubles)} troubles, told {statuses}")
        n = sum(len(v) for v in all_.values())
        print(f"   {KILLS} kills, {writer.lines} lines, {sum(map(len, writer.trouble.values()))} troubles, {n} alerts told, "
              f"{twice} doubled with the same body and ID")
        for p in problems:
            print("   " + p)
        check(not problems, "notifications are not those of an uninterrupted run")
        check(twice <= KILLS, f"{twice} doubles in {KILLS} kills")
        # the store's own events: each change once
        wait_until(lambda: place.answers(), what="the daemon")
        rows = place.query('{weir="alerts"} alert:*')
        ids = collections.Counter(r["event_id"] for r in rows)
        check(max(ids.values()) == 1, f"events twice: {[k for k, v in ids.items() if v > 1][:5]}")
        fired = collections.Counter((r["alert"], r["labels.app"]) for r in rows if r["change"] == "firing")
        for (rule, app), v in sorted(all_.items()):
            check(fired[rule, app] == sum(s == "firing" for s, _ in v), f"{rule} {app}: {fired[rule, app]} events, {v}")
        check(place.stop() == 0, "SIGTERM")
    hook.server.shutdown()


if __name__ == "__main__":
    main([v for k, v in list(globals().items()) if k.startswith("test_")])
