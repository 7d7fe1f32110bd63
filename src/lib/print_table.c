/*
 * lib/print_table.c - rows in columns.
 * One job: CSV and tables.
 * Floor: 4 (uses query, record, base).
 *
 * A table's widths, and the columns of rows that nobody has named, are known only at the end: such rows are held.
 */
#include "base/utf8.h"
#include "lib/print_internal.h"

enum { CELL_MIN = 6 };

/* The columns in their order: names and the number of each in the held rows (SIZE_MAX: no row has it). */
struct layout {
	struct printer *p;
	struct str *names;
	size_t *from;
	size_t *widths;
	size_t n;
};

/* RFC 4180.  ${alone}: the only cell of its row, which would be an empty line, which readers skip. */
static void
csv_cell(struct printer *p, struct str s, bool alone)
{
	AUTO_FINI(buf_fini) struct buf escaped = BUF_INIT;
	struct buf *out = &p->out;
	bool quote = s.n == 0 ? alone : s.p[0] == ' ' || s.p[s.n - 1] == ' ';
	size_t i;

	if (p->opt.terminal) {
		print_escape(&escaped, s);
		s = buf_view(&escaped);
	}
	for (i = 0; i < s.n && !quote; i++)
		quote = s.p[i] == '"' || s.p[i] == ',' || s.p[i] == '\n' || s.p[i] == '\r';
	if (!quote) {
		buf_str(out, s);
		return;
	}
	buf_byte(out, '"');
	for (i = 0; i < s.n; i++) {
		if (s.p[i] == '"')
			buf_byte(out, '"');
		buf_byte(out, s.p[i]);
	}
	buf_byte(out, '"');
}

static void
csv_header(struct printer *p, const struct str *names, size_t n)
{
	size_t i;

	if (p->header)
		return;
	p->header = true;
	for (i = 0; i < n; i++) {
		if (i > 0)
			buf_byte(&p->out, ',');
		csv_cell(p, names[i], n == 1);
	}
	buf_byte(&p->out, '\n');
}

static int
hold(struct printer *p, struct batch *b)
{
	struct print_cells cells;
	size_t row;
	int r;

	r = print_cells_of(b, &cells);
	for (row = 0; r == 0 && row < b->n_rows; row++)
		r = held_put(p->held, cells.names, cells.values, cells.n, row);
	return err_trace(r);
}

int
print_csv_put(struct printer *p, struct batch *b)
{
	const struct str **values;
	size_t i, row;
	int r = 0;

	if (p->held != NULL)
		return err_trace(hold(p, b));
	csv_header(p, p->opt.columns, p->opt.n_columns);
	values = arena_alloc(&b->arena, (p->opt.n_columns + 1) * sizeof(*values));
	if (values == NULL)
		return err_origin(-ENOMEM);
	for (i = 0; i < p->opt.n_columns; i++) {
		values[i] = batch_strs(b, p->opt.columns[i]);
		if (values[i] == NULL)
			return b->err != 0 ? b->err : err_origin(-ENOMEM);
	}
	for (row = 0; r == 0 && row < b->n_rows; row++) {
		for (i = 0; i < p->opt.n_columns; i++) {
			if (i > 0)
				buf_byte(&p->out, ',');
			csv_cell(p, values[i][row], p->opt.n_columns == 1);
		}
		buf_byte(&p->out, '\n');
		r = print_row_done(p);
	}
	return err_trace(r);
}

