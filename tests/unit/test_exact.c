/*
 * tests/unit/test_exact.c - sums of doubles that no order of adding changes.
 * One job: sums of near and far values in any order and pieces; rounding; as bytes.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/own.h"
#include "check.h"
#include "query/stats_exact.h"

static uint64_t seed = 7;

static uint64_t
next(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

static double
value(struct exact *e)
{
	struct twice v;

	CHECK(exact_value(e, &v) == 0);
	CHECK(fabs(v.lo) <= fabs(v.hi) * 0x1p-53 || !isfinite(v.hi));
	return v.hi;
}

static void
test_few(void)
{
	AUTO_FREE struct exact *e = NULL, *far = NULL, *square = NULL;
	struct twice v;

	CHECK(value(e) == 0);
	CHECK(exact_add(&e, 1e16) == 0 && exact_add(&e, 1) == 0 && exact_add(&e, -1e16) == 0);
	CHECK(value(e) == 1);
	CHECK(exact_add(&e, -1.5) == 0 && value(e) == -0.5);
	CHECK(exact_add(&e, 0.5) == 0 && value(e) == 0);
	/* From the least to the greatest, and beyond on the way. */
	CHECK(exact_add(&far, 0x1.fffffffffffffp1023) == 0);
	CHECK(exact_add(&far, 0x1.fffffffffffffp1023) == 0);
	CHECK(value(far) == (double)INFINITY);
	CHECK(exact_add(&far, 4.9e-324) == 0);
	CHECK(exact_add(&far, -0x1.fffffffffffffp1023) == 0);
	CHECK(exact_value(far, &v) == 0);
	CHECK(v.hi == 0x1.fffffffffffffp1023 && v.lo == 4.9e-324);
	CHECK(exact_add(&far, -0x1.fffffffffffffp1023) == 0 && value(far) == 4.9e-324);
	/* 1 + 2^-30 squared is 1 + 2^-29 + 2^-60. */
	CHECK(exact_add_square(&square, -1 - 0x1p-30) == 0);
	CHECK(exact_value(square, &v) == 0 && v.hi == 1 + 0x1p-29 && v.lo == 0x1p-60);
	CHECK(exact_add_square(&square, 1e-300) == 0 && exact_add_square(&square, 1e300) == 0);
	CHECK(value(square) == (double)INFINITY);
}

/* Ties to even, and a bit far below that breaks one. */
static void
test_ties(void)
{
	AUTO_FREE struct exact *e = NULL;

	CHECK(exact_add(&e, 1) == 0 && exact_add(&e, 0x1p-53) == 0 && value(e) == 1);
	CHECK(exact_add(&e, 0x1p-900) == 0 && value(e) == 1 + 0x1p-52);
	CHECK(exact_add(&e, -0x1p-899) == 0 && value(e) == 1);
	CHECK(exact_add(&e, -2) == 0 && value(e) == -1 + 0x1p-53);
}

enum { VALUES = 3000, PIECES = 7 };

static double
any_value(unsigned kind)
{
	double v = (double)(int64_t)next();

	return kind == 0 ? v / 1e13 : ldexp(v, (int)(next() % 1900) - 1000);
}

static void
test_orders(unsigned kind)
{
	static double values[VALUES];
	double want = 0, twice_want = 0;
	size_t i, k, round;

	for (i = 0; i < VALUES; i++)
		values[i] = any_value(kind);
	for (round = 0; round < 20; round++) {
		struct exact *part[PIECES] = { NULL }, *square[PIECES] = { NULL }, *loaded = NULL;
		AUTO_FINI(buf_fini) struct buf bytes = BUF_INIT;
		struct scan in;

		for (i = VALUES - 1; i > 0; i--) {
			double v = values[i];

			k = next() % (i + 1);
			values[i] = values[k];
			values[k] = v;
		}
		for (i = 0; i < VALUES; i++) {
			k = next() % (round % PIECES + 1);
			CHECK(exact_add(&part[k], values[i]) == 0);
			CHECK(exact_add_square(&square[k], values[i]) == 0);
		}
		for (k = 1; k < PIECES; k++) {
			CHECK(exact_merge(&part[0], &part[k]) == 0);
			CHECK(exact_merge(&square[0], &square[k]) == 0);
		}
		CHECK(exact_save(&part[0], &bytes) == 0);
		in = SCAN_OF(buf_view(&bytes));
		CHECK(exact_load(&in, &loaded) == 0 && in.at == bytes.n);
		want = round == 0 ? value(part[0]) : want;
		twice_want = round == 0 ? value(square[0]) : twice_want;
		CHECK(value(part[0]) == want && value(loaded) == want);
		CHECK(value(square[0]) == twice_want);
		for (k = 0; k < PIECES; k++) {
			free(part[k]);
			free(square[k]);
		}
		free(loaded);
	}
}

/* Bytes that are none of ours. */
static void
test_bad(void)
{
	AUTO_FREE struct exact *e = NULL;
	struct scan in = SCAN_OF(STR("\xff\xff\x03"));

	CHECK(exact_load(&in, &e) < 0 && e == NULL);
}

int
main(void)
{
	test_few();
	test_ties();
	test_orders(0);
	test_orders(1);
	test_bad();
	return check_done();
}
