/*
 * query/stats_pick.c - stats functions that pick a value or a row.
 * One job: min, max, any, row_any, row_min, row_max, field_min, field_max.
 * Floor: 3 (uses logsql, record, base).
 */
#include "logsql/value.h"
#include "query/stats_extreme.h"

/* What is picked, the value by which it was, and when its row came: of equals the first is picked. */
struct pick {
	uint64_t order;
	struct stats_text *key;
	struct stats_text *value;
};

static int
pick_of(struct stats_state *s, struct pick **ret)
{
	if (s->more == NULL)
		s->more = calloc(1, sizeof(struct pick));
	*ret = s->more;
	return s->more == NULL ? err_origin(-ENOMEM) : 0;
}

static void
pick_fini(struct stats_state *s)
{
	struct pick *p = s->more;

	if (p != NULL) {
		free(p->key);
		free(p->value);
		free(p);
	}
	s->more = NULL;
}

static bool
is_max(const struct stats_func *f)
{
	return f->kind == STATS_MAX || f->kind == STATS_ROW_MAX || f->kind == STATS_FIELD_MAX;
}

/* Whether ${v} takes the place of what was picked; for min and max alone, of values that are equal the bytes decide. */
static bool
is_better(const struct stats_func *f, const struct pick *p, struct str v, uint64_t order)
{
	struct str old = stats_text_of(p->key);
	bool row = f->kind != STATS_MIN && f->kind != STATS_MAX;

	if (p->key == NULL)
		return true;
	if (str_eq(old, v))
		return row && order < p->order;
	if (is_max(f) ? value_less(old, v) : value_less(v, old))
		return true;
	if (is_max(f) ? value_less(v, old) : value_less(old, v))
		return false;
	return row ? order < p->order : str_cmp(v, old) < 0;
}

int
extreme_offer(const struct stats_func *f, struct stats_batch *sb, struct stats_state *s,
    struct str v)
{
	struct pick *p;
	int r;

	r = pick_of(s, &p);
	if (r != 0 || !is_better(f, p, v, 0))
		return r;
	sb->grown += (int64_t)v.n - (int64_t)stats_text_of(p->key).n;
	return stats_text_set(&p->key, v);
}

/* A value that was asked about for the group of this row just before, as in runs of one value, is not asked about again. */
static int
extreme_add_values(const struct stats_func *f, const struct column *c, bool named,
    struct stats_batch *sb)
{
	char scratch[COLUMN_SCRATCH];
	struct str v, last = STR_NONE;
	uint32_t last_group = UINT32_MAX;
	size_t i;
	int r = 0;

	for (i = 0; r == 0 && i < sb->b->n_rows; i++) {
		if (!stats_takes(sb, i))
			continue;
		v = column_value(c, i, scratch);
		if (v.n == 0 && !named)
			continue;
		if (v.p != (const uint8_t *)scratch && last_group == sb->groups[i] &&
		    last.p == v.p && last.n == v.n)
			continue;
		last = v;
		last_group = sb->groups[i];
		r = extreme_offer(f, sb, stats_state_of(sb, i), v);
	}
	return err_trace(r);
}

static int
extreme_add(const struct stats_func *f, struct stats_batch *sb)
{
	struct stats_columns c;
	size_t k;
	int r;

	r = stats_columns(&f->names, sb->b, &c);
	for (k = 0; r == 0 && k < c.n; k++) {
		r = 1;
		if (c.cols[k]->kind == COLUMN_INT || c.cols[k]->kind == COLUMN_TIME)
			r = extreme_add_ints(f, c.cols[k], c.named, sb);
		if (r > 0)
			r = extreme_add_values(f, c.cols[k], c.named, sb);
	}
	return err_trace(r);
}

static int
pick_merge(const struct stats_func *f, struct stats_state *to, struct stats_state *from)
{
	struct pick *a, *b = from->more;
	int r;

	if (b == NULL)
		return 0;
	r = pick_of(to, &a);
	if (r != 0)
		return r;
	if (b->key != NULL && is_better(f, a, stats_text_of(b->key), b->order)) {
		free(a->key);
		free(a->value);
		a->key = TAKE(b->key);
		a->value = TAKE(b->value);
		a->order = b->order;
	}
	pick_fini(from);
	return 0;
}

static int
pick_save(const struct stats_func *f, struct stats_state *s, struct buf *out)
{
	const struct pick *p = s->more;

	buf_byte(out, p != NULL);
	if (p == NULL)
		return 0;
	buf_varint(out, p->order);
	stats_text_save(out, p->key);
	stats_text_save(out, p->value);
	return 0;
}

static int
pick_load(const struct stats_func *f, struct scan *in, struct stats_state *s)
{
	struct pick *p;
	int r;

	if (scan_u8(in) == 0)
		return 0;
	r = pick_of(s, &p);
	if (r != 0)
		return r;
	p->order = scan_varint(in);
	r = stats_text_load(in, &p->key);
	return r != 0 ? r : stats_text_load(in, &p->value);
}

static int
extreme_put(const struct stats_func *f, struct stats_state *s, struct buf *out)
{
	const struct pick *p = s->more;

	if (p != NULL)
		buf_str(out, stats_text_of(p->key));
	return 0;
}

static int
value_put(const struct stats_func *f, struct stats_state *s, struct buf *out)
{
	const struct pick *p = s->more;

	if (p != NULL)
		buf_str(out, stats_text_of(p->value));
	return 0;
}

