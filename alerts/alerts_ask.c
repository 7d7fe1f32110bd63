/*
 * alerts/alerts_ask.c - what the last filter of a rule keeps back.
 * One job: a rule's last windows asked of the store without the filters at its end.
 * Floor: 4 (uses query, store, logsql, base).
 */
#include "alerts/alerts_internal.h"
#include "alerts/deadline.h"
#include "alerts/eval_internal.h"
#include "alerts/lint.h"
#include "base/err.h"

/* Fields are looked for in the last hour at least. */
#define HINTS_BACK_NS NS_PER_HOUR

/* One wish being granted. */
struct asking {
	struct alerts *a;
	struct alerts_ask found;
	struct deadline deadline;
	/* the rule and the window that are asked for */
	struct eval_rule er;
	struct ask_rule *rule;
	struct ask_window *window;
	size_t max;
	bool least; /* the condition is to be low */
	struct arena work, batch;
};

/* ---- the wish ---- */

bool
alerts_ask_ready(struct alerts *a, struct str name)
{
	struct alerts_ask *ask = &a->ask;

	if (ask->done && str_eq(buf_view(&ask->name), name) &&
	    mono_now().ns - ask->done_at.ns < ALERTS_ASK_KEEP_MS * NS_PER_MS)
		return true;
	/* One after the other: whoever asks for another rule comes again. */
	if (ask->wanted)
		return false;
	alerts_ask_drop(a);
	buf_str(&ask->name, name);
	ask->wanted = !ask->name.failed;
	atomic_store(&a->asked, ask->wanted);
	return false;
}

void
alerts_ask_drop(struct alerts *a)
{
	buf_fini(&a->ask.name);
	arena_fini(&a->ask.arena);
	a->ask = (struct alerts_ask){ .name = BUF_INIT, .arena = ARENA_INIT };
	atomic_store(&a->asked, false);
}

const struct ask_rule *
alerts_ask_of(const struct alerts *a, uint64_t rule_id)
{
	size_t i;

	for (i = 0; a->ask.done && i < a->ask.n_rules; i++)
		if (a->ask.rules[i].id == rule_id)
			return &a->ask.rules[i];
	return NULL;
}

/* ---- rows ---- */

static bool
is_closer(const struct asking *k, double value, double than)
{
	return k->least ? value < than : value > than;
}

static int
copy_labels(struct asking *k, const struct labels *in, struct labels *ret)
{
	struct labels some = { arena_zalloc(&k->batch, in->n + 1, sizeof(*some.p)), in->n };
	size_t i;

	if (some.p == NULL)
		return err_origin(-ENOMEM);
	for (i = 0; i < in->n; i++)
		some.p[i] = (struct label){ str_sub(in->p[i].name, 0, ALERTS_ASK_VALUE_MAX),
			str_sub(in->p[i].value, 0, ALERTS_ASK_VALUE_MAX) };
	return labels_dup(&k->found.arena, &some, ret);
}

/* In order, those closest first; one that has no place is not copied. */
static int
take_row(struct asking *k, const struct eval_result *res)
{
	struct ask_window *w = k->window;
	struct ask_row row = { .value = res->value, .holds = res->holds };
	size_t at = w->n_rows;
	int r;

	w->n_all++;
	while (at > 0 && is_closer(k, res->value, w->rows[at - 1].value))
		at--;
	if (at == k->max)
		return 0;
	r = copy_labels(k, &res->labels, &row.labels);
	if (r == 0)
		r = copy_labels(k, &res->values, &row.values);
	if (r != 0)
		return r;
	if (w->n_rows < k->max)
		w->n_rows++;
	memmove(&w->rows[at + 1], &w->rows[at], (w->n_rows - 1 - at) * sizeof(row));
	w->rows[at] = row;
	return 0;
}

static int
put_rows(void *ctx, struct batch *b)
{
	struct asking *k = ctx;
	struct eval_set set = { .rule = k->er.rule };
	struct eval_take take = { .er = &k->er, .arena = &k->batch, .set = &set };
	size_t i;
	int r = eval_take_batch(&take, b);

	for (i = 0; r == 0 && i < set.n; i++)
		r = take_row(k, &set.results[i]);
	arena_clear(&k->batch);
	return r;
}

