/*
 * alerts/alerts_eval.c - instants.
 * One job: each group at each of its instants, in order, once; what comes of it into states and on to dispatch.
 * Floor: 4 (uses query, store, base).
 *
 * Of all groups the one whose instant is the oldest goes first, and groups of alerts that were due before it are told before it, so
 * that what is made up after a stop comes out as if there had been none.
 */
#include "alerts/alerts_internal.h"
#include "base/err.h"

struct wall
alerts_due(const struct alerts_group *g)
{
	int64_t step = g->group->interval.ns, rest = (g->last.ns - g->group->eval_offset.ns) % step;

	if (rest < 0)
		rest += step;
	return (struct wall){ g->last.ns - rest + step };
}

/* ---- changes ---- */

/* What a person may paste. */
static struct str
generator_of(struct alerts *a, const struct alert *al)
{
	AUTO_FINI(buf_fini) struct buf b = BUF_INIT;

	if (al->rule == NULL)
		return STR("");
	buf_c(&b, "weir query '");
	buf_str(&b, al->rule->expr);
	buf_c(&b, "'");
	return arena_dup(&a->scratch, buf_view(&b));
}

static int
route(struct alerts *a, const struct alert *al, struct wall ends_at, bool digest, struct wall at)
{
	struct route_alert ra = {
		.labels = al->labels,
		.annotations = al->annotations,
		.starts_at = al->fired_at,
		.ends_at = ends_at,
		.updated_at = at,
		.generator = generator_of(a, al),
		.rule_id = al->rule_id,
		.value = al->value,
		.values = al->values,
		.late_from = al->late_from,
		.digest = digest,
	};
	struct wall clock = alerts_clock(a, at);

	/* An end that is still to come is none. */
	if (ra.ends_at.ns > clock.ns)
		ra.ends_at = clock;
	ra.updated_at = clock;
	return dispatch_put(a->dispatch, &ra, 1, clock);
}

static int
route_change(struct alerts *a, const struct alert *al, enum alert_change c, struct wall at)
{
	struct wall none = { 0 };

	switch (c) {
	case CHANGE_FIRING:
		a->total.n_fired++;
		return al->flapping ? 0 : route(a, al, none, false, at);
	case CHANGE_RESOLVED:
		a->total.n_resolved++;
		return al->flapping ? 0 : route(a, al, at, false, at);
	case CHANGE_FLAPPING:
		return route(a, al, none, true, at);
	case CHANGE_STEADY:
		return route(a, al, al->state == ALERT_FIRING ? none : at, false, at);
	case CHANGE_PENDING:
	case CHANGE_DROPPED:
	case CHANGE_UNKNOWN:
	case CHANGE_KNOWN:
		break;
	}
	return 0;
}

int
alerts_on_change(void *ctx, const struct alert *al, enum alert_change c, struct wall at)
{
	struct alerts *a = ctx;
	int r;

	arena_clear(&a->scratch);
	r = alerts_event_change(a, al, c, at);
	return r == 0 ? route_change(a, al, c, at) : r;
}

/* ---- sets ---- */

static int
record_values(struct alerts_rule *ar, const struct eval_set *set)
{
	size_t i;
	int r = 0;

	if (set->unknown || set->failed)
		return 0;
	arena_clear(&ar->arena);
	ar->n_values = 0;
	ar->values = arena_zalloc(&ar->arena, set->n + 1, sizeof(*ar->values));
	if (ar->values == NULL)
		return err_origin(-ENOMEM);
	for (i = 0; r == 0 && i < set->n; i++) {
		struct alerts_value *v = &ar->values[i];
		struct labels l;

		/* labels of the rule go over those of the row; they are no templates of one alert */
		r = labels_dup(&ar->arena, &set->results[i].labels, &l);
		if (r == 0) {
			v->labels = l;
			v->value = set->results[i].value;
			ar->n_values = i + 1;
		}
	}
	return r;
}

/* What a rule's health is now, told when it changes. */
static int
rule_health(struct alerts *a, struct alerts_rule *ar, const struct eval_set *set)
{
	bool unknown = set->unknown && !set->failed;
	int r = 0;

	if (set->failed != ar->failed)
		r = alerts_event_rule(a, ar, set->at, set->failed ? "failing" : "ok", set->why);
	if (r == 0 && unknown != ar->unknown)
		r = alerts_event_rule(a, ar, set->at, unknown ? "unknown" : "known", set->why);
	ar->failed = set->failed;
	ar->unknown = unknown;
	ar->n_failed += set->failed;
	return r;
}

