/*
 * cli/status_text.c - the daemon's state for people.
 * One job: its JSON as a page of 80 columns.
 * Floor: 6 (uses lib, base).
 */
#include "cli/status_text.h"

#include <stdio.h>

#include "lib/print.h"
#include "parsers/parser.h"

enum { NAME_MAX_SHOWN = 60, SOURCES_SHOWN_MAX = 200, POSITION_SHOWN_MAX = 68 };

/* An object; those in it come with dotted names, lists as they are. */
struct object {
	struct field *fields;
	size_t n;
};

static struct str
text(const struct object *o, const char *key)
{
	size_t i;

	for (i = 0; i < o->n; i++)
		if (str_eq_c(o->fields[i].name, key))
			return o->fields[i].value;
	return STR_NONE;
}

static double
number(const struct object *o, const char *key)
{
	struct str v = text(o, key);
	char digits[40];

	(void)snprintf(digits, sizeof(digits), "%.*s", STR_ARG(str_sub(v, 0, sizeof(digits) - 1)));
	return strtod(digits, NULL);
}

/* The next object of a list, which goes on behind it; nothing at its end. */
static struct str
next_object(struct str *list)
{
	size_t i, depth = 0, from = 0;
	bool quoted = false;
	struct str one;

	for (i = 0; i < list->n; i++) {
		uint8_t c = list->p[i];

		if (quoted && c == '\\')
			i++;
		else if (c == '"')
			quoted = !quoted;
		else if (!quoted && c == '{' && depth++ == 0)
			from = i;
		else if (!quoted && c == '}' && depth > 0 && --depth == 0) {
			one = str_sub(*list, from, i + 1);
			*list = str_sub(*list, i + 1, list->n);
			return one;
		}
	}
	*list = STR_NONE;
	return STR_NONE;
}

/* 1.2 kB, 34 MB: powers of 10. */
static void
put_bytes(struct buf *out, double n)
{
	static const char *const units[] = { "B", "kB", "MB", "GB", "TB", "PB" };
	size_t i = 0;

	while (n >= 999.5 && i + 1 < ARRAY_LEN(units)) {
		n /= 1000;
		i++;
	}
	buf_printf(out, i == 0 || n >= 99.5 ? "%.0f %s" : "%.1f %s", n, units[i]);
}

static void
put_seconds(struct buf *out, double s)
{
	if (s < 10)
		buf_printf(out, "%.1f s", s);
	else if (s < 120)
		buf_printf(out, "%.0f s", s);
	else if (s < 7200)
		buf_printf(out, "%.0f min", s / 60);
	else if (s < 172800)
		buf_printf(out, "%.0f h", s / 3600);
	else
		buf_printf(out, "%.0f d", s / 86400);
}

/* A count with a word: 1 row, 2 rows. */
static void
put_count(struct buf *out, double n, const char *word)
{
	buf_printf(out, "%.0f %s%s", n, word, n == 1 ? "" : "s");
}

/* The end of a path tells more than its beginning. */
static void
put_name(struct buf *out, struct str name)
{
	if (name.n > NAME_MAX_SHOWN) {
		buf_c(out, "...");
		name = str_sub(name, name.n - NAME_MAX_SHOWN + 3, name.n);
	}
	print_escape(out, name);
}

static void
put_daemon(struct buf *out, const struct object *o)
{
	buf_printf(out, "weird %.*s", STR_ARG(text(o, "version")));
	if (text(o, "cpu").n > 0)
		buf_printf(out, " (%.*s)", STR_ARG(text(o, "cpu")));
	buf_printf(out, ", pid %.0f, up ", number(o, "pid"));
	put_seconds(out, number(o, "uptime_s"));
	buf_c(out, "\n  memory   ");
	put_bytes(out, number(o, "memory_bytes"));
	buf_c(out, ", at most ");
	put_bytes(out, number(o, "memory_peak_bytes"));
	buf_c(out, "\n  rows     ");
	put_count(out, number(o, "rows"), "row");
	buf_printf(out, " taken in, %.1f a second of late", number(o, "rows_per_s"));
	if (number(o, "pushed") > 0)
		buf_printf(out, ", %.0f by inserts", number(o, "pushed"));
	buf_c(out, "\n  losses   ");
	if (number(o, "losses") == 0) {
		buf_c(out, "none\n");
		return;
	}
	put_count(out, number(o, "losses"), "report");
	buf_printf(out, ", %.0f lines", number(o, "lost"));
	if (number(o, "lost_bytes") > 0) {
		buf_c(out, ", ");
		put_bytes(out, number(o, "lost_bytes"));
	}
	buf_c(out, ": weir query '{weir=\"loss\"}'\n");
}

