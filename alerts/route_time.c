/*
 * alerts/route_time.c - time intervals.
 * One job: mute_time_intervals and time_intervals, and whether an instant lies in one.
 * Floor: 4 (uses doc, base).
 */
#include <stddef.h>

#include "alerts/route_internal.h"

/* Both ends included, but of minutes of the day, where the end is not. */
struct range {
	int from, to;
};
/* NULL: any. */
struct ranges {
	struct range *p;
	size_t n;
};
struct time_part {
	struct ranges minutes, weekdays, days, months, years;
	const struct zone *zone; /* NULL: UTC */
};
struct time_interval {
	struct str name;
	struct time_part *parts;
	size_t n;
};

static const char *const weekday_names[] = { "sunday", "monday", "tuesday", "wednesday", "thursday",
	"friday", "saturday" };
static const char *const month_names[] = { "january", "february", "march", "april", "may", "june",
	"july", "august", "september", "october", "november", "december" };

static bool
read_number(struct str s, int *ret)
{
	bool negative = s.n > 0 && s.p[0] == '-';
	size_t i = negative;
	int v = 0;

	if (i == s.n || s.n > 6)
		return false;
	for (; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
		v = v * 10 + (s.p[i] - '0');
	}
	*ret = negative ? -v : v;
	return true;
}

static bool
read_member(struct str s, const char *const *names, size_t n, int first, int *ret)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (str_eq_nocase(s, str_c(names[i]))) {
			*ret = first + (int)i;
			return true;
		}
	return (n == 0 || first == 1) && read_number(s, ret);
}

/* a or a:b; a mistake and {0, 0} else. */
static struct range
read_range(struct walk *w, yaml_node_t *node, const char *const *names, size_t n, int first)
{
	struct range r = { 0, 0 };
	struct str s, from, to;
	size_t colon;

	if (!walk_scalar(w, node, &s))
		return r;
	colon = str_find_byte(s, ':');
	from = colon == SIZE_MAX ? s : str_sub(s, 0, colon);
	to = colon == SIZE_MAX ? s : str_sub(s, colon + 1, s.n);
	if (!read_member(from, names, n, first, &r.from) ||
	    !read_member(to, names, n, first, &r.to))
		walk_bad(w, node, "expected %s or a range such as %s, found '%.*s'",
		    n == 7      ? "a weekday"
		        : n > 0 ? "a month"
		                : "a number",
		    n == 7      ? "monday:friday"
		        : n > 0 ? "may:august"
		                : "1:5",
		    STR_ARG(s));
	return r;
}

static void
check_range(struct walk *w, const yaml_node_t *node, struct range r, int min, int max)
{
	if (r.from > r.to)
		walk_bad(w, node, "the range ends before it begins");
	else if (r.from < min || r.to > max)
		walk_bad(w, node, "expected values from %d to %d", min, max);
}

static void
read_weekday(struct walk *w, yaml_node_t *node, void *item)
{
	struct range r = read_range(w, node, weekday_names, ARRAY_LEN(weekday_names), 0);

	check_range(w, node, r, 0, 6);
	*(struct range *)item = r;
}

static void
read_month(struct walk *w, yaml_node_t *node, void *item)
{
	struct range r = read_range(w, node, month_names, ARRAY_LEN(month_names), 1);

	check_range(w, node, r, 1, 12);
	*(struct range *)item = r;
}

static void
read_year(struct walk *w, yaml_node_t *node, void *item)
{
	struct range r = read_range(w, node, NULL, 0, 0);

	check_range(w, node, r, 0, 999999);
	*(struct range *)item = r;
}

