/*
 * query/stats_quantile_ints.c - quantiles of integers.
 * One job: count integers in the cells of their groups, as they are stored.
 * Floor: 3 (uses store, logsql, record, base).
 *
 * Rows are listed first, as a branch a row that guesses whether it has a value costs more than all else; what a group's
 * cells need lies side by side.  Cost: 3 ns a value.
 */
#include <math.h>

#include "query/pipe_group.h"
#include "query/scan.h"
#include "query/stats_quantile.h"

/* Values, and the group of each. */
struct listed {
	const int64_t *ints;
	const uint32_t *groups;
	size_t n;
	unsigned scale;
};

/*
 * A group's cells while they are ready: a value in one of the n cells from first on needs no more than to be counted, as
 * those of the least and the greatest value are not among them; one from min to max only if its row of cells is there.
 * Where nothing is ready, n is 0 and min > max.
 */
struct ready {
	uint32_t *near;
	uint32_t first, n;
	uint64_t **hist;
	double min, max;
};

/* So many counts in one cell of near do not reach its end. */
enum { NEAR_TOTAL_MAX = 1 << 30 };

/* The rows of the batch whose bit is set in ${present} (NULL: all), or those whose bit is not; if the function takes them. */
static int
list_rows(const uint64_t *present, bool has, struct stats_batch *sb, uint32_t **ret, size_t *ret_n)
{
	size_t n = sb->b->n_rows, w;
	uint32_t *rows = arena_alloc(&sb->b->arena, (n + 1) * sizeof(*rows));
	uint64_t *sel = arena_alloc(&sb->b->arena, (BITS_WORDS(n) + 1) * sizeof(*sel));

	if (rows == NULL || sel == NULL)
		return err_origin(-ENOMEM);
	bits_fill(sel, n);
	for (w = 0; w < BITS_WORDS(n); w++) {
		if (present != NULL)
			sel[w] &= has ? present[w] : ~present[w];
		if (sb->rows != NULL)
			sel[w] &= sb->rows[w];
	}
	bits_list(sel, n, rows);
	*ret = rows;
	*ret_n = bits_count(sel, n);
	return 0;
}

/* By group first: adding to what was just written waits for it. */
static int
add_empty(const uint64_t *present, struct stats_batch *sb)
{
	uint32_t *rows, *counts = arena_zalloc(&sb->b->arena, sb->n_groups + 1, sizeof(*counts));
	struct spread *p;
	size_t i, n;
	int r;

	if (counts == NULL)
		return err_origin(-ENOMEM);
	r = list_rows(present, false, sb, &rows, &n);
	for (i = 0; r == 0 && i < n; i++)
		counts[sb->groups[rows[i]]]++;
	for (i = 0; r == 0 && i < sb->n_groups; i++) {
		if (counts[i] == 0)
			continue;
		r = spread_of(&sb->states[i * sb->stride], &p);
		if (r == 0)
			p->n_empty += counts[i];
	}
	return err_trace(r);
}

/* Where all values so far are integers, one with a fraction would change that. */
static void
make_ready(const struct spread *p, unsigned scale, struct ready *ret)
{
	size_t first, last;

	*ret = (struct ready){ .min = INFINITY, .max = -INFINITY };
	if (p == NULL || p->hist == NULL || (scale != 0 && p->whole))
		return;
	*ret = (struct ready){ .hist = p->hist, .min = p->min, .max = p->max };
	if (p->near == NULL)
		return;
	first = spread_place(p->min) + 1;
	last = spread_place(p->max);
	first = first > p->near_first ? first : p->near_first;
	last = last < p->near_first + p->n_near ? last : p->near_first + p->n_near;
	if (first >= last)
		return;
	ret->near = p->near + (first - p->near_first);
	ret->first = (uint32_t)first;
	ret->n = (uint32_t)(last - first);
}

