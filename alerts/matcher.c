/*
 * alerts/matcher.c - matchers of labels.
 * One job: Alertmanager's a="b", a!="b", a=~"b", a!~"b" from text, on labels, and back.
 * Floor: 4 (uses logsql, base).
 */
#include "alerts/matcher.h"

#include <stdlib.h>

#include "base/utf8.h"
#include "logsql/regex.h"

/* A pattern and what one thread needs to match it. */
struct matcher_regex {
	const struct regex *re;
	struct regex_scratch scratch;
};

static void
regex_gone(void *p)
{
	struct matcher_regex *r = p;

	regex_scratch_fini(&r->scratch);
}

bool
label_name_valid(struct str name)
{
	size_t i;
	uint8_t c;

	for (i = 0; i < name.n; i++) {
		c = str_lower_byte(name.p[i]);
		if (!((c >= 'a' && c <= 'z') || c == '_' || (i > 0 && c >= '0' && c <= '9')))
			return false;
	}
	return name.n > 0;
}

static int
make_regex(struct str value, struct arena *arena, void **ret, struct buf *ret_why)
{
	char why[REGEX_ERROR_MAX];
	struct matcher_regex *made = arena_zalloc(arena, 1, sizeof(*made));
	int r;

	if (made == NULL)
		return err_origin(-ENOMEM);
	made->scratch = (struct regex_scratch)REGEX_SCRATCH_INIT;
	r = regex_compile(&made->re, value, REGEX_ANCHORED, arena, why);
	if (r == REGEX_E_SYNTAX) {
		buf_printf(ret_why, "bad regular expression '%.*s': %s", STR_ARG(value), why);
		return MATCHER_E_BAD;
	}
	if (r != 0)
		return err_fold(r);
	r = arena_defer(arena, regex_gone, made);
	if (r < 0)
		return err_trace(r);
	*ret = made;
	return 0;
}

int
matcher_make(enum matcher_op op, struct str name, struct str value, struct arena *arena,
    struct matcher *ret, struct buf *ret_why)
{
	struct matcher m = { op, arena_dup(arena, name), arena_dup(arena, value), NULL };
	int r;

	if (m.name.p == NULL || m.value.p == NULL)
		return err_origin(-ENOMEM);
	if (op == MATCH_REGEX || op == MATCH_NOT_REGEX) {
		r = make_regex(m.value, arena, &m.regex, ret_why);
		if (r != 0)
			return r;
	}
	*ret = m;
	return 0;
}

/* ---- from text ---- */

static bool
is_name_byte(uint8_t c, bool first)
{
	uint8_t low = str_lower_byte(c);

	return (low >= 'a' && low <= 'z') || c == '_' || c == ':' ||
	    (!first && c >= '0' && c <= '9');
}

/* name and op off the front of ${s}; what is left is the value as written. */
static bool
take_name_op(struct str *s, struct str *ret_name, enum matcher_op *ret_op)
{
	static const struct {
		struct str text;
		enum matcher_op op;
	} ops[] = { { STR_INIT("=~"), MATCH_REGEX }, { STR_INIT("="), MATCH_EQUAL },
		{ STR_INIT("!="), MATCH_NOT_EQUAL }, { STR_INIT("!~"), MATCH_NOT_REGEX } };
	size_t n = 0, i;

	*s = str_trim(*s);
	while (n < s->n && is_name_byte(s->p[n], n == 0))
		n++;
	*ret_name = str_sub(*s, 0, n);
	*s = str_trim(str_sub(*s, n, s->n));
	for (i = 0; n > 0 && i < ARRAY_LEN(ops); i++)
		if (str_starts(*s, ops[i].text)) {
			*ret_op = ops[i].op;
			*s = str_trim(str_sub(*s, ops[i].text.n, s->n));
			return true;
		}
	return false;
}

/* The value without its quotes and backslashes; false: a quote stands where none may. */
static bool
unquote(struct str s, struct buf *out)
{
	bool quoted = s.n > 0 && s.p[0] == '"', escaped = false;
	size_t i;

	for (i = quoted; i < s.n; i++) {
		uint8_t c = s.p[i];

		if (escaped) {
			escaped = false;
			if (c != 'n' && c != '"' && c != '\\')
				buf_byte(out, '\\'); /* it escaped nothing and stands for itself */
			buf_byte(out, c == 'n' ? '\n' : c);
		} else if (c == '\\' && i + 1 < s.n) {
			escaped = true;
		} else if (c == '"') {
			if (!quoted || i + 1 < s.n)
				return false;
			quoted = false;
		} else {
			buf_byte(out, c);
		}
	}
	return !quoted;
}

