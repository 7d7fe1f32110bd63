/*
 * alerts/window.c - a window that slides.
 * One job: partial results by panes of event time, merged into the window's result at a cost that is not the window's length.
 * Floor: 4 (uses query, base).
 */
#include "alerts/window.h"

/* What malloc adds to a pane, for the account of memory. */
enum { PANE_COST = 16 };

static int64_t
gcd(int64_t a, int64_t b)
{
	while (b != 0) {
		int64_t rest = a % b;

		a = b;
		b = rest;
	}
	return a;
}

static int64_t
floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b != 0 && a < 0);
}

bool
window_init(struct window *w, const struct partial *partial, struct span window, struct span step,
    struct span offset)
{
	*w = (struct window){ .partial = *partial };
	if (window.ns <= 0 || step.ns <= 0)
		return false;
	w->pane_ns = gcd(window.ns, step.ns);
	w->offset_ns = offset.ns % w->pane_ns;
	w->n_panes = window.ns / w->pane_ns;
	if (w->n_panes > WINDOW_PANES_MAX)
		return false;
	for (w->per_chunk = 1; w->per_chunk * w->per_chunk < w->n_panes;)
		w->per_chunk++;
	return true;
}

static void
pane_clear(struct window *w, struct pane *p)
{
	w->n_bytes -= p->p != NULL ? p->n + PANE_COST : 0;
	free(p->p);
	p->p = NULL;
	p->n = 0;
}

static int
pane_set(struct window *w, struct pane *p, struct str bytes)
{
	uint8_t *copy = NULL;

	if (bytes.n != 0) {
		copy = malloc(bytes.n);
		if (copy == NULL)
			return err_origin(-ENOMEM);
		memcpy(copy, bytes.p, bytes.n);
	}
	pane_clear(w, p);
	p->p = copy;
	p->n = bytes.n;
	w->n_bytes += copy != NULL ? bytes.n + PANE_COST : 0;
	return 0;
}

static struct str
pane_bytes(const struct pane *p)
{
	return str_of(p->p, p->n);
}

/* More rows of a pane. */
static int
pane_more(struct window *w, struct pane *p, struct str bytes)
{
	int r;

	if (p->n == 0 || bytes.n == 0)
		return bytes.n == 0 ? 0 : err_trace(pane_set(w, p, bytes));
	buf_clear(&w->work);
	r = partial_merge(&w->partial, pane_bytes(p), bytes, &w->work);
	return r != 0 ? err_fold(r) : err_trace(pane_set(w, p, buf_view(&w->work)));
}

static void
panes_clear(struct window *w, struct panes *v)
{
	size_t i;

	for (i = v->first; i < v->n; i++)
		pane_clear(w, &v->v[i]);
	w->n_bytes -= v->cap * sizeof(*v->v);
	free(v->v);
	*v = (struct panes){ 0 };
}

