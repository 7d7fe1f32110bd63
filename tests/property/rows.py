"""Random rows and random queries over them, from one seed."""
import datetime, json, random

WORDS = ["timeout", "error", "Error", "failed", "request", "user", "db", "cache", "slow", "query", "GET", "POST", "ok", "café", "日本語",
         "x_1", "42", "7", "10.0.0.1", "foo-bar", "/api/v1", "a.b", "id=12", "[x]", "ünïcode", "ERROR", "timed", "out", "of", "memory"]
BASE = 1769853600  # 2026-01-31T10:00:00Z


def message(rnd):
    kind = rnd.random()
    if kind < 0.5:  # a template with variables
        return rnd.choice([
            f"request {rnd.choice(WORDS)} took {rnd.randrange(2000)} ms",
            f"user {rnd.randrange(40)} failed: {rnd.choice(WORDS)}",
            f"slow query on db-{rnd.randrange(4)} after {rnd.randrange(90) / 10} s",
            f"GET /api/v1/items/{rnd.randrange(1000)} {rnd.choice([200, 200, 404, 500])}",
            f"connection from 10.0.{rnd.randrange(3)}.{rnd.randrange(255)} closed"])
    if kind < 0.9:
        return " ".join(rnd.choice(WORDS) for _ in range(rnd.randrange(1, 9)))
    if kind < 0.95:
        return rnd.choice(["", " ", "x" * rnd.randrange(300, 6000), "a\nb", "tab\there", "quote\"back\\slash", "…", "*", "\x01bell"])
    return "".join(chr(rnd.choice([rnd.randrange(32, 127), rnd.randrange(0x400, 0x450), rnd.randrange(0x1f600, 0x1f640)])) for _ in range(20))


