/*
 * alerts/evidence_query.c - questions for evidence.
 * One job: the query whose rows stand behind an alert.
 * Floor: 4 (uses logsql, base).
 */
#include "alerts/evidence_query.h"

#include "logsql/filter.h"
#include "logsql/pipe.h"

/* Whether rows with the alert's label have just its value in a field of that name. */
static bool
by_plain(const struct pipe *stats, struct str name)
{
	size_t i;

	for (i = 0; i < stats->n_by; i++)
		if (str_eq(stats->by[i].name, name))
			return stats->by[i].bucket == BUCKET_NONE && !str_eq_c(name, "_time");
	return false;
}

static void
put_label(struct buf *out, const struct label *l)
{
	if (str_eq_c(l->name, "_stream")) {
		buf_str(out, l->value);
		return;
	}
	logsql_quote(out, l->name);
	buf_c(out, ":=");
	logsql_quote_always(out, l->value);
}

static void
put_labels(const struct pipe *stats, const struct labels *l, const char *before, struct buf *out)
{
	size_t i;

	for (i = 0; i < l->n; i++) {
		if (!by_plain(stats, l->p[i].name))
			continue;
		buf_c(out, before);
		put_label(out, &l->p[i]);
		before = " ";
	}
}

/* Where results count only some of the rows (count() if (…)), those are what stands behind the alert. */
static void
put_conditions(const struct pipe *stats, const char *before, struct buf *out)
{
	const char * or = "";
	size_t i;

	/* What a switch has left over is no filter. */
	for (i = 0; i < stats->n_funcs; i++)
		if (stats->funcs[i].is_default)
			return;
	for (i = 0; i < stats->n_funcs; i++) {
		if (stats->funcs[i].filter == NULL)
			continue;
		buf_c(out, * or == '\0' ? before : or);
		buf_c(out, "(");
		filter_format(out, stats->funcs[i].filter);
		buf_c(out, ")");
		or = " or ";
	}
	if (* or != '\0')
		buf_c(out, ")");
}

void
evidence_query(const struct rule *rule, const struct route_alert *alert, struct buf *out)
{
	const struct query *q = rule->query;
	size_t i;
	bool stats = rule->n_row < q->n_pipes && q->pipes[rule->n_row]->kind == PIPE_STATS;

	/* Brackets, since the filter may be an "or". */
	if (stats && rule->n_row == 0 && alert->labels.n > 0) {
		buf_c(out, "(");
		filter_format(out, q->filter);
		buf_c(out, ")");
		put_labels(q->pipes[0], &alert->labels, " ", out);
		put_conditions(q->pipes[0], " (", out);
		return;
	}
	filter_format(out, q->filter);
	for (i = 0; i < rule->n_row && i < q->n_pipes; i++) {
		buf_c(out, " | ");
		pipe_format(out, q->pipes[i]);
	}
	if (stats) {
		put_labels(q->pipes[rule->n_row], &alert->labels, " | filter ", out);
		put_conditions(q->pipes[rule->n_row], " | filter (", out);
	}
}

/* In single quotes, as every shell reads it. */
static void
shell_quote(struct str s, struct buf *out)
{
	size_t i;

	buf_byte(out, '\'');
	for (i = 0; i < s.n; i++) {
		if (s.p[i] == '\'')
			buf_c(out, "'\\''");
		else
			buf_byte(out, s.p[i]);
	}
	buf_byte(out, '\'');
}

void
evidence_paste(struct str query, struct wall from, struct wall to, struct buf *out)
{
	char a[WALL_TEXT_MAX], b[WALL_TEXT_MAX];
	int64_t first = from.ns / NS_PER_S, last = (to.ns + NS_PER_S - 1) / NS_PER_S;
	size_t n_a = wall_format(a, (struct wall){ first * NS_PER_S });
	size_t n_b = wall_format(b, (struct wall){ last * NS_PER_S });

	buf_printf(out, "weir query --since %.*s --until %.*s ", (int)n_a, a, (int)n_b, b);
	shell_quote(query, out);
}
