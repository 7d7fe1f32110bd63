/*
 * parsers/moment_internal.h - the pieces that times are made of.
 * One job: share them between the forms of time.
 * Floor: 2 (uses base).
 */
#pragma once

#include "parsers/moment.h"

/** moment_digits(p, n): n digits at ${p} as a number, or -1. */
int moment_digits(const uint8_t *p, size_t n);

/** moment_clock_seconds(p): hh:mm:ss at p[8] in seconds, or -1. */
int moment_clock_seconds(const uint8_t *p);

/** moment_date_days(y, mo, d, ret): days since 1970; false for a date that there is not. */
bool moment_date_days(int y, int mo, int d, int64_t *ret);

/** moment_fraction(s, at, ret_ns): where the digits after '.' or ',' at ${at} end; ${at} without any. */
size_t moment_fraction(struct str s, size_t at, int *ret_ns);

/** moment_zone(s, at, ret_s): where Z, UTC, GMT, +hh:mm, +hhmm or +hh at ${at} ends; ${at} without one. */
size_t moment_zone(struct str s, size_t at, int *ret_s);

/** moment_assemble(m, days, secs, ns, zone_s, ret): the instant; by the source's rules if zone_s is NULL. */
bool moment_assemble(struct moment *m, int64_t days, int secs, int ns, const int *zone_s,
    struct wall *ret);

/** moment_zoned(m, s, at, days, secs, ns, ret): the same with the zone that stands at ${at}, if one does.
 * Where it ends, or 0. */
size_t moment_zoned(struct moment *m, struct str s, size_t at, int64_t days, int secs, int ns,
    struct wall *ret);
