/*
 * alerts/sim.c - rules over time that is past, or made up.
 * One job: evaluator, states and dispatch, as weird runs them, by a clock that is given.
 * Floor: 4 (uses query, store, logsql, record, base).
 */
#include "alerts/sim.h"

#include "alerts/evidence.h"
#include "alerts/message.h"
#include "store/read.h"

struct sim {
	struct sim_options opt;
	struct sim_ops ops;
	struct store_view *view;
	struct statedb *db;
	struct eval *eval;
	struct state *state;
	struct dispatch *dispatch;
	struct dispatch *plain; /* the same without silences; NULL: there are none */
	int64_t *next;          /* of each group: its next instant */
	struct wall now;
};

/* ---- what changed ---- */

static const struct rule *
rule_of(const struct sim *s, uint64_t id)
{
	const struct rule_set *set = s->opt.set;
	size_t i, k;

	for (i = 0; i < set->n_groups; i++)
		for (k = 0; k < set->groups[i].n_rules; k++)
			if (set->groups[i].rules[k].id == id)
				return &set->groups[i].rules[k];
	return NULL;
}

/* Whether routing hears of it: pending does not leave the house, and what flaps is told when it begins and ends. */
static bool
is_told(const struct alert *a, enum alert_change c)
{
	switch (c) {
	case CHANGE_FIRING:
	case CHANGE_RESOLVED:
		return !a->flapping;
	case CHANGE_FLAPPING:
	case CHANGE_STEADY:
		return true;
	case CHANGE_PENDING:
	case CHANGE_DROPPED:
	case CHANGE_UNKNOWN:
	case CHANGE_KNOWN:
		return false;
	}
	return false;
}

static int
tell(struct sim *s, const struct alert *a, enum alert_change c, struct wall at)
{
	bool ends = c == CHANGE_RESOLVED || (c == CHANGE_STEADY && a->state != ALERT_FIRING);
	const struct route_alert one = {
		.labels = a->labels,
		.annotations = a->annotations,
		.starts_at = a->fired_at,
		.ends_at = { ends ? at.ns : 0 },
		.updated_at = s->now,
		.rule_id = a->rule_id,
		.value = a->value,
		.values = a->values,
		.late_from = a->late_from,
		.digest = c == CHANGE_FLAPPING,
	};

	int r = s->plain != NULL ? dispatch_put(s->plain, &one, 1, s->now) : 0;

	return r == 0 ? dispatch_put(s->dispatch, &one, 1, s->now) : r;
}

static int
on_change(void *ctx, const struct alert *a, enum alert_change c, struct wall at)
{
	struct sim *s = ctx;
	int r = 0;

	if (s->ops.changed != NULL)
		r = s->ops.changed(s->ops.ctx, a, c, at);
	if (r == 0 && s->dispatch != NULL && is_told(a, c))
		r = tell(s, a, c, at);
	return r;
}

static int
on_set(void *ctx, const struct eval_set *set)
{
	struct sim *s = ctx;
	int r = 0;

	if (s->ops.evaluated != NULL)
		r = s->ops.evaluated(s->ops.ctx, set);
	return r == 0 ? state_apply(s->state, set, on_change, s) : r;
}

/* ---- what is sent ---- */

static int
find_evidence(struct sim *s, const struct notification *n, struct arena *arena,
    struct evidence **ret, size_t *ret_n)
{
	struct evidence *all;
	size_t i, max = n->n < EVIDENCE_LINES_MAX ? n->n : EVIDENCE_LINES_MAX;
	int r = 0;

	*ret_n = 0;
	if (!s->opt.evidence)
		return 0;
	all = arena_zalloc(arena, max + 1, sizeof(*all));
	if (all == NULL)
		return err_origin(-ENOMEM);
	for (i = 0; r == 0 && i < max; i++)
		r = evidence_find(s->opt.store, rule_of(s, n->alerts[i].rule_id), &n->alerts[i],
		    n->at, arena, &all[i]);
	*ret = all;
	*ret_n = r == 0 ? max : 0;
	return r;
}

static int
on_notification(void *ctx, const struct notification *n)
{
	AUTO_FINI(buf_fini) struct buf stored = BUF_INIT;
	struct arena arena = ARENA_INIT;
	struct evidence *evidence = NULL;
	struct sim *s = ctx;
	size_t n_evidence;
	int r;

	if (s->ops.notified == NULL)
		return 0;
	r = find_evidence(s, n, &arena, &evidence, &n_evidence);
	if (r == 0)
		r = message_pack(n, evidence, n_evidence, s->opt.host, &stored);
	if (r == 0)
		r = s->ops.notified(s->ops.ctx, n, buf_view(&stored));
	arena_fini(&arena);
	return r;
}

/* What would have been sent without silences: whether they hold it, or some of it. */
static int
on_plain(void *ctx, const struct notification *n)
{
	AUTO_FINI(arena_fini) struct arena arena = ARENA_INIT;
	struct sim *s = ctx;
	struct str *ids;
	size_t i, n_held = 0;

	for (i = 0; i < n->n; i++)
		n_held += silences_match(s->opt.silences, &n->alerts[i].labels,
		              &n->alerts[i].annotations, n->at, &arena, &ids) > 0;
	return n_held > 0 && s->ops.held != NULL ? s->ops.held(s->ops.ctx, n, n_held) : 0;
}