int
matcher_parse(struct str text, struct arena *arena, struct matcher *ret, struct buf *ret_why)
{
	AUTO_FINI(buf_fini) struct buf value = BUF_INIT;
	struct str rest = text, name;
	enum matcher_op op;

	if (!take_name_op(&rest, &name, &op)) {
		buf_printf(ret_why, "bad matcher format: %.*s", STR_ARG(text));
		return MATCHER_E_BAD;
	}
	if (!utf8_valid(rest)) {
		buf_printf(ret_why, "matcher value not valid UTF-8: %.*s", STR_ARG(rest));
		return MATCHER_E_BAD;
	}
	if (!unquote(rest, &value)) {
		buf_printf(ret_why, "matcher value contains unescaped double quote: %.*s",
		    STR_ARG(rest));
		return MATCHER_E_BAD;
	}
	if (buf_err(&value) < 0)
		return err_origin(-ENOMEM);
	return matcher_make(op, name, buf_view(&value), arena, ret, ret_why);
}

/* The bytes up to the next comma that stands in no quotes. */
static size_t
token_end(struct str s, size_t at)
{
	bool quoted = false, escaped = false;

	for (; at < s.n && (s.p[at] != ',' || quoted); at++) {
		if (s.p[at] == '"' && !escaped)
			quoted = !quoted;
		escaped = s.p[at] == '\\' && !escaped;
	}
	return at;
}

int
matchers_parse(struct str text, struct arena *arena, struct matcher **ret, size_t *ret_n,
    struct buf *ret_why)
{
	struct matcher *all;
	size_t at, end, n = 0;
	int r;

	if (text.n > 1 && text.p[0] == '{' && text.p[text.n - 1] == '}')
		text = str_sub(text, 1, text.n - 1);
	all = arena_zalloc(arena, text.n / 2 + 1, sizeof(*all)); /* a= and a comma */
	if (all == NULL)
		return err_origin(-ENOMEM);
	for (at = 0; at < text.n; at = end + 1) {
		end = token_end(text, at);
		if (end == text.n && str_trim(str_sub(text, at, end)).n == 0)
			break;
		r = matcher_parse(str_sub(text, at, end), arena, &all[n], ret_why);
		if (r != 0)
			return r;
		n++;
	}
	*ret = all;
	*ret_n = n;
	return 0;
}

/* ---- on labels ---- */

bool
matcher_matches(const struct matcher *m, struct str value)
{
	struct matcher_regex *re = m->regex;

	switch (m->op) {
	case MATCH_EQUAL:
		return str_eq(m->value, value);
	case MATCH_NOT_EQUAL:
		return !str_eq(m->value, value);
	case MATCH_REGEX:
		return regex_test(re->re, &re->scratch, value) == 1;
	case MATCH_NOT_REGEX:
		return regex_test(re->re, &re->scratch, value) != 1;
	}
	return false;
}

bool
matchers_match(const struct matcher *m, size_t n, const struct labels *l)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (!matcher_matches(&m[i], labels_get(l, m[i].name)))
			return false;
	return true;
}

bool
matchers_filter(const struct matcher *m, size_t n, const struct labels *l)
{
	struct str value;
	bool negative;
	size_t i;

	for (i = 0; i < n; i++) {
		value = labels_get(l, m[i].name);
		negative = m[i].op == MATCH_NOT_EQUAL || m[i].op == MATCH_NOT_REGEX;
		if (m[i].value.n == 0 && (value.n > 0) == negative)
			continue;
		if (!matcher_matches(&m[i], value))
			return false;
	}
	return true;
}

/* ---- order and text ---- */

static int
matcher_order(const void *a, const void *b)
{
	const struct matcher *x = a, *y = b;
	int r = str_cmp(x->name, y->name);

	if (r == 0)
		r = str_cmp(x->value, y->value);
	return r != 0 ? r : (int)x->op - (int)y->op;
}

void
matchers_sort(struct matcher *m, size_t n)
{
	if (n > 1)
		qsort(m, n, sizeof(*m), matcher_order);
}

bool
matchers_equal(const struct matcher *a, size_t n_a, const struct matcher *b, size_t n_b)
{
	size_t i;

	for (i = 0; i < n_a && i < n_b && matcher_order(&a[i], &b[i]) == 0; i++)
		;
	return n_a == n_b && i == n_a;
}

static void
format_value(struct buf *out, struct str s)
{
	size_t i;

	for (i = 0; i < s.n; i++) {
		if (s.p[i] == '\\' || s.p[i] == '"')
			buf_byte(out, '\\');
		if (s.p[i] == '\n')
			buf_c(out, "\\n");
		else
			buf_byte(out, s.p[i]);
	}
}

void
matchers_format(struct buf *out, const struct matcher *m, size_t n)
{
	static const char *const ops[] = { "=", "!=", "=~", "!~" };
	size_t i;

	buf_c(out, "{");
	for (i = 0; i < n; i++) {
		if (i > 0)
			buf_c(out, ",");
		buf_str(out, m[i].name);
		buf_c(out, ops[m[i].op]);
		buf_c(out, "\"");
		format_value(out, m[i].value);
		buf_c(out, "\"");
	}
	buf_c(out, "}");
}
