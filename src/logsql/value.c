/*
 * logsql/value.c - values as numbers.
 * One job: read a value as the language does where it wants a number.
 * Floor: 2 (uses record, base).
 */
#include "logsql/value.h"

#include <arpa/inet.h>
#include <math.h>
#include <stdio.h>

#include "base/wall.h"

enum { UINT_TEXT_MAX = 26, FLOAT_TEXT_MAX = 27, NUMBER_TEXT_MAX = 128 };

static bool
is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

bool
value_uint(struct str s, uint64_t *ret)
{
	uint64_t n = 0;
	size_t i;

	if (s.n == 0 || s.n > UINT_TEXT_MAX || (s.n > 1 && s.p[0] == '0'))
		return false;
	for (i = 0; i < s.n; i++) {
		if (s.p[i] == '_')
			continue;
		if (!is_digit(s.p[i]) || __builtin_mul_overflow(n, 10, &n) ||
		    __builtin_add_overflow(n, (uint64_t)(s.p[i] - '0'), &n))
			return false;
	}
	*ret = n;
	return true;
}

bool
value_int(struct str s, int64_t *ret)
{
	bool minus = s.n > 0 && s.p[0] == '-';
	uint64_t n;

	if (!value_uint(str_sub(s, minus ? 1 : 0, s.n), &n) || n > (uint64_t)INT64_MAX)
		return false;
	*ret = minus ? -(int64_t)n : (int64_t)n;
	return true;
}

bool
value_float(struct str s, double *ret)
{
	bool minus = s.n > 0 && s.p[0] == '-';
	uint64_t whole, frac;
	size_t point, i, digits = 0;
	double f;

	if (s.n == 0 || s.n > FLOAT_TEXT_MAX)
		return false;
	s = str_sub(s, minus ? 1 : 0, s.n);
	point = str_find_byte(s, '.');
	if (point == SIZE_MAX) {
		if (!value_uint(s, &whole))
			return false;
		*ret = minus ? -(double)whole : (double)whole;
		return true;
	}
	if (point == 0 || point == s.n - 1 || !value_uint(str_sub(s, 0, point), &whole))
		return false;
	for (i = point + 1; i < s.n; i++)
		digits += s.p[i] != '_';
	for (i = point + 1; i < s.n - 1 && s.p[i] == '0';)
		i++;
	if (!value_uint(str_sub(s, i, s.n), &frac))
		return false;
	f = fma((double)frac, pow(10, -(double)digits), (double)whole);
	*ret = minus ? -f : f;
	return true;
}

/* A float at the start of s: the bytes it takes, or 0. */
static size_t
float_prefix(struct str s, double *ret)
{
	size_t i = 0;

	while (i < s.n && (is_digit(s.p[i]) || s.p[i] == '.' || s.p[i] == '_'))
		i++;
	return value_float(str_sub(s, 0, i), ret) ? i : 0;
}

struct unit {
	const char *name;
	double factor;
};

/* The longest names first. */
static const struct unit duration_units[] = {
	{ "\xc2\xb5s", 1e3 },
	{ "\xce\xbcs", 1e3 },
	{ "ms", 1e6 },
	{ "ns", 1 },
	{ "us", 1e3 },
	{ "y", 365 * 86400e9 },
	{ "w", 7 * 86400e9 },
	{ "d", 86400e9 },
	{ "h", 3600e9 },
	{ "m", 60e9 },
	{ "s", 1e9 },
};

static const struct unit byte_units[] = {
	{ "KiB", 1024.0 },
	{ "MiB", 1048576.0 },
	{ "GiB", 1073741824.0 },
	{ "TiB", 1099511627776.0 },
	{ "Ki", 1024.0 },
	{ "Mi", 1048576.0 },
	{ "Gi", 1073741824.0 },
	{ "Ti", 1099511627776.0 },
	{ "KB", 1e3 },
	{ "MB", 1e6 },
	{ "GB", 1e9 },
	{ "TB", 1e12 },
	{ "B", 1 },
	{ "K", 1e3 },
	{ "M", 1e6 },
	{ "G", 1e9 },
	{ "T", 1e12 },
};

