/*
 * store/store_builders.c - rows on their way to a commit.
 * One job: sort rows into their classes' builders, and encode those that are full.
 * Floor: 2 (uses record, base).
 */
#include "store/idindex.h"
#include "store/store_internal.h"

void
pending_block_fini(struct pending_block *b)
{
	free(b->fps);
	free(b->forms);
	buf_fini(&b->body);
	*b = (struct pending_block){ 0 };
}

void
store_drop_pending(struct store *s)
{
	size_t i;

	for (i = 0; i < s->n_pending; i++)
		pending_block_fini(&s->pending[i]);
	s->n_pending = 0;
	s->pending_bytes = 0;
}

uint64_t
store_lane_bytes(const struct store *s)
{
	uint64_t n = 0;
	size_t i;

	for (i = 0; i < s->n_lanes; i++)
		if (s->lanes[i].builder != NULL)
			n += block_builder_bytes(s->lanes[i].builder);
	return n;
}

bool
store_is_clean(const struct store *s)
{
	size_t i;

	for (i = 0; i < s->n_lanes; i++)
		if (s->lanes[i].builder != NULL && block_builder_rows(s->lanes[i].builder) > 0)
			return false;
	return s->n_pending == 0 && s->positions.n_changed == 0;
}

/* The high halves of sorted hashes are sorted; equal ones are taken once. */
static int
take_fps(struct pending_block *p, const uint64_t *ids, size_t n)
{
	size_t i;

	p->fps = calloc(n > 0 ? n : 1, sizeof(*p->fps));
	if (p->fps == NULL)
		return err_origin(-ENOMEM);
	for (i = 0; i < n; i++)
		if (p->n_fps == 0 || p->fps[p->n_fps - 1] != idindex_fp(ids[i]))
			p->fps[p->n_fps++] = idindex_fp(ids[i]);
	return 0;
}

static int
take_forms(struct pending_block *p, const struct block_builder *builder)
{
	const uint64_t *forms = block_builder_forms(builder, &p->n_forms);

	if (p->n_forms == 0)
		return 0;
	p->forms = malloc(p->n_forms * sizeof(*forms));
	if (p->forms == NULL)
		return err_origin(-ENOMEM);
	memcpy(p->forms, forms, p->n_forms * sizeof(*forms));
	return 0;
}

static int
pending_room(struct store *s)
{
	struct pending_block *v;
	size_t cap;

	if (s->n_pending < s->cap_pending)
		return 0;
	cap = s->cap_pending < 8 ? 8 : s->cap_pending * 2;
	v = reallocarray(s->pending, cap, sizeof(*v));
	if (v == NULL)
		return err_origin(-ENOMEM);
	s->pending = v;
	s->cap_pending = cap;
	return 0;
}

/* The next block out of the lane's builder. */
static int
flush_block(struct store *s, struct store_lane *lane)
{
	struct pending_block p = { .body = BUF_INIT };
	const uint64_t *ids = NULL;
	size_t n_ids = 0;
	int r;

	r = pending_room(s);
	if (r == 0)
		r = block_builder_finish(lane->builder, &p.body, &p.block.sum, &ids, &n_ids);
	if (r == 0)
		r = take_fps(&p, ids, n_ids);
	if (r == 0)
		r = take_forms(&p, lane->builder);
	if (r != 0) {
		pending_block_fini(&p);
		return err_fold(r);
	}
	p.block.keep = lane->keep;
	p.block.n_body = (uint32_t)p.body.n;
	p.block.first_row = s->next_row;
	p.block.end_row = s->next_row + p.block.sum.n_rows;
	s->next_row = p.block.end_row;
	s->pending[s->n_pending++] = p;
	s->pending_bytes += p.body.n + p.n_fps * sizeof(*p.fps) + p.n_forms * sizeof(*p.forms);
	return 0;
}

int
store_flush_lane(struct store *s, struct store_lane *lane)
{
	int r = 0;

	/* Rows with a clock far from that of the others are a second block. */
	while (r == 0 && lane->builder != NULL && block_builder_rows(lane->builder) > 0)
		r = flush_block(s, lane);
	return err_trace(r);
}

int
store_flush_all(struct store *s)
{
	size_t i;
	int r;

	for (i = 0; i < s->n_lanes; i++) {
		r = store_flush_lane(s, &s->lanes[i]);
		if (r < 0)
			return err_trace(r);
	}
	return 0;
}

static struct store_lane *
lane_of(struct store *s, const struct record *rec)
{
	size_t i;

	for (i = 0; i + 1 < s->n_lanes; i++)
		if (s->opt.classes[i].match(s->opt.classes[i].ctx, rec))
			return &s->lanes[i];
	return &s->lanes[i];
}

/* Keep the builders together below their bound: the largest gives way. */
static int
bound_builders(struct store *s)
{
	struct store_lane *largest = NULL;
	size_t i;

	if (s->n_lanes == 1 || store_lane_bytes(s) <= STORE_BUILDERS_MAX)
		return 0;
	for (i = 0; i < s->n_lanes; i++)
		if (s->lanes[i].builder != NULL &&
		    (largest == NULL ||
		        block_builder_bytes(s->lanes[i].builder) >
		            block_builder_bytes(largest->builder)))
			largest = &s->lanes[i];
	return err_trace(store_flush_lane(s, largest));
}

static int
append_one(struct store *s, const struct record *rec)
{
	struct store_lane *lane = lane_of(s, rec);
	int r;

	if (lane->builder == NULL) {
		r = block_builder_new(&lane->builder);
		if (r < 0)
			return err_trace(r);
		block_builder_want_forms(lane->builder);
		block_builder_set_apart(lane->builder);
	}
	r = block_builder_add(lane->builder, rec);
	if (r == BLOCK_E_FULL) {
		if (s->pending_bytes >= STORE_PENDING_MAX)
			return STORE_E_FULL;
		r = store_flush_lane(s, lane);
		if (r < 0)
			return err_trace(r);
		tail_write_early(s);
		r = block_builder_add(lane->builder, rec);
	}
	return err_fold(r);
}

int
store_append(struct store *s, const struct record *recs, size_t n)
{
	size_t i;
	int r;

	if (s->pending_bytes >= STORE_PENDING_MAX)
		return STORE_E_FULL;
	for (i = 0; i < n; i++) {
		r = append_one(s, &recs[i]);
		if (r != 0)
			return r;
	}
	return err_trace(bound_builders(s));
}
