/*
 * ingest/drop.c - the drop filter.
 * One job: say of a record whether a source's LogsQL filter takes it out before it is written.
 * Floor: 3 (uses logsql, record, base).
 */
#include "ingest/drop.h"

#include <stdio.h>

#include "logsql/filter.h"

struct drop {
	struct filter *filter;
	struct arena arena;
	struct str text;
};

struct drop *
drop_free(struct drop *d)
{
	if (d == NULL)
		return NULL;
	arena_fini(&d->arena);
	free(d);
	return NULL;
}

/* A subquery would have to ask a store, which a source does not have. */
static int
refuse_subquery(void *ctx, struct filter *f)
{
	return f->query != NULL ? DROP_E_FILTER : 0;
}

int
drop_new(struct drop **ret, struct str text, struct buf *ret_error)
{
	AUTO(drop_free) struct drop *d = NULL;
	struct logsql_options opt = { .now = wall_now() };
	struct logsql_error error = { 0 };
	int r;

	opt.zone_s = wall_local_offset(opt.now);
	d = calloc(1, sizeof(*d));
	if (d == NULL)
		return err_origin(-ENOMEM);
	d->text = arena_dup(&d->arena, text);
	if (d->text.p == NULL)
		return err_origin(-ENOMEM);
	r = query_parse_filter(d->text, &opt, &d->arena, &d->filter, &error);
	if (r == 0 && filter_walk(d->filter, refuse_subquery, NULL) != 0) {
		(void)snprintf(error.text, sizeof(error.text), "a subquery cannot stand here");
		r = LOGSQL_E_SYNTAX;
	}
	if (r == LOGSQL_E_SYNTAX) {
		if (ret_error != NULL)
			buf_printf(ret_error, "drop: '%.*s': offset %zu: %s", STR_ARG(text),
			    error.at, error.text);
		return DROP_E_FILTER;
	}
	if (r != 0)
		return err_fold(r);
	*ret = TAKE(d);
	return 0;
}

struct row {
	const struct record *rec;
	char time[WALL_TEXT_MAX];
	size_t n_time; /* 0: not written yet */
};

static struct str
row_get(void *ctx, struct str name)
{
	struct row *row = ctx;

	if (str_eq(name, STR("_stream")))
		return row->rec->stream;
	if (!str_eq(name, STR("_time")))
		return record_get(row->rec, name);
	if (row->n_time == 0)
		row->n_time = wall_format(row->time, row->rec->time);
	return str_of(row->time, row->n_time);
}

bool
drop_matches(struct drop *d, const struct record *rec)
{
	struct row row = { .rec = rec };

	/* Without memory the row stays: to keep too much is no loss. */
	return filter_match_row(d->filter, row_get, &row) > 0;
}
