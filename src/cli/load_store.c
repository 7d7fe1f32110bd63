/*
 * cli/load_store.c - lines into a store that nobody holds.
 * One job: parse the inputs, shape the records, append and commit.
 * Floor: 6 (uses ingest, query, store, base).
 */
#include <stdio.h>

#include "cli/cli.h"
#include "cli/load.h"
#include "ingest/shape.h"
#include "query/input.h"
#include "store/ids.h"
#include "store/store.h"

enum {
	COMMIT_S = 5,
	COMMIT_BYTES = 20 << 20, /* that wait in the store: then it is due at once */
};

struct load {
	struct store *store;
	struct input *in;
	struct shape *shape;
	struct record_batch recs;
	struct load_progress *progress;
	size_t n_faults;
};

static void
on_fault(void *ctx, const char *text)
{
	struct load *l = ctx;

	l->n_faults++;
	cli_warn(text);
}

static void
on_notice(void *ctx, const char *kind, const char *text)
{
	cli_warn(text);
}

/* k=v,… of all --stream options; a bare k takes the field of that name. */
static int
parse_labels(const struct options *opt, struct label *labels, size_t *ret_n)
{
	struct str rest, one;
	size_t i, end, eq, n = 0;

	for (i = 0; i < opt->stream.n; i++)
		for (rest = str_c(opt->stream.p[i]); rest.n > 0;) {
			end = str_find_byte(rest, ',');
			one = str_sub(rest, 0, end);
			rest = str_sub(rest, one.n + 1, rest.n);
			eq = str_find_byte(one, '=');
			if (one.n == 0 || eq == 0 || n == SHAPE_LABELS_MAX)
				return cli_fail(CLI_USAGE,
				    "--stream %s: expected k=v,…, at most %d", opt->stream.p[i],
				    SHAPE_LABELS_MAX);
			labels[n].name = str_sub(one, 0, eq);
			labels[n].value = eq == SIZE_MAX ? STR_NONE : str_sub(one, eq + 1, one.n);
			n++;
		}
	*ret_n = n;
	return 0;
}

static int
open_parts(struct load *l, const struct options *opt)
{
	AUTO_FINI(buf_fini) struct buf error = BUF_INIT;
	struct label labels[SHAPE_LABELS_MAX];
	struct shape_options shape = { .stream = labels };
	struct input_options in = { .paths = opt->args,
		.n_paths = opt->n_args,
		.parser = { .name = opt->parser, .multiline = opt->multiline, .keep_line = true },
		.now = opt->now,
		.fault = on_fault,
		.fault_ctx = l };
	int r;

	r = parse_labels(opt, labels, &shape.n_stream);
	if (r != 0)
		return r;
	r = shape_new(&l->shape, &shape, &error);
	if (r == 0)
		r = input_new(&l->in, &in, &error);
	if (r > 0)
		return cli_fail(CLI_USAGE, "ingest: %s", buf_c_str(&error));
	return r < 0 ? cli_fail(CLI_FAILED, "ingest failed: %s", err_str(r)) : 0;
}

static int
store_failed(const char *path, const char *what, int r)
{
	return cli_fail(CLI_FAILED, "%s failed: %s: %s", what, path,
	    r == STORE_E_FULL ? "no room; what was committed stays" : err_str(r < 0 ? r : -EIO));
}

static int
commit(struct load *l, const char *path)
{
	int r = store_commit(l->store, wall_now());

	if (r == 0)
		r = store_maintain(l->store, wall_now());
	return r != 0 ? store_failed(path, "commit", r) : 0;
}

/* A fast reader fills what the store holds uncommitted before the time is over. */
static bool
commit_is_due(const struct load *l, struct span last)
{
	struct store_stats st;

	store_stats(l->store, &st);
	return st.pending_bytes > COMMIT_BYTES || mono_now().ns - last.ns > COMMIT_S * NS_PER_S;
}

static int
load_all(struct load *l, const char *path)
{
	struct span last = mono_now();
	size_t n;
	int r = 0, end = 0;

	while (r == 0 && end == 0 && !atomic_load(cli_stop_flag())) {
		record_batch_clear(&l->recs);
		end = input_records(l->in, &l->recs);
		n = l->recs.n;
		if (end < 0 || shape_records(l->shape, l->recs.recs, &n, NULL, &l->recs.arena) < 0)
			return cli_fail(CLI_FAILED, "ingest failed: %s", err_str(-ENOMEM));
		r = n > 0 ? store_append(l->store, l->recs.recs, n) : 0;
		if (r != 0)
			return store_failed(path, "append", r);
		l->progress->n_rows += n;
		l->progress->n_bytes = input_bytes(l->in);
		load_progress_show(l->progress, false);
		if (commit_is_due(l, last)) {
			r = commit(l, path);
			last = mono_now();
		}
	}
	/* After Ctrl-C too: whole lines that were taken in stay. */
	return r != 0 ? r : commit(l, path);
}

int
load_store(const struct options *opt, const char *path, struct load_progress *p)
{
	AUTO_FINI(buf_fini) struct buf error = BUF_INIT;
	struct store_options how = { .notice = on_notice };
	struct load l = { .progress = p };
	int r;

	/* The names that the daemon set hold for what comes by hand too. */
	if (store_ids_load(path) < 0)
		return cli_fail(CLI_FAILED, "%s", err_str(-ENOMEM));
	r = store_open(&l.store, path, &how, opt->now, &error);
	if (r == STORE_E_LOCKED)
		return LOAD_E_LOCKED;
	if (r != 0)
		r = cli_fail(CLI_FAILED, "store failed: %s: %s", path,
		    error.n > 0 ? buf_c_str(&error) : err_str(r < 0 ? r : -EIO));
	if (r == 0)
		r = open_parts(&l, opt);
	if (r == 0)
		r = load_all(&l, path);
	(void)store_close(l.store);
	(void)input_free(l.in);
	(void)shape_free(l.shape);
	record_batch_fini(&l.recs);
	return r == 0 && l.n_faults > 0 ? CLI_FAILED : r;
}