/* Negative days count from the month's end: -1 is its last one. */
static void
read_day(struct walk *w, yaml_node_t *node, void *item)
{
	struct range r = read_range(w, node, NULL, 0, 0);

	if (r.from == 0 || r.to == 0 || r.from < -31 || r.from > 31 || r.to < -31 || r.to > 31)
		walk_bad(w, node, "expected days from 1 to 31 or -31 to -1");
	else if (r.from < 0 && r.to > 0)
		walk_bad(w, node, "a range that begins at the month's end ends there too");
	else if ((r.from < 0 ? 28 + r.from : r.from) > (r.to < 0 ? 28 + r.to : r.to))
		walk_bad(w, node, "the range ends before it begins");
	*(struct range *)item = r;
}

/* HH:MM, 00:00 to 24:00. */
static bool
read_clock(struct str s, int *ret)
{
	int hour, minute;

	if (s.n != 5 || s.p[2] != ':' || !read_number(str_sub(s, 0, 2), &hour) ||
	    !read_number(str_sub(s, 3, 5), &minute))
		return false;
	if (hour < 0 || minute < 0 || minute > 59 || hour * 60 + minute > 1440)
		return false;
	*ret = hour * 60 + minute;
	return true;
}

struct raw_times {
	struct str start, end;
};

static void
read_minutes(struct walk *w, yaml_node_t *node, void *item)
{
	static const struct walk_key keys[] = {
		{ "start_time", WALK_STR, offsetof(struct raw_times, start), NULL },
		{ "end_time", WALK_STR, offsetof(struct raw_times, end), NULL },
	};
	struct raw_times raw = { STR_NONE, STR_NONE };
	struct range *r = item;

	walk_map(w, node, keys, ARRAY_LEN(keys), &raw);
	if (!read_clock(raw.start, &r->from) || !read_clock(raw.end, &r->to))
		walk_bad(w, node, "expected start_time and end_time from 00:00 to 24:00");
	else if (r->from >= r->to)
		walk_bad(w, node, "start_time is not before end_time: a night is two ranges");
}

#define LIST(name, member, each)                                                         \
	static void name(struct walk *w, yaml_node_t *node, void *base)                  \
	{                                                                                \
		struct time_part *part = base;                                           \
		void *items = NULL;                                                      \
                                                                                         \
		part->member.n = walk_list(w, node, sizeof(struct range), &items, each); \
		part->member.p = items;                                                  \
	}
LIST(part_minutes, minutes, read_minutes)
LIST(part_weekdays, weekdays, read_weekday)
LIST(part_days, days, read_day)
LIST(part_months, months, read_month)
LIST(part_years, years, read_year)

static void
part_zone(struct walk *w, yaml_node_t *node, void *base)
{
	struct time_part *part = base;
	struct str s;

	if (walk_scalar(w, node, &s) && zone_load(s, w->arena, &part->zone) != 0)
		walk_bad(w, node, "no time zone is called '%.*s'", STR_ARG(s));
}

static void
read_part(struct walk *w, yaml_node_t *node, void *item)
{
	static const struct walk_key keys[] = {
		{ "times", WALK_CALL, 0, part_minutes },
		{ "weekdays", WALK_CALL, 0, part_weekdays },
		{ "days_of_month", WALK_CALL, 0, part_days },
		{ "months", WALK_CALL, 0, part_months },
		{ "years", WALK_CALL, 0, part_years },
		{ "location", WALK_CALL, 0, part_zone },
	};

	walk_map(w, node, keys, ARRAY_LEN(keys), item);
}

static void
interval_parts(struct walk *w, yaml_node_t *node, void *base)
{
	struct time_interval *in = base;
	void *items = NULL;

	in->n = walk_list(w, node, sizeof(*in->parts), &items, read_part);
	in->parts = items;
}

static void
read_interval(struct walk *w, yaml_node_t *node, void *item)
{
	static const struct walk_key keys[] = {
		{ "name", WALK_STR, offsetof(struct time_interval, name), NULL },
		{ "time_intervals", WALK_CALL, 0, interval_parts },
	};
	struct time_interval *in = item;

	walk_map(w, node, keys, ARRAY_LEN(keys), in);
	if (in->name.n == 0)
		walk_bad(w, node, "a time interval needs a name");
	else if (route_knows_interval(route_parse_of(w)->routing, in->name))
		walk_bad(w, node, "two time intervals are called '%.*s'", STR_ARG(in->name));
}

