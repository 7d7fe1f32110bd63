/*
 * alerts/absent.c - what should be there and is not.
 * One job: of the values that are expected, given or learned, those without a row in the window.
 * Floor: 4 (uses query, store, logsql, base).
 *
 * Silence says something only where somebody listened: in the first window after the start (of rules, which begin anew when
 * the host has slept or its clock has jumped) the set is unknown, and so it is for instants before this process began at which no
 * stream at all had rows: the host was off.
 */
#include "alerts/eval_internal.h"
#include "logsql/value.h"

enum { LEARN_ROWS_MAX = 50000000, LEARNED_MAX = 10000 };

static void
beat(struct eval_pulse *p, int64_t t)
{
	int64_t slot = t / EVAL_PULSE_NS;

	if (slot <= p->newest - EVAL_PULSE_SLOTS || slot < 0)
		return;
	/* A clock that is far ahead would push out all that is known. */
	if (p->newest != 0 && slot > p->newest + EVAL_PULSE_SLOTS / 2)
		return;
	if (p->newest == 0)
		p->newest = slot;
	for (; p->newest < slot; p->newest++)
		bits_clear(p->slots, (size_t)((p->newest + 1) % EVAL_PULSE_SLOTS));
	bits_set(p->slots, (size_t)(slot % EVAL_PULSE_SLOTS));
}

int
eval_beat(struct eval *e, struct feed_block *block)
{
	const struct block_summary *sum = &feed_info(block)->sum;
	const int64_t *times;
	uint32_t i;
	int r;

	if (sum->max_time.ns - sum->min_time.ns < EVAL_PULSE_NS) {
		beat(e->pulse, sum->min_time.ns);
		beat(e->pulse, sum->max_time.ns);
		return 0;
	}
	r = feed_times(block, &times);
	for (i = 0; r == 0 && i < sum->n_rows; i++)
		beat(e->pulse, times[i]);
	return err_trace(r);
}

/* Whether any stream had rows in (from, to]; what is too long ago to be known counts as yes. */
static bool
was_alive(const struct eval_pulse *p, int64_t from, int64_t to)
{
	int64_t slot = from / EVAL_PULSE_NS, last = to / EVAL_PULSE_NS;

	if (slot <= p->newest - EVAL_PULSE_SLOTS)
		return true;
	for (; slot <= last && slot <= p->newest; slot++)
		if (bits_get(p->slots, (size_t)(slot % EVAL_PULSE_SLOTS)))
			return true;
	return false;
}

/* Why silence in the window says nothing, or NULL. */
static const char *
deaf(const struct eval *e, const struct eval_rule *er, struct wall at)
{
	int64_t from = at.ns - er->rule->window.ns;

	if (from < er->form->first)
		return "rules have run for less than its window";
	if (e->pulse != NULL && from < e->started && !was_alive(e->pulse, from, at.ns))
		return "no stream at all has rows in the window, which is before the start";
	return NULL;
}

static int
see(struct eval_rule *er, struct str value, int64_t t)
{
	size_t at;
	bool fresh;
	int r;

	if (value.n == 0 ||
	    (er->form->keys.n >= LEARNED_MAX && map_get(&er->form->keys, value) == NULL))
		return 0;
	r = eval_form_at(er->form, value, &fresh, &at);
	if (r == 0 && t > er->form->seen[at].last)
		er->form->seen[at].last = t;
	return err_trace(r);
}

static int
take_seen(void *ctx, struct batch *b)
{
	struct eval_rule *er = ctx;
	const struct str *values = batch_strs(b, er->rule->absent_label);
	const struct str *last = batch_strs(b, STR("last"));
	int64_t t;
	size_t i;
	int r = 0;

	if (values == NULL || last == NULL)
		return b->err != 0 ? b->err : err_origin(-ENOMEM);
	for (i = 0; r == 0 && i < b->n_rows; i++)
		if (value_time(last[i], &t))
			r = see(er, values[i], t);
	return err_trace(r);
}

/* The values that the store has, and when each was there last. */
static int
learn(struct eval *e, struct eval_rule *er, struct store_view *view, struct wall at)
{
	struct str time = STR("_time");
	struct stats_by by = { .name = er->rule->absent_label };
	struct stats_func max = { .kind = STATS_MAX, .names = { &time, 1 }, .name = STR("last") };
	struct pipe stats = { .kind = PIPE_STATS,
		.by = &by,
		.n_by = 1,
		.funcs = &max,
		.n_funcs = 1 };

	er->form->learned = true;
	return err_trace(eval_learn(e, er, view, at.ns - er->rule->learn.ns, at.ns, LEARN_ROWS_MAX,
	    &stats, take_seen, er));
}

static bool
is_present(const struct eval_set *set, struct str label, struct str value)
{
	size_t i;

	for (i = 0; i < set->n; i++)
		if (str_eq(labels_get(&set->results[i].labels, label), value))
			return true;
	return false;
}

static int
put_missing(struct eval *e, const struct eval_rule *er, struct str value, struct eval_result *ret)
{
	struct label label = { er->rule->absent_label, arena_dup(&e->work, value) };
	struct label hits = { er->value, STR("0") };
	int r;

	if (label.value.p == NULL)
		return err_origin(-ENOMEM);
	*ret = (struct eval_result){ .holds = true };
	r = labels_make(&e->work, &label, 1, &ret->labels);
	return r < 0 ? err_trace(r) : err_trace(labels_make(&e->work, &hits, 1, &ret->values));
}

/* The given values, or those that were seen for as long as the rule remembers. */
static int
put_all_missing(struct eval *e, const struct eval_rule *er, const struct eval_set *in,
    struct eval_result *out, size_t *ret_n)
{
	const struct rule *rule = er->rule;
	bool given = rule->n_absent_values > 0;
	size_t i, n = given ? rule->n_absent_values : er->form->keys.n;
	struct str value;
	int r = 0;

	for (i = 0; r == 0 && i < n; i++) {
		value = given ? rule->absent_values[i] : er->form->keys.entries[i].key;
		if (!given && er->form->seen[i].last <= in->at.ns - rule->learn.ns)
			continue;
		if (is_present(in, rule->absent_label, value))
			continue;
		r = put_missing(e, er, value, &out[(*ret_n)++]);
	}
	return err_trace(r);
}

int
eval_absent(struct eval *e, struct eval_rule *er, struct store_view *view, struct eval_set *set)
{
	bool given = er->rule->n_absent_values > 0;
	struct eval_result *out;
	const char *why;
	size_t i, n = 0;
	int r = 0;

	if (er->form->first == INT64_MIN)
		er->form->first = set->at.ns;
	if (!given && !er->form->learned)
		r = learn(e, er, view, set->at);
	for (i = 0; !given && r == 0 && i < set->n; i++)
		r = see(er, labels_get(&set->results[i].labels, er->rule->absent_label),
		    set->at.ns);
	out =
	    arena_zalloc(&e->work, er->rule->n_absent_values + er->form->keys.n + 1, sizeof(*out));
	if (r == 0 && out == NULL)
		r = err_origin(-ENOMEM);
	why = deaf(e, er, set->at);
	if (r == 0 && why == NULL)
		r = put_all_missing(e, er, set, out, &n);
	if (r < 0)
		return err_trace(r);
	if (why != NULL) {
		set->unknown = true;
		set->why = str_c(why);
	}
	set->results = out;
	set->n = n;
	return 0;
}