/* The first place whose number is at least ${number}. */
static size_t
panes_at(const struct panes *v, int64_t number)
{
	size_t lo = v->first, hi = v->n, mid;

	/* Nearly always at the end. */
	if (lo < hi && v->v[hi - 1].number < number)
		return hi;
	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if (v->v[mid].number < number)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static struct pane *
panes_find(const struct panes *v, int64_t number)
{
	size_t at = panes_at(v, number);

	return at < v->n && v->v[at].number == number ? &v->v[at] : NULL;
}

/* Room for one more: what was dropped in front first. */
static int
panes_grow(struct window *w, struct panes *v)
{
	struct pane *more;
	size_t cap;

	if (v->n < v->cap)
		return 0;
	if (v->first > v->n / 4) {
		memmove(v->v, v->v + v->first, (v->n - v->first) * sizeof(*v->v));
		v->n -= v->first;
		v->first = 0;
		return 0;
	}
	cap = v->cap == 0 ? 8 : v->cap + v->cap / 2;
	more = reallocarray(v->v, cap, sizeof(*more));
	if (more == NULL)
		return err_origin(-ENOMEM);
	w->n_bytes += (cap - v->cap) * sizeof(*more);
	v->v = more;
	v->cap = cap;
	return 0;
}

static int
panes_make(struct window *w, struct panes *v, int64_t number, struct pane **ret)
{
	size_t at;
	int r;

	*ret = panes_find(v, number);
	if (*ret != NULL)
		return 0;
	r = panes_grow(w, v);
	if (r < 0)
		return err_trace(r);
	at = panes_at(v, number);
	memmove(v->v + at + 1, v->v + at, (v->n - at) * sizeof(*v->v));
	v->n++;
	v->v[at] = (struct pane){ .number = number };
	*ret = &v->v[at];
	return 0;
}

static void
panes_drop(struct window *w, struct panes *v, int64_t first)
{
	while (v->first < v->n && v->v[v->first].number < first)
		pane_clear(w, &v->v[v->first++]);
	if (v->first == v->n)
		v->first = v->n = 0;
}

static void
head_clear(struct window *w)
{
	int64_t i;

	for (i = 0; w->suffixes != NULL && i < w->per_chunk; i++)
		pane_clear(w, &w->suffixes[i]);
	w->has_head = false;
}

void
window_clear(struct window *w)
{
	panes_clear(w, &w->panes);
	panes_clear(w, &w->chunks);
	head_clear(w);
	pane_clear(w, &w->middle);
	pane_clear(w, &w->prefix);
	w->has_middle = false;
	w->prefix.number = w->prefix_end = 0;
}

void
window_fini(struct window *w)
{
	window_clear(w);
	free(w->suffixes);
	buf_fini(&w->work);
	*w = (struct window){ 0 };
}

int64_t
window_pane(const struct window *w, struct wall t)
{
	return floor_div(t.ns - w->offset_ns - 1, w->pane_ns);
}

struct wall
window_start(const struct window *w, int64_t pane)
{
	return (struct wall){ pane * w->pane_ns + w->offset_ns };
}

static int64_t
chunk_of(const struct window *w, int64_t pane)
{
	return floor_div(pane, w->per_chunk);
}

int
window_add(struct window *w, int64_t pane, struct str bytes)
{
	int64_t chunk = chunk_of(w, pane);
	struct pane *p = NULL;
	int r;

	if (bytes.n == 0)
		return 0;
	r = panes_make(w, &w->panes, pane, &p);
	if (r == 0)
		r = pane_more(w, p, bytes);
	if (r == 0 && w->has_head && chunk == w->head)
		head_clear(w);
	p = panes_find(&w->chunks, chunk);
	if (r == 0 && p != NULL)
		r = pane_more(w, p, bytes);
	if (r == 0 && w->has_middle && chunk > w->middle_from && chunk < w->middle_to)
		r = pane_more(w, &w->middle, bytes);
	if (r == 0 && chunk == w->prefix.number && pane < w->prefix_end)
		r = pane_more(w, &w->prefix, bytes);
	return err_trace(r);
}

/* Merge panes [from, to) into ${into}. */
static int
merge_panes(struct window *w, int64_t from, int64_t to, struct pane *into)
{
	size_t i;
	int r = 0;

	for (i = panes_at(&w->panes, from); r == 0 && i < w->panes.n && w->panes.v[i].number < to;
	     i++)
		r = pane_more(w, into, pane_bytes(&w->panes.v[i]));
	return err_trace(r);
}

/* Suffixes of a chunk from pane ${from} on: each is the next one and its own pane. */
static int
make_head(struct window *w, int64_t chunk, int64_t from)
{
	int64_t first = chunk * w->per_chunk, i;
	const struct pane *p;
	int r = 0;

	if (w->has_head && w->head == chunk && w->head_from <= from)
		return 0;
	if (w->suffixes == NULL) {
		w->suffixes = calloc((size_t)w->per_chunk, sizeof(*w->suffixes));
		if (w->suffixes == NULL)
			return err_origin(-ENOMEM);
	}
	head_clear(w);
	for (i = w->per_chunk - 1; r == 0 && first + i >= from && i >= 0; i--) {
		if (i + 1 < w->per_chunk)
			r = pane_set(w, &w->suffixes[i], pane_bytes(&w->suffixes[i + 1]));
		p = panes_find(&w->panes, first + i);
		if (r == 0 && p != NULL)
			r = pane_more(w, &w->suffixes[i], pane_bytes(p));
	}
	w->has_head = r == 0;
	w->head = chunk;
	w->head_from = from;
	return err_trace(r);
}

/* The total of a chunk whose panes are all older than the window's end. */
static int
chunk_total(struct window *w, int64_t chunk, struct pane **ret)
{
	int r;

	*ret = panes_find(&w->chunks, chunk);
	if (*ret != NULL)
		return 0;
	r = panes_make(w, &w->chunks, chunk, ret);
	if (r == 0)
		r = merge_panes(w, chunk * w->per_chunk, (chunk + 1) * w->per_chunk, *ret);
	return err_trace(r);
}

/* Chunks between ${from} and ${to}, both not included. */
static int
make_middle(struct window *w, int64_t from, int64_t to)
{
	struct pane *p = NULL;
	int64_t i;
	int r = 0;

	if (w->has_middle && w->middle_from == from && w->middle_to == to)
		return 0;
	pane_clear(w, &w->middle);
	panes_drop(w, &w->chunks, from + 1);
	for (i = from + 1; r == 0 && i < to; i++) {
		r = chunk_total(w, i, &p);
		if (r == 0)
			r = pane_more(w, &w->middle, pane_bytes(p));
	}
	w->has_middle = r == 0;
	w->middle_from = from;
	w->middle_to = to;
	return err_trace(r);
}

/* The panes of a chunk up to ${last}. */
static int
make_prefix(struct window *w, int64_t chunk, int64_t last)
{
	int r;

	if (w->prefix.number != chunk || w->prefix_end > last + 1 ||
	    w->prefix_end < chunk * w->per_chunk) {
		pane_clear(w, &w->prefix);
		w->prefix.number = chunk;
		w->prefix_end = chunk * w->per_chunk;
	}
	r = merge_panes(w, w->prefix_end, last + 1, &w->prefix);
	w->prefix_end = last + 1;
	return err_trace(r);
}

static int
merge_three(struct window *w, struct str a, struct str b, struct str c, struct buf *out)
{
	int r;

	buf_clear(&w->work);
	r = partial_merge(&w->partial, a, b, &w->work);
	return r != 0 ? err_fold(r)
	              : err_fold(partial_merge(&w->partial, buf_view(&w->work), c, out));
}

int
window_get(struct window *w, int64_t last, struct buf *out)
{
	int64_t first = window_first(w, last), a = chunk_of(w, first), b = chunk_of(w, last);
	struct pane all = { 0 };
	int r;

	if (a == b) {
		r = merge_panes(w, first, last + 1, &all);
		buf_str(out, pane_bytes(&all));
		pane_clear(w, &all);
		return r != 0 ? err_trace(r) : buf_err(out);
	}
	r = make_head(w, a, first);
	if (r == 0)
		r = make_middle(w, a, b);
	if (r == 0)
		r = make_prefix(w, b, last);
	if (r < 0)
		return err_trace(r);
	return err_trace(merge_three(w, pane_bytes(&w->suffixes[first - a * w->per_chunk]),
	    pane_bytes(&w->middle), pane_bytes(&w->prefix), out));
}

void
window_drop(struct window *w, int64_t first)
{
	panes_drop(w, &w->panes, first);
}

static int
replace(struct window *w, struct pane *p, window_fn fn, void *ctx, struct buf *tmp)
{
	int r;

	if (p->n == 0)
		return 0;
	buf_clear(tmp);
	r = fn(ctx, pane_bytes(p), tmp);
	return r != 0 || tmp->n == 0 ? err_trace(r) : err_trace(pane_set(w, p, buf_view(tmp)));
}

int
window_each(struct window *w, window_fn fn, void *ctx)
{
	AUTO_FINI(buf_fini) struct buf tmp = BUF_INIT;
	size_t i;
	int r = 0;

	/* What is made of panes is made again. */
	head_clear(w);
	panes_clear(w, &w->chunks);
	pane_clear(w, &w->middle);
	w->has_middle = false;
	pane_clear(w, &w->prefix);
	w->prefix_end = w->prefix.number = 0;
	for (i = w->panes.first; r == 0 && i < w->panes.n; i++)
		r = replace(w, &w->panes.v[i], fn, ctx, &tmp);
	return err_trace(r);
}
