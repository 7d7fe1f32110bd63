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
	bool utf8;
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
put_match(struct redact *rd, struct str value)
{
	const PCRE2_SIZE *ov = pcre2_get_ovector_pointer(rd->match);
	uint32_t n_ov = pcre2_get_ovector_count(rd->match);
	const struct part *p;
	size_t i;

	for (i = 0; i < rd->n_parts; i++) {
		p = &rd->parts[i];
		if (p->group < 0)
			buf_str(&rd->out, p->text);
		else if ((uint32_t)p->group < n_ov && ov[2 * p->group] != PCRE2_UNSET)
			buf_str(&rd->out, str_sub(value, ov[2 * p->group], ov[2 * p->group + 1]));
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

/* Write ${value} with its matches replaced to rd->out; the number of matches, or < 0 where PCRE2 gave up. */
static int
replace_all(struct redact *rd, struct str value)
{
	const PCRE2_SIZE *ov = pcre2_get_ovector_pointer(rd->match);
	size_t at = 0, copied = 0;
	int n = 0, rc;

	while (at <= value.n) {
		rc = pcre2_match(rd->code, value.p, value.n, at, PCRE2_NO_UTF_CHECK, rd->match,
		    rd->limits);
		if (rc == PCRE2_ERROR_NOMATCH)
			break;
		/* \K in a look-around may put the start behind the end: treated as giving up. */
		if (rc < 0 || ov[0] > ov[1] || ov[0] < copied || rd->out.n > REDACT_OUT_MAX)
			return -1;
		buf_str(&rd->out, str_sub(value, copied, ov[0]));
		put_match(rd, value);
		copied = ov[1];
		at = ov[1] > ov[0] ? ov[1] : ov[1] + step(rd, value, ov[1]);
		n++;
	}
	buf_str(&rd->out, str_sub(value, copied, value.n));
	return n;
}

int
redact_value(struct redact *rd, struct str *value, struct arena *arena,
    enum redact_result *ret_result)
{
	struct str s;
	int n = -1;

	*ret_result = REDACT_NONE;
	if (value->n == 0)
		return 0;
	buf_clear(&rd->out);
	if (!rd->utf8 || utf8_valid(*value))
		n = replace_all(rd, *value);
	if (n == 0)
		return 0;
	if (n < 0) {
		*ret_result = REDACT_MASKED;
		*value = STR(REDACT_MASK);
		return 0;
	}
	if (buf_err(&rd->out) < 0)
		return err_origin(-ENOMEM);
	s = arena_dup(arena, buf_view(&rd->out));
	if (s.p == NULL && s.n > 0)
		return err_origin(-ENOMEM);
	*ret_result = REDACT_DONE;
	*value = s;
	return 0;
}
