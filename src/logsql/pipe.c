/*
 * logsql/pipe.c - pipes of a query.
 * One job: which pipes there are, by which names, and of which parts each is made.
 * Floor: 2 (uses base).
 */
#include "logsql/lex_internal.h"
#include "logsql/pipe_internal.h"

/* The first name of a kind is the one it is written with. */
static const struct {
	const char *name;
	enum pipe_kind kind;
} pipe_names[] = {
	{ "block_stats", PIPE_BLOCK_STATS },
	{ "blocks_count", PIPE_BLOCKS_COUNT },
	{ "collapse_nums", PIPE_COLLAPSE_NUMS },
	{ "copy", PIPE_COPY },
	{ "cp", PIPE_COPY },
	{ "decolorize", PIPE_DECOLORIZE },
	{ "delete", PIPE_DELETE },
	{ "del", PIPE_DELETE },
	{ "drop", PIPE_DELETE },
	{ "rm", PIPE_DELETE },
	{ "drop_empty_fields", PIPE_DROP_EMPTY_FIELDS },
	{ "extract", PIPE_EXTRACT },
	{ "extract_regexp", PIPE_EXTRACT_REGEXP },
	{ "facets", PIPE_FACETS },
	{ "field_names", PIPE_FIELD_NAMES },
	{ "field_values", PIPE_FIELD_VALUES },
	{ "fields", PIPE_FIELDS },
	{ "keep", PIPE_FIELDS },
	{ "filter", PIPE_FILTER },
	{ "where", PIPE_FILTER },
	{ "first", PIPE_FIRST },
	{ "format", PIPE_FORMAT },
	{ "generate_sequence", PIPE_GENERATE_SEQUENCE },
	{ "hash", PIPE_HASH },
	{ "join", PIPE_JOIN },
	{ "json_array_len", PIPE_JSON_ARRAY_LEN },
	{ "last", PIPE_LAST },
	{ "len", PIPE_LEN },
	{ "limit", PIPE_LIMIT },
	{ "head", PIPE_LIMIT },
	{ "math", PIPE_MATH },
	{ "eval", PIPE_MATH },
	{ "offset", PIPE_OFFSET },
	{ "skip", PIPE_OFFSET },
	{ "pack_json", PIPE_PACK_JSON },
	{ "pack_logfmt", PIPE_PACK_LOGFMT },
	{ "patterns", PIPE_PATTERNS },
	{ "query_stats", PIPE_QUERY_STATS },
	{ "rename", PIPE_RENAME },
	{ "mv", PIPE_RENAME },
	{ "replace", PIPE_REPLACE },
	{ "replace_regexp", PIPE_REPLACE_REGEXP },
	{ "running_stats", PIPE_RUNNING_STATS },
	{ "sample", PIPE_SAMPLE },
	{ "set_stream_fields", PIPE_SET_STREAM_FIELDS },
	{ "sort", PIPE_SORT },
	{ "order", PIPE_SORT },
	{ "split", PIPE_SPLIT },
	{ "stats", PIPE_STATS },
	{ "stats_remote", PIPE_STATS },
	{ "stream_context", PIPE_STREAM_CONTEXT },
	{ "time_add", PIPE_TIME_ADD },
	{ "top", PIPE_TOP },
	{ "total_stats", PIPE_TOTAL_STATS },
	{ "trace", PIPE_TRACE },
	{ "union", PIPE_UNION },
	{ "uniq", PIPE_UNIQ },
	{ "unpack_json", PIPE_UNPACK_JSON },
	{ "unpack_logfmt", PIPE_UNPACK_LOGFMT },
	{ "unpack_syslog", PIPE_UNPACK_SYSLOG },
	{ "unpack_words", PIPE_UNPACK_WORDS },
	{ "unroll", PIPE_UNROLL },
};

