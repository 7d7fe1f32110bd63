/*
 * logsql/value_order.c - values in order, and numbers as values.
 * One job: say which of two values comes first, and write a number as a value.
 * Floor: 2 (uses record, base).
 */
#include <math.h>
#include <stdio.h>

#include "logsql/value.h"

static bool
is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

/* The digits at s[*at..] without leading zeros; *at goes behind them. */
static struct str
digit_run(struct str s, size_t *at)
{
	size_t start;

	while (*at + 1 < s.n && s.p[*at] == '0' && is_digit(s.p[*at + 1]))
		(*at)++;
	start = *at;
	while (*at < s.n && is_digit(s.p[*at]))
		(*at)++;
	return str_sub(s, start, *at);
}

/* A digit comes before all else, so that a2 < ab; the number decides before its leading zeros do. */
bool
value_less_natural(struct str a, struct str b)
{
	size_t i = 0, k = 0;
	struct str x, y;
	int r;

	while (i < a.n && k < b.n) {
		if (is_digit(a.p[i]) && is_digit(b.p[k])) {
			x = digit_run(a, &i);
			y = digit_run(b, &k);
			r = x.n != y.n ? (x.n > y.n) - (x.n < y.n) : str_cmp(x, y);
			if (r != 0)
				return r < 0;
			continue;
		}
		if (is_digit(a.p[i]) != is_digit(b.p[k]))
			return is_digit(a.p[i]);
		if (a.p[i] != b.p[k])
			return a.p[i] < b.p[k];
		i++;
		k++;
	}
	return a.n - i < b.n - k;
}

bool
value_less(struct str a, struct str b)
{
	uint64_t ua, ub;
	int64_t ia, ib;
	double fa, fb;

	if (str_eq(a, b))
		return false;
	if (value_int(a, &ia) && value_int(b, &ib))
		return ia < ib;
	if (value_uint(a, &ua) && value_uint(b, &ub))
		return ua < ub;
	if (value_time(a, &ia) && value_time(b, &ib))
		return ia < ib;
	if (value_number(a, &fa) && value_number(b, &fb))
		return fa < fb;
	return value_less_natural(a, b);
}

/* digits d1d2…dn with the point after the exp-th, padded with zeros where it lies outside. */
static void
put_decimal(struct buf *out, const char *digits, int n, int point)
{
	int i;

	if (point <= 0) {
		buf_c(out, "0.");
		for (i = point; i < 0; i++)
			buf_byte(out, '0');
		buf_put(out, digits, (size_t)n);
		return;
	}
	for (i = 0; i < n || i < point; i++) {
		if (i == point)
			buf_byte(out, '.');
		buf_byte(out, i < n ? (uint8_t)digits[i] : '0');
	}
}

void
value_format_float(struct buf *out, double v)
{
	char text[40], digits[24];
	int precision, n = 0, i, exponent;

	if (isnan(v)) {
		buf_c(out, "NaN");
		return;
	}
	if (isinf(v)) {
		buf_c(out, v > 0 ? "+Inf" : "-Inf");
		return;
	}
	if (v == floor(v) && fabs(v) < 1e15) {
		if (v == 0 && signbit(v))
			buf_byte(out, '-');
		buf_int(out, (int64_t)v);
		return;
	}
	for (precision = 0; precision <= 17; precision++) {
		(void)snprintf(text, sizeof(text), "%.*e", precision, v);
		if (strtod(text, NULL) == v)
			break;
	}
	for (i = text[0] == '-'; text[i] != 'e' && text[i] != '\0'; i++)
		if (text[i] != '.')
			digits[n++] = text[i];
	exponent = text[i] == 'e' ? atoi(text + i + 1) : 0;
	while (n > 1 && digits[n - 1] == '0')
		n--;
	if (v < 0)
		buf_byte(out, '-');
	put_decimal(out, digits, n, exponent + 1);
}
