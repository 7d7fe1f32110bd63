/*
 * logsql/pipe_part_field.c - fields that pipes read and write.
 * One job: if (…), from, at, as, fields (…), result_prefix and what else names fields or says which
 * rows change.
 * Floor: 2 (uses base).
 */
#include "logsql/pipe_internal.h"

static bool
is_msg(struct str name)
{
	return str_eq(name, STR("_msg"));
}

static void
put_word(struct buf *out, const char *word, struct str name)
{
	buf_byte(out, ' ');
	buf_c(out, word);
	buf_byte(out, ' ');
	logsql_quote(out, name);
}

/* [word] name, with ${word} optional, unless the pipe ends here; else ${standard}. */
static int
parse_named(struct lex *l, const char *word, struct str standard, struct str *ret)
{
	bool had;
	int r;

	*ret = standard;
	r = part_skip(l, word, &had);
	if (r != 0 || (!had && part_ends(l)))
		return r;
	return part_name(l, ret);
}

/* word name, only if ${word} is there; else ${standard}. */
static int
parse_after(struct lex *l, const char *word, struct str standard, struct str *ret)
{
	bool had;
	int r;

	*ret = standard;
	r = part_skip(l, word, &had);
	if (r != 0 || !had)
		return r;
	return part_name(l, ret);
}

static int
if_parse(struct lex *l, struct pipe *p)
{
	bool had;
	int r;

	r = part_skip(l, "if", &had);
	if (r != 0 || !had)
		return r;
	return part_condition(l, &p->filter);
}

static void
if_format(struct buf *out, const struct pipe *p)
{
	if (p->filter == NULL)
		return;
	buf_c(out, " if (");
	filter_format(out, p->filter);
	buf_byte(out, ')');
}

static int
filter_part_parse(struct lex *l, struct pipe *p)
{
	return filter_parse(l, &p->filter);
}

static void
filter_part_format(struct buf *out, const struct pipe *p)
{
	buf_byte(out, ' ');
	filter_format(out, p->filter);
}

static int
from_parse(struct lex *l, struct pipe *p)
{
	return parse_after(l, "from", STR("_msg"), &p->from);
}

static void
from_format(struct buf *out, const struct pipe *p)
{
	if (!is_msg(p->from))
		put_word(out, "from", p->from);
}

static int
from_bare_parse(struct lex *l, struct pipe *p)
{
	p->from = STR("_msg");
	if (lex_is_any(l,
	        "fields preserve_keys offset result_prefix keep_original_fields skip_empty_results "
	        "drop_duplicates as"))
		return 0;
	return parse_named(l, "from", p->from, &p->from);
}

static int
from_arg_parse(struct lex *l, struct pipe *p)
{
	bool had;
	int r;

	r = part_skip(l, "(", &had);
	if (r == 0)
		r = part_name(l, &p->from);
	if (r == 0 && had)
		r = lex_expect(l, ")");
	return r;
}

static void
from_arg_format(struct buf *out, const struct pipe *p)
{
	buf_byte(out, '(');
	logsql_quote(out, p->from);
	buf_byte(out, ')');
}

static int
at_parse(struct lex *l, struct pipe *p)
{
	return parse_after(l, "at", STR("_msg"), &p->from);
}

static void
at_format(struct buf *out, const struct pipe *p)
{
	if (!is_msg(p->from))
		put_word(out, "at", p->from);
}

static int
at_time_parse(struct lex *l, struct pipe *p)
{
	return parse_after(l, "at", STR("_time"), &p->from);
}

static void
at_time_format(struct buf *out, const struct pipe *p)
{
	if (!str_eq(p->from, STR("_time")))
		put_word(out, "at", p->from);
}

static int
as_parse(struct lex *l, struct pipe *p)
{
	return parse_named(l, "as", STR("_msg"), &p->to);
}

static int
as_word_parse(struct lex *l, struct pipe *p)
{
	return parse_after(l, "as", STR("_msg"), &p->to);
}

static void
as_format(struct buf *out, const struct pipe *p)
{
	if (!is_msg(p->to))
		put_word(out, "as", p->to);
}

static int
as_from_parse(struct lex *l, struct pipe *p)
{
	p->to = p->from;
	if (lex_is(l, "drop_duplicates"))
		return 0;
	return parse_named(l, "as", p->from, &p->to);
}

static void
as_from_format(struct buf *out, const struct pipe *p)
{
	if (!str_eq(p->from, p->to))
		put_word(out, "as", p->to);
}

static int
as_count_parse(struct lex *l, struct pipe *p)
{
	return parse_named(l, "as", STR("blocks_count"), &p->to);
}

static void
as_count_format(struct buf *out, const struct pipe *p)
{
	if (!str_eq(p->to, STR("blocks_count")))
		put_word(out, "as", p->to);
}

static int
as_name_parse(struct lex *l, struct pipe *p)
{
	return parse_named(l, "as", STR("name"), &p->to);
}

static void
as_name_format(struct buf *out, const struct pipe *p)
{
	if (!str_eq(p->to, STR("name")))
		put_word(out, "as", p->to);
}

/* decolorize [field]. */
static int
bare_field_parse(struct lex *l, struct pipe *p)
{
	p->from = STR("_msg");
	return part_ends(l) ? 0 : part_name(l, &p->from);
}

