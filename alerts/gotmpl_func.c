/*
 * alerts/gotmpl_func.c - functions of templates.
 * One job: Go's and Prometheus' functions over values, in one table.
 * Floor: 4 (uses base).
 */
#define PCRE2_CODE_UNIT_WIDTH 8

#include <arpa/inet.h>
#include <math.h>
#include <pcre2.h>
#include <stdio.h>

#include "alerts/gotmpl_internal.h"
#include "doc/walk.h"

enum { MATCH_LIMIT = 100000, PATTERN_MAX = 4096 };

static int
give_text(struct tmpl_run *run, struct str s, struct tmpl_value *ret)
{
	*ret = (struct tmpl_value){ .type = TMPL_STRING, .s = s };
	(void)run;
	return 0;
}

static int
give_bool(bool b, struct tmpl_value *ret)
{
	*ret = (struct tmpl_value){ .type = TMPL_BOOL, .b = b };
	return 0;
}

/* ---- and, or, not, comparisons ---- */

static int
fn_and(struct tmpl_run *run, const struct tmpl_value *args, size_t n, struct tmpl_value *ret)
{
	size_t i = 0;

	while (i + 1 < n && tmpl_true(&args[i]))
		i++;
	*ret = args[i];
	return 0;
}

static int
fn_or(struct tmpl_run *run, const struct tmpl_value *args, size_t n, struct tmpl_value *ret)
{
	size_t i = 0;

	while (i + 1 < n && !tmpl_true(&args[i]))
		i++;
	*ret = args[i];
	return 0;
}

static int
fn_not(struct tmpl_run *run, const struct tmpl_value *args, size_t n, struct tmpl_value *ret)
{
	return give_bool(!tmpl_true(&args[0]), ret);
}

static bool
is_number(const struct tmpl_value *v)
{
	return v->type == TMPL_INT || v->type == TMPL_FLOAT;
}

/* -1, 0, 1; 2: not ordered (NaN). */
static int
compare(struct tmpl_run *run, const struct tmpl_value *a, const struct tmpl_value *b, int *ret)
{
	double x, y;

	if (a->type == TMPL_INT && b->type == TMPL_INT)
		*ret = (a->i > b->i) - (a->i < b->i);
	else if (is_number(a) && is_number(b)) {
		(void)tmpl_number(a, &x);
		(void)tmpl_number(b, &y);
		*ret = isnan(x) || isnan(y) ? 2 : (x > y) - (x < y);
	} else if (a->type == TMPL_STRING && b->type == TMPL_STRING)
		*ret = str_cmp(a->s, b->s);
	else if (a->type == TMPL_BOOL && b->type == TMPL_BOOL)
		*ret = a->b == b->b ? 0 : 2;
	else
		return tmpl_fail(run, "%s and %s cannot be compared", tmpl_type_name(a->type),
		    tmpl_type_name(b->type));
	return 0;
}

static int
fn_eq(struct tmpl_run *run, const struct tmpl_value *args, size_t n, struct tmpl_value *ret)
{
	int c = 1, r = 0;
	size_t i;

	for (i = 1; r == 0 && i < n && c != 0; i++)
		r = compare(run, &args[0], &args[i], &c);
	return r != 0 ? r : give_bool(c == 0, ret);
}

#define ORDER(name, test)                                                              \
	static int name(struct tmpl_run *run, const struct tmpl_value *args, size_t n, \
	    struct tmpl_value *ret)                                                    \
	{                                                                              \
		int c = 0, r = compare(run, &args[0], &args[1], &c);                   \
		return r != 0 ? r : give_bool(test, ret);                              \
	}
ORDER(fn_ne, c != 0)
ORDER(fn_lt, c < 0)
ORDER(fn_le, c <= 0)
ORDER(fn_gt, c == 1 || (c > 1 && args[0].type == TMPL_STRING))
ORDER(fn_ge, c == 0 || c == 1 || (c > 1 && args[0].type == TMPL_STRING))

/* ---- texts ---- */

static int
fn_len(struct tmpl_run *run, const struct tmpl_value *args, size_t n, struct tmpl_value *ret)
{
	if (args[0].type != TMPL_STRING && args[0].type != TMPL_MAP)
		return tmpl_fail(run, "len takes a text or a map, found %s",
		    tmpl_type_name(args[0].type));
	*ret = (struct tmpl_value){ .type = TMPL_INT,
		.i = (int64_t)(args[0].type == TMPL_MAP ? args[0].map.n : args[0].s.n) };
	return 0;
}

static int
fn_index(struct tmpl_run *run, const struct tmpl_value *args, size_t n, struct tmpl_value *ret)
{
	return give_text(run, labels_get(&args[0].map, args[1].s), ret);
}

