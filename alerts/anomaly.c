/*
 * alerts/anomaly.c - values outside of what is usual.
 * One job: for this hour of the week, median and median absolute deviation of a rule's values in the weeks before.
 * Floor: 4 (uses query, store, base).
 *
 * Once an hour the rule itself is evaluated at instants a window apart in the same hour of each week of its history,
 * so that what is compared is the same number.  A label set that had no row then counts as 0 where the value is a
 * count.  The deviation is taken as at least a hundredth of the median, and one for counts: a value that never varied
 * would else be outside at once.
 */
#include <math.h>

#include "alerts/eval_internal.h"
#include "logsql/value.h"

#define NS_PER_WEEK (7 * NS_PER_DAY)

enum { SAMPLES_MAX = 1024, SETS_MAX = 2000 };
#define DEVIATION_MIN 0.01

/* Values of each label set at each instant. */
struct history {
	struct eval_form *form;
	double *values; /* of key k at instant i: values[k * SAMPLES_MAX + i], NAN: none */
	size_t cap;     /* keys */
	size_t n;       /* instants */
	bool counts;
};

static int
cmp_double(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static double
median(double *v, size_t n)
{
	qsort(v, n, sizeof(*v), cmp_double);
	return n % 2 == 1 ? v[n / 2] : (v[n / 2 - 1] + v[n / 2]) / 2;
}

static int
grow(struct history *h, size_t n)
{
	size_t cap = h->cap == 0 ? 8 : h->cap * 2, i;
	double *v;

	if (n <= h->cap)
		return 0;
	v = reallocarray(h->values, cap * SAMPLES_MAX, sizeof(*v));
	if (v == NULL)
		return err_origin(-ENOMEM);
	for (i = h->cap * SAMPLES_MAX; i < cap * SAMPLES_MAX; i++)
		v[i] = (double)NAN;
	h->values = v;
	h->cap = cap;
	return 0;
}

/* The label set as a key. */
static int
key_of(const struct labels *l, struct buf *out)
{
	buf_clear(out);
	labels_format(out, l);
	return buf_err(out);
}

static int
take_set(struct history *h, const struct eval_set *set)
{
	AUTO_FINI(buf_fini) struct buf key = BUF_INIT;
	size_t i, at;
	bool fresh;
	int r = 0;

	/* No rows at all: the store did not reach back so far. */
	if (set->failed || set->n == 0 || h->n == SAMPLES_MAX)
		return 0;
	for (i = 0; r == 0 && i < set->n; i++) {
		r = key_of(&set->results[i].labels, &key);
		if (r < 0 ||
		    (h->form->keys.n >= SETS_MAX &&
		        map_get(&h->form->keys, buf_view(&key)) == NULL))
			continue;
		r = eval_form_at(h->form, buf_view(&key), &fresh, &at);
		if (r == 0)
			r = grow(h, h->form->keys.n);
		if (r == 0 && isfinite(set->results[i].value))
			h->values[at * SAMPLES_MAX + h->n] = set->results[i].value;
	}
	h->n++;
	return err_trace(r);
}

static void
make_band(const struct history *h, size_t key, double *work, struct eval_band *ret)
{
	const double *v = h->values + key * SAMPLES_MAX;
	size_t i, n = 0;

	for (i = 0; i < h->n; i++)
		if (!isnan(v[i]) || h->counts)
			work[n++] = isnan(v[i]) ? 0 : v[i];
	*ret = (struct eval_band){ .n = n };
	if (n == 0)
		return;
	ret->median = median(work, n);
	for (i = 0; i < n; i++)
		work[i] = fabs(work[i] - ret->median);
	ret->mad = median(work, n);
	if (ret->mad < fabs(ret->median) * DEVIATION_MIN)
		ret->mad = fabs(ret->median) * DEVIATION_MIN;
	if (h->counts && ret->mad < 1)
		ret->mad = 1;
}

/* Instants of one hour of one week. */
static int
take_hour(struct eval *e, struct eval_rule *er, struct store_view *view, int64_t from,
    struct history *h)
{
	int64_t window = er->rule->window.ns, step = er->group->interval.ns, at;
	int r = 0;

	step = window > step ? window : step;
	at = eval_instant_from(er->group, from);
	if (er->stream != NULL)
		r = eval_load_range(e, view, er, at - window, from + NS_PER_HOUR);
	for (; r == 0 && at < from + NS_PER_HOUR; at = eval_instant_from(er->group, at + step)) {
		struct eval_set set = { .rule = er->rule, .group = er->group, .at = { at } };

		arena_clear(&e->work);
		r = eval_rule_set(e, er, view, &set);
		if (r == 0)
			r = take_set(h, &set);
	}
	return err_trace(r);
}

/* With a window of its own, so that the rule's goes on as it was. */
static int
take_weeks(struct eval *e, struct eval_rule *er, struct store_view *view, int64_t hour,
    struct history *h)
{
	struct eval_stream *own = er->stream;
	int64_t back;
	int r = 0;

	er->stream = NULL;
	if (own != NULL)
		r = eval_stream_new(e, er);
	for (back = NS_PER_WEEK; r == 0 && back <= er->rule->learn.ns; back += NS_PER_WEEK)
		r = take_hour(e, er, view, hour - back, h);
	(void)eval_stream_free(er->stream);
	er->stream = own;
	return err_trace(r);
}

int
eval_bands(struct eval *e, struct eval_rule *er, struct store_view *view, struct wall at)
{
	int64_t hour = at.ns - at.ns % NS_PER_HOUR;
	struct history h = { .form = er->form };
	AUTO_FREE double *work = NULL;
	size_t i;
	int r;

	if (er->form->hour == hour)
		return 0;
	map_clear(&er->form->keys);
	h.counts = er->stream != NULL && er->stream->window.partial.counts &&
	    er->n_asked == er->rule->n_row + 1;
	work = calloc(SAMPLES_MAX, sizeof(*work));
	r = work == NULL ? err_origin(-ENOMEM) : take_weeks(e, er, view, hour, &h);
	for (i = 0; r == 0 && i < er->form->keys.n; i++)
		make_band(&h, i, work, &er->form->bands[i]);
	free(h.values);
	if (r == 0)
		er->form->hour = hour;
	return err_trace(r);
}

/* What the value is compared with, among the values of the row. */
static int
put_band(struct eval *e, const struct eval_band *band, double reach, struct eval_result *res)
{
	static const struct str names[] = { STR_INIT("median"), STR_INIT("low"), STR_INIT("high") };
	const double values[] = { band->median, band->median - reach, band->median + reach };
	struct label more[ARRAY_LEN(names)];
	struct labels all;
	size_t i;
	int r = 0;

	for (i = 0; r == 0 && i < ARRAY_LEN(names); i++) {
		AUTO_FINI(buf_fini) struct buf text = BUF_INIT;

		value_format_float(&text, values[i]);
		more[i] = (struct label){ names[i], arena_dup(&e->work, buf_view(&text)) };
		if (text.failed || more[i].value.p == NULL)
			r = err_origin(-ENOMEM);
	}
	if (r == 0)
		r = labels_with(&e->work, &res->values, more, ARRAY_LEN(names), &all);
	if (r == 0)
		res->values = all;
	return err_trace(r);
}

int
eval_anomalies(struct eval *e, struct eval_rule *er, struct eval_set *set)
{
	AUTO_FINI(buf_fini) struct buf key = BUF_INIT;
	size_t i, n = 0;
	int r = 0;

	for (i = 0; r == 0 && i < set->n; i++) {
		struct eval_result *res = &set->results[i];
		const struct map_entry *known;
		const struct eval_band *band;
		double reach;

		r = key_of(&res->labels, &key);
		known = r == 0 ? map_get(&er->form->keys, buf_view(&key)) : NULL;
		band = known != NULL ? &er->form->bands[known - er->form->keys.entries] : NULL;
		if (band == NULL || band->n < er->rule->band_min || band->n == 0)
			continue;
		reach = er->rule->band * band->mad;
		res->holds = res->holds && fabs(res->value - band->median) > reach;
		r = put_band(e, band, reach, res);
		if (res->holds || er->rule->resolve_when != NULL)
			set->results[n++] = *res;
	}
	set->n = n;
	return err_trace(r);
}
