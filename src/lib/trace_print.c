/*
 * lib/trace_print.c - a request as a waterfall.
 * One job: one line a row: offset from the start, place in time, service, level, message.
 * Floor: 4 (uses record, base).
 */
#include <stdio.h>

#include "base/utf8.h"
#include "lib/print.h"
#include "lib/trace.h"
#include "record/level.h"

enum { BAR = 12, SERVICE_MAX = 16, WIDTH_MIN = 40 };
#define DIM   "\033[2m"
#define RESET "\033[0m"

struct style {
	bool color, terminal;
	unsigned width; /* 0: no end */
	int service;    /* width of its column */
};

/* 1.234 s, 12.3 ms, 456 µs: four digits are enough to compare. */
static void
put_span(struct buf *out, int64_t ns)
{
	char text[32];

	if (ns >= NS_PER_HOUR)
		(void)snprintf(text, sizeof(text), "%lldh%02lldm", (long long)(ns / NS_PER_HOUR),
		    (long long)(ns % NS_PER_HOUR / NS_PER_MIN));
	else if (ns >= NS_PER_MIN)
		(void)snprintf(text, sizeof(text), "%lldm%04.1fs", (long long)(ns / NS_PER_MIN),
		    (double)(ns % NS_PER_MIN) / 1e9);
	else if (ns >= NS_PER_S)
		(void)snprintf(text, sizeof(text), "%.3f s", (double)ns / 1e9);
	else if (ns >= NS_PER_MS)
		(void)snprintf(text, sizeof(text), "%.1f ms", (double)ns / 1e6);
	else
		(void)snprintf(text, sizeof(text), "%lld us", (long long)(ns / NS_PER_US));
	buf_c(out, text);
}

/* The first line of ${s}, cut to ${width} columns, and filled up with blanks if ${fill}. */
static void
put_cut(struct buf *out, struct str s, size_t width, bool fill, bool terminal)
{
	AUTO_FINI(buf_fini) struct buf text = BUF_INIT;
	size_t n;

	if (terminal)
		print_escape(&text, s);
	else
		buf_str(&text, s);
	s = buf_view(&text);
	s = str_sub(s, 0, str_find_byte(s, '\n'));
	buf_put(out, s.p, utf8_fit(s, width, &n));
	for (; fill && n < width; n++)
		buf_byte(out, ' ');
}

/* Times may lie further apart than a span can say. */
static int64_t
between(struct wall from, struct wall to)
{
	int64_t ns;

	return __builtin_sub_overflow(to.ns, from.ns, &ns) ? INT64_MAX : ns;
}

static size_t
longest_gap(const struct trace *t)
{
	int64_t longest = 0, gap;
	size_t i, at = 0;

	for (i = 1; i < t->n; i++) {
		gap = between(t->rows[i - 1].time, t->rows[i].time);
		if (gap > longest) {
			longest = gap;
			at = i;
		}
	}
	return at;
}

static void
put_bar(struct buf *out, int64_t offset, int64_t total)
{
	int64_t at = total > 0 ? (int64_t)((double)offset / (double)total * (BAR - 1) + 0.5) : 0, i;

	buf_byte(out, '|');
	for (i = 0; i < BAR; i++)
		buf_byte(out, i == at ? '*' : i < at ? '-' : ' ');
	buf_c(out, "| ");
}

static void
put_row(struct buf *out, const struct trace_row *row, int64_t offset, int64_t total,
    const struct style *st)
{
	AUTO_FINI(buf_fini) struct buf span = BUF_INIT;
	enum severity sev = level_severity(row->level);
	bool bad = row->level.n > 0 && sev <= SEVERITY_ERR;
	const char *color = st->color && row->level.n > 0 ? print_level_color(row->level) : "";
	size_t left = 11 + BAR + 3 + (size_t)st->service + 1 + 6 + 2, room = SIZE_MAX;

	put_span(&span, offset);
	buf_printf(out, "%c%9s ", bad && !st->color ? '!' : ' ', buf_c_str(&span));
	put_bar(out, offset, total);
	put_cut(out, row->service, (size_t)st->service, true, true);
	buf_byte(out, ' ');
	buf_c(out, color);
	put_cut(out, row->level, 6, true, true);
	buf_byte(out, ' ');
	if (st->width > 0)
		room = st->width > left + 10 ? st->width - left : 10;
	put_cut(out, row->msg, room, false, st->terminal);
	buf_c(out, *color != '\0' ? RESET "\n" : "\n");
}

static void
put_gap(struct buf *out, int64_t gap, int64_t total, const struct style *st)
{
	AUTO_FINI(buf_fini) struct buf span = BUF_INIT;

	put_span(&span, gap);
	buf_printf(out, "%s           ~~ %s without a line", st->color ? DIM : "",
	    buf_c_str(&span));
	if (total > 0)
		buf_printf(out, ", %d %% of all", (int)((double)gap / (double)total * 100));
	buf_c(out, st->color ? " ~~" RESET "\n" : " ~~\n");
}

static size_t
count_services(const struct trace *t, int *ret_width)
{
	AUTO_FINI(map_fini) struct map seen = MAP_INIT;
	size_t i, width = 1;

	for (i = 0; i < t->n; i++) {
		if (t->rows[i].service.n > 0)
			(void)map_put(&seen, t->rows[i].service, NULL);
		if (utf8_width(t->rows[i].service) > width)
			width = utf8_width(t->rows[i].service);
	}
	*ret_width = (int)(width < SERVICE_MAX ? width : SERVICE_MAX);
	return seen.n;
}

void
trace_print(struct buf *out, const struct trace *t, struct str id, bool utc, bool color,
    bool terminal, unsigned width)
{
	struct style st = { color, terminal, width, 0 };
	int64_t total = t->n > 0 ? between(t->rows[0].time, t->rows[t->n - 1].time) : 0;
	size_t i, gap = longest_gap(t), n_services = count_services(t, &st.service);

	if (t->n == 0)
		return;
	print_escape(out, id);
	buf_printf(out, ": %zu row%s, %zu service%s, ", t->n, t->n == 1 ? "" : "s", n_services,
	    n_services == 1 ? "" : "s");
	put_span(out, total);
	buf_c(out, ", from ");
	print_time(out, t->rows[0].time, utc);
	buf_byte(out, '\n');
	for (i = 0; i < t->n; i++) {
		if (i > 0 && i == gap && t->n > 2)
			put_gap(out, between(t->rows[i - 1].time, t->rows[i].time), total, &st);
		put_row(out, &t->rows[i], between(t->rows[0].time, t->rows[i].time), total, &st);
	}
}
