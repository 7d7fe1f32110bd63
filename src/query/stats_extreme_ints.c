/*
 * query/stats_extreme_ints.c - min and max of numbers and times.
 * One job: the least or greatest integer of each group of a batch, and of whole blocks from their directory.
 * Floor: 3 (uses store, logsql, record, base).
 *
 * Integers of one scale have the order of their texts as long as a double tells them apart (value_less); times always.
 */
#include "query/pipe_group.h"
#include "query/scan.h"
#include "query/stats_extreme.h"

enum { KEYS_MORE = 64 };

#define EXACT_MAX INT64_C(1000000000000000) /* of scaled integers; a double has 53 bits */

/*
 * The rows' keys: their codes or their groups.  What is best is the least of v ^ flip.
 * Invariants: keys[row] < n, or NULL: all are 0; groups[key] is its group, or NULL: the key itself.
 */
struct keyed {
	const uint32_t *keys, *groups;
	size_t n;
	int64_t flip;
	int64_t *best; /* of each key */
	bool *seen, *empty;
};

static int
keyed_init(struct keyed *k, const struct stats_func *f, struct arena *arena)
{
	size_t i;

	k->flip = f->kind == STATS_MAX ? -1 : 0;
	k->best = arena_alloc(arena, (k->n + 1) * sizeof(*k->best));
	k->seen = arena_zalloc(arena, k->n + 1, sizeof(*k->seen));
	k->empty = arena_zalloc(arena, k->n + 1, sizeof(*k->empty));
	if (k->best == NULL || k->seen == NULL || k->empty == NULL)
		return err_origin(-ENOMEM);
	for (i = 0; i < k->n; i++)
		k->best[i] = INT64_MAX;
	return 0;
}

/* Whether no two of the numbers are the same to who compares their texts. */
static bool
are_exact(const struct column *c)
{
	bool far = false;
	size_t i;

	if (c->kind == COLUMN_TIME || c->scale == 0)
		return true;
	for (i = 0; i < c->n_rows; i++)
		far |= c->ints[i] > EXACT_MAX || c->ints[i] < -EXACT_MAX;
	return !far;
}

static int64_t
least_of(const int64_t *v, size_t n, int64_t flip)
{
	int64_t least = INT64_MAX;
	size_t i;

	for (i = 0; i < n; i++)
		least = (v[i] ^ flip) < least ? v[i] ^ flip : least;
	return least;
}

static void
take_row(struct keyed *k, const struct column *c, size_t row)
{
	uint32_t key = k->keys != NULL ? k->keys[row] : 0;
	int64_t v = c->ints[row] ^ k->flip;

	if (c->present != NULL && !bits_get(c->present, row)) {
		k->empty[key] = true;
		return;
	}
	k->seen[key] = true;
	k->best[key] = v < k->best[key] ? v : k->best[key];
}

static void
take_rows(struct keyed *k, const struct column *c, const struct stats_batch *sb)
{
	size_t i;

	if (k->keys == NULL && sb->rows == NULL && c->present == NULL && c->n_rows > 0) {
		k->best[0] = least_of(c->ints, c->n_rows, k->flip);
		k->seen[0] = true;
		return;
	}
	for (i = 0; i < c->n_rows; i++)
		if (stats_takes(sb, i))
			take_row(k, c, i);
}

static struct str
text_of(const struct column *c, int64_t v, char scratch[COLUMN_SCRATCH])
{
	return str_of(scratch,
	    c->kind == COLUMN_TIME ? wall_format(scratch, (struct wall){ v })
	                           : column_format_int(scratch, v, c->scale));
}

static int
offer_all(const struct stats_func *f, const struct keyed *k, const struct column *c, bool named,
    struct stats_batch *sb)
{
	char scratch[COLUMN_SCRATCH];
	struct stats_state *s;
	size_t i;
	int r = 0;

	for (i = 0; r == 0 && i < k->n; i++) {
		if (!k->seen[i] && !k->empty[i])
			continue;
		s = &sb->states[(k->groups != NULL ? k->groups[i] : i) * sb->stride];
		if (k->seen[i])
			r = extreme_offer(f, sb, s, text_of(c, k->best[i] ^ k->flip, scratch));
		if (r == 0 && k->empty[i] && named)
			r = extreme_offer(f, sb, s, STR_NONE);
	}
	return err_trace(r);
}

static int
add_keyed(const struct stats_func *f, struct keyed *k, const struct column *c, bool named,
    struct stats_batch *sb)
{
	int r;

	if (k->n > c->n_rows + KEYS_MORE || !are_exact(c))
		return 1;
	r = keyed_init(k, f, &sb->b->arena);
	if (r < 0)
		return err_trace(r);
	take_rows(k, c, sb);
	return err_trace(offer_all(f, k, c, named, sb));
}

int
extreme_add_ints(const struct stats_func *f, const struct column *c, bool named,
    struct stats_batch *sb)
{
	struct keyed k = { .keys = sb->groups, .n = sb->n_groups };

	return err_trace(add_keyed(f, &k, c, named, sb));
}

/* The code that all rows have, or SIZE_MAX. */
static size_t
only_code(const struct stats_batch *sb)
{
	size_t i;

	for (i = 0; i < sb->coded->n; i++)
		if (sb->coded->counts[i] == sb->b->n_rows)
			return i;
	return SIZE_MAX;
}

int
extreme_add_coded(const struct stats_func *f, struct stats_batch *sb)
{
	struct keyed k = { .keys = sb->coded->codes,
		.groups = sb->coded->groups,
		.n = sb->coded->n };
	size_t code = only_code(sb);
	char text[COLUMN_SCRATCH];
	const struct column *c;
	int64_t min, max;

	if (sb->rows != NULL || f->names.n != 1 || name_is_wild(f->names.p[0]))
		return 1;
	if (code != SIZE_MAX && scan_batch_time_range(sb->b, f->names.p[0], &min, &max))
		return err_trace(
		    extreme_offer(f, sb, &sb->states[sb->coded->groups[code] * sb->stride],
		        str_of(text,
		            wall_format(text, (struct wall){ f->kind == STATS_MAX ? max : min }))));
	c = batch_column(sb->b, f->names.p[0]);
	if (c == NULL)
		return sb->b->err;
	if (c->kind != COLUMN_INT && c->kind != COLUMN_TIME)
		return 1;
	return err_trace(add_keyed(f, &k, c, true, sb));
}
