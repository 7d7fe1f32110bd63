/*
 * daemon/rules_source.c - sources, for rules.
 * One job: which source is down, behind, or has lost lines, and since when.
 * Floor: 6 (uses alerts, ingest, base).
 */
#include "daemon/daemon_internal.h"
#include "daemon/rules_internal.h"

size_t
rules_sources_copy(struct arena *arena, const struct eval_source *from, size_t n,
    struct eval_source **ret)
{
	struct eval_source *all = arena_zalloc(arena, n + 1, sizeof(*all));
	size_t i;

	for (i = 0; all != NULL && i < n; i++) {
		all[i] = from[i];
		all[i].name = arena_dup(arena, from[i].name);
		all[i].stream = arena_dup(arena, from[i].stream);
		if (all[i].name.p == NULL || all[i].stream.p == NULL)
			return 0;
	}
	*ret = all;
	return all != NULL ? n : 0;
}

static void
known_forget(struct rules *r, bool all)
{
	size_t i, n = 0;

	for (i = 0; i < r->n_known; i++)
		if (all || !r->known[i].here)
			free(r->known[i].name);
		else
			r->known[n++] = r->known[i];
	r->n_known = n;
}

void
rules_sources_fini(struct rules *r)
{
	known_forget(r, true);
	free(r->known);
	free(r->sources);
	arena_fini(&r->arena);
	arena_fini(&r->mine);
}

static struct rules_source *
known_of(struct rules *r, const struct source_status *st)
{
	AUTO_FINI(buf_fini) struct buf name = BUF_INIT;
	struct rules_source *all;
	size_t i;

	buf_printf(&name, "%s %.*s", st->kind, STR_ARG(st->name));
	for (i = 0; i < r->n_known; i++)
		if (str_eq_c(buf_view(&name), r->known[i].name))
			return &r->known[i];
	all = realloc(r->known, (r->n_known + 1) * sizeof(*all));
	if (all == NULL || name.failed)
		return NULL;
	r->known = all;
	all[r->n_known] = (struct rules_source){ .name = strdup(buf_c_str(&name)) };
	all[r->n_known].n_lost = st->n_lost + st->n_lost_bytes;
	return all[r->n_known].name != NULL ? &all[r->n_known++] : NULL;
}

struct looking {
	struct daemon *d;
	struct rules *r;
	struct wall now;
	size_t cap;
};

/* Rows of a file have its name in their stream; those of a journal any unit. */
static struct str
stream_of(struct looking *l, const struct source_status *st)
{
	AUTO_FINI(buf_fini) struct buf b = BUF_INIT;
	struct label labels[] = { { STR("file"), st->name }, { STR("host"), str_c(l->d->host) } };

	if (strcmp(st->kind, "file") != 0)
		return STR("");
	stream_format(&b, labels, ARRAY_LEN(labels));
	return arena_dup(&l->r->arena, buf_view(&b));
}

static void
look(void *ctx, const struct source_status *st)
{
	struct looking *l = ctx;
	struct rules_source *known = known_of(l->r, st);
	struct eval_source *all = l->r->sources, *s;
	uint64_t lost = st->n_lost + st->n_lost_bytes;
	bool down = str_eq(st->state, STR("denied")) || str_eq(st->state, STR("restarting"));

	if (known == NULL)
		return;
	if (l->r->n_sources == l->cap) {
		l->cap = l->cap > 0 ? l->cap * 2 : 16;
		all = realloc(all, l->cap * sizeof(*all));
		if (all == NULL)
			return;
		l->r->sources = all;
	}
	if (lost > known->n_lost) {
		known->gap_from = known->seen.ns != 0 ? known->seen : l->now;
		known->gap_to = l->now;
	}
	known->n_lost = lost;
	if (!down)
		known->down_since.ns = 0;
	else if (known->down_since.ns == 0)
		known->down_since = l->now;
	known->seen = l->now;
	known->here = true;
	s = &all[l->r->n_sources++];
	*s = (struct eval_source){
		.stream = stream_of(l, st),
		.name = arena_dup(&l->r->arena, st->name),
		.down = down,
		.down_since = known->down_since,
		.gap_from = known->gap_from,
		.gap_to = known->gap_to,
		.read_to = { st->lag_lines > 0 || st->lag_bytes > 0 ? l->now.ns - st->lag.ns : 0 },
	};
}

void
rules_sources(struct daemon *d)
{
	struct rules *r = d->rules;
	struct looking l = { .d = d, .r = r, .now = wall_now() };
	size_t i;

	for (i = 0; i < r->n_known; i++)
		r->known[i].here = false;
	(void)pthread_mutex_lock(&r->lock);
	arena_clear(&r->arena);
	l.cap = r->n_sources;
	r->n_sources = 0;
	status_each(d, look, &l);
	r->sources_new = true;
	(void)pthread_mutex_unlock(&r->lock);
	known_forget(r, false);
	r->sources_at.ns = mono_now().ns + RULES_SOURCES_S * NS_PER_S;
}
