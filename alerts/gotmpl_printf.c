/*
 * alerts/gotmpl_printf.c - printf of a template.
 * One job: Go's verbs for the values that templates have; a verb that does not fit its value is an error, never text in a mail.
 * Floor: 4 (uses base).
 */
#include <math.h>
#include <stdio.h>

#include "alerts/gotmpl_internal.h"
#include "base/utf8.h"

enum { WIDTH_MAX = 1000, PRECISION_MAX = 100 };

/* One % of a format. */
struct verb {
	bool minus, plus, zero, blank;
	unsigned width;
	int precision; /* -1: none */
	uint8_t c;
};

/* ---- reading ---- */

static bool
take_flag(struct verb *v, uint8_t c)
{
	v->minus = v->minus || c == '-';
	v->plus = v->plus || c == '+';
	v->zero = v->zero || c == '0';
	v->blank = v->blank || c == ' ';
	return c == '-' || c == '+' || c == '0' || c == ' ';
}

static unsigned
take_digits(struct str f, size_t *at)
{
	unsigned n = 0;

	for (; *at < f.n && f.p[*at] >= '0' && f.p[*at] <= '9'; (*at)++)
		if (n <= WIDTH_MAX)
			n = n * 10 + f.p[*at] - '0';
	return n;
}

/* The verb behind a '%' at ${at}; false and ${why} when there is none that is done here. */
static bool
verb_read(struct str f, size_t *at, struct verb *v, struct buf *why)
{
	*v = (struct verb){ .precision = -1 };
	while (*at < f.n && take_flag(v, f.p[*at]))
		(*at)++;
	v->width = take_digits(f, at);
	if (*at < f.n && f.p[*at] == '.') {
		(*at)++;
		v->precision = (int)take_digits(f, at);
	}
	if (v->width > WIDTH_MAX || v->precision > PRECISION_MAX) {
		buf_printf(why, "a width of at most %d and a precision of at most %d are expected",
		    WIDTH_MAX, PRECISION_MAX);
		return false;
	}
	if (*at >= f.n) {
		buf_c(why, "'%' at the end: expected a verb such as %s, %.2f or %d, or %%");
		return false;
	}
	v->c = f.p[(*at)++];
	if (memchr("vsqdxXfFeEgGtcob%", v->c, 17) != NULL && v->c != '\0')
		return true;
	buf_printf(why,
	    "no verb %%%c: expected one of %%v %%s %%q %%d %%x %%f %%e %%g %%t %%c %%%%",
	    v->c >= ' ' && v->c < 0x7f ? v->c : '?');
	return false;
}

static bool
is_one_of(uint8_t c, const char *set)
{
	return c != '\0' && strchr(set, c) != NULL;
}

static bool
verb_fits(uint8_t c, enum tmpl_type type)
{
	switch (type) {
	case TMPL_ANY:
		return true;
	case TMPL_BOOL:
		return is_one_of(c, "vt");
	case TMPL_INT:
		return is_one_of(c, "vdxXcobq");
	case TMPL_FLOAT:
		return is_one_of(c, "vfFeEgG");
	case TMPL_STRING:
		return is_one_of(c, "vsqxX");
	case TMPL_MAP:
	case TMPL_TIME:
		return is_one_of(c, "vs");
	case TMPL_ROOT:
		return false;
	}
	return false;
}

static bool
check_verb(const struct verb *v, enum tmpl_type type, struct buf *why)
{
	if ((v->plus && v->c == 'q') ||
	    (v->blank && type == TMPL_STRING && is_one_of(v->c, "xX"))) {
		buf_printf(why, "flag '%c' of %%%c is not done here", v->plus ? '+' : ' ', v->c);
		return false;
	}
	if (verb_fits(v->c, type))
		return true;
	buf_printf(why, "%%%c does not take %s", v->c, tmpl_type_name(type));
	if (type == TMPL_FLOAT && is_one_of(v->c, "dxX"))
		buf_c(why, ": expected %.0f");
	else if (type == TMPL_FLOAT && v->c == 's')
		buf_c(why, ": expected %v or %.2f");
	else if (type == TMPL_STRING && is_one_of(v->c, "dfFeEgG"))
		buf_c(why, ": expected %s");
	else if (type == TMPL_INT && is_one_of(v->c, "sfFeEgG"))
		buf_c(why, ": expected %d");
	return false;
}

