/*
 * alerts/route_zone.c - time zones by name.
 * One job: seconds east of UTC in a zone of the host's zone database at an instant.
 * Floor: 4 (uses base).
 *
 * libc knows one zone a process, and main's is its own.  A TZif file (RFC 9636) is a table of transitions, and a rule in
 * POSIX form for all that comes after the last one; the 64-bit part of version 2 and later is read.
 */
#include <fcntl.h>

#include "alerts/route_internal.h"
#include "base/io.h"

enum { ZONE_BYTES_MAX = 256 << 10, ZONE_NAME_MAX = 64, TZIF_HEAD = 44 };

/* When a rule of the footer changes over: in a year, at so many seconds of local time after midnight. */
enum change_kind { CHANGE_WEEK, CHANGE_JULIAN, CHANGE_DAY };
struct change {
	enum change_kind kind;
	int month, week, day;
	int at_s;
};

/* Invariants: at ascends; types[i] < n_offsets. */
struct zone {
	int64_t *at; /* seconds since the epoch */
	uint8_t *types;
	size_t n;
	int32_t *offsets;
	size_t n_offsets;
	bool rule, dst; /* the footer is there; it has summer time */
	int std_s, dst_s;
	struct change begin, end; /* of summer time */
};

/* ---- the footer ---- */

static bool
take_name(struct str *s)
{
	size_t i = 0;

	if (s->n > 0 && s->p[0] == '<') {
		i = str_find_byte(*s, '>');
		if (i == SIZE_MAX)
			return false;
		i++;
	} else {
		while (i < s->n && str_lower_byte(s->p[i]) >= 'a' && str_lower_byte(s->p[i]) <= 'z')
			i++;
	}
	*s = str_sub(*s, i, s->n);
	return i >= 3;
}

static bool
take_int(struct str *s, int *ret)
{
	size_t i = 0;
	int v = 0;

	for (; i < s->n && i < 4 && s->p[i] >= '0' && s->p[i] <= '9'; i++)
		v = v * 10 + (s->p[i] - '0');
	*s = str_sub(*s, i, s->n);
	*ret = v;
	return i > 0;
}

static bool
take_byte(struct str *s, uint8_t c)
{
	if (s->n == 0 || s->p[0] != c)
		return false;
	*s = str_sub(*s, 1, s->n);
	return true;
}

/* [+-]h[h[h]][:mm[:ss]] */
static bool
take_time(struct str *s, int *ret)
{
	bool negative = take_byte(s, '-');
	int h, m = 0, sec = 0;

	if (!negative)
		(void)take_byte(s, '+');
	if (!take_int(s, &h))
		return false;
	if (take_byte(s, ':') && !take_int(s, &m))
		return false;
	if (take_byte(s, ':') && !take_int(s, &sec))
		return false;
	if (h > 167 || m > 59 || sec > 59)
		return false;
	*ret = (h * 3600 + m * 60 + sec) * (negative ? -1 : 1);
	return true;
}

static bool
take_change(struct str *s, struct change *ret)
{
	struct change c = { CHANGE_DAY, 0, 0, 0, 7200 };

	if (!take_byte(s, ','))
		return false;
	if (take_byte(s, 'M')) {
		c.kind = CHANGE_WEEK;
		if (!take_int(s, &c.month) || !take_byte(s, '.') || !take_int(s, &c.week) ||
		    !take_byte(s, '.') || !take_int(s, &c.day))
			return false;
		if (c.month < 1 || c.month > 12 || c.week < 1 || c.week > 5 || c.day > 6)
			return false;
	} else {
		c.kind = take_byte(s, 'J') ? CHANGE_JULIAN : CHANGE_DAY;
		if (!take_int(s, &c.day) || c.day > 365)
			return false;
	}
	if (take_byte(s, '/') && !take_time(s, &c.at_s))
		return false;
	*ret = c;
	return true;
}

