"""LogsQL row at a time, as plainly as it can be said: what the engine's answers are compared with.

It knows the core filters, the pipes that keep rows and the simple stats functions, all on strings in a dict.
"""
import datetime, json, math, re, struct

from rows import rfc3339

UNITS = {"ns": 1, "µs": 10**3, "us": 10**3, "ms": 10**6, "s": 10**9, "m": 60 * 10**9, "h": 3600 * 10**9, "d": 86400 * 10**9,
         "w": 7 * 86400 * 10**9, "y": 365 * 86400 * 10**9}
SIZES = {"B": 1, "K": 10**3, "KB": 10**3, "M": 10**6, "MB": 10**6, "G": 10**9, "GB": 10**9, "T": 10**12, "TB": 10**12, "Ki": 2**10, "KiB": 2**10,
         "Mi": 2**20, "MiB": 2**20, "Gi": 2**30, "GiB": 2**30, "Ti": 2**40, "TiB": 2**40}


class Unknown(Exception):
    """A value whose number this evaluator leaves open; the comparison is given up."""


def word_char(c):
    return c == "_" or c.isalnum()


def ip(v):
    m = re.fullmatch(r"(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})", v, re.A)
    if not m or any(int(x) > 255 for x in m.groups()):
        return None
    a, b, c, d = map(int, m.groups())
    return a << 24 | b << 16 | c << 8 | d


