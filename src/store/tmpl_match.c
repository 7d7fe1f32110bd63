/*
 * store/tmpl_match.c - substrings in template-coded values.
 * One job: ask each template first, and put together only the rows of those that cannot tell.
 * Floor: 2 (uses record, base).
 *
 * tmpl_walk.c says of each template whether a literal is in all its rows, in none, or in some; of these the parts that it may
 * lie in are put together, many rows one after the other, and searched at once.
 */
#include "store/tmpl.h"

enum { RUN = 64 << 10 };

/* Rows put together, until there are enough to be searched at once. */
struct gather {
	const struct block_match *m;
	uint8_t *p;
	size_t n, cap;
	size_t total; /* bytes of all rows so far */
	uint32_t *ends, *rows;
	size_t n_rows;
	uint64_t *found;
	struct tmpl_plan *plans; /* of each template that cannot tell */
};

static void
gather_search(struct gather *g)
{
	block_match_run(g->m, str_of(g->p, g->n), g->ends, g->rows, g->found);
	g->n = 0;
	g->n_rows = 0;
}

static int
gather_row(struct gather *g, const struct tmpl_set *set, size_t number, size_t k, size_t row)
{
	const struct tmpl_plan *plan = &g->plans[number];
	size_t most = set->tmpls[number].row_max + plan->n;

	if (g->cap - g->n < most) {
		gather_search(g);
		if (g->cap < most) {
			g->p = arena_alloc(set->arena, most);
			g->cap = most;
		}
		if (g->p == NULL)
			return err_origin(-ENOMEM);
	}
	g->total -= g->n;
	g->n = (size_t)(tmpl_plan_write(plan, k, g->p + g->n) - g->p);
	g->total += g->n;
	if (g->total > ENC_BYTES_MAX)
		return BLOCK_E_CORRUPT;
	g->ends[g->n_rows] = (uint32_t)g->n;
	g->rows[g->n_rows++] = (uint32_t)row;
	return 0;
}

/* The row of each value, or NULL when value i is row i. */
static int
find_rows(struct tmpl_set *set, uint32_t **ret)
{
	uint32_t *rows;
	size_t row, i = 0;

	*ret = NULL;
	if (set->present == NULL)
		return 0;
	rows = arena_alloc(set->arena, (set->n_values + 1) * sizeof(*rows));
	if (rows == NULL)
		return err_origin(-ENOMEM);
	BITS_FOREACH(row, set->present, set->c->n_rows)
	rows[i++] = (uint32_t)row;
	*ret = rows;
	return 0;
}

/* One question to the text for all values that are text; those that contain it are set in ${found}. */
static int
ask_text(struct tmpl_set *set, const struct block_match *m, const uint32_t *rows,
    const uint64_t *sel, uint64_t *found)
{
	uint64_t *text_sel = arena_zalloc(set->arena, BITS_WORDS(set->n_text) + 1, 8);
	size_t k, row;
	int r;

	if (text_sel == NULL)
		return err_origin(-ENOMEM);
	for (k = 0; k < set->n_text; k++) {
		row = rows != NULL ? rows[set->others[k]] : set->others[k];
		if (bits_get(sel, row))
			bits_set(text_sel, k);
	}
	if (bits_none(text_sel, set->n_text))
		return 0;
	r = tmpl_open_text(set);
	if (r == 0)
		r = enc_text_contains(&set->text, m, text_sel);
	if (r != 0)
		return r;
	BITS_FOREACH(k, text_sel, set->n_text)
	bits_set(found, rows != NULL ? rows[set->others[k]] : set->others[k]);
	return 0;
}

/* The answers of the templates; those that cannot tell are loaded, and what of their rows is to be searched goes to ${plans}. */
static int
ask_templates(struct tmpl_set *set, const struct block_match *m, uint8_t *answers,
    struct tmpl_plan *plans, bool *ret_maybe)
{
	struct tmpl_literal l;
	size_t i;
	int r;

	tmpl_literal_init(&l, m);
	*ret_maybe = false;
	answers[0] = TMPL_NO; /* text is asked apart */
	for (i = 0; i < set->n; i++) {
		answers[i + 1] = (uint8_t)tmpl_classify(&set->tmpls[i], &l);
		if (answers[i + 1] != TMPL_MAYBE)
			continue;
		*ret_maybe = true;
		r = tmpl_load(set, &set->tmpls[i]);
		if (r == 0)
			r = tmpl_plan(&set->tmpls[i], &l, set->arena, &plans[i]);
		if (r != 0)
			return r;
	}
	return 0;
}

