/*
 * query/newest.c - blocks, the newest first.
 * One job: give a plan's blocks to many threads by their last time, and open segments when their turn comes.
 * Floor: 3 (uses store, record, base).
 *
 * A heap of blocks and of shut segments, each with a time that none of its rows is later than.  A segment at the top
 * is opened and its blocks put in its place.  So who wants the newest hundred rows of a year opens one segment.
 */
#include "query/newest.h"

struct newest_item {
	int64_t time; /* of its last row, or later; oldest first: ~ of it, or of an earlier one */
	bool shut;
	uint32_t at;  /* in plan->shut, or in plan->blocks */
	uint32_t tie; /* of one time the greater is first */
};

/* Segments before blocks, so that blocks of one time are in order; then the later arrival first. */
static bool
before(const struct newest_item *a, const struct newest_item *b)
{
	if (a->time != b->time)
		return a->time > b->time;
	return a->shut != b->shut ? a->shut : a->tie > b->tie;
}

static void
push(struct newest *q, struct newest_item item)
{
	size_t i = q->n++;

	for (; i > 0 && before(&item, &q->heap[(i - 1) / 2]); i = (i - 1) / 2)
		q->heap[i] = q->heap[(i - 1) / 2];
	q->heap[i] = item;
}

static struct newest_item
pop(struct newest *q)
{
	struct newest_item top = q->heap[0], last = q->heap[--q->n];
	size_t i = 0, child;

	for (; (child = 2 * i + 1) < q->n; i = child) {
		if (child + 1 < q->n && before(&q->heap[child + 1], &q->heap[child]))
			child++;
		if (!before(&q->heap[child], &last))
			break;
		q->heap[i] = q->heap[child];
	}
	q->heap[i] = last;
	return top;
}

static void
push_at(struct newest *q, int64_t time, bool shut, size_t at)
{
	uint32_t i = (uint32_t)at;

	push(q, (struct newest_item){ q->oldest ? ~time : time, shut, i, q->oldest ? ~i : i });
}

static void
push_blocks(struct newest *q, size_t from)
{
	struct store_block_info info;
	size_t i;

	for (i = from; i < q->plan->n_blocks; i++) {
		store_view_block(q->plan->view, q->plan->blocks[i], &info);
		push_at(q, info.sum.max_time.ns, false, i);
	}
}

int
newest_init(struct newest *q, struct scan_plan *plan, bool oldest, struct arena *arena)
{
	struct store_segment_info info;
	size_t i;

	*q = (struct newest){ .plan = plan, .oldest = oldest };
	(void)pthread_mutex_init(&q->lock, NULL);
	/* Each block once, though those of shut segments come later. */
	q->heap = arena_alloc(arena, (plan->n_all + plan->n_shut + 1) * sizeof(*q->heap));
	if (q->heap == NULL)
		return err_origin(-ENOMEM);
	for (i = 0; i < plan->n_shut; i++) {
		store_view_segment(plan->view, plan->shut[i], &info);
		push_at(q, oldest ? info.min_time.ns : info.max_time.ns, true, i);
	}
	push_blocks(q, 0);
	return 0;
}

void
newest_fini(struct newest *q)
{
	(void)pthread_mutex_destroy(&q->lock);
}

static int
next(struct newest *q, int64_t floor, size_t *ret)
{
	struct newest_item top;
	size_t n;
	int r;

	while (q->n > 0 && q->heap[0].time >= floor) {
		top = pop(q);
		if (!top.shut) {
			*ret = top.at;
			return 0;
		}
		n = q->plan->n_blocks;
		r = scan_open_shut(q->plan, top.at);
		if (r < 0)
			return err_trace(r);
		push_blocks(q, n);
	}
	return NEWEST_E_END;
}

int
newest_next(struct newest *q, int64_t floor, size_t *ret)
{
	int r;

	(void)pthread_mutex_lock(&q->lock);
	r = next(q, floor, ret);
	(void)pthread_mutex_unlock(&q->lock);
	return r;
}