static void
cut_because(struct asking *k, struct str why)
{
	if (k->rule->cut.n == 0)
		k->rule->cut = arena_dup(&k->found.arena, why);
}

/* 1: the rest need not be tried. */
static int
ask_window(struct asking *k)
{
	AUTO_FINI(buf_fini) struct buf why = BUF_INIT;
	const struct rule *rule = k->er.rule;
	const struct wall at = k->window->at;
	struct run_stats stats = { 0 };
	struct run_options opt = { .now = at,
		.zone_s = k->a->opt.zone_s,
		.n_threads = 1,
		.memory_max = ALERTS_ASK_MEMORY_MAX,
		.ordered = true,
		.cancel = &k->deadline.cancel,
		.since = { rule->window.ns != 0 ? at.ns - rule->window.ns + 1 : INT64_MIN },
		.until = { at.ns + 1 } };
	struct query *q;
	int r = rule_query_at(rule, at, k->a->opt.zone_s, &k->work, &q);

	if (r != 0)
		return r;
	if (k->er.n_asked < q->n_pipes)
		q->n_pipes = k->er.n_asked;
	r = run_store(k->a->view, q, &opt, put_rows, k, &stats, &why);
	k->window->n_lines = stats.rows_matched;
	if (r == -ECANCELED)
		cut_because(k,
		    STR("not all of it was looked up: the store took too long to answer"));
	else if (r < 0)
		cut_because(k, why.n > 0 ? buf_view(&why) : str_c(err_str(r)));
	return r < 0 ? 1 : r;
}

/* ---- one rule ---- */

static int
is_below(void *ctx, struct filter *f)
{
	bool *least = ctx;

	if (f->kind == FILTER_RANGE && f->repr.n > 0)
		*least = f->repr.p[0] == '<';
	return 0;
}

/* The filters at the end of the expression, which are left out. */
static int
shape(struct asking *k, const struct alerts_rule *ar)
{
	AUTO_FINI(buf_fini) struct buf filter = BUF_INIT, needs = BUF_INIT;
	const struct query *q = ar->rule->query;
	size_t i;
	int r;

	k->er = (struct eval_rule){ .rule = ar->rule, .group = ar->group };
	r = eval_shape(&k->er, &k->work);
	if (r != 0)
		return r;
	for (i = q->n_pipes; i > 0 && q->pipes[i - 1]->kind == PIPE_FILTER; i--)
		;
	k->er.n_asked = i;
	k->least = false;
	for (; i < q->n_pipes; i++) {
		buf_c(&needs, needs.n > 0 ? " and " : "");
		filter_format(&needs, q->pipes[i]->filter);
		(void)filter_walk(q->pipes[i]->filter, is_below, &k->least);
	}
	filter_format(&filter, q->filter);
	k->rule->filter = arena_dup(&k->found.arena, buf_view(&filter));
	k->rule->needs = arena_dup(&k->found.arena, buf_view(&needs));
	return filter.failed || needs.failed ? err_origin(-ENOMEM) : 0;
}

/* The last instants that were evaluated; of a rule that never was, now. */
static int
list_windows(struct asking *k, const struct alerts_rule *ar)
{
	uint64_t i = ar->n_why, oldest = i > ALERTS_WHY_MAX ? i - ALERTS_WHY_MAX : 0;
	struct ask_rule *rule = k->rule;
	struct wall at = { INT64_MAX };

	rule->windows = arena_zalloc(&k->found.arena, ALERTS_ASK_WINDOWS, sizeof(*rule->windows));
	if (rule->windows == NULL)
		return err_origin(-ENOMEM);
	while (i-- > oldest && rule->n_windows < ALERTS_ASK_WINDOWS) {
		const struct alerts_why *w = &ar->why[i % ALERTS_WHY_MAX];

		if (w->late || w->at.ns >= at.ns)
			continue;
		at = w->at;
		rule->windows[rule->n_windows++].at = at;
	}
	if (rule->n_windows == 0)
		rule->windows[rule->n_windows++].at = k->a->now;
	k->max = ALERTS_ASK_ROWS / rule->n_windows;
	return 0;
}

