#!/usr/bin/env python3
"""tests/bench/query_bench.py - queries against rg and jq on the raw file, side by side in one run.

usage: query_bench.py [--lines N] [--runs N] [--dir DIR]

Wall time of the whole process, the least of several runs that alternate between the two sides; the file is in the page
cache.  A --dir that has a store already is used as it is.  jq reads a tenth of the file and counts ten times.  Exit 1 when a promise is not kept.
"""
import argparse, os, shutil, subprocess, sys, tempfile, time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
WEIR = os.environ.get("WEIR", os.path.join(os.environ.get("WEIR_BENCH_BUILD", os.path.join(TOP, "build-bench")), "weir"))
arg = argparse.ArgumentParser(usage=__doc__)
arg.add_argument("--lines", type=int, default=4_000_000)
arg.add_argument("--runs", type=int, default=3)
arg.add_argument("--dir")
opt = arg.parse_args()
work = opt.dir or tempfile.mkdtemp(prefix="weir-query-bench-")
os.makedirs(work, exist_ok=True)
raw, part, store = (os.path.join(work, n) for n in ("log.jsonl", "part.jsonl", "store"))
broken = []


def prepare():
    gen, source = os.path.join(work, "gen"), os.path.join(os.path.dirname(TOP), "shared/tools/loggen.c")
    theirs = os.path.exists(source)
    subprocess.check_call(["cc", "-O2", "-w", "-o", gen, source if theirs else os.path.join(TOP, "tests/bench/gen.c"), "-lm"])
    with open(raw, "wb") as f:
        subprocess.check_call([gen, "-s", "42", "-n", str(opt.lines)] if theirs else [gen, "42", str(opt.lines)], stdout=f)
    subprocess.check_call(f"head -n {opt.lines // 10} {raw} > {part}", shell=True)
    subprocess.check_call([WEIR, "ingest", "--quiet", "--store", store, raw])
    subprocess.check_call([WEIR, "store", "seal", "--store", store])


# What is resident at the fork counts for the child too: a process of a page or two starts the program and measures it.
STARTER = r"""
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
int main(int n, char **argv)
{
	struct timespec a, b;
	struct rusage usage;
	int status;
	pid_t pid;

	clock_gettime(CLOCK_MONOTONIC, &a);
	pid = vfork();
	if (pid == 0) {
		execvp(argv[1], argv + 1);
		_exit(127);
	}
	if (pid < 0 || wait4(pid, &status, 0, &usage) < 0)
		return 1;
	clock_gettime(CLOCK_MONOTONIC, &b);
	fprintf(stderr, "%.6f %ld %d\n", (double)(b.tv_sec - a.tv_sec) + (double)(b.tv_nsec - a.tv_nsec) / 1e9, usage.ru_maxrss,
	    WIFEXITED(status) ? WEXITSTATUS(status) : 128);
	return 0;
}
"""
starter = os.path.join(work, "starter")


def once(argv):
    """Seconds and MiB of the program alone."""
    p = subprocess.run([starter, *argv], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    took, kib, code = p.stderr.decode(errors="replace").splitlines()[-1].split()
    if code not in ("0", "1"):
        sys.exit(f"{argv} ended with {code}: {p.stderr.decode(errors='replace')}")
    return float(took), int(kib) / 1024


def compare(name, query, other, scale=1, at_most=None, at_least=None):
    mine, theirs, peak = 1e9, 1e9, 0
    for _ in range(opt.runs):
        took, rss = once([WEIR, "query", "--store", store, "--output", "json", "--", query])
        mine, peak = min(mine, took), max(peak, rss)
        theirs = min(theirs, once(other)[0] * scale)
    ratio = mine / theirs if at_most else theirs / mine
    kept = (ratio <= at_most if at_most else ratio >= at_least) and peak <= 256
    promise = f"<= {at_most} of rg" if at_most else f">= {at_least} times jq"
    print(f"{name:36} {mine * 1000:9.1f} ms  other {theirs * 1000:10.1f} ms  ratio {ratio:8.2f}  peak {peak:6.1f} MiB  {promise}: {'kept' if kept else 'BROKEN'}", flush=True)
    if not kept:
        broken.append(name)


subprocess.run(["cc", "-O2", "-w", "-x", "c", "-o", starter, "-"], input=STARTER.encode(), check=True)
if opt.dir is None or not os.path.exists(store):
    prepare()
rg = lambda *a: ["rg", *a, raw]
jq = lambda f: ["jq", "-c", f, part]
with open(raw, "rb") as f:
    f.seek(os.path.getsize(raw) // 2)
    f.readline()
    some_id = f.readline().split(b'"request_id":"')[-1].split(b'"')[0].decode()
compare("one ID", f'request_id:="{some_id}" | stats count() n', rg("-c", "-F", some_id), at_most=1)
compare("word, some hits", "breaker | stats count() n", rg("-c", "-w", "breaker"), at_most=1.5)
compare("word, no hit", "zanzibar | stats count() n", rg("-c", "-w", "zanzibar"), at_most=1.5)
compare("substring, some hits", '*"ircuit break"* | stats count() n', rg("-c", "-F", "ircuit break"), at_most=2)
compare("substring in variables", '*"10.3.17."* | stats count() n', rg("-c", "-F", "10.3.17."), at_most=2)
compare("regexp with a literal", '_msg:~"circuit [a-z]+er" | stats count() n', rg("-c", "circuit [a-z]+er"), at_most=2)
compare("regexp without a literal", '_msg:~"[0-9]{5,}" | stats count() n', rg("-c", "[0-9]{5,}"), at_most=2)
compare("count by service and level", "* | stats by (service, level) count() n", jq("[.service, .level]"), 10, at_least=50)
compare("p95 by service", "* | stats by (service) quantile(0.95, duration_ms) p", jq("[.service, .duration_ms]"), 10, at_least=50)
compare("top 10 users", "* | top 10 by (user_id)", jq(".user_id"), 10, at_least=50)
compare("sort by time, limit 20", "* | sort by (_time desc) limit 20", jq(".time"), 10, at_least=50)
compare("uniq of IDs", "* | uniq by (request_id) | stats count() n", jq(".request_id"), 10, at_least=50)
if not opt.dir:
    shutil.rmtree(work, ignore_errors=True)
sys.exit(1 if broken else 0)