static void
bare_field_format(struct buf *out, const struct pipe *p)
{
	if (is_msg(p->from))
		return;
	buf_byte(out, ' ');
	logsql_quote(out, p->from);
}

static int
names_wild_parse(struct lex *l, struct pipe *p)
{
	return part_names(l, true, &p->names);
}

static void
names_format(struct buf *out, const struct pipe *p)
{
	buf_byte(out, ' ');
	part_format_names(out, &p->names);
}

static int
pairs_parse(struct lex *l, struct pipe *p)
{
	struct str from, to;
	bool more = true;
	int r;

	while (more) {
		r = part_wild(l, &from);
		if (r == 0)
			r = part_skip(l, "as", NULL);
		if (r == 0)
			r = part_wild(l, &to);
		if (r == 0)
			r = part_names_add(l, &p->names, from);
		if (r == 0)
			r = part_names_add(l, &p->targets, to);
		if (r == 0)
			r = part_skip(l, ",", &more);
		if (r != 0)
			return r;
	}
	return 0;
}

static void
pairs_format(struct buf *out, const struct pipe *p)
{
	size_t i;

	for (i = 0; i < p->names.n; i++) {
		buf_c(out, i > 0 ? ", " : " ");
		part_format_name(out, p->names.p[i]);
		buf_c(out, " as ");
		part_format_name(out, p->targets.p[i]);
	}
}

static bool
names_mean_all(const struct names *names)
{
	size_t i;

	for (i = 0; i < names->n; i++)
		if (str_eq(names->p[i], STR("*")))
			return true;
	return false;
}

static int
fields_in_parse(struct lex *l, struct pipe *p)
{
	bool had;
	int r;

	r = part_skip(l, "fields", &had);
	if (r != 0 || !had)
		return r;
	r = part_names_in(l, true, &p->names);
	if (r == 0 && names_mean_all(&p->names))
		p->names.n = 0;
	return r;
}

static void
fields_in_format(struct buf *out, const struct pipe *p)
{
	if (p->names.n == 0)
		return;
	buf_c(out, " fields (");
	part_format_names(out, &p->names);
	buf_byte(out, ')');
}

static int
preserve_keys_parse(struct lex *l, struct pipe *p)
{
	bool had;
	int r;

	r = part_skip(l, "preserve_keys", &had);
	if (r != 0 || !had)
		return r;
	return part_names_in(l, false, &p->keep);
}

static void
preserve_keys_format(struct buf *out, const struct pipe *p)
{
	if (p->keep.n == 0)
		return;
	buf_c(out, " preserve_keys (");
	part_format_names(out, &p->keep);
	buf_byte(out, ')');
}

static int
prefix_parse(struct lex *l, struct pipe *p)
{
	bool had;
	int r;

	r = part_skip(l, "result_prefix", &had);
	if (r != 0 || !had)
		return r;
	return lex_compound(l, &p->text);
}

static void
prefix_format(struct buf *out, const struct pipe *p)
{
	if (p->text.n != 0)
		put_word(out, "result_prefix", p->text);
}

static int
keep_parse(struct lex *l, struct pipe *p)
{
	return part_skip(l, "keep_original_fields", &p->keep_original);
}

static int
keep_skip_parse(struct lex *l, struct pipe *p)
{
	int r;

	r = keep_parse(l, p);
	if (r != 0 || p->keep_original)
		return r;
	return part_skip(l, "skip_empty_results", &p->skip_empty);
}

static void
keep_skip_format(struct buf *out, const struct pipe *p)
{
	if (p->keep_original)
		buf_c(out, " keep_original_fields");
	if (p->skip_empty)
		buf_c(out, " skip_empty_results");
}

const struct pipe_part part_if = { if_parse, if_format };
const struct pipe_part part_filter = { filter_part_parse, filter_part_format };
const struct pipe_part part_from = { from_parse, from_format };
const struct pipe_part part_from_bare = { from_bare_parse, from_format };
const struct pipe_part part_from_arg = { from_arg_parse, from_arg_format };
const struct pipe_part part_at = { at_parse, at_format };
const struct pipe_part part_at_time = { at_time_parse, at_time_format };
const struct pipe_part part_as = { as_parse, as_format };
const struct pipe_part part_as_word = { as_word_parse, as_format };
const struct pipe_part part_as_from = { as_from_parse, as_from_format };
const struct pipe_part part_as_count = { as_count_parse, as_count_format };
const struct pipe_part part_as_name = { as_name_parse, as_name_format };
const struct pipe_part part_bare_field = { bare_field_parse, bare_field_format };
const struct pipe_part part_names_wild = { names_wild_parse, names_format };
const struct pipe_part part_pairs = { pairs_parse, pairs_format };
const struct pipe_part part_fields_in = { fields_in_parse, fields_in_format };
const struct pipe_part part_preserve_keys = { preserve_keys_parse, preserve_keys_format };
const struct pipe_part part_prefix = { prefix_parse, prefix_format };
const struct pipe_part part_keep = { keep_parse, keep_skip_format };
const struct pipe_part part_keep_skip = { keep_skip_parse, keep_skip_format };
