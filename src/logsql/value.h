/*
 * logsql/value.h - values as numbers.
 * One job: read a value as the language does where it wants a number, and compare values.
 * Floor: 2 (uses record, base).
 *
 * All take the whole of ${s} and are false when it is something else.
 */
#pragma once

#include "base/buf.h"

/** value_uint(s, ret): decimal digits, '_' between them allowed, no leading zeros. */
bool value_uint(struct str s, uint64_t *ret);

/** value_int(s, ret): the same with '-' before it. */
bool value_int(struct str s, int64_t *ret);

/** value_float(s, ret): digits with one point within and '-' before them; no exponent. */
bool value_float(struct str s, double *ret);

/** value_duration(s, ret_ns): 1h30m, 1.5s, -2d, 3µs, 10ns, 1w, 1y; saturates. */
bool value_duration(struct str s, int64_t *ret_ns);

/** value_bytes(s, ret): 10KB, 1.5MiB, 1K, 3Gi, 20B, 1MB500KB, 10; saturates. */
bool value_bytes(struct str s, int64_t *ret);

/** value_ipv4(s, ret): four decimal numbers up to 255. */
bool value_ipv4(struct str s, uint32_t *ret);

/** value_ipv6(s, ret): an IPv6 address, or an IPv4 one in its mapped form. */
bool value_ipv6(struct str s, uint8_t ret[16]);

/** value_time(s, ret_ns): RFC 3339 with seconds, 'T' or a blank between; without a zone it is UTC. */
bool value_time(struct str s, int64_t *ret_ns);

/** value_number(s, ret): a float, duration, size, or a number as C writes it (1e3, 0x1f, inf). */
bool value_number(struct str s, double *ret);

/** value_math(s, ret): value_number, or a time in ns, or an IPv4 address as a number. */
bool value_math(struct str s, double *ret);

/** value_length(s, ret): a count: digits, 0x, 0b, 0o, size, duration, or inf. */
bool value_length(struct str s, uint64_t *ret);

/** value_format_float(out, v): the shortest decimal text that reads back as ${v}, without an exponent; NaN, +Inf, -Inf. */
void value_format_float(struct buf *out, double v);

/** value_put_digits(out, digits, n, point): n decimal digits with the point behind ${point} of them, and zeros where it lies
 * outside of them. */
void value_put_digits(struct buf *out, const char *digits, int n, int point);

/* What a value is in the order of all values: nothing first, then numbers, times, texts. */
enum value_class { VALUE_CLASS_EMPTY, VALUE_CLASS_NUMBER, VALUE_CLASS_TIME, VALUE_CLASS_TEXT };

/** value_class(s, ret): its class, and for numbers and times the number. */
enum value_class value_class(struct str s, long double *ret);

/**
 * value_less(a, b):
 * a before b, in one order of all values, so that sorting does not depend on where they begin: by class, then numbers
 * and times as numbers, texts in natural order.
 */
bool value_less(struct str a, struct str b);
/** value_cmp(a, b): the same order; values that are equal in it (5 and 5.0) byte by byte. */
int value_cmp(struct str a, struct str b);

/** value_less_natural(a, b): runs of digits compare as numbers, all else byte by byte. */
bool value_less_natural(struct str a, struct str b);