/* A row, or nothing of it. */
static int
row_put(const struct stats_func *f, struct stats_state *s, struct buf *out)
{
	const struct pick *p = s->more;

	buf_str(out, p == NULL || p->value == NULL ? STR("{}") : stats_text_of(p->value));
	return 0;
}

static int
any_add(const struct stats_func *f, struct stats_batch *sb)
{
	const struct column *c = batch_column(sb->b, f->field);
	char scratch[COLUMN_SCRATCH];
	struct pick *p;
	struct str v;
	size_t i;
	int r;

	if (c == NULL)
		return sb->b->err;
	for (i = 0; i < sb->b->n_rows; i++) {
		if (!stats_takes(sb, i))
			continue;
		r = pick_of(stats_state_of(sb, i), &p);
		if (r != 0)
			return r;
		if (p->value != NULL && p->order <= stats_order(sb, i))
			continue;
		v = column_value(c, i, scratch);
		if (v.n == 0)
			continue;
		sb->grown += (int64_t)v.n - (int64_t)stats_text_of(p->value).n;
		p->order = stats_order(sb, i);
		r = stats_text_set(&p->value, v);
		if (r != 0)
			return r;
	}
	return 0;
}

static int
any_merge(const struct stats_func *f, struct stats_state *to, struct stats_state *from)
{
	struct pick *a, *b = from->more;
	int r;

	if (b == NULL)
		return 0;
	r = pick_of(to, &a);
	if (r != 0)
		return r;
	if (b->value != NULL && (a->value == NULL || b->order < a->order)) {
		free(a->value);
		a->value = TAKE(b->value);
		a->order = b->order;
	}
	pick_fini(from);
	return 0;
}

static int
set_row(struct stats_batch *sb, const struct stats_columns *c, size_t row, struct pick *p)
{
	AUTO_FINI(buf_fini) struct buf text = BUF_INIT;
	int r;

	p->order = stats_order(sb, row);
	r = stats_row_json(c, row, &text);
	if (r != 0)
		return r;
	sb->grown += (int64_t)text.n - (int64_t)stats_text_of(p->value).n;
	return stats_text_set(&p->value, buf_view(&text));
}

static int
row_any_add(const struct stats_func *f, struct stats_batch *sb)
{
	struct stats_columns c;
	struct pick *p;
	size_t i;
	int r;

	r = stats_columns(&f->names, sb->b, &c);
	for (i = 0; r == 0 && i < sb->b->n_rows; i++) {
		if (!stats_takes(sb, i))
			continue;
		r = pick_of(stats_state_of(sb, i), &p);
		if (r == 0 && (p->value == NULL || stats_order(sb, i) < p->order))
			r = set_row(sb, &c, i, p);
	}
	return r;
}

static int
row_add(const struct stats_func *f, struct stats_batch *sb)
{
	const struct column *by = batch_column(sb->b, f->field);
	char scratch[COLUMN_SCRATCH];
	struct stats_columns c;
	struct pick *p;
	struct str v;
	size_t i;
	int r;

	if (by == NULL)
		return sb->b->err;
	r = stats_columns(&f->names, sb->b, &c);
	for (i = 0; r == 0 && i < sb->b->n_rows; i++) {
		v = column_value(by, i, scratch);
		if (v.n == 0 || !stats_takes(sb, i))
			continue;
		r = pick_of(stats_state_of(sb, i), &p);
		if (r != 0 || !is_better(f, p, v, stats_order(sb, i)))
			continue;
		r = stats_text_set(&p->key, v);
		if (r == 0)
			r = set_row(sb, &c, i, p);
	}
	return r;
}

static int
field_add(const struct stats_func *f, struct stats_batch *sb)
{
	const struct column *by = batch_column(sb->b, f->field);
	const struct column *c = batch_column(sb->b, f->names.p[0]);
	char scratch[COLUMN_SCRATCH], scratch_value[COLUMN_SCRATCH];
	struct pick *p;
	struct str v;
	size_t i;
	int r = 0;

	if (by == NULL || c == NULL)
		return sb->b->err;
	for (i = 0; r == 0 && i < sb->b->n_rows; i++) {
		v = column_value(by, i, scratch);
		if (v.n == 0 || !stats_takes(sb, i))
			continue;
		r = pick_of(stats_state_of(sb, i), &p);
		if (r != 0 || !is_better(f, p, v, stats_order(sb, i)))
			continue;
		p->order = stats_order(sb, i);
		r = stats_text_set(&p->key, v);
		if (r == 0)
			r = stats_text_set(&p->value, column_value(c, i, scratch_value));
	}
	return r;
}

const struct stats_ops stats_min_ops = { extreme_add, pick_merge, extreme_put, pick_fini, pick_save,
	pick_load, NULL, NULL };
const struct stats_ops stats_max_ops = { extreme_add, pick_merge, extreme_put, pick_fini, pick_save,
	pick_load, NULL, NULL };
const struct stats_ops stats_any_ops = { any_add, any_merge, value_put, pick_fini, pick_save,
	pick_load, NULL, NULL };
const struct stats_ops stats_row_any_ops = { row_any_add, any_merge, row_put, pick_fini, pick_save,
	pick_load, NULL, NULL };
const struct stats_ops stats_row_ops = { row_add, pick_merge, row_put, pick_fini, pick_save,
	pick_load, NULL, NULL };
const struct stats_ops stats_field_ops = { field_add, pick_merge, value_put, pick_fini, pick_save,
	pick_load, NULL, NULL };
