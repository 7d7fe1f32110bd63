"""tests/e2e/alertmanager.py - weir beside a real Alertmanager 0.25, with the same configuration and the same alerts.

Each case is a configuration and a stream of events made from a number.  Both take the events over /api/v2 at the same
moments and call the same web server; what each receiver was told of each group must be the same, in order: status,
alerts with labels, annotations and times, labels of the group and in common, how many were cut.

Time is real, so waits are made not to meet events: events and ends come at even seconds, group_wait is odd and
group_interval even, so that groups are looked at at odd seconds; repeat_interval is odd and so never a whole number of
intervals.  One alert that began long ago, and so does not wait, comes half a second later, and its group is looked at
at such halves.  A case ends before Alertmanager clears away empty groups (30 s after its start, at a moment of its own).

The second part asks weir and Alertmanager the same with amtool.
"""
import concurrent.futures
import datetime
import http.server
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request

from harness import LONG, WEIRD, Place, Skip, check, main, wait_until

LAST_EVENT_S = 18
CASE_S = 24.25
N_CASES = int(os.environ.get("WEIR_AM_CASES", "30" if LONG else "6"))
FIRST = int(os.environ.get("WEIR_AM_FIRST", "0"))
AT_ONCE = 10


PORTS = iter(random.Random().sample(range(20000, 30000), 5000))
PORTS_LOCK = threading.Lock()


def free_port():
    """One that nobody listens on, each given once, and none that the kernel gives to those who connect."""
    with PORTS_LOCK:
        for port in PORTS:
            with socket.socket() as s:
                try:
                    s.bind(("127.0.0.1", port))
                    return port
                except OSError:
                    continue
    raise Skip("no port is free")


