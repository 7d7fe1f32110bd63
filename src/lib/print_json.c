/*
 * lib/print_json.c - rows as lines of JSON, of logfmt, and as they were.
 * One job: the formats in which each row stands for itself.
 * Floor: 4 (uses query, record, base).
 */
#include "base/utf8.h"
#include "lib/print_internal.h"
#include "query/input.h"

/* JSON; for a terminal what print_escape would not let through is escaped as well. */
static void
put_json(struct buf *out, struct str s, bool terminal)
{
	AUTO_FINI(buf_fini) struct buf text = BUF_INIT;
	size_t at, len;
	uint32_t c;

	if (!terminal) {
		buf_json(out, s);
		return;
	}
	buf_json(&text, s);
	for (at = 0; at < text.n; at += len) {
		c = utf8_decode(text.p + at, text.n - at, &len);
		if (print_is_unsafe(c))
			buf_printf(out, "\\u%04x", c);
		else
			buf_put(out, text.p + at, len);
	}
	out->failed |= text.failed;
}

/* The names as keys, made once a batch: "name": in p->keys, key i is [ends[i-1], ends[i]). */
static int
make_keys(struct printer *p, struct batch *b, const struct print_cells *cells, const size_t **ret)
{
	size_t *ends = arena_alloc(&b->arena, (cells->n + 1) * sizeof(*ends));
	size_t i;

	if (ends == NULL)
		return err_origin(-ENOMEM);
	buf_clear(&p->keys);
	ends[0] = 0;
	for (i = 0; i < cells->n; i++) {
		put_json(&p->keys, cells->names[i], p->opt.terminal);
		buf_byte(&p->keys, ':');
		ends[i + 1] = p->keys.n;
	}
	*ret = ends;
	return buf_err(&p->keys);
}

int
print_json_put(struct printer *p, struct batch *b)
{
	struct print_cells cells;
	const size_t *ends = NULL;
	size_t row, i;
	uint8_t sep;
	int r;

	r = print_cells_of(b, &cells);
	if (r == 0)
		r = make_keys(p, b, &cells, &ends);
	for (row = 0; r == 0 && row < b->n_rows; row++) {
		sep = '{';
		for (i = 0; i < cells.n; i++) {
			if (cells.values[i][row].n == 0)
				continue;
			buf_byte(&p->out, sep);
			buf_put(&p->out, p->keys.p + ends[i], ends[i + 1] - ends[i]);
			put_json(&p->out, cells.values[i][row], p->opt.terminal);
			sep = ',';
		}
		buf_c(&p->out, sep == '{' ? "{}\n" : "}\n");
		r = print_row_done(p);
	}
	return err_trace(r);
}

void
print_json_row(struct printer *p, const struct print_cells *cells, size_t row)
{
	struct buf *out = &p->out;
	const char *sep = "{";
	size_t i;

	for (i = 0; i < cells->n; i++) {
		if (cells->values[i][row].n == 0)
			continue;
		buf_c(out, sep);
		put_json(out, cells->names[i], p->opt.terminal);
		buf_byte(out, ':');
		put_json(out, cells->values[i][row], p->opt.terminal);
		sep = ",";
	}
	buf_c(out, *sep == '{' ? "{}" : "}");
}

void
print_logfmt(struct buf *out, struct str s, bool terminal)
{
	bool bare = s.n > 0;
	size_t i;

	for (i = 0; i < s.n && bare; i++)
		bare = s.p[i] > ' ' && s.p[i] != '"' && s.p[i] != '=' && s.p[i] != '\\' &&
		    s.p[i] != 0x7f;
	if (bare && terminal)
		print_escape(out, s);
	else if (bare)
		buf_str(out, s);
	else if (s.n == 0)
		buf_c(out, "\"\"");
	else
		put_json(out, s, terminal);
}

int
print_logfmt_put(struct printer *p, struct batch *b)
{
	struct print_cells cells;
	bool first;
	size_t row, i;
	int r;

	r = print_cells_of(b, &cells);
	for (row = 0; r == 0 && row < b->n_rows; row++) {
		for (i = 0, first = true; i < cells.n; i++) {
			if (cells.values[i][row].n == 0)
				continue;
			if (!first)
				buf_byte(&p->out, ' ');
			print_logfmt(&p->out, cells.names[i], p->opt.terminal);
			buf_byte(&p->out, '=');
			print_logfmt(&p->out, cells.values[i][row], p->opt.terminal);
			first = false;
		}
		buf_byte(&p->out, '\n');
		r = print_row_done(p);
	}
	return err_trace(r);
}

/* The line, else the message, else the only value, else the row as JSON. */
static void
put_raw(struct printer *p, const struct print_cells *cells, struct str line, struct str msg,
    size_t row)
{
	struct str s = line.n != 0 ? line : msg.n != 0 ? msg : STR_NONE;

	if (s.n == 0 && cells->n == 1)
		s = cells->values[0][row];
	if (s.n == 0 && cells->n != 1)
		print_json_row(p, cells, row);
	else if (p->opt.terminal)
		print_escape(&p->out, s);
	else
		buf_str(&p->out, s);
	buf_byte(&p->out, '\n');
}

int
print_raw_put(struct printer *p, struct batch *b)
{
	const struct str *lines, *msgs = NULL;
	struct print_cells cells;
	size_t row, i;
	int r;

	lines = batch_strs(b, INPUT_LINE_NAME);
	if (lines == NULL)
		return b->err != 0 ? b->err : err_origin(-ENOMEM);
	/* The line is no column of the row. */
	r = batch_drop(b, INPUT_LINE_NAME);
	if (r == 0)
		r = print_cells_of(b, &cells);
	for (i = 0; r == 0 && i < cells.n; i++)
		if (str_eq_c(cells.names[i], "_msg"))
			msgs = cells.values[i];
	for (row = 0; r == 0 && row < b->n_rows; row++) {
		put_raw(p, &cells, lines[row], msgs != NULL ? msgs[row] : STR_NONE, row);
		r = print_row_done(p);
	}
	return err_trace(r);
}
