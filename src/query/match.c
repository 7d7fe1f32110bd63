/*
 * query/match.c - a filter on many rows at once.
 * One job: walk the tree of a filter over a bitmap of rows, reading as little as it can.
 * Floor: 3 (uses logsql, record, base).
 */
#include "query/match.h"

#include "logsql/regex.h"

/* PIECE rows are matched between two looks at stop; a multiple of 64, so that bitmaps can be cut there. */
enum { PIECE = 2048, SPARSE = 8, SMALL = 256, FEW = 64 };

static uint64_t *
bits_dup(struct arena *arena, const uint64_t *w, size_t n)
{
	uint64_t *copy = arena_alloc(arena, (BITS_WORDS(n) + 1) * sizeof(*copy));

	if (copy != NULL)
		memcpy(copy, w, BITS_WORDS(n) * sizeof(*copy));
	return copy;
}

static bool
stopped(const struct match_rows *m)
{
	return m->stop != NULL && atomic_load_explicit(m->stop, memory_order_relaxed);
}

/* Long texts are matched in pieces, so that a dear pattern can be stopped. */
static int
match_values(const struct filter *leaf, const struct match_rows *m, const struct column *c,
    uint64_t *sel)
{
	struct column piece = *c;
	size_t at;
	int r = 0;

	if (c->kind != COLUMN_TEXT && c->kind != COLUMN_STRS)
		return err_trace(filter_match_column(leaf, c, sel));
	for (at = 0; r == 0 && at < c->n_rows; at += PIECE) {
		if (stopped(m))
			return err_origin(-ECANCELED);
		piece.n_rows = c->n_rows - at < PIECE ? c->n_rows - at : PIECE;
		if (c->kind == COLUMN_TEXT)
			piece.offs = c->offs + at;
		else
			piece.strs = c->strs + at;
		if (!bits_none(sel + at / 64, piece.n_rows))
			r = filter_match_column(leaf, &piece, sel + at / 64);
	}
	return err_trace(r);
}

/* Few rows are left: read only theirs. */
static int
match_sparse(const struct filter *leaf, const struct match_rows *m, struct arena *arena,
    uint64_t *sel, size_t n)
{
	uint32_t *rows = arena_alloc(arena, n * sizeof(*rows));
	uint64_t *some = arena_zalloc(arena, BITS_WORDS(n) + 1, sizeof(*some));
	struct column c;
	size_t i, k = 0;
	int r;

	if (rows == NULL || some == NULL)
		return err_origin(-ENOMEM);
	BITS_FOREACH(i, sel, m->n)
	rows[k++] = (uint32_t)i;
	bits_fill(some, n);
	r = m->column(m->ctx, leaf->field, rows, n, arena, &c);
	if (r == 0)
		r = match_values(leaf, m, &c, some);
	for (k = 0; r == 0 && k < n; k++)
		if (!bits_get(some, k))
			bits_clear(sel, rows[k]);
	return err_trace(r);
}

/* What must be in a value: the pieces of a regular expression, not where few rows are left to be matched, or one of a few literals.
 * 1: the column cannot tell, or there is nothing that must be in it. */
static int
match_contained(const struct filter *leaf, const struct match_rows *m,
    const struct literals *literals, uint64_t *sel)
{
	const struct regex_pieces *pieces = filter_pieces(leaf);
	size_t i;
	int r = 0;

	if (pieces == NULL)
		return literals->n == 0
		    ? 1
		    : err_trace(m->contains(m->ctx, leaf->field, literals, sel));
	for (i = 0; r == 0 && i < pieces->n && bits_count(sel, m->n) >= m->n / FEW; i++)
		r = m->contains(m->ctx, leaf->field, &pieces->p[i], sel);
	return err_trace(r);
}

static int
match_left(const struct filter *leaf, const struct match_rows *m, struct arena *arena,
    uint64_t *sel)
{
	struct column c;
	struct literals literals;
	bool decides;
	size_t n;
	int r = 0;

	decides = filter_literals(leaf, &literals);
	if (m->contains != NULL) {
		r = match_contained(leaf, m, &literals, sel);
		if (r < 0 || (r == 0 && decides))
			return err_trace(r);
	}
	if (m->equals != NULL && leaf->kind == FILTER_EXACT) {
		r = m->equals(m->ctx, leaf->field, leaf->text, arena, sel);
		if (r <= 0)
			return err_trace(r);
	}
	n = bits_count(sel, m->n);
	if (n == 0)
		return 0;
	if (m->n > SMALL && n < m->n / SPARSE)
		return err_trace(match_sparse(leaf, m, arena, sel, n));
	if (m->ipv4 != NULL && leaf->kind == FILTER_IPV4_RANGE) {
		r = m->ipv4(m->ctx, leaf, sel);
		if (r <= 0)
			return err_trace(r);
	}
	r = m->column(m->ctx, leaf->field, NULL, m->n, arena, &c);
	return r < 0 ? err_trace(r) : err_trace(match_values(leaf, m, &c, sel));
}

/* Whether the leaf is one word or the start of one, and nothing else of it is to be found. */
static bool
is_word(const struct filter *leaf, struct literals *ret, bool *ret_prefix)
{
	bool nocase = leaf->kind == FILTER_NOCASE_PHRASE || leaf->kind == FILTER_NOCASE_PREFIX;

	*ret_prefix = leaf->kind == FILTER_PREFIX || leaf->kind == FILTER_NOCASE_PREFIX;
	if (!nocase && !*ret_prefix && leaf->kind != FILTER_PHRASE)
		return false;
	(void)filter_literals(leaf, ret);
	return ret->n == 1 && str_eq(ret->p[0], nocase ? leaf->folded : leaf->text);
}

