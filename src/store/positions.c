/*
 * store/positions.c - the sources' positions.
 * One job: keep what was committed and what was set since, key by key.
 * Floor: 2 (uses base).
 */
#include "store/positions.h"

/* Dead keys beyond this many, and more than the living, are swept out. */
enum { DEAD_MAX = 1024 };

void
positions_fini(struct positions *p)
{
	size_t i;

	for (i = 0; i < p->n; i++) {
		buf_fini(&p->v[i].committed);
		buf_fini(&p->v[i].next);
	}
	free(p->v);
	map_fini(&p->keys);
	*p = (struct positions){ 0 };
}

static struct position *
find_or_add(struct positions *p, struct str key)
{
	struct map_entry *e;
	struct position *v;
	size_t cap;

	if (p->n == p->cap) {
		cap = p->cap < 16 ? 16 : p->cap * 2;
		v = reallocarray(p->v, cap, sizeof(*v));
		if (v == NULL)
			return NULL;
		p->v = v;
		p->cap = cap;
	}
	e = map_put(&p->keys, key, NULL);
	if (e == NULL)
		return NULL;
	if (e->value == 0) {
		p->v[p->n++] = (struct position){ .committed = BUF_INIT, .next = BUF_INIT };
		e->value = p->n;
	}
	return &p->v[e->value - 1];
}

int
positions_set(struct positions *p, struct str key, struct str value)
{
	struct position *pos = find_or_add(p, key);

	/* The room is found first, so that without memory nothing has changed. */
	if (pos == NULL)
		return err_origin(-ENOMEM);
	if (pos->next.cap < value.n && !buf_grow(&pos->next, value.n)) {
		pos->next.failed = false;
		return err_origin(-ENOMEM);
	}
	buf_clear(&pos->next);
	buf_str(&pos->next, value);
	if (!pos->changed)
		p->n_changed++;
	pos->changed = true;
	return 0;
}

int
positions_load(struct positions *p, struct str key, struct str value)
{
	struct position *pos = find_or_add(p, key);

	if (pos == NULL)
		return err_origin(-ENOMEM);
	buf_clear(&pos->committed);
	buf_str(&pos->committed, value);
	return buf_err(&pos->committed);
}

static const struct position *
position_of(const struct positions *p, const struct map_entry *e)
{
	return &p->v[e->value - 1];
}

static struct str
current(const struct position *pos)
{
	return buf_view(pos->changed ? &pos->next : &pos->committed);
}

struct str
positions_get(const struct positions *p, struct str key)
{
	const struct map_entry *e = map_get(&p->keys, key);

	return e == NULL ? STR_NONE : current(position_of(p, e));
}

int
positions_put(const struct positions *p, bool all, struct buf *out, uint32_t *ret_n)
{
	const struct position *pos;
	uint32_t count = 0;
	struct str value;
	size_t i;

	for (i = 0; i < p->keys.n; i++) {
		pos = position_of(p, &p->keys.entries[i]);
		value = current(pos);
		if (all ? value.n == 0 : !pos->changed)
			continue;
		buf_varint(out, p->keys.entries[i].key.n);
		buf_str(out, p->keys.entries[i].key);
		buf_varint(out, value.n);
		buf_str(out, value);
		count++;
	}
	*ret_n = count;
	return buf_err(out);
}

/* Keys that are gone stay in the map; make a new one when they are the most. */
static void
sweep(struct positions *p)
{
	AUTO_FINI(positions_fini) struct positions fresh = { 0 };
	struct positions old;
	size_t i, n_dead = 0;

	for (i = 0; i < p->n; i++)
		n_dead += p->v[i].committed.n == 0;
	if (n_dead < DEAD_MAX || n_dead * 2 < p->n)
		return;
	for (i = 0; i < p->keys.n; i++) {
		if (position_of(p, &p->keys.entries[i])->committed.n == 0)
			continue;
		/* Without memory the old one stays. */
		if (positions_load(&fresh, p->keys.entries[i].key,
		        buf_view(&position_of(p, &p->keys.entries[i])->committed)) < 0)
			return;
	}
	old = *p;
	*p = fresh;
	fresh = old;
}

void
positions_commit(struct positions *p)
{
	struct buf b;
	size_t i;

	for (i = 0; i < p->n && p->n_changed > 0; i++) {
		if (!p->v[i].changed)
			continue;
		b = p->v[i].committed;
		p->v[i].committed = p->v[i].next;
		p->v[i].next = b;
		buf_clear(&p->v[i].next);
		p->v[i].changed = false;
		p->n_changed--;
	}
	sweep(p);
}

void
positions_abort(struct positions *p)
{
	size_t i;

	for (i = 0; i < p->n; i++)
		p->v[i].changed = false;
	p->n_changed = 0;
}

int
positions_each(const struct positions *p, positions_fn fn, void *ctx)
{
	const struct position *pos;
	size_t i;
	int r;

	for (i = 0; i < p->keys.n; i++) {
		pos = position_of(p, &p->keys.entries[i]);
		if (pos->committed.n == 0)
			continue;
		r = fn(ctx, p->keys.entries[i].key, buf_view(&pos->committed));
		if (r < 0)
			return err_trace(r);
	}
	return 0;
}
