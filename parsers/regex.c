/*
 * parsers/regex.c - regular expressions with limits.
 * One job: PCRE2 such that no pattern and no line costs more than a bound.
 * Floor: 2 (uses base).
 *
 * A pattern may lower the limits by (*LIMIT_MATCH=…) and so on, PCRE2 does not let it raise them.
 */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "parsers/regex.h"

#include <pcre2.h>

#include "parsers/parser.h"

enum { JIT_STACK_MIN = 32 << 10, JIT_STACK_MAX = 1 << 20 };

struct regex {
	pcre2_code *code;
	pcre2_match_data *data;
	pcre2_match_context *limits;
	pcre2_jit_stack *stack; /* NULL without JIT */
};

static int
compile(struct regex *re, struct str pattern, struct buf *ret_error)
{
	pcre2_compile_context *cc = pcre2_compile_context_create(NULL);
	unsigned char text[128];
	size_t at = 0;
	int code = 0;

	if (cc == NULL)
		return err_origin(-ENOMEM);
	(void)pcre2_set_max_pattern_length(cc, REGEX_PATTERN_MAX);
	(void)pcre2_set_parens_nest_limit(cc, REGEX_NEST_MAX);
	re->code = pcre2_compile(pattern.p != NULL ? pattern.p : (const uint8_t *)"", pattern.n,
	    PCRE2_NEVER_BACKSLASH_C, &code, &at, cc);
	pcre2_compile_context_free(cc);
	if (re->code != NULL)
		return 0;
	if (pcre2_get_error_message(code, text, sizeof(text)) < 0)
		text[0] = '\0';
	if (ret_error != NULL)
		buf_printf(ret_error, "bad pattern at byte %zu: %s", at, (const char *)text);
	return PARSER_E_OPTION;
}

int
regex_new(struct regex **ret, struct str pattern, struct buf *ret_error)
{
	AUTO(regex_free) struct regex *re = NULL;
	int r;

	re = calloc(1, sizeof(*re));
	if (re == NULL)
		return err_origin(-ENOMEM);
	r = compile(re, pattern, ret_error);
	if (r != 0)
		return r;
	re->data = pcre2_match_data_create_from_pattern(re->code, NULL);
	re->limits = pcre2_match_context_create(NULL);
	if (re->data == NULL || re->limits == NULL)
		return err_origin(-ENOMEM);
	(void)pcre2_set_match_limit(re->limits, REGEX_MATCH_LIMIT);
	(void)pcre2_set_depth_limit(re->limits, REGEX_MATCH_LIMIT);
	(void)pcre2_set_heap_limit(re->limits, REGEX_HEAP_KIB);
	/* JIT is a gift: where memory may not be both written and run, matching goes on without it. */
	if (pcre2_jit_compile(re->code, PCRE2_JIT_COMPLETE) == 0) {
		re->stack = pcre2_jit_stack_create(JIT_STACK_MIN, JIT_STACK_MAX, NULL);
		if (re->stack != NULL)
			pcre2_jit_stack_assign(re->limits, NULL, re->stack);
	}
	*ret = TAKE(re);
	return 0;
}

struct regex *
regex_free(struct regex *re)
{
	if (re != NULL) {
		pcre2_jit_stack_free(re->stack);
		pcre2_match_context_free(re->limits);
		pcre2_match_data_free(re->data);
		pcre2_code_free(re->code);
		free(re);
	}
	return NULL;
}

enum regex_result
regex_match(struct regex *re, struct str s, const size_t **ret_ovector)
{
	int r;

	r = pcre2_match(re->code, s.p != NULL ? s.p : (const uint8_t *)"", s.n, 0, 0, re->data,
	    re->limits);
	if (r == PCRE2_ERROR_NOMATCH)
		return REGEX_NONE;
	if (r < 0)
		return REGEX_LIMIT;
	if (ret_ovector != NULL)
		*ret_ovector = pcre2_get_ovector_pointer(re->data);
	return REGEX_FOUND;
}

size_t
regex_names(const struct regex *re, const uint8_t **ret_table, size_t *ret_entry)
{
	uint32_t n = 0, entry = 0;
	PCRE2_SPTR table = NULL;

	(void)pcre2_pattern_info(re->code, PCRE2_INFO_NAMECOUNT, &n);
	(void)pcre2_pattern_info(re->code, PCRE2_INFO_NAMEENTRYSIZE, &entry);
	(void)pcre2_pattern_info(re->code, PCRE2_INFO_NAMETABLE, &table);
	*ret_table = table;
	*ret_entry = entry;
	return n;
}