static void
put_store(struct buf *out, const struct object *o)
{
	double raw = number(o, "store.raw_bytes"), bytes = number(o, "store.bytes");

	buf_c(out, "store ");
	put_name(out, text(o, "store.path"));
	buf_c(out,
	    str_eq_c(text(o, "store.paused"), "true")
	        ? ": cannot be written, sources wait\n  holds    "
	        : "\n  holds    ");
	put_count(out, number(o, "store.rows"), "row");
	buf_c(out, " in ");
	put_count(out, number(o, "store.segments"), "segment");
	buf_c(out, ", ");
	put_bytes(out, bytes);
	if (raw > 0) {
		buf_c(out, " for ");
		put_bytes(out, raw);
		buf_c(out, " of lines");
	}
	buf_c(out, "\n  commits  ");
	put_count(out, number(o, "store.commits"), "commit");
	if (number(o, "store.commits") > 0) {
		buf_c(out, ", the last took ");
		buf_printf(out, "%.0f ms", number(o, "store.last_commit_s") * 1000);
	}
	if (number(o, "store.commits_failed") > 0)
		buf_printf(out, ", %.0f failed", number(o, "store.commits_failed"));
	if (number(o, "store.rows_pending") > 0) {
		buf_c(out, ", ");
		put_count(out, number(o, "store.rows_pending"), "row");
		buf_c(out, " pending");
	}
	buf_byte(out, '\n');
}

/* How far behind: seconds, lines and bytes, as far as they are known. */
static void
put_lag(struct buf *out, const struct object *s)
{
	double lines = number(s, "lag_lines"), bytes = number(s, "lag_bytes"),
	       sec = number(s, "lag_s");

	if (lines == 0 && bytes == 0 && sec == 0) {
		buf_c(out, ", up to date");
		return;
	}
	buf_c(out, ", behind by");
	if (lines > 0) {
		buf_byte(out, ' ');
		put_count(out, lines, "line");
	}
	if (bytes > 0) {
		buf_byte(out, ' ');
		put_bytes(out, bytes);
	}
	if (sec > 0) {
		buf_byte(out, ' ');
		put_seconds(out, sec);
	}
}

static void
put_source(struct buf *out, const struct object *s)
{
	struct str position = text(s, "position");

	buf_printf(out, "%.*s ", STR_ARG(text(s, "kind")));
	put_name(out, text(s, "name"));
	buf_printf(out, "\n  %-9.*s", STR_ARG(text(s, "state")));
	put_count(out, number(s, "lines"), "line");
	buf_c(out, ", ");
	put_bytes(out, number(s, "bytes"));
	put_lag(out, s);
	buf_byte(out, '\n');
	if (number(s, "lost") > 0 || number(s, "lost_bytes") > 0) {
		buf_c(out, "  lost     ");
		put_count(out, number(s, "lost"), "line");
		buf_c(out, ", ");
		put_bytes(out, number(s, "lost_bytes"));
		buf_byte(out, '\n');
	}
	if (position.n != 0) {
		buf_c(out, "  position ");
		print_escape(out, str_sub(position, 0, POSITION_SHOWN_MAX));
		buf_byte(out, '\n');
	}
}

/* Nothing where there are none. */
static void
put_rules(struct buf *out, const struct object *o)
{
	double bad = number(o, "rules.failing"), unknown = number(o, "rules.unknown");
	double wait = number(o, "rules.outbox_waiting") + number(o, "rules.outbox_sending");

	if (text(o, "rules.rules").n == 0)
		return;
	buf_c(out, "rules ");
	put_count(out, number(o, "rules.rules"), "rule");
	buf_printf(out, ", %.0f pending, %.0f firing", number(o, "rules.pending"),
	    number(o, "rules.firing"));
	if (bad > 0 || unknown > 0)
		buf_printf(out, ", %.0f failing, %.0f unknown: weir why-not RULE", bad, unknown);
	buf_printf(out, "\n  outbox   %.0f waiting", wait);
	if (wait > 0 && number(o, "rules.outbox_oldest_s") > 0) {
		buf_c(out, " (the oldest since ");
		put_seconds(out, number(o, "rules.outbox_oldest_s"));
		buf_c(out, ": weir alerts outbox)");
	}
	buf_printf(out, ", %.0f delivered, %.0f given up", number(o, "rules.outbox_delivered"),
	    number(o, "rules.outbox_failed"));
	buf_c(out,
	    str_eq_c(text(o, "rules.stored"), "false") ? ", state.db cannot be written\n" : "\n");
}

static int
put_sources(struct buf *out, struct str list, struct arena *arena)
{
	struct object s;
	struct str one;
	size_t n = 0;
	int r = 0;

	for (one = next_object(&list); r == 0 && one.n > 0; one = next_object(&list)) {
		if (n++ >= SOURCES_SHOWN_MAX)
			continue;
		r = json_fields(one, arena, &s.fields, &s.n);
		if (r == 0)
			put_source(out, &s);
	}
	if (n == 0)
		buf_c(out, "no source has anything yet\n");
	if (n > SOURCES_SHOWN_MAX)
		buf_printf(out, "and %zu sources more: weir status --output json\n",
		    n - SOURCES_SHOWN_MAX);
	return r;
}

int
status_text(struct buf *out, struct str json)
{
	AUTO_FINI(arena_fini) struct arena arena = ARENA_INIT;
	struct object o;
	int r;

	r = json_fields(str_trim(json), &arena, &o.fields, &o.n);
	if (r != 0)
		return r < 0 ? r : STATUS_TEXT_E_FORMAT;
	put_daemon(out, &o);
	put_store(out, &o);
	put_rules(out, &o);
	r = put_sources(out, text(&o, "sources"), &arena);
	if (r != 0)
		return r < 0 ? r : STATUS_TEXT_E_FORMAT;
	return buf_err(out);
}
