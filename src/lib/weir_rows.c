/*
 * lib/weir_rows.c - libweir, reading.
 * One job: the rows of a query, one at a time, for a caller that pulls.
 * Floor: 4 (uses query, store, logsql, base).
 *
 * The engine pushes, so it runs in a thread of its own and fills pages of rows; at most PAGES of them wait, then it waits
 * for the caller.  A row in a page is: u32 bytes that follow, then per field twice (its name, its value): u32 length, bytes, NUL.
 */
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>

#include "lib/ask.h"
#include "lib/print_internal.h"
#include "lib/weir_internal.h"
#include "weir/weir.h"

enum { PAGES = 4, PAGE_BYTES = 1 << 20 };

static _Thread_local char error_text[1024];

const char *
weir_error(void)
{
	return error_text;
}

int
weir_fail(int r, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(error_text, sizeof(error_text), fmt, ap);
	va_end(ap);
	return r;
}

struct weir_store {
	struct store_view *view;
	size_t n_rows_open;
};

struct cell {
	const char *name, *value;
	size_t n;
};

/*
 * Invariants, with the lock held: pages[(first + i) % PAGES], i < n_pages, are full and wait; page and at belong to the
 * caller; fill belongs to the thread.
 */
struct weir_rows {
	struct weir_store *store;
	struct arena arena;
	struct query *query;
	struct ask_options ask;
	atomic_bool cancel;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct buf pages[PAGES];
	size_t first, n_pages;
	bool ended;
	int r;
	struct buf error;
	struct run_stats stats;
	struct buf fill;

	struct buf page;
	size_t at;
	struct cell *cells;
	size_t n_cells, cap_cells;
};

int
weir_store_open(const char *path, struct weir_store **ret)
{
	AUTO_FINI(buf_fini) struct buf error = BUF_INIT;
	struct weir_store *s = calloc(1, sizeof(*s));
	int r;

	if (s == NULL)
		return weir_fail(-ENOMEM, "%s", err_str(-ENOMEM));
	r = store_view_open(&s->view, path, &error);
	if (r == 0) {
		*ret = s;
		return 0;
	}
	free(s);
	return weir_fail(r == STORE_VIEW_E_NONE ? -ENOENT
	        : r == STORE_VIEW_E_DENIED      ? -EACCES
	        : r > 0                         ? -EPROTO
	                                        : r,
	    "%s", error.n > 0 ? buf_c_str(&error) : err_str(r < 0 ? r : -EIO));
}

void
weir_store_close(struct weir_store *s)
{
	if (s != NULL)
		(void)store_view_free(s->view);
	free(s);
}

int
weir_store_refresh(struct weir_store *s)
{
	int r;

	if (s->n_rows_open > 0)
		return weir_fail(-EBUSY, "rows of the store are open");
	r = store_view_refresh(s->view);
	return r == 0 ? 0 : weir_fail(r < 0 ? r : -EIO, "%s", err_str(r < 0 ? r : -EIO));
}

/* Hand the filled page over; waits while all pages are full. */
static int
give_page(struct weir_rows *w)
{
	int r = 0;

	(void)pthread_mutex_lock(&w->lock);
	while (w->n_pages == PAGES && !atomic_load(&w->cancel))
		(void)pthread_cond_wait(&w->changed, &w->lock);
	if (atomic_load(&w->cancel)) {
		r = -ECANCELED;
	} else {
		struct buf *slot = &w->pages[(w->first + w->n_pages++) % PAGES], empty = *slot;

		*slot = w->fill;
		w->fill = empty;
		buf_clear(&w->fill);
	}
	(void)pthread_cond_broadcast(&w->changed);
	(void)pthread_mutex_unlock(&w->lock);
	return r;
}

static void
put_text(struct buf *out, struct str s)
{
	buf_u32(out, (uint32_t)s.n);
	buf_str(out, s);
	buf_byte(out, 0);
}

