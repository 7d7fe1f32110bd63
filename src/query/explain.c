/*
 * query/explain.c - the plan in words.
 * One job: what a query will do, and what it has done.
 * Floor: 3 (uses store, logsql, record, base).
 */
#include "query/explain.h"

#include <sys/resource.h>

#include "logsql/filter.h"
#include "logsql/pipe.h"
#include "logsql/regex.h"
#include "query/scan.h"
#include "record/names.h"

/* What is in each match of a regular expression, a dot for any one character; false when that is not known. */
static bool
put_pieces(struct buf *out, const struct filter *f)
{
	const struct regex_pieces *pieces = filter_pieces(f);
	AUTO_FINI(buf_fini) struct buf piece = BUF_INIT;
	size_t i, k;

	if (pieces == NULL)
		return false;
	buf_c(out, "constants and dictionaries once, text that contains");
	for (i = 0; i < pieces->n; i++) {
		buf_clear(&piece);
		buf_str(&piece, pieces->p[i].p[0]);
		for (k = 0; k < piece.n && pieces->p[i].gaps; k++)
			if (piece.p[k] == LITERAL_ANY)
				piece.p[k] = '.';
		buf_c(out, i > 0 ? " and " : pieces->p[i].nocase ? " (in any case) " : " ");
		buf_json(out, buf_view(&piece));
	}
	buf_c(out, ", then values");
	return true;
}

static void
put_test(struct buf *out, const struct filter *f)
{
	struct literals l;
	bool decides;
	size_t i;

	if (f->kind == FILTER_TIME)
		buf_c(out, "time range of the block, then _time");
	else if (filter_by_id(f))
		buf_c(out, "ID index, then values");
	else if (!filter_is_value_leaf(f))
		buf_c(out, "values of two fields");
	else if (f->kind == FILTER_RANGE)
		buf_c(out, "min and max of the column, then numbers");
	else if (put_pieces(out, f))
		return;
	else if (decides = filter_literals(f, &l), l.n > 0) {
		buf_printf(out, "constants and dictionaries once, text that contains%s ",
		    l.nocase ? " (in any case)" : "");
		for (i = 0; i < l.n; i++) {
			buf_c(out, i > 0 ? " or " : "");
			buf_json(out, l.p[i]);
		}
		buf_c(out, decides ? "" : ", then values");
	} else
		buf_c(out, "constants and dictionaries once, then values");
}

static void
put_filter(struct buf *out, const struct filter *f, unsigned depth)
{
	static const char
	    *const joints[] = { [FILTER_AND] = "and", [FILTER_OR] = "or", [FILTER_NOT] = "not" };
	size_t i;

	buf_printf(out, "  %*s", (int)(depth * 2), "");
	if (f->kind == FILTER_AND || f->kind == FILTER_OR || f->kind == FILTER_NOT) {
		buf_printf(out, "%s\n", joints[f->kind]);
		for (i = 0; i < f->n_children; i++)
			put_filter(out, f->children[i], depth + 1);
		return;
	}
	filter_format(out, f);
	if (f->kind == FILTER_ALL || f->kind == FILTER_NONE) {
		buf_c(out, f->kind == FILTER_ALL ? "   every row\n" : "   no row\n");
		return;
	}
	buf_printf(out, "   cost %u: ", filter_cost(f));
	put_test(out, f);
	buf_byte(out, '\n');
}

static int
put_blocks(struct buf *out, struct store_view *view, const struct filter *f,
    const struct run_options *opt, struct arena *arena)
{
	struct scan_notes notes = { 0 };
	struct scan_plan plan = { .view = view,
		.filter = f,
		.first_row = opt->first_row,
		.notes = &notes };
	int r = scan_plan_init(&plan, arena);

	if (r < 0)
		return err_trace(r);
	buf_printf(out, "blocks: %zu of %zu", plan.n_blocks, plan.n_all);
	if (plan.n_by_id != SIZE_MAX)
		buf_printf(out, ", %zu by the ID index", plan.n_by_id);
	if (plan.n_shut > 0)
		buf_printf(out, "; and those of %zu segments that are shut until their turn",
		    plan.n_shut);
	buf_printf(out, "; rows in the store: %llu\n", (unsigned long long)plan.rows_all);
	if (plan.hide_weir)
		buf_c(out, "rows of weir's own streams are left out\n");
	return 0;
}

static void
put_way(struct buf *out, const struct query *q, const struct run_options *opt, bool store)
{
	size_t n_prefix = 0, i;
	bool keeps = stages_keep_rows(q, &n_prefix);

	for (i = 0; i < q->n_pipes; i++) {
		buf_printf(out, "  %zu ", i + 1);
		pipe_format(out, q->pipes[i]);
		buf_byte(out, '\n');
	}
	if (!store)
		buf_c(out, "order: rows as they come\n");
	else if (!keeps && (n_prefix >= q->n_pipes || q->pipes[n_prefix]->kind != PIPE_LIMIT))
		buf_c(out, "order: blocks go to the pipes from all threads at once\n");
	else if (opt->limit > 0)
		buf_printf(out, "order: newest blocks first, until %llu rows are kept\n",
		    (unsigned long long)opt->limit);
	else
		buf_c(out, "order: merged by _time, then arrival\n");
}