static int
fn_print(struct tmpl_run *run, const struct tmpl_value *args, size_t n, struct tmpl_value *ret)
{
	AUTO_FINI(buf_fini) struct buf out = BUF_INIT;
	size_t i;

	for (i = 0; i < n; i++) {
		/* Go's rule: a blank between two that are no texts. */
		if (i > 0 && args[i].type != TMPL_STRING && args[i - 1].type != TMPL_STRING)
			buf_byte(&out, ' ');
		tmpl_print(&out, &args[i]);
	}
	return tmpl_keep(run, &out, ret);
}

static int
fn_println(struct tmpl_run *run, const struct tmpl_value *args, size_t n, struct tmpl_value *ret)
{
	AUTO_FINI(buf_fini) struct buf out = BUF_INIT;
	size_t i;

	for (i = 0; i < n; i++) {
		if (i > 0)
			buf_byte(&out, ' ');
		tmpl_print(&out, &args[i]);
	}
	buf_byte(&out, '\n');
	return tmpl_keep(run, &out, ret);
}

enum letters { LETTERS_UPPER, LETTERS_LOWER, LETTERS_TITLE };

static int
change_case(struct tmpl_run *run, struct str s, enum letters how, struct tmpl_value *ret)
{
	AUTO_FINI(buf_fini) struct buf out = BUF_INIT;
	bool start = true, up;
	size_t i;
	uint8_t c;

	for (i = 0; i < s.n; i++) {
		c = str_lower_byte(s.p[i]);
		up = how == LETTERS_UPPER || (how == LETTERS_TITLE && start);
		start = !((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' ||
		    c == '\'' || c >= 0x80);
		if (!(c >= 'a' && c <= 'z'))
			c = s.p[i];
		else if (how == LETTERS_TITLE && !up)
			c = s.p[i];
		else if (up)
			c = (uint8_t)(c - 'a' + 'A');
		buf_byte(&out, c);
	}
	return tmpl_keep(run, &out, ret);
}

#define CASE(name, how)                                                                \
	static int name(struct tmpl_run *run, const struct tmpl_value *args, size_t n, \
	    struct tmpl_value *ret)                                                    \
	{                                                                              \
		return change_case(run, args[0].s, how, ret);                          \
	}
CASE(fn_upper, LETTERS_UPPER)
CASE(fn_lower, LETTERS_LOWER)
CASE(fn_title, LETTERS_TITLE)

static int
fn_same(struct tmpl_run *run, const struct tmpl_value *args, size_t n, struct tmpl_value *ret)
{
	return give_text(run, args[0].s, ret);
}

/* host:port or [host]:port without the port; anything else as it is. */
static int
fn_strip_port(struct tmpl_run *run, const struct tmpl_value *args, size_t n, struct tmpl_value *ret)
{
	struct str s = args[0].s;
	size_t colon = s.n;

	while (colon > 0 && s.p[colon - 1] != ':')
		colon--;
	if (colon == 0)
		return give_text(run, s, ret);
	colon--;
	if (s.p[0] == '[')
		return give_text(run,
		    colon > 1 && s.p[colon - 1] == ']' ? str_sub(s, 1, colon - 1) : s, ret);
	if (str_find_byte(str_sub(s, 0, colon), ':') != SIZE_MAX)
		return give_text(run, s, ret);
	return give_text(run, str_sub(s, 0, colon), ret);
}

static bool
is_address(struct str s)
{
	char text[64];
	uint8_t out[16];

	if (s.n == 0 || s.n >= sizeof(text))
		return false;
	memcpy(text, s.p, s.n);
	text[s.n] = '\0';
	return inet_pton(AF_INET, text, out) == 1 || inet_pton(AF_INET6, text, out) == 1;
}

static int
fn_strip_domain(struct tmpl_run *run, const struct tmpl_value *args, size_t n,
    struct tmpl_value *ret)
{
	AUTO_FINI(buf_fini) struct buf out = BUF_INIT;
	struct tmpl_value host;
	struct str port;
	size_t dot;
	int r;

	r = fn_strip_port(run, args, n, &host);
	if (r != 0)
		return r;
	dot = str_find_byte(host.s, '.');
	if (is_address(host.s) || dot == SIZE_MAX)
		return give_text(run, args[0].s, ret);
	port = str_sub(args[0].s, host.s.n, args[0].s.n);
	buf_str(&out, str_sub(host.s, 0, dot));
	if (port.n > 0 && port.p[0] == ':')
		buf_str(&out, port);
	return tmpl_keep(run, &out, ret);
}

/* ---- patterns ---- */

static int
compile(struct tmpl_run *run, struct str pattern, pcre2_code **ret)
{
	PCRE2_UCHAR why[128];
	PCRE2_SIZE at;
	int err;

	if (pattern.n > PATTERN_MAX)
		return tmpl_fail(run, "the pattern is longer than %d bytes", PATTERN_MAX);
	*ret = pcre2_compile(pattern.p != NULL ? pattern.p : (const uint8_t *)"", pattern.n,
	    PCRE2_UTF | PCRE2_MATCH_INVALID_UTF | PCRE2_NEVER_BACKSLASH_C | PCRE2_DOLLAR_ENDONLY,
	    &err, &at, NULL);
	if (*ret != NULL)
		return 0;
	(void)pcre2_get_error_message(err, why, sizeof(why));
	return tmpl_fail(run, "pattern '%.*s': %s", (int)(pattern.n < 80 ? pattern.n : 80),
	    (const char *)pattern.p, (const char *)why);
}

static pcre2_match_context *
bounds(void)
{
	pcre2_match_context *c = pcre2_match_context_create(NULL);

	if (c != NULL) {
		(void)pcre2_set_match_limit(c, MATCH_LIMIT);
		(void)pcre2_set_depth_limit(c, 1000);
		(void)pcre2_set_heap_limit(c, 4096);
	}
	return c;
}

static int
fn_match(struct tmpl_run *run, const struct tmpl_value *args, size_t n, struct tmpl_value *ret)
{
	struct str s = args[1].s;
	pcre2_match_context *context;
	pcre2_match_data *data;
	pcre2_code *code;
	int r, found;

	r = compile(run, args[0].s, &code);
	if (r != 0)
		return r;
	data = pcre2_match_data_create_from_pattern(code, NULL);
	context = bounds();
	found = data != NULL && context != NULL
	    ? pcre2_match(code, s.p != NULL ? s.p : (const uint8_t *)"", s.n, 0, 0, data, context)
	    : PCRE2_ERROR_NOMEMORY;
	pcre2_match_data_free(data);
	pcre2_match_context_free(context);
	pcre2_code_free(code);
	if (found < 0 && found != PCRE2_ERROR_NOMATCH)
		return tmpl_fail(run, "match: the pattern needs too many steps");
	return give_bool(found >= 0, ret);
}

static int
substitute(struct tmpl_run *run, const pcre2_code *code, struct str with, struct str s,
    struct tmpl_value *ret)
{
	const uint32_t options =
	    PCRE2_SUBSTITUTE_GLOBAL | PCRE2_SUBSTITUTE_UNSET_EMPTY | PCRE2_SUBSTITUTE_UNKNOWN_UNSET;
	pcre2_match_context *context = bounds();
	PCRE2_SIZE n = GOTMPL_OUT_MAX;
	uint8_t *out = arena_alloc(&run->arena, n);
	int r;

	if (out == NULL || context == NULL) {
		pcre2_match_context_free(context);
		return err_origin(-ENOMEM);
	}
	r = pcre2_substitute(code, s.p != NULL ? s.p : (const uint8_t *)"", s.n, 0, options, NULL,
	    context, with.p != NULL ? with.p : (const uint8_t *)"", with.n, out, &n);
	pcre2_match_context_free(context);
	if (r >= 0)
		return give_text(run, str_of(out, n), ret);
	if (r == PCRE2_ERROR_NOMEMORY)
		return tmpl_fail(run, "reReplaceAll: more than %d bytes come out", GOTMPL_OUT_MAX);
	return tmpl_fail(run,
	    "reReplaceAll: the replacement is wrong, or the pattern needs too many steps");
}

static int
fn_replace(struct tmpl_run *run, const struct tmpl_value *args, size_t n, struct tmpl_value *ret)
{
	pcre2_code *code;
	int r;

	r = compile(run, args[0].s, &code);
	if (r != 0)
		return r;
	r = substitute(run, code, args[1].s, args[2].s, ret);
	pcre2_code_free(code);
	return r;
}

/* ---- times ---- */

static int
fn_to_time(struct tmpl_run *run, const struct tmpl_value *args, size_t n, struct tmpl_value *ret)
{
	double v;

	if (!tmpl_number(&args[0], &v) || !isfinite(v) || fabs(v) > 9.2e9)
		return tmpl_fail(run, "toTime takes seconds since 1970");
	*ret = (struct tmpl_value){ .type = TMPL_TIME, .f = v };
	return 0;
}

static int
fn_parse_duration(struct tmpl_run *run, const struct tmpl_value *args, size_t n,
    struct tmpl_value *ret)
{
	struct span d;

	if (span_parse(args[0].s, &d) != 0)
		return tmpl_fail(run, "parseDuration takes a duration such as 1h30m, found '%.*s'",
		    (int)(args[0].s.n < 60 ? args[0].s.n : 60), (const char *)args[0].s.p);
	*ret = (struct tmpl_value){ .type = TMPL_FLOAT, .f = (double)d.ns / 1e9 };
	return 0;
}

/* ---- the table ---- */

static const char no_query[] =
    "is for results of query, which is not done here; other results of the row are $values.name";
static const char no_page[] = "makes links into Prometheus' pages, which are not here";
static const char no_template[] = "is for template, which is not done here";

static const struct tmpl_func functions[] = {
	{ "and", "a+", TMPL_ANY, fn_and },
	{ "or", "a+", TMPL_ANY, fn_or },
	{ "not", "a", TMPL_BOOL, fn_not },
	{ "eq", "aa+", TMPL_BOOL, fn_eq },
	{ "ne", "aa", TMPL_BOOL, fn_ne },
	{ "lt", "aa", TMPL_BOOL, fn_lt },
	{ "le", "aa", TMPL_BOOL, fn_le },
	{ "gt", "aa", TMPL_BOOL, fn_gt },
	{ "ge", "aa", TMPL_BOOL, fn_ge },
	{ "len", "a", TMPL_INT, fn_len },
	{ "index", "ms", TMPL_STRING, fn_index },
	{ "print", "a*", TMPL_STRING, fn_print },
	{ "println", "a*", TMPL_STRING, fn_println },
	{ "printf", "sa*", TMPL_STRING, tmpl_printf },
	{ "humanize", "n", TMPL_STRING, tmpl_humanize },
	{ "humanize1024", "n", TMPL_STRING, tmpl_humanize1024 },
	{ "humanizeDuration", "n", TMPL_STRING, tmpl_humanize_duration },
	{ "humanizePercentage", "n", TMPL_STRING, tmpl_humanize_percentage },
	{ "humanizeTimestamp", "n", TMPL_STRING, tmpl_humanize_timestamp },
	{ "title", "s", TMPL_STRING, fn_title },
	{ "toUpper", "s", TMPL_STRING, fn_upper },
	{ "toLower", "s", TMPL_STRING, fn_lower },
	{ "safeHtml", "s", TMPL_STRING, fn_same },
	{ "stripPort", "s", TMPL_STRING, fn_strip_port },
	{ "stripDomain", "s", TMPL_STRING, fn_strip_domain },
	{ "match", "ss", TMPL_BOOL, fn_match },
	{ "reReplaceAll", "sss", TMPL_STRING, fn_replace },
	{ "toTime", "n", TMPL_TIME, fn_to_time },
	{ "parseDuration", "s", TMPL_FLOAT, fn_parse_duration },
	{ "query", "is not done here: an expression that needs two queries takes join or union",
	    TMPL_ANY, NULL },
	{ "first", no_query, TMPL_ANY, NULL },
	{ "value", no_query, TMPL_ANY, NULL },
	{ "label", no_query, TMPL_ANY, NULL },
	{ "strvalue", no_query, TMPL_ANY, NULL },
	{ "sortByLabel", no_query, TMPL_ANY, NULL },
	{ "args", no_template, TMPL_ANY, NULL },
	{ "tmpl", no_template, TMPL_ANY, NULL },
	{ "tableLink", no_page, TMPL_ANY, NULL },
	{ "graphLink", no_page, TMPL_ANY, NULL },
	{ "externalURL", no_page, TMPL_ANY, NULL },
	{ "pathPrefix", no_page, TMPL_ANY, NULL },
	{ "html", "is not needed: mails and pages encode all texts", TMPL_ANY, NULL },
	{ "js", "is not done here", TMPL_ANY, NULL },
	{ "urlquery", "is not done here", TMPL_ANY, NULL },
	{ "slice", "is not done here: printf \"%.20s\" takes the beginning of a text", TMPL_ANY,
	    NULL },
	{ "call", "is not done here", TMPL_ANY, NULL },
	{ "nil", "is not done here", TMPL_ANY, NULL },
};

const struct tmpl_func *
tmpl_func_find(struct str name)
{
	size_t i;

	for (i = 0; i < ARRAY_LEN(functions); i++)
		if (str_eq_c(name, functions[i].name))
			return &functions[i];
	return NULL;
}

const char *
tmpl_func_near(struct str name)
{
	return walk_nearest(name, functions, ARRAY_LEN(functions), sizeof(*functions));
}
