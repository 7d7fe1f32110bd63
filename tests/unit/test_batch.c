/*
 * tests/unit/test_batch.c - columns are decoded when asked for, and only then.
 */
#include "check.h"
#include "query/batch.h"

/* A source of columns a, b, c: row i of a is "a<i>"; counts what it loads. */
static int n_loads;

static int
load(void *ctx, struct str name, const uint32_t *rows, size_t n, struct arena *arena,
    struct column *ret)
{
	struct str *values = arena_alloc(arena, (n + 1) * sizeof(*values));
	size_t i;

	n_loads++;
	if (str_eq(name, STR("missing"))) {
		*ret = column_const(name, STR_NONE, n);
		return 0;
	}
	for (i = 0; i < n; i++) {
		uint8_t text[2] = { name.p[0], (uint8_t)('0' + (rows != NULL ? rows[i] : i)) };

		values[i] = arena_dup(arena, str_of(text, 2));
	}
	*ret = (struct column){ .name = name, .kind = COLUMN_STRS, .n_rows = n, .strs = values };
	return 0;
}

static int
names(void *ctx, const struct str **ret, size_t *ret_n)
{
	static const struct str all[] = { STR_INIT("a"), STR_INIT("b"), STR_INIT("c") };

	*ret = all;
	*ret_n = 3;
	return 0;
}

static void
start(struct batch *b)
{
	batch_reset(b, 4);
	b->source = (struct batch_source){ .load = load, .names = names, .ctx = NULL };
	n_loads = 0;
}

static void
test_lazy(struct batch *b)
{
	const struct str *list;
	size_t n;

	start(b);
	CHECK(batch_names(b, &list, &n) == 0 && n == 3 && n_loads == 0);
	CHECK(batch_slice(b, 1, 2) == 0 && b->n_rows == 2);
	CHECK_STR(batch_strs(b, STR("b"))[1], STR("b2"));
	CHECK(n_loads == 1);
	CHECK_STR(batch_strs(b, STR("missing"))[0], STR(""));
	CHECK(batch_names(b, &list, &n) == 0 && n == 3);
}

static void
test_moves(struct batch *b)
{
	const struct str *list;
	size_t n;

	start(b);
	CHECK(batch_rename(b, STR("a"), STR("x")) == 0);
	CHECK(batch_copy(b, STR("b"), STR("y")) == 0);
	CHECK(batch_drop(b, STR("c")) == 0);
	CHECK(n_loads == 0);
	CHECK(batch_names(b, &list, &n) == 0 && n == 3);
	CHECK_STR(list[0], STR("b"));
	CHECK_STR(batch_strs(b, STR("x"))[3], STR("a3"));
	CHECK_STR(batch_strs(b, STR("y"))[0], STR("b0"));
	CHECK_STR(batch_strs(b, STR("a"))[0], STR(""));
	CHECK_STR(batch_strs(b, STR("c"))[0], STR(""));
}

static void
test_keep(struct batch *b)
{
	const struct str keep[] = { STR("c"), STR("a*"), STR("none") };
	const struct str *list;
	uint64_t sel = 0x9;
	size_t n;

	start(b);
	CHECK_STR(batch_strs(b, STR("b"))[0], STR("b0"));
	CHECK(batch_keep(b, keep, 3) == 0);
	CHECK(batch_names(b, &list, &n) == 0 && n == 3);
	CHECK_STR(list[0], STR("c"));
	CHECK(batch_select(b, &sel) == 0 && b->n_rows == 2);
	CHECK_STR(batch_strs(b, STR("c"))[1], STR("c3"));
	CHECK_STR(batch_strs(b, STR("b"))[0], STR(""));
}

int
main(void)
{
	struct batch b = BATCH_INIT;

	test_lazy(&b);
	test_moves(&b);
	test_keep(&b);
	batch_fini(&b);
	return check_done();
}
