"""tests/bench/rules_bench.py - rules over a busy stream; the work is in rules_bench.c."""
import json
import os
import shutil

from measure import BUILD


def bench_rules(b, _path):
    """1,000 rules over 20,000 rows/s; windows of five minutes against such of six hours."""
    store = b.path("rules-store")
    shutil.rmtree(store, ignore_errors=True)
    argv = [os.path.join(BUILD, "tests", "bench", "rules_bench"), store, "1000", "100", "20000", "60"]
    got = json.loads(b.run(argv)[3])
    shutil.rmtree(store, ignore_errors=True)
    core, peak, ratio = got["core_share"], got["peak_mib"], got["eval_6h_us"] / got["eval_5m_us"]
    b.say("1,000 rules and ingest at 20,000 rows/s", core, "of a core", "<= 1", core <= 1)
    b.say("  the rules alone", got["rules_share"], "of a core")
    b.say("  of that, new rows into windows", got["feed_share"], "of a core")
    b.say("  of that, evaluations every 15 s", got["eval_share"], "of a core")
    b.say("peak memory, 900 rules over 5 min and 100 over 6 h", peak, "MiB", "<= 160", peak <= 160)
    b.say("  windows of all rules", got["panes_mib"], "MiB")
    b.say("  read from the store at start", got["warm_s"], "CPU s")
    b.say("an evaluation over 6 h / over 5 min", ratio, "x", "<= 1.2", ratio <= 1.2)
    b.say("  over 5 min", got["eval_5m_us"], "µs")
    b.say("  over 6 h", got["eval_6h_us"], "µs")


SECTIONS = {"rules": bench_rules}
