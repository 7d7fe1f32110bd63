/*
 * alerts/lint.c - what is doubtful in a rule by itself.
 * One job: names that nothing gives, labels that grow without end, what a person will miss in the mail.
 * Floor: 4 (uses logsql, record, base).
 */
#include "alerts/lint.h"

#include "doc/walk.h"
#include "logsql/filter.h"
#include "logsql/pipe.h"
#include "record/names.h"

/* Names that a row or an alert has, as C strings for walk_nearest. */
struct names_have {
	const char **p;
	size_t n, cap;
	bool any; /* a pipe may give any name */
};

struct lint {
	const struct rule_group *group;
	const struct rule *rule;
	lint_fn fn;
	void *ctx;
	struct arena arena;
	struct names_have labels, row; /* of the alert; of a result row */
	int err;
};

static void say(struct lint *l, const char *fmt, ...) PRINTF_LIKE(2, 3);

static void
say(struct lint *l, const char *fmt, ...)
{
	char text[500];
	va_list ap;

	if (l->err != 0)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	l->err = l->fn(l->ctx, l->group, l->rule, str_c(text));
}

static void
have(struct lint *l, struct names_have *h, struct str name)
{
	const char **more;
	struct buf b = BUF_INIT;
	struct str copy;

	if (h->n == h->cap) {
		more = arena_zalloc(&l->arena, h->cap * 2 + 8, sizeof(*more));
		if (more == NULL)
			return;
		if (h->n > 0)
			memcpy(more, h->p, h->n * sizeof(*more));
		h->p = more;
		h->cap = h->cap * 2 + 8;
	}
	buf_str(&b, name);
	buf_byte(&b, '\0');
	copy = arena_dup(&l->arena, buf_view(&b));
	buf_fini(&b);
	if (copy.p != NULL)
		h->p[h->n++] = (const char *)copy.p;
}

static bool
has(const struct names_have *h, struct str name)
{
	size_t i;

	for (i = 0; i < h->n; i++)
		if (str_eq_c(name, h->p[i]))
			return true;
	return h->any;
}

/* ---- what stats and what follows it gives ---- */

static void
missing(struct lint *l, const char *who, struct str name, const struct names_have *h,
    const char *where)
{
	const char *near;

	if (has(h, name))
		return;
	near = walk_nearest(name, h->p, h->n, sizeof(*h->p));
	if (near != NULL)
		say(l, "%s '%.*s', which %s does not have; did you mean '%s'?", who, STR_ARG(name),
		    where, near);
	else
		say(l, "%s '%.*s', which %s does not have", who, STR_ARG(name), where);
}

static void
check_filter(struct lint *l, const struct filter *f, const char *who)
{
	struct str *names;
	size_t i, n;

	if (f == NULL || filter_fields(f, &l->arena, &names, &n) != 0)
		return;
	for (i = 0; i < n; i++)
		missing(l, who, names[i], &l->row, "the result");
}

static void
check_math(struct lint *l, const struct math_expr *e)
{
	size_t i;

	if (e->op == MATH_FIELD)
		missing(l, "math reads", e->text, &l->row, "the result");
	for (i = 0; i < e->n_args; i++)
		check_math(l, e->args[i]);
}

static void
give_stats(struct lint *l, const struct pipe *p)
{
	size_t i;

	l->row.n = 0;
	for (i = 0; i < p->n_by; i++)
		have(l, &l->row, p->by[i].name);
	for (i = 0; i < p->n_funcs; i++)
		have(l, &l->row, p->funcs[i].name);
}

/* One pipe behind stats: what it reads must be there, and what it gives then is. */
static void
follow(struct lint *l, const struct pipe *p)
{
	size_t i;

	if (p->kind == PIPE_FILTER) {
		check_filter(l, p->filter, "filter reads");
	} else if (p->kind == PIPE_MATH) {
		for (i = 0; i < p->n_math; i++) {
			check_math(l, p->math[i].expr);
			have(l, &l->row, p->math[i].name);
		}
	} else if (p->kind == PIPE_STATS) {
		for (i = 0; i < p->n_by; i++)
			missing(l, "stats is by", p->by[i].name, &l->row, "the result");
		give_stats(l, p);
	} else if (p->kind != PIPE_SORT && p->kind != PIPE_LIMIT && p->kind != PIPE_OFFSET)
		l->row.any = true;
}

static void
check_result(struct lint *l)
{
	const struct rule *r = l->rule;
	const struct query *q = r->query;
	size_t i;

	if (r->form == RULE_NEW_PATTERN || r->n_row >= q->n_pipes) {
		l->row.any = l->labels.any = true;
		return;
	}
	give_stats(l, q->pipes[r->n_row]);
	for (i = r->n_row + 1; i < q->n_pipes; i++)
		follow(l, q->pipes[i]);
	check_filter(l, r->resolve_when, "resolve_when reads");
}