bool
tmpl_format_check(struct str f, const enum tmpl_type *types, size_t n, struct buf *why)
{
	struct verb v;
	size_t i = 0, used = 0;

	while (i < f.n) {
		if (f.p[i++] != '%')
			continue;
		if (!verb_read(f, &i, &v, why))
			return false;
		if (v.c == '%')
			continue;
		if (used == n) {
			buf_printf(why, "%%%c has no value: %zu stand behind the format", v.c, n);
			return false;
		}
		if (!check_verb(&v, types[used++], why))
			return false;
	}
	if (used == n)
		return true;
	buf_printf(why, "%zu values stand behind a format that takes %zu", n, used);
	return false;
}

/* ---- writing ---- */

static void
quote_char(struct buf *out, uint32_t c, const uint8_t *p, size_t n, uint8_t quote)
{
	static const char from[] = "\a\b\f\n\r\t\v", to[] = "abfnrtv";
	const char *at = c != 0 && c < 0x20 ? strchr(from, (int)c) : NULL;

	if (c == quote || c == '\\')
		buf_printf(out, "\\%c", (int)c);
	else if (at != NULL)
		buf_printf(out, "\\%c", to[at - from]);
	else if (n == 1 && p[0] >= 0x80)
		buf_printf(out, "\\x%02x", p[0]);
	else if (c < 0x20 || c == 0x7f)
		buf_printf(out, "\\x%02x", c);
	else if ((c >= 0x80 && c < 0xa0) || c == 0xad || c == 0xfeff)
		buf_printf(out, "\\u%04x", c);
	else
		buf_put(out, p, n);
}

static void
put_quoted(struct buf *out, struct str s, uint8_t quote)
{
	size_t i, n;
	uint32_t c;

	buf_byte(out, quote);
	for (i = 0; i < s.n; i += n) {
		c = utf8_decode(s.p + i, s.n - i, &n);
		quote_char(out, c, s.p + i, n, quote);
	}
	buf_byte(out, quote);
}

static struct str
first_chars(struct str s, int n)
{
	size_t i = 0, len;

	for (; n >= 0 && i < s.n; n--) {
		if (n == 0)
			return str_sub(s, 0, i);
		len = utf8_len(s.p + i, s.n - i);
		i += len > 0 ? len : 1;
	}
	return s;
}

static void
put_text(struct buf *out, const struct verb *v, struct str s)
{
	size_t i;

	bool hex = v->c == 'x' || v->c == 'X';

	if (v->precision >= 0)
		s = hex ? str_sub(s, 0, (size_t)v->precision) : first_chars(s, v->precision);
	if (v->c == 'q')
		put_quoted(out, s, '"');
	else if (hex)
		for (i = 0; i < s.n; i++)
			buf_printf(out, v->c == 'X' ? "%02X" : "%02x", s.p[i]);
	else
		buf_str(out, s);
}

static void
put_base(struct buf *out, uint64_t u, unsigned base, bool upper, int at_least)
{
	const char *digits = upper ? "0123456789ABCDEF" : "0123456789abcdef";
	char text[80];
	size_t n = sizeof(text);

	do {
		text[--n] = digits[u % base];
		u /= base;
		at_least--;
	} while (u > 0 || (at_least > 0 && n > 1 && at_least < 70));
	buf_put(out, text + n, sizeof(text) - n);
}

static void
put_char(struct buf *out, int64_t i, bool quoted)
{
	uint8_t bytes[4];
	size_t n;

	n = utf8_encode(bytes,
	    i < 0 || i > 0x10ffff || (i >= 0xd800 && i < 0xe000) ? 0xfffd : (uint32_t)i);
	if (quoted)
		put_quoted(out, str_of(bytes, n), '\'');
	else
		buf_put(out, bytes, n);
}

