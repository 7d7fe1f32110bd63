/*
 * cli/say.c - what went wrong.
 * One job: messages to standard error.
 * Floor: 6 (uses lib, base).
 */
#include "cli/say.h"

#include <stdarg.h>
#include <stdio.h>

#include "lib/print.h"

void
cli_warn(const char *text)
{
	AUTO_FINI(buf_fini) struct buf out = BUF_INIT;
	struct str rest = str_c(text), line;
	size_t end;

	buf_c(&out, "weir: ");
	/* Text of several lines (a query and its caret) stays so. */
	do {
		end = str_find_byte(rest, '\n');
		line = str_sub(rest, 0, end);
		print_escape(&out, line);
		buf_byte(&out, '\n');
		rest = str_sub(rest, line.n + 1, rest.n);
	} while (end != SIZE_MAX && rest.n > 0);
	if (out.failed)
		(void)fputs("weir: out of memory\n", stderr);
	else
		(void)fwrite(out.p, 1, out.n, stderr);
}

int
cli_fail(int exit, const char *fmt, ...)
{
	char text[4096];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	cli_warn(text);
	return exit;
}