/* ---- time ---- */

/* The first instant of a group at or after ${at}. */
static int64_t
first_instant(const struct rule_group *g, struct wall at)
{
	int64_t k = (at.ns - g->eval_offset.ns) / g->interval.ns;
	int64_t t = k * g->interval.ns + g->eval_offset.ns;

	return t < at.ns ? t + g->interval.ns : t;
}

/* When what is due next is due. */
static int64_t
next_due(const struct sim *s, size_t *ret_group)
{
	const struct rule_set *set = s->opt.set;
	int64_t due = INT64_MAX, t;
	size_t i;

	*ret_group = set->n_groups;
	for (i = 0; i < set->n_groups; i++) {
		t = s->next[i] + set->groups[i].eval_delay.ns;
		if (t < due) {
			due = t;
			*ret_group = i;
		}
	}
	if (s->dispatch != NULL && dispatch_next(s->dispatch).ns < due) {
		due = dispatch_next(s->dispatch).ns;
		*ret_group = set->n_groups;
	}
	if (s->plain != NULL && dispatch_next(s->plain).ns < due) {
		due = dispatch_next(s->plain).ns;
		*ret_group = set->n_groups;
	}
	return due;
}

static int
run_group(struct sim *s, size_t i)
{
	const struct rule_group *g = &s->opt.set->groups[i];
	const struct wall at = { s->next[i] };

	s->next[i] += g->interval.ns;
	return eval_group(s->eval, s->view, g, at, NULL, 0, on_set, s);
}

static int
step_dispatch(struct sim *s)
{
	int r = s->plain != NULL ? dispatch_step(s->plain, s->now, on_plain, s) : 0;

	return r == 0 && s->dispatch != NULL
	    ? dispatch_step(s->dispatch, s->now, on_notification, s)
	    : r;
}

int
sim_run(struct sim *s, struct wall to)
{
	int64_t due;
	size_t group;
	int r = 0;

	for (due = next_due(s, &group); r == 0 && due <= to.ns; due = next_due(s, &group)) {
		if (due > s->now.ns)
			s->now.ns = due;
		r = group < s->opt.set->n_groups ? run_group(s, group) : step_dispatch(s);
	}
	if (r == 0 && to.ns > s->now.ns)
		s->now = to;
	return r == 0 ? step_dispatch(s) : r;
}

int
sim_each(struct sim *s, state_each_fn fn, void *ctx)
{
	return state_each(s->state, fn, ctx);
}

/* ---- the whole ---- */

static int
open_rooms(struct sim *s, struct buf *why)
{
	const struct eval_options how = { .store = s->opt.store, .zone_s = s->opt.zone_s };
	int r = statedb_open(&s->db, ":memory:", why);

	if (r == 0)
		r = statedb_begin(s->db);
	if (r == 0)
		r = state_new(&s->state, s->opt.set, s->db);
	if (r == 0 && s->opt.routing != NULL)
		r = dispatch_new(&s->dispatch, s->opt.routing, s->opt.silences, s->db);
	if (r == 0 && s->opt.routing != NULL && s->opt.silences != NULL)
		r = dispatch_new(&s->plain, s->opt.routing, NULL, NULL);
	if (r == 0)
		r = eval_new(&s->eval, s->opt.set, &how);
	return r > 0 ? err_fold(r) : r;
}

static int
begin(struct sim *s)
{
	const struct rule_set *set = s->opt.set;
	uint64_t next;
	size_t i;
	int r;

	s->now = s->opt.start;
	s->next = calloc(set->n_groups + 1, sizeof(*s->next));
	if (s->next == NULL)
		return err_origin(-ENOMEM);
	for (i = 0; i < set->n_groups; i++)
		s->next[i] = first_instant(&set->groups[i], s->opt.start);
	r = eval_warm(s->eval, s->view, s->opt.start);
	return r == 0 ? eval_feed(s->eval, s->view, 0, &next) : r;
}

int
sim_new(struct sim **ret, const struct sim_options *opt, const struct sim_ops *ops,
    struct buf *ret_why)
{
	AUTO(sim_free) struct sim *s = calloc(1, sizeof(*s));
	int r;

	if (s == NULL)
		return err_origin(-ENOMEM);
	s->opt = *opt;
	s->ops = *ops;
	r = store_view_open(&s->view, opt->store, ret_why);
	if (r > 0)
		return SIM_E_STORE;
	if (r == 0)
		r = open_rooms(s, ret_why);
	if (r == 0)
		r = begin(s);
	if (r == 0)
		*ret = TAKE(s);
	return r;
}

struct sim *
sim_free(struct sim *s)
{
	if (s == NULL)
		return NULL;
	(void)eval_free(s->eval);
	(void)dispatch_free(s->dispatch);
	(void)state_free(s->state);
	(void)dispatch_free(s->plain);
	if (s->db != NULL)
		statedb_rollback(s->db);
	(void)statedb_close(s->db);
	(void)store_view_free(s->view);
	free(s->next);
	free(s);
	return NULL;
}
