/*
 * alerts/alerts_ask_text.c - rows beside their condition.
 * One job: what a rule's last windows hold, as lines of text and as JSON.
 * Floor: 4 (uses logsql, base).
 */
#include <inttypes.h>

#include "alerts/alerts_internal.h"
#include "logsql/value.h"

/* ---- text ---- */

static void
put_time(struct buf *out, struct wall t)
{
	char text[WALL_TEXT_MAX];

	buf_printf(out, "%.*s", (int)wall_format(text, t), text);
}

static void
put_values(struct buf *out, const struct labels *l, bool quoted)
{
	double number;
	size_t i;

	for (i = 0; i < l->n; i++) {
		buf_printf(out, "  %.*s=", STR_ARG(l->p[i].name));
		if (!quoted && value_number(l->p[i].value, &number))
			buf_str(out, l->p[i].value);
		else
			buf_json(out, l->p[i].value);
	}
}

static void
put_verdict(struct buf *out, const struct ask_rule *ask, enum rule_form form, bool holds)
{
	if (!holds) {
		buf_printf(out, "   needs %.*s\n", STR_ARG(ask->needs));
		return;
	}
	switch (form) {
	case RULE_THRESHOLD:
	case RULE_NEW_PATTERN:
		buf_c(out, "   holds\n");
		return;
	case RULE_ABSENT:
		buf_c(out, "   is there, needs to be absent\n");
		return;
	case RULE_ANOMALY:
		buf_c(out, "   needs to be outside of what is usual\n");
		return;
	}
}

static void
put_window(struct buf *out, const struct ask_rule *ask, enum rule_form form,
    const struct ask_window *w)
{
	size_t i;

	for (i = 0; i < w->n_rows; i++) {
		buf_c(out, "    ");
		put_time(out, w->at);
		put_values(out, &w->rows[i].labels, true);
		put_values(out, &w->rows[i].values, false);
		put_verdict(out, ask, form, w->rows[i].holds);
	}
	if (w->n_rows > 0 && w->n_all == w->n_rows)
		return;
	buf_c(out, "    ");
	put_time(out, w->at);
	if (w->n_rows > 0)
		buf_printf(out, "  and %" PRIu64 " more\n", w->n_all - w->n_rows);
	else if (w->n_lines > 0)
		buf_printf(out, "  no row comes of %" PRIu64 " lines\n", w->n_lines);
	else
		buf_c(out, "  no line matches\n");
}

static bool
none_matched(const struct ask_rule *ask)
{
	size_t i = 0;

	while (i < ask->n_windows && ask->windows[i].n_lines == 0)
		i++;
	return i == ask->n_windows && ask->cut.n == 0;
}

static void
put_nothing_matched(struct buf *out, const struct ask_rule *ask)
{
	size_t i;

	buf_printf(out, "  no line matches its filter in these windows: %.*s\n",
	    STR_ARG(ask->filter));
	for (i = 0; i < ask->n_hints; i++) {
		buf_c(out, "  since ");
		put_time(out, ask->hints_since);
		buf_printf(out, ": %.*s\n", STR_ARG(ask->hints[i]));
	}
}

void
alerts_ask_text(const struct alerts *a, uint64_t rule_id, struct buf *out)
{
	const struct ask_rule *ask = alerts_ask_of(a, rule_id);
	size_t i, k, n;
	enum rule_form form = RULE_THRESHOLD;

	if (ask == NULL || ask->n_windows == 0)
		return;
	for (i = 0; i < a->n_groups; i++)
		for (k = 0, n = a->groups[i].group->n_rules; k < n; k++)
			if (a->groups[i].rules[k].id == rule_id)
				form = a->groups[i].rules[k].rule->form;
	buf_c(out,
	    ask->needs.n > 0 ? "  rows before its last filter, as the store has them now:\n"
	                     : "  its rows, as the store has them now:\n");
	for (i = 0; i < ask->n_windows; i++)
		if (ask->cut.n == 0 || ask->windows[i].n_all > 0)
			put_window(out, ask, form, &ask->windows[i]);
	if (none_matched(ask))
		put_nothing_matched(out, ask);
	if (ask->cut.n > 0)
		buf_printf(out, "    %.*s\n", STR_ARG(ask->cut));
}

/* ---- JSON ---- */

static void
json_window(struct buf *out, const struct ask_window *w)
{
	size_t i;

	buf_byte(out, '{');
	alerts_json_time(out, "at", w->at);
	buf_printf(out, ",\"lines\":%" PRIu64 ",\"rows\":%" PRIu64 ",\"shown\":[", w->n_lines,
	    w->n_all);
	for (i = 0; i < w->n_rows; i++) {
		buf_c(out, i > 0 ? ",{\"labels\":" : "{\"labels\":");
		alerts_json_labels(out, &w->rows[i].labels);
		buf_c(out, ",\"values\":");
		alerts_json_labels(out, &w->rows[i].values);
		buf_printf(out, ",\"holds\":%s}", w->rows[i].holds ? "true" : "false");
	}
	buf_c(out, "]}");
}

void
alerts_ask_json(const struct alerts *a, uint64_t rule_id, struct buf *out)
{
	const struct ask_rule *ask = alerts_ask_of(a, rule_id);
	size_t i;

	if (ask == NULL || ask->n_windows == 0)
		return;
	buf_c(out, ",\"needs\":");
	buf_json(out, ask->needs);
	buf_c(out, ",\"windows\":[");
	for (i = 0; i < ask->n_windows; i++) {
		buf_c(out, i > 0 ? "," : "");
		json_window(out, &ask->windows[i]);
	}
	buf_c(out, "],\"hints\":[");
	for (i = 0; i < ask->n_hints; i++) {
		buf_c(out, i > 0 ? "," : "");
		buf_json(out, ask->hints[i]);
	}
	buf_c(out, "],\"cut\":");
	buf_json(out, ask->cut);
}