int
explain_plan(const struct query *q, struct store_view *view, const struct run_options *opt,
    struct buf *out)
{
	AUTO_FINI(arena_fini) struct arena arena = ARENA_INIT;
	struct filter *times = NULL, *both, *simple;
	struct query shown = *q;
	int r = 0;

	if ((opt->since.ns != INT64_MIN || opt->until.ns != INT64_MAX) &&
	    !query_ignores_times(q, false))
		r = filter_new_time(opt->since,
		    (struct wall){ opt->until.ns == INT64_MAX ? INT64_MAX : opt->until.ns - 1 },
		    &arena, &times);
	if (r == 0)
		r = filter_and(q->filter, times, &arena, &both);
	if (r == 0)
		r = filter_simplify(both, &arena, &simple);
	if (r < 0)
		return err_trace(r);
	shown.filter = simple;
	buf_c(out, "query: ");
	query_format(out, &shown);
	buf_c(out, "\nfilter, in this order:\n");
	put_filter(out, simple, 0);
	if (q->n_pipes > 0)
		buf_c(out, "pipes:\n");
	put_way(out, q, opt, view != NULL);
	return view != NULL ? err_trace(put_blocks(out, view, simple, opt, &arena)) : buf_err(out);
}

/* What was read to find the rows. */
static void
put_scan(struct buf *out, const struct run_stats *st)
{
	char took[SPAN_TEXT_MAX];
	uint64_t by_stages = 0;
	size_t i;

	for (i = 0; i < st->n_stages; i++)
		by_stages += st->stages[i].bytes_read;
	(void)span_format(took, st->scan_took);
	if (st->blocks_total > 0)
		buf_printf(out,
		    "segments: %llu in all, %llu skipped, %llu opened\nblocks: %llu in all, %llu skipped, %llu opened\n",
		    (unsigned long long)st->segments_total,
		    (unsigned long long)(st->segments_total - st->segments_read),
		    (unsigned long long)st->segments_opened, (unsigned long long)st->blocks_total,
		    (unsigned long long)st->blocks_skipped, (unsigned long long)st->blocks_read);
	buf_printf(out, "rows: %llu in all, %llu skipped, %llu tested, %llu matched\n",
	    (unsigned long long)st->rows_total,
	    (unsigned long long)(st->rows_total - st->rows_read), (unsigned long long)st->rows_read,
	    (unsigned long long)st->rows_matched);
	buf_printf(out, "  filter   in %llu, out %llu, %llu bytes decoded, %s\n",
	    (unsigned long long)st->rows_read, (unsigned long long)st->rows_matched,
	    (unsigned long long)(st->bytes_read - by_stages), took);
}

static void
put_stage(struct buf *out, const struct query *q, const struct run_stats *st, size_t i)
{
	const struct run_stage *s = &st->stages[i];
	char took[SPAN_TEXT_MAX];

	(void)span_format(took, s->took);
	if (i < q->n_pipes)
		buf_printf(out, "  %zu %s   in %llu, out %llu", i + 1,
		    pipe_kind_name(q->pipes[i]->kind), (unsigned long long)s->rows_in,
		    (unsigned long long)s->rows_out);
	else
		buf_printf(out, "  output   in %llu", (unsigned long long)s->rows_in);
	buf_printf(out, ", %llu bytes decoded, %s", (unsigned long long)s->bytes_read, took);
	if (s->memory_peak > 0)
		buf_printf(out, ", at most %llu bytes kept", (unsigned long long)s->memory_peak);
	buf_byte(out, '\n');
}

void
explain_run(const struct query *q, const struct run_stats *stats, uint64_t rows_out,
    struct buf *out)
{
	char took[SPAN_TEXT_MAX];
	struct rusage usage;
	size_t i;

	(void)span_format(took, stats->took);
	put_scan(out, stats);
	for (i = 0; i < stats->n_stages; i++)
		put_stage(out, q, stats, i);
	buf_printf(out, "in all: %llu rows, %llu bytes decoded, %s\n", (unsigned long long)rows_out,
	    (unsigned long long)stats->bytes_read, took);
	if (getrusage(RUSAGE_SELF, &usage) == 0)
		buf_printf(out, "memory: pipes %llu bytes, process at most %ld KiB\n",
		    (unsigned long long)stats->memory_peak, usage.ru_maxrss);
	if (stats->faults > 0)
		buf_printf(out, "parts that could not be read: %llu\n",
		    (unsigned long long)stats->faults);
}
