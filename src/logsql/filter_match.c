/*
 * logsql/filter_match.c - matching a value.
 * One job: the predicate of each leaf on one value.
 * Floor: 2 (uses record, base).
 */
#include <assert.h>

#include "logsql/filter_internal.h"
#include "logsql/letter_internal.h"
#include "logsql/value.h"
#include "record/stream.h"

void
filter_scratch_fini(struct filter_scratch *s)
{
	regex_scratch_fini(&s->regex);
	buf_fini(&s->folded);
	arena_fini(&s->arena);
}

/* The value in lower case: itself when it is so already. */
static int
fold(struct filter_scratch *scratch, struct str *s)
{
	size_t i;

	for (i = 0; i < s->n; i++)
		if (s->p[i] >= 0x80 || (s->p[i] >= 'A' && s->p[i] <= 'Z'))
			break;
	if (i == s->n)
		return 0;
	buf_clear(&scratch->folded);
	letter_lower_str(&scratch->folded, *s);
	*s = buf_view(&scratch->folded);
	return buf_err(&scratch->folded);
}

static int
test_nocase(const struct filter *f, struct str value, struct filter_scratch *scratch)
{
	int r;

	/* Most values do not have it in any case, and need not be folded. */
	if (str_find_nocase(value, nocase_literal(f->folded)) == SIZE_MAX)
		return 0;
	r = fold(scratch, &value);
	if (r != 0)
		return err_trace(r);
	return f->kind == FILTER_NOCASE_PREFIX ? prefix_match(value, f->folded)
	                                       : phrase_match(value, f->folded);
}

static int
test_contains_any(const struct filter *f, struct str value, struct filter_scratch *scratch)
{
	const struct map *set = f->set;
	size_t i;

	for (i = 0; i < set->n; i++)
		if (set->entries[i].key.n == 0 || phrase_match(value, set->entries[i].key))
			return true;
	return false;
}

static int
test_contains_all(const struct filter *f, struct str value, struct filter_scratch *scratch)
{
	const struct map *set = f->set;
	size_t i;

	for (i = 0; i < set->n; i++)
		if (set->entries[i].key.n != 0 && !phrase_match(value, set->entries[i].key))
			return false;
	return true;
}

static int
test_seq(const struct filter *f, struct str value, struct filter_scratch *scratch)
{
	size_t i, at;

	for (i = 0; i < f->n_values; i++) {
		at = phrase_find(value, f->values[i]);
		if (at == SIZE_MAX)
			return false;
		value = str_sub(value, at + f->values[i].n, value.n);
	}
	return true;
}

static int
test_len(const struct filter *f, struct str value, struct filter_scratch *scratch)
{
	uint64_t n = 0;
	size_t i;

	if (value.n < f->from)
		return false;
	for (i = 0; i < value.n; i++)
		n += (value.p[i] & 0xc0) != 0x80;
	return n >= f->from && n <= f->to;
}

static int
test_string_range(const struct filter *f, struct str value, struct filter_scratch *scratch)
{
	return str_cmp(value, f->values[0]) >= 0 &&
	    (f->n_values < 2 || str_cmp(value, f->values[1]) < 0);
}

static int
test_ip(const struct filter *f, struct str value, struct filter_scratch *scratch)
{
	uint8_t ip6[16];
	uint32_t ip;

	if (f->kind == FILTER_IPV4_RANGE)
		return value_ipv4(value, &ip) && ip >= f->from && ip <= f->to;
	return value_ipv6(value, ip6) && memcmp(ip6, f->ip6_min, 16) >= 0 &&
	    memcmp(ip6, f->ip6_max, 16) <= 0;
}

bool
filter_test_time(const struct filter *f, int64_t ns)
{
	struct wall t = { ns };
	int64_t rest;

	if (f->kind == FILTER_TIME)
		return ns >= f->time_min && ns <= f->time_max;
	if (__builtin_add_overflow(t.ns, f->offset, &t.ns))
		return false;
	if (f->kind == FILTER_WEEK_RANGE)
		rest = wall_civil(t).weekday;
	else {
		rest = t.ns % NS_PER_DAY;
		rest += rest < 0 ? NS_PER_DAY : 0;
	}
	return (uint64_t)rest >= f->from && (uint64_t)rest <= f->to;
}

static int
test_time(const struct filter *f, struct str value, struct filter_scratch *scratch)
{
	int64_t ns;

	return value_time(value, &ns) && filter_test_time(f, ns);
}

static int
match_label(const struct label_test *t, const struct label *labels, size_t n,
    struct regex_scratch *regex)
{
	struct str value = STR_NONE;
	size_t i;
	int r;

	for (i = 0; i < n; i++)
		if (str_eq(labels[i].name, t->name))
			value = labels[i].value;
	r = t->regex != NULL ? regex_test(t->regex, regex, value) : str_eq(value, t->value);
	return r < 0 ? err_trace(r) : (r == 1) != t->negative;
}

int
filter_test_stream(const struct filter *f, struct str value, struct arena *arena,
    struct regex_scratch *regex)
{
	struct label labels[STREAM_LABELS_MAX];
	const struct label_and *and;
	size_t n = 0, i, k;
	int r;

	arena_clear(arena);
	r = value.n != 0 ? stream_parse(value, arena, labels, &n) : 0;
	if (r != 0)
		return r == STREAM_E_SYNTAX ? 0 : err_trace(r);
	for (i = 0; i < f->stream->n; i++) {
		and = &f->stream->ors[i];
		r = 1;
		for (k = 0; k < and->n && r == 1; k++)
			r = match_label(&and->tests[k], labels, n, regex);
		if (r != 0)
			return err_trace(r);
	}
	return 0;
}

