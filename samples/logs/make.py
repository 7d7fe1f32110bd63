#!/usr/bin/env python3
"""Make the sample logs beside this file: an invented shop's requests as five services tell them.  Nothing in them is
real; the same every time.  Run it again after a change: python3 samples/logs/make.py"""
import datetime, json, os, random

here = os.path.dirname(os.path.abspath(__file__))
rnd = random.Random(20260131)
start = datetime.datetime(2026, 1, 31, 10, 0, 0, tzinfo=datetime.timezone.utc)
ROUTES = [("/", 3), ("/cart", 3), ("/search", 4), ("/items/17", 3), ("/items/42", 3), ("/checkout", 7), ("/login", 2)]
USERS = ["ann", "bob", "cleo", "dan", "eve"]
shop, access, logfmt, syslog = [], [], [], []


def stamp(t, digits=3):
    return t.strftime("%Y-%m-%dT%H:%M:%S") + f".{t.microsecond // 1000:03d}"[:digits + 1] + "Z"


def line(t, service, level, message, **more):
    shop.append((t, {"time": stamp(t), "level": level, "service": service, "message": message, **more}))


def request(n, t):
    rid = f"{rnd.randrange(16**8):08x}-{n:04d}"
    route = rnd.choices([r for r, _ in ROUTES], [w for _, w in ROUTES])[0]
    user, ip = rnd.choice(USERS), f"192.0.2.{rnd.randrange(1, 40)}"
    ms, status = rnd.randrange(3, 90), 200
    step = lambda: t + datetime.timedelta(milliseconds=rnd.randrange(1, max(2, ms)))
    line(t, "api", "info", f"{'POST' if route in ('/checkout', '/login') else 'GET'} {route} for {user}", request_id=rid, user=user, route=route)
    if rnd.random() < 0.6:
        hit = rnd.random() < 0.7
        line(step(), "cache", "debug", f"{'hit' if hit else 'miss'} key {route}", request_id=rid, key=route, size=f"{rnd.randrange(1, 64)}KiB")
    if rnd.random() < 0.35:
        took = rnd.randrange(2, 40)
        if rnd.random() < 0.2:
            took, ms = rnd.randrange(400, 2600), ms + 900
            line(step(), "db", "warn", f"slow query: SELECT on orders took {took} ms", request_id=rid, took=f"{took}ms", table="orders")
        else:
            line(step(), "db", "debug", f"query on items took {took} ms", request_id=rid, took=f"{took}ms", table="items")
    if route == "/checkout" and n % 3 == 0:
        ms, status = ms + 5000, 504
        line(step(), "api", "error", f"payment for {user} timed out after 5 s", request_id=rid, user=user, error={"kind": "timeout", "after": "5s"})
    elif route == "/checkout":
        line(step(), "worker", "info", f"order {1000 + n} confirmed, mail to {user}", request_id=rid, user=user, order=1000 + n, tags=["mail", "order"])
    elif route == "/login" and rnd.random() < 0.4:
        status = 401
        line(step(), "api", "warn", f"login of {user} refused: wrong password", request_id=rid, user=user)
    end = t + datetime.timedelta(milliseconds=ms)
    size = rnd.randrange(300, 40000)
    line(end, "nginx", "error" if status >= 500 else "info", f"{ip} {route} {status}", request_id=rid, ip=ip, route=route, status=status,
         duration_ms=ms, bytes=size)
    access.append((end, f'{ip} - {user if status != 401 else "-"} [{end.strftime("%d/%b/%Y:%H:%M:%S +0000")}] "GET {route} HTTP/1.1" {status} {size} '
                        f'"-" "Mozilla/5.0 (X11; Linux x86_64)"'))


t = start
for n in range(1, 61):
    t += datetime.timedelta(milliseconds=rnd.randrange(500, 20000))
    request(n, t)
for n in range(40):
    t = start + datetime.timedelta(seconds=30 * n)
    job = rnd.choice(["mail", "index", "backup"])
    took = rnd.choice(["12ms", "340ms", "1.2s", "2m5s"])
    logfmt.append((t, f'time={stamp(t)} level={"warn" if took == "2m5s" else "info"} job={job} took={took} queue={rnd.randrange(30)} msg="{job} done"'))
    who = rnd.choice([("sshd[812]", f"Failed password for invalid user admin from 192.0.2.{rnd.randrange(200, 250)} port {rnd.randrange(1024, 65000)} ssh2", 4),
                      ("systemd[1]", "Started shop-api.service.", 6), ("kernel", "Out of memory: Killed process 4711 (worker)", 2)])
    syslog.append((t, f"<{8 * 3 + who[2]}>{t.strftime('%b %e %H:%M:%S')} web1 {who[0]}: {who[1]}"))
for name, lines in (("shop.jsonl", [(t, json.dumps(o)) for t, o in shop]), ("access.log", access), ("app.logfmt", logfmt), ("syslog", syslog)):
    lines.sort(key=lambda x: x[0])
    with open(os.path.join(here, name), "w") as f:
        f.write("".join(l + "\n" for _, l in lines))
