/*
 * alerts/rule_place.c - where a mistake stands.
 * One job: the line and column in the file of a byte of a scalar's text, and what is said of it.
 * Floor: 4 (uses doc, base).
 *
 * A scalar's text is not its bytes in the file: lines are folded, indentation is gone, quotes and escapes are decoded.  Both are
 * walked side by side: a run of blanks in the one is a run of blanks in the other, and all else is one to one but for escapes.
 */
#include <stdio.h>

#include "alerts/rule_internal.h"

struct place {
	struct str text; /* of the file */
	size_t at;
	size_t line, column; /* from 1; column in characters */
};

static bool
is_blank(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool
more(const struct place *p)
{
	return p->at < p->text.n;
}

static void
step(struct place *p)
{
	uint8_t c = p->text.p[p->at++];

	if (c == '\n') {
		p->line++;
		p->column = 1;
	} else if ((c & 0xc0) != 0x80)
		p->column++;
}

/* To where the node begins; marks count lines, and characters of a line. */
static struct place
place_of(struct str text, const yaml_node_t *node)
{
	struct place p = { text, 0, 1, 1 };

	while (more(&p) && p.line <= node->start_mark.line)
		step(&p);
	while (more(&p) && p.column <= node->start_mark.column && text.p[p.at] != '\n')
		step(&p);
	return p;
}

/* Over what introduces the text: a quote, or the line of a block's mark. */
static void
skip_lead(struct place *p, yaml_scalar_style_t style)
{
	if (style == YAML_SINGLE_QUOTED_SCALAR_STYLE || style == YAML_DOUBLE_QUOTED_SCALAR_STYLE) {
		if (more(p))
			step(p);
	} else if (style == YAML_LITERAL_SCALAR_STYLE || style == YAML_FOLDED_SCALAR_STYLE) {
		while (more(p) && p->text.p[p->at] != '\n')
			step(p);
		while (more(p) && is_blank(p->text.p[p->at]))
			step(p);
	}
}

static void
step_char(struct place *p, yaml_scalar_style_t style)
{
	uint8_t c = more(p) ? p->text.p[p->at] : 0;

	if (more(p))
		step(p);
	if (more(p) && style == YAML_DOUBLE_QUOTED_SCALAR_STYLE && c == '\\')
		step(p);
	else if (more(p) && style == YAML_SINGLE_QUOTED_SCALAR_STYLE && c == '\'')
		step(p);
}

static struct place
place_find(struct str text, const yaml_node_t *node, size_t at)
{
	struct str s = { node->data.scalar.value, node->data.scalar.length };
	yaml_scalar_style_t style = node->data.scalar.style;
	struct place p = place_of(text, node);
	size_t i = 0;

	skip_lead(&p, style);
	while (i < at && i < s.n) {
		if (is_blank(s.p[i]) && more(&p) && is_blank(p.text.p[p.at])) {
			while (i < at && i < s.n && is_blank(s.p[i]))
				i++;
			/* The end of a text is not the line after it. */
			while (i < s.n && more(&p) && is_blank(p.text.p[p.at]))
				step(&p);
		} else {
			step_char(&p, style);
			i++;
		}
	}
	return p;
}

void
rule_bad_at(struct rule_reader *rd, const yaml_node_t *node, size_t at, const char *fmt, ...)
{
	char text[400];
	struct place p;
	va_list ap;

	if (rd->walk.n_errors++ >= WALK_ERRORS_MAX)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	p = place_find(rd->text, node, at);
	buf_printf(rd->walk.errors, "%s:%zu:%zu: %s\n", rd->walk.name, p.line, p.column, text);
}

void
rule_note(struct rule_reader *rd, const yaml_node_t *node, const char *fmt, ...)
{
	char text[400];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	buf_printf(rd->notes, "%s:%zu:%zu: %s\n", rd->walk.name, node->start_mark.line + 1,
	    node->start_mark.column + 1, text);
}