/* A batch's values may be counted in near from now on. */
static int
make_all_ready(struct stats_batch *sb, const struct listed *l, struct ready *ready)
{
	struct spread *p;
	size_t i;
	int r = 0;

	for (i = 0; r == 0 && i < sb->n_groups; i++) {
		p = sb->states[i * sb->stride].more;
		if (p != NULL && p->hist != NULL) {
			if (p->near_total + l->n > NEAR_TOTAL_MAX)
				spread_settle(p);
			r = spread_want_near(p, &sb->grown);
			p->near_total += l->n;
		}
		make_ready(p, l->scale, &ready[i]);
	}
	return err_trace(r);
}

static inline bool
count_near(const struct ready *g, uint32_t place)
{
	if (place - g->first >= g->n)
		return false;
	g->near[place - g->first]++;
	return true;
}

static bool
count_far(const struct ready *g, double v, uint32_t place)
{
	uint64_t *row;

	if (!(v >= g->min && v <= g->max))
		return false;
	row = g->hist[place / SPREAD_CELLS];
	if (row == NULL)
		return false;
	row[place % SPREAD_CELLS]++;
	return true;
}

/*
 * The cell of v / unit.  A product with the inverse is 3 units in the last place off at most and takes a third of the time;
 * where that could matter it is divided.
 */
static inline uint32_t
place_of(double v, double unit, double inverse)
{
	const uint64_t in_cell = (UINT64_C(1) << 45) - 1;
	double x = v * inverse;
	uint64_t bits;

	memcpy(&bits, &x, sizeof(bits));
	if (((bits + 8) & in_cell) < 16)
		x = v / unit;
	return spread_place(x);
}

/* The cell of each value.  Apart from counting, so that more of them are under way at once. */
static int
find_places(const struct listed *l, double unit, struct arena *arena, uint32_t **ret)
{
	uint32_t *places = arena_alloc(arena, (l->n + 1) * sizeof(*places));
	double inverse = 1 / unit;
	size_t i;

	if (places == NULL)
		return err_origin(-ENOMEM);
	if (l->scale == 0)
		for (i = 0; i < l->n; i++)
			places[i] = spread_place((double)l->ints[i]);
	else
		for (i = 0; i < l->n; i++)
			places[i] = place_of((double)l->ints[i], unit, inverse);
	*ret = places;
	return 0;
}

/* The values one after the other. */
static int
count_listed(const struct listed *l, double unit, const uint32_t *places, struct ready *ready,
    struct stats_batch *sb)
{
	struct spread *p;
	uint32_t group;
	size_t i;
	int r = 0;

	for (i = 0; r == 0 && i < l->n; i++) {
		group = l->groups[i];
		if (count_near(&ready[group], places[i]) ||
		    count_far(&ready[group], (double)l->ints[i] / unit, places[i]))
			continue;
		r = spread_of(&sb->states[group * sb->stride], &p);
		if (r == 0)
			r = spread_add(p, l->ints[i], l->scale, &sb->grown);
		if (r == 0)
			make_ready(p, l->scale, &ready[group]);
	}
	return err_trace(r);
}

/* More groups than values: to make all of them ready would cost more than it saves. */
static int
add_few(const struct listed *l, struct stats_batch *sb)
{
	struct spread *p;
	size_t i;
	int r = 0;

	for (i = 0; r == 0 && i < l->n; i++) {
		r = spread_of(&sb->states[l->groups[i] * sb->stride], &p);
		if (r == 0)
			r = spread_add(p, l->ints[i], l->scale, &sb->grown);
	}
	return err_trace(r);
}

static int
add_listed(const struct listed *l, struct stats_batch *sb)
{
	struct ready *ready;
	struct stats_number one = { NUMBER_DECIMAL, l->scale, 1, 0 };
	/* An exact power of ten, as stats_number_value divides by. */
	double unit = round(1 / stats_number_value(&one));
	uint32_t *places = NULL;
	int r;

	if (sb->n_groups > l->n)
		return err_trace(add_few(l, sb));
	ready = arena_alloc(&sb->b->arena, (sb->n_groups + 1) * sizeof(*ready));
	if (ready == NULL)
		return err_origin(-ENOMEM);
	r = find_places(l, unit, &sb->b->arena, &places);
	if (r == 0)
		r = make_all_ready(sb, l, ready);
	if (r == 0)
		r = count_listed(l, unit, places, ready, sb);
	return err_trace(r);
}

