/*
 * alerts/state.c - the state of alerts.
 * One job: keep the alerts of each rule, and find them by their labels.
 * Floor: 4 (uses base).
 */
#include "alerts/state_internal.h"
#include "base/err.h"

int
state_labels_set(struct state_labels *to, const struct labels *l)
{
	size_t i, n = l->n * sizeof(struct label);
	struct label *p;
	uint8_t *at;

	for (i = 0; i < l->n; i++)
		n += l->p[i].name.n + l->p[i].value.n;
	p = malloc(n + 1);
	if (p == NULL)
		return err_origin(-ENOMEM);
	at = (uint8_t *)(p + l->n);
	for (i = 0; i < l->n; i++) {
		const struct label *from = &l->p[i];

		p[i].name = str_of(memcpy(at, from->name.p, from->name.n), from->name.n);
		at += from->name.n;
		p[i].value = str_of(memcpy(at, from->value.p, from->value.n), from->value.n);
		at += from->value.n;
	}
	free(to->mem);
	to->mem = p;
	to->l = (struct labels){ p, l->n };
	return 0;
}

void
state_free_dropped(struct state *s)
{
	struct state_alert *sa;

	while ((sa = s->freed) != NULL) {
		s->freed = sa->next;
		free(sa->labels.mem);
		free(sa->annotations.mem);
		free(sa->values.mem);
		free(sa->flaps);
		free(sa);
	}
}

/* ---- the table ---- */

static struct state_alert **
bucket(struct state *s, uint64_t rule_id, uint64_t fp)
{
	return &s->table[(fp ^ rule_id * 0x9e3779b97f4a7c15u) & (s->n_table - 1)];
}

static int
table_grow(struct state *s)
{
	struct state_alert **old = s->table, *sa, *next;
	size_t i, n_old = s->n_table;

	if (s->n_alerts < n_old)
		return 0;
	s->table = calloc(n_old > 0 ? n_old * 2 : 64, sizeof(struct state_alert *));
	if (s->table == NULL) {
		s->table = old;
		return old != NULL ? 0 : err_origin(-ENOMEM);
	}
	s->n_table = n_old > 0 ? n_old * 2 : 64;
	for (i = 0; i < n_old; i++)
		for (sa = old[i]; sa != NULL; sa = next) {
			struct state_alert **to = bucket(s, sa->a.rule_id, sa->a.fingerprint);

			next = sa->next_hash;
			sa->next_hash = *to;
			*to = sa;
		}
	free(old);
	return 0;
}

struct state_alert *
state_find(struct state *s, const struct state_rule *of, uint64_t fp, const struct labels *l)
{
	struct state_alert *sa;

	if (s->n_table == 0)
		return NULL;
	for (sa = *bucket(s, of->id, fp); sa != NULL; sa = sa->next_hash)
		if (sa->a.fingerprint == fp && sa->of == of && labels_equal(&sa->a.labels, l))
			return sa;
	return NULL;
}

int
state_add(struct state *s, struct state_rule *of, const struct labels *l, uint64_t fp,
    struct state_alert **ret)
{
	struct state_alert *sa, **at;

	if (table_grow(s) != 0)
		return err_origin(-ENOMEM);
	sa = calloc(1, sizeof(*sa));
	if (sa == NULL || state_labels_set(&sa->labels, l) != 0) {
		free(sa);
		return err_origin(-ENOMEM);
	}
	sa->of = of;
	sa->order = ++s->order;
	sa->a.rule_id = of->id;
	sa->a.rule = of->rule;
	sa->a.group = of->group;
	sa->a.labels = sa->labels.l;
	sa->a.fingerprint = fp;
	at = bucket(s, of->id, fp);
	sa->next_hash = *at;
	*at = sa;
	sa->prev = of->tail;
	if (of->tail != NULL)
		of->tail->next = sa;
	else
		of->head = sa;
	of->tail = sa;
	of->n++;
	s->n_alerts++;
	*ret = sa;
	return 0;
}

void
state_drop(struct state *s, struct state_alert *sa)
{
	struct state_alert **at = bucket(s, sa->a.rule_id, sa->a.fingerprint);
	struct state_rule *of = sa->of;

	while (*at != sa)
		at = &(*at)->next_hash;
	*at = sa->next_hash;
	if (sa->prev != NULL)
		sa->prev->next = sa->next;
	else
		of->head = sa->next;
	if (sa->next != NULL)
		sa->next->prev = sa->prev;
	else
		of->tail = sa->prev;
	of->n--;
	s->n_alerts--;
	sa->of = NULL;
	sa->next = s->freed;
	s->freed = sa;
}

/* ---- rules ---- */

static int
rule_order(const void *a, const void *b)
{
	const struct state_rule *x, *y;

	memcpy(&x, a, sizeof(x));
	memcpy(&y, b, sizeof(y));
	return (x->id > y->id) - (x->id < y->id);
}

struct state_rule *
state_rule_find(struct state *s, uint64_t id)
{
	size_t lo = 0, hi = s->n_rules, mid;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if (s->rules[mid]->id == id)
			return s->rules[mid];
		if (s->rules[mid]->id < id)
			lo = mid + 1;
		else
			hi = mid;
	}
	return NULL;
}