def rfc3339(ns):
    t = datetime.datetime.fromtimestamp(ns // 10**9, datetime.timezone.utc)
    frac = f"{ns % 10**9:09d}".rstrip("0")
    return t.strftime("%Y-%m-%dT%H:%M:%S") + ("." + frac if frac else "") + "Z"


# What each field's values look like; a data set takes each kind pure or mixed with others.
KINDS = {
    "int": lambda r: str(r.choice([r.randrange(100), r.randrange(-50, 10**6), r.randrange(10**12), 0])),
    "small": lambda r: str(r.randrange(12)),
    "dec": lambda r: r.choice([f"{r.randrange(10**4) / 100:.2f}", f"{r.random():.3f}", f"-{r.randrange(9)}.5", "1.50", "0.10"]),
    "size": lambda r: f"{r.choice([1, 2, 5, 1.5, 10, 300])}{r.choice(['B', 'KB', 'MB', 'KiB', 'MiB', 'K'])}",
    "span": lambda r: f"{r.choice([1, 2, 3, 15, 250, 1.5])}{r.choice(['ns', 'µs', 'ms', 's', 'm', 'h'])}",
    "ip": lambda r: f"10.{r.randrange(2)}.{r.randrange(4)}.{r.randrange(256)}",
    "time": lambda r: rfc3339((BASE + r.randrange(10**5)) * 10**9 + r.choice([0, 5 * 10**8, 123456789])),
    "enum": lambda r: r.choice(["debug", "info", "warn", "error"]),
    "id": lambda r: f"{r.randrange(16**8):08x}-{r.randrange(60):04x}",
    "uuid": lambda r: f"{r.randrange(16**8):08x}-{r.randrange(16**4):04x}-4{r.randrange(16**3):03x}-8{r.randrange(16**3):03x}-{r.randrange(16**12):012x}",
    "hex": lambda r: f"{r.randrange(16**16):016x}",
    "text": message,
    "odd": lambda r: r.choice(["", "007", "+5", "1e3", "0x1f", "1_000", "NaN", "inf", "-", "-0", "1.", ".5", "00", "1,5", "9223372036854775807",
                               "9223372036854775808", "-9223372036854775808", "18446744073709551615", "1e400", "true", "null", "[1,2]", '{"a":1}', "a=b"]),
    "const": lambda r: "same",
}
FIELDS = ["a", "b", "c", "d", "e", "level", "request_id"]


def rows(rnd, n, far=False):
    """Rows as dicts, in the order of arrival; and which kinds each field has.  ${far}: some clocks are bad; such rows may
    stand in blocks of their own, so that equal rows of a sort have no order."""
    kinds = {}
    for f in FIELDS:
        k = [rnd.choice(list(KINDS))]
        if rnd.random() < 0.35:
            k += rnd.choices(list(KINDS), k=rnd.randrange(1, 3))
        kinds[f] = k
    kinds["level"] = ["enum"] if rnd.random() < 0.8 else kinds["level"]
    kinds["request_id"] = [rnd.choice(["id", "uuid", "hex", "id", "odd"])]
    absent = {f: rnd.choice([0, 0, 0.1, 0.5, 0.95]) for f in FIELDS}
    pools = {f: [KINDS[rnd.choice(kinds[f])](rnd) for _ in range(rnd.choice([3, 20, 1000]))] for f in FIELDS}
    step = rnd.choice([1, 10**3, 10**6, 10**8, 10**9, 60 * 10**9])
    ns = BASE * 10**9 + rnd.randrange(10**9)
    order = random.Random(n)  # no two blocks have their fields in one order
    out = []
    for i in range(n):
        ns += rnd.choice([0, 0, step, step, 3 * step]) if rnd.random() < 0.95 else -2 * step
        at = ns + (rnd.randrange(-10**9, 10**9) * 10**9 if far and rnd.random() < 0.01 else 0)
        row = {"_time": rfc3339(at), "_msg": message(rnd), "i": str(i)}
        for f in FIELDS:
            if rnd.random() >= absent[f]:
                row[f] = rnd.choice(pools[f])
        out.append(dict(order.sample(list(row.items()), len(row))))
    return out, kinds


def quote(s):
    return json.dumps(s, ensure_ascii=False) if all(ord(c) >= 32 for c in s) else json.dumps(s)


class Grammar:
    """Filters and pipes over the rows, as text; with a tree for those that the naive evaluator knows."""

    def __init__(self, rnd, data, kinds):
        self.rnd, self.data, self.kinds = rnd, data, kinds

    def field(self):
        return self.rnd.choice(FIELDS + ["_msg", "_msg", "i"])

    def value(self, f):
        """A value that some row has, or nearly."""
        v = self.rnd.choice(self.data).get(f, "")
        if self.rnd.random() < 0.1:
            v = KINDS[self.rnd.choice(list(KINDS))](self.rnd)
        return v[:200]

    def piece(self, f):
        v = self.value(f)
        if len(v) < 2:
            return v or "x"
        a = self.rnd.randrange(len(v))
        return v[a:a + self.rnd.randrange(1, 12)]

    def phrase(self, f):
        words = self.value(f).split(" ")
        a = self.rnd.randrange(len(words))
        return " ".join(words[a:a + self.rnd.choice([1, 1, 2, 3])]) or "error"

    def number(self, f):
        return self.rnd.choice([str(self.rnd.randrange(100)), "5ms", "1KB", "2.5", "-3", "1000", "10.0.1.7", "1e3", "0"]) if self.rnd.random() < 0.6 \
            else self.value(f)

    def leaf(self):
        r, f = self.rnd, self.field()
        kind = r.choice(["phrase", "phrase", "word", "prefix", "substring", "exact", "exact_prefix", "in", "regex", "cmp", "range", "len", "ip",
                         "empty", "any", "eq_field", "contains_any", "contains_all", "seq", "i", "string_range", "time", "not_regex", "level", "cmp", "substring",
                         "lt_field", "value_type_none", "all", "in_query", "common", "pattern", "json_any", "day", "cmp_field"])
        q = quote
        if kind in ("phrase", "word"):
            p = self.phrase(f)
            return ("phrase", f, p), f"{f}:{q(p)}"
        if kind == "prefix":
            p = self.phrase(f)
            p = p[:r.randrange(1, len(p) + 1)]
            return ("prefix", f, p), f"{f}:{q(p)}*"
        if kind == "substring":
            p = self.piece(f)
            return ("substring", f, p), f"{f}:*{q(p)}*"
        if kind == "exact":
            v = self.value(f)
            return ("exact", f, v), f"{f}:={q(v)}"
        if kind == "exact_prefix":
            v = self.value(f)[:r.randrange(1, 8)]
            return ("exact_prefix", f, v), f"{f}:={q(v)}*"
        if kind == "in":
            vs = [self.value(f) for _ in range(r.randrange(1, 5))]
            return ("in", f, vs), f"{f}:in({', '.join(map(q, vs))})"
        if kind in ("regex", "not_regex"):
            rx = r.choice(["^[0-9]+$", "(?i)error", "time(d )?out", "[0-9]{3}", "^$", "a.b", "o$", "\\d+ ms", "é", "(GET|POST) /", ".",
                           "timeout|memory|slow", "(?i)timeout|MEMORY", "user [0-9]+ (failed|ok)", "[Ee]rror", "items?/", "(10|GET) ?", "(?i)slow query",
                           "o+t", "closed$|^GET", "(a|b|c|d)(1|2|3|4|5)", "tim(e|ed){1,2} ", "\\bof\\b|\\.0\\."])
            if r.random() < 0.3:
                w = "".join(c for c in self.piece(f) if c.isalnum())
                rx = w + r.choice(["", ".*", "[a-z]+"]) if w else rx
            if kind == "regex":
                return ("regex", f, rx), f"{f}:~{q(rx)}"
            return ("not", ("regex", f, rx)), f"!{f}:~{q(rx)}"
        if kind == "cmp":
            v, op = self.number(f), r.choice(["<", "<=", ">", ">="])
            return ("cmp", f, op, v), f"{f}:{op}{q(v)}"
        if kind == "range":
            a, b = r.randrange(-10, 500), r.randrange(0, 5000)
            left, right = r.choice("[("), r.choice("])")
            return ("range", f, left, a, b, right), f"{f}:range{left}{a}, {b}{right}"
        if kind == "len":
            a = r.randrange(30)
            return ("len", f, a, a + 20), f"{f}:len_range({a}, {a + 20})"
        if kind == "ip":
            return ("ip", f, "10.0.1.0", "10.1.0.200"), f"{f}:ipv4_range(10.0.1.0, 10.1.0.200)"
        if kind == "empty":
            return ("exact", f, ""), f'{f}:""'
        if kind == "any":
            return ("not", ("exact", f, "")), f"{f}:*"
        if kind == "eq_field":
            g = self.field()
            return ("eq_field", f, g), f"{f}:eq_field({g})"
        if kind == "lt_field":
            g = self.field()
            return None, f"{f}:{r.choice(['lt_field', 'le_field'])}({g})"
        if kind in ("contains_any", "contains_all"):
            vs = [self.phrase(f) for _ in range(r.randrange(1, 4))]
            return (kind, f, vs), f"{f}:{kind}({', '.join(map(q, vs))})"
        if kind == "seq":
            vs = [self.phrase(f) for _ in range(2)]
            return None, f"{f}:seq({', '.join(map(q, vs))})"
        if kind == "i":
            p = self.phrase(f)
            return None, f"{f}:i({q(p.upper())})"
        if kind == "string_range":
            a, b = sorted([self.value(f), self.value(f)], key=lambda s: s.encode())
            return ("string_range", f, a, b), f"{f}:string_range({q(a)}, {q(b)})"
        if kind == "time":
            a, b = sorted([self.rnd.choice(self.data)["_time"], self.rnd.choice(self.data)["_time"]])
            left, right = r.choice("[("), r.choice("])")
            return ("time", left, a, b, right), f"_time:{left}{a}, {b}{right}"
        if kind == "level":
            return None, f"min_level({r.choice(['info', 'warn', 'error'])})"
        if kind == "in_query":
            g = self.field()
            end = r.choice([f"fields {g}", f"uniq by ({g})", f"uniq by ({g}) limit 1000000"])
            return None, f"{f}:{r.choice(['in', 'contains_any'])}({self.leaf()[1]} | {end})"
        if kind == "common":
            return None, f"{f}:{r.choice(['contains_common_case', 'equals_common_case'])}({q(r.choice(WORDS[:12]))})"
        if kind == "pattern":
            return None, f"{f}:{r.choice(['pattern_match', 'pattern_match_full', 'pattern_match_prefix'])}({q(r.choice(['<N> ms', 'user <N>', '<IP4>', '<N>', '<W> <N>', '<UUID>']))})"
        if kind == "json_any":
            return None, f"{f}:json_array_contains_any(1, {q(self.value(f))})"
        if kind == "day":
            return None, r.choice(["_time:day_range[08:00, 11:00)", "_time:day_range(10:00, 10:30] offset 90m", "_time:week_range[Fri, Sat]", "_time:2026-01-31T10Z",
                                   "_time:>=2026-01-31T10:01:00Z", "_time:2026-01-31T10:00:00Z offset -1h"])
        if kind == "cmp_field":
            return None, f"{f}:{r.choice(['>', '<='])}{q(self.value(self.field()))}"
        if kind == "value_type_none":
            return None, f"_msg:len_range(0, {r.randrange(80)})"
        return ("all",), "*"

    def filter(self, depth=0):
        r = self.rnd.random()
        if depth > 2 or r < 0.5:
            return self.leaf()
        if r < 0.6:
            t, s = self.filter(depth + 1)
            return (("not", t) if t else None), f"!({s})"
        n = self.rnd.randrange(2, 4)
        parts = [self.filter(depth + 1) for _ in range(n)]
        op = "and" if r < 0.8 else "or"
        tree = (op, [p[0] for p in parts]) if all(p[0] for p in parts) else None
        return tree, "(" + f" {op} ".join(p[1] for p in parts) + ")"

    def fields(self, n=3):
        return self.rnd.sample(FIELDS + ["_msg", "i"], self.rnd.randrange(1, n + 1))

    def pipe(self):
        """A pipe for rows; (tree or None, text, ends: rows gathered, ordered: order is told)."""
        r = self.rnd
        f, g = self.field(), self.field()
        some = self.fields()
        kind = r.randrange(52)
        if kind == 0:
            return ("fields", some), f"fields {', '.join(some)}"
        if kind == 1:
            return ("delete", some), f"delete {', '.join(some)}"
        if kind == 2:
            return ("rename", f, "new"), f"rename {f} as new"
        if kind == 3:
            return ("copy", f, "other"), f"copy {f} as other"
        if kind == 4:
            t, s = self.filter(1)
            return (("filter", t) if t else None), f"filter {s}"
        if kind == 5:
            return ("len", f, "n"), f"len({f}) as n"
        if kind == 6:
            return None, f'format "<{f}> and <q:{g}>" as out'
        if kind == 7:
            return None, f"math ({f} + 1) * 2 as m, {g} default 3 as k"
        if kind == 8:
            return None, f'replace ("{r.choice(["e", "1", "00"])}", "_") at {f}'
        if kind == 9:
            return None, f"replace_regexp (\"[0-9]+\", \"<$0>\") at {f} limit 2"
        if kind == 10:
            return None, f'extract "<x> <y> " from {f}'
        if kind == 11:
            return None, f"collapse_nums at {f}"
        if kind == 12:
            return None, f"pack_json fields ({', '.join(some)}) as j"
        if kind == 13:
            return None, f"unpack_json from {f}"
        if kind == 14:
            return None, f"hash({f}) as h"
        if kind == 15:
            return None, f"drop_empty_fields"
        if kind == 16:
            return None, f"extract_regexp \"(?P<n>[0-9]+)\" from {f}"
        if kind == 17:
            return None, f"unpack_words from {f} as w"
        if kind == 18:
            return None, f"split \" \" from {f} as w | unroll by (w)"
        if kind == 19:
            return None, f"pack_logfmt fields ({', '.join(some)}) as j | unpack_logfmt from j result_prefix p_"
        if kind == 20:
            return None, f"time_add {r.choice(['1h', '-5m'])}"
        if kind == 21:
            return None, f"set_stream_fields {', '.join(some)}"
        if kind == 22:
            return None, f"decolorize {f}"
        if kind == 23:
            return None, f"format if ({self.filter(2)[1]}) \"yes <{f}>\" as {g}"
        if kind == 24:
            return None, f"unroll if ({self.filter(2)[1]}) by ({f})"
        if kind == 25:
            return None, f"join by ({f}) (* | stats by ({f}) count() joined){r.choice(['', ' inner', ' prefix j_'])}"
        if kind == 26:
            return None, f"join by (i) ({self.leaf()[1]} | fields i, {g}) prefix other_"
        if kind == 27:
            return None, f"union ({self.leaf()[1]} | fields i, {', '.join(some)})"
        if kind == 28:
            op = r.choice(["+", "-", "*", "/", "%", "^", "&", "or", "xor", "default"])
            return None, f"math {f} {op} {g} as m, round({r.choice(['abs', 'ceil', 'floor', 'ln', 'exp'])}({g}), 0.01) as k, max({f}, 3, -{g}) as x"
        if kind == 29:
            how = r.choice(["uc", "lc", "urlencode", "urldecode", "hexencode", "hexdecode", "hexnumencode", "hexnumdecode", "base64encode", "base64decode", "time",
                            "duration", "duration_seconds", "ipv4", "q"])
            return None, f'format "<{how}:{f}>|<_>|<{g}>" as {r.choice(["out", g])} {r.choice(["", "keep_original_fields", "skip_empty_results"])}'
        if kind == 30:
            return None, f"pack_json fields (a, b, c, d, e, i, level) as j | unpack_json from j fields ({f}, {g[:2]}*, nope) {r.choice(['', 'keep_original_fields', 'skip_empty_results'])}"
        if kind == 31:
            return None, f"format '{{\"x\":{{\"y\":<q:{f}>}},\"z\":[1, <q:{g}>]}}' as j | unpack_json from j {r.choice(['', 'preserve_keys (x) ', 'fields (x.*, z) '])}result_prefix p_"
        if kind == 32:
            return None, f"unpack_logfmt if ({self.filter(2)[1]}) from {f} {r.choice(['', 'keep_original_fields', 'skip_empty_results'])}"
        if kind == 33:
            return None, f"format \"<165>Jan 31 10:00:00 host app[<{f}>]: <{g}>\" as s | unpack_syslog from s offset 1h result_prefix s_"
        if kind == 34:
            return None, f"copy {f.strip('_')[:1]}* as c_* | rename c_{f.strip('_')[:1]}* as d_*"
        if kind == 35:
            return None, f"split \"{r.choice([' ', '-', '', '0'])}\" from {f} as w | json_array_len(w) as n"
        if kind == 36:
            return None, f"unpack_words from {f} as w drop_duplicates | unroll (w) | len(w) as n"
        if kind == 37:
            return None, f"collapse_nums if ({self.filter(2)[1]}) at {f} prettify"
        if kind == 38:
            return None, f"replace if ({self.filter(2)[1]}) ({quote(self.piece(f))}, \"<>\") at {f} limit 1"
        if kind == 39:
            return None, f"extract if ({self.filter(2)[1]}) \"<_> <one> \" from {f} {r.choice(['', 'keep_original_fields', 'skip_empty_results'])}"
        if kind == 40:
            return None, f"fields {f[:1]}*, i, _time"
        if kind == 41:
            return None, f"delete {f[:1]}*"
        if kind == 42:
            return None, f"rename {f} as {g}, {g} as {f}"
        if kind == 43:
            return None, f"set_stream_fields if ({self.filter(2)[1]}) {', '.join(some)}"
        if kind == 44:
            return None, f"extract_regexp if ({self.filter(2)[1]}) \"(?P<n>[a-z]+)[^a-z]+(?P<m>[a-z]*)\" from {f} skip_empty_results"
        return ("copy", f, "other"), f"copy {f} as other"

    def funcs(self, exact):
        r, out, trees = self.rnd, [], []
        for i in range(r.randrange(1, 4)):
            f = self.field()
            name = f"s{i}"
            known = r.choice(["count", "count_f", "count_empty", "count_uniq", "sum", "min", "max", "avg", "sum_len", "uniq_values"])
            text = {"count": "count()", "count_f": f"count({f})", "count_empty": f"count_empty({f})", "count_uniq": f"count_uniq({f})",
                    "sum": f"sum({f})", "min": f"min({f})", "max": f"max({f})", "avg": f"avg({f})", "sum_len": f"sum_len({f})",
                    "uniq_values": f"uniq_values({f})"}[known]
            tree = (known, f, name)
            if not exact and r.random() < 0.5:
                other = self.field()
                text = r.choice([f"median({f})", f"quantile(0.9, {f})", f"stddev({f})", f"row_max({f}, i)", f"row_min({f}, i)",
                                 f"field_max({f}, {other})", f"field_min({f}, {other})", f"histogram({f})", f"count_uniq_hash({f})",
                                 f"count({f}, {other})", f"count_uniq({f}, {other})", f"rate()", f"rate_sum({f})", f"min({f}, {other})",
                                 f"max({f}, {other})", f"json_values({f}, i) sort by (i) limit 3",
                                 f"json_values({f}, i) sort by ({other}) limit 5", f"json_values(i, {f})", f"values({f})", f"values({f}, {other}) limit 7",
                                 f"any({f})", f"row_any({f}, i)", f"uniq_values({f}) limit 7", f"sum({f}, {other})", f"count() if ({self.filter(2)[1]})"])
                tree = None
            out.append(f"{text} as {name}")
            trees.append(tree)
        return trees, ", ".join(out)

    def counts(self):
        """Rows counted by steps of time, dictionaries and numbers: what the engine does without looking at each row."""
        r = self.rnd
        size, text = r.choice([(10**9, "1s"), (60 * 10**9, "1m"), (300 * 10**9, "5m"), (3600 * 10**9, "1h"), (86400 * 10**9, "1d"), (10**6, "1ms"),
                               (7 * 10**9, "7s")])
        offset, more = r.choice([(0, ""), (0, ""), (20 * 10**9, " offset 20s"), (-90 * 10**9, " offset -90s")])
        by = r.choice([[], [], ["level"], self.fields(2)])
        fields = ["_time"] + by
        names = [f"_time:{text}{more}"] + by
        if r.random() < 0.3:
            names.reverse()
        funcs = [("count", "", "n")] if r.random() < 0.7 else [("count", "", "n"), ("count_uniq", "i", "u")]
        calls = {"count": "count() as n", "count_uniq": "count_uniq(i) as u"}
        return ("stats_time", size, offset, fields, funcs), f"stats by ({', '.join(names)}) " + ", ".join(calls[k] for k, _, _ in funcs), False

    def quantiles(self):
        r = self.rnd
        f = r.choice(FIELDS + ["i"])
        call = r.choice([f"quantile({r.choice(['0', '0.1', '0.5', '0.99', '1'])}, {f})", f"median({f})", f"quantile(0.5, {f}, i)", "quantile(0.7, *)"])
        by = r.choice(["", "by (level) ", f"by ({', '.join(self.fields(2))}) ", "by (_time:1m) "])
        # Of all fields, those of a store's own (_stream) are some.
        return None, f"stats {by}{call} as q, quantile(0.9, {f}) as p", "names" if "*" in call else False

    def tops(self):
        r = self.rnd
        some = self.fields(2)
        return None, r.choice([f"uniq by ({', '.join(some)}) with hits", f"top 1000000 by ({', '.join(some)})", f"stats by ({', '.join(some)}) count() as n",
                               "stats count() as n"]), False

    def last(self):
        """(tree or None, text, whether the order of rows is part of the answer)."""
        r = self.rnd
        kind = r.randrange(23)
        some = self.fields(2)
        if kind <= 3:
            exact = r.random() < 0.5
            trees, text = self.funcs(exact)
            by = some if r.random() < 0.7 else []
            bucket = ""
            if not exact and by and r.random() < 0.4:
                return None, f"stats by (_time:{r.choice(['1s', '5m', '1h', 'day'])}, {', '.join(by)}) {text}", False
            if not exact and by and r.random() < 0.3:
                return None, f"stats by ({by[0]}:{r.choice(['10', '1KiB', '5ms', '/24', '0.5'])}) {text}", False
            head = f"stats by ({', '.join(by)}) " if by else "stats "
            return (("stats", by, trees) if all(trees) else None), head + text, False
        if kind == 4:
            limit = r.choice(["", f" limit {r.randrange(1, 30)}", f" offset 3 limit {r.randrange(1, 30)}", " rank as pos"])
            desc = r.choice(["", " desc"])
            return None, f"sort by ({', '.join(some)}{desc}){limit}", True
        if kind == 5:
            return ("uniq", some), f"uniq by ({', '.join(some)})", False
        if kind == 6:
            return None, f"uniq by ({', '.join(some)}) with hits", False
        if kind == 7:
            return None, f"top {r.randrange(1, 100)} by ({', '.join(some)})", "top"
        if kind == 8:
            return None, r.choice(["field_names", f"field_values {some[0]}", "facets 3", f"stats by (level) count() n | sort by (n, level)"]), "names"
        if kind == 22:
            n, by = r.choice([3, 10**6]), [f for f in some if f != "_msg"] if r.random() < 0.5 else []
            return ("patterns", n, by), f"patterns {n}" + (f" by ({', '.join(by)})" if by else ""), True
        if kind == 9:
            return None, f"sort by (_time) limit {r.randrange(1, 20)} partition by ({some[0]})", True
        if kind == 10:
            return None, f"sort by (_time, i) | running_stats by ({some[0]}) count() c, sum(b) s, max(a) m", True
        if kind == 12:
            return None, f"total_stats by ({some[0]}) count() c, sum(a) s, min(b) lo, max(b) hi | sort by (i) limit 50", True
        if kind == 13:
            return None, f"facets {r.randrange(1, 5)} max_values_per_field 50 max_value_len 20 {r.choice(['', 'keep_const_fields'])}", "names"
        if kind == 14:
            return None, f"uniq by ({', '.join(some)}) with hits | sort by (hits desc, {', '.join(some)}) | offset 2 | limit {r.randrange(1, 9)} | fields hits", True
        if kind == 15:
            return None, f"top 5 by ({some[0]}) hits as h rank as r | fields h, r", False
        if kind == 16:
            return None, f"stats by ({some[0]}) count() c, any({some[-1]}) y, row_any({some[-1]}) z | sort by (c desc, {some[0]}) limit 7 | fields c", True
        if kind in (18, 19):
            return self.counts()
        if kind == 20:
            return self.quantiles()
        if kind == 17:
            bucket = r.choice(["_time:1m offset 20s", "_time:week", "_time:month", "a:100 offset 7", "b:1KB", "c:/16", "d:10ms"])
            return None, f"stats by ({bucket}) count() n, count_uniq(i) u, sum_len(_msg) l", False
        return None, f"sort by (_time, i) | {r.choice(['first', 'last'])} {r.randrange(1, 9)} by ({some[0]}){r.choice(['', f' partition by ({some[-1]})'])}", True

    def query(self):
        """(text, trees of filter and pipes or None, whether the order counts)."""
        tree, text = self.filter()
        if self.rnd.random() < 0.15:
            tree, text = ("all",), "*"
        trees, known, ordered = [tree], tree is not None, "rows"
        parts = [text]
        for _ in range(self.rnd.choice([0, 0, 0, 1, 1, 2])):
            t, s = self.pipe()
            parts.append(s)
            known = known and t is not None
            trees.append(t)
        # Equal rows of the two sides of a union are in no order, so nothing is picked out of them.
        if self.rnd.random() < 0.6 and not any("union (" in p for p in parts):
            t, s, ordered = self.last()
            parts.append(s)
            known = known and t is not None
            trees.append(t)
        text = " | ".join(parts)
        if ordered == "rows" and "union (" in text:
            ordered = False  # rows from two places have no order
        return text, trees if known else None, ordered
