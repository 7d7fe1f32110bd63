/*
 * logsql/filter_parse_time.c - reading _time filters.
 * One job: what may follow "_time:".
 * Floor: 2 (uses record, base).
 *
 *   5m | 2024-05-06 | [a, b) | >a | <=b | <5m | day_range[08:00, 18:00) | week_range[Mon, Fri]
 *   each with "offset" duration after it, or that alone.
 */
#include "logsql/filter_internal.h"
#include "logsql/value.h"

static int
parse_duration(struct lex *l, int64_t *ret)
{
	struct lex at = *l;
	struct str text;
	int r;

	r = lex_compound(l, &text);
	if (r == 0 && !value_duration(text, ret))
		return lex_fail_want(&at, "a duration such as 5m or 1h30m, or a time");
	return err_trace(r);
}

static int
parse_moment(struct lex *l, int64_t *ret, struct str *ret_text)
{
	struct lex at = *l;
	int r;

	r = lex_compound(l, ret_text);
	if (r == 0 && !time_parse(*ret_text, l->now, l->zone_s, ret))
		return lex_fail_want(&at,
		    "a time such as 2024-05-06, 2024-05-06T07:08:09Z or now-1h");
	return err_trace(r);
}

/* now, or four digits and what may stand after a year. */
static bool
is_moment(const struct lex *l)
{
	size_t i;

	if (lex_is(l, "now"))
		return true;
	for (i = 0; i < 4; i++)
		if (i >= l->token.n || l->token.p[i] < '0' || l->token.p[i] > '9')
			return false;
	return l->token.n == 4 || strchr("-+Zz", l->token.p[4]) != NULL;
}

/* Exclusive ends become inclusive ones. */
static int64_t
below(int64_t t, bool yes)
{
	return yes && t > INT64_MIN ? t - 1 : t;
}

static int64_t
above(int64_t t, bool yes)
{
	return yes && t < INT64_MAX ? t + 1 : t;
}

/* [a, b], (a, b), and mixed; the current token is the bracket. */
static int
parse_interval(struct lex *l, struct filter *f)
{
	bool open = lex_is(l, "("), open_end;
	struct str text;
	int r;

	r = lex_next(l);
	if (r == 0)
		r = parse_moment(l, &f->time_min, &text);
	if (r == 0)
		r = lex_expect(l, ",");
	if (r == 0)
		r = parse_moment(l, &f->time_max, &text);
	if (r != 0)
		return err_trace(r);
	open_end = lex_is(l, ")");
	if (!open_end && !lex_is(l, "]"))
		return lex_fail_want(l, "']' or ')'");
	f->time_min = above(f->time_min, open);
	f->time_max = open_end ? below(f->time_max, true) : time_last(f->time_max, text);
	return err_trace(lex_next(l));
}

/* >5m is older than five minutes; >2024 is after that year began. */
static int
parse_compare(struct lex *l, struct filter *f)
{
	bool greater, equal;
	struct str text;
	int64_t t;
	int r;

	r = filter_parse_compare(l, &greater, &equal);
	if (r != 0)
		return err_trace(r);
	if (is_moment(l)) {
		r = parse_moment(l, &t, &text);
		if (r != 0)
			return err_trace(r);
		if (greater)
			f->time_min = above(t, !equal);
		else
			f->time_max = equal ? time_last(t, text) : below(t, true);
		return 0;
	}
	r = parse_duration(l, &t);
	if (r != 0)
		return err_trace(r);
	t = time_sub(l->now.ns, t < 0 ? -t : t);
	if (greater)
		f->time_max = below(t, !equal);
	else {
		f->time_min = above(t, !equal);
		f->time_max = l->now.ns;
	}
	return 0;
}

static int
parse_plain(struct lex *l, struct filter *f)
{
	struct str text;
	int64_t d;
	int r;

	if (lex_is(l, "=")) {
		r = lex_next(l);
		if (r != 0)
			return err_trace(r);
	}
	if (is_moment(l)) {
		r = parse_moment(l, &f->time_min, &text);
		if (r == 0)
			f->time_max = time_last(f->time_min, text);
		return err_trace(r);
	}
	r = parse_duration(l, &d);
	if (r != 0)
		return err_trace(r);
	f->time_min = time_sub(l->now.ns, d < 0 ? -d : d);
	f->time_max = l->now.ns;
	return 0;
}

static int
parse_range(struct lex *l, struct filter *f)
{
	if (lex_is(l, "offset")) {
		f->time_max = l->now.ns;
		return 0;
	}
	if (lex_is_any(l, "> <"))
		return err_trace(parse_compare(l, f));
	if (lex_is_any(l, "[ ("))
		return err_trace(parse_interval(l, f));
	return err_trace(parse_plain(l, f));
}