static int
take_set(struct alerts *a, const struct eval_set *set)
{
	struct alerts_rule *ar = alerts_rule_of(a, set->rule->id);
	int r;

	if (ar == NULL)
		return 0;
	a->total.n_evals++;
	r = alerts_why_note(a, ar, set);
	if (r == 0 && !a->late)
		r = rule_health(a, ar, set);
	if (r != 0)
		return r;
	if (!a->late) {
		ar->last = set->at;
		ar->took = set->took;
	}
	if (set->rule->kind == RULE_RECORD)
		return a->late ? 0 : record_values(ar, set);
	return (a->late ? state_apply_late : state_apply)(a->state, set, alerts_on_change, a);
}

static int
on_set(void *ctx, const struct eval_set *set)
{
	struct alerts *a = ctx;
	int r;

	alerts_lock(a);
	r = take_set(a, set);
	alerts_unlock(a);
	return r;
}

/* ---- groups ---- */

/* The group whose turn it is; NULL: none is due. */
static struct alerts_group *
first_due(struct alerts *a, struct wall *ret)
{
	struct alerts_group *first = NULL;
	size_t i;

	for (i = 0; i < a->n_groups; i++) {
		struct wall due = alerts_due(&a->groups[i]);

		if (due.ns + a->groups[i].group->eval_delay.ns > a->committed.ns)
			continue;
		if (first == NULL || due.ns < ret->ns) {
			first = &a->groups[i];
			*ret = due;
		}
	}
	return first;
}

/* After a very long stop only the last instants are made up. */
static int
skip_old(struct alerts *a, struct alerts_group *g, struct wall *due)
{
	AUTO_FINI(buf_fini) struct buf b = BUF_INIT;
	int64_t step = g->group->interval.ns, n = (a->committed.ns - due->ns) / step;
	int r;

	if (n <= ALERTS_BEHIND_MAX)
		return 0;
	n -= ALERTS_BEHIND_MAX;
	buf_printf(&b, "group %.*s: %lld instants are too long ago, and are not evaluated",
	    STR_ARG(g->group->name), (long long)n);
	alerts_lock(a);
	g->last.ns += n * step;
	g->n_missed += (uint64_t)n;
	a->total.n_missed += (uint64_t)n;
	r = buf_err(&b);
	if (r == 0)
		r = alerts_event_add(a, STR(""), a->now, buf_view(&b), NULL, 0);
	alerts_unlock(a);
	*due = alerts_due(g);
	return r;
}

static int
evaluate_group(struct alerts *a, struct alerts_group *g, struct wall at)
{
	struct span began = mono_now();
	int r;

	a->instant = at;
	a->late = true;
	r = eval_late(a->eval, a->view, g->group, on_set, a);
	a->late = false;
	if (r == 0)
		r = eval_group(a->eval, a->view, g->group, at, a->sources, a->n_sources, on_set, a);
	if (r != 0)
		return r;
	alerts_lock(a);
	g->last = at;
	g->dirty = true;
	g->n_evals++;
	g->took.ns = mono_now().ns - began.ns;
	alerts_unlock(a);
	return 0;
}

/* What was due before it. */
static int
dispatch_before(struct alerts *a, struct wall at)
{
	int r = 0;

	alerts_lock(a);
	if (dispatch_next(a->dispatch).ns <= at.ns)
		r = alerts_dispatch(a, alerts_clock(a, at));
	alerts_unlock(a);
	return r;
}

int
alerts_evaluate(struct alerts *a)
{
	int64_t until = mono_now().ns + ALERTS_STEP_MS * NS_PER_MS;
	struct alerts_group *g;
	struct wall at;
	int r = 0, n = 0;

	while (r == 0 && (g = first_due(a, &at)) != NULL) {
		/* Notifications that wait for evidence are bounded by the step as well. */
		if (n++ == ALERTS_INSTANTS_MAX || mono_now().ns >= until) {
			a->more = true;
			return 0;
		}
		r = skip_old(a, g, &at);
		if (r == 0)
			r = dispatch_before(a, at);
		if (r == 0)
			r = evaluate_group(a, g, at);
	}
	return r;
}
