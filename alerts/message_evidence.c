/*
 * alerts/message_evidence.c - evidence in a mail.
 * One job: the histogram, the lines, the forms and the worst request as text for people.
 * Floor: 4 (uses base).
 */
#include "alerts/message_internal.h"

enum { EVIDENCE_SHOWN_MAX = 400 }; /* bytes of one line that are shown */

/* Eighths of a block: the greatest is full, what is not zero shows. */
static void
bars(struct message_doc *d, const json_t *ev)
{
	static const char *const blocks[] = { "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█" };
	AUTO_FINI(buf_fini) struct buf line = BUF_INIT;
	const json_t *list = json_object_get(ev, "bars"), *v;
	char width[SPAN_TEXT_MAX];
	double most = 0;
	size_t i, n;

	json_array_foreach(list, i, v) if (json_number_value(v) > most) most = json_number_value(v);
	if (most <= 0)
		return;
	json_array_foreach(list, i, v)
	{
		double x = json_number_value(v);

		n = x <= 0 ? 0 : (size_t)(x / most * 6.999) + 1;
		buf_c(&line, x <= 0 ? " " : blocks[n]);
	}
	n = span_format(width, (struct span){ message_int(ev, "bar_width") });
	buf_printf(&line, "|  %zu x %.*s, at most %.0f", json_array_size(list), (int)n, width,
	    most);
	doc_pair(d, "rows", buf_view(&line));
}

static void
put_line(const struct message_doc *d, const json_t *l, struct buf *out)
{
	AUTO_FINI(buf_fini) struct buf service = BUF_INIT;
	struct str level = message_str(l, "level");

	doc_clock(d, (struct wall){ message_int(l, "time") }, out);
	message_line(message_str(l, "service"), 40, &service);
	if (service.n > 0)
		buf_printf(out, " %.*s", STR_ARG(buf_view(&service)));
	if (level.n > 0) {
		buf_c(out, " ");
		message_line(level, 16, out);
	}
	buf_c(out, "  ");
	message_line(message_str(l, "text"), EVIDENCE_SHOWN_MAX, out);
	buf_c(out, "\n");
}

static void
lines(struct message_doc *d, const json_t *ev)
{
	AUTO_FINI(buf_fini) struct buf head = BUF_INIT, text = BUF_INIT;
	const json_t *list = json_object_get(ev, "lines"), *l;
	size_t i;

	if (json_array_size(list) == 0)
		return;
	if ((int64_t)json_array_size(list) < message_int(ev, "rows"))
		buf_printf(&head, "Lines (newest %zu of %lld)", json_array_size(list),
		    (long long)message_int(ev, "rows"));
	else
		buf_c(&head, "Lines");
	json_array_foreach(list, i, l) put_line(d, l, &text);
	doc_heading(d, buf_view(&head));
	doc_pre(d, buf_view(&text));
}

static void
patterns(struct message_doc *d, const json_t *ev)
{
	AUTO_FINI(buf_fini) struct buf text = BUF_INIT;
	const json_t *list = json_object_get(ev, "patterns"), *p;
	size_t i;

	json_array_foreach(list, i, p)
	{
		buf_printf(&text, "%8lld x %s ", (long long)message_int(p, "count"),
		    json_is_true(json_object_get(p, "new")) ? "NEW" : "   ");
		message_line(message_str(p, "text"), EVIDENCE_SHOWN_MAX, &text);
		buf_c(&text, "\n");
	}
	if (text.n == 0)
		return;
	doc_heading(d, STR("Patterns"));
	doc_pre(d, buf_view(&text));
}

static void
trace(struct message_doc *d, const json_t *ev)
{
	AUTO_FINI(buf_fini) struct buf head = BUF_INIT, text = BUF_INIT, more = BUF_INIT;
	const json_t *list = json_object_get(ev, "trace"), *l;
	int64_t first = message_int(json_array_get(list, 0), "time");
	size_t i;

	if (json_array_size(list) == 0)
		return;
	buf_c(&head, "Its request ");
	message_line(message_str(ev, "trace_id"), 80, &head);
	json_array_foreach(list, i, l)
	{
		buf_printf(&text, "%+9.3fs ", (double)(message_int(l, "time") - first) / NS_PER_S);
		put_line(d, l, &text);
	}
	buf_c(&more, "weir trace ");
	message_line(message_str(ev, "trace_id"), 80, &more);
	doc_heading(d, buf_view(&head));
	doc_pre(d, buf_view(&text));
	doc_pair(d, "trace", buf_view(&more));
}

void
message_evidence(struct message_doc *d, const json_t *ev)
{
	AUTO_FINI(buf_fini) struct buf expr = BUF_INIT, query = BUF_INIT, cut = BUF_INIT;

	if (!json_is_object(ev))
		return;
	message_line(message_str(ev, "expr"), EVIDENCE_VALUE_MAX, &expr);
	if (expr.n > 0)
		doc_pair(d, "rule", buf_view(&expr));
	bars(d, ev);
	lines(d, ev);
	patterns(d, ev);
	trace(d, ev);
	message_line(message_str(ev, "query"), EVIDENCE_VALUE_MAX * 2, &query);
	if (query.n > 0)
		doc_pair(d, "more", buf_view(&query));
	message_line(message_str(ev, "cut"), 200, &cut);
	if (cut.n > 0)
		doc_pair(d, "note", buf_view(&cut));
}
