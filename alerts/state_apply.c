/*
 * alerts/state_apply.c - from results to states.
 * One job: what one rule's results at one instant make of its alerts.
 * Floor: 4 (uses base).
 *
 * States and their times are Prometheus': pending since the first instant, firing when it has held for `for`, resolved when
 * the row has been gone for keep_firing_for.
 */
#include "alerts/state_internal.h"
#include "base/err.h"

/* A change, told with a number of its own. */
static int
tell(struct apply *ap, struct state_alert *sa, enum alert_change c, struct wall at)
{
	sa->a.serial = ++ap->s->serial;
	sa->dirty = true;
	ap->s->changed = true;
	return ap->fn != NULL ? ap->fn(ap->ctx, &sa->a, c, at) : 0;
}

/* Firing and resolved count as flapping; the one that is too many begins the digest. */
static int
tell_change(struct apply *ap, struct state_alert *sa, enum alert_change c, struct wall at)
{
	bool begins = state_flap_note(sa, ap->set->at);
	int r;

	r = tell(ap, sa, c, at);
	if (r == 0 && begins)
		r = tell(ap, sa, CHANGE_FLAPPING, at);
	return r;
}

/* Inactive, and nothing more to remember of it. */
static void
settle(struct apply *ap, struct state_alert *sa)
{
	if (sa->a.state == ALERT_INACTIVE && !sa->a.flapping && !state_flap_known(sa, ap->set->at))
		state_drop(ap->s, sa);
}

static struct wall
later(struct wall a, struct wall b)
{
	return a.ns > b.ns ? a : b;
}

/* By a late instant it is seen now, which is the latest instant that there was. */
static struct wall
seen_at(const struct apply *ap)
{
	return ap->late ? later(ap->set->at, ap->s->last_at) : ap->set->at;
}

/* ---- the row is there ---- */

static int
fire(struct apply *ap, struct state_alert *sa)
{
	sa->a.state = ALERT_FIRING;
	sa->a.fired_at = seen_at(ap);
	sa->a.resolved_at.ns = 0;
	return tell_change(ap, sa, CHANGE_FIRING, sa->a.fired_at);
}

static int
begin(struct apply *ap, struct state_alert *sa, const struct eval_result *res)
{
	sa->a.active_at = ap->set->at;
	sa->a.fired_at.ns = sa->a.resolved_at.ns = 0;
	sa->a.late_from = res->late_from;
	sa->late = ap->late;
	sa->late_since.ns = sa->late_last.ns = 0;
	if (ap->set->rule->for_.ns <= 0)
		return fire(ap, sa);
	sa->a.state = ALERT_PENDING;
	return tell(ap, sa, CHANGE_PENDING, ap->set->at);
}

static int
hold(struct apply *ap, struct state_alert *sa, const struct eval_result *res)
{
	struct wall at = ap->set->at, last = sa->a.last_seen;
	int r;

	r = state_describe(ap->s, sa, res);
	if (r != 0)
		return r;
	sa->a.last_seen = at;
	sa->a.keep_since.ns = 0;
	sa->dirty = true;
	if (sa->a.state == ALERT_INACTIVE)
		return begin(ap, sa, res);
	/* Late instants need not reach up to this one. */
	if (sa->a.state == ALERT_PENDING && sa->late &&
	    last.ns + ap->set->group->interval.ns < at.ns)
		sa->a.active_at = at;
	sa->late = sa->late && ap->late;
	if (sa->a.state == ALERT_PENDING && at.ns - sa->a.active_at.ns >= ap->set->rule->for_.ns)
		return fire(ap, sa);
	return 0;
}

/* A row that no longer holds, and does not yet say that it is over. */
static int
stay(struct apply *ap, struct state_alert *sa, const struct eval_result *res)
{
	sa->a.keep_since.ns = 0;
	sa->a.last_seen = ap->set->at;
	sa->dirty = true;
	return state_describe(ap->s, sa, res);
}

/* ---- the row is gone ---- */

static int
resolve(struct apply *ap, struct state_alert *sa, struct wall at)
{
	int r;

	sa->a.state = ALERT_INACTIVE;
	sa->a.resolved_at = later(at, sa->a.fired_at);
	sa->a.unknown = false;
	r = tell_change(ap, sa, CHANGE_RESOLVED, sa->a.resolved_at);
	if (r == 0)
		r = state_past_note(ap->s, &sa->a);
	if (r == 0)
		settle(ap, sa);
	return r;
}

