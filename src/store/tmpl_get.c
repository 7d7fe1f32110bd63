/*
 * store/tmpl_get.c - template-coded values out.
 * One job: put words and variables together again, byte for byte.
 * Floor: 2 (uses record, base).
 */
#include "store/tmpl.h"

enum { ROW_GUESS = 128, CHUNK = 64 << 10 };

static bool
has_value(const struct tmpl_set *set, size_t row)
{
	return set->present == NULL || bits_get(set->present, row);
}

int
tmpl_text(struct tmpl_set *set, const struct enc_rows *rows, struct column *ret)
{
	int r;

	*ret = column_const(STR_NONE, STR_NONE, rows->n);
	if (set->n_text == 0 || rows->n == 0)
		return 0;
	r = tmpl_open_text(set);
	return r != 0 ? r : enc_text_get(&set->text, rows, set->arena, ret);
}

/* Bytes that grow and stay in one run. */
struct run {
	struct arena *arena;
	uint8_t *p;
	size_t n, cap;
};

static int
run_grow(struct run *run, size_t more)
{
	size_t cap = run->cap * 2 + more;
	uint8_t *p;

	if (run->n + more > ENC_BYTES_MAX)
		return BLOCK_E_CORRUPT;
	p = arena_alloc(run->arena, cap + ENC_PAD);
	if (p == NULL)
		return err_origin(-ENOMEM);
	if (run->n != 0)
		memcpy(p, run->p, run->n);
	run->p = p;
	run->cap = cap;
	return 0;
}

static int
run_start(struct tmpl_set *set, struct run *run, const struct column *text)
{
	size_t i, want = text->kind == COLUMN_TEXT ? text->offs[text->n_rows] : 0, max;
	int r = tmpl_count(set);

	for (i = 0; r == 0 && i < set->n; i++) {
		r = set->tmpls[i].n_rows != 0 ? tmpl_load(set, &set->tmpls[i]) : 0;
		if (r != 0)
			return r;
		max = set->tmpls[i].row_max;
		want += set->tmpls[i].n_rows * (max < ROW_GUESS ? max : ROW_GUESS);
	}
	return r != 0 ? err_trace(r) : run_grow(run, want);
}

static int
get_all(struct tmpl_set *set, struct arena *arena, struct column *ret)
{
	const struct enc_rows all_text = { NULL, set->n_text };
	uint32_t *offs = arena_alloc(arena, (set->c->n_rows + 1) * sizeof(*offs));
	uint32_t *next = arena_zalloc(set->arena, set->n + 1, sizeof(*next)), code;
	struct run run = { .arena = arena };
	size_t row, i = 0, max;
	struct column text;
	struct str v = STR_NONE;
	const struct tmpl *t;
	int r;

	r = tmpl_text(set, &all_text, &text);
	if (r == 0)
		r = run_start(set, &run, &text);
	if (r != 0)
		return r;
	if (offs == NULL || next == NULL)
		return err_origin(-ENOMEM);
	offs[0] = 0;
	for (row = 0; row < set->c->n_rows; row++) {
		if (has_value(set, row)) {
			code = set->codes[i++];
			t = code != 0 ? &set->tmpls[code - 1] : NULL;
			if (t == NULL)
				v = column_value(&text, next[0]++, NULL);
			max = t != NULL ? t->row_max : v.n;
			r = run.cap - run.n < max ? run_grow(&run, max) : 0;
			if (r != 0)
				return r;
			if (t != NULL)
				run.n =
				    (size_t)(tmpl_write(t, next[code]++, run.p + run.n) - run.p);
			else
				memcpy(run.p + run.n, v.p, v.n);
			run.n += t == NULL ? v.n : 0;
		}
		offs[row + 1] = (uint32_t)run.n;
	}
	*ret = (struct column){ .name = set->c->name,
		.kind = COLUMN_TEXT,
		.n_rows = set->c->n_rows,
		.bytes = run.p,
		.offs = offs };
	return 0;
}

int
tmpl_places(struct tmpl_set *set, const struct enc_rows *rows, uint32_t *codes, uint32_t *places,
    struct enc_rows *ret_text)
{
	uint32_t *next = arena_zalloc(set->arena, set->n + 1, sizeof(*next));
	uint32_t *text = arena_alloc(set->arena, (rows->n + 1) * sizeof(*text));
	size_t row = 0, i = 0, k, n = 0;

