/*
 * query/meter.c - what stages do, counted.
 * One job: a stage before each stage that notes what goes in and how long it takes, for explain.
 * Floor: 3 (uses base).
 *
 * A stage's time and bytes hold those of all stages behind it, since it pushes to them; they become its own when those of
 * the next meter are taken off.  Times of workers add up.
 */
#include "query/meter.h"

#include "query/pipe_stage.h"

struct meter {
	struct stage stage;
	struct stage_note *note;
};

static void
note_time(struct meter *m, struct span began)
{
	atomic_fetch_add(&m->note->ns, (uint64_t)(mono_now().ns - began.ns));
}

static int
meter_push(struct stage *s, unsigned worker, struct batch *b)
{
	struct meter *m = (struct meter *)s;
	const uint64_t *loaded = b->n_loaded;
	uint64_t before = loaded != NULL ? *loaded : 0;
	struct span began = mono_now();
	int r;

	atomic_fetch_add(&m->note->rows, b->n_rows);
	r = stage_push(s->next, worker, b);
	note_time(m, began);
	if (loaded != NULL)
		atomic_fetch_add(&m->note->bytes, *loaded - before);
	return r;
}

static int
meter_flush(struct stage *s)
{
	struct meter *m = (struct meter *)s;
	struct span began = mono_now();
	int r;

	r = stage_flush(s->next);
	note_time(m, began);
	return r;
}

static void
meter_free(struct stage *s)
{
	free(s);
}

static const struct stage_ops meter_ops = { "meter", meter_push, meter_flush, meter_free };

int
meter_new(struct query_env *env, size_t i, struct stage **first)
{
	struct stage *s;
	int r;

	r = stage_alloc(sizeof(struct meter), &meter_ops, env, &s);
	if (r != 0)
		return r;
	s->next = *first;
	((struct meter *)s)->note = &env->notes[i];
	*first = s;
	return 0;
}
