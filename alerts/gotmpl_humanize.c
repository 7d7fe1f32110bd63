/*
 * alerts/gotmpl_humanize.c - numbers for people.
 * One job: Prometheus' humanize functions, to the letter.
 * Floor: 4 (uses base).  Source: Prometheus' documentation of template functions.
 */
#include <inttypes.h>
#include <math.h>

#include "alerts/gotmpl_internal.h"

/* What all of them begin with: the number, or an error that says what was found. */
static int
number_of(struct tmpl_run *run, const struct tmpl_value *v, const char *who, double *ret)
{
	if (tmpl_number(v, ret))
		return 0;
	if (v->type == TMPL_STRING)
		return tmpl_fail(run, "%s takes a number, found '%.*s'", who,
		    (int)(v->s.n < 60 ? v->s.n : 60), (const char *)v->s.p);
	return tmpl_fail(run, "%s takes a number, found %s", who, tmpl_type_name(v->type));
}

/* Thousandths and their kin of what is below one. */
static double
small_prefix(double v, const char **ret)
{
	static const char *const prefixes[] = { "m", "u", "n", "p", "f", "a", "z", "y" };
	size_t i;

	*ret = "";
	for (i = 0; i < ARRAY_LEN(prefixes) && fabs(v) < 1; i++) {
		*ret = prefixes[i];
		v *= 1000;
	}
	return v;
}

static double
large_prefix(double v, double step, const char *const prefixes[8], const char **ret)
{
	size_t i;

	*ret = "";
	for (i = 0; i < 8 && fabs(v) >= step; i++) {
		*ret = prefixes[i];
		v /= step;
	}
	return v;
}

static int
give(struct tmpl_run *run, double v, const char *prefix, const char *unit, struct tmpl_value *ret)
{
	AUTO_FINI(buf_fini) struct buf out = BUF_INIT;

	tmpl_float(&out, v, 'g', 4);
	buf_c(&out, prefix);
	buf_c(&out, unit);
	return tmpl_keep(run, &out, ret);
}

int
tmpl_humanize(struct tmpl_run *run, const struct tmpl_value *args, size_t n, struct tmpl_value *ret)
{
	static const char *const prefixes[8] = { "k", "M", "G", "T", "P", "E", "Z", "Y" };
	const char *prefix = "";
	double v;
	int r = number_of(run, &args[0], "humanize", &v);

	if (r != 0)
		return r;
	if (isfinite(v) && fabs(v) >= 1)
		v = large_prefix(v, 1000, prefixes, &prefix);
	else if (isfinite(v) && v != 0)
		v = small_prefix(v, &prefix);
	return give(run, v, prefix, "", ret);
}

int
tmpl_humanize1024(struct tmpl_run *run, const struct tmpl_value *args, size_t n,
    struct tmpl_value *ret)
{
	static const char *const prefixes[8] = { "ki", "Mi", "Gi", "Ti", "Pi", "Ei", "Zi", "Yi" };
	const char *prefix = "";
	double v;
	int r = number_of(run, &args[0], "humanize1024", &v);

	if (r != 0)
		return r;
	if (isfinite(v) && fabs(v) > 1)
		v = large_prefix(v, 1024, prefixes, &prefix);
	return give(run, v, prefix, "", ret);
}

/* 1d 2h 3m 4s, from a minute on. */
static int
give_long(struct tmpl_run *run, double v, struct tmpl_value *ret)
{
	AUTO_FINI(buf_fini) struct buf out = BUF_INIT;
	int64_t s;

	if (v < 0)
		buf_byte(&out, '-');
	v = fabs(v);
	s = v < 9.2e18 ? (int64_t)v : INT64_MIN;
	if (s / 86400 != 0)
		buf_printf(&out, "%" PRId64 "d ", s / 86400);
	if (s / 3600 != 0)
		buf_printf(&out, "%" PRId64 "h ", s / 3600 % 24);
	if (s / 60 != 0) {
		buf_printf(&out, "%" PRId64 "m %" PRId64 "s", s / 60 % 60, s % 60);
	} else {
		tmpl_float(&out, v, 'g', 4);
		buf_c(&out, "s");
	}
	return tmpl_keep(run, &out, ret);
}

int
tmpl_humanize_duration(struct tmpl_run *run, const struct tmpl_value *args, size_t n,
    struct tmpl_value *ret)
{
	const char *prefix;
	double v;
	int r = number_of(run, &args[0], "humanizeDuration", &v);

	if (r != 0)
		return r;
	if (!isfinite(v))
		return give(run, v, "", "", ret);
	if (v == 0)
		return give(run, v, "", "s", ret);
	if (fabs(v) >= 1)
		return give_long(run, v, ret);
	v = small_prefix(v, &prefix);
	return give(run, v, prefix, "s", ret);
}

int
tmpl_humanize_percentage(struct tmpl_run *run, const struct tmpl_value *args, size_t n,
    struct tmpl_value *ret)
{
	double v;
	int r = number_of(run, &args[0], "humanizePercentage", &v);

	return r != 0 ? r : give(run, v * 100, "%", "", ret);
}

int
tmpl_humanize_timestamp(struct tmpl_run *run, const struct tmpl_value *args, size_t n,
    struct tmpl_value *ret)
{
	AUTO_FINI(buf_fini) struct buf out = BUF_INIT;
	double v;
	int r = number_of(run, &args[0], "humanizeTimestamp", &v);

	if (r != 0)
		return r;
	if (!isfinite(v))
		return give(run, v, "", "", ret);
	if (!tmpl_time(&out, v))
		return tmpl_fail(run, "humanizeTimestamp: %g is no time in seconds", v);
	return tmpl_keep(run, &out, ret);
}
