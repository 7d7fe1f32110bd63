/*
 * daemon/say.c - what the daemon has to say to people.
 * One job: lines to standard error.
 * Floor: 6 (uses base).
 */
#include "daemon/say.h"

#include <stdio.h>

#include "base/io.h"
#include "base/utf8.h"

/* Text from outside may stand in it, and must not move anybody's cursor. */
static void
put_escaped(struct buf *out, struct str s)
{
	size_t at = 0, n;
	uint32_t c;

	while (at < s.n) {
		c = utf8_decode(s.p + at, s.n - at, &n);
		if (c < 0x20 || (c >= 0x7f && c < 0xa0) || (c >= 0x202a && c <= 0x202e) ||
		    (c >= 0x2066 && c <= 0x2069) || (n == 1 && s.p[at] >= 0x80))
			buf_printf(out, n == 1 ? "\\x%02x" : "\\u%04x", (unsigned)c & 0xffff);
		else
			buf_put(out, s.p + at, n);
		at += n;
	}
}

void
say_text(enum say_level level, struct str text)
{
	AUTO_FINI(buf_fini) struct buf b = BUF_INIT;
	bool journal = getenv("JOURNAL_STREAM") != NULL;
	size_t end;

	while (text.n > 0) {
		end = str_find_byte(text, '\n');
		if (end == SIZE_MAX)
			end = text.n;
		if (journal)
			buf_printf(&b, "<%d>", (int)level);
		else
			buf_c(&b, "weird: ");
		put_escaped(&b, str_sub(text, 0, end));
		buf_byte(&b, '\n');
		text = str_sub(text, end + 1, text.n);
	}
	/* nobody is left to tell when standard error fails */
	if (b.failed)
		(void)io_write(STDERR_FILENO, "weird: out of memory\n", 21);
	else
		(void)io_write(STDERR_FILENO, b.p, b.n);
}

void
say(enum say_level level, const char *fmt, ...)
{
	char text[2048];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (n > 0)
		say_text(level,
		    str_of(text, (size_t)n < sizeof(text) ? (size_t)n : sizeof(text) - 1));
}
