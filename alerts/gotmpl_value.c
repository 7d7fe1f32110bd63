/*
 * alerts/gotmpl_value.c - values of a template.
 * One job: print them as Go does, and say what they count as.
 * Floor: 4 (uses base).
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "alerts/gotmpl_internal.h"
#include "logsql/value.h"

const char *
tmpl_type_name(enum tmpl_type type)
{
	switch (type) {
	case TMPL_ANY:
		return "no value";
	case TMPL_BOOL:
		return "true or false";
	case TMPL_INT:
		return "a whole number";
	case TMPL_FLOAT:
		return "a number";
	case TMPL_STRING:
		return "a text";
	case TMPL_MAP:
		return "a map";
	case TMPL_TIME:
		return "a time";
	case TMPL_ROOT:
		return "the whole of it";
	}
	return "";
}

/* The fewest digits that read back as the same number, as d.ddde±x in ${text}. */
static void
shortest(double f, char text[40])
{
	int digits;

	for (digits = 0; digits < 17; digits++) {
		(void)snprintf(text, 40, "%.*e", digits, f);
		if (strtod(text, NULL) == f)
			return;
	}
}

/* Digits of d.ddde±x without the point, and where the point stands. */
static int
digits_of(const char *text, char *ret_digits, int *ret_point)
{
	const char *e = strchr(text, 'e');
	int n = 0;

	for (; text < e; text++)
		if (*text >= '0' && *text <= '9')
			ret_digits[n++] = *text;
	*ret_point = e != NULL ? atoi(e + 1) + 1 : 1;
	while (n > 1 && ret_digits[n - 1] == '0')
		n--;
	return n;
}

static void
put_exponent(struct buf *out, const char *digits, int n, int point)
{
	buf_byte(out, (uint8_t)digits[0]);
	if (n > 1) {
		buf_byte(out, '.');
		buf_put(out, digits + 1, (size_t)n - 1);
	}
	buf_printf(out, "e%c%02d", point - 1 < 0 ? '-' : '+', abs(point - 1));
}

static void
put_shortest(struct buf *out, double f, char verb)
{
	char text[40], digits[40];
	int n, point;

	shortest(fabs(f), text);
	if (signbit(f))
		buf_byte(out, '-');
	n = digits_of(text, digits, &point);
	/* Go's strconv decides as if the precision were 6: a million is 1e+06. */
	if (verb == 'e' || (verb == 'g' && (point - 1 < -4 || point - 1 >= 6)))
		put_exponent(out, digits, n, point);
	else
		value_put_digits(out, digits, n, point);
}

void
tmpl_float(struct buf *out, double f, char verb, int precision)
{
	char text[512];
	int n;

	if (isnan(f))
		buf_c(out, "NaN");
	else if (isinf(f))
		buf_c(out, f > 0 ? "+Inf" : "-Inf");
	else if (precision < 0)
		put_shortest(out, f, verb);
	else {
		if (verb == 'e')
			n = snprintf(text, sizeof(text), "%.*e", precision, f);
		else if (verb == 'g')
			n = snprintf(text, sizeof(text), "%.*g", precision, f);
		else
			n = snprintf(text, sizeof(text), "%.*f", precision, f);
		buf_put(out, text, n > 0 && (size_t)n < sizeof(text) ? (size_t)n : 0);
	}
}

bool
tmpl_time(struct buf *out, double s)
{
	char text[WALL_TEXT_MAX];
	struct str t;
	double ns = s * 1e9;

	if (!(ns > -9.2e18 && ns < 9.2e18))
		return false;
	/* Prometheus' times are whole milliseconds. */
	t = str_of(text, wall_format(text, (struct wall){ (int64_t)ns / NS_PER_MS * NS_PER_MS }));
	buf_str(out, str_sub(t, 0, 10));
	buf_byte(out, ' ');
	buf_str(out, str_sub(t, 11, t.n - 1));
	buf_c(out, " +0000 UTC");
	return true;
}

static void
print_map(struct buf *out, const struct labels *map)
{
	size_t i;

	buf_c(out, "map[");
	for (i = 0; i < map->n; i++) {
		if (i > 0)
			buf_byte(out, ' ');
		buf_str(out, map->p[i].name);
		buf_byte(out, ':');
		buf_str(out, map->p[i].value);
	}
	buf_byte(out, ']');
}

void
tmpl_print(struct buf *out, const struct tmpl_value *v)
{
	switch (v->type) {
	case TMPL_BOOL:
		buf_c(out, v->b ? "true" : "false");
		break;
	case TMPL_INT:
		buf_int(out, v->i);
		break;
	case TMPL_FLOAT:
		tmpl_float(out, v->f, 'g', -1);
		break;
	case TMPL_STRING:
		buf_str(out, v->s);
		break;
	case TMPL_MAP:
		print_map(out, &v->map);
		break;
	case TMPL_TIME:
		(void)tmpl_time(out, v->f);
		break;
	case TMPL_ANY:
	case TMPL_ROOT:
		buf_c(out, "<no value>");
		break;
	}
}

bool
tmpl_true(const struct tmpl_value *v)
{
	switch (v->type) {
	case TMPL_BOOL:
		return v->b;
	case TMPL_INT:
		return v->i != 0;
	case TMPL_FLOAT:
		return v->f != 0;
	case TMPL_STRING:
		return v->s.n > 0;
	case TMPL_MAP:
		return v->map.n > 0;
	case TMPL_TIME:
	case TMPL_ROOT:
		return true;
	case TMPL_ANY:
		return false;
	}
	return false;
}

bool
tmpl_number(const struct tmpl_value *v, double *ret)
{
	char text[64], *end;

	if (v->type == TMPL_INT || v->type == TMPL_FLOAT || v->type == TMPL_TIME) {
		*ret = v->type == TMPL_INT ? (double)v->i : v->f;
		return true;
	}
	if (v->type != TMPL_STRING || v->s.n == 0 || v->s.n >= sizeof(text) || v->s.p[0] <= ' ' ||
	    memchr(v->s.p, '\0', v->s.n) != NULL)
		return false;
	memcpy(text, v->s.p, v->s.n);
	text[v->s.n] = '\0';
	*ret = strtod(text, &end);
	return *end == '\0';
}
