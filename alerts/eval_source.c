/*
 * alerts/eval_source.c - what is not known.
 * One job: whether a source whose rows a rule reads is down, behind, or has lost rows of the window.
 * Floor: 4 (uses logsql, base).
 */
#include "alerts/eval_internal.h"

/* Whether rows of the stream could match; what is no filter of streams may always. */
static bool
could_match(const struct filter *f, struct str stream)
{
	size_t i;

	if (f->kind == FILTER_STREAM)
		return filter_match_value(f, stream) != 0;
	if (f->kind == FILTER_NOT && f->children[0]->kind == FILTER_STREAM)
		return filter_match_value(f->children[0], stream) == 0;
	if (f->kind == FILTER_AND) {
		for (i = 0; i < f->n_children; i++)
			if (!could_match(f->children[i], stream))
				return false;
		return true;
	}
	if (f->kind == FILTER_OR) {
		for (i = 0; i < f->n_children; i++)
			if (could_match(f->children[i], stream))
				return true;
		return false;
	}
	return f->kind != FILTER_NONE;
}

static bool
reads_source(const struct eval_rule *er, const struct eval_source *s)
{
	if (s->stream.n == 0)
		return true;
	if (er->rule->source != NULL && !could_match(er->rule->source, s->stream))
		return false;
	return could_match(er->rule->query->filter, s->stream);
}

/* Why rows of (at - window, at] may be missing, or NULL. */
static const char *
missing(const struct eval_source *s, struct wall at, struct span window)
{
	struct wall from = { window.ns > 0 ? at.ns - window.ns : INT64_MIN };

	if (s->down && s->down_since.ns <= at.ns)
		return "is down since";
	if (s->gap_to.ns != 0 && s->gap_to.ns > from.ns && s->gap_from.ns <= at.ns)
		return "lost rows until";
	if (s->read_to.ns != 0 && s->read_to.ns < at.ns - EVAL_BEHIND_MAX_NS)
		return "is read only up to";
	return NULL;
}

int
eval_unknown(struct eval *e, const struct eval_rule *er, struct wall at,
    const struct eval_source *sources, size_t n, struct eval_set *set)
{
	AUTO_FINI(buf_fini) struct buf why = BUF_INIT;
	char text[WALL_TEXT_MAX];
	const char *what;
	size_t i;

	for (i = 0; i < n; i++) {
		const struct eval_source *s = &sources[i];
		struct wall when;

		what = missing(s, at, er->rule->window);
		if (what == NULL || !reads_source(er, s))
			continue;
		when = s->down && s->down_since.ns <= at.ns ? s->down_since
		    : s->gap_to.ns != 0                     ? s->gap_to
		                                            : s->read_to;
		buf_printf(&why, "source %.*s %s %.*s", STR_ARG(s->name), what,
		    (int)wall_format(text, when), text);
		set->unknown = true;
		set->why = arena_dup(&e->work, buf_view(&why));
		return set->why.p == NULL ? err_origin(-ENOMEM) : buf_err(&why);
	}
	return 0;
}