/* hh:mm or hhmm as ns since midnight. */
static bool
time_of_day(struct str s, uint64_t *ret)
{
	uint64_t h, m;
	size_t colon = s.n == 5 && s.p[2] == ':' ? 3 : 2, i;

	if (s.n != 4 && s.n != 5)
		return false;
	for (i = 0; i < s.n; i++)
		if (!(i == 2 && colon == 3) && (s.p[i] < '0' || s.p[i] > '9'))
			return false;
	if (s.n == 5 && colon != 3)
		return false;
	h = (uint64_t)(s.p[0] - '0') * 10 + (uint64_t)(s.p[1] - '0');
	m = (uint64_t)(s.p[colon] - '0') * 10 + (uint64_t)(s.p[colon + 1] - '0');
	if (h > 24 || m > 60)
		return false;
	*ret = h * (uint64_t)NS_PER_HOUR + m * (uint64_t)NS_PER_MIN;
	if (*ret >= (uint64_t)NS_PER_DAY)
		*ret = (uint64_t)NS_PER_DAY - 1;
	return true;
}

static bool
day_of_week(struct str s, uint64_t *ret)
{
	static const char *const days[] = { "sunday", "monday", "tuesday", "wednesday", "thursday",
		"friday", "saturday" };
	size_t i;

	for (i = 0; i < ARRAY_LEN(days); i++)
		if (str_eq_nocase(s, str_c(days[i])) || str_eq_nocase(s, str_of(days[i], 3))) {
			*ret = i;
			return true;
		}
	return false;
}

/* One bound of day_range or week_range. */
static int
parse_bound(struct lex *l, enum filter_kind kind, uint64_t *ret)
{
	struct lex at = *l;
	struct str text;
	int r;

	r = lex_compound(l, &text);
	if (r != 0)
		return err_trace(r);
	if (kind == FILTER_DAY_RANGE ? time_of_day(text, ret) : day_of_week(text, ret))
		return 0;
	return lex_fail_want(&at,
	    kind == FILTER_DAY_RANGE ? "a time of the day such as 08:30" : "a day such as Mon");
}

/* day_range[a, b) or week_range(a, b]; the current token is the word. */
static int
parse_cyclic(struct lex *l, struct filter *f)
{
	bool open;
	int r;

	f->offset = l->zone_s * NS_PER_S;
	r = lex_next(l);
	if (r != 0)
		return err_trace(r);
	open = lex_is(l, "(");
	if (!open && !lex_is(l, "["))
		return lex_fail_want(l, "'[' or '('");
	r = lex_next(l);
	if (r == 0)
		r = parse_bound(l, f->kind, &f->from);
	if (r == 0)
		r = lex_expect(l, ",");
	if (r == 0)
		r = parse_bound(l, f->kind, &f->to);
	if (r != 0)
		return err_trace(r);
	f->from += open;
	if (lex_is(l, ")")) {
		/* Nothing lies before the first moment: an empty range. */
		if (f->to == 0)
			f->from = 1;
		else
			f->to--;
	} else if (!lex_is(l, "]"))
		return lex_fail_want(l, "']' or ')'");
	return err_trace(lex_next(l));
}

static int
parse_offset(struct lex *l, struct filter *f)
{
	int64_t d;
	int r;

	if (!lex_is(l, "offset"))
		return 0;
	r = lex_next(l);
	if (r == 0)
		r = parse_duration(l, &d);
	if (r != 0)
		return err_trace(r);
	/* Only where in the week it is counts, and a small one does not overflow. */
	f->offset = d % (7 * NS_PER_DAY);
	if (f->kind == FILTER_TIME) {
		f->time_min = time_sub(f->time_min, d);
		f->time_max = time_sub(f->time_max, d);
	}
	return 0;
}

int
filter_parse_time(struct lex *l, struct filter **ret)
{
	size_t start = l->at;
	struct filter *f;
	int r;

	r = filter_new(l, FILTER_TIME, STR("_time"), &f);
	if (r != 0)
		return err_trace(r);
	f->time_min = INT64_MIN;
	f->time_max = INT64_MAX;
	if (lex_is_any(l, "day_range week_range")) {
		f->kind = lex_is(l, "day_range") ? FILTER_DAY_RANGE : FILTER_WEEK_RANGE;
		r = parse_cyclic(l, f);
	} else
		r = parse_range(l, f);
	if (r == 0)
		r = parse_offset(l, f);
	if (r != 0)
		return err_trace(r);
	/* The text stays as it was written: now-1h must not turn into a fixed time. */
	f->repr = str_sub(l->query, start, l->prev_end);
	*ret = f;
	return 0;
}