static size_t
find_unit(struct str s, const struct unit *units, size_t n, double *ret_factor)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (str_starts(s, str_c(units[i].name))) {
			*ret_factor = units[i].factor;
			return strlen(units[i].name);
		}
	return 0;
}

static int64_t
add_saturated(int64_t n, double f)
{
	int64_t x;

	if (!(f < 9223372036854775807.0))
		return INT64_MAX;
	x = (int64_t)f;
	return __builtin_add_overflow(n, x, &x) ? INT64_MAX : x;
}

bool
value_duration(struct str s, int64_t *ret_ns)
{
	bool minus = s.n > 0 && s.p[0] == '-';
	int64_t ns = 0;
	size_t at = minus ? 1 : 0, n, unit;
	double f, factor;

	if (at == s.n)
		return false;
	for (; at < s.n; at += n + unit) {
		n = float_prefix(str_sub(s, at, s.n), &f);
		unit = n == 0 ? 0
		              : find_unit(str_sub(s, at + n, s.n), duration_units,
		                    ARRAY_LEN(duration_units), &factor);
		if (unit == 0)
			return false;
		ns = add_saturated(ns, f * factor);
	}
	*ret_ns = minus ? -ns : ns;
	return true;
}

bool
value_bytes(struct str s, int64_t *ret)
{
	bool minus = s.n > 0 && s.p[0] == '-';
	int64_t sum = 0;
	size_t at = minus ? 1 : 0, n, unit;
	double f, factor;

	if (at == s.n)
		return false;
	for (; at < s.n; at += n + unit) {
		n = float_prefix(str_sub(s, at, s.n), &f);
		if (n == 0)
			return false;
		factor = 1;
		unit =
		    find_unit(str_sub(s, at + n, s.n), byte_units, ARRAY_LEN(byte_units), &factor);
		/* Only the last number may stand without a unit, and then it is whole. */
		if (unit == 0 && (at + n < s.n || f != floor(f)))
			return false;
		sum = add_saturated(sum, f * factor);
	}
	*ret = minus ? -sum : sum;
	return true;
}

bool
value_ipv4(struct str s, uint32_t *ret)
{
	uint32_t ip = 0, octet;
	size_t i = 0, start;
	unsigned k;

	if (s.n < 7 || s.n > 15)
		return false;
	for (k = 0; k < 4; k++) {
		octet = 0;
		for (start = i; i < s.n && is_digit(s.p[i]) && i - start < 3; i++)
			octet = octet * 10 + (uint32_t)(s.p[i] - '0');
		if (i == start || octet > 255)
			return false;
		ip = ip << 8 | octet;
		if (k < 3 && (i == s.n || s.p[i++] != '.'))
			return false;
	}
	if (i != s.n)
		return false;
	*ret = ip;
	return true;
}

bool
value_ipv6(struct str s, uint8_t ret[16])
{
	char text[INET6_ADDRSTRLEN + 1];
	uint32_t v4;

	if (value_ipv4(s, &v4)) {
		memset(ret, 0, 10);
		ret[10] = ret[11] = 0xff;
		ret[12] = (uint8_t)(v4 >> 24);
		ret[13] = (uint8_t)(v4 >> 16);
		ret[14] = (uint8_t)(v4 >> 8);
		ret[15] = (uint8_t)v4;
		return true;
	}
	if (s.n < 2 || s.n >= sizeof(text) || memchr(s.p, 0, s.n) != NULL)
		return false;
	memcpy(text, s.p, s.n);
	text[s.n] = '\0';
	return inet_pton(AF_INET6, text, ret) == 1;
}

bool
value_time(struct str s, int64_t *ret_ns)
{
	struct wall t;
	bool has_zone;

	if (s.n < 19 || s.p[4] != '-' || wall_parse_rfc3339(s, 0, &t, &has_zone) != 0)
		return false;
	*ret_ns = t.ns;
	return true;
}

