"""tests/bench/store_bench.py - how fast and how small the store is: bytes, traces, searches, counts, memory, growth.

"In process" is what query_stats says, from the view that is open to the last row, or the CPU time of the whole process
where that is less: then others used the machine.  "Whole process" is from exec to exit.
"""
import json
import os
import re
import shutil
import subprocess
import tarfile
import time

from measure import BUILD, SHARED, WEIR, WEIRD, bytes_of, ids_of


def ingest(store, path, *more):
    subprocess.check_call([WEIR, "ingest", "--store", store, *more, path], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def seal(store):
    subprocess.check_call([WEIR, "store", "seal", "--store", store], stdout=subprocess.DEVNULL)


def sealed_store(b, path):
    store = b.path("store")
    if not os.path.isdir(store):
        ingest(store, path)
        seal(store)
    return store


def in_process(b, store, query):
    """Seconds, the least of the runs."""
    out = 1e9
    for _ in range(b.runs + 2):
        cpu, _, _, text = b.run([WEIR, "query", "--store", store, "--output", "json", query + " | query_stats"])
        out = min(out, cpu, int(json.loads(text)["QueryDurationNsecs"]) / 1e9)
    return out


def bench_store(b, path):
    store = sealed_store(b, path)
    size, used = os.path.getsize(path), bytes_of(store)
    with open(b.path("z"), "wb") as f:
        subprocess.check_call(["zstd", "-q", "-3", "-T2", "-c", path], stdout=f)
    zstd = os.path.getsize(b.path("z"))
    os.unlink(b.path("z"))
    limit = 90e6 * size / 1054e6
    b.say("store of the whole log", used / 1e6, "MB", f"<= {limit / 1e6:.0f}", used <= limit, "zstd -3 MB", zstd / 1e6)


def real_logs(b):
    """Every file of logs that stands beside the checkout: its name and where it is unpacked."""
    folder, out = os.path.join(SHARED, "data", "logs"), b.path("logs")
    if not os.path.isdir(folder):
        return
    os.makedirs(out, exist_ok=True)
    for name in sorted(os.listdir(folder)):
        if not name.endswith(".zst"):
            continue
        plain = os.path.join(out, name[:-4])
        if not os.path.exists(plain):
            subprocess.check_call(["zstd", "-q", "-d", "-o", plain, os.path.join(folder, name)])
        if not plain.endswith(".tar"):
            yield os.path.basename(plain), plain
            continue
        with tarfile.open(plain) as tar:
            for member in tar.getmembers():
                if member.isfile() and member.name.endswith(".log"):
                    target = os.path.join(out, os.path.basename(member.name))
                    if not os.path.exists(target):
                        with open(target, "wb") as f:
                            shutil.copyfileobj(tar.extractfile(member), f)
                    yield os.path.basename(target), target


def log_bytes(store):
    known = os.path.join(store, "skeletons")
    return bytes_of(store) - (os.path.getsize(known) if os.path.exists(known) else 0)


def bench_logs(b, _path):
    """What a store of one line takes (headers, manifest, footer: the same for any log) is not counted, nor the file
    `skeletons`: it is no part of the log, outlives it, and serves rules about new forms of messages."""
    empty = b.path("logs-empty")
    shutil.rmtree(empty, ignore_errors=True)
    with open(b.path("line"), "w") as f:
        f.write("a line\n")
    ingest(empty, b.path("line"))
    seal(empty)
    for name, path in real_logs(b):
        store = b.path("logs-store")
        shutil.rmtree(store, ignore_errors=True)
        ingest(store, path)
        seal(store)
        zstd = len(subprocess.run(["zstd", "-q", "-3", "-c", path], stdout=subprocess.PIPE, check=True).stdout)
        used = log_bytes(store) - log_bytes(empty)
        b.say(f"{name}: store / zstd -3", used / zstd, "x", "<= 1", used <= zstd, "zstd -3 kB", zstd / 1e3)
    shutil.rmtree(b.path("logs-store"), ignore_errors=True)


def many_segments(b, path, n):
    """The log as n sealed segments."""
    store = b.path(f"store-{n}")
    if os.path.isdir(store):
        return store
    step = b.lines // n
    with open(path, "rb") as f:
        for _ in range(n):
            with open(b.path("piece"), "wb") as out:
                out.writelines(line for _, line in zip(range(step), f))
            ingest(store, b.path("piece"))
            seal(store)
    return store


def opened_segments(b, store, query):
    text = subprocess.run([WEIR, "query", "--store", store, "--explain", query], stdout=subprocess.PIPE, check=True, text=True).stdout
    return int(re.search(r"segments: .* (\d+) opened", text).group(1))


def bench_trace(b, path):
    ids = ids_of(path, 5)
    stores = [("1 segment", sealed_store(b, path), 4, 0.5), ("100 segments", many_segments(b, path, 100), 4, 1),
              ("1,000 segments", many_segments(b, path, 1000), 6, 1)]
    for name, store, whole, inside in stores:
        walls = [b.best(lambda i=i: b.run([WEIR, "trace", "--store", store, "--output", "json", i]), runs=15)[0][1] for i in ids]
        mine = sum(walls) / len(walls) * 1000
        b.say(f"trace, {name}, whole process, wall", mine, "ms", whole and f"<= {whole}", whole and mine <= whole)
        mine = min(in_process(b, store, f'request_id:="{i}"') for i in ids) * 1000
        b.say(f"trace, {name}, in process", mine, "ms", inside and f"<= {inside}", inside and mine <= inside)
        opened = max(opened_segments(b, store, f'request_id:="{i}"') for i in ids)
        b.say(f"trace, {name}, segments opened", opened, "", "<= 10", opened <= 10)
        mine = min(in_process(b, store, f'request_id:"{i}"') for i in ids) * 1000
        b.say(f"request_id:ID, {name}, in process", mine, "ms", inside and f"<= {inside}", inside and mine <= inside)
        opened = max(opened_segments(b, store, f'request_id:"{i}"') for i in ids)
        b.say(f"request_id:ID, {name}, segments opened", opened, "", "<= 10", opened <= 10)
        newest = [WEIR, "query", "--store", store, "--limit", "100", "level:ERROR"]
        b.say(f"newest 100 errors, {name}, whole process, wall", b.best(lambda: b.run(newest), runs=15)[0][1] * 1000, "ms")


QUERIES = (
    # name, query, promise in ms (in process), what rg is asked for comparison
    ("substring in templates", '_msg:*"circuit breaker"* | stats count() n', 10, "circuit breaker"),
    ("absent substring", '_msg:*"no such text"* | stats count() n', 200, "no such text"),
    ("substring inside variables", '_msg:*"10.3.17."* | stats count() n', 200, "10.3.17."),
    ("regular expression", '_msg:~"cache (hit|miss) for key session" | stats count() n', 100, None),
    ("count by field", "* | stats by (level) count() n", 8, None),
    ("count by minute", "* | stats by (_time:1m) count() n", None, None),
    ("numeric range", "status:>=500 | stats count() n", 5, None),
    ("p50 and p99 by service", "* | stats by (service) quantile(0.5, duration_ms) p50, quantile(0.99, duration_ms) p99", 15, None),
    ("top user", "* | top 10 by (user_id)", 30, None),
    ("newest 100 errors", "level:ERROR | sort by (_time desc) limit 100", 5, None),
)


def bench_engine(b, path):
    store = sealed_store(b, path)
    for name, query, want, literal in QUERIES:
        sides = [lambda: b.run([WEIR, "query", "--store", store, "--output", "json", query])]
        if literal is not None:
            sides.append(lambda: b.run(["rg", "-c", "-F", literal, path]))
        got = b.best(*sides)
        # Where others use the machine, the CPU time of the whole process bounds what it would take alone.
        mine = min(in_process(b, store, query), got[0][0]) * 1000
        b.say(f"{name}, in process", mine, "ms", want and f"<= {want}", want and mine <= want)
        peer = ("rg ms", got[1][0] * 1000) if literal is not None else (None, None)
        b.say(f"  {name}, whole process, CPU", got[0][0] * 1000, "ms", None, None, *peer)


def daemon_peak(b, paths, rows, seal_bytes):
    """Peak resident MiB of weird while it follows the files at full speed until two segments are sealed and all is in."""
    store, config = b.path("daemon-store"), b.path("daemon.yaml")
    shutil.rmtree(store, ignore_errors=True)
    with open(config, "w") as f:
        f.write(f"store: {{path: {store}, seal_bytes: {seal_bytes}, min_free_percent: 0, max_bytes: 100GiB}}\n"
                f"inputs:\n  - files: {{paths: {json.dumps(paths)}, parser: json}}\n")
    # /usr/bin/time, so that this interpreter's own pages do not count.
    daemon = subprocess.Popen(["/usr/bin/time", "-f", "%M", WEIRD, "--config", config], stderr=subprocess.PIPE, text=True)
    try:
        end = time.monotonic() + 900
        while time.monotonic() < end:
            time.sleep(1)
            out = subprocess.run([WEIR, "query", "--store", store, "--output", "json", "* | stats count() n"],
                                 capture_output=True, text=True, check=False).stdout
            # Two that are sealed, and the open one.
            segments = sum(name.endswith(".seg") for name in os.listdir(store)) if os.path.isdir(store) else 0
            if out.startswith("{") and int(json.loads(out)["n"]) >= rows and segments >= 3:
                break
        else:
            b.broken.append("the daemon did not take in all lines, or did not seal twice")
    finally:
        subprocess.run(["pkill", "-TERM", "-P", str(daemon.pid)], check=False)
        text = daemon.communicate(timeout=60)[1]
    shutil.rmtree(store, ignore_errors=True)
    return int(text.split()[-1]) / 1024


def bench_memory(b, path):
    store = sealed_store(b, path)
    for name, query in (("sort of all rows, newest 1,000", "* | sort by (duration_ms desc) limit 1000"),
                        ("quantiles by service", QUERIES[7][1]), ("top user", QUERIES[8][1])):
        # Of a shell's child, so that this interpreter's own pages do not count.
        text = subprocess.run(["/usr/bin/time", "-f", "%M", WEIR, "query", "--store", store, "--output", "json", query],
                              stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=True).stderr
        mib = int(text.split()[-1]) / 1024
        b.say(f"memory of a query over all rows: {name}", mib, "MiB", "<= 128", mib <= 128)
    # Two full segments of 256 MiB are sixteen copies of the log: what is doubled is shorter.
    copies, seal_bytes = (16, "256MiB") if os.environ.get("WEIR_LONG") else (1, "30MiB")
    paths = []
    for i in range(copies):
        paths.append(b.path(f"copy-{i}.jsonl"))
        if not os.path.exists(paths[-1]):
            subprocess.check_call(["cp", path, paths[-1]])
    mib = daemon_peak(b, paths, b.lines * copies, seal_bytes)
    for p in paths:
        os.unlink(p)
    b.say(f"peak memory of weird at full speed through two full segments of {seal_bytes}", mib, "MiB", "<= 64", mib <= 64)


def bench_scale(b, path):
    """The same log again and again into one store: what a row costs when there are many times as many before it.
    CPU time of the last of the copies; queries over all.  WEIR_LONG goes on to 50 copies."""
    store, rows, size = b.path("scale-store"), b.lines, os.path.getsize(path) / 1e9
    shutil.rmtree(store, ignore_errors=True)
    copies = 0
    for want in (1, 5, 20) + ((50,) if os.environ.get("WEIR_LONG") else ()):
        while copies < want:
            cpu = b.run([WEIR, "ingest", "--store", store, path], stdout=subprocess.DEVNULL)[0]
            seal(store)
            copies += 1
        gb = size * copies
        for name, value, unit in (
                ("ingest by row", cpu / rows * 1e9, "ns CPU"),
                ("store by row", bytes_of(store) / rows / copies, "bytes"),
                ("count by field by row", in_process(b, store, QUERIES[4][1]) / rows / copies * 1e9, "ns"),
                ("substring in templates by row", in_process(b, store, QUERIES[0][1]) / rows / copies * 1e9, "ns"),
                ("an absent ID", in_process(b, store, 'request_id:="0b0b0b0b-1111-2222-3333-444444444444"') * 1e6, "us")):
            b.say(f"{gb:.1f} GB: {name}", value, unit, point=(f"{name}, {unit}", gb))
    shutil.rmtree(store, ignore_errors=True)


def commits_once(b):
    """Microseconds: number, p50 and p99 of commits made while a segment is sealed, and of all others of the same run."""
    store = b.path("commit-store")
    shutil.rmtree(store, ignore_errors=True)
    # What earlier sections wrote is not to be flushed meanwhile.
    os.sync()
    text = b.run([os.path.join(BUILD, "tests/bench/commit_bench"), store, "3000", "500"])[3].decode()
    shutil.rmtree(store, ignore_errors=True)
    return {w[0]: [int(x) for x in w[1:]] for w in map(str.split, text.splitlines())}


def bench_commits(b, _path):
    """The run in the middle by its ratio: p99 of the few hundred commits beside a seal is that of four of them."""
    ratio = lambda got: got["sealing"][2] / max(got["otherwise"][2], 1)
    got = sorted((commits_once(b) for _ in range(5)), key=ratio)[2]
    b.say("500 rows and their commit: p50", got["otherwise"][1] / 1000, "ms")
    b.say("  p99", got["otherwise"][2] / 1000, "ms")
    b.say("p99 of a commit while sealing: as a multiple of its p99 otherwise", ratio(got), "x", "<= 2", ratio(got) <= 2)


SECTIONS = {"store": bench_store, "logs": bench_logs, "trace": bench_trace, "engine": bench_engine, "memory": bench_memory, "commits": bench_commits,
            "scale": bench_scale}