static void
parse_footer(struct str s, struct zone *z)
{
	int west;

	if (!take_name(&s) || !take_time(&s, &west))
		return;
	z->std_s = -west;
	if (s.n == 0) {
		z->rule = true;
		return;
	}
	if (!take_name(&s))
		return;
	z->dst_s = z->std_s + 3600;
	if (s.n > 0 && s.p[0] != ',') {
		if (!take_time(&s, &west))
			return;
		z->dst_s = -west;
	}
	z->dst = take_change(&s, &z->begin) && take_change(&s, &z->end);
	z->rule = z->dst;
}

static bool
leap(int64_t y)
{
	return (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
}

/* Seconds of local time since the epoch at which the change comes in a year. */
static int64_t
change_at(const struct change *c, int64_t year)
{
	int64_t day = days_from_civil(year, 1, 1), first;

	switch (c->kind) {
	case CHANGE_JULIAN:
		day += c->day - 1 + (leap(year) && c->day > 59);
		break;
	case CHANGE_DAY:
		day += c->day;
		break;
	case CHANGE_WEEK:
		first = days_from_civil(year, c->month, 1);
		/* 1970-01-01 was a Thursday. */
		day = first + ((c->day - (first + 4) % 7) % 7 + 7) % 7 + (c->week - 1) * 7;
		while (day >= (c->month == 12 ? days_from_civil(year + 1, 1, 1)
		                              : days_from_civil(year, c->month + 1, 1)))
			day -= 7;
		break;
	}
	return day * 86400 + c->at_s;
}

static int
rule_offset(const struct zone *z, int64_t t)
{
	struct civil c = wall_civil((struct wall){ (t + z->std_s) * NS_PER_S });
	int64_t begin, end;

	if (!z->dst)
		return z->std_s;
	begin = change_at(&z->begin, c.year) - z->std_s;
	end = change_at(&z->end, c.year) - z->dst_s;
	if (begin < end)
		return t >= begin && t < end ? z->dst_s : z->std_s;
	return t >= end && t < begin ? z->std_s : z->dst_s;
}

/* ---- the table ---- */

static uint64_t
big_endian(struct scan *s, size_t n)
{
	struct str b = scan_bytes(s, n);
	uint64_t v = 0;
	size_t i;

	for (i = 0; i < b.n; i++)
		v = v << 8 | b.p[i];
	return v;
}

struct counts {
	uint64_t isut, isstd, leap, time, type, chars;
};

static bool
read_head(struct scan *s, uint8_t *ret_version, struct counts *ret)
{
	struct str magic = scan_bytes(s, 4);

	*ret_version = scan_u8(s);
	(void)scan_bytes(s, 15);
	ret->isut = big_endian(s, 4);
	ret->isstd = big_endian(s, 4);
	ret->leap = big_endian(s, 4);
	ret->time = big_endian(s, 4);
	ret->type = big_endian(s, 4);
	ret->chars = big_endian(s, 4);
	return !s->bad && str_eq(magic, STR("TZif"));
}

static size_t
block_bytes(const struct counts *c, size_t time_size)
{
	return (size_t)(c->time * (time_size + 1) + c->type * 6 + c->chars +
	    c->leap * (time_size + 4) + c->isstd + c->isut);
}

static int
read_block(struct scan *s, const struct counts *c, struct arena *arena, struct zone *z)
{
	size_t i;

	if (c->time > ZONE_BYTES_MAX || c->type == 0 || c->type > 256)
		return ZONE_E_BAD;
	z->n = (size_t)c->time;
	z->n_offsets = (size_t)c->type;
	z->at = arena_zalloc(arena, z->n + 1, sizeof(*z->at));
	z->types = arena_zalloc(arena, z->n + 1, 1);
	z->offsets = arena_zalloc(arena, z->n_offsets, sizeof(*z->offsets));
	if (z->at == NULL || z->types == NULL || z->offsets == NULL)
		return err_origin(-ENOMEM);
	for (i = 0; i < z->n; i++)
		z->at[i] = (int64_t)big_endian(s, 8);
	for (i = 0; i < z->n; i++) {
		z->types[i] = scan_u8(s);
		if (z->types[i] >= z->n_offsets || (i > 0 && z->at[i] < z->at[i - 1]))
			return ZONE_E_BAD;
	}
	for (i = 0; i < z->n_offsets; i++) {
		z->offsets[i] = (int32_t)(uint32_t)big_endian(s, 4);
		(void)scan_bytes(s, 2);
		if (z->offsets[i] < -90000 || z->offsets[i] > 90000)
			return ZONE_E_BAD;
	}
	(void)scan_bytes(s, (size_t)(c->chars + c->leap * 12 + c->isstd + c->isut));
	return s->bad ? ZONE_E_BAD : 0;
}

int
zone_parse(struct str bytes, struct arena *arena, const struct zone **ret)
{
	struct scan s = SCAN_OF(bytes);
	struct zone *z = arena_zalloc(arena, 1, sizeof(*z));
	struct counts c;
	struct str rest;
	uint8_t version;
	size_t end;
	int r;

	if (z == NULL)
		return err_origin(-ENOMEM);
	if (!read_head(&s, &version, &c) || version < '2')
		return ZONE_E_BAD;
	(void)scan_bytes(&s, block_bytes(&c, 4));
	if (!read_head(&s, &version, &c))
		return ZONE_E_BAD;
	r = read_block(&s, &c, arena, z);
	if (r != 0)
		return r;
	rest = str_sub(bytes, s.at, bytes.n);
	end = rest.n > 1 ? str_find_byte(str_sub(rest, 1, rest.n), '\n') : SIZE_MAX;
	if (end != SIZE_MAX && rest.p[0] == '\n')
		parse_footer(str_sub(rest, 1, 1 + end), z);
	*ret = z;
	return 0;
}

static bool
name_is_safe(struct str name)
{
	size_t i;

	if (name.n > ZONE_NAME_MAX || name.p[0] == '/' || str_find(name, STR("..")) != SIZE_MAX)
		return false;
	for (i = 0; i < name.n; i++) {
		uint8_t c = str_lower_byte(name.p[i]);

		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '+' ||
		        c == '-' || c == '/'))
			return false;
	}
	return true;
}

