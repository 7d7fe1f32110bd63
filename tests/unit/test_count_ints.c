/*
 * tests/unit/test_count_ints.c - integers counted, against counting their texts.
 * One job: near and far values, absent ones, two scales, merged parts: the most frequent are the same.
 */
#include "check.h"
#include "query/count_ints.h"

enum { ROWS = 3000, COLUMNS = 6 };
/* Has as many digits as a number column takes. */
#define FAR INT64_C(100000000000000000)
static uint64_t seed = 42;

static uint64_t
rnd(void)
{
	seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
	return seed >> 33;
}

/* Values near 1000, some far away, some absent. */
static void
fill(struct column *c, int64_t *ints, uint64_t *present, bool far, bool absent)
{
	size_t i;

	*c = (struct column){ .kind = COLUMN_INT, .n_rows = ROWS, .ints = ints, .scale = 2 };
	c->present = absent ? present : NULL;
	bits_zero(present, ROWS);
	for (i = 0; i < ROWS; i++) {
		ints[i] = 1000 + (int64_t)(rnd() % 50 * (rnd() % 3));
		if (far && rnd() % 20 == 0)
			ints[i] = (int64_t)(rnd() % 5) * FAR * (rnd() % 2 == 0 ? 1 : -1);
		if (rnd() % 4 != 0)
			bits_set(present, i);
	}
}

static void
add_texts(struct map *m, const struct column *c)
{
	char scratch[COLUMN_SCRATCH];
	struct str none = STR_NONE;
	struct map_entry *e;
	size_t i;

	for (i = 0; i < c->n_rows; i++) {
		e = map_put(m,
		    c->present != NULL && !bits_get(c->present, i) ? none
		                                                   : column_value(c, i, scratch),
		    NULL);
		MUST(e != NULL);
		e->value++;
	}
}

/* Every text of ${got} has the count that it has in ${want}; all that are more frequent than the ${limit}-th are there. */
static void
compare(const struct map *got, const struct map *want, uint64_t limit)
{
	const struct map_entry *e;
	size_t i, k, above;

	for (i = 0; i < got->n; i++) {
		e = map_get(want, got->entries[i].key);
		if (got->entries[i].value != 0)
			CHECK(e != NULL && e->value == got->entries[i].value);
	}
	for (i = 0; i < want->n; i++) {
		for (above = k = 0; k < want->n; k++)
			above += want->entries[k].value > want->entries[i].value;
		if (limit != 0 && above >= limit)
			continue;
		e = map_get(got, want->entries[i].key);
		CHECK(e != NULL && e->value == want->entries[i].value);
	}
}

static void
test_top(uint64_t limit, bool absent)
{
	static int64_t ints[ROWS];
	static uint64_t present[BITS_WORDS(ROWS) + 1];
	AUTO_FINI(count_ints_fini) struct count_ints a = { 0 };
	AUTO_FINI(count_ints_fini) struct count_ints b = { 0 };
	AUTO_FINI(map_fini) struct map want = MAP_INIT;
	AUTO_FINI(map_fini) struct map got = MAP_INIT;
	struct column c;
	size_t i;

	for (i = 0; i < COLUMNS; i++) {
		/* The first column decides which values the array is for. */
		fill(&c, ints, present, i >= 2, absent && i % 2 == 0);
		add_texts(&want, &c);
		/* The last one came as texts. */
		if (i + 1 == COLUMNS)
			add_texts(&got, &c);
		else
			MUST(count_ints_add(i % 2 == 0 ? &a : &b, &c) == 0);
	}
	CHECK(count_ints_takes(&a, &c));
	c.scale = 3;
	CHECK(!count_ints_takes(&a, &c));
	c.kind = COLUMN_TIME;
	CHECK(!count_ints_takes(&a, &c));
	CHECK(count_ints_bytes(&a) > 0);
	MUST(count_ints_merge(&a, &b) == 0);
	MUST(count_ints_move(&a, &got) == 0);
	MUST(count_ints_top(&a, limit, &got) == 0);
	compare(&got, &want, limit);
	CHECK(limit == 0 || got.n < want.n + 1);
}

int
main(void)
{
	static const uint64_t limits[] = { 0, 1, 3, 10, 100000 };
	size_t i;

	for (i = 0; i < ARRAY_LEN(limits); i++) {
		test_top(limits[i], false);
		test_top(limits[i], true);
	}
	return check_done();
}