static void
put_row(struct buf *out, const struct print_cells *cells, size_t row)
{
	size_t start = out->n, i, len;

	buf_u32(out, 0);
	for (i = 0; i < cells->n; i++) {
		if (cells->values[i][row].n == 0)
			continue;
		put_text(out, cells->names[i]);
		put_text(out, cells->values[i][row]);
	}
	if (out->failed)
		return;
	len = out->n - start - 4;
	for (i = 0; i < 4; i++)
		out->p[start + i] = (uint8_t)(len >> (8 * i));
}

static int
take_batch(void *ctx, struct batch *b)
{
	struct weir_rows *w = ctx;
	struct print_cells cells;
	size_t i;
	int r;

	r = print_cells_of(b, &cells);
	for (i = 0; r == 0 && i < b->n_rows; i++) {
		put_row(&w->fill, &cells, i);
		r = buf_err(&w->fill);
		if (r == 0 && w->fill.n >= PAGE_BYTES)
			r = give_page(w);
	}
	return err_trace(r);
}

static void *
run_thread(void *ctx)
{
	struct weir_rows *w = ctx;
	int r = ask_run(w->query, &w->ask, take_batch, w, &w->stats, &w->error);

	if (w->fill.n > 0 && !atomic_load(&w->cancel))
		(void)give_page(w);
	(void)pthread_mutex_lock(&w->lock);
	w->ended = true;
	w->r = r;
	(void)buf_c_str(&w->error);
	(void)pthread_cond_broadcast(&w->changed);
	(void)pthread_mutex_unlock(&w->lock);
	return NULL;
}

static void
set_bounds(struct weir_rows *w, const struct weir_query_options *opt)
{
	struct run_options *run = &w->ask.run;

	*run = (struct run_options){ .now = wall_now(),
		.since = { INT64_MIN },
		.until = { INT64_MAX },
		.ordered = true,
		.cancel = &w->cancel };
	w->ask.view = w->store->view;
	if (opt == NULL)
		return;
	if (opt->since_ns != 0)
		run->since.ns = opt->since_ns;
	if (opt->until_ns != 0)
		run->until.ns = opt->until_ns;
	run->limit = opt->limit;
	run->memory_max = opt->memory_max;
	run->n_threads = opt->n_threads;
}

/* The program's signals are not for our threads (those that this one starts take over its mask). */
static int
start_thread(struct weir_rows *w)
{
	sigset_t all, before;
	int r;

	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	r = -pthread_create(&w->thread, NULL, run_thread, w);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	return r;
}

static void
rows_fini(struct weir_rows *w)
{
	size_t i;

	(void)pthread_cond_destroy(&w->changed);
	(void)pthread_mutex_destroy(&w->lock);
	for (i = 0; i < PAGES; i++)
		buf_fini(&w->pages[i]);
	buf_fini(&w->fill);
	buf_fini(&w->page);
	buf_fini(&w->error);
	arena_fini(&w->arena);
	free(w->cells);
	free(w);
}

int
weir_query_with(struct weir_store *s, const char *logsql, const struct weir_query_options *opt,
    struct weir_rows **ret)
{
	struct weir_rows *w = calloc(1, sizeof(*w));
	struct str text;
	int r;

	if (w == NULL)
		return weir_fail(-ENOMEM, "%s", err_str(-ENOMEM));
	w->store = s;
	set_bounds(w, opt);
	(void)pthread_mutex_init(&w->lock, NULL);
	(void)pthread_cond_init(&w->changed, NULL);
	text = arena_dup(&w->arena, str_c(logsql));
	r = text.p == NULL ? -ENOMEM : ask_parse(text, &w->ask, &w->arena, &w->query, &w->error);
	if (r == 0)
		r = start_thread(w);
	if (r == 0) {
		s->n_rows_open++;
		*ret = w;
		return 0;
	}
	(void)weir_fail(0, "%s", w->error.n > 0 ? buf_c_str(&w->error) : err_str(r));
	rows_fini(w);
	return r > 0 ? -EINVAL : r;
}