def iso(t):
    return datetime.datetime.fromtimestamp(t, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


# ---- the receiver of both ----


class Sink(http.server.ThreadingHTTPServer):
    """Keeps what is posted to /CASE/SIDE/RECEIVER/INDEX."""

    daemon_threads = True
    request_queue_size = 256

    def __init__(self):
        super().__init__(("127.0.0.1", 0), SinkRequest)
        self.told = {}
        self.lock = threading.Lock()
        threading.Thread(target=self.serve_forever, daemon=True).start()


class SinkRequest(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        case, side, receiver = self.path[1:].split("/", 2)
        with self.server.lock:
            self.server.told.setdefault((case, side), []).append((time.time(), receiver, body))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


# ---- a case ----

LABELS = {"alertname": ["Down", "Slow", "Full"], "job": ["api", "db"], "instance": ["a", "b", "c"], "sev": ["warn", "crit"],
          "a1": ["x", ""], "a": ['q"\\', "é\n"]}


class Case:
    def __init__(self, n, minute_at):
        """minute_at: seconds after the start at which the minute changes; None: it may not matter."""
        self.n = n
        self.minute_at = minute_at
        self.rnd = random.Random(7000 + n)
        self.receivers = [f"r{i}" for i in range(4)]
        self.hooks = {r: [{"send_resolved": self.rnd.random() < 0.7, "max_alerts": self.rnd.choice([0, 0, 0, 1, 2])}
                          for _ in range(self.rnd.choice([1, 1, 1, 2]))] for r in self.receivers}
        self.route = self.make_route(0)
        self.inhibits = [self.make_inhibit() for _ in range(self.rnd.choice([0, 1, 1, 2]))]
        self.resolve_timeout = self.rnd.choice(["6s", "10s", "5m", "5m"])
        self.events = self.make_events()

    # configuration

    def make_matcher(self):
        name = self.rnd.choice(["alertname", "job", "instance", "sev", "none"])
        values = LABELS.get(name, [""])
        op = self.rnd.choice(["=", "=", "=~", "!=", "!~"])
        value = "|".join(self.rnd.sample(values, self.rnd.randint(1, len(values)))) if "~" in op else self.rnd.choice(values)
        return name, op, value

    def make_route(self, depth):
        r = self.rnd
        route = {}
        if depth == 0:
            route["receiver"] = r.choice(self.receivers)
        elif r.random() < 0.7:
            route["receiver"] = r.choice(self.receivers)
        if depth == 0 or r.random() < 0.5:
            route["group_by"] = r.choice([["..."], ["alertname"], ["job", "sev"], ["alertname", "a1", "a"], ["instance"], []])
        if depth == 0 or r.random() < 0.3:
            route["group_wait"] = r.choice(["1s", "3s", "1s"])
        if depth == 0 or r.random() < 0.3:
            route["group_interval"] = r.choice(["2s", "4s", "6s"])
        if depth == 0 or r.random() < 0.3:
            route["repeat_interval"] = r.choice(["5s", "7s", "9s", "1h", "1h"])
        if depth > 0:
            ms = [self.make_matcher() for _ in range(r.choice([1, 1, 2]))]
            form = r.random()
            if form < 0.2:
                route["match"] = {n: v for n, _, v in ms}
            elif form < 0.4:
                route["match_re"] = {n: v for n, _, v in ms}
            else:
                route["matchers"] = [f'{n}{op}"{v}"' for n, op, v in ms]
            route["continue"] = r.random() < 0.4
            if self.minute_at is not None and r.random() < 0.5:
                route[r.choice(["mute_time_intervals", "active_time_intervals"])] = r.sample(["past", "from", "other"],
                                                                                            r.choice([1, 1, 2]))
        if depth < 3:
            kids = [self.make_route(depth + 1) for _ in range(r.choice([2, 3, 4] if depth == 0 else [0, 0, 1, 2]))]
            if kids:
                route["routes"] = kids
        return route

    def make_inhibit(self):
        r = self.rnd
        equal = r.choice([[], ["job"], ["instance", "job"], ["a1"]])
        if r.random() < 0.3:
            return {"source_match": {"sev": "crit"}, "target_match_re": {"sev": "warn|crit"}, "equal": equal}
        a, b = self.make_matcher(), self.make_matcher()
        return {"source_matchers": [f'{a[0]}{a[1]}"{a[2]}"', 'sev="crit"'], "target_matchers": [f'{b[0]}{b[1]}"{b[2]}"'],
                "equal": equal}

    def config(self, side, sink, start):
        """YAML is a superset of JSON."""
        conf = {"global": {"resolve_timeout": self.resolve_timeout}, "route": self.route, "inhibit_rules": self.inhibits,
                "receivers": [{"name": r, "webhook_configs": [
                    {"url": f"http://127.0.0.1:{sink.server_port}/{self.n}/{side}/{r}/{i}", **h} for i, h in enumerate(hooks)]}
                    for r, hooks in self.hooks.items()]}
        if self.minute_at is not None:
            minute = datetime.datetime.fromtimestamp(start + self.minute_at + 1, datetime.timezone.utc)
            hm = minute.strftime("%H:%M")
            conf["time_intervals"] = [
                {"name": "past", "time_intervals": [{"times": [{"start_time": "00:00", "end_time": hm if hm != "00:00" else "00:01"}]}]},
                {"name": "other", "time_intervals": [{"months": [str(minute.month % 12 + 1)]}]}]
            conf["mute_time_intervals"] = [
                {"name": "from", "time_intervals": [{"times": [{"start_time": hm, "end_time": "24:00"}],
                                                     "weekdays": [minute.strftime("%A").lower()]}]}]
        return json.dumps(conf, indent=1)

    # events

    def make_events(self):
        r = self.rnd
        known, silences, events = [], 0, []
        for t in range(0, LAST_EVENT_S + 1, 2):
            for _ in range(r.choice([0, 1, 2, 3]) if t else 5):
                what = r.random()
                if what < 0.5 or not known:
                    labels = {k: r.choice(v) for k, v in LABELS.items() if r.random() < 0.8 or k == "alertname"}
                    known.append(labels)
                    events.append((t, "post", [self.alert(labels, t)]))
                elif what < 0.62:
                    some = r.sample(known, min(len(known), 3))
                    events.append((t, "post", [self.alert(x, t) for x in some]))
                elif what < 0.8:
                    events.append((t, "post", [{"labels": r.choice(known), "end": t}]))
                elif what < 0.93:
                    name, op, value = self.make_matcher()
                    name, value = (name, value) if value and name != "none" else ("sev", "warn")
                    events.append((t, "silence", (silences, name, op, value, t + r.choice([4, 8, 60]))))
                    silences += 1
                elif silences:
                    events.append((t, "expire", r.randrange(silences)))
        old = self.alert({k: r.choice(v) for k, v in LABELS.items()}, 0)
        at = r.choice([2, 6, 10])
        old |= {"start": at - 20, "end": at + r.choice([4, 60])}
        events.append((at + 0.5, "post", [old]))
        return sorted(events, key=lambda e: e[0])

    def alert(self, labels, t):
        a = {"labels": labels, "annotations": {"text": self.rnd.choice(["one", "two"]), "only": str(t % 4)},
             "generatorURL": "http://g/" + labels["alertname"]}
        if self.rnd.random() < 0.3:
            a["start"] = t
        if self.rnd.random() < 0.2:
            a["end"] = t + self.rnd.choice([4, 6, 60])
        return a


# ---- the two sides ----


def http(method, url, body=None):
    data = json.dumps(body).encode() if body is not None else None
    req = urllib.request.Request(url, data, {"Content-Type": "application/json"}, method=method)
    try:
        with urllib.request.urlopen(req, timeout=20) as res:
            text = res.read()
            return res.status, json.loads(text) if text else None
    except urllib.error.HTTPError as e:
        return e.code, e.read().decode()


class Side:
    def __init__(self, folder, config):
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.dir = folder
        self.silences = {}
        os.makedirs(folder)
        self.am = os.path.join(folder, "alertmanager.yml")
        with open(self.am, "w") as f:
            f.write(config)
        self.log = open(os.path.join(folder, "log"), "wb")
        self.proc = subprocess.Popen(self.command(), stdout=self.log, stderr=self.log, cwd=folder)

    def wait(self):
        def up():
            check(self.proc.poll() is None, f"{self.command()[0]} ended: {open(os.path.join(self.dir, 'log')).read()[-2000:]}")
            try:
                return http("GET", self.url + "/api/v2/status")[0] == 200
            except OSError:
                return False
        wait_until(up, what=f"{self.command()[0]} on its port", seconds=40)

    def stop(self):
        if self.proc.poll() is None:
            self.proc.terminate()
            try:
                self.proc.wait(10)
            except subprocess.TimeoutExpired:
                self.proc.kill()
                self.proc.wait()
        self.log.close()

    def event(self, kind, what, start):
        if kind == "post":
            body = []
            for a in what:
                one = {k: v for k, v in a.items() if k not in ("start", "end")}
                if "start" in a:
                    one["startsAt"] = iso(start + a["start"])
                if "end" in a:
                    one["endsAt"] = iso(start + a["end"])
                body.append(one)
            return http("POST", self.url + "/api/v2/alerts", body)[0]
        if kind == "silence":
            n, name, op, value, end = what
            status, got = http("POST", self.url + "/api/v2/silences", {
                "matchers": [{"name": name, "value": value, "isRegex": "~" in op, "isEqual": "!" not in op}],
                "startsAt": iso(time.time() - 10), "endsAt": iso(start + end), "createdBy": "test", "comment": "c"})
            if status == 200:
                self.silences[n] = got["silenceID"]
            return status
        if what not in self.silences:
            return 0
        return http("DELETE", f"{self.url}/api/v2/silence/{self.silences[what]}")[0]


class Alertmanager(Side):
    def command(self):
        return ["prometheus-alertmanager", "--config.file", self.am, "--storage.path", os.path.join(self.dir, "data"),
                "--cluster.listen-address=", "--web.listen-address", f"127.0.0.1:{self.port}", "--log.level=warn"]


class Weir(Side):
    def command(self):
        conf = os.path.join(self.dir, "weir.yaml")
        if not os.path.exists(conf):
            with open(conf, "w") as f:
                f.write(f"store: {{path: {self.dir}/store, min_free_percent: 0}}\n"
                        f"http: {{listen: '127.0.0.1:{self.port}', auth: none}}\n"
                        f"inputs:\n  - files: {{paths: [{self.dir}/none/*.log]}}\n"
                        f"alerting: {self.am}\n")
        return [WEIRD, "--config", conf]


SIDES = {"am": Alertmanager, "weir": Weir}
if os.environ.get("WEIR_AM_SELF"):  # whether the test itself is steady: Alertmanager beside Alertmanager
    SIDES["weir"] = Alertmanager


# ---- what is compared ----


def of_group(body, receiver):
    """What a receiver sees, less what says when or by whom."""
    alerts = []
    for a in body["alerts"]:
        one = {k: a[k] for k in ("status", "labels", "annotations", "generatorURL", "fingerprint")}
        alerts.append(one)
    return {"receiver": receiver, "status": body["status"], "alerts": alerts, "cut": body.get("truncatedAlerts", 0),
            **{k: body[k] for k in ("groupLabels", "commonLabels", "commonAnnotations", "version")},
            "name": body["receiver"]}


def by_group(told):
    groups = {}
    for _, receiver, body in told:
        groups.setdefault((receiver, body["groupKey"]), []).append(of_group(body, receiver))
    return groups


def show(told, start):
    out = []
    for t, receiver, body in told:
        alerts = " ".join(("-" if a["status"] == "resolved" else "+") + ",".join(a["labels"].values()) for a in body["alerts"])
        out.append(f"{t - start:6.2f} {receiver} {body['groupKey']} {alerts}")
    return "\n      ".join(out)


def run_case(case, sink, top, start):
    """Start both, give them the events, and return what differs."""
    sides = {}
    try:
        for side, cls in SIDES.items():
            sides[side] = cls(os.path.join(top, f"{case.n}-{side}"), case.config(side, sink, start))
        for s in sides.values():
            s.wait()
        check(time.time() < start - 0.2, "the programs were not up in time")
        answers = {side: [] for side in sides}
        for t, kind, what in case.events:
            time.sleep(max(0, start + t - time.time()))
            for side, s in sides.items():
                answers[side].append((t, kind, s.event(kind, what, start)))
        time.sleep(max(0, start + CASE_S + 0.2 - time.time()))
    finally:
        for s in sides.values():
            s.stop()
    told = {side: [x for x in sink.told.get((str(case.n), side), []) if x[0] < start + CASE_S] for side in sides}
    if answers["am"] != answers["weir"]:
        return f"answers differ: {[x for x in zip(answers['am'], answers['weir']) if x[0] != x[1]][:3]}", told
    groups = {side: by_group(t) for side, t in told.items()}
    for key in sorted(set(groups["am"]) | set(groups["weir"])):
        a, b = groups["am"].get(key, []), groups["weir"].get(key, [])
        if a != b:
            n = next((i for i in range(max(len(a), len(b))) if a[i:i + 1] != b[i:i + 1]), 0)
            return f"{key}, message {n + 1} of {len(a)} and {len(b)}:\n    am   {a[n:n + 1]}\n    weir {b[n:n + 1]}", told
    return "", told


def run_batch(numbers, sink, top, timed):
    now = time.time()
    up = 4 + 0.4 * len(numbers)
    if timed:  # so that the minute changes at second 10
        start = (int(now + up + 10) // 60 + 1) * 60 - 10
    else:
        start = int(now + up) // 2 * 2 + 2
    cases = [Case(n, 10 if timed else None) for n in numbers]
    time.sleep(max(0, start - up - time.time()))
    bad = []
    with concurrent.futures.ThreadPoolExecutor(len(cases)) as pool:
        for case, job in [(c, pool.submit(run_case, c, sink, top, start)) for c in cases]:
            why, told = job.result()
            print(f"   case {case.n}: {len(told['am'])} and {len(told['weir'])} messages{': differs' if why else ''}", flush=True)
            if why:
                bad.append(f"case {case.n}: {why}\n  am:\n      {show(told['am'], start)}\n  weir:\n      {show(told['weir'], start)}")
    return bad, sum(len(sink.told.get((str(n), "am"), [])) for n in numbers)


def need_alertmanager():
    if shutil.which("prometheus-alertmanager") is None or shutil.which("amtool") is None:
        raise Skip("needs prometheus-alertmanager")


def test_same_notifications():
    need_alertmanager()
    top = tempfile.mkdtemp(prefix="weir-e2e-am-")
    sink = Sink()
    numbers = list(range(FIRST, FIRST + N_CASES))
    bad, n = [], 0
    for i in range(0, len(numbers), AT_ONCE):
        b, k = run_batch(numbers[i:i + AT_ONCE], sink, top, timed=i == 0)
        bad += b
        n += k
    sink.shutdown()
    for b in bad:
        print(b)
    check(not bad, f"{len(bad)} of {N_CASES} cases differ; see {top}")
    check(n >= 5 * N_CASES, f"only {n} messages were compared")
    print(f"   {N_CASES} configurations, {n} messages, the same of both")
    shutil.rmtree(top, ignore_errors=True)


# ---- amtool ----


def amtool(side, *args, ok=True):
    p = subprocess.run(["amtool", f"--alertmanager.url={side.url}", *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                       text=True, env={**os.environ, "TZ": "UTC"})
    if ok:
        check(p.returncode == 0, f"amtool {' '.join(args)}: {p.stderr}")
    return p


CONFIG = """
route: {receiver: r, group_by: [alertname], group_wait: 1s, routes: [{matchers: [job="db"], receiver: s}]}
receivers: [{name: r}, {name: s}]
inhibit_rules: [{source_matchers: [sev="crit"], target_matchers: [sev="warn"], equal: [job]}]
"""


def without(v, *names):
    """JSON less what differs between two runs of anything."""
    if isinstance(v, dict):
        return {k: without(x, *names) for k, x in v.items() if k not in names}
    if isinstance(v, list):
        return [without(x, *names) for x in v]
    return v


def test_amtool():
    need_alertmanager()
    top = tempfile.mkdtemp(prefix="weir-e2e-amtool-")
    sides = [cls(os.path.join(top, name), CONFIG) for name, cls in SIDES.items()]
    try:
        for s in sides:
            s.wait()
        amtool_story(sides)
    finally:
        for s in sides:
            s.stop()
    shutil.rmtree(top, ignore_errors=True)


def amtool_story(sides):
    def both(*args, ok=True):
        a, b = (amtool(s, *args, ok=ok) for s in sides)
        check(a.returncode == b.returncode, f"amtool {' '.join(args)}: {a.returncode} and {b.returncode}: {a.stderr} {b.stderr}")
        return a.stdout, b.stdout

    def same(*args, drop=()):
        a, b = (without(json.loads(x), *drop) for x in both(*args, "-o", "json"))
        check(a == b, f"amtool {' '.join(args)}:\nam   {a}\nweir {b}")
        return a

    when = ("startsAt", "endsAt", "updatedAt", "id", "silencedBy")
    both("alert", "add", "Down", "job=api", "sev=crit", "--annotation=summary=it is 'down'", "--generator-url=http://g/",
         "--end=2100-01-02T03:04:05Z")
    both("alert", "add", "Slow", "job=api", "sev=warn")
    both("alert", "add", "Full", "job=db", "instance=a", "--start=2020-01-01T00:00:00Z", "--end=2100-01-02T03:04:05Z")
    both("alert", "add", "Past", "--start=2020-01-02T00:00:00Z", "--end=2020-01-01T00:00:00Z", ok=False)
    check(len(same("alert", "query", drop=when)) == 2, "two alerts are active")
    check(len(same("alert", "query", "-i", "-a", drop=when)) == 3, "one more is inhibited")
    check(len(same("alert", "query", "job=~a.*", drop=when)) == 1, "one of job api is active")
    check(len(same("alert", "query", "Full", drop=when)) == 1, "one has that name")
    check(len(same("alert", "query", "-r", "s", drop=when)) == 1, "one goes to s")
    both("alert", "query", "job=~(", ok=False)
    ids = [x.strip() for x in both("silence", "add", "alertname=Full", "instance=~a|b", "-d", "2h", "-c", "a comment", "-a", "me")]
    check(all(len(i) == 36 for i in ids), f"IDs: {ids}")
    both("silence", "add", "x=1", ok=False)  # no comment
    check(len(same("silence", "query", drop=when)) == 1, "one silence")
    check(len(same("silence", "query", "alertname=Full", drop=when)) == 1, "found by its matcher")
    check(len(same("silence", "query", "alertname=Other", drop=when)) == 0, "not found by another")
    check(len(same("alert", "query", drop=when)) == 1, "one is silenced")
    check(len(same("alert", "query", "-s", drop=when)) == 1, "and shown when asked for")
    for s, i in zip(sides, ids):
        new = json.loads(amtool(s, "silence", "update", i, "-d", "4h", "-c", "longer", "-o", "json").stdout)
        check(new[0]["id"] == i and new[0]["comment"] == "longer", f"updated in place: {new}")
        amtool(s, "silence", "expire", i)
        amtool(s, "silence", "expire", i)
        none = amtool(s, "silence", "expire", "00000000-0000-4000-8000-000000000000", ok=False)
        check(none.returncode != 0, "one that is not there was expired")
    check(len(same("silence", "query", drop=when)) == 0, "none holds")
    check(len(same("silence", "query", "--expired", drop=when)) == 1, "one has expired")
    check(len(same("alert", "query", drop=when)) == 2, "the alert is active again")
    for s in sides:
        path = os.path.join(s.dir, "silences.json")
        with open(path, "w") as f:
            json.dump([{"matchers": [{"name": "alertname", "value": f"I{i}", "isRegex": False, "isEqual": True}],
                        "startsAt": iso(time.time()), "endsAt": iso(time.time() + 3600 + i), "createdBy": "i", "comment": "imported"}
                       for i in range(20)], f)
        amtool(s, "silence", "import", path)
    check(len(same("silence", "query", drop=when)) == 20, "all were imported")
    for s in sides:
        amtool(s, "silence", "expire", *amtool(s, "silence", "query", "-q", "alertname=I1").stdout.split())
    check(len(same("silence", "query", drop=when)) == 19, "one of them expired")
    groups = [without(http("GET", s.url + "/api/v2/alerts/groups")[1], *when) for s in sides]
    check(groups[0] == groups[1], f"groups:\nam   {groups[0]}\nweir {groups[1]}")
    check(amtool(sides[1], "config", "show").stdout.find("group_by") >= 0, "the configuration is shown")
    routes = amtool(sides[1], "config", "routes", "test", "job=db").stdout.strip()
    check(routes == "s", f"amtool reads the routes: {routes}")
    check("different" not in amtool(sides[1], "alert", "query").stderr, "amtool finds its own version")


# ---- our own ways in ----


def ask(port, path, headers=None, method="GET", body=None):
    req = urllib.request.Request(f"http://127.0.0.1:{port}{path}", body, headers or {}, method=method)
    try:
        with urllib.request.urlopen(req, timeout=20) as res:
            return res.status, res.read()
    except urllib.error.HTTPError as e:
        return e.code, e.read()


def daemon_of(place, port, auth, am=CONFIG):
    path = os.path.join(place.dir, "alertmanager.yml")
    with open(path, "w") as f:
        f.write(am)
    place.config(f"  - files: {{paths: [{place.logs}/*.log]}}",
                 more=f"http: {{listen: '127.0.0.1:{port}', auth: {auth}}}\nalerting: {path}\n")


def test_token():
    """Over TCP all but two paths want the token of the store's folder; a reload takes another one."""
    port = free_port()
    with Place("token") as p:
        daemon_of(p, port, "token")
        p.start()
        path = os.path.join(p.store, "http.token")
        check(os.stat(path).st_mode & 0o777 == 0o640, "the token's mode")
        token = open(path).read().strip()
        check(len(token) == 64, "a token of 32 random bytes")
        bearer = {"Authorization": f"Bearer {token}"}
        check(ask(port, "/health")[0] == 200 and ask(port, "/metrics")[0] == 200, "health and metrics are open")
        for path_, method in (("/status", "GET"), ("/api/v2/alerts", "GET"), ("/insert/jsonline", "POST"), ("/nothing", "GET")):
            check(ask(port, path_, method=method, body=b"{}" if method == "POST" else None)[0] == 401, f"{path_} without a token")
        check(ask(port, "/status", bearer)[0] == 200 and ask(port, "/api/v2/alerts", bearer)[0] == 200, "with it")
        check(ask(port, "/api/v2/alerts", {"Authorization": f"Bearer {token[:-1]}"})[0] == 401, "with a part of it")
        check(ask(port, "/insert/jsonline", bearer, "POST", b'{"_msg":"over tcp"}\n')[0] == 200, "lines come in")
        check(p.count('"over tcp"') == 1, "and are there")
        with open(path, "w") as f:
            f.write("another-token\n")
        p.daemon.send_signal(signal.SIGHUP)
        wait_until(lambda: ask(port, "/status", {"Authorization": "Bearer another-token"})[0] == 200, what="the new token")
        check(ask(port, "/status", bearer)[0] == 401, "the old one is void")
        p.stop()


def test_handed_over():
    """systemd listens, and hands the socket over: a unit without a network answers all the same."""
    port = free_port()
    with Place("handed") as p:
        daemon_of(p, port, "none")
        run = subprocess.Popen(["systemd-socket-activate", "-l", f"127.0.0.1:{port}", "-E", "ASAN_OPTIONS", WEIRD, "--config",
                                p.config_path], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            wait_until(lambda: ask_or_none(port), what="an answer", seconds=40)
            check(ask(port, "/api/v2/status")[0] == 200, "the API")
            check(ask(port, "/api/v2/status", {"Host": "evil.example"})[0] == 403, "by another name")
            check(ask(port, "/api/v2/status", {"Origin": "http://evil.example"})[0] == 403, "for another site's page")
            os.kill(run.pid, signal.SIGHUP)
            time.sleep(0.5)
            check(ask(port, "/api/v2/status")[0] == 200, "after a reload")
        finally:
            run.terminate()
            run.wait(10)


def ask_or_none(port):
    try:
        return ask(port, "/health")[0] == 200
    except OSError:
        return False


def test_silence():
    """weir silence over the control socket; what it makes is seen over the API, and outlives kill -9."""
    port = free_port()
    with Place("silence") as p:
        daemon_of(p, port, "none")
        p.start()
        url = f"http://127.0.0.1:{port}/api/v2"
        check(http("POST", url + "/alerts", [{"labels": {"alertname": "Down", "job": "api"}},
                                             {"labels": {"alertname": "Slow", "job": "db"}, "annotations": {"text": "disk full"}}])[0] == 200,
              "alerts are taken")
        p.weir("silence", "list", ok=(1,))
        one = p.weir("silence", "add", "Down", "job=~api|x", "--for", "2h", "--comment", "why", "--author", "me").stdout.decode().strip()
        check(len(one) == 36, f"an ID: {one}")
        two = json.loads(p.weir("silence", "add", "--query", 'text:"disk full"', "-o", "json").stdout)["silenceID"]
        listed = p.weir("silence", "list").stdout.decode()
        check(one in listed and two in listed and '{alertname="Down",job=~"api|x"}' in listed and "disk full" in listed, listed)
        got = http("GET", url + "/alerts?silenced=true")[1]
        check(sorted(a["status"]["silencedBy"] for a in got) == sorted([[one], [two]]), f"each is held by its own: {got}")
        p.daemon.kill()
        p.daemon.wait()
        p.start()
        check([s["id"] for s in json.loads(p.weir("silence", "list", "--output", "json").stdout)] == sorted([one, two], key=[two, one].index),
              "both are there after kill -9, the first to end first")
        check(len(http("GET", url + "/alerts?silenced=true")[1]) == 2, "the alerts too")
        p.weir("silence", "expire", one)
        p.weir("silence", "expire", "00000000-0000-4000-8000-000000000000", ok=(3,))
        p.weir("silence", "expire", "../alerts", ok=(2,))
        p.weir("silence", "add", ok=(2,))
        p.weir("silence", "add", "a=~(", ok=(2,))
        p.weir("silence", "add", "--query", "(", ok=(2,))
        p.weir("silence", "add", "a=b", "--for", "soon", ok=(2,))
        check(one not in p.weir("silence", "list").stdout.decode(), "it is not listed any more")
        check(one in p.weir("silence", "list", "--all").stdout.decode(), "but with --all")
        p.stop()


if __name__ == "__main__":
    main([test_token, test_handed_over, test_silence, test_amtool, test_same_notifications])