/* Digits after an optional sign and point, or inf; else no number of C's. */
static bool
number_prefix(struct str s)
{
	size_t i = s.n > 0 && (s.p[0] == '-' || s.p[0] == '+') ? 1 : 0;

	if (str_eq_nocase(str_sub(s, i, s.n), STR("inf")))
		return true;
	if (i < s.n && s.p[i] == '.')
		i++;
	return i < s.n && is_digit(s.p[i]);
}

/* An integer with a base: 0x1f, 0b101, 0o17, 017, with '_' between digits. */
static bool
based_uint(struct str s, uint64_t *ret)
{
	uint64_t n = 0;
	unsigned base = 10, d;
	size_t i = 0;
	uint8_t c;

	if (s.n > 1 && s.p[0] == '0') {
		c = str_lower_byte(s.p[1]);
		base = c == 'x' ? 16 : c == 'b' ? 2 : 8;
		i = c == 'x' || c == 'b' || c == 'o' ? 2 : 1;
	}
	if (i == s.n)
		return false;
	for (; i < s.n; i++) {
		c = str_lower_byte(s.p[i]);
		if (c == '_')
			continue;
		d = is_digit(c) ? (unsigned)(c - '0') : c >= 'a' && c <= 'f' ? c - 'a' + 10u : 99u;
		if (d >= base || __builtin_mul_overflow(n, base, &n) ||
		    __builtin_add_overflow(n, d, &n))
			return false;
	}
	*ret = n;
	return true;
}

/* What is left of numbers: an exponent, hexadecimal, inf.  One point, no time or address. */
static bool
c_number(struct str s, double *ret)
{
	char text[NUMBER_TEXT_MAX], *end;
	size_t i, points = 0, minus = 0, sign;
	uint64_t u;

	if (!number_prefix(s) || s.n >= sizeof(text))
		return false;
	for (i = 0; i < s.n; i++) {
		points += s.p[i] == '.';
		minus += s.p[i] == '-';
		if (s.p[i] == ':' || s.p[i] == '\0' || points > 1 || minus > 2)
			return false;
	}
	memcpy(text, s.p, s.n);
	text[s.n] = '\0';
	*ret = strtod(text, &end);
	if (*end == '\0')
		return true;
	sign = s.p[0] == '-' || s.p[0] == '+' ? 1 : 0;
	if (!based_uint(str_sub(s, sign, s.n), &u))
		return false;
	*ret = s.p[0] == '-' ? -(double)u : (double)u;
	return true;
}

bool
value_number(struct str s, double *ret)
{
	int64_t n;

	if (s.n == 0)
		return false;
	if (value_float(s, ret))
		return true;
	/* Nothing of what follows begins otherwise, and most values of logs end here. */
	if (!is_digit(s.p[0]) && s.p[0] != '-' && s.p[0] != '+' && s.p[0] != '.' &&
	    str_lower_byte(s.p[0]) != 'i')
		return false;
	if (value_duration(s, &n) || value_bytes(s, &n)) {
		*ret = (double)n;
		return true;
	}
	return c_number(s, ret);
}

bool
value_math(struct str s, double *ret)
{
	uint32_t ip;
	int64_t ns;

	if (value_number(s, ret))
		return true;
	if (value_time(s, &ns)) {
		*ret = (double)ns;
		return true;
	}
	if (value_ipv4(s, &ip)) {
		*ret = ip;
		return true;
	}
	return false;
}

bool
value_length(struct str s, uint64_t *ret)
{
	int64_t n;

	if (str_eq_nocase(s, STR("inf")) || str_eq_nocase(s, STR("+inf"))) {
		*ret = UINT64_MAX;
		return true;
	}
	if (s.n > 0 && is_digit(s.p[0]) && based_uint(s, ret))
		return true;
	if ((!value_bytes(s, &n) && !value_duration(s, &n)) || n < 0)
		return false;
	*ret = (uint64_t)n;
	return true;
}
