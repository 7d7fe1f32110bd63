/*
 * alerts/message_doc.c - a mail's two bodies.
 * One job: headings, pairs and lines as plain text and as HTML, side by side.
 * Floor: 4 (uses base).
 *
 * Text comes first: it must be enough.  The HTML has no pictures, links or scripts, and all that came from outside is encoded.
 */
#include "alerts/message_internal.h"

enum { DOC_PAIR_WIDTH = 11, DOC_WRAP = 78 };

static void
html(struct message_doc *d, struct str s)
{
	size_t i;

	for (i = 0; i < s.n; i++) {
		switch (s.p[i]) {
		case '<':
			buf_c(d->html, "&lt;");
			break;
		case '>':
			buf_c(d->html, "&gt;");
			break;
		case '&':
			buf_c(d->html, "&amp;");
			break;
		case '"':
			buf_c(d->html, "&quot;");
			break;
		default:
			buf_byte(d->html, s.p[i]);
			break;
		}
	}
}

void
doc_begin(struct message_doc *d, struct str title, bool firing)
{
	buf_c(d->html,
	    "<!DOCTYPE html><html><head><meta charset=\"utf-8\"></head><body style=\"font:14px/1.4 sans-serif;"
	    "color:#222;max-width:60em\">\n");
	buf_printf(d->html, "<h2 style=\"border-left:8px solid %s;padding-left:8px\">",
	    firing ? "#c0392b" : "#27ae60");
	html(d, title);
	buf_c(d->html, "</h2>\n");
	buf_str(d->text, title);
	buf_c(d->text, "\n");
}

void
doc_end(struct message_doc *d)
{
	buf_c(d->html, "</body></html>\n");
}

void
doc_heading(struct message_doc *d, struct str text)
{
	buf_printf(d->text, "\n%.*s\n", STR_ARG(text));
	buf_c(d->html, "<h3 style=\"margin:1.2em 0 .2em\">");
	html(d, text);
	buf_c(d->html, "</h3>\n");
}

void
doc_para(struct message_doc *d, struct str text)
{
	buf_printf(d->text, "\n%.*s\n", STR_ARG(text));
	buf_c(d->html, "<p>");
	html(d, text);
	buf_c(d->html, "</p>\n");
}

void
doc_pair(struct message_doc *d, const char *name, struct str value)
{
	buf_printf(d->text, "%-*s %.*s\n", DOC_PAIR_WIDTH, name, STR_ARG(value));
	buf_printf(d->html, "<div><b>%s</b> <code>", name);
	html(d, value);
	buf_c(d->html, "</code></div>\n");
}

void
doc_pre(struct message_doc *d, struct str lines)
{
	buf_str(d->text, lines);
	buf_c(d->html,
	    "<pre style=\"background:#f6f6f6;padding:8px;white-space:pre-wrap;margin:.2em 0\">");
	html(d, lines);
	buf_c(d->html, "</pre>\n");
}

static struct civil
local(const struct message_doc *d, struct wall t)
{
	return wall_civil((struct wall){ t.ns + d->zone_s * NS_PER_S });
}

void
doc_clock(const struct message_doc *d, struct wall t, struct buf *out)
{
	struct civil c = local(d, t);

	buf_printf(out, "%02d:%02d:%02d.%03d", c.hour, c.minute, c.second, (int)(c.ns / NS_PER_MS));
}

void
doc_time(const struct message_doc *d, struct wall t, struct buf *out)
{
	struct civil c = local(d, t);
	int zone = d->zone_s < 0 ? -d->zone_s : d->zone_s;

	buf_printf(out, "%04lld-%02d-%02d %02d:%02d:%02d %c%02d:%02d", (long long)c.year, c.month,
	    c.day, c.hour, c.minute, c.second, d->zone_s < 0 ? '-' : '+', zone / 3600,
	    zone / 60 % 60);
}