static int
miss(struct apply *ap, struct state_alert *sa)
{
	struct wall at = ap->set->at;
	int r;

	/* Of those that the limit has cut off nothing is known either. */
	if (ap->set->unknown || ap->set->failed || ap->set->n_over > 0 ||
	    sa->a.state == ALERT_INACTIVE)
		return 0;
	if (sa->a.state == ALERT_PENDING) {
		sa->a.state = ALERT_INACTIVE;
		sa->a.unknown = false;
		r = tell(ap, sa, CHANGE_DROPPED, at);
		if (r == 0)
			r = state_past_note(ap->s, &sa->a);
		if (r == 0)
			settle(ap, sa);
		return r;
	}
	if (ap->set->rule->keep_firing_for.ns > 0) {
		if (sa->a.keep_since.ns == 0) {
			sa->a.keep_since = at;
			sa->dirty = true;
		}
		if (at.ns - sa->a.keep_since.ns < ap->set->rule->keep_firing_for.ns)
			return 0;
	}
	return resolve(ap, sa, at);
}

/* ---- late instants ---- */

/*
 * A run of late instants that reaches one that is pending has begun earlier; it may be long enough now.
 */
static int
late_pending(struct apply *ap, struct state_alert *sa, const struct eval_result *res)
{
	struct wall at = ap->set->at;
	int64_t step = ap->set->group->interval.ns;

	if (sa->late_since.ns == 0 || sa->late_last.ns + step < at.ns)
		sa->late_since = at;
	sa->late_last = at;
	sa->dirty = true;
	if (sa->late_since.ns >= sa->a.active_at.ns || at.ns + step < sa->a.active_at.ns)
		return 0;
	sa->a.active_at = sa->late_since;
	sa->a.late_from = res->late_from;
	if (sa->a.last_seen.ns - sa->a.active_at.ns >= ap->set->rule->for_.ns)
		return fire(ap, sa);
	return 0;
}

static int
late_row(struct apply *ap, struct state_alert *sa, const struct eval_result *res)
{
	if (sa->late || sa->a.state == ALERT_INACTIVE) {
		if (sa->a.last_seen.ns >= ap->set->at.ns)
			return 0;
		if (res->holds && (sa->late || res->late_from.ns > 0))
			return hold(ap, sa, res);
		return sa->late ? miss(ap, sa) : 0;
	}
	if (sa->a.state == ALERT_PENDING && res->holds)
		return late_pending(ap, sa, res);
	return 0;
}

/* ---- a set ---- */

static bool
is_over(const struct apply *ap)
{
	return (ap->set->group->limit > 0 && ap->n >= ap->set->group->limit) ||
	    ap->s->n_alerts >= STATE_ALERTS_MAX;
}

static int
take_known(struct apply *ap, struct state_alert *sa, const struct eval_result *res)
{
	/* Two rows whose labels came out the same are one alert: the first. */
	if (sa->seen == ap->s->epoch)
		return 0;
	sa->seen = ap->s->epoch;
	if (ap->late)
		return late_row(ap, sa, res);
	if (res->holds)
		return hold(ap, sa, res);
	if (sa->a.state == ALERT_FIRING && !res->may_resolve)
		return stay(ap, sa, res);
	return miss(ap, sa);
}

static int
take_row(struct apply *ap, const struct labels *by, const struct eval_result *res, bool any)
{
	struct state_alert *sa;
	struct labels l = { 0 };
	uint64_t fp;
	int r;

	r = state_labels_of(ap->s, ap->of, by, res, &l);
	if (r != 0)
		return r;
	fp = labels_fingerprint(&l);
	sa = state_find(ap->s, ap->of, fp, &l);
	if (sa != NULL)
		return take_known(ap, sa, res);
	if (!res->holds)
		return 0;
	if (ap->late &&
	    (res->late_from.ns == 0 || state_past_has(ap->s, ap->of->id, fp, ap->set->at)))
		return 0;
	/* That nothing came says nothing where nothing could come. */
	if (ap->set->rule->form == RULE_ABSENT && (ap->set->unknown || ap->set->failed))
		return 0;
	if (!any && is_over(ap)) {
		ap->n_over++;
		return 0;
	}
	r = state_add(ap->s, ap->of, &l, fp, &sa);
	if (r != 0)
		return r;
	ap->n++;
	sa->seen = ap->s->epoch;
	return hold(ap, sa, res);
}

