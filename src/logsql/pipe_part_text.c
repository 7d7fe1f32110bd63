/*
 * logsql/pipe_part_text.c - patterns, replacements and offsets in pipes.
 * One job: what says how the text of a field is taken apart or changed.
 * Floor: 2 (uses base).
 */
#include "base/utf8.h"
#include "logsql/pipe_internal.h"
#include "logsql/regex.h"

static void
put_text(struct buf *out, struct str text)
{
	buf_byte(out, ' ');
	logsql_quote(out, text);
}

static const struct {
	const char *name;
	uint32_t c;
} entities[] = { { "lt", '<' }, { "gt", '>' }, { "amp", '&' }, { "quot", '"' }, { "apos", '\'' },
	{ "nbsp", 0xa0 } };

/* The character that the entity "&name;" at s means, and its length; false when it is none. */
static bool
entity_at(struct str s, uint32_t *ret_c, size_t *ret_n)
{
	size_t end = str_find_byte(s, ';'), i;
	struct str name;
	uint64_t code = 0;
	bool hex;

	if (end == SIZE_MAX || end < 2 || end > 10)
		return false;
	name = str_sub(s, 1, end);
	*ret_n = end + 1;
	for (i = 0; i < ARRAY_LEN(entities); i++) {
		if (str_eq_c(name, entities[i].name)) {
			*ret_c = entities[i].c;
			return true;
		}
	}
	if (name.p[0] != '#' || name.n < 2)
		return false;
	hex = str_lower_byte(name.p[1]) == 'x';
	for (i = hex ? 2 : 1; i < name.n; i++) {
		uint8_t c = str_lower_byte(name.p[i]);

		if (c >= '0' && c <= '9')
			code = code * (hex ? 16 : 10) + (uint64_t)(c - '0');
		else if (hex && c >= 'a' && c <= 'f')
			code = code * 16 + (uint64_t)(c - 'a' + 10);
		else
			return false;
	}
	*ret_c = (uint32_t)code;
	return code > 0 && code <= 0x10ffff;
}

/*
 * The text of a step with its HTML entities taken for what they mean: &lt; is how '<' stands in a
 * pattern.
 */
static int
unescape(struct lex *l, struct str s, struct str *ret)
{
	uint8_t *p, *to;
	uint32_t c;
	size_t i = 0, n;

	*ret = s;
	if (str_find_byte(s, '&') == SIZE_MAX)
		return 0;
	to = p = arena_alloc(l->arena, s.n + 1);
	if (p == NULL)
		return err_origin(-ENOMEM);
	while (i < s.n) {
		if (s.p[i] == '&' && entity_at(str_sub(s, i, s.n), &c, &n)) {
			to += utf8_encode(to, c);
			i += n;
		} else {
			*to++ = s.p[i++];
		}
	}
	*ret = str_of(p, (size_t)(to - p));
	return 0;
}

/* "option:field" or "field" between < and >. */
static void
split_field(struct str in, struct pattern_step *step)
{
	size_t colon;

	step->has_field = true;
	step->field = in;
	colon = str_find_byte(in, ':');
	if (colon != SIZE_MAX) {
		step->option = str_trim(str_sub(in, 0, colon));
		step->field = str_sub(in, colon + 1, in.n);
	}
	step->field = str_trim(step->field);
	if (str_eq(step->field, STR("_")) || str_eq(step->field, STR("*")))
		step->field = STR_NONE;
}

int
steps_parse(struct lex *l, struct str text, struct pattern_step **ret, size_t *ret_n)
{
	struct pattern_step *steps;
	size_t n = 0, i, cap = 1, open, end;
	int r;

	for (i = 0; i < text.n; i++)
		cap += text.p[i] == '<' ? 1 : 0;
	steps = arena_zalloc(l->arena, cap, sizeof(*steps));
	if (steps == NULL)
		return err_origin(-ENOMEM);
	while (text.n > 0) {
		open = str_find_byte(text, '<');
		r = unescape(l, str_sub(text, 0, open), &steps[n].text);
		if (r != 0)
			return r;
		if (open == SIZE_MAX) {
			n++;
			break;
		}
		text = str_sub(text, open + 1, text.n);
		end = str_find_byte(text, '>');
		if (end == SIZE_MAX)
			return lex_fail(l, "the pattern has a '<' without '>'");
		split_field(str_sub(text, 0, end), &steps[n++]);
		text = str_sub(text, end + 1, text.n);
	}
	*ret = steps;
	*ret_n = n;
	return 0;
}

static int
extract_parse(struct lex *l, struct pipe *p)
{
	struct lex start = *l;
	size_t i, n_named = 0;
	int r;

	r = lex_compound(l, &p->text);
	if (r == 0)
		r = steps_parse(&start, p->text, &p->steps, &p->n_steps);
	if (r != 0)
		return r;
	for (i = 0; i < p->n_steps; i++) {
		if (i > 0 && p->steps[i].text.n == 0)
			return lex_fail(&start, "two fields of a pattern need text between them");
		if (name_is_wild(p->steps[i].field))
			return lex_fail(&start, "a field of a pattern cannot end with '*'");
		n_named += p->steps[i].field.n != 0 ? 1 : 0;
	}
	if (n_named == 0)
		return lex_fail(&start, "expected a pattern with at least one <field>");
	return 0;
}