/* What stands behind the name, in this order. */
static const struct pipe_part *const pipe_parts[PIPE_KINDS][PIPE_PARTS_MAX] = {
	[PIPE_BLOCK_STATS] = { NULL },
	[PIPE_BLOCKS_COUNT] = { &part_as_count },
	[PIPE_COLLAPSE_NUMS] = { &part_if, &part_at, &part_prettify },
	[PIPE_COPY] = { &part_pairs },
	[PIPE_DECOLORIZE] = { &part_bare_field },
	[PIPE_DELETE] = { &part_names_wild },
	[PIPE_DROP_EMPTY_FIELDS] = { NULL },
	[PIPE_EXTRACT] = { &part_if, &part_extract, &part_from, &part_keep_skip },
	[PIPE_EXTRACT_REGEXP] = { &part_if, &part_extract_regexp, &part_from, &part_keep_skip },
	[PIPE_FACETS] = { &part_facets },
	[PIPE_FIELD_NAMES] = { &part_value_filter, &part_as_name },
	[PIPE_FIELD_VALUES] = { &part_from_arg, &part_value_filter, &part_limit },
	[PIPE_FIELDS] = { &part_names_wild },
	[PIPE_FILTER] = { &part_filter },
	[PIPE_FIRST] = { &part_first },
	[PIPE_FORMAT] = { &part_if, &part_format_text, &part_as_word, &part_keep_skip },
	[PIPE_GENERATE_SEQUENCE] = { &part_sample },
	[PIPE_HASH] = { &part_from_arg, &part_as },
	[PIPE_JOIN] = { &part_join },
	[PIPE_JSON_ARRAY_LEN] = { &part_from_arg, &part_as },
	[PIPE_LAST] = { &part_first },
	[PIPE_LEN] = { &part_from_arg, &part_as },
	[PIPE_LIMIT] = { &part_limit_or_10 },
	[PIPE_MATH] = { &part_math },
	[PIPE_OFFSET] = { &part_offset },
	[PIPE_PACK_JSON] = { &part_fields_in, &part_as },
	[PIPE_PACK_LOGFMT] = { &part_fields_in, &part_as },
	[PIPE_PATTERNS] = { &part_patterns, &part_by },
	[PIPE_QUERY_STATS] = { NULL },
	[PIPE_RENAME] = { &part_pairs },
	[PIPE_REPLACE] = { &part_if, &part_replace, &part_at, &part_limit },
	[PIPE_REPLACE_REGEXP] = { &part_if, &part_replace_regexp, &part_at, &part_limit },
	[PIPE_RUNNING_STATS] = { &part_running_stats },
	[PIPE_SAMPLE] = { &part_sample },
	[PIPE_SET_STREAM_FIELDS] = { &part_if, &part_names_wild },
	[PIPE_SORT] = { &part_sort },
	[PIPE_SPLIT] = { &part_separator, &part_from_bare, &part_as_from },
	[PIPE_STATS] = { &part_stats },
	[PIPE_STREAM_CONTEXT] = { &part_context },
	[PIPE_TIME_ADD] = { &part_time_add, &part_at_time },
	[PIPE_TOP] = { &part_top },
	[PIPE_TOTAL_STATS] = { &part_running_stats },
	[PIPE_TRACE] = { &part_by },
	[PIPE_UNION] = { &part_union },
	[PIPE_UNIQ] = { &part_uniq },
	[PIPE_UNPACK_JSON] = { &part_if, &part_from_bare, &part_fields_in, &part_preserve_keys,
	    &part_prefix, &part_keep_skip },
	[PIPE_UNPACK_LOGFMT] = { &part_if, &part_from_bare, &part_fields_in, &part_prefix,
	    &part_keep_skip },
	[PIPE_UNPACK_SYSLOG] = { &part_if, &part_from_bare, &part_syslog_offset, &part_prefix,
	    &part_keep },
	[PIPE_UNPACK_WORDS] = { &part_from_bare, &part_as_from, &part_drop_duplicates },
	[PIPE_UNROLL] = { &part_if, &part_unroll_by },
};

const char *
pipe_kind_name(enum pipe_kind kind)
{
	size_t i;

	for (i = 0; i < ARRAY_LEN(pipe_names); i++)
		if (pipe_names[i].kind == kind)
			return pipe_names[i].name;
	return "";
}

/* Stats without its keyword: it begins with a function or "by"; or with "(", see below. */
static bool
is_likely_stats(const struct lex *l)
{
	return (!l->quoted && stats_is_func(l->token)) || lex_is(l, "by");
}

