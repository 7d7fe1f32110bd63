/*
 * logsql/regex.c - regular expressions.
 * One job: RE2's syntax on PCRE2, with bounds, for any number of threads.
 * Floor: 2 (uses record, base).
 */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdio.h>

#include "base/buf.h"
#include "logsql/filter_internal.h"
#include "logsql/regex_internal.h"

/* Bounds of one match; beyond them the subject counts as no match. */
enum { MATCH_LIMIT = 100000, DEPTH_LIMIT = 10000, HEAP_LIMIT_KIB = 16384, PATTERN_MAX = 65536 };

enum { LITERALS_FIRST = 4 }; /* so many are looked for before a match is tried */

/* Invariants: plain when whatever contains one of the literals matches. */
struct regex {
	pcre2_code *code;
	struct literals literals;
	struct regex_pieces pieces;
	bool plain;
	bool bytes; /* no UTF-8 */
	size_t n_groups;
	struct str *names; /* n_groups + 1 of them */
};

static void
free_code(void *p)
{
	pcre2_code_free(p);
}

static pcre2_code *
compile(struct str pattern, unsigned flags, char ret_error[REGEX_ERROR_MAX], int *ret_code)
{
	uint32_t options = PCRE2_DOLLAR_ENDONLY | PCRE2_NEVER_BACKSLASH_C;
	pcre2_compile_context *context = pcre2_compile_context_create(NULL);
	pcre2_code *code = NULL;
	uint8_t text[REGEX_ERROR_MAX - 40];
	size_t at;

	*ret_code = PCRE2_ERROR_NOMEMORY;
	if (context == NULL)
		return NULL;
	if (!(flags & REGEX_BYTES))
		options |= PCRE2_UTF | PCRE2_MATCH_INVALID_UTF;
	if (flags & REGEX_ANCHORED)
		options |= PCRE2_ANCHORED | PCRE2_ENDANCHORED;
	if (flags & REGEX_DOTALL)
		options |= PCRE2_DOTALL;
	(void)pcre2_set_newline(context, PCRE2_NEWLINE_LF);
	(void)pcre2_set_max_pattern_length(context, PATTERN_MAX);
	code = pcre2_compile(pattern.n != 0 ? pattern.p : (const uint8_t *)"", pattern.n, options,
	    ret_code, &at, context);
	pcre2_compile_context_free(context);
	if (code == NULL) {
		(void)pcre2_get_error_message(*ret_code, text, sizeof(text));
		(void)snprintf(ret_error, REGEX_ERROR_MAX, "%s (at byte %zu)", (char *)text, at);
	}
	return code;
}

static int
read_names(struct regex *re, struct arena *arena)
{
	uint32_t n_groups = 0, n_names = 0, entry_n = 0, i;
	const uint8_t *table = NULL, *entry;
	size_t group;

	(void)pcre2_pattern_info(re->code, PCRE2_INFO_CAPTURECOUNT, &n_groups);
	(void)pcre2_pattern_info(re->code, PCRE2_INFO_NAMECOUNT, &n_names);
	(void)pcre2_pattern_info(re->code, PCRE2_INFO_NAMEENTRYSIZE, &entry_n);
	(void)pcre2_pattern_info(re->code, PCRE2_INFO_NAMETABLE, &table);
	re->n_groups = n_groups;
	re->names = arena_zalloc(arena, re->n_groups + 1, sizeof(*re->names));
	if (re->names == NULL)
		return err_origin(-ENOMEM);
	for (i = 0; i < n_names; i++) {
		entry = table + (size_t)i * entry_n;
		group = (size_t)entry[0] << 8 | entry[1];
		if (group <= re->n_groups)
			re->names[group] = str_c((const char *)entry + 2);
	}
	return 0;
}

int
regex_compile(const struct regex **ret, struct str pattern, unsigned flags, struct arena *arena,
    char ret_error[REGEX_ERROR_MAX])
{
	struct regex *re = arena_zalloc(arena, 1, sizeof(*re));
	int code, r;

	if (re == NULL)
		return err_origin(-ENOMEM);
	re->code = compile(pattern, flags, ret_error, &code);
	if (re->code == NULL)
		return code == PCRE2_ERROR_NOMEMORY ? err_origin(-ENOMEM) : REGEX_E_SYNTAX;
	re->bytes = (flags & REGEX_BYTES) != 0;
	r = arena_defer(arena, free_code, re->code);
	if (r != 0)
		return err_trace(r);
	/* Without it (a kernel that forbids making code) matching goes on interpreted. */
	(void)pcre2_jit_compile(re->code, PCRE2_JIT_COMPLETE);
	r = regex_find_literals(pattern, arena, &re->literals, &re->plain);
	if (r == 0)
		r = regex_find_pieces(pattern, arena, &re->pieces);
	if (r != 0)
		return err_trace(r);
	if (flags & REGEX_ANCHORED)
		re->plain = false;
	r = read_names(re, arena);
	if (r != 0)
		return err_trace(r);
	*ret = re;
	return 0;
}

