/*
 * base/arena.c - memory that is freed all at once.
 * One job: hand out short-lived bytes for a batch of work without a free for each.
 * Floor: 0.
 *
 * A list of chunks, each at least twice the size of the one before up to 1 MiB, so that a batch
 * costs a handful of mallocs.
 */
#include "base/arena.h"

#include <stdalign.h>

enum { CHUNK_MIN = 4096, CHUNK_MAX_STEP = 1 << 20, ALIGN = 16 };

struct arena_chunk {
	struct arena_chunk *next;
	size_t cap;
	size_t used;
	alignas(ALIGN) uint8_t bytes[];
};

struct arena_deferred {
	struct arena_deferred *next;
	void (*fn)(void *p);
	void *p;
};

static inline size_t
aligned(size_t n)
{
	return (n + ALIGN - 1) & ~(size_t)(ALIGN - 1);
}

void *
arena_alloc(struct arena *a, size_t n)
{
	struct arena_chunk *c = a->head;
	size_t cap;

	if (n > SIZE_MAX / 2)
		return NULL;
	n = aligned(n);
	if (c == NULL || c->cap - c->used < n) {
		cap = c == NULL ? CHUNK_MIN : c->cap * 2;
		if (cap > CHUNK_MAX_STEP)
			cap = CHUNK_MAX_STEP;
		if (cap < n)
			cap = n;
		if (cap > arena_left(a))
			return NULL;
		c = malloc(sizeof(*c) + cap);
		if (c == NULL)
			return NULL;
		c->next = a->head;
		c->cap = cap;
		c->used = 0;
		a->head = c;
		a->total += cap;
	}
	c->used += n;
	return c->bytes + c->used - n;
}

void *
arena_room(struct arena *a, size_t n)
{
	void *p = arena_alloc(a, n);

	if (p != NULL)
		a->head->used -= aligned(n);
	return p;
}

void
arena_take(struct arena *a, size_t m)
{
	a->head->used += aligned(m);
}

void *
arena_zalloc(struct arena *a, size_t count, size_t size)
{
	size_t n;
	void *p;

	if (__builtin_mul_overflow(count, size, &n))
		return NULL;
	p = arena_alloc(a, n);
	if (p != NULL)
		memset(p, 0, n);
	return p;
}

struct str
arena_dup(struct arena *a, struct str s)
{
	uint8_t *p = arena_alloc(a, s.n);

	if (p == NULL)
		return STR_NONE;
	if (s.n != 0)
		memcpy(p, s.p, s.n);
	return (struct str){ p, s.n };
}

int
arena_defer(struct arena *a, void (*fn)(void *p), void *p)
{
	struct arena_deferred *d = arena_alloc(a, sizeof(*d));

	if (d == NULL) {
		fn(p);
		return err_origin(-ENOMEM);
	}
	*d = (struct arena_deferred){ a->deferred, fn, p };
	a->deferred = d;
	return 0;
}

static void
run_deferred(struct arena *a)
{
	struct arena_deferred *d = a->deferred;

	a->deferred = NULL;
	for (; d != NULL; d = d->next)
		d->fn(d->p);
}

void
arena_clear(struct arena *a)
{
	struct arena_chunk *c, *next, *keep;

	run_deferred(a);
	keep = a->head;
	for (c = a->head; c != NULL; c = c->next)
		if (c->cap > keep->cap)
			keep = c;
	for (c = a->head; c != NULL; c = next) {
		next = c->next;
		if (c != keep)
			free(c);
	}
	a->head = keep;
	a->total = 0;
	if (keep != NULL) {
		keep->next = NULL;
		keep->used = 0;
		a->total = keep->cap;
	}
}

void
arena_fini(struct arena *a)
{
	struct arena_chunk *c, *next;

	run_deferred(a);
	for (c = a->head; c != NULL; c = next) {
		next = c->next;
		free(c);
	}
	*a = (struct arena)ARENA_INIT;
}