static int
cmp_names(const void *a, const void *b)
{
	return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

static int
layout_of(struct printer *p, struct arena *arena, struct layout *ret)
{
	const struct map *names = held_names(p->held);
	const struct map_entry *e;
	size_t i;

	ret->p = p;
	ret->n = p->opt.n_columns != 0 ? p->opt.n_columns : names->n;
	ret->names = arena_zalloc(arena, ret->n + 1, sizeof(*ret->names));
	ret->from = arena_zalloc(arena, ret->n + 1, sizeof(*ret->from));
	ret->widths = arena_zalloc(arena, ret->n + 1, sizeof(*ret->widths));
	if (ret->names == NULL || ret->from == NULL || ret->widths == NULL)
		return err_origin(-ENOMEM);
	for (i = 0; i < ret->n; i++)
		ret->names[i] = p->opt.n_columns != 0 ? p->opt.columns[i] : names->entries[i].key;
	if (p->opt.n_columns == 0)
		qsort(ret->names, ret->n, sizeof(*ret->names), cmp_names);
	for (i = 0; i < ret->n; i++) {
		e = map_get(names, ret->names[i]);
		ret->from[i] = e != NULL ? e->value : SIZE_MAX;
	}
	return 0;
}

static struct str
layout_cell(const struct layout *l, const struct str *cells, size_t i)
{
	return l->from[i] != SIZE_MAX ? cells[l->from[i]] : STR_NONE;
}

static int
csv_row(void *ctx, const struct str *cells)
{
	struct layout *l = ctx;
	size_t i;

	for (i = 0; i < l->n; i++) {
		if (i > 0)
			buf_byte(&l->p->out, ',');
		csv_cell(l->p, layout_cell(l, cells, i), l->n == 1);
	}
	buf_byte(&l->p->out, '\n');
	return print_row_done(l->p);
}

int
print_csv_finish(struct printer *p)
{
	AUTO_FINI(arena_fini) struct arena arena = ARENA_INIT;
	struct layout l;
	int r;

	if (p->held == NULL) {
		csv_header(p, p->opt.columns, p->opt.n_columns);
		return 0;
	}
	if (p->n_rows == 0)
		return 0;
	r = layout_of(p, &arena, &l);
	if (r < 0)
		return err_trace(r);
	csv_header(p, l.names, l.n);
	return err_trace(held_walk(p->held, csv_row, &l));
}

/* A cell is one line: controls are always escaped. */
static void
table_text(struct buf *out, struct str s)
{
	size_t from = out->n, i;

	print_escape(out, s);
	for (i = from; i < out->n; i++)
		if (out->p[i] == '\t')
			out->p[i] = ' ';
}

static void
table_cell(struct layout *l, size_t i, struct str s)
{
	AUTO_FINI(buf_fini) struct buf text = BUF_INIT;
	struct buf *out = &l->p->out;
	size_t width;

	table_text(&text, s);
	s = buf_view(&text);
	width = utf8_width(s);
	if (width > l->widths[i]) {
		buf_put(out, s.p, utf8_fit(s, l->widths[i] - 1, &width));
		buf_c(out, "\xe2\x80\xa6");
		width++;
	} else {
		buf_str(out, s);
	}
	for (; i + 1 < l->n && width < l->widths[i]; width++)
		buf_byte(out, ' ');
	buf_c(out, i + 1 < l->n ? "  " : "\n");
}

static int
table_measure(void *ctx, const struct str *cells)
{
	AUTO_FINI(buf_fini) struct buf text = BUF_INIT;
	struct layout *l = ctx;
	size_t i, width;

	for (i = 0; i < l->n; i++) {
		buf_clear(&text);
		table_text(&text, layout_cell(l, cells, i));
		width = utf8_width(buf_view(&text));
		if (width > l->widths[i])
			l->widths[i] = width;
	}
	return 0;
}

static int
table_row(void *ctx, const struct str *cells)
{
	struct layout *l = ctx;
	size_t i;

	for (i = 0; i < l->n; i++)
		table_cell(l, i, layout_cell(l, cells, i));
	return print_row_done(l->p);
}

/* Take from the widest until all fit; what does not fit even then wraps. */
static void
table_fit(struct layout *l, size_t width)
{
	size_t total = 0, i, widest = 0;

	for (i = 0; i < l->n; i++)
		total += l->widths[i] + (i > 0 ? 2 : 0);
	while (width != 0 && total > width) {
		for (i = 0, widest = 0; i < l->n; i++)
			if (l->widths[i] > l->widths[widest])
				widest = i;
		if (l->widths[widest] <= CELL_MIN)
			break;
		l->widths[widest]--;
		total--;
	}
}

static void
table_header(struct layout *l)
{
	size_t i, k;

	if (l->p->opt.color)
		buf_c(&l->p->out, "\033[1m");
	for (i = 0; i < l->n; i++)
		table_cell(l, i, l->names[i]);
	if (l->p->opt.color)
		buf_c(&l->p->out, "\033[0m");
	for (i = 0; i < l->n; i++) {
		for (k = 0; k < l->widths[i]; k++)
			buf_byte(&l->p->out, '-');
		buf_c(&l->p->out, i + 1 < l->n ? "  " : "\n");
	}
}

int
print_table_put(struct printer *p, struct batch *b)
{
	return err_trace(hold(p, b));
}

int
print_table_finish(struct printer *p)
{
	AUTO_FINI(arena_fini) struct arena arena = ARENA_INIT;
	struct layout l;
	size_t i;
	int r;

	if (p->n_rows == 0)
		return 0;
	r = layout_of(p, &arena, &l);
	if (r < 0)
		return err_trace(r);
	for (i = 0; i < l.n; i++)
		l.widths[i] = utf8_width(l.names[i]);
	r = held_walk(p->held, table_measure, &l);
	if (r < 0)
		return err_trace(r);
	table_fit(&l, p->opt.width);
	table_header(&l);
	return err_trace(held_walk(p->held, table_row, &l));
}
