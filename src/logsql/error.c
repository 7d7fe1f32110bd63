/*
 * logsql/error.c - what is wrong with a query, for people.
 * One job: the message, the line it is about, and a caret below the place.
 * Floor: 2 (uses record, base).
 */
#include "base/utf8.h"
#include "logsql/query.h"

/* A line longer than this is shown around the place. */
enum { SHOW_MAX = 100, SHOW_BEFORE = 60 };

static bool
is_start(uint8_t c)
{
	return (c & 0xc0) != 0x80;
}

/* Controls would move the caret, or worse, the terminal. */
static void
put_visible(struct buf *out, struct str s)
{
	size_t i, n;

	for (i = 0; i < s.n; i += n) {
		n = utf8_len(s.p + i, s.n - i);
		if (n == 0 || s.p[i] < 0x20 || s.p[i] == 0x7f) {
			buf_byte(out, s.p[i] == '\t' ? ' ' : '?');
			n = 1;
		} else if (n == 2 && s.p[i] == 0xc2 && s.p[i + 1] < 0xa0)
			buf_byte(out, '?');
		else
			buf_put(out, s.p + i, n);
	}
}

static size_t
count_chars(struct str s)
{
	size_t i, n = 0;

	for (i = 0; i < s.n; i++)
		n += is_start(s.p[i]);
	return n;
}

void
logsql_error_show(struct buf *out, struct str query, const struct logsql_error *e)
{
	size_t at = e->at < query.n ? e->at : query.n, start = at, end = at, line = 1, i;

	while (start > 0 && query.p[start - 1] != '\n')
		start--;
	while (end < query.n && query.p[end] != '\n')
		end++;
	for (i = 0; i < start; i++)
		line += query.p[i] == '\n';
	buf_printf(out, "line %zu, column %zu: %s\n", line,
	    count_chars(str_sub(query, start, at)) + 1, e->text);
	if (end - start > SHOW_MAX) {
		if (at - start > SHOW_BEFORE)
			start = at - SHOW_BEFORE;
		while (start < at && !is_start(query.p[start]))
			start++;
		if (end - start > SHOW_MAX)
			end = start + SHOW_MAX;
		while (end > at && end < query.n && !is_start(query.p[end]))
			end--;
	}
	buf_c(out, "    ");
	put_visible(out, str_sub(query, start, end));
	buf_c(out, "\n    ");
	for (i = count_chars(str_sub(query, start, at)); i > 0; i--)
		buf_byte(out, ' ');
	buf_c(out, "^\n");
}
