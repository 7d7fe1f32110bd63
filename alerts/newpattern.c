/*
 * alerts/newpattern.c - forms of messages that are new.
 * One job: of the skeletons in the window, those that were not seen for as long as the rule says.
 * Floor: 4 (uses query, store, logsql, record, base).
 *
 * A form is known from the store's list of them, from the rows that the rule reads once at its start, and from its own
 * windows after that.  What is in a store's first window is known by definition.
 */
#include <stdio.h>

#include "alerts/eval_internal.h"
#include "record/skeleton.h"
#include "store/skeletons.h"

enum { LEARN_ROWS_MAX = 5000000, KNOWN_MAX = 1 << 17, PATTERN_TEXT_MAX = 200, ID_TEXT = 16 };

/* Commits are later than the rows in them. */
#define COMMIT_SLACK_NS NS_PER_MIN

int
eval_pattern_stats(struct arena *arena, const struct pipe **ret)
{
	struct pipe *p = arena_zalloc(arena, 1, sizeof(*p));
	struct stats_by *by = arena_zalloc(arena, 2, sizeof(*by));
	struct stats_func *f = arena_zalloc(arena, 1, sizeof(*f));
	struct str *all = arena_alloc(arena, sizeof(*all));

	if (p == NULL || by == NULL || f == NULL || all == NULL)
		return err_origin(-ENOMEM);
	by[0].name = STR("pattern");
	by[1].name = STR("pattern_id");
	*all = STR("*");
	*f = (struct stats_func){ .kind = STATS_COUNT, .names = { all, 1 }, .name = STR("hits") };
	*p = (struct pipe){ .kind = PIPE_STATS, .by = by, .n_by = 2, .funcs = f, .n_funcs = 1 };
	*ret = p;
	return 0;
}

/* At most so many bytes, and no half of a character. */
static struct str
bounded(struct str s)
{
	size_t n = PATTERN_TEXT_MAX;

	if (s.n <= n)
		return s;
	while (n > 0 && (s.p[n] & 0xc0) == 0x80)
		n--;
	return str_sub(s, 0, n);
}

int
eval_pattern_columns(struct batch *b)
{
	AUTO_FINI(buf_fini) struct buf text = BUF_INIT;
	const struct str *msgs = batch_strs(b, STR("_msg"));
	struct str *patterns = arena_alloc(&b->arena, (b->n_rows + 1) * sizeof(*patterns));
	struct str *ids = arena_alloc(&b->arena, (b->n_rows + 1) * sizeof(*ids));
	char id[ID_TEXT + 1];
	size_t i;
	int r;

	if (msgs == NULL || patterns == NULL || ids == NULL)
		return b->err != 0 ? b->err : err_origin(-ENOMEM);
	for (i = 0; i < b->n_rows; i++) {
		if (i > 0 && msgs[i].p == msgs[i - 1].p && msgs[i].n == msgs[i - 1].n) {
			patterns[i] = patterns[i - 1];
			ids[i] = ids[i - 1];
			continue;
		}
		buf_clear(&text);
		skeleton_of(&text, msgs[i]);
		(void)snprintf(id, sizeof(id), "%016llx",
		    (unsigned long long)skeleton_hash(msgs[i]));
		patterns[i] = arena_dup(&b->arena, bounded(buf_view(&text)));
		ids[i] = arena_dup(&b->arena, str_of(id, ID_TEXT));
		if (text.failed || patterns[i].p == NULL || ids[i].p == NULL)
			return err_origin(-ENOMEM);
	}
	r = batch_set_strs(b, STR("pattern"), patterns);
	return r != 0 ? r : batch_set_strs(b, STR("pattern_id"), ids);
}

struct learn {
	struct eval_rule *er;
	int64_t at;
};

