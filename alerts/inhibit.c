/*
 * alerts/inhibit.c - inhibition.
 * One job: whether an alert that fires holds another one back.
 * Floor: 4 (uses base).
 *
 * Each rule keeps its sources by the values of its equal labels, so that a question costs those with the same values
 * and not all alerts; the index is made anew when alerts have changed and somebody asks.
 */
#include "alerts/dispatch_internal.h"

/* Sources with equal values of the rule's labels, in a chain: 1 + index of the next, 0 ends it. */
struct source {
	const struct entry *e;
	bool both; /* it is a target too: it holds no other that is both */
	uint32_t next;
};
struct index {
	struct map by_equal; /* 1 + index of the first */
	struct source *p;
	size_t n, cap;
};

struct inhibit {
	const struct routing *routing;
	struct index *rules;
	bool stale;
};

struct inhibit *
inhibit_free(struct inhibit *in)
{
	size_t i;

	if (in == NULL)
		return NULL;
	for (i = 0; in->rules != NULL && i < in->routing->n_inhibits; i++) {
		map_fini(&in->rules[i].by_equal);
		free(in->rules[i].p);
	}
	free(in->rules);
	free(in);
	return NULL;
}

int
inhibit_new(struct inhibit **ret, const struct routing *r)
{
	AUTO(inhibit_free) struct inhibit *in = calloc(1, sizeof(*in));

	if (in == NULL)
		return err_origin(-ENOMEM);
	in->routing = r;
	in->stale = true;
	in->rules = calloc(r->n_inhibits + 1, sizeof(*in->rules));
	if (in->rules == NULL)
		return err_origin(-ENOMEM);
	*ret = TAKE(in);
	return 0;
}

void
inhibit_changed(struct inhibit *in)
{
	in->stale = true;
}

static void
equal_key(struct buf *out, const struct inhibit_rule *rule, const struct labels *l)
{
	struct str v;
	size_t i;

	buf_clear(out);
	for (i = 0; i < rule->n_equal; i++) {
		v = labels_get(l, rule->equal[i]);
		buf_varint(out, v.n);
		buf_str(out, v);
	}
}

static int
index_put(struct index *ix, struct str key, const struct entry *e, bool both)
{
	struct map_entry *at;
	struct source *more;

	if (ix->n == ix->cap) {
		more = realloc(ix->p, (ix->cap * 2 + 16) * sizeof(*more));
		if (more == NULL)
			return err_origin(-ENOMEM);
		ix->p = more;
		ix->cap = ix->cap * 2 + 16;
	}
	at = map_put(&ix->by_equal, key, NULL);
	if (at == NULL)
		return err_origin(-ENOMEM);
	ix->p[ix->n] = (struct source){ e, both, (uint32_t)at->value };
	at->value = ++ix->n;
	return 0;
}

static int
index_make(struct dispatch *d, const struct inhibit_rule *rule, struct index *ix)
{
	AUTO_FINI(buf_fini) struct buf key = BUF_INIT;
	const struct entry *e;
	int r;

	map_clear(&ix->by_equal);
	ix->n = 0;
	for (e = d->entries; e != NULL; e = e->next) {
		if (!matchers_match(rule->source, rule->n_source, &e->a.labels))
			continue;
		equal_key(&key, rule, &e->a.labels);
		if (buf_err(&key) < 0)
			return err_origin(-ENOMEM);
		r = index_put(ix, buf_view(&key), e,
		    matchers_match(rule->target, rule->n_target, &e->a.labels));
		if (r < 0)
			return err_trace(r);
	}
	return 0;
}

/* The first source that fires and may hold these labels. */
static bool
index_find(const struct index *ix, const struct inhibit_rule *rule, const struct labels *l,
    struct wall now, uint64_t *ret_fp)
{
	AUTO_FINI(buf_fini) struct buf key = BUF_INIT;
	const struct map_entry *at;
	bool both = matchers_match(rule->source, rule->n_source, l);
	uint64_t i;

	equal_key(&key, rule, l);
	at = map_get(&ix->by_equal, buf_view(&key));
	for (i = at != NULL ? at->value : 0; i != 0; i = ix->p[i - 1].next) {
		const struct source *s = &ix->p[i - 1];

		if (alert_resolved(&s->e->a, now) || (both && s->both))
			continue;
		*ret_fp = s->e->fp;
		return true;
	}
	return false;
}

bool
inhibit_find(struct dispatch *d, const struct labels *l, struct wall now, uint64_t *ret_fp)
{
	struct inhibit *in = d->inhibit;
	const struct inhibit_rule *rule;
	size_t i;

	for (i = 0; in->stale && i < in->routing->n_inhibits; i++)
		if (index_make(d, &in->routing->inhibits[i], &in->rules[i]) < 0)
			return false;
	in->stale = false;
	for (i = 0; i < in->routing->n_inhibits; i++) {
		rule = &in->routing->inhibits[i];
		if (matchers_match(rule->target, rule->n_target, l) &&
		    index_find(&in->rules[i], rule, l, now, ret_fp))
			return true;
	}
	return false;
}