/* The old list's and the new one's are one namespace. */
static void
read_list(struct route_parse *rp, yaml_node_t *list)
{
	struct routing *r = rp->routing;
	struct time_interval *all;
	void *items = NULL;
	size_t n, i, k;

	if (list == NULL)
		return;
	n = walk_list(&rp->walk, list, sizeof(struct time_interval), &items, read_interval);
	all = arena_zalloc(rp->walk.arena, r->n_intervals + n + 1, sizeof(*all));
	if (all == NULL || n == 0)
		return;
	if (r->n_intervals > 0)
		memcpy(all, r->intervals, r->n_intervals * sizeof(*all));
	memcpy(all + r->n_intervals, items, n * sizeof(*all));
	for (i = r->n_intervals; i < r->n_intervals + n; i++)
		for (k = r->n_intervals; k < i; k++)
			if (all[i].name.n > 0 && str_eq(all[i].name, all[k].name))
				walk_bad(&rp->walk, list, "two time intervals are called '%.*s'",
				    STR_ARG(all[i].name));
	r->intervals = all;
	r->n_intervals += n;
}

void
route_read_intervals(struct route_parse *rp)
{
	read_list(rp, rp->mutes);
	read_list(rp, rp->times);
}

/* ---- asked of it ---- */

bool
route_knows_interval(const struct routing *r, struct str name)
{
	size_t i;

	for (i = 0; i < r->n_intervals; i++)
		if (str_eq(r->intervals[i].name, name))
			return true;
	return false;
}

static bool
in_ranges(const struct ranges *rs, int v)
{
	size_t i;

	for (i = 0; i < rs->n; i++)
		if (v >= rs->p[i].from && v <= rs->p[i].to)
			return true;
	return rs->p == NULL;
}

static bool
in_minutes(const struct ranges *rs, int v)
{
	size_t i;

	for (i = 0; i < rs->n; i++)
		if (v >= rs->p[i].from && v < rs->p[i].to)
			return true;
	return rs->p == NULL;
}

static int
days_in_month(const struct civil *c)
{
	int64_t next = c->month == 12 ? days_from_civil(c->year + 1, 1, 1)
	                              : days_from_civil(c->year, c->month + 1, 1);

	return (int)(next - days_from_civil(c->year, c->month, 1));
}

static bool
in_days(const struct ranges *rs, const struct civil *c)
{
	int in_month = days_in_month(c), from, to;
	size_t i;

	for (i = 0; i < rs->n; i++) {
		from = rs->p[i].from < 0 ? in_month + rs->p[i].from + 1 : rs->p[i].from;
		to = rs->p[i].to < 0 ? in_month + rs->p[i].to + 1 : rs->p[i].to;
		if (c->day >= from && c->day <= to)
			return true;
	}
	return rs->p == NULL;
}

static bool
in_part(const struct time_part *part, struct wall at)
{
	struct civil c;

	if (part->zone != NULL)
		at.ns += (int64_t)zone_offset(part->zone, at) * NS_PER_S;
	c = wall_civil(at);
	return in_minutes(&part->minutes, c.hour * 60 + c.minute) && in_days(&part->days, &c) &&
	    in_ranges(&part->months, c.month) && in_ranges(&part->weekdays, c.weekday) &&
	    in_ranges(&part->years, (int)c.year);
}

bool
routing_in_interval(const struct routing *r, const struct str *names, size_t n, struct wall at)
{
	size_t i, k, p;

	for (i = 0; i < n; i++)
		for (k = 0; k < r->n_intervals; k++)
			if (str_eq(r->intervals[k].name, names[i]))
				for (p = 0; p < r->intervals[k].n; p++)
					if (in_part(&r->intervals[k].parts[p], at))
						return true;
	return false;
}
