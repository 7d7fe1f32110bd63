/*
 * alerts/eval_keys.c - the label sets of a rule.
 * One job: the dictionary of a window's groups without those that no pane has.
 * Floor: 4 (uses query, base).
 */
#include "alerts/eval_internal.h"

/* Numbers of groups that are still in panes. */
struct live {
	const struct partial *partial;
	uint32_t *numbers; /* new number of each; first: 1 for those that live */
	size_t n;
};

static int
mark_live(void *ctx, struct str bytes, struct buf *ret)
{
	struct live *l = ctx;
	struct partial_cursor c = partial_open(l->partial, bytes);

	while (partial_next(&c))
		if (c.group < l->n)
			l->numbers[c.group] = 1;
	return 0;
}

static int
renumber(void *ctx, struct str bytes, struct buf *ret)
{
	struct live *l = ctx;
	struct partial_cursor c = partial_open(l->partial, bytes);
	uint32_t last = UINT32_MAX, group;

	while (partial_next(&c)) {
		group = c.group < l->n ? l->numbers[c.group] : c.group;
		partial_put_entry(ret, last, group, c.entry);
		last = group;
	}
	return buf_err(ret);
}

int
eval_drop_keys(struct eval_stream *s)
{
	size_t n = s->groups.keys.n < EVAL_GROUPS_MAX ? s->groups.keys.n : EVAL_GROUPS_MAX, i;
	AUTO_FREE uint32_t *numbers = calloc(n + 1, sizeof(*numbers));
	struct live live = { &s->window.partial, numbers, n };
	struct map keys = MAP_INIT;
	int r = numbers == NULL ? err_origin(-ENOMEM) : 0;

	if (r == 0)
		r = window_each(&s->window, mark_live, &live);
	for (i = 0; r == 0 && i < n; i++) {
		if (numbers[i] == 0)
			continue;
		numbers[i] = (uint32_t)keys.n;
		if (map_put(&keys, s->groups.keys.entries[i].key, NULL) == NULL)
			r = err_origin(-ENOMEM);
	}
	if (r == 0)
		r = window_each(&s->window, renumber, &live);
	if (r < 0) {
		map_fini(&keys);
		return err_trace(r);
	}
	group_part_fini(&s->groups);
	group_part_init_by(&s->groups, s->groups.by, s->groups.n);
	s->groups.keys = keys;
	s->n_over = 0;
	return 0;
}