int
zone_load(struct str name, struct arena *arena, const struct zone **ret)
{
	AUTO_FINI(buf_fini) struct buf path = BUF_INIT;
	AUTO_FINI(buf_fini) struct buf bytes = BUF_INIT;

	if (name.n == 0 || str_eq(name, STR("UTC"))) {
		*ret = NULL;
		return 0;
	}
	if (!name_is_safe(name))
		return ZONE_E_BAD;
	if (str_eq(name, STR("Local")))
		buf_c(&path, "/etc/localtime");
	else
		buf_printf(&path, "/usr/share/zoneinfo/%.*s", STR_ARG(name));
	if (io_read_file(AT_FDCWD, buf_c_str(&path), ZONE_BYTES_MAX, &bytes) < 0) {
		/* A host without the file keeps UTC. */
		*ret = NULL;
		return str_eq(name, STR("Local")) ? 0 : ZONE_E_BAD;
	}
	return zone_parse(buf_view(&bytes), arena, ret);
}

int
zone_offset(const struct zone *z, struct wall t)
{
	int64_t s = t.ns / NS_PER_S - (t.ns % NS_PER_S < 0);
	size_t lo = 0, hi = z->n, mid;

	/* Before the first transition the first type holds. */
	if (z->n == 0 || s < z->at[0])
		return z->n == 0 && z->rule ? rule_offset(z, s) : z->offsets[0];
	if (s >= z->at[z->n - 1] && z->rule)
		return rule_offset(z, s);
	while (hi - lo > 1) {
		mid = lo + (hi - lo) / 2;
		if (z->at[mid] <= s)
			lo = mid;
		else
			hi = mid;
	}
	return z->offsets[z->types[lo]];
}