int
weir_query(struct weir_store *s, const char *logsql, struct weir_rows **ret)
{
	return weir_query_with(s, logsql, NULL, ret);
}

/* The next page, or the end. */
static int
next_page(struct weir_rows *w)
{
	int r = 0;

	(void)pthread_mutex_lock(&w->lock);
	while (w->n_pages == 0 && !w->ended)
		(void)pthread_cond_wait(&w->changed, &w->lock);
	if (w->n_pages > 0) {
		struct buf spent = w->page;

		w->page = w->pages[w->first];
		w->pages[w->first] = spent;
		w->first = (w->first + 1) % PAGES;
		w->n_pages--;
		w->at = 0;
		r = 1;
	}
	(void)pthread_cond_broadcast(&w->changed);
	(void)pthread_mutex_unlock(&w->lock);
	return r;
}

static int
add_cell(struct weir_rows *w, const char *name, const char *value, size_t n)
{
	struct cell *cells;
	size_t cap;

	if (w->n_cells == w->cap_cells) {
		cap = w->cap_cells == 0 ? 32 : w->cap_cells * 2;
		cells = reallocarray(w->cells, cap, sizeof(*cells));
		if (cells == NULL)
			return weir_fail(-ENOMEM, "%s", err_str(-ENOMEM));
		w->cells = cells;
		w->cap_cells = cap;
	}
	w->cells[w->n_cells++] = (struct cell){ name, value, n };
	return 0;
}

/* After the last row. */
static int
end_of_rows(const struct weir_rows *w)
{
	int r = w->r < 0 ? w->r : -EIO;

	if (w->r != 0)
		return weir_fail(r, "%s", w->error.n > 0 ? (const char *)w->error.p : err_str(r));
	return w->stats.faults == 0 ? 0
	                            : weir_fail(-EIO, "%llu parts of the store could not be read",
	                                  (unsigned long long)w->stats.faults);
}

static struct str
take_text(struct scan *row)
{
	uint32_t n = scan_u32(row);
	struct str s = scan_bytes(row, (size_t)n + 1);

	return str_sub(s, 0, n);
}

int
weir_rows_next(struct weir_rows *w)
{
	struct scan all, row;
	struct str name, value, bytes;
	uint32_t n;
	int r = 0;

	w->n_cells = 0;
	if (w->at == w->page.n && next_page(w) == 0)
		return end_of_rows(w);
	all = (struct scan){ w->page.p, w->page.n, w->at, false };
	n = scan_u32(&all);
	bytes = scan_bytes(&all, n);
	row = SCAN_OF(bytes);
	w->at = all.at;
	while (r == 0 && row.at < row.n) {
		name = take_text(&row);
		value = take_text(&row);
		r = add_cell(w, (const char *)name.p, (const char *)value.p, value.n);
	}
	return r == 0 ? 1 : r;
}

const char *
weir_rows_value(const struct weir_rows *w, const char *name)
{
	size_t i;

	for (i = 0; i < w->n_cells; i++)
		if (strcmp(w->cells[i].name, name) == 0)
			return w->cells[i].value;
	return "";
}

size_t
weir_rows_n_fields(const struct weir_rows *w)
{
	return w->n_cells;
}

void
weir_rows_field(const struct weir_rows *w, size_t i, const char **ret_name, const char **ret_value,
    size_t *ret_value_len)
{
	*ret_name = w->cells[i].name;
	*ret_value = w->cells[i].value;
	*ret_value_len = w->cells[i].n;
}

void
weir_rows_free(struct weir_rows *w)
{
	if (w == NULL)
		return;
	(void)pthread_mutex_lock(&w->lock);
	atomic_store(&w->cancel, true);
	(void)pthread_cond_broadcast(&w->changed);
	(void)pthread_mutex_unlock(&w->lock);
	(void)pthread_join(w->thread, NULL);
	w->store->n_rows_open--;
	rows_fini(w);
}
