/*
 * tests/unit/layout_check.h - what record_layout_new promises.
 * One job: hold records of a layout against each other, and a block built with their layouts against one built without.
 */
#pragma once

#include "check.h"
#include "store/block.h"

static uint64_t seed = 88172645463325252;

static size_t
below(size_t n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (size_t)(seed % n);
}

static int
read_buf(void *ctx, uint64_t at, size_t n, uint8_t *out)
{
	const struct buf *b = ctx;

	if (at > b->n || n > b->n - at)
		return -EIO;
	memcpy(out, b->p + at, n);
	return 0;
}

static void
check_same(const struct record *a, const struct record *b)
{
	size_t i;

	CHECK(a->time.ns == b->time.ns && a->n_fields == b->n_fields && a->flags == b->flags);
	for (i = 0; i < a->n_fields && i < b->n_fields; i++) {
		CHECK_STR(a->fields[i].name, b->fields[i].name);
		CHECK_STR(a->fields[i].value, b->fields[i].value);
		CHECK(a->fields[i].kind == b->fields[i].kind);
	}
}

static bool
is_in(const struct record *rec, struct str v)
{
	return v.n == 0 || (v.p >= rec->line.p && v.p < rec->line.p + rec->line.n);
}

/* What record_layout_new promises, for two records of one layout. */
static void
check_promise(const struct record *a, const struct record *b)
{
	size_t i, fixed_a = a->line.n - a->time_text.n - a->n_escaped,
	          fixed_b = b->line.n - b->time_text.n - b->n_escaped;

	CHECK(a->n_fields == b->n_fields && a->n_beside == b->n_beside);
	CHECK((a->time_text.n != 0) == (b->time_text.n != 0));
	for (i = 0; i < a->n_fields && i < b->n_fields; i++) {
		CHECK_STR(a->fields[i].name, b->fields[i].name);
		CHECK((a->fields[i].value.n != 0) == (b->fields[i].value.n != 0));
		if (i >= a->n_fields - a->n_beside)
			continue;
		CHECK(is_in(a, a->fields[i].value) == is_in(b, b->fields[i].value));
		/* Escaped in the line. */
		CHECK(a->n_escaped != 0 || is_in(a, a->fields[i].value));
		fixed_a -= a->fields[i].value.n;
		fixed_b -= b->fields[i].value.n;
	}
	CHECK(fixed_a == fixed_b);
}

static void
check_promises(const struct record_batch *b)
{
	size_t i, k;

	for (i = 0; i < b->n; i++)
		for (k = i + 1; k < b->n && k < i + 300; k++)
			if (b->recs[i].layout != 0 && b->recs[i].layout == b->recs[k].layout) {
				check_promise(&b->recs[i], &b->recs[k]);
				break;
			}
}

static struct block *
build(struct record_batch *batch, bool known, struct buf *bytes)
{
	AUTO(block_builder_free) struct block_builder *b = NULL;
	struct block_summary sum;
	struct block_io io = { read_buf, bytes, 0 };
	struct block *block = NULL;
	const uint64_t *ids;
	struct record rec;
	size_t n_ids, i;

	MUST(block_builder_new(&b) == 0);
	for (i = 0; i < batch->n; i++) {
		rec = batch->recs[i];
		rec.layout = known ? rec.layout : 0;
		MUST(block_builder_add(b, &rec) == 0);
	}
	MUST(block_builder_finish(b, bytes, &sum, &ids, &n_ids) == 0);
	io.n_bytes = bytes->n;
	MUST(block_open(&block, &io) == 0);
	return block;
}

static void
check_blocks(struct record_batch *batch)
{
	AUTO_FINI(buf_fini) struct buf bytes = BUF_INIT;
	AUTO_FINI(buf_fini) struct buf other = BUF_INIT;
	AUTO(block_free) struct block *with = build(batch, true, &bytes);
	AUTO(block_free) struct block *without = build(batch, false, &other);
	AUTO_FINI(arena_fini) struct arena arena = ARENA_INIT;
	struct record *a = arena_alloc(&arena, batch->n * sizeof(*a));
	struct record *b = arena_alloc(&arena, batch->n * sizeof(*b));
	size_t i;

	MUST(a != NULL && b != NULL);
	MUST(block_records(with, 0, (uint32_t)batch->n, &arena, a) == 0);
	MUST(block_records(without, 0, (uint32_t)batch->n, &arena, b) == 0);
	for (i = 0; i < batch->n; i++) {
		CHECK_STR(a[i].line, batch->recs[i].line);
		CHECK_STR(b[i].line, batch->recs[i].line);
		check_same(&a[i], &b[i]);
	}
}