/* The rows of one template: a comparison a row, many at once. */
static void
find_one(const struct tmpl_set *set, uint32_t code, uint64_t *found)
{
	size_t n = set->c->n_rows, w, k;
	uint8_t equal[64];
	uint64_t byte;

	for (w = 0; w < n / 64; w++) {
		for (k = 0; k < 64; k++)
			equal[k] = set->codes[w * 64 + k] == code;
		for (k = 0; k < 8; k++) {
			memcpy(&byte, equal + 8 * k, 8);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
			byte = __builtin_bswap64(byte);
#endif
			/* Eight bytes of 0 or 1 to eight bits. */
			found[w] |= (byte * UINT64_C(0x0102040810204080) >> 56) << (8 * k);
		}
	}
	for (k = w * 64; k < n; k++)
		found[w] |= (uint64_t)(set->codes[k] == code) << (k % 64);
}

/* Every row has a value: a table look-up a row says which templates have it in all their rows. */
static void
find_known(const struct tmpl_set *set, const uint8_t *all, uint64_t *found)
{
	size_t n = set->c->n_rows, w, k, end;
	const uint8_t *first = memchr(all, 1, set->n + 1);
	uint64_t bits;

	if (first == NULL)
		return;
	if (memchr(first + 1, 1, (size_t)(all + set->n - first)) == NULL) {
		find_one(set, (uint32_t)(first - all), found);
		return;
	}
	for (w = 0; w < BITS_WORDS(n); w++) {
		end = n - w * 64 < 64 ? n - w * 64 : 64;
		for (bits = k = 0; k < end; k++)
			bits |= (uint64_t)all[set->codes[w * 64 + k]] << k;
		found[w] |= bits;
	}
}

/* Some template cannot tell, or some row has no value. */
static int
find_unknown(struct tmpl_set *set, const uint8_t *answers, const uint32_t *rows,
    const uint64_t *sel, struct gather *g)
{
	uint32_t *next = arena_zalloc(set->arena, set->n + 1, sizeof(*next)), code, k;
	size_t row, i;
	int r;

	if (next == NULL)
		return err_origin(-ENOMEM);
	for (i = 0; i < set->n_values; i++) {
		row = rows != NULL ? rows[i] : i;
		code = set->codes[i];
		k = next[code]++;
		if (code == 0 || answers[code] == TMPL_NO || !bits_get(sel, row))
			continue;
		if (answers[code] == TMPL_ALL) {
			bits_set(g->found, row);
			continue;
		}
		r = gather_row(g, set, code - 1, k, row);
		if (r != 0)
			return r;
	}
	gather_search(g);
	return 0;
}

static int
gather_init(struct gather *g, struct tmpl_set *set)
{
	g->cap = RUN;
	g->p = arena_alloc(set->arena, g->cap);
	g->ends = arena_alloc(set->arena, (set->n_values + 1) * sizeof(*g->ends));
	g->rows = arena_alloc(set->arena, (set->n_values + 1) * sizeof(*g->rows));
	if (g->p == NULL || g->ends == NULL || g->rows == NULL)
		return err_origin(-ENOMEM);
	return 0;
}

/* All answers into g->found. */
static int
find_all(struct tmpl_set *set, const struct block_match *m, const uint64_t *sel, struct gather *g)
{
	uint8_t *answers = arena_zalloc(set->arena, set->n + 1, 1);
	uint32_t *rows;
	bool maybe;
	size_t i;
	int r;

	g->plans = arena_zalloc(set->arena, set->n + 1, sizeof(*g->plans));
	if (answers == NULL || g->plans == NULL)
		return err_origin(-ENOMEM);
	r = ask_templates(set, m, answers, g->plans, &maybe);
	if (r == 0)
		r = find_rows(set, &rows);
	if (r != 0)
		return r;
	if (maybe || rows != NULL) {
		r = gather_init(g, set);
		if (r == 0)
			r = find_unknown(set, answers, rows, sel, g);
	} else {
		for (i = 0; i <= set->n; i++)
			answers[i] = answers[i] == TMPL_ALL;
		find_known(set, answers, g->found);
	}
	return r != 0 ? r : ask_text(set, m, rows, sel, g->found);
}

int
enc_tmpl_contains(const struct enc_chunk *c, const struct block_match *m, uint64_t *sel)
{
	AUTO_FINI(arena_fini) struct arena arena = ARENA_INIT;
	struct gather g = { .m = m };
	struct tmpl_set set;
	size_t i;
	int r;

	r = tmpl_open(c, &arena, &set);
	if (r != 0)
		return r;
	g.found = arena_zalloc(&arena, BITS_WORDS(c->n_rows) + 1, sizeof(*g.found));
	if (g.found == NULL)
		return err_origin(-ENOMEM);
	r = find_all(&set, m, sel, &g);
	for (i = 0; r == 0 && i < BITS_WORDS(c->n_rows); i++)
		sel[i] &= g.found[i];
	return r;
}