static int
on_hint(void *ctx, const struct rule_group *g, const struct rule *rule, struct str text)
{
	struct asking *k = ctx;

	(void)g;
	(void)rule;
	if (k->rule->n_hints < ALERTS_ASK_HINTS)
		k->rule->hints[k->rule->n_hints++] = arena_dup(&k->found.arena, text);
	return 0;
}

/* Where no line matched in any window: names that no line has.  What fails here is no loss. */
static void
find_hints(struct asking *k)
{
	AUTO(lint_store_free) struct lint_store *s = NULL;
	const struct ask_rule *rule = k->rule;
	struct wall until = { rule->windows[0].at.ns + 1 };
	int64_t back =
	    k->er.rule->window.ns > HINTS_BACK_NS ? k->er.rule->window.ns : HINTS_BACK_NS;
	size_t i;

	for (i = 0; i < rule->n_windows; i++)
		if (rule->windows[i].n_lines > 0)
			return;
	if (rule->cut.n > 0)
		return;
	k->rule->hints_since.ns = until.ns - 1 - back;
	if (lint_store_new(&s, k->a->view, k->rule->hints_since, until, k->a->opt.zone_s,
	        &k->deadline.cancel) == 0)
		(void)lint_store_fields(s, k->er.group, k->er.rule, on_hint, k);
}

static int
ask_rule(struct asking *k, const struct alerts_rule *ar)
{
	size_t i;
	int r;

	k->rule = &k->found.rules[k->found.n_rules++];
	k->rule->id = ar->id;
	if (ar->rule->form == RULE_NEW_PATTERN)
		return 0;
	r = shape(k, ar);
	if (r == 0)
		r = list_windows(k, ar);
	if (r == 0 && k->a->view == NULL) {
		cut_because(k, STR("the store cannot be read"));
		r = 1;
	}
	for (i = 0; r == 0 && i < k->rule->n_windows; i++) {
		k->window = &k->rule->windows[i];
		r = ask_window(k);
	}
	if (r == 0)
		find_hints(k);
	arena_clear(&k->work);
	return r < 0 ? r : 0;
}

/* ---- all of that name ---- */

static int
ask_rules(struct asking *k)
{
	const struct str name = buf_view(&k->found.name);
	struct alerts *a = k->a;
	size_t i, n;
	int r = 0;

	k->found.rules = arena_zalloc(&k->found.arena, ALERTS_ASK_RULES, sizeof(*k->found.rules));
	if (k->found.rules == NULL)
		return err_origin(-ENOMEM);
	r = deadline_start(&k->deadline, (struct span){ ALERTS_ASK_TOOK_MS * NS_PER_MS });
	if (r != 0)
		return r;
	for (i = 0; i < a->n_groups; i++)
		for (n = 0; r == 0 && n < a->groups[i].group->n_rules; n++)
			if (str_eq(a->groups[i].rules[n].rule->name, name) &&
			    k->found.n_rules < ALERTS_ASK_RULES)
				r = ask_rule(k, &a->groups[i].rules[n]);
	deadline_stop(&k->deadline);
	return r;
}

int
alerts_ask_step(struct alerts *a)
{
	struct asking k = { .a = a,
		.found = { .name = BUF_INIT, .arena = ARENA_INIT },
		.work = ARENA_INIT,
		.batch = ARENA_INIT };
	bool wanted;
	int r;

	alerts_lock(a);
	wanted = a->ask.wanted;
	if (wanted)
		buf_str(&k.found.name, buf_view(&a->ask.name));
	alerts_unlock(a);
	if (!wanted)
		return 0;
	r = ask_rules(&k);
	arena_fini(&k.work);
	arena_fini(&k.batch);
	/* What could not be found is answered without. */
	alerts_lock(a);
	alerts_ask_drop(a);
	a->ask = k.found;
	a->ask.done = true;
	a->ask.done_at = mono_now();
	alerts_unlock(a);
	return r;
}
