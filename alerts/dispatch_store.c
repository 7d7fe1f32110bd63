/*
 * alerts/dispatch_store.c - the alerts that routing knows.
 * One job: one entry an alert, with Alertmanager's merging of what is posted again, within bounds.
 * Floor: 4 (uses base).
 */
#include "alerts/dispatch_internal.h"

int
ids_put(uint64_t **ids, size_t *n, size_t *cap, uint64_t id)
{
	uint64_t *more;

	if (*n == *cap) {
		more = realloc(*ids, (*cap * 2 + 16) * sizeof(**ids));
		if (more == NULL)
			return err_origin(-ENOMEM);
		*ids = more;
		*cap = *cap * 2 + 16;
	}
	(*ids)[(*n)++] = id;
	return 0;
}

/* ---- one block an alert ---- */

static size_t
labels_bytes(const struct labels *l)
{
	size_t i, n = l->n * sizeof(*l->p);

	for (i = 0; i < l->n; i++)
		n += l->p[i].name.n + l->p[i].value.n;
	return n;
}

struct block {
	struct label *labels; /* the front of it: aligned */
	uint8_t *text;
};

static struct str
block_str(struct block *b, struct str s)
{
	struct str copy = { b->text, s.n };

	if (s.n > 0)
		memcpy(b->text, s.p, s.n);
	b->text += s.n;
	return copy;
}

static struct labels
block_labels(struct block *b, const struct labels *l)
{
	struct labels copy = { b->labels, l->n };
	size_t i;

	for (i = 0; i < l->n; i++)
		*b->labels++ =
		    (struct label){ block_str(b, l->p[i].name), block_str(b, l->p[i].value) };
	return copy;
}

static int
entry_set(struct dispatch *d, struct entry *e, const struct route_alert *a)
{
	size_t n_labels = a->labels.n + a->annotations.n + a->values.n;
	size_t n = labels_bytes(&a->labels) + labels_bytes(&a->annotations) +
	    labels_bytes(&a->values) + a->generator.n;
	void *mem = malloc(n + 1);
	struct block b = { mem, mem };
	struct route_alert copy = *a;

	if (mem == NULL)
		return err_origin(-ENOMEM);
	b.text += n_labels * sizeof(struct label);
	copy.labels = block_labels(&b, &a->labels);
	copy.annotations = block_labels(&b, &a->annotations);
	copy.values = block_labels(&b, &a->values);
	copy.generator = block_str(&b, a->generator);
	d->n_bytes = d->n_bytes - e->n_mem + n;
	free(e->mem);
	e->mem = mem;
	e->n_mem = n;
	e->a = copy;
	e->held_version = 0;
	return 0;
}

/* ---- merging ---- */

static int64_t
end_of(const struct route_alert *a)
{
	return a->ends_at.ns != 0 ? a->ends_at.ns : INT64_MAX;
}

static bool
overlaps(const struct route_alert *old, const struct route_alert *a)
{
	return (end_of(a) > old->starts_at.ns && end_of(a) < end_of(old)) ||
	    (a->starts_at.ns > old->starts_at.ns && a->starts_at.ns < end_of(old));
}

/* The younger one's texts, over the time of both. */
static void
merge(const struct route_alert *old, struct route_alert *a, struct wall now)
{
	if (old->starts_at.ns < a->starts_at.ns)
		a->starts_at = old->starts_at;
	if (alert_resolved(a, now)) {
		if (alert_resolved(old, now) && end_of(old) > end_of(a))
			a->ends_at = old->ends_at;
	} else if (end_of(old) > end_of(a) && !old->timeout) {
		a->ends_at = old->ends_at;
	}
}

static bool
labels_same(const struct labels *a, const struct labels *b)
{
	return a->n == b->n && labels_equal(a, b);
}

/* Whether there is nothing to write: only the time of its last sign of life moved. */
static bool
same(const struct route_alert *a, const struct route_alert *b)
{
	return a->starts_at.ns == b->starts_at.ns && a->ends_at.ns == b->ends_at.ns &&
	    a->rule_id == b->rule_id && memcmp(&a->value, &b->value, sizeof(a->value)) == 0 &&
	    a->late_from.ns == b->late_from.ns && a->digest == b->digest &&
	    a->timeout == b->timeout && str_eq(a->generator, b->generator) &&
	    labels_same(&a->annotations, &b->annotations) && labels_same(&a->values, &b->values);
}

int
store_add(struct dispatch *d, uint64_t fp, const struct route_alert *a, struct entry **ret)
{
	struct entry *e = calloc(1, sizeof(*e));
	int r;

	if (e == NULL)
		return err_origin(-ENOMEM);
	e->fp = fp;
	e->known = true;
	r = entry_set(d, e, a);
	if (r == 0)
		r = table_put(&d->alerts, fp, e);
	if (r < 0) {
		d->n_bytes -= e->n_mem;
		free(e->mem);
		free(e);
		return err_trace(r);
	}
	d->n_bytes += sizeof(*e);
	e->next = d->entries;
	e->at_prev = &d->entries;
	if (e->next != NULL)
		e->next->at_prev = &e->next;
	d->entries = e;
	*ret = e;
	return 0;
}

int
store_put(struct dispatch *d, const struct route_alert *a, struct wall now, struct entry **ret)
{
	uint64_t fp = labels_fingerprint(&a->labels);
	struct entry *e = table_get(&d->alerts, fp);
	struct route_alert merged = *a;
	int r;

	if (e == NULL) {
		*ret = NULL;
		if (d->n_bytes > DISPATCH_MEMORY_MAX)
			return 0;
		r = store_add(d, fp, a, &e);
		if (r < 0)
			return err_trace(r);
		e->dirty = true;
		*ret = e;
		return 0;
	}
	if (e->known && a->rule_id == 0 && overlaps(&e->a, a))
		merge(&e->a, &merged, now);
	*ret = e;
	if (e->known && same(&e->a, &merged)) {
		e->a.updated_at = merged.updated_at;
		return 0;
	}
	e->known = true;
	e->dirty = true;
	return err_trace(entry_set(d, e, &merged));
}

static void
entry_free(struct dispatch *d, struct entry *e)
{
	*e->at_prev = e->next;
	if (e->next != NULL)
		e->next->at_prev = e->at_prev;
	table_drop(&d->alerts, e->fp);
	d->n_bytes -= e->n_mem + sizeof(*e);
	free(e->groups);
	free(e->mem);
	free(e);
}

int
store_tidy(struct dispatch *d, struct wall now)
{
	struct wall old = { now.ns - DISPATCH_KEEP_MIN * NS_PER_MIN };
	struct entry *e, *next;
	int r;

	/* When there is no room, what is resolved is not kept for later. */
	if (d->n_bytes > DISPATCH_MEMORY_MAX / 2)
		old = now;
	for (e = d->entries; e != NULL; e = next) {
		next = e->next;
		if (!alert_resolved(&e->a, old))
			continue;
		e->known = false;
		if (e->n_groups > 0)
			continue;
		r = ids_put(&d->gone_alerts, &d->n_gone_alerts, &d->cap_gone_alerts, e->fp);
		if (r < 0)
			return err_trace(r);
		entry_free(d, e);
		inhibit_changed(d->inhibit);
	}
	return 0;
}

void
store_fini(struct dispatch *d)
{
	while (d->entries != NULL)
		entry_free(d, d->entries);
	table_fini(&d->alerts);
}