static int
take_known(void *ctx, struct batch *b)
{
	struct learn *l = ctx;
	const struct str *msgs = batch_strs(b, STR("_msg"));
	struct eval_form *f = l->er->form;
	char id[ID_TEXT + 1];
	size_t i, at;
	bool fresh;
	int r = 0;

	if (msgs == NULL)
		return b->err != 0 ? b->err : err_origin(-ENOMEM);
	for (i = 0; r == 0 && i < b->n_rows && f->keys.n < KNOWN_MAX; i++) {
		(void)snprintf(id, sizeof(id), "%016llx",
		    (unsigned long long)skeleton_hash(msgs[i]));
		r = eval_form_at(f, str_of(id, ID_TEXT), &fresh, &at);
		if (r == 0)
			f->seen[at].last = l->at;
	}
	return err_trace(r);
}

/* The oldest time that the store has rows of. */
static int64_t
oldest(const struct store_view *view)
{
	size_t i, n = store_view_n_blocks(view);
	struct store_block_info info;
	int64_t t = INT64_MAX;

	for (i = 0; i < n; i++) {
		store_view_block(view, i, &info);
		if (info.sum.n_rows > 0 && info.sum.min_time.ns < t)
			t = info.sum.min_time.ns;
	}
	return t;
}

/* What stood in the store before the window; in a store that is younger, what stands in its first window. */
static int
learn(struct eval *e, struct eval_rule *er, struct store_view *view, struct wall at)
{
	struct learn l = { er, at.ns - 1 };
	int64_t begin = at.ns - er->rule->window.ns, first = oldest(view);

	if (first < INT64_MAX - er->rule->window.ns && first + er->rule->window.ns > begin)
		begin = first + er->rule->window.ns;
	er->form->learned = true;
	return err_trace(eval_learn(e, er, view, at.ns - er->rule->learn.ns,
	    begin < at.ns ? begin : at.ns, LEARN_ROWS_MAX, NULL, take_known, &l));
}

static uint64_t
id_hash(struct str id)
{
	uint64_t v = 0;
	size_t i;

	for (i = 0; i < id.n; i++)
		v = v << 4 | (uint64_t)(id.p[i] <= '9' ? id.p[i] - '0' : id.p[i] - 'a' + 10);
	return v;
}

/* Whether the store knows the form from before. */
static bool
store_knows(const struct skeletons *k, const struct eval_rule *er, struct str id, struct wall at)
{
	struct wall since = { at.ns - er->rule->window.ns - COMMIT_SLACK_NS };
	struct skeleton_seen seen;

	return k != NULL && skeletons_get(k, id_hash(id), &seen) && seen.first.ns < since.ns &&
	    !skeleton_is_new(&seen, since, er->rule->learn);
}

/* Whether the form is new at the instant, which is noted. */
static int
is_new(struct eval *e, struct eval_rule *er, struct str id, struct wall at, struct skeletons **k)
{
	struct eval_form *f = er->form;
	struct eval_seen *s;
	bool fresh;
	size_t i;
	int r = eval_form_at(f, id, &fresh, &i);

	if (r < 0)
		return err_trace(r);
	s = &f->seen[i];
	if (fresh || s->last <= at.ns - er->rule->learn.ns) {
		/* The list is opened when it is asked, as new forms are few; without it the rule knows what it saw. */
		if (*k == NULL && e->opt.store != NULL && skeletons_open(k, e->opt.store) != 0)
			*k = NULL;
		s->since = store_knows(*k, er, id, at) ? INT64_MIN : at.ns;
	}
	s->last = at.ns;
	return s->since != INT64_MIN && s->since > at.ns - er->rule->window.ns ? 1 : 0;
}

int
eval_new_patterns(struct eval *e, struct eval_rule *er, struct store_view *view,
    struct eval_set *set)
{
	AUTO(skeletons_close) struct skeletons *known = NULL;
	size_t i, n = 0;
	int r = 0;

	if (er->form->keys.n >= KNOWN_MAX) {
		map_clear(&er->form->keys);
		er->form->learned = false;
	}
	if (!er->form->learned)
		r = learn(e, er, view, set->at);
	for (i = 0; r >= 0 && i < set->n; i++) {
		r = is_new(e, er, labels_get(&set->results[i].labels, STR("pattern_id")), set->at,
		    &known);
		if (r > 0)
			set->results[n++] = set->results[i];
	}
	set->n = n;
	return r < 0 ? err_trace(r) : 0;
}
