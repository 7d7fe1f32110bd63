/*
 * alerts/alerts_build.c - the rooms of alerts.
 * One job: make them, make them anew with other rules, and free them.
 * Floor: 4 (uses query, store, base).
 */
#include "alerts/alerts_internal.h"
#include "base/err.h"

/* ---- groups ---- */

static void
rule_values_free(struct alerts_rule *ar)
{
	arena_fini(&ar->arena);
	free(ar->why);
	ar->why = NULL;
	ar->values = NULL;
}

void
alerts_groups_free(struct alerts_group *g, size_t n)
{
	size_t i, k;

	for (i = 0; g != NULL && i < n; i++) {
		for (k = 0; g[i].rules != NULL && k < g[i].group->n_rules; k++)
			rule_values_free(&g[i].rules[k]);
		free(g[i].rules);
	}
	free(g);
}

static struct alerts_rule *
find_rule(struct alerts_group *groups, size_t n, uint64_t id)
{
	size_t i, k;

	for (i = 0; i < n; i++)
		for (k = 0; k < groups[i].group->n_rules; k++)
			if (groups[i].rules[k].id == id)
				return &groups[i].rules[k];
	return NULL;
}

struct alerts_rule *
alerts_rule_of(struct alerts *a, uint64_t id)
{
	return find_rule(a->groups, a->n_groups, id);
}

static int
group_make(struct alerts_group *g, const struct rule_group *group, struct alerts_group *old,
    size_t n_old)
{
	size_t i;

	g->group = group;
	g->last.ns = INT64_MIN;
	g->rules = calloc(group->n_rules + 1, sizeof(*g->rules));
	if (g->rules == NULL)
		return err_origin(-ENOMEM);
	for (i = 0; i < n_old; i++)
		if (old[i].group->id == group->id) {
			g->last = old[i].last;
			g->n_evals = old[i].n_evals;
			g->n_missed = old[i].n_missed;
		}
	for (i = 0; i < group->n_rules; i++) {
		g->rules[i].id = group->rules[i].id;
		g->rules[i].rule = &group->rules[i];
		g->rules[i].group = group;
	}
	return 0;
}

/* What was seen of rules that stay; the old groups may be freed then. */
static void
take_over(struct alerts_group *g, struct alerts_group *old, size_t n_old)
{
	size_t i;

	for (i = 0; i < g->group->n_rules; i++) {
		struct alerts_rule *to = &g->rules[i], *from = find_rule(old, n_old, to->id);

		if (from == NULL || from->why == NULL)
			continue;
		to->why = TAKE(from->why);
		to->n_why = from->n_why;
		to->n_failed = from->n_failed;
		to->unknown = from->unknown;
		to->failed = from->failed;
		to->failure = from->failure;
		to->last = from->last;
		to->took = from->took;
	}
}

int
alerts_groups(const struct rule_set *set, struct alerts_group *old, size_t n_old,
    struct alerts_group **ret)
{
	struct alerts_group *all = calloc(set->n_groups + 1, sizeof(*all));
	size_t i;
	int r = 0;

	if (all == NULL)
		return err_origin(-ENOMEM);
	for (i = 0; r == 0 && i < set->n_groups; i++)
		r = group_make(&all[i], &set->groups[i], old, n_old);
	if (r != 0) {
		alerts_groups_free(all, i);
		return r;
	}
	for (i = 0; i < set->n_groups; i++)
		take_over(&all[i], old, n_old);
	*ret = all;
	return 0;
}

/* ---- rooms ---- */

static int
build_db(struct alerts *a)
{
	AUTO_FINI(buf_fini) struct buf why = BUF_INIT;
	int r;

	r = statedb_open(&a->db, a->db_path, &why);
	if (why.n > 0)
		alerts_say(a, 3, "%s: %s", a->db_path, buf_c_str(&why));
	else if (r < 0)
		alerts_say(a, 3, "state.db does not open: %s: %s", a->db_path, err_str(r));
	return r;
}

/* Groups that are not known begin at the start, not before; what was before a clock went back is not waited for. */
static void
build_start(struct alerts *a)
{
	struct wall ahead = { a->now.ns + NS_PER_MIN };
	size_t i;

	for (i = 0; i < a->n_groups && a->now.ns != 0; i++)
		if (a->groups[i].last.ns > ahead.ns) {
			a->groups[i].last = a->now;
			a->groups[i].dirty = true;
			state_clock(a->state, a->now);
		}

	for (i = 0; i < a->n_groups; i++)
		if (a->groups[i].last.ns == INT64_MIN) {
			a->groups[i].last = a->now.ns > a->opt.start.ns ? a->now : a->opt.start;
			a->groups[i].dirty = true;
		}
}

static int
build_rules(struct alerts *a)
{
	struct eval_options opt = { .store = a->store,
		.zone_s = a->opt.zone_s,
		.n_threads = 1,
		.live = a->opt.send };
	int r;

	r = eval_new(&a->eval, a->set, &opt);
	if (r == 0)
		r = state_new(&a->state, a->set, a->db);
	if (r == 0 && a->groups == NULL)
		r = alerts_groups(a->set, NULL, 0, &a->groups);
	if (r != 0)
		return r;
	a->n_groups = a->set->n_groups;
	r = alerts_load_groups(a);
	if (r == 0)
		build_start(a);
	a->orphans = true;
	return r;
}

