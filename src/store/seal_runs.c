/*
 * store/seal_runs.c - numbers of rows that are put together.
 * One job: keep the numbers of a builder's rows as runs, and tell those of the rows that a block took.
 * Floor: 2 (uses base).
 */
#include "store/seal.h"

void
seal_runs_fini(struct seal_runs *l)
{
	free(l->v);
	*l = (struct seal_runs){ NULL, 0, 0 };
}

int
seal_runs_add(struct seal_runs *l, uint64_t number)
{
	struct segment_run *last = l->n > 0 ? &l->v[l->n - 1] : NULL, *v;
	size_t cap;

	if (last != NULL && last->first + last->n == number) {
		last->n++;
		return 0;
	}
	if (l->n == l->cap) {
		cap = l->cap < 64 ? 64 : l->cap + l->cap / 2;
		v = reallocarray(l->v, cap, sizeof(*v));
		if (v == NULL)
			return err_origin(-ENOMEM);
		l->v = v;
		l->cap = cap;
	}
	l->v[l->n++] = (struct segment_run){ number, 1 };
	return 0;
}

int
seal_runs_part(const struct seal_runs *all, const uint32_t *rows, size_t n, struct seal_runs *ret)
{
	uint64_t before = 0; /* rows in the runs before run k */
	size_t i, k = 0;
	int r = 0;

	for (i = 0; i < n && r == 0; i++) {
		for (; rows[i] - before >= all->v[k].n; k++)
			before += all->v[k].n;
		r = seal_runs_add(ret, all->v[k].first + (rows[i] - before));
	}
	return err_trace(r);
}
