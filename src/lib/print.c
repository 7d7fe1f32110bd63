/*
 * lib/print.c - rows as text.
 * One job: the table of output formats, and the buffer in front of the sink.
 * Floor: 4 (uses query, record, base).
 */
#include "lib/print.h"

#include "base/utf8.h"
#include "lib/print_internal.h"

static const struct print_ops formats[] = {
	{ "json", PRINT_JSON, print_json_put, NULL },
	{ "text", PRINT_TEXT, print_text_put, NULL },
	{ "logfmt", PRINT_LOGFMT, print_logfmt_put, NULL },
	{ "csv", PRINT_CSV, print_csv_put, print_csv_finish },
	{ "table", PRINT_TABLE, print_table_put, print_table_finish },
	{ "raw", PRINT_RAW, print_raw_put, NULL },
};

bool
print_format_find(const char *name, enum print_format *ret)
{
	size_t i;

	for (i = 0; i < ARRAY_LEN(formats); i++)
		if (strcmp(formats[i].name, name) == 0) {
			*ret = formats[i].format;
			return true;
		}
	return false;
}

const char *
print_format_names(void)
{
	return "json|text|logfmt|csv|table|raw";
}

int
printer_new(struct printer **ret, const struct print_options *opt, const struct print_sink *sink)
{
	AUTO(printer_free) struct printer *p = calloc(1, sizeof(*p));
	size_t i;
	int r;

	if (p == NULL)
		return err_origin(-ENOMEM);
	p->opt = *opt;
	p->sink = *sink;
	for (i = 0; i < ARRAY_LEN(formats); i++)
		if (formats[i].format == opt->format)
			p->ops = &formats[i];
	if (opt->format == PRINT_TABLE || (opt->format == PRINT_CSV && opt->n_columns == 0)) {
		r = held_new(&p->held);
		if (r < 0)
			return err_trace(r);
	}
	*ret = TAKE(p);
	return 0;
}

struct printer *
printer_free(struct printer *p)
{
	if (p != NULL) {
		buf_fini(&p->out);
		buf_fini(&p->keys);
		(void)held_free(p->held);
	}
	free(p);
	return NULL;
}

int
printer_flush(struct printer *p)
{
	int r;

	if (p->out.failed)
		return err_origin(-ENOMEM);
	if (p->out.n == 0)
		return 0;
	r = p->sink.write(p->sink.ctx, p->out.p, p->out.n);
	buf_clear(&p->out);
	return err_trace(r);
}

int
print_row_done(struct printer *p)
{
	return p->out.n >= PRINT_FLUSH_BYTES || p->out.failed ? err_trace(printer_flush(p)) : 0;
}

int
printer_put(void *ctx, struct batch *b)
{
	struct printer *p = ctx;

	p->n_rows += b->n_rows;
	return err_trace(p->ops->put(p, b));
}

int
printer_finish(struct printer *p)
{
	int r;

	if (p->ops->finish != NULL) {
		r = p->ops->finish(p);
		if (r < 0)
			return err_trace(r);
	}
	return err_trace(printer_flush(p));
}

uint64_t
printer_rows(const struct printer *p)
{
	return p->n_rows;
}

int
print_cells_of(struct batch *b, struct print_cells *ret)
{
	const struct str *names, **values;
	size_t i, n;
	int r;

	r = batch_names(b, &names, &n);
	if (r < 0)
		return err_trace(r);
	/* Loading a column may move the list of names, but not what they point to. */
	ret->names = arena_alloc(&b->arena, (n + 1) * sizeof(*names));
	values = arena_alloc(&b->arena, (n + 1) * sizeof(*values));
	if (ret->names == NULL || values == NULL)
		return err_origin(-ENOMEM);
	memcpy((void *)(uintptr_t)ret->names, names, n * sizeof(*names));
	for (i = 0; i < n; i++) {
		values[i] = batch_strs(b, ret->names[i]);
		if (values[i] == NULL)
			return b->err != 0 ? b->err : err_origin(-ENOMEM);
	}
	ret->values = values;
	ret->n = n;
	return 0;
}

bool
print_is_unsafe(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c <= 0x9f) || c == 0x61c || c == 0x200e || c == 0x200f ||
	    (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) || c == 0xfeff;
}

void
print_escape(struct buf *out, struct str s)
{
	size_t i = 0, start = 0, len;
	uint32_t c;

	while (i < s.n) {
		if (LIKELY(s.p[i] >= 0x20 && s.p[i] < 0x7f)) {
			i++;
			continue;
		}
		c = utf8_decode(s.p + i, s.n - i, &len);
		if ((len > 1 && !print_is_unsafe(c)) || s.p[i] == '\t') {
			i += len;
			continue;
		}
		buf_put(out, s.p + start, i - start);
		if (len > 1)
			buf_printf(out, "\\u{%x}", c);
		else
			buf_printf(out, "\\x%02x", s.p[i]);
		i += len;
		start = i;
	}
	if (i > start)
		buf_put(out, s.p + start, i - start);
}

void
print_time(struct buf *out, struct wall t, bool utc)
{
	struct civil c;

	if (!utc)
		t.ns += wall_local_offset(t) * NS_PER_S;
	c = wall_civil(t);
	buf_printf(out, "%04lld-%02d-%02d %02d:%02d:%02d.%03d%s", (long long)c.year, c.month, c.day,
	    c.hour, c.minute, c.second, c.ns / 1000000, utc ? "Z" : "");
}
