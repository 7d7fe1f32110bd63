/*
 * logsql/filter_match.c - matching a value.
 * One job: the predicate of each leaf on one value.
 * Floor: 2 (uses record, base).
 */
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
match_nocase(const struct filter *f, struct str value, struct filter_scratch *scratch)
{
	int r;

	/* Most values do not have it in any case, and need not be folded. */
	if (nocase_find(value, nocase_literal(f->folded)) == SIZE_MAX)
		return 0;
	r = fold(scratch, &value);
	if (r != 0)
		return err_trace(r);
	return f->kind == FILTER_NOCASE_PREFIX ? prefix_match(value, f->folded)
	                                       : phrase_match(value, f->folded);
}

static bool
contains_any(const struct map *set, struct str value)
{
	size_t i;

	for (i = 0; i < set->n; i++)
		if (set->entries[i].key.n == 0 || phrase_match(value, set->entries[i].key))
			return true;
	return false;
}

static bool
contains_all(const struct map *set, struct str value)
{
	size_t i;

	for (i = 0; i < set->n; i++)
		if (set->entries[i].key.n != 0 && !phrase_match(value, set->entries[i].key))
			return false;
	return true;
}

static bool
match_seq(const struct filter *f, struct str value)
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

static bool
match_len(const struct filter *f, struct str value)
{
	uint64_t n = 0;
	size_t i;

	if (value.n < f->from)
		return false;
	for (i = 0; i < value.n; i++)
		n += (value.p[i] & 0xc0) != 0x80;
	return n >= f->from && n <= f->to;
}

static bool
match_string_range(const struct filter *f, struct str value)
{
	return str_cmp(value, f->values[0]) >= 0 &&
	    (f->n_values < 2 || str_cmp(value, f->values[1]) < 0);
}

static bool
match_ip(const struct filter *f, struct str value)
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

static bool
match_time(const struct filter *f, struct str value)
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

static bool
json_array_any(const struct filter *f, struct str value)
{
	size_t i;

	for (i = 0; i < f->n_values; i++)
		if (json_array_has(value, f->values[i]))
			return true;
	return false;
}

/* The leaves that need no memory. */
static bool
match_simple(const struct filter *f, struct str value)
{
	double v;

	switch ((int)f->kind) {
	case FILTER_ALL:
		return true;
	case FILTER_ANY_VALUE:
		return value.n != 0;
	case FILTER_PHRASE:
		return phrase_match(value, f->text);
	case FILTER_PREFIX:
		return prefix_match(value, f->text);
	case FILTER_SUBSTRING:
		return str_find(value, f->text) != SIZE_MAX;
	case FILTER_EXACT:
		return str_eq(value, f->text);
	case FILTER_EXACT_PREFIX:
		return str_starts(value, f->text);
	case FILTER_IN:
	case FILTER_EQUALS_COMMON:
	case FILTER_STREAM_ID:
		return map_get(f->set, value) != NULL;
	case FILTER_CONTAINS_ALL:
		return contains_all(f->set, value);
	case FILTER_CONTAINS_ANY:
	case FILTER_CONTAINS_COMMON:
		return contains_any(f->set, value);
	case FILTER_JSON_ARRAY_ANY:
		return json_array_any(f, value);
	case FILTER_SEQ:
		return match_seq(f, value);
	case FILTER_PATTERN:
		return pattern_match(f->pattern, value);
	case FILTER_RANGE:
		return value_math(value, &v) && v >= f->min && v <= f->max;
	case FILTER_STRING_RANGE:
		return match_string_range(f, value);
	case FILTER_LEN_RANGE:
		return match_len(f, value);
	case FILTER_IPV4_RANGE:
	case FILTER_IPV6_RANGE:
		return match_ip(f, value);
	case FILTER_VALUE_TYPE:
		return str_eq_c(f->text, value_type_name(value));
	case FILTER_MIN_LEVEL:
		return value.n != 0 && level_severity(value) <= f->level;
	case FILTER_TIME:
	case FILTER_DAY_RANGE:
	case FILTER_WEEK_RANGE:
		return match_time(f, value);
	default:
		return false;
	}
}

int
filter_test(const struct filter *f, struct str value, struct filter_scratch *scratch)
{
	switch ((int)f->kind) {
	case FILTER_NOCASE_PHRASE:
	case FILTER_NOCASE_PREFIX:
		return match_nocase(f, value, scratch);
	case FILTER_REGEX:
		return regex_test(f->regex, &scratch->regex, value);
	case FILTER_STREAM:
		return filter_test_stream(f, value, &scratch->arena, &scratch->regex);
	default:
		return match_simple(f, value);
	}
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