int
quantile_add_ints(const struct column *c, bool named, struct stats_batch *sb)
{
	struct listed l = { .scale = c->scale };
	uint32_t *rows, *groups;
	int64_t *ints;
	size_t i;
	int r;

	r = list_rows(c->present, true, sb, &rows, &l.n);
	if (r < 0)
		return err_trace(r);
	ints = arena_alloc(&sb->b->arena, (l.n + 1) * sizeof(*ints));
	groups = arena_alloc(&sb->b->arena, (l.n + 1) * sizeof(*groups));
	if (ints == NULL || groups == NULL)
		return err_origin(-ENOMEM);
	for (i = 0; i < l.n; i++) {
		ints[i] = c->ints[rows[i]];
		groups[i] = sb->groups[rows[i]];
	}
	l.ints = ints;
	l.groups = groups;
	r = add_listed(&l, sb);
	if (r == 0 && named && c->present != NULL)
		r = add_empty(c->present, sb);
	return err_trace(r);
}

/* How many values each code has; two tables in turn, as adding to what was just written waits for it. */
static int
count_codes(const uint32_t *codes, size_t n, size_t n_codes, struct arena *arena, uint32_t **ret)
{
	uint32_t *a = arena_zalloc(arena, 2 * n_codes + 1, sizeof(*a)), *b = a + n_codes;
	size_t i;

	if (a == NULL)
		return err_origin(-ENOMEM);
	for (i = 0; i + 2 <= n; i += 2) {
		a[codes[i]]++;
		b[codes[i + 1]]++;
	}
	if (i < n)
		a[codes[i]]++;
	for (i = 0; i < n_codes; i++)
		a[i] += b[i];
	*ret = a;
	return 0;
}

/* Codes to groups, in place; what each code has less than all its rows is absent. */
static int
groups_of_codes(struct stats_batch *sb, uint32_t *codes, size_t n)
{
	const struct group_coded *c = sb->coded;
	uint32_t *counts = NULL;
	struct spread *p;
	size_t i;
	int r = count_codes(codes, n, c->n, &sb->b->arena, &counts);

	if (r < 0)
		return err_trace(r);
	for (i = 0; i < n; i++)
		codes[i] = c->groups[codes[i]];
	for (i = 0; r == 0 && i < c->n; i++) {
		if (c->counts[i] == counts[i])
			continue;
		r = spread_of(&sb->states[c->groups[i] * sb->stride], &p);
		if (r == 0)
			p->n_empty += c->counts[i] - counts[i];
	}
	return err_trace(r);
}

int
quantile_add_coded(const struct stats_func *f, struct stats_batch *sb)
{
	size_t n_rows = sb->b->n_rows, n;
	struct block_ints stored;
	uint32_t *groups;
	int r;

	if (sb->rows != NULL || f->names.n != 1 || name_is_wild(f->names.p[0]))
		return 1;
	r = scan_batch_ints(sb->b, f->names.p[0], &stored);
	if (r != 0)
		return err_trace(r);
	groups = arena_zalloc(&sb->b->arena, n_rows + 1, sizeof(*groups));
	if (groups == NULL)
		return err_origin(-ENOMEM);
	n = stored.n;
	if (sb->coded->codes != NULL && stored.present != NULL)
		n = bits_pick(stored.present, n_rows, sb->coded->codes, groups);
	else if (sb->coded->codes != NULL)
		memcpy(groups, sb->coded->codes, n_rows * sizeof(*groups));
	r = groups_of_codes(sb, groups, n);
	if (r < 0)
		return err_trace(r);
	return err_trace(add_listed(&(struct listed){ stored.ints, groups, n, stored.scale }, sb));
}
