/*
 * base/wall.h - time.
 * One job: instants and lengths of time, and their text forms.
 * Floor: 0.
 */
#pragma once

#include "base/buf.h"

/* An instant: ns since 1970-01-01T00:00:00Z, proleptic Gregorian, no leap seconds. */
struct wall {
	int64_t ns;
};
/* A length of time in ns. */
struct span {
	int64_t ns;
};

#define NS_PER_US   INT64_C(1000)
#define NS_PER_MS   INT64_C(1000000)
#define NS_PER_S    INT64_C(1000000000)
#define NS_PER_MIN  (60 * NS_PER_S)
#define NS_PER_HOUR (3600 * NS_PER_S)
#define NS_PER_DAY  (86400 * NS_PER_S)

/* The civil fields of an instant in UTC. */
struct civil {
	int64_t year; /* may be negative */
	int month;    /* 1 to 12 */
	int day;      /* 1 to 31 */
	int hour, minute, second;
	int ns;
	int weekday; /* 0 is Sunday */
};

/** wall_now(): CLOCK_REALTIME.  mono_now(): CLOCK_MONOTONIC.  boot_now(): CLOCK_BOOTTIME. */
struct wall wall_now(void);
struct span mono_now(void);
struct span boot_now(void);

/** wall_civil(t): fields in UTC.  civil_wall(c): the instant; saturates at int64. */
struct civil wall_civil(struct wall t);
struct wall civil_wall(const struct civil *c);

/** days_from_civil(y, m, d): days since 1970-01-01; m 1 to 12. */
int64_t days_from_civil(int64_t y, int m, int d);

/** wall_format(out, t): RFC 3339 UTC with Z, trailing zeros of the fraction trimmed.  Returns bytes. */
enum { WALL_TEXT_MAX = 40 };
size_t wall_format(char out[WALL_TEXT_MAX], struct wall t);

enum { WALL_E_SYNTAX = 1 };

/**
 * wall_parse_rfc3339(s, zone_s, ret_t, ret_has_zone):
 * Parse a whole RFC 3339 time: date, 'T', 't' or blank, time with seconds, a fraction of any length
 * after '.' or ',' (digits beyond ns are cut), then Z, +hh:mm, +hhmm, or nothing.
 *
 * Units:  zone_s is seconds east of UTC, used when the text has no zone.
 * Errors: WALL_E_SYNTAX; no negative code.  Second 60 is taken as the next minute's 0.
 * Source: RFC 3339 section 5.6.
 */
int wall_parse_rfc3339(struct str s, int zone_s, struct wall *ret_t, bool *ret_has_zone);

/**
 * span_parse(s, ret):
 * Parse a duration as Prometheus and LogsQL write it: 1h30m, 5m, 1.5s, 200ms, 3us, 3µs, 10ns, 2d, 1w, 1y,
 * with an optional leading '-'.
 *
 * Errors: WALL_E_SYNTAX (no unit, unknown unit, out of range); no negative code.
 */
int span_parse(struct str s, struct span *ret);

/** span_format(out, d): the shortest exact form, such as 1h30m or 1.5s.  Returns bytes. */
enum { SPAN_TEXT_MAX = 64 };
size_t span_format(char out[SPAN_TEXT_MAX], struct span d);

/** wall_local_offset(t): seconds east of UTC in the host's zone at ${t}. */
int wall_local_offset(struct wall t);