def time_ns(v):
    m = re.fullmatch(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?Z", v, re.A)
    if not m:
        return None
    t = datetime.datetime.strptime(m[1] + "+0000", "%Y-%m-%dT%H:%M:%S%z")
    return int(t.timestamp()) * 10**9 + int((m[2] or "0").ljust(9, "0"))


def number(v):
    """The number that a filter sees in a value, or None."""
    if re.fullmatch(r"-?(0|[1-9]\d*)(\.\d+)?", v, re.A):
        return float(v)
    m = re.fullmatch(r"(-?\d+(?:\.\d+)?)([A-Za-zµ]+)", v)
    if m and m[2] in UNITS and m[2] != "m":
        return float(m[1]) * UNITS[m[2]]
    if m and m[2] == "m":
        return float(m[1]) * UNITS["m"]
    if m and m[2] in SIZES:
        return float(int(float(m[1]) * SIZES[m[2]]))  # whole bytes: 1.5B is 1
    for parse in (ip, time_ns):
        if parse(v) is not None:
            return float(parse(v))
    if v and (v[0].isdigit() or v[0] in "-+." or v.lower() in ("nan", "inf", "infinity")):
        raise Unknown(v)
    return None


def has_phrase(v, p):
    if p == "":
        return v == ""
    at = v.find(p)
    while at >= 0:
        end = at + len(p)
        left = not word_char(p[0]) or at == 0 or not word_char(v[at - 1])
        right = not word_char(p[-1]) or end == len(v) or not word_char(v[end])
        if left and right:
            return True
        at = v.find(p, at + 1)
    return False


def has_prefix(v, p):
    if p == "":
        return v != ""
    at = v.find(p)
    while at >= 0:
        if not word_char(p[0]) or at == 0 or not word_char(v[at - 1]):
            return True
        at = v.find(p, at + 1)
    return False


def compare(v, op, bound):
    n, b = number(v), number(bound)
    if b is None:
        a, b = v.encode(), bound.encode()
    elif n is None:
        return False
    else:
        a, b = n, b
    return {"<": a < b, "<=": a <= b, ">": a > b, ">=": a >= b}[op]


def matches(t, row):
    kind = t[0]
    if kind == "all":
        return True
    if kind == "and":
        return all([matches(x, row) for x in t[1]])
    if kind == "or":
        return any([matches(x, row) for x in t[1]])
    if kind == "not":
        return not matches(t[1], row)
    if kind == "time":
        _, left, a, b, right = t
        ns, a, b = time_ns(row["_time"]), time_ns(a), time_ns(b)
        return (a <= ns if left == "[" else a < ns) and (ns <= b if right == "]" else ns < b)
    v = row.get(t[1], "")
    if kind == "phrase":
        return has_phrase(v, t[2])
    if kind == "prefix":
        return has_prefix(v, t[2])
    if kind == "substring":
        return t[2] in v
    if kind == "exact":
        return v == t[2]
    if kind == "exact_prefix":
        return v.startswith(t[2])
    if kind == "in":
        return v in t[2]
    if kind == "regex":
        text = t[2]
        flags = re.A
        if text.startswith("(?i)"):
            text, flags = text[4:], re.A | re.I
        if text.endswith("$"):
            text = text[:-1] + r"\Z"
        return re.search(text, v, flags) is not None
    if kind == "cmp":
        return compare(v, t[2], t[3])
    if kind == "range":
        _, _, left, a, b, right = t
        n = number(v)
        return n is not None and (a <= n if left == "[" else a < n) and (n <= b if right == "]" else n < b)
    if kind == "len":
        return t[2] <= len(v) <= t[3]
    if kind == "ip":
        n = ip(v)
        return n is not None and ip(t[2]) <= n <= ip(t[3])
    if kind == "eq_field":
        return v == row.get(t[2], "")
    if kind == "contains_any":
        return any(has_phrase(v, p) for p in t[2])
    if kind == "contains_all":
        return all(has_phrase(v, p) for p in t[2])
    if kind == "string_range":
        return t[2].encode() <= v.encode() < t[3].encode()
    raise Unknown(kind)


def set_field(row, name, value):
    row = dict(row)
    row.pop(name, None)
    if value != "":
        row[name] = value
    return row


def stats_value(func, rows):
    kind, f, _ = func
    values = [r.get(f, "") for r in rows]
    full = [v for v in values if v != ""]
    if kind == "count":
        return str(len(rows))
    if kind == "count_f":
        return str(len(full))
    if kind == "count_empty":
        return str(len(values) - len(full))
    if kind == "count_uniq":
        return str(len(set(full)))
    if kind == "sum_len":
        return str(sum(len(v.encode()) for v in values))
    if kind == "uniq_values":
        return sorted(set(full))
    numbers = [n for n in (plain(v) for v in full) if n is not None]
    if kind == "sum":
        return math.fsum(numbers) if numbers else float("nan")
    if kind == "avg":
        return math.fsum(numbers) / len(numbers) if numbers else float("nan")
    raise Unknown(kind)  # min, max: their order of mixed values is the engine's; compared over the ways


def plain(v):
    """What sum and avg add up: no addresses and no times."""
    return None if ip(v) is not None or time_ns(v) is not None else number(v)


def stats(by, funcs, rows):
    groups = {}
    for r in rows:
        groups.setdefault(tuple(r.get(f, "") for f in by), []).append(r)
    if not by and not groups:
        groups[()] = []
    out = []
    for key, members in groups.items():
        row = {f: v for f, v in zip(by, key) if v != ""}
        for func in funcs:
            row[func[2]] = stats_value(func, members)
        out.append(row)
    return out


def step_of(v, size, offset):
    """The start of the step of ${size} ns that a time lies in; what is no time is its own step."""
    ns = time_ns(v) if v != "" else None
    return v if ns is None else rfc3339(ns - (ns - offset) % size)


def run(trees, rows):
    """The rows that come out; values may be floats and lists, which same() compares."""
    rows = [r for r in rows if matches(trees[0], r)]
    for t in trees[1:]:
        kind = t[0]
        if kind == "filter":
            rows = [r for r in rows if matches(t[1], r)]
        elif kind == "fields":
            rows = [{f: r[f] for f in t[1] if f in r} for r in rows]
        elif kind == "delete":
            rows = [{f: v for f, v in r.items() if f not in t[1]} for r in rows]
        elif kind == "rename":
            rows = [set_field({f: v for f, v in r.items() if f != t[1]}, t[2], r.get(t[1], "")) for r in rows]
        elif kind == "copy":
            rows = [set_field(r, t[2], r.get(t[1], "")) for r in rows]
        elif kind == "len":
            rows = [set_field(r, t[2], str(len(r.get(t[1], "").encode()))) for r in rows]
        elif kind == "uniq":
            seen = {}
            for r in rows:
                seen.setdefault(tuple(r.get(f, "") for f in t[1]), {f: r[f] for f in t[1] if f in r})
            rows = list(seen.values())
        elif kind == "stats":
            rows = stats(t[1], t[2], rows)
        elif kind == "stats_time":
            rows = stats(t[3], t[4], [set_field(r, "_time", step_of(r.get("_time", ""), t[1], t[2])) for r in rows])
        elif kind == "patterns":
            rows = patterns(t[1], t[2], rows)
        else:
            raise Unknown(kind)
    return rows


def varint(n):
    return bytes([n]) if n < 128 else bytes([n & 127 | 128]) + varint(n >> 7)


def patterns(limit, by, rows):
    forms = {}
    for r in rows:
        msg, time = r.get("_msg", ""), r.get("_time", "1970-01-01T00:00:00Z")
        form = re.sub(r"[A-Za-z0-9._-]+", lambda m: "<*>" if re.search("[0-9]", m.group()) else m.group(), msg)
        forms.setdefault((tuple(r.get(f, "") for f in by), form), []).append((time_ns(time), msg.encode(), time, msg))
    key = lambda f: (b"".join(varint(len(v.encode())) + v.encode() for v in f[0]), f[1].encode())
    out = []
    for f in sorted(forms, key=lambda f: (-len(forms[f]), key(f)))[:limit]:
        seen = forms[f]
        first, last = min(seen), max(seen)
        row = dict(zip(by, f[0]), pattern=f[1], count=str(len(seen)), share=f"{100 * len(seen) / len(rows):.2f}",
                   first_seen=first[2], last_seen=last[2], sample=first[3])
        out.append({k: v for k, v in row.items() if v != ""})
    return out


def same_value(want, got):
    if isinstance(want, float):
        try:
            g = float(got)
        except ValueError:
            return False
        return math.isnan(want) and math.isnan(g) or math.isclose(want, g, rel_tol=1e-9, abs_tol=1e-9)
    if isinstance(want, list):
        return sorted(json.loads(got)) == want
    return want == got


def same(want, got):
    """Equal as sets of rows; floats nearly."""
    if len(want) != len(got):
        return False
    exact = lambda r: json.dumps({k: v for k, v in r.items() if isinstance(v, str)}, sort_keys=True)
    loose = {k for r in want for k, v in r.items() if not isinstance(v, str)}
    got_key = lambda r: json.dumps({k: v for k, v in r.items() if k not in loose}, sort_keys=True)
    for w, g in zip(sorted(want, key=exact), sorted(got, key=got_key)):
        if set(w) != set(g) or not all(same_value(w[k], g[k]) for k in w):
            return False
    return True
