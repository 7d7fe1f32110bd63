"""tests/bench/report.py - docs/BENCHMARKS.md and its plot, from what was measured."""
import os
import platform

TITLES = {"ingest": "Taking lines in", "query": "Against rg and jq", "journal": "The journal", "store": "Bytes",
          "logs": "Bytes of real logs", "trace": "One request", "engine": "Searches and counts", "memory": "Memory",
          "commits": "Commits", "scale": "Growth", "rules": "Rules over a stream"}
GOOD, BAD, NEUTRAL = "#2f7d4f", "#b5442d", "#4a6fa5"


def limit_of(r):
    """The promise as a number, and whether less is better."""
    sign, number = r["want"].split()
    return float(number), sign == "<="


def plot(results):
    """Every promise as a bar: how far below (or above) what was promised; the line is the promise itself."""
    rows = [r for r in results if r["want"]]
    wide, high, left, scale = 960, 26 * len(rows) + 60, 430, 300
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{wide}" height="{high}" font-family="sans-serif" font-size="13">',
           f'<rect width="{wide}" height="{high}" fill="white"/>',
           '<text x="10" y="22" font-size="15">Measured as a share of what is promised (shorter is better; the line is the promise)</text>']
    for i, r in enumerate(rows):
        limit, less = limit_of(r)
        share = r["value"] / limit if less else limit / max(r["value"], 1e-9)
        y, bar = 40 + 26 * i, min(share, 1.6) * scale
        label = r["name"].replace("&", "&amp;").replace("<", "&lt;")
        out.append(f'<text x="{left - 8}" y="{y + 14}" text-anchor="end">{label}</text>')
        out.append(f'<rect x="{left}" y="{y}" width="{bar:.1f}" height="19" fill="{GOOD if r["kept"] else BAD}"/>')
        out.append(f'<text x="{left + bar + 6:.1f}" y="{y + 14}">{r["value"]:.4g} {r["unit"]}</text>')
    out.append(f'<line x1="{left + scale}" y1="34" x2="{left + scale}" y2="{high - 10}" stroke="{NEUTRAL}" stroke-width="2"/>')
    return "\n".join(out + ["</svg>", ""])


def curves(results):
    """What a row costs while the store grows: each curve as a multiple of its first point; flat is good."""
    series = {}
    for r in results:
        if r.get("point"):
            series.setdefault(r["point"][0], []).append((r["point"][1], r["value"]))
    if not series:
        return None
    wide, high, left, bottom = 960, 420, 60, 360
    far = max(x for s in series.values() for x, _ in s)
    top = max(2.0, 1.1 * max(v / s[0][1] for s in series.values() for _, v in s))
    place = lambda x, v: (left + x / far * 520, bottom - v / top * 320)
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{wide}" height="{high}" font-family="sans-serif" font-size="13">',
           f'<rect width="{wide}" height="{high}" fill="white"/>',
           '<text x="10" y="22" font-size="15">What it costs as the store grows, as a multiple of the cost at the first point</text>',
           f'<line x1="{left}" y1="{bottom}" x2="{left + 520}" y2="{bottom}" stroke="black"/>',
           f'<line x1="{left}" y1="40" x2="{left}" y2="{bottom}" stroke="black"/>',
           f'<text x="{left + 240}" y="{bottom + 40}">GB of lines</text>']
    for v in range(int(top) + 1):
        out.append(f'<text x="{left - 8}" y="{place(0, v)[1] + 4:.1f}" text-anchor="end">{v}</text>')
    for x in sorted({x for s in series.values() for x, _ in s}):
        out.append(f'<text x="{place(x, 0)[0]:.1f}" y="{bottom + 18}" text-anchor="middle">{x:.0f}</text>')
    for i, (name, points) in enumerate(series.items()):
        colour = ("#2f7d4f", "#4a6fa5", "#b5442d", "#8a5fa8", "#b8860b")[i % 5]
        at = [place(x, v / points[0][1]) for x, v in points]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in at)
        out.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        out += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in at]
        out.append(f'<text x="600" y="{60 + 22 * i}" fill="{colour}">{name}: {points[0][1]:.4g} at first</text>')
    return "\n".join(out + ["</svg>", ""])


def worse(results):
    """What a peer does better, and which promises are not kept."""
    out = []
    for r in results:
        if r["kept"] is False:
            out.append(f"- {r['name']}: {r['value']:.4g} {r['unit']}, promised {r['want']}")
        elif "takes this many times longer" in r["name"] and r["value"] < 1:
            out.append(f"- {r['name']}: {r['value']:.2g}; it is the faster one ({r['peer']} {r['peer_value']:.4g})")
    return out or ["- nothing that is measured here"]


def table(results):
    out = ["| what | measured | promised | peer |", "|---|---|---|---|"]
    for r in results:
        peer = f"{r['peer']}: {r['peer_value']:.4g}" if r["peer"] else ""
        want = f"{r['want']} {'✓' if r['kept'] else '✗'}" if r["want"] else ""
        out.append(f"| {r['name']} | {r['value']:.4g} {r['unit']} | {want} | {peer} |")
    return out


def yardstick(results):
    """How fast the machine is, told by tools that everybody has."""
    speeds = {r["peer"]: r["peer_value"] for r in results if r["peer"] in ("jq MB/s", "zstd -1 MB/s")}
    if len(speeds) < 2:
        return []
    return ["", f"Promises in MB/s and ms were made for a machine whose `zstd -1` takes 173 MB/s of this log and whose `jq -c .` 29; this "
            f"one's take {speeds['zstd -1 MB/s']:.0f} and {speeds['jq MB/s']:.0f}."]


def write(path, b, size):
    svg = os.path.join(os.path.dirname(path), "benchmarks.svg")
    with open(svg, "w") as f:
        f.write(plot(b.results))
    growth = curves(b.results)
    if growth:
        with open(os.path.join(os.path.dirname(path), "growth.svg"), "w") as f:
            f.write(growth)
    text = ["# Benchmarks", "",
            f"Written by tests/bench/bench.py: {b.lines:,} lines, {size / 1e6:.0f} MB, on {os.cpu_count()} cores of "
            f"{platform.machine()}, everything in the page cache, all sides in one run.",
            "", "To repeat it (about ten minutes, with `WEIR_LONG=1` half an hour and 20 GB of disk; needs jq, ripgrep, zstd, time):", "",
            "    ./tests/bench/run.sh --report docs/BENCHMARKS.md", "",
            "CPU is user + system of the whole process, the least of several runs that alternate between the sides.  Wall",
            "times of a machine that others use are the worse for it; ratios within a run are what counts."] + yardstick(b.results) + [
            "", "![what was measured as a share of what is promised](benchmarks.svg)", "",
            "## What is worse than promised, or than a peer", ""] + worse(b.results)
    for section in TITLES:
        rows = [r for r in b.results if r["section"] == section]
        if rows:
            text += ["", f"## {TITLES[section]}", ""] + table(rows)
            if section == "scale" and growth:
                text += ["", "![cost by size of the store](growth.svg)"]
    with open(path, "w") as f:
        f.write("\n".join(text) + "\n")
