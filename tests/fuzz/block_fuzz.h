/*
 * tests/fuzz/block_fuzz.h - any bytes as a block.
 * One job: decode every column of it in all ways, and hold the ways to each other.
 *
 * Checksums are not compared: they would keep a fuzzer out.
 */
#pragma once

#include <stdio.h>
#include <stdlib.h>

#include "store/block_internal.h"

static int
read_bytes(void *ctx, uint64_t at, size_t n, uint8_t *out)
{
	const struct str *in = ctx;

	if (at > in->n || n > in->n - at)
		return -EIO;
	memcpy(out, in->p + at, n);
	return 0;
}

static void
must(bool ok, const char *what)
{
	if (!ok) {
		fprintf(stderr, "%s\n", what);
		abort();
	}
}

/* Numbers as they are stored, against the column. */
static void
try_ints(struct block *b, struct str name)
{
	AUTO_FINI(arena_fini) struct arena arena = ARENA_INIT;
	struct block_ints stored;
	struct column all;
	size_t i, k = 0;

	if (block_ints(b, name, &arena, &stored) != 0)
		return;
	must(block_column(b, name, NULL, 0, &arena, &all) == 0 && all.kind == COLUMN_INT,
	    "numbers that are no column");
	for (i = 0; i < all.n_rows; i++)
		if (all.present == NULL || bits_get(all.present, i))
			must(k < stored.n && stored.ints[k++] == all.ints[i], "other numbers");
	must(k == stored.n, "more numbers");
}

static void
try_column(struct block *b, struct str name, unsigned choice)
{
	static const char *const literals[] = { "a", "10", ".", "e1", "ab cd", "\n",
		"1\xff"
		"0",
		"e\xff\xff"
		"1" };
	uint64_t sel[BITS_WORDS(BLOCK_ROWS_MAX)];
	char scratch[COLUMN_SCRATCH], scratch2[COLUMN_SCRATCH];
	struct str lit = str_c(literals[choice % ARRAY_LEN(literals)]), v;
	AUTO_FINI(arena_fini) struct arena arena = ARENA_INIT;
	uint32_t rows[512];
	struct column all, some, forms;
	struct literals l = { .p = { lit }, .n = 1 };
	size_t i, n = 0;
	int r;

	r = block_column(b, name, NULL, 0, &arena, &all);
	for (i = choice % 7; i < block_n_rows(b) && n < ARRAY_LEN(rows); i += 1 + choice % 5)
		rows[n++] = (uint32_t)i;
	if (block_column(b, name, rows, n, &arena, &some) == 0 && r == 0)
		for (i = 0; i < n; i++)
			must(str_eq(column_value(&all, rows[i], scratch),
			         column_value(&some, i, scratch2)),
			    "gathered rows differ");
	if (block_forms(b, name, NULL, 0, &arena, &forms) == 0 &&
	    block_forms(b, name, rows, n, &arena, &some) == 0)
		for (i = 0; i < n; i++)
			must(str_eq(column_value(&forms, rows[i], NULL),
			         column_value(&some, i, NULL)),
			    "forms of gathered rows differ");
	l.nocase = (choice & 1) != 0;
	l.gaps = (choice & 2) != 0;
	bits_fill(sel, block_n_rows(b));
	if (lit.n == 0 || block_contains_any(b, name, &l, sel) != 0 || r != 0 || l.nocase || l.gaps)
		return;
	for (i = 0; i < block_n_rows(b); i++) {
		v = column_value(&all, i, scratch);
		/* What a hostile template says of its slots is believed when it says no. */
		must(!bits_get(sel, i) || str_find(v, lit) != SIZE_MAX, "a row that is no hit");
	}
}

/* Times by their upper bits, folded. */
enum { TIME_COUNTS = 16, TIME_SHIFT = 34 };

static size_t
time_count_of(int64_t ns)
{
	return (size_t)((uint64_t)ns >> TIME_SHIFT) % TIME_COUNTS;
}

static int
time_range(void *ctx, int64_t ns, struct block_times *ret)
{
	uint64_t mask = (UINT64_C(1) << TIME_SHIFT) - 1;

	*ret =
	    (struct block_times){ (uint64_t)ns & ~mask, mask, (uint32_t *)ctx + time_count_of(ns) };
	return 0;
}

/* Times counted as they are stored, against times read and counted. */
static void
try_times(struct block *b, unsigned choice)
{
	uint32_t got[TIME_COUNTS] = { 0 }, want[TIME_COUNTS] = { 0 };
	AUTO_FINI(arena_fini) struct arena arena = ARENA_INIT;
	uint64_t sel[BITS_WORDS(BLOCK_ROWS_MAX) + 1];
	struct column all;
	size_t i;
	int r;

	bits_fill(sel, block_n_rows(b));
	for (i = 0; choice % 2 == 1 && i < block_n_rows(b); i += 1 + choice % 9)
		bits_clear(sel, i);
	r = block_count_times(b, choice % 2 == 1 ? sel : NULL, time_range, got);
	if (r == BLOCK_E_OTHER || block_column(b, STR("_time"), NULL, 0, &arena, &all) != 0)
		return;
	for (i = 0; i < all.n_rows; i++)
		if (bits_get(sel, i))
			want[time_count_of(all.ints[i])]++;
	must(r == 0 && memcmp(got, want, sizeof(got)) == 0, "times are counted otherwise");
}

static void
no_report(void *ctx, struct str column, uint64_t at, const char *what)
{
}

static void
try_block(struct str bytes, unsigned choice)
{
	struct block_io io = { read_bytes, &bytes, bytes.n };
	AUTO(block_free) struct block *b = NULL;
	static const uint32_t rows[] = { 0, 1, 2, 3, 5, 8, 13, 21 };
	AUTO_FINI(arena_fini) struct arena arena = ARENA_INIT;
	struct str lines[ARRAY_LEN(rows)];
	struct record recs[ARRAY_LEN(rows)] = { 0 };
	const struct literals words = { { STR_INIT("ab"), STR_INIT("1\xff.") }, 2,
		(choice & 2) != 0, (choice & 128) != 0 };
	uint64_t sel[BITS_WORDS(BLOCK_ROWS_MAX)];
	AUTO_FREE uint64_t *ids = NULL;
	struct block_column_info info;
	size_t i, n_ids = 0;
	bool lost;

	if (block_open_unchecked(&b, &io) != 0)
		return;
	for (i = 0; i < block_n_columns(b) && i < 64; i++) {
		block_column_at(b, i, &info);
		try_column(b, info.name, choice);
		try_ints(b, info.name);
	}
	try_times(b, choice);
	/* Rare fields are the last ones. */
	for (; i < block_n_columns(b); i += 1 + choice) {
		block_column_at(b, i, &info);
		try_column(b, info.name, choice);
	}
	for (i = 0; i < ARRAY_LEN(rows) && rows[i] < block_n_rows(b); i++)
		;
	(void)block_lines(b, rows, i, &arena, lines);
	(void)block_records(b, 0, (uint32_t)i, &arena, recs);
	bits_fill(sel, block_n_rows(b));
	(void)block_lines_may(b, &words, sel);
	(void)block_ids(b, &ids, &n_ids, &lost);
	(void)block_verify(b, no_report, NULL);
}
