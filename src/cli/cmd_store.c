/*
 * cli/cmd_store.c - weir store.
 * One job: what a store holds, whether it is whole, and its upkeep by hand.
 * Floor: 6 (uses store, query, base).
 */
#include <stdio.h>

#include "cli/cli.h"
#include "cli/out.h"
#include "cli/place.h"
#include "cli/show.h"
#include "store/store.h"

static void
on_fault(void *ctx, const char *text)
{
	cli_warn(text);
}

static void
put_span(struct buf *out, struct wall from, struct wall to)
{
	char a[WALL_TEXT_MAX], b[WALL_TEXT_MAX];

	(void)wall_format(a, from);
	(void)wall_format(b, to);
	buf_printf(out, "%s  %s", a, b);
}

static void
put_segment(struct buf *out, const struct store_segment_info *info)
{
	buf_printf(out, "%-8llu %-9s %12llu %7llu %14llu %14llu %6.3f  ",
	    (unsigned long long)info->number, info->state, (unsigned long long)info->n_rows,
	    (unsigned long long)info->n_blocks, (unsigned long long)info->n_bytes,
	    (unsigned long long)info->raw_bytes,
	    info->raw_bytes > 0 ? (double)info->n_bytes / (double)info->raw_bytes : 0);
	if (info->n_rows > 0)
		put_span(out, info->min_time, info->max_time);
	buf_byte(out, '\n');
}

/* What is no segment: the merged ID indexes, and the rest; at last all that stands in the folder. */
static int
put_disk(struct buf *out, const struct store_view *view, uint64_t segment_bytes)
{
	struct store_disk_info all, ids;
	uint64_t rest;
	int r = store_view_disk(view, &all, &ids);

	if (r < 0)
		return err_trace(r);
	rest = all.n_bytes > segment_bytes + ids.n_bytes ? all.n_bytes - segment_bytes - ids.n_bytes
	                                                 : 0;
	buf_printf(out, "ID indexes %*s %14llu  %llu files\n", 28, "",
	    (unsigned long long)ids.n_bytes, (unsigned long long)ids.n_files);
	buf_printf(out, "other files %*s %14llu\n", 27, "", (unsigned long long)rest);
	buf_printf(out, "on disk %*s %14llu  %llu files\n", 31, "", (unsigned long long)all.n_bytes,
	    (unsigned long long)all.n_files);
	return 0;
}

static int
put_segments(struct buf *out, const struct store_view *view)
{
	struct store_segment_info info, all = { .state = "all" };
	size_t i;

	buf_c(out,
	    "segment  state             rows  blocks          bytes      raw bytes  ratio  "
	    "from                  to\n");
	for (i = 0; i < store_view_n_segments(view); i++) {
		store_view_segment(view, i, &info);
		put_segment(out, &info);
		if (info.n_rows > 0 && (all.n_rows == 0 || info.min_time.ns < all.min_time.ns))
			all.min_time = info.min_time;
		if (info.n_rows > 0 && (all.n_rows == 0 || info.max_time.ns > all.max_time.ns))
			all.max_time = info.max_time;
		all.n_rows += info.n_rows;
		all.n_blocks += info.n_blocks;
		all.n_bytes += info.n_bytes;
		all.raw_bytes += info.raw_bytes;
	}
	all.number = store_view_n_segments(view);
	put_segment(out, &all);
	return err_trace(put_disk(out, view, all.n_bytes));
}

/* The second table: rows and time span of each stream, counted by a query. */
static int
put_streams(const struct options *opt, const char *path)
{
	struct options streams = *opt;

	streams.store = path;
	streams.no_pager = true;
	streams.output = "table";
	return show_query(&streams,
	    STR("* | stats by (_stream) count() rows, min(_time) from, max(_time) to | sort by "
	        "(rows desc)"));
}