static void
put_int(struct buf *out, const struct verb *v, int64_t i)
{
	uint64_t u = i < 0 ? 0 - (uint64_t)i : (uint64_t)i;
	unsigned base = v->c == 'x' || v->c == 'X' ? 16 : v->c == 'o' ? 8 : v->c == 'b' ? 2 : 10;

	if (v->c == 'c' || v->c == 'q') {
		put_char(out, i, v->c == 'q');
		return;
	}
	/* Nothing at all, not even the sign. */
	if (i == 0 && v->precision == 0)
		return;
	if (i < 0)
		buf_byte(out, '-');
	else if (v->plus || v->blank)
		buf_byte(out, v->plus ? '+' : ' ');
	put_base(out, u, base, v->c == 'X', v->precision);
}

static void
put_float(struct buf *out, const struct verb *v, double f)
{
	bool shortest = v->precision < 0 && is_one_of(v->c, "vgG");
	size_t from = out->n, i;

	if (!signbit(f) && !isnan(f) && !isinf(f) && (v->plus || v->blank))
		buf_byte(out, v->plus ? '+' : ' ');
	tmpl_float(out, f,
	    is_one_of(v->c, "fF")       ? 'f'
	        : is_one_of(v->c, "eE") ? 'e'
	                                : 'g',
	    shortest               ? -1
	        : v->precision < 0 ? 6
	                           : v->precision);
	for (i = from; i < out->n && is_one_of(v->c, "EG"); i++)
		if (out->p[i] == 'e')
			out->p[i] = 'E';
}

static void
put_value(struct buf *out, const struct verb *v, const struct tmpl_value *val)
{
	if (val->type == TMPL_STRING)
		put_text(out, v, val->s);
	else if (val->type == TMPL_INT)
		put_int(out, v, val->i);
	else if (val->type == TMPL_FLOAT)
		put_float(out, v, val->f);
	else
		tmpl_print(out, val);
}

/* Blanks or zeros up to the width, in characters. */
static void
put_padded(struct buf *out, const struct verb *v, struct str s, bool number)
{
	bool sign = number && s.n > 0 && (s.p[0] == '-' || s.p[0] == '+' || s.p[0] == ' ');
	bool zero = v->zero && !v->minus;
	size_t i, n = 0;

	for (i = 0; i < s.n; i++)
		n += (s.p[i] & 0xc0) != 0x80;
	if (zero && sign) {
		buf_byte(out, s.p[0]);
		s = str_sub(s, 1, s.n);
	}
	for (i = n; i < v->width && !v->minus; i++)
		buf_byte(out, zero ? '0' : ' ');
	buf_str(out, s);
	for (i = n; i < v->width && v->minus; i++)
		buf_byte(out, ' ');
}

static int
put_all(struct tmpl_run *run, struct str f, const struct tmpl_value *args, struct buf *out)
{
	AUTO_FINI(buf_fini) struct buf one = BUF_INIT;
	struct verb v;
	size_t i = 0;
	bool number;

	while (i < f.n) {
		if (f.p[i] != '%') {
			buf_byte(out, f.p[i++]);
			continue;
		}
		i++;
		if (!verb_read(f, &i, &v, &one))
			return tmpl_fail(run, "printf: %s", buf_c_str(&one));
		if (v.c == '%') {
			buf_byte(out, '%');
			continue;
		}
		buf_clear(&one);
		/* Go's %+v is another verb, and a precision of digits leaves nothing to fill. */
		v.plus = v.plus && v.c != 'v';
		v.zero = v.zero &&
		    !(args->type == TMPL_INT && v.precision >= 0 && !is_one_of(v.c, "cq"));
		number = args->type == TMPL_INT || (args->type == TMPL_FLOAT && isfinite(args->f));
		put_value(&one, &v, args++);
		put_padded(out, &v, buf_view(&one), number);
		buf_clear(&one);
	}
	return 0;
}

int
tmpl_printf(struct tmpl_run *run, const struct tmpl_value *args, size_t n, struct tmpl_value *ret)
{
	AUTO_FINI(buf_fini) struct buf out = BUF_INIT, why = BUF_INIT;
	enum tmpl_type types[TMPL_ARGS_MAX];
	size_t i;
	int r;

	for (i = 1; i < n; i++)
		types[i - 1] = args[i].type;
	if (!tmpl_format_check(args[0].s, types, n - 1, &why))
		return tmpl_fail(run, "printf: %s", buf_c_str(&why));
	r = put_all(run, args[0].s, args + 1, &out);
	return r != 0 ? r : tmpl_keep(run, &out, ret);
}