/* ---- labels ---- */

static void
check_by(struct lint *l)
{
	const struct query *q = l->rule->query;
	const struct stats_by *by;
	size_t i;

	if (l->rule->n_row >= q->n_pipes)
		return;
	for (i = 0; i < q->pipes[l->rule->n_row]->n_by; i++) {
		by = &q->pipes[l->rule->n_row]->by[i];
		have(l, &l->labels, by->name);
		if (str_eq_c(by->name, "_time"))
			say(l, "label _time: each bucket of time is an alert of its own");
		else if (str_eq_c(by->name, "_msg") || str_eq_c(by->name, "_stream_id"))
			say(l,
			    "label %.*s has a value for nearly every row: each is an alert of its own",
			    STR_ARG(by->name));
		else if (names_is_id(by->name))
			say(l, "label %.*s holds IDs: each is an alert of its own",
			    STR_ARG(by->name));
	}
}

static void
give_labels(struct lint *l)
{
	size_t i;

	have(l, &l->labels, STR("alertname"));
	have(l, &l->labels, STR("alertgroup"));
	for (i = 0; i < l->rule->n_labels; i++)
		have(l, &l->labels, l->rule->labels[i].name);
}

static int
check_name(void *ctx, bool label, struct str name)
{
	struct lint *l = ctx;

	if (label)
		missing(l, "a template reads label", name, &l->labels, "the alert");
	else
		missing(l, "a template reads value", name, &l->row, "the result");
	return 0;
}

static void
check_templates(struct lint *l)
{
	const struct rule *r = l->rule;
	size_t i;

	for (i = 0; i < r->n_labels; i++)
		if (r->labels[i].tmpl != NULL) {
			(void)gotmpl_names(r->labels[i].tmpl, check_name, l);
			if (str_find(r->labels[i].text, STR("$value")) != SIZE_MAX ||
			    str_find(r->labels[i].text, STR(".Value")) != SIZE_MAX)
				say(l,
				    "label %.*s holds the value: each change of it is another alert",
				    STR_ARG(r->labels[i].name));
		}
	for (i = 0; i < r->n_annotations; i++)
		if (r->annotations[i].tmpl != NULL)
			(void)gotmpl_names(r->annotations[i].tmpl, check_name, l);
}

/* ---- what people miss ---- */

static bool
has_text(const struct rule_text *p, size_t n, const char *name)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (str_eq_c(p[i].name, name))
			return true;
	return false;
}

/* Without any filter behind stats every label set fires as soon as one row is there. */
static bool
has_threshold(const struct rule *r)
{
	size_t i;

	for (i = r->n_row + 1; i < r->query->n_pipes; i++)
		if (r->query->pipes[i]->kind == PIPE_FILTER)
			return true;
	return false;
}

static void
check_alert(struct lint *l)
{
	const struct rule *r = l->rule;
	char text[SPAN_TEXT_MAX];

	if (r->kind != RULE_ALERT)
		return;
	if (r->form == RULE_THRESHOLD && r->for_.ns == 0 && r->keep_firing_for.ns == 0)
		say(l, "for is missing: one evaluation above the threshold sends a notification");
	if (!has_text(r->annotations, r->n_annotations, "summary"))
		say(l, "annotation summary is missing: it is the subject of the mail");
	if (r->form == RULE_THRESHOLD && !has_threshold(r))
		say(l, "no filter stands behind stats: it fires as soon as there is one row");
	if (r->window.ns > 0 && r->window.ns < l->group->interval.ns && r->form == RULE_THRESHOLD) {
		(void)span_format(text, r->window);
		say(l,
		    "the window of %.*s is shorter than the interval: rows in between are never looked at",
		    (int)strnlen(text, sizeof(text)), text);
	}
}

int
lint_rule(const struct rule_group *g, const struct rule *r, lint_fn fn, void *ctx)
{
	struct lint l = { .group = g, .rule = r, .fn = fn, .ctx = ctx };

	give_labels(&l);
	check_by(&l);
	check_result(&l);
	if (r->form != RULE_THRESHOLD && r->form != RULE_ABSENT)
		l.row.any = true;
	check_templates(&l);
	check_alert(&l);
	if (!r->stream)
		say(&l, "asks the store at each evaluation, as it is no stream: %.*s",
		    STR_ARG(r->why_not_stream));
	arena_fini(&l.arena);
	return l.err;
}
