/*
 * ingest/redact.c - secrets out of values.
 * One job: replace what patterns match in one value, and mask the value whole where a pattern gives up.
 * Floor: 3 (uses base).
 */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "ingest/redact.h"

#include <pcre2.h>

#include "base/utf8.h"

/* What to put for a match: literal bytes and groups in turn. */
struct part {
	struct str text; /* used when group < 0 */
	int group;
};

struct redact {
	pcre2_code *code;
	pcre2_match_data *match;
	pcre2_match_context *limits;
	struct buf with; /* the replacement's text, which parts borrow */
	struct part *parts;
	size_t n_parts;
	struct buf out;
	struct buf pair; /* a value behind its name */
	struct buf put;  /* what is put for a match in pair */
	bool utf8;
};

/* How a line may write a name and its value. */
struct spelling {
	struct str open, between, close;
};

/* Bytes of a value. */
struct range {
	size_t from, to;
};

enum { REDACT_HEAP_KIB = 4096, REDACT_OUT_MAX = 16 << 20, REDACT_NAME_MAX = 64 };

struct redact *
redact_free(struct redact *rd)
{
	if (rd == NULL)
		return NULL;
	pcre2_match_context_free(rd->limits);
	pcre2_match_data_free(rd->match);
	pcre2_code_free(rd->code);
	buf_fini(&rd->with);
	buf_fini(&rd->out);
	buf_fini(&rd->pair);
	buf_fini(&rd->put);
	free(rd->parts);
	free(rd);
	return NULL;
}

static int
pattern_error(struct buf *ret_error, struct str pattern, const char *why, size_t at)
{
	if (ret_error != NULL)
		buf_printf(ret_error, "redact: pattern '%.*s': %s at offset %zu", STR_ARG(pattern),
		    why, at);
	return REDACT_E_PATTERN;
}

static bool
is_ascii(struct str s)
{
	size_t i;

	for (i = 0; i < s.n; i++)
		if (s.p[i] >= 0x80)
			return false;
	return true;
}

static int
compile(struct redact *rd, struct str pattern, uint32_t match_limit, struct buf *ret_error)
{
	PCRE2_UCHAR text[160];
	PCRE2_SIZE at = 0;
	int code = 0;

	rd->utf8 = !is_ascii(pattern);
	rd->code = pcre2_compile(pattern.n != 0 ? pattern.p : (PCRE2_SPTR) "", pattern.n,
	    PCRE2_NEVER_BACKSLASH_C | (rd->utf8 ? PCRE2_UTF | PCRE2_UCP : 0), &code, &at, NULL);
	if (rd->code == NULL) {
		(void)pcre2_get_error_message(code, text, sizeof(text));
		return pattern_error(ret_error, pattern, (const char *)text, at);
	}
	/* Where memory may not be both written and run, this fails and matching goes on without it. */
	(void)pcre2_jit_compile(rd->code, PCRE2_JIT_COMPLETE);
	rd->match = pcre2_match_data_create_from_pattern(rd->code, NULL);
	rd->limits = pcre2_match_context_create(NULL);
	if (rd->match == NULL || rd->limits == NULL)
		return err_origin(-ENOMEM);
	(void)pcre2_set_match_limit(rd->limits, match_limit);
	(void)pcre2_set_heap_limit(rd->limits, REDACT_HEAP_KIB);
	return 0;
}

static int
add_part(struct redact *rd, struct str text, int group)
{
	struct part *parts;

	if (group < 0 && text.n == 0)
		return 0;
	parts = reallocarray(rd->parts, rd->n_parts + 1, sizeof(*parts));
	if (parts == NULL)
		return err_origin(-ENOMEM);
	rd->parts = parts;
	rd->parts[rd->n_parts++] = (struct part){ text, group };
	return 0;
}

/* The number of the group that the name or number ${s} means, or -1. */
static int
group_number(const struct redact *rd, struct str s)
{
	char name[REDACT_NAME_MAX];
	uint32_t n_groups = 0;
	size_t i;
	int n = 0;

	if (s.n == 0 || s.n >= sizeof(name))
		return -1;
	memcpy(name, s.p, s.n);
	name[s.n] = '\0';
	if (name[0] < '0' || name[0] > '9') {
		n = pcre2_substring_number_from_name(rd->code, (PCRE2_SPTR)name);
		return n < 0 ? -1 : n;
	}
	for (i = 0; i < s.n && n < 100000; i++) {
		if (name[i] < '0' || name[i] > '9')
			return -1;
		n = n * 10 + (name[i] - '0');
	}
	(void)pcre2_pattern_info(rd->code, PCRE2_INFO_CAPTURECOUNT, &n_groups);
	return (uint32_t)n <= n_groups ? n : -1;
}