/* Rows that surely have the leaf's word are not tested. */
static int
match_word(const struct filter *leaf, const struct match_rows *m, struct arena *arena,
    uint64_t *sel, const struct literals *literals, bool is_prefix)
{
	size_t n_words = BITS_WORDS(m->n), w;
	uint64_t *found = arena_zalloc(arena, n_words + 1, sizeof(*found));
	int r;

	if (found == NULL)
		return err_origin(-ENOMEM);
	r = m->word(m->ctx, leaf->field, literals, is_prefix, found);
	if (r < 0)
		return err_trace(r);
	for (w = 0; w < n_words; w++) {
		found[w] &= sel[w];
		sel[w] &= ~found[w];
	}
	r = bits_none(sel, m->n) ? 0 : match_left(leaf, m, arena, sel);
	for (w = 0; w < n_words; w++)
		sel[w] |= found[w];
	return r;
}

static int
match_leaf(const struct filter *leaf, const struct match_rows *m, struct arena *arena,
    uint64_t *sel)
{
	enum match_known known = MATCH_UNKNOWN;
	struct literals literals;
	bool is_prefix;
	int r = 0;

	if (m->known != NULL)
		r = m->known(m->ctx, leaf, &known);
	if (r < 0 || known == MATCH_EVERY)
		return err_trace(r);
	if (known == MATCH_NO) {
		bits_zero(sel, m->n);
		return 0;
	}
	if (m->word != NULL && is_word(leaf, &literals, &is_prefix))
		return match_word(leaf, m, arena, sel, &literals, is_prefix);
	return match_left(leaf, m, arena, sel);
}

static int
match_two(const struct filter *leaf, const struct match_rows *m, struct arena *arena, uint64_t *sel)
{
	char scratch_a[COLUMN_SCRATCH], scratch_b[COLUMN_SCRATCH];
	struct column a, b;
	size_t i;
	int r;

	r = m->column(m->ctx, leaf->field, NULL, m->n, arena, &a);
	if (r == 0)
		r = m->column(m->ctx, leaf->text, NULL, m->n, arena, &b);
	if (r < 0)
		return err_trace(r);
	BITS_FOREACH(i, sel, m->n)
	if (!filter_match_two(leaf, column_value(&a, i, scratch_a), column_value(&b, i, scratch_b)))
		bits_clear(sel, i);
	return 0;
}

static int
match_and(const struct filter *f, const struct match_rows *m, struct arena *arena, uint64_t *sel)
{
	size_t i;
	int r = 0;

	for (i = 0; r == 0 && i < f->n_children && !bits_none(sel, m->n); i++)
		r = match_filter(f->children[i], m, arena, sel);
	return err_trace(r);
}

static int
match_or(const struct filter *f, const struct match_rows *m, struct arena *arena, uint64_t *sel)
{
	uint64_t *left = bits_dup(arena, sel, m->n), *some = bits_dup(arena, sel, m->n);
	size_t i, w, n_words = BITS_WORDS(m->n);
	int r = 0;

	if (left == NULL || some == NULL)
		return err_origin(-ENOMEM);
	bits_zero(sel, m->n);
	for (i = 0; r == 0 && i < f->n_children && !bits_none(left, m->n); i++) {
		memcpy(some, left, n_words * sizeof(*some));
		r = match_filter(f->children[i], m, arena, some);
		for (w = 0; w < n_words; w++) {
			sel[w] |= some[w];
			left[w] &= ~some[w];
		}
	}
	return err_trace(r);
}

static int
match_not(const struct filter *f, const struct match_rows *m, struct arena *arena, uint64_t *sel)
{
	uint64_t *some = bits_dup(arena, sel, m->n);
	size_t w;
	int r;

	if (some == NULL)
		return err_origin(-ENOMEM);
	r = match_filter(f->children[0], m, arena, some);
	for (w = 0; r == 0 && w < BITS_WORDS(m->n); w++)
		sel[w] &= ~some[w];
	return err_trace(r);
}

int
match_filter(const struct filter *f, const struct match_rows *m, struct arena *arena, uint64_t *sel)
{
	if (stopped(m))
		return err_origin(-ECANCELED);
	if (f->kind == FILTER_ALL)
		return 0;
	if (f->kind == FILTER_NONE) {
		bits_zero(sel, m->n);
		return 0;
	}
	if (f->kind == FILTER_AND)
		return err_trace(match_and(f, m, arena, sel));
	if (f->kind == FILTER_OR)
		return err_trace(match_or(f, m, arena, sel));
	if (f->kind == FILTER_NOT)
		return err_trace(match_not(f, m, arena, sel));
	if (!filter_is_value_leaf(f))
		return err_trace(match_two(f, m, arena, sel));
	return err_trace(match_leaf(f, m, arena, sel));
}

static int
batch_rows_column(void *ctx, struct str name, const uint32_t *rows, size_t n, struct arena *arena,
    struct column *ret)
{
	struct batch *b = ctx;
	const struct column *c = batch_column(b, name);

	if (c == NULL)
		return b->err != 0 ? b->err : err_origin(-ENOMEM);
	if (rows != NULL)
		return err_trace(column_gather(c, rows, n, arena, ret));
	*ret = *c;
	return 0;
}

int
match_batch(const struct filter *f, struct batch *b, const atomic_bool *stop, uint64_t *sel)
{
	struct match_rows m = { .n = b->n_rows,
		.column = batch_rows_column,
		.ctx = b,
		.stop = stop };

	return err_trace(match_filter(f, &m, &b->arena, sel));
}
