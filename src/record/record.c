/*
 * record/record.c - the record.
 * One job: find a field, grow a batch.
 * Floor: 1 (uses base).
 */
#include "record/record.h"

#include <stdatomic.h>

static uint64_t
next_number(void)
{
	static _Atomic uint64_t last;

	return atomic_fetch_add_explicit(&last, 1, memory_order_relaxed) + 1;
}

uint64_t
record_layout_new(void)
{
	return next_number();
}

uint64_t
record_time_form_new(void)
{
	return next_number();
}

struct str
record_get(const struct record *rec, struct str name)
{
	size_t i;

	for (i = 0; i < rec->n_fields; i++)
		if (str_eq(rec->fields[i].name, name))
			return rec->fields[i].value;
	return STR_NONE;
}

struct record *
record_batch_add(struct record_batch *b)
{
	struct record *recs;
	size_t cap;

	if (b->n == b->cap) {
		cap = b->cap == 0 ? 64 : b->cap * 2;
		recs = reallocarray(b->recs, cap, sizeof(*recs));
		if (recs == NULL)
			return NULL;
		b->recs = recs;
		b->cap = cap;
	}
	b->recs[b->n] = (struct record){ 0 };
	return &b->recs[b->n++];
}

void
record_batch_clear(struct record_batch *b)
{
	b->n = 0;
	arena_clear(&b->arena);
	arena_clear(&b->fields);
}

void
record_batch_fini(struct record_batch *b)
{
	free(b->recs);
	arena_fini(&b->arena);
	arena_fini(&b->fields);
	*b = (struct record_batch)RECORD_BATCH_INIT;
}
