"""tests/bench/backtest_bench.py - rules over a day of history.

Two million rows of one day (23 a second, 12 services) and five rules every 15 s: errors, a share of errors, a p95, 5xx, distinct users.
"""
import os
import subprocess

from measure import SHARED, WEIR

ROWS, DAY_S = 2_000_000, 86_400
RULES = """groups:
- name: bench
  interval: 15s
  rules:
  - {alert: Errors, window: 5m, for: 1m, expr: 'level:ERROR | stats by (service) count() hits | filter hits:>40'}
  - alert: Share
    window: 5m
    for: 2m
    expr: '* | stats by (host, service) count() rows, count() if (level:ERROR) errors | filter errors:>=10 | math errors / rows as share | filter share:>0.08'
  - {alert: Slow, window: 5m, for: 2m, expr: 'duration_ms:* | stats by (service) count() n, quantile(0.95, duration_ms) p95 | filter n:>=20 p95:>200'}
  - {alert: Http5xx, window: 1m, expr: 'status:range[500,599] | stats by (host) count() n | filter n:>20'}
  - {alert: Users, window: 1h, expr: 'level:WARN | stats by (service) count_uniq(user_id) users | filter users:>50'}
"""


def bench_backtest(b, _path):
    source = os.path.join(SHARED, "tools", "loggen.c")
    if not os.path.exists(source):
        print("backtest: needs loggen.c; left out")
        return
    gen, day, store, rules = b.path("daygen"), b.path("day.jsonl"), b.path("day-store"), b.path("rules.yaml")
    subprocess.check_call(["cc", "-O2", "-w", "-o", gen, source, "-lm"])
    if not os.path.isdir(store):
        with open(day, "wb") as f:
            subprocess.check_call([gen, "-s", "7", "-n", str(ROWS), "-r", str(ROWS // DAY_S), "-t", "1767225600"], stdout=f)
        subprocess.check_call([WEIR, "ingest", "--store", store, day], stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL)
        os.unlink(day)
    with open(rules, "w") as f:
        f.write(RULES)
    cpu, wall, peak, _ = b.run([WEIR, "rules", "backtest", "--store", store, "--since", "2026-01-01T00:00:00Z",
                                "--until", "2026-01-02T00:00:00Z", rules])
    b.say("backtest of a day of 2 million rows, five rules, CPU", cpu, "s")
    b.say("  times as fast as it went by", DAY_S / wall, "x", ">= 1000", DAY_S / wall >= 1000)
    b.say("  peak memory", peak / 1024, "MiB")


SECTIONS = {"backtest": bench_backtest}