void
regex_scratch_fini(struct regex_scratch *s)
{
	pcre2_match_data_free(s->match_data);
	pcre2_match_context_free(s->context);
	*s = (struct regex_scratch)REGEX_SCRATCH_INIT;
}

static int
scratch_init(struct regex_scratch *s)
{
	if (s->match_data == NULL)
		s->match_data = pcre2_match_data_create(REGEX_GROUPS_MAX + 1, NULL);
	if (s->context == NULL) {
		s->context = pcre2_match_context_create(NULL);
		if (s->context != NULL) {
			(void)pcre2_set_match_limit(s->context, MATCH_LIMIT);
			(void)pcre2_set_depth_limit(s->context, DEPTH_LIMIT);
			(void)pcre2_set_heap_limit(s->context, HEAP_LIMIT_KIB);
		}
	}
	return s->match_data == NULL || s->context == NULL ? err_origin(-ENOMEM) : 0;
}

static int
run(const struct regex *re, struct regex_scratch *scratch, struct str s, size_t from)
{
	const uint8_t *p = s.p != NULL ? s.p : (const uint8_t *)"";
	int r;

	r = scratch_init(scratch);
	if (r != 0)
		return err_trace(r);
	r = pcre2_match(re->code, p, s.n, from, 0, scratch->match_data, scratch->context);
	if (r == PCRE2_ERROR_JIT_STACKLIMIT)
		r = pcre2_match(re->code, p, s.n, from, PCRE2_NO_JIT, scratch->match_data,
		    scratch->context);
	if (r == PCRE2_ERROR_NOMEMORY)
		return err_origin(-ENOMEM);
	return r >= 0 ? 1 : 0;
}

static bool
has_literal(const struct literals *l, struct str s)
{
	size_t i;

	for (i = 0; i < l->n; i++)
		if ((l->nocase ? str_find_nocase(s, l->p[i]) : str_find(s, l->p[i])) != SIZE_MAX)
			return true;
	return false;
}

int
regex_test(const struct regex *re, struct regex_scratch *scratch, struct str s)
{
	if (re->plain)
		return has_literal(&re->literals, s);
	if (re->literals.n > 0 && re->literals.n <= LITERALS_FIRST && re->literals.p[0].n > 1 &&
	    !has_literal(&re->literals, s))
		return 0;
	return run(re, scratch, s, 0);
}

int
regex_find(const struct regex *re, struct regex_scratch *scratch, struct str s, size_t from,
    struct regex_span *ret_spans, size_t n)
{
	const size_t *ovector;
	size_t i, have;
	int r;

	if (from > s.n)
		return 0;
	/* Who goes on one byte after an empty match may stand within a character. */
	for (i = 0; i < 3 && !re->bytes && from > 0 && from < s.n && (s.p[from] & 0xc0) == 0x80;
	     i++)
		from++;
	r = run(re, scratch, s, from);
	if (r <= 0)
		return r;
	ovector = pcre2_get_ovector_pointer(scratch->match_data);
	have = re->n_groups < REGEX_GROUPS_MAX ? re->n_groups + 1 : REGEX_GROUPS_MAX + 1;
	for (i = 0; i < n; i++) {
		ret_spans[i] = (struct regex_span){ SIZE_MAX, SIZE_MAX };
		if (i < have && ovector[2 * i] != PCRE2_UNSET && ovector[2 * i + 1] <= s.n &&
		    ovector[2 * i] <= ovector[2 * i + 1])
			ret_spans[i] = (struct regex_span){ ovector[2 * i], ovector[2 * i + 1] };
	}
	return 1;
}

size_t
regex_n_groups(const struct regex *re)
{
	return re->n_groups;
}

struct str
regex_group_name(const struct regex *re, size_t i)
{
	return i <= re->n_groups ? re->names[i] : STR_NONE;
}

const struct literals *
regex_literals(const struct regex *re)
{
	return &re->literals;
}

const struct regex_pieces *
regex_pieces(const struct regex *re)
{
	return &re->pieces;
}

bool
regex_is_plain(const struct regex *re)
{
	return re->plain;
}

void
regex_quote(struct buf *out, struct str s)
{
	size_t i;

	for (i = 0; i < s.n; i++) {
		if (s.p[i] != '\0' && strchr("\\.+*?()|[]{}^$", s.p[i]) != NULL)
			buf_byte(out, '\\');
		buf_byte(out, s.p[i]);
	}
}