static int
run_stats(const struct options *opt, const char *path)
{
	AUTO(store_view_free) struct store_view *view = NULL;
	AUTO_FINI(buf_fini) struct buf text = BUF_INIT;
	AUTO_FINI(buf_fini) struct buf error = BUF_INIT;
	size_t n_faults;
	struct out o;
	int r;

	r = store_view_open(&view, path, &error);
	if (r != 0)
		return cli_fail(CLI_FAILED, "%s",
		    error.n > 0 ? buf_c_str(&error) : err_str(r < 0 ? r : -EIO));
	r = put_segments(&text, view);
	if (r < 0)
		return cli_fail(CLI_FAILED, "store stats failed: %s: %s", path, err_str(r));
	n_faults = store_view_faults(view, on_fault, NULL);
	buf_byte(&text, '\n');
	out_init(&o, false, false);
	(void)out_write(&o, text.p, text.n);
	r = out_finish(&o, CLI_DONE);
	if (r == CLI_DONE)
		r = put_streams(opt, path);
	return n_faults > 0 ? CLI_FAILED : r == CLI_NONE ? CLI_DONE : r;
}

static int
run_verify(const struct options *opt, const char *path)
{
	AUTO_FINI(buf_fini) struct buf text = BUF_INIT;
	size_t n_faults = 0;
	struct out o;
	int r = store_verify(path, on_fault, NULL, &n_faults);

	/* It was said. */
	if (r == STORE_VIEW_E_NONE)
		return CLI_FAILED;
	if (r != 0)
		return cli_fail(CLI_FAILED, "verify failed: %s: %s", path,
		    r < 0 ? err_str(r) : "cannot be read");
	if (n_faults > 0)
		return cli_fail(CLI_FAILED, "%s: %zu fault%s", path, n_faults,
		    n_faults == 1 ? "" : "s");
	buf_printf(&text, "%s: every checksum is right\n", path);
	out_init(&o, false, false);
	(void)out_write(&o, text.p, text.n);
	return out_finish(&o, CLI_DONE);
}

static const struct upkeep {
	const char *name;
	int (*run)(struct store *s, struct wall now);
} upkeeps[] = {
	{ "seal", store_seal },
	{ "merge", store_merge },
	{ "upgrade", store_upgrade },
};

static const struct upkeep *
find_upkeep(const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_LEN(upkeeps); i++)
		if (strcmp(upkeeps[i].name, name) == 0)
			return &upkeeps[i];
	return NULL;
}

/* Upkeep needs the lock: no daemon may hold it. */
static int
run_upkeep(const char *path, const struct upkeep *what)
{
	AUTO(store_view_free) struct store_view *view = NULL;
	AUTO(store_close) struct store *s = NULL;
	AUTO_FINI(buf_fini) struct buf error = BUF_INIT;
	struct store_options how = { 0 };
	struct wall now = wall_now();
	int r;

	/* Who mistakes a folder for a store gets no store there. */
	r = store_view_open(&view, path, &error);
	if (r == STORE_VIEW_E_NONE)
		return cli_fail(CLI_FAILED, "store failed: %s", buf_c_str(&error));
	buf_clear(&error);
	r = store_open(&s, path, &how, now, &error);
	if (r == 0)
		r = what->run(s, now);
	if (r == 0)
		r = store_maintain(s, now);
	if (r == 0)
		return CLI_DONE;
	return cli_fail(CLI_FAILED, "store failed: %s: %s", path,
	    error.n > 0 ? buf_c_str(&error) : err_str(r < 0 ? r : -EIO));
}

static int
run_store_command(struct options *opt)
{
	AUTO_FINI(buf_fini) struct buf place = BUF_INIT;
	const char *path = place_store(opt, &place), *what = opt->n_args > 0 ? opt->args[0] : "";
	const struct upkeep *upkeep = find_upkeep(what);
	int r;

	if (path == NULL)
		return cli_fail(CLI_FAILED, "%s", err_str(-ENOMEM));
	if (opt->n_args != 1 ||
	    (upkeep == NULL && strcmp(what, "stats") != 0 && strcmp(what, "verify") != 0))
		return cli_fail(CLI_USAGE, "store: expected stats, verify, seal, merge or upgrade");
	r = place_check(path);
	if (r != 0)
		return r;
	if (upkeep != NULL)
		return run_upkeep(path, upkeep);
	return strcmp(what, "stats") == 0 ? run_stats(opt, path) : run_verify(opt, path);
}

static const struct option_row rows[] = {
	OPTION_STORE,
	OPTION_MEMORY,
	OPTION_THREADS,
	OPTION_HELP,
};

const struct command command_store = {
	.name = "store",
	.args = "stats|verify|seal|merge|upgrade",
	.help = "What the store holds, whether it is whole; and its upkeep by hand.",
	.rows = rows,
	.n_rows = ARRAY_LEN(rows),
	.run = run_store_command,
};