/* What was too much, as one. */
static int
take_over(struct apply *ap)
{
	struct label label = { STR("overflow"), STR("true") };
	struct labels by = { &label, 1 };
	struct eval_result res = { .holds = true };

	ap->n_over += ap->set->n_over;
	if (ap->n_over == 0 || ap->late)
		return 0;
	res.value = (double)ap->n_over;
	return take_row(ap, &by, &res, true);
}

/* Known again, or no longer; and what flapped and is quiet. */
static int
take_rest(struct apply *ap, struct state_alert *sa)
{
	bool seen = sa->seen == ap->s->epoch;
	bool unknown = (ap->set->unknown || ap->set->failed) && !seen;
	int r = 0;

	if (sa->a.state != ALERT_INACTIVE && sa->a.unknown != unknown) {
		sa->a.unknown = unknown;
		r = tell(ap, sa, unknown ? CHANGE_UNKNOWN : CHANGE_KNOWN, ap->set->at);
	}
	if (r == 0 && state_flap_over(sa, ap->set->at))
		r = tell(ap, sa, CHANGE_STEADY, ap->set->at);
	if (r == 0 && !seen)
		return miss(ap, sa);
	return r;
}

/* Those that are kept for their flaps alone. */
static void
settle_all(struct apply *ap)
{
	struct state_alert *sa, *next;

	for (sa = ap->of->head; sa != NULL; sa = next) {
		next = sa->next;
		settle(ap, sa);
	}
}

static int
apply_rest(struct apply *ap)
{
	struct state_alert *sa, *next;
	int r = 0;

	for (sa = ap->of->head; r == 0 && sa != NULL; sa = next) {
		next = sa->next;
		if (!ap->late)
			r = take_rest(ap, sa);
		else if (sa->late && sa->seen != ap->s->epoch &&
		    sa->a.last_seen.ns < ap->set->at.ns)
			r = miss(ap, sa);
	}
	if (r == 0 && !ap->late)
		settle_all(ap);
	return r;
}

static int
apply(struct apply *ap)
{
	const struct state_alert *sa;
	size_t i;
	int r = 0;

	ap->of = state_rule_find(ap->s, ap->set->rule->id);
	if (ap->of == NULL || ap->set->rule->kind != RULE_ALERT)
		return 0;
	ap->s->epoch++;
	arena_clear(&ap->s->work);
	for (sa = ap->of->head; sa != NULL; sa = sa->next)
		ap->n += sa->a.state != ALERT_INACTIVE;
	for (i = 0; r == 0 && i < ap->set->n; i++)
		r = take_row(ap, &ap->set->results[i].labels, &ap->set->results[i], false);
	if (r == 0)
		r = take_over(ap);
	if (r == 0)
		r = apply_rest(ap);
	if (!ap->late)
		ap->s->last_at = later(ap->s->last_at, ap->set->at);
	return r;
}

int
state_apply(struct state *s, const struct eval_set *set, state_change_fn fn, void *ctx)
{
	struct apply ap = { .s = s, .set = set, .fn = fn, .ctx = ctx };

	return apply(&ap);
}

int
state_apply_late(struct state *s, const struct eval_set *set, state_change_fn fn, void *ctx)
{
	struct apply ap = { .s = s, .set = set, .fn = fn, .ctx = ctx, .late = true };

	return apply(&ap);
}

/* ---- rules that are gone ---- */

static int
orphans_of(struct apply *ap)
{
	struct state_alert *sa, *next;
	bool fires;
	int r = 0;

	for (sa = ap->of->head; r == 0 && sa != NULL; sa = next) {
		next = sa->next;
		fires = sa->a.state == ALERT_FIRING || sa->a.flapping;
		/* Nothing of it is left to flap. */
		sa->a.flapping = false;
		sa->n_flaps = 0;
		sa->a.state = ALERT_INACTIVE;
		if (fires)
			sa->a.resolved_at = later(ap->set->at, sa->a.fired_at);
		r = tell(ap, sa, fires ? CHANGE_RESOLVED : CHANGE_DROPPED, ap->set->at);
		if (r == 0)
			state_drop(ap->s, sa);
	}
	return r;
}

int
state_orphans(struct state *s, struct wall at, state_change_fn fn, void *ctx)
{
	struct eval_set set = { .at = at };
	struct apply ap = { .s = s, .set = &set, .fn = fn, .ctx = ctx };
	size_t i;
	int r = 0;

	for (i = 0; r == 0 && i < s->n_rules; i++)
		if (s->rules[i]->rule == NULL) {
			ap.of = s->rules[i];
			r = orphans_of(&ap);
		}
	return r;
}
