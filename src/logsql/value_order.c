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

/*
 * A number in full: a long double has room for every int64, uint64 and double, so that numbers of different notations
 * are in one order.
 */
enum value_class
value_class(struct str s, long double *ret)
{
	uint64_t u;
	int64_t i;
	double f;

	if (s.n == 0)
		return VALUE_CLASS_EMPTY;
	if (value_int(s, &i)) {
		*ret = (long double)i;
		return VALUE_CLASS_NUMBER;
	}
	if (value_uint(s, &u)) {
		*ret = (long double)u;
		return VALUE_CLASS_NUMBER;
	}
	if (value_time(s, &i)) {
		*ret = (long double)i;
		return VALUE_CLASS_TIME;
	}
	if (value_number(s, &f) && !isnan(f)) {
		*ret = (long double)f;
		return VALUE_CLASS_NUMBER;
	}
	return VALUE_CLASS_TEXT;
}

bool
value_less(struct str a, struct str b)
{
	long double x = 0, y = 0;
	enum value_class p, q;

	if (str_eq(a, b))
		return false;
	p = value_class(a, &x);
	q = value_class(b, &y);
	if (p != q)
		return p < q;
	return p == VALUE_CLASS_TEXT ? value_less_natural(a, b) : x < y;
}

int
value_cmp(struct str a, struct str b)
{
	return value_less(a, b) ? -1 : value_less(b, a) ? 1 : str_cmp(a, b);
}

void
value_put_digits(struct buf *out, const char *digits, int n, int point)
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
	value_put_digits(out, digits, n, exponent + 1);
}