/* The reference after a '$' at ${s}: its name, and how many bytes it takes; 0 when it is none. */
static size_t
reference(struct str s, struct str *ret_name)
{
	size_t n = 0;

	if (s.n > 0 && s.p[0] == '{') {
		n = str_find_byte(s, '}');
		if (n == SIZE_MAX)
			return 0;
		*ret_name = str_sub(s, 1, n);
		return n + 1;
	}
	while (n < s.n && s.p[n] >= '0' && s.p[n] <= '9')
		n++;
	*ret_name = str_sub(s, 0, n);
	return n;
}

/* A '$' that begins no reference stands for itself. */
static int
split_replacement(struct redact *rd, struct str with, struct str pattern, struct buf *ret_error)
{
	struct str rest, name = STR_NONE;
	size_t at, n;
	int group, r = 0;

	buf_str(&rd->with, with);
	if (buf_err(&rd->with) < 0)
		return err_origin(-ENOMEM);
	rest = buf_view(&rd->with);
	while (r == 0 && (at = str_find_byte(rest, '$')) != SIZE_MAX) {
		r = add_part(rd, str_sub(rest, 0, at), -1);
		rest = str_sub(rest, at, rest.n);
		n = reference(str_sub(rest, 1, rest.n), &name);
		if (n == 0) {
			if (r == 0)
				r = add_part(rd, str_sub(rest, 0, 1), -1);
			n = rest.n > 1 && rest.p[1] == '$' ? 1 : 0;
		} else {
			group = group_number(rd, name);
			if (group < 0)
				return pattern_error(ret_error, pattern,
				    "no such group in the replacement", at);
			if (r == 0)
				r = add_part(rd, STR_NONE, group);
		}
		rest = str_sub(rest, 1 + n, rest.n);
	}
	return r != 0 ? err_trace(r) : err_trace(add_part(rd, rest, -1));
}

int
redact_new(struct redact **ret, struct str pattern, struct str with, uint32_t match_limit,
    struct buf *ret_error)
{
	AUTO(redact_free) struct redact *rd = NULL;
	int r;

	rd = calloc(1, sizeof(*rd));
	if (rd == NULL)
		return err_origin(-ENOMEM);
	r = compile(rd, pattern, match_limit, ret_error);
	if (r == 0)
		r = split_replacement(rd, with, pattern, ret_error);
	if (r != 0)
		return r;
	*ret = TAKE(rd);
	return 0;
}

static void
put_match(const struct redact *rd, struct str subject, struct buf *out)
{
	const PCRE2_SIZE *ov = pcre2_get_ovector_pointer(rd->match);
	uint32_t n_ov = pcre2_get_ovector_count(rd->match);
	const struct part *p;
	size_t i;

	for (i = 0; i < rd->n_parts; i++) {
		p = &rd->parts[i];
		if (p->group < 0)
			buf_str(out, p->text);
		else if ((uint32_t)p->group < n_ov && ov[2 * p->group] != PCRE2_UNSET)
			buf_str(out, str_sub(subject, ov[2 * p->group], ov[2 * p->group + 1]));
	}
}

/* How many bytes the character at ${at} has, so that an empty match moves on by a whole one. */
static size_t
step(const struct redact *rd, struct str value, size_t at)
{
	size_t n = 1;

	while (rd->utf8 && at + n < value.n && (value.p[at + n] & 0xC0) == 0x80)
		n++;
	return n;
}

/* The next match in ${subject} from ${at}: 1, 0 for none, < 0 where PCRE2 gave up. */
static int
next_match(const struct redact *rd, struct str subject, size_t at)
{
	const PCRE2_SIZE *ov = pcre2_get_ovector_pointer(rd->match);
	int rc;

	rc = pcre2_match(rd->code, subject.p, subject.n, at, PCRE2_NO_UTF_CHECK, rd->match,
	    rd->limits);
	if (rc == PCRE2_ERROR_NOMATCH)
		return 0;
	/* \K in a look-around may put the start behind the end: treated as giving up. */
	return rc < 0 || ov[0] > ov[1] || ov[1] < at ? -1 : 1;
}

/*
 * Write ${value} from ${at} with its matches replaced to the end of rd->out; the number of matches, or < 0 where PCRE2 gave up.
 * ${ret_first} is where the first was.
 */
static int
replace_all(struct redact *rd, struct str value, size_t at, struct range *ret_first)
{
	const PCRE2_SIZE *ov = pcre2_get_ovector_pointer(rd->match);
	size_t copied = at;
	int n = 0, r;

	while (at <= value.n) {
		r = next_match(rd, value, at);
		if (r == 0)
			break;
		if (r < 0 || ov[0] < copied || rd->out.n > REDACT_OUT_MAX)
			return -1;
		if (n++ == 0)
			*ret_first = (struct range){ ov[0], ov[1] };
		buf_str(&rd->out, str_sub(value, copied, ov[0]));
		put_match(rd, value, &rd->out);
		copied = ov[1];
		at = ov[1] > ov[0] ? ov[1] : ov[1] + step(rd, value, ov[1]);
	}
	buf_str(&rd->out, str_sub(value, copied, value.n));
	return n;
}

