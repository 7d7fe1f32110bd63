/*
 * alerts/dispatch_told.c - what was told.
 * One job: which alerts an integration knows of a group, so that it is told once and again only after repeat_interval.
 * Floor: 4 (uses base).
 */
#include <stdio.h>

#include "alerts/dispatch_internal.h"
#include "base/hash.h"

void
told_free(struct told *t)
{
	if (t == NULL)
		return;
	free(t->firing);
	free(t->resolved);
	free((void *)(uintptr_t)t->key.p);
	free(t);
}

struct told *
told_find(struct dispatch *d, const struct group *g, const struct receiver *rc,
    const struct integration *in, struct buf *key, uint64_t *ret_hash)
{
	buf_clear(key);
	buf_printf(key, "%.*s/%s/%u/", STR_ARG(rc->name),
	    in->kind == RECEIVER_EMAIL ? "email" : "webhook", in->index);
	buf_str(key, g->key);
	*ret_hash = hash64(buf_view(key));
	return table_get(&d->told, *ret_hash);
}

static int
ids_dup(const uint64_t *ids, size_t n, uint64_t **ret)
{
	uint64_t *copy = malloc((n + 1) * sizeof(*copy));

	if (copy == NULL)
		return err_origin(-ENOMEM);
	if (n > 0)
		memcpy(copy, ids, n * sizeof(*copy));
	free(*ret);
	*ret = copy;
	return 0;
}

static int
told_new(struct dispatch *d, uint64_t hash, struct str key, struct told **ret)
{
	struct told *t = calloc(1, sizeof(*t));
	uint8_t *text = malloc(key.n + 1);
	int r = t != NULL && text != NULL ? table_put(&d->told, hash, t) : err_origin(-ENOMEM);

	if (r < 0) {
		free(t);
		free(text);
		return err_trace(r);
	}
	memcpy(text, key.p, key.n);
	t->hash = hash;
	t->key = str_of(text, key.n);
	*ret = t;
	return 0;
}

int
told_set(struct dispatch *d, struct told *t, uint64_t hash, struct str key, const uint64_t *firing,
    size_t n_firing, const uint64_t *resolved, size_t n_resolved, struct wall at,
    struct span repeat)
{
	int64_t keep = DISPATCH_TOLD_KEEP_H * NS_PER_HOUR;
	int r = 0;

	if (t == NULL)
		r = told_new(d, hash, key, &t);
	if (r == 0)
		r = ids_dup(firing, n_firing, &t->firing);
	if (r == 0)
		r = ids_dup(resolved, n_resolved, &t->resolved);
	if (r < 0)
		return err_trace(r);
	t->n_firing = n_firing;
	t->n_resolved = n_resolved;
	t->at = at;
	t->expires.ns = at.ns + (repeat.ns < keep / 2 ? 2 * repeat.ns : keep);
	t->dirty = true;
	return 0;
}

bool
told_has_all(const uint64_t *told, size_t n_told, const uint64_t *ids, size_t n)
{
	size_t i, k = 0;

	for (i = 0; i < n; i++) {
		while (k < n_told && told[k] < ids[i])
			k++;
		if (k == n_told || told[k] != ids[i])
			return false;
	}
	return true;
}

/* What belongs to a group that is there stays, however old. */
static void
mark_live(struct dispatch *d)
{
	AUTO_FINI(buf_fini) struct buf key = BUF_INIT;
	const struct receiver *rc;
	struct told *t;
	uint64_t hash;
	size_t i, k;

	for (i = 0; i < d->n_all; i++) {
		rc = routing_receiver(d->routing, d->all[i]->route->receiver);
		for (k = 0; rc != NULL && k < rc->n; k++) {
			t = told_find(d, d->all[i], rc, &rc->integrations[k], &key, &hash);
			if (t != NULL)
				t->live = true;
		}
	}
}

int
told_tidy(struct dispatch *d, struct wall now)
{
	bool full = d->told.n > DISPATCH_TOLD_MAX;
	uint64_t *gone = NULL;
	size_t i, n = 0, cap = 0;
	int r = 0;

	mark_live(d);
	for (i = 0; i < d->told.n_slots && r == 0; i++) {
		struct told *t = d->told.slots[i].p;

		if (t == NULL)
			continue;
		if (!t->live && (full || t->expires.ns < now.ns))
			r = ids_put(&gone, &n, &cap, t->hash);
		t->live = false;
	}
	for (i = 0; i < n && r == 0; i++) {
		r = ids_put(&d->gone_told, &d->n_gone_told, &d->cap_gone_told, gone[i]);
		if (r == 0) {
			told_free(table_get(&d->told, gone[i]));
			table_drop(&d->told, gone[i]);
		}
	}
	free(gone);
	return r;
}