	if (next == NULL || text == NULL)
		return err_origin(-ENOMEM);
	for (k = 0; k < rows->n; k++) {
		for (; row < rows->rows[k]; row++)
			if (has_value(set, row))
				next[set->codes[i++]]++;
		codes[k] = TMPL_NONE;
		if (!has_value(set, row))
			continue;
		codes[k] = set->codes[i];
		places[k] = next[codes[k]];
		if (codes[k] != 0)
			continue;
		text[n] = places[k];
		places[k] = (uint32_t)n++;
	}
	*ret_text = (struct enc_rows){ text, n };
	return 0;
}

/* A row that may be long is written elsewhere first, so that it takes what it needs and not what it might. */
static int
get_long_row(struct tmpl_set *set, const struct tmpl *t, size_t place, struct run *run,
    struct str *ret)
{
	if (set->scratch_cap < t->row_max) {
		set->scratch = arena_alloc(set->arena, t->row_max + ENC_PAD);
		set->scratch_cap = t->row_max;
	}
	if (set->scratch == NULL)
		return err_origin(-ENOMEM);
	ret->n = (size_t)(tmpl_write(t, place, set->scratch) - set->scratch);
	*ret = arena_dup(run->arena, str_of(set->scratch, ret->n));
	return ret->p != NULL ? 0 : err_origin(-ENOMEM);
}

/* One row in memory of its own; ${run} is what is left of the last piece that was asked for. */
static int
get_row(struct tmpl_set *set, struct tmpl *t, size_t place, struct run *run, struct str *ret)
{
	int r;

	r = tmpl_load(set, t);
	if (r != 0)
		return r;
	if (t->row_max > CHUNK / 2)
		return get_long_row(set, t, place, run, ret);
	if (run->cap - run->n < t->row_max) {
		run->cap = CHUNK;
		run->n = 0;
		run->p = arena_alloc(run->arena, run->cap + ENC_PAD);
		if (run->p == NULL)
			return err_origin(-ENOMEM);
	}
	ret->p = run->p + run->n;
	ret->n = (size_t)(tmpl_write(t, place, run->p + run->n) - ret->p);
	run->n += ret->n;
	return 0;
}

static int
get_some(struct tmpl_set *set, const struct enc_rows *rows, struct arena *arena, struct column *ret)
{
	uint32_t *codes = arena_alloc(set->arena, (rows->n + 1) * sizeof(*codes));
	uint32_t *places = arena_alloc(set->arena, (rows->n + 1) * sizeof(*places));
	struct str *strs = arena_alloc(arena, (rows->n + 1) * sizeof(*strs));
	struct run run = { .arena = arena };
	struct enc_rows text_rows;
	struct column text;
	size_t k, total = 0;
	int r;

	if (codes == NULL || places == NULL || strs == NULL)
		return err_origin(-ENOMEM);
	r = tmpl_places(set, rows, codes, places, &text_rows);
	if (r == 0)
		r = tmpl_text(set, &text_rows, &text);
	for (k = 0; r == 0 && k < rows->n; k++) {
		if (codes[k] == TMPL_NONE)
			strs[k] = STR_NONE;
		else if (codes[k] == 0)
			strs[k] = column_value(&text, places[k], NULL);
		else
			r = get_row(set, &set->tmpls[codes[k] - 1], places[k], &run, &strs[k]);
		/* Few bytes may stand for long words in every row. */
		total += r == 0 && codes[k] != TMPL_NONE ? strs[k].n : 0;
		if (total > ENC_BYTES_MAX)
			return BLOCK_E_CORRUPT;
	}
	*ret = (struct column){ .name = set->c->name,
		.kind = COLUMN_STRS,
		.n_rows = rows->n,
		.strs = strs };
	return r;
}

int
enc_tmpl_get(const struct enc_chunk *c, const struct enc_rows *rows, struct arena *arena,
    struct column *ret)
{
	struct tmpl_set set;
	int r;

	r = tmpl_open(c, arena, &set);
	if (r != 0)
		return r;
	if (rows->rows != NULL)
		return get_some(&set, rows, arena, ret);
	return get_all(&set, arena, ret);
}