/*
 * What the match just found in ${pair} leaves of the part of the value that it took, to rd->put.  A replacement may write the
 * name again (token=*** for token=abc) or not (***): what stands in front of the value is taken off, in whichever case.
 */
static struct str
value_put(struct redact *rd, struct str pair, size_t n_front, bool closed)
{
	const PCRE2_SIZE *ov = pcre2_get_ovector_pointer(rd->match);
	struct str s;

	buf_clear(&rd->put);
	buf_str(&rd->put, str_sub(pair, 0, ov[0]));
	put_match(rd, pair, &rd->put);
	s = buf_view(&rd->put);
	if (closed && str_ends(s, STR("\"")))
		s.n--;
	if (s.n >= n_front && str_eq_nocase(str_sub(s, 0, n_front), str_sub(pair, 0, n_front)))
		return str_sub(s, n_front, s.n);
	return ov[0] < n_front ? str_sub(s, ov[0], s.n) : s;
}

/*
 * Try the pattern on ${value} behind its name.  A match counts when it begins in the name, or with the value (it then looks back
 * on the name), and takes some of the value; but not where the pattern finds as much in the value alone, which ${first} says.
 * The number of matches, with the new value in rd->out; 0: none; < 0: PCRE2 gave up.
 */
static int
replace_named(struct redact *rd, struct str name, const struct spelling *sp, struct str value,
    struct range first)
{
	const PCRE2_SIZE *ov = pcre2_get_ovector_pointer(rd->match);
	size_t n_name = sp->open.n + name.n, n_front = n_name + sp->between.n, at = 0, start, end;
	struct str pair;
	bool closed;
	int r;

	buf_clear(&rd->pair);
	buf_str(&rd->pair, sp->open);
	buf_str(&rd->pair, name);
	buf_str(&rd->pair, sp->between);
	buf_str(&rd->pair, value);
	buf_str(&rd->pair, sp->close);
	pair = buf_view(&rd->pair);
	while (at <= n_front) {
		r = next_match(rd, pair, at);
		if (r <= 0)
			return r;
		start = pcre2_get_startchar(rd->match);
		if (ov[1] > n_front && (start < n_name || start == n_front))
			break;
		at = ov[1] > at ? ov[1] : at + step(rd, pair, at);
	}
	if (at > n_front)
		return 0;
	/* A quote that ends a match of JSON is the one behind the value: one within would be escaped there. */
	closed = sp->close.n != 0 && pair.p[ov[1] - 1] == '"';
	end = closed ? value.n : ov[1] - n_front;
	if (first.from == 0 && first.to >= end)
		return 0;
	buf_clear(&rd->out);
	buf_str(&rd->out, value_put(rd, pair, n_front, closed));
	r = replace_all(rd, value, end, &first);
	return r < 0 ? r : r + 1;
}

/* The new value is in rd->out.  The number of matches, or < 0 where PCRE2 gave up. */
static int
replace(struct redact *rd, struct str name, bool quoted, struct str value)
{
	const struct spelling logfmt = { STR_NONE, STR("="), STR_NONE };
	const struct spelling json = { STR("\""), quoted ? STR("\":\"") : STR("\":"),
		quoted ? STR("\"") : STR_NONE };
	struct range first = { SIZE_MAX, 0 };
	size_t dot;
	int n, n_named;

	if (rd->utf8 && !(utf8_valid(name) && utf8_valid(value)))
		return -1;
	buf_clear(&rd->out);
	n = replace_all(rd, value, 0, &first);
	if (n < 0 || name.n == 0)
		return n;
	n_named = replace_named(rd, name, &logfmt, value, first);
	if (n_named != 0)
		return n_named;
	while ((dot = str_find_byte(name, '.')) != SIZE_MAX && dot + 1 < name.n)
		name = str_sub(name, dot + 1, name.n);
	n_named = replace_named(rd, name, &json, value, first);
	return n_named != 0 ? n_named : n;
}

int
redact_value(struct redact *rd, struct str name, bool quoted, struct str *value,
    struct arena *arena, enum redact_result *ret_result)
{
	struct str s;
	int n;

	*ret_result = REDACT_NONE;
	if (value->n == 0)
		return 0;
	n = replace(rd, name, quoted, *value);
	if (buf_err(&rd->out) < 0 || buf_err(&rd->pair) < 0 || buf_err(&rd->put) < 0)
		return err_origin(-ENOMEM);
	if (n == 0)
		return 0;
	if (n < 0) {
		*ret_result = REDACT_MASKED;
		*value = STR(REDACT_MASK);
		return 0;
	}
	s = arena_dup(arena, buf_view(&rd->out));
	if (s.p == NULL && s.n > 0)
		return err_origin(-ENOMEM);
	*ret_result = REDACT_DONE;
	*value = s;
	return 0;
}