static int
format_text_parse(struct lex *l, struct pipe *p)
{
	struct lex start = *l;
	size_t i;
	int r;

	r = lex_compound(l, &p->text);
	if (r == 0)
		r = steps_parse(&start, p->text, &p->steps, &p->n_steps);
	if (r != 0)
		return r;
	for (i = 0; i < p->n_steps; i++)
		if (name_is_wild(p->steps[i].field))
			return lex_fail(&start, "a field of a format cannot end with '*'");
	return 0;
}

static void
text_format(struct buf *out, const struct pipe *p)
{
	put_text(out, p->text);
}

static int
regexp_parse(struct lex *l, struct lex *start, struct pipe *p)
{
	char why[REGEX_ERROR_MAX];
	int r;

	r = regex_compile(&p->regex, p->text, 0, l->arena, why);
	if (r == REGEX_E_SYNTAX)
		return lex_fail(start, "not a regular expression: %s", why);
	return r;
}

static int
extract_regexp_parse(struct lex *l, struct pipe *p)
{
	struct lex start = *l;
	size_t i;
	int r;

	r = lex_compound(l, &p->text);
	if (r == 0)
		r = regexp_parse(l, &start, p);
	if (r != 0)
		return r;
	for (i = 1; i <= regex_n_groups(p->regex); i++)
		if (regex_group_name(p->regex, i).n != 0)
			return 0;
	return lex_fail(&start, "expected a regular expression with a named group (?P<field>…)");
}

static int
replace_parse(struct lex *l, struct pipe *p)
{
	int r;

	r = lex_expect(l, "(");
	if (r == 0)
		r = lex_compound(l, &p->text);
	if (r == 0)
		r = lex_expect(l, ",");
	if (r == 0)
		r = lex_compound(l, &p->with);
	if (r == 0)
		r = lex_expect(l, ")");
	return r;
}

static int
replace_regexp_parse(struct lex *l, struct pipe *p)
{
	struct lex start = *l;
	int r;

	r = replace_parse(l, p);
	if (r == 0)
		r = regexp_parse(l, &start, p);
	return r;
}

static void
replace_format(struct buf *out, const struct pipe *p)
{
	buf_c(out, " (");
	logsql_quote(out, p->text);
	buf_c(out, ", ");
	logsql_quote(out, p->with);
	buf_byte(out, ')');
}

static int
separator_parse(struct lex *l, struct pipe *p)
{
	if (lex_is_any(l, "as from"))
		return lex_fail(l, "expected a separator");
	return lex_compound(l, &p->text);
}

static int
prettify_parse(struct lex *l, struct pipe *p)
{
	return part_skip(l, "prettify", &p->flag);
}

static void
prettify_format(struct buf *out, const struct pipe *p)
{
	if (p->flag)
		buf_c(out, " prettify");
}

static int
drop_duplicates_parse(struct lex *l, struct pipe *p)
{
	return part_skip(l, "drop_duplicates", &p->flag);
}

static void
drop_duplicates_format(struct buf *out, const struct pipe *p)
{
	if (p->flag)
		buf_c(out, " drop_duplicates");
}

static void
put_span(struct buf *out, struct span d)
{
	char text[SPAN_TEXT_MAX];

	buf_put(out, text, span_format(text, d));
}

static int
time_add_parse(struct lex *l, struct pipe *p)
{
	return part_span(l, "how much to add", &p->span);
}

static void
span_part_format(struct buf *out, const struct pipe *p)
{
	buf_byte(out, ' ');
	put_span(out, p->span);
}

static int
syslog_offset_parse(struct lex *l, struct pipe *p)
{
	int r;

	r = part_skip(l, "offset", &p->has_span);
	if (r != 0 || !p->has_span)
		return r;
	return part_span(l, "the offset of the zone", &p->span);
}

static void
syslog_offset_format(struct buf *out, const struct pipe *p)
{
	if (!p->has_span)
		return;
	buf_c(out, " offset ");
	put_span(out, p->span);
}

const struct pipe_part part_extract = { extract_parse, text_format };
const struct pipe_part part_extract_regexp = { extract_regexp_parse, text_format };
const struct pipe_part part_format_text = { format_text_parse, text_format };
const struct pipe_part part_replace = { replace_parse, replace_format };
const struct pipe_part part_replace_regexp = { replace_regexp_parse, replace_format };
const struct pipe_part part_separator = { separator_parse, text_format };
const struct pipe_part part_prettify = { prettify_parse, prettify_format };
const struct pipe_part part_drop_duplicates = { drop_duplicates_parse, drop_duplicates_format };
const struct pipe_part part_time_add = { time_add_parse, span_part_format };
const struct pipe_part part_syslog_offset = { syslog_offset_parse, syslog_offset_format };