static int
test_all(const struct filter *f, struct str value, struct filter_scratch *scratch)
{
	return 1;
}

static int
test_none(const struct filter *f, struct str value, struct filter_scratch *scratch)
{
	return 0;
}

static int
test_any_value(const struct filter *f, struct str value, struct filter_scratch *scratch)
{
	return value.n != 0;
}

static int
test_phrase(const struct filter *f, struct str value, struct filter_scratch *scratch)
{
	return phrase_match(value, f->text);
}

static int
test_prefix(const struct filter *f, struct str value, struct filter_scratch *scratch)
{
	return prefix_match(value, f->text);
}

static int
test_substring(const struct filter *f, struct str value, struct filter_scratch *scratch)
{
	return str_find(value, f->text) != SIZE_MAX;
}

static int
test_exact(const struct filter *f, struct str value, struct filter_scratch *scratch)
{
	return str_eq(value, f->text);
}

static int
test_exact_prefix(const struct filter *f, struct str value, struct filter_scratch *scratch)
{
	return str_starts(value, f->text);
}

static int
test_regex(const struct filter *f, struct str value, struct filter_scratch *scratch)
{
	return regex_test(f->regex, &scratch->regex, value);
}

static int
test_in(const struct filter *f, struct str value, struct filter_scratch *scratch)
{
	return map_get(f->set, value) != NULL;
}

static int
test_json_array(const struct filter *f, struct str value, struct filter_scratch *scratch)
{
	size_t i;

	for (i = 0; i < f->n_values; i++)
		if (json_array_has(value, f->values[i]))
			return 1;
	return 0;
}

static int
test_pattern(const struct filter *f, struct str value, struct filter_scratch *scratch)
{
	return pattern_match(f->pattern, value);
}

static int
test_range(const struct filter *f, struct str value, struct filter_scratch *scratch)
{
	double v;

	return value_math(value, &v) && v >= f->min && v <= f->max;
}

static int
test_value_type(const struct filter *f, struct str value, struct filter_scratch *scratch)
{
	return str_eq_c(f->text, value_type_name(value));
}

static int
test_min_level(const struct filter *f, struct str value, struct filter_scratch *scratch)
{
	return value.n != 0 && level_severity(value) <= f->level;
}

static int
test_stream(const struct filter *f, struct str value, struct filter_scratch *scratch)
{
	return filter_test_stream(f, value, &scratch->arena, &scratch->regex);
}

/* By kind; the nodes and what needs two fields are not here. */
static int (*const tests[])(const struct filter *f, struct str value,
    struct filter_scratch *scratch) = {
	[FILTER_ALL] = test_all,
	[FILTER_NONE] = test_none,
	[FILTER_ANY_VALUE] = test_any_value,
	[FILTER_PHRASE] = test_phrase,
	[FILTER_PREFIX] = test_prefix,
	[FILTER_SUBSTRING] = test_substring,
	[FILTER_EXACT] = test_exact,
	[FILTER_EXACT_PREFIX] = test_exact_prefix,
	[FILTER_NOCASE_PHRASE] = test_nocase,
	[FILTER_NOCASE_PREFIX] = test_nocase,
	[FILTER_REGEX] = test_regex,
	[FILTER_IN] = test_in,
	[FILTER_CONTAINS_ALL] = test_contains_all,
	[FILTER_CONTAINS_ANY] = test_contains_any,
	[FILTER_CONTAINS_COMMON] = test_contains_any,
	[FILTER_EQUALS_COMMON] = test_in,
	[FILTER_JSON_ARRAY_ANY] = test_json_array,
	[FILTER_SEQ] = test_seq,
	[FILTER_PATTERN] = test_pattern,
	[FILTER_RANGE] = test_range,
	[FILTER_STRING_RANGE] = test_string_range,
	[FILTER_LEN_RANGE] = test_len,
	[FILTER_IPV4_RANGE] = test_ip,
	[FILTER_IPV6_RANGE] = test_ip,
	[FILTER_VALUE_TYPE] = test_value_type,
	[FILTER_MIN_LEVEL] = test_min_level,
	[FILTER_TIME] = test_time,
	[FILTER_DAY_RANGE] = test_time,
	[FILTER_WEEK_RANGE] = test_time,
	[FILTER_STREAM] = test_stream,
	[FILTER_STREAM_ID] = test_in,
};

bool
filter_is_value_leaf(const struct filter *f)
{
	return (size_t)f->kind < ARRAY_LEN(tests) && tests[f->kind] != NULL;
}

int
filter_test(const struct filter *f, struct str value, struct filter_scratch *scratch)
{
	assert(filter_is_value_leaf(f));
	return tests[f->kind](f, value, scratch);
}

int
filter_match_value(const struct filter *leaf, struct str value)
{
	struct filter_scratch scratch = FILTER_SCRATCH_INIT;
	int r;

	r = filter_test(leaf, value, &scratch);
	filter_scratch_fini(&scratch);
	return err_trace(r);
}

bool
filter_match_two(const struct filter *f, struct str a, struct str b)
{
	bool equal_too = f->kind == FILTER_LE_FIELD;
	double x, y;
	int order;

	if (f->kind == FILTER_EQ_FIELD)
		return str_eq(a, b);
	if (value_math(a, &x) && value_math(b, &y))
		return equal_too ? x <= y : x < y;
	order = str_cmp(a, b);
	return equal_too ? order <= 0 : order < 0;
}