int
alerts_build(struct alerts *a)
{
	int r;

	r = build_db(a);
	if (r == 0)
		r = build_rules(a);
	if (r == 0)
		r = silences_new(&a->silences, a->db);
	if (r == 0)
		r = dispatch_new(&a->dispatch, a->routing, a->silences, a->db);
	if (r == 0)
		r = outbox_new(&a->outbox, a->db);
	if (r == 0)
		r = alerts_events_load(a);
	if (r == 0 && a->opt.send && a->sender == NULL)
		r = sender_new(&a->sender, a->send_socket, a->secrets);
	if (r == 0 && a->opt.send)
		r = outbox_restart(a->outbox, a->now);
	if (r != 0)
		return err_fold(r);
	outbox_watch(a->outbox, alerts_event_fate, a);
	a->api = (struct apiv2){ a->dispatch, a->silences, a->routing, a->started, false };
	a->urgent = true;
	return 0;
}

void
alerts_unbuild(struct alerts *a)
{
	alerts_drop_queue(a);
	a->sender = sender_free(a->sender);
	a->outbox = outbox_free(a->outbox);
	a->dispatch = dispatch_free(a->dispatch);
	a->silences = silences_free(a->silences);
	a->state = state_free(a->state);
	a->eval = eval_free(a->eval);
	a->db = statedb_close(a->db);
	a->next_row = 0;
}

static char *
dup_or_null(const char *s, bool *ok)
{
	char *copy = s != NULL ? strdup(s) : NULL;

	*ok = *ok && (s == NULL || copy != NULL);
	return copy;
}

static int
new_texts(struct alerts *a, const struct alerts_options *opt)
{
	bool ok = true;

	a->opt = *opt;
	a->store = dup_or_null(opt->store != NULL ? opt->store : "", &ok);
	a->db_path = dup_or_null(opt->db, &ok);
	a->host = dup_or_null(opt->host != NULL ? opt->host : "localhost", &ok);
	a->secrets = dup_or_null(opt->secrets, &ok);
	a->send_socket = dup_or_null(opt->send_socket, &ok);
	a->now = a->started = opt->start;
	return ok ? 0 : err_origin(-ENOMEM);
}

int
alerts_new(struct alerts **ret, struct rule_set *set, struct routing *routing,
    const struct alerts_options *opt, const struct alerts_ops *ops)
{
	AUTO(alerts_free) struct alerts *a = NULL;
	pthread_mutexattr_t attr;
	int r;

	a = calloc(1, sizeof(*a));
	if (a == NULL) {
		(void)rules_free(set);
		(void)routing_free(routing);
		return err_origin(-ENOMEM);
	}
	a->set = set;
	a->routing = routing;
	a->ops = *ops;
	a->queue_end = &a->queue;
	(void)pthread_mutexattr_init(&attr);
	(void)pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_RECURSIVE);
	(void)pthread_mutex_init(&a->lock, &attr);
	(void)pthread_mutexattr_destroy(&attr);
	(void)pthread_mutex_init(&a->events_lock, NULL);
	r = new_texts(a, opt);
	if (r == 0)
		r = alerts_build(a);
	if (r == 0)
		*ret = TAKE(a);
	return r;
}

struct alerts *
alerts_free(struct alerts *a)
{
	if (a == NULL)
		return NULL;
	alerts_unbuild(a);
	alerts_ask_drop(a);
	alerts_groups_free(a->groups, a->n_groups);
	a->view = store_view_free(a->view);
	free(a->sources);
	free(a->fresh);
	free(a->due);
	arena_fini(&a->arena);
	arena_fini(&a->scratch);
	arena_fini(&a->fresh_arena);
	arena_fini(&a->due_arena);
	(void)rules_free(a->set);
	(void)routing_free(a->routing);
	(void)pthread_mutex_destroy(&a->lock);
	(void)pthread_mutex_destroy(&a->events_lock);
	free(a->store);
	free(a->db_path);
	free(a->host);
	free(a->secrets);
	free(a->send_socket);
	free(a);
	return NULL;
}

/* ---- other rules ---- */

struct fresh {
	struct rule_set *set;
	struct routing *routing;
	struct eval *eval;
	struct alerts_group *groups;
};

static int
reload_swap(struct alerts *a, struct fresh *f)
{
	int r;

	r = state_reload(a->state, f->set);
	if (r == 0)
		r = dispatch_reload(a->dispatch, f->routing);
	if (r != 0) {
		/* State is by the new rules or by none: the old ones are those that hold. */
		(void)state_reload(a->state, a->set);
		return r;
	}
	(void)eval_free(a->eval);
	a->eval = TAKE(f->eval);
	alerts_groups_free(a->groups, a->n_groups);
	a->groups = TAKE(f->groups);
	a->n_groups = f->set->n_groups;
	(void)rules_free(a->set);
	a->set = TAKE(f->set);
	(void)routing_free(a->routing);
	a->routing = TAKE(f->routing);
	a->api.routing = a->routing;
	a->orphans = true;
	a->urgent = true;
	build_start(a);
	return 0;
}

int
alerts_reload(struct alerts *a, struct rule_set *set, struct routing *routing)
{
	struct eval_options opt = { .store = a->store,
		.zone_s = a->opt.zone_s,
		.n_threads = 1,
		.live = a->opt.send };
	struct fresh f = { .set = set, .routing = routing };
	int r;

	alerts_lock(a);
	r = eval_new(&f.eval, set, &opt);
	if (r == 0)
		r = alerts_groups(set, a->groups, a->n_groups, &f.groups);
	if (r == 0)
		r = reload_swap(a, &f);
	alerts_groups_free(f.groups, f.set != NULL ? f.set->n_groups : 0);
	(void)eval_free(f.eval);
	(void)rules_free(f.set);
	(void)routing_free(f.routing);
	alerts_unlock(a);
	return r;
}