/* The record of a rule by its ID: the one that is there, or a new one at the end, not sorted yet. */
static int
rule_get(struct state *s, uint64_t id, size_t n_sorted, struct state_rule **ret)
{
	struct state_rule **all, *one;
	size_t n = s->n_rules;

	s->n_rules = n_sorted;
	one = state_rule_find(s, id);
	s->n_rules = n;
	if (one == NULL) {
		all = realloc(s->rules, (n + 1) * sizeof(struct state_rule *));
		if (all == NULL)
			return err_origin(-ENOMEM);
		s->rules = all;
		one = calloc(1, sizeof(*one));
		if (one == NULL)
			return err_origin(-ENOMEM);
		one->id = id;
		s->rules[s->n_rules++] = one;
	}
	*ret = one;
	return 0;
}

static void
rules_sort(struct state *s)
{
	if (s->n_rules > 1)
		qsort(s->rules, s->n_rules, sizeof(struct state_rule *), rule_order);
}

/* A record without rule and alerts is of no use. */
static void
rules_tidy(struct state *s)
{
	size_t i, n = 0;

	for (i = 0; i < s->n_rules; i++)
		if (s->rules[i]->rule == NULL && s->rules[i]->n == 0)
			free(s->rules[i]);
		else
			s->rules[n++] = s->rules[i];
	s->n_rules = n;
}

int
state_orphan_rule(struct state *s, uint64_t id, struct state_rule **ret)
{
	int r;

	*ret = state_rule_find(s, id);
	if (*ret != NULL)
		return 0;
	r = rule_get(s, id, s->n_rules, ret);
	rules_sort(s);
	return r;
}

static void
rule_bind(struct state_rule *of, const struct rule *rule, const struct rule_group *group)
{
	struct state_alert *sa;

	of->rule = rule;
	of->group = group;
	for (sa = of->head; sa != NULL; sa = sa->next) {
		sa->a.rule = rule;
		sa->a.group = group;
	}
}

int
state_reload(struct state *s, const struct rule_set *set)
{
	size_t i, k, n_sorted = s->n_rules;
	struct state_rule *of;
	int r = 0;

	for (i = 0; r == 0 && i < set->n_groups; i++)
		for (k = 0; r == 0 && k < set->groups[i].n_rules; k++)
			r = rule_get(s, set->groups[i].rules[k].id, n_sorted, &of);
	rules_sort(s);
	if (r != 0)
		return r;
	for (i = 0; i < s->n_rules; i++)
		rule_bind(s->rules[i], NULL, NULL);
	for (i = 0; i < set->n_groups; i++)
		for (k = 0; k < set->groups[i].n_rules; k++)
			rule_bind(state_rule_find(s, set->groups[i].rules[k].id),
			    &set->groups[i].rules[k], &set->groups[i]);
	rules_tidy(s);
	return 0;
}

/* ---- all of it ---- */

int
state_each(struct state *s, state_each_fn fn, void *ctx)
{
	struct state_alert *sa, *next;
	size_t i;
	int r = 0;

	for (i = 0; i < s->n_rules; i++)
		for (sa = s->rules[i]->head; r == 0 && sa != NULL; sa = next) {
			next = sa->next;
			if (sa->a.state != ALERT_INACTIVE || sa->a.flapping)
				r = fn(ctx, &sa->a);
		}
	return r;
}

const struct alert *
state_peek(struct state *s, uint64_t rule_id, const struct labels *l)
{
	const struct state_rule *of = state_rule_find(s, rule_id);
	const struct state_alert *sa =
	    of != NULL ? state_find(s, of, labels_fingerprint(l), l) : NULL;

	return sa != NULL ? &sa->a : NULL;
}

static void
not_after(struct state_alert *sa, struct wall *t, struct wall now)
{
	if (t->ns <= now.ns)
		return;
	*t = now;
	sa->dirty = true;
}

void
state_clock(struct state *s, struct wall now)
{
	struct state_alert *sa;
	size_t i;
	unsigned k;

	not_after(&(struct state_alert){ .dirty = false }, &s->last_at, now);
	for (i = 0; i < s->n_rules; i++)
		for (sa = s->rules[i]->head; sa != NULL; sa = sa->next) {
			not_after(sa, &sa->a.active_at, now);
			not_after(sa, &sa->a.fired_at, now);
			not_after(sa, &sa->a.keep_since, now);
			not_after(sa, &sa->a.last_seen, now);
			for (k = 0; k < sa->n_flaps; k++)
				not_after(sa, &sa->flaps[k], now);
		}
}

bool
state_changed(const struct state *s)
{
	return s->changed;
}

int
state_new(struct state **ret, const struct rule_set *set, struct statedb *db)
{
	AUTO(state_free) struct state *s = NULL;
	int r;

	s = calloc(1, sizeof(*s));
	if (s == NULL)
		return err_origin(-ENOMEM);
	s->db = db;
	r = state_reload(s, set);
	if (r == 0)
		r = state_load(s);
	if (r == 0)
		*ret = TAKE(s);
	return r;
}

struct state *
state_free(struct state *s)
{
	struct state_alert *sa;
	size_t i;

	if (s == NULL)
		return NULL;
	for (i = 0; i < s->n_rules; i++) {
		while ((sa = s->rules[i]->head) != NULL)
			state_drop(s, sa);
		free(s->rules[i]);
	}
	state_free_dropped(s);
	free(s->rules);
	free(s->table);
	free(s->past);
	arena_fini(&s->work);
	buf_fini(&s->text);
	buf_fini(&s->why);
	free(s);
	return NULL;
}