/* A filter without its keyword: anything quoted, anything that is no word, and field:… */
static int
is_likely_filter(const struct lex *l, bool *ret)
{
	struct lex ahead = *l;
	struct logsql_error ignored = { 0 };
	struct str name;
	uint8_t c;
	int r;

	*ret = false;
	if (part_ends(l))
		return 0;
	c = l->token.n > 0 ? l->token.p[0] : 0;
	*ret = l->quoted ||
	    !(c == '_' || c >= 0x80 || (c >= '0' && c <= '9') ||
	        (str_lower_byte(c) >= 'a' && str_lower_byte(c) <= 'z'));
	if (*ret)
		return 0;
	ahead.error = &ignored;
	r = lex_compound_until(&ahead, LEX_STOPS " :", &name);
	*ret = r == 0 && lex_is(&ahead, ":");
	return r < 0 ? r : 0;
}

/* The name of a pipe that the word was most probably meant to be, or NULL: words are filters, and not to be refused lightly. */
static const char *
near_pipe(const struct lex *l)
{
	size_t i;

	for (i = 0; i < ARRAY_LEN(pipe_names) && !logsql_is_keyword(l->token); i++)
		if (logsql_is_slip(l->token, str_c(pipe_names[i].name)))
			return pipe_names[i].name;
	return NULL;
}

static int
parts_parse(struct lex *l, struct pipe *p)
{
	size_t i;
	int r;

	for (i = 0; i < PIPE_PARTS_MAX && pipe_parts[p->kind][i] != NULL; i++) {
		r = pipe_parts[p->kind][i]->parse(l, p);
		if (r != 0)
			return r;
	}
	return 0;
}

/* A bare word is a filter too, unless it looks like a misspelt pipe. */
static int
word_parse(struct lex *l, struct pipe *p)
{
	struct lex start = *l;
	const char *near;
	int r;

	if (part_ends(l))
		return lex_fail_want(l, "a pipe");
	near = near_pipe(l);
	if (near != NULL)
		return lex_fail(l, "there is no pipe %.*s; did you mean %s?",
		    l->token.n > 40 ? 40 : (int)l->token.n, (const char *)l->token.p, near);
	r = parts_parse(l, p);
	if (r < 0 || (r == 0 && part_ends(l)))
		return r;
	*l = start;
	return lex_fail_want(l, "the name of a pipe");
}

/* Whether "(" begins the fields of stats: a list of them and then a function; else it begins a filter. */
static int
is_stats_by(const struct lex *l, bool *ret)
{
	struct logsql_error ignored = { 0 };
	struct lex ahead = *l;
	struct stats_by *by;
	size_t n;
	int r;

	ahead.error = &ignored;
	r = stats_by_parse(&ahead, &by, &n);
	*ret = r == 0 && is_likely_stats(&ahead);
	return r < 0 ? err_trace(r) : 0;
}

static int
unnamed_parse(struct lex *l, struct pipe *p)
{
	bool stats = is_likely_stats(l), filter = false;
	int r = 0;

	if (lex_is(l, "("))
		r = is_stats_by(l, &stats);
	if (r == 0 && !stats)
		r = is_likely_filter(l, &filter);
	if (r != 0)
		return r;
	if (stats) {
		p->kind = PIPE_STATS;
		return parts_parse(l, p);
	}
	p->kind = PIPE_FILTER;
	return filter ? parts_parse(l, p) : word_parse(l, p);
}

int
pipe_parse(struct lex *l, struct pipe **ret)
{
	struct pipe *p = arena_zalloc(l->arena, 1, sizeof(*p));
	size_t i;
	int r;

	if (p == NULL)
		return err_origin(-ENOMEM);
	for (i = 0; i < ARRAY_LEN(pipe_names) && !lex_is(l, pipe_names[i].name); i++)
		continue;
	if (i < ARRAY_LEN(pipe_names)) {
		p->kind = pipe_names[i].kind;
		r = lex_next(l);
		if (r == 0)
			r = parts_parse(l, p);
	} else {
		r = unnamed_parse(l, p);
	}
	if (r != 0)
		return r;
	if (!part_ends(l))
		return lex_fail_want(l, "'|' or the end of the query");
	*ret = p;
	return 0;
}

void
pipe_format(struct buf *out, const struct pipe *p)
{
	size_t i;

	buf_c(out, pipe_kind_name(p->kind));
	for (i = 0; i < PIPE_PARTS_MAX && pipe_parts[p->kind][i] != NULL; i++)
		pipe_parts[p->kind][i]->format(out, p);
}
