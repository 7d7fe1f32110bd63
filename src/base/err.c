/*
 * base/err.c - errors.
 * One job: carry -errno upwards and remember where it began.
 * Floor: 0.
 */
#include "base/err.h"

#include <stdio.h>

static _Thread_local const char *origin_file;
static _Thread_local int origin_line;
static _Thread_local char text[160];

int
err_origin_at(int r, const char *file, int line)
{
	origin_file = file;
	origin_line = line;
	return r;
}

int
err_fold_at(int r, const char *file, int line)
{
	if (r <= 0)
		return r;
	return err_origin_at(-EPROTO, file, line);
}

const char *
err_where(void)
{
	if (origin_file == NULL)
		return "";
	(void)snprintf(text, sizeof(text), "%s:%d", origin_file, origin_line);
	return text;
}

const char *
err_str(int r)
{
	const char *s = strerrordesc_np(r < 0 ? -r : r);

	return s != NULL ? s : "unknown error";
}
