/*
 * daemon/status.c - how it goes.
 * One job: the daemon's state as JSON for weir status, and as Prometheus text.
 * Floor: 6 (uses ingest, store, base).
 */
#include <fcntl.h>
#include <stdio.h>

#include "base/io.h"
#include "daemon/daemon_internal.h"

struct status_out {
	struct buf *out;
	size_t n;
};

static uint64_t
memory_bytes(void)
{
	char text[128];
	unsigned long long size, resident;
	AUTO_CLOSE int fd = -1;
	size_t n;

	fd = io_open(AT_FDCWD, "/proc/self/statm", O_RDONLY, 0);
	if (fd < 0 || io_read(fd, text, sizeof(text) - 1, &n) < 0)
		return 0;
	text[n] = '\0';
	if (sscanf(text, "%llu %llu", &size, &resident) != 2)
		return 0;
	return resident * (uint64_t)sysconf(_SC_PAGESIZE);
}

static void
put_number(struct buf *out, const char *name, uint64_t v)
{
	buf_printf(out, ",\"%s\":%llu", name, (unsigned long long)v);
}

static void
put_seconds(struct buf *out, const char *name, struct span s)
{
	buf_printf(out, ",\"%s\":%.3f", name, (double)s.ns / 1e9);
}

static void
put_text(struct buf *out, const char *name, struct str s)
{
	buf_printf(out, ",\"%s\":", name);
	buf_json(out, s);
}

static void
put_time(struct buf *out, const char *name, struct wall t)
{
	char text[WALL_TEXT_MAX];

	if (t.ns != 0)
		put_text(out, name, str_of(text, wall_format(text, t)));
}

static void
put_source(void *ctx, const struct source_status *st)
{
	struct status_out *o = ctx;

	if (o->n++ > 0)
		buf_byte(o->out, ',');
	buf_printf(o->out, "{\"kind\":\"%s\"", st->kind);
	put_text(o->out, "name", st->name);
	put_text(o->out, "state", st->state);
	put_number(o->out, "lag_bytes", st->lag_bytes);
	put_number(o->out, "lag_lines", st->lag_lines);
	put_seconds(o->out, "lag_s", st->lag);
	put_number(o->out, "lines", st->n_lines);
	put_number(o->out, "bytes", st->n_bytes);
	put_number(o->out, "lost", st->n_lost);
	put_time(o->out, "last_line", st->last_line);
	put_text(o->out, "position", st->position);
	buf_byte(o->out, '}');
}

static void
each_source(struct daemon *d, void (*fn)(void *ctx, const struct source_status *st), void *ctx)
{
	size_t i;

	for (i = 0; i < d->setup->n_inputs; i++) {
		struct source *s = d->setup->inputs[i].source;

		s->ops->status(s, fn, ctx);
	}
}

/* What is configured, also while nothing of it is there yet. */
static void
put_inputs(struct daemon *d, struct buf *out)
{
	const struct config *c = d->setup->config;
	size_t i, k;

	for (i = 0; i < c->n_inputs; i++) {
		const struct config_input *in = &c->inputs[i];

		buf_printf(out, "%s{\"kind\":\"%s\",\"of\":[", i > 0 ? "," : "",
		    in->is_journal ? "journal" : "file");
		if (in->is_journal)
			buf_json(out, in->dir.n > 0 ? in->dir : STR("local"));
		for (k = 0; k < in->n_paths; k++) {
			if (k > 0)
				buf_byte(out, ',');
			buf_json(out, in->paths[k]);
		}
		buf_c(out, "]}");
	}
}

static void
put_store(struct daemon *d, struct buf *out)
{
	struct store_stats st;

	store_stats(d->store, &st);
	buf_c(out, ",\"store\":{\"path\":");
	buf_json(out, str_c(d->setup->store_path));
	put_number(out, "rows", st.n_rows);
	put_number(out, "rows_pending", st.n_rows_pending);
	put_number(out, "pending_bytes", st.pending_bytes);
	put_number(out, "bytes", st.n_bytes);
	put_number(out, "raw_bytes", st.raw_bytes);
	put_number(out, "segments", st.n_segments);
	put_number(out, "commits", st.n_commits);
	put_number(out, "commits_failed", d->n_commits_failed);
	put_time(out, "last_commit", st.last_commit);
	put_seconds(out, "last_commit_s", st.last_commit_took);
	buf_printf(out, ",\"paused\":%s}", d->paused ? "true" : "false");
}

void
status_json(void *ctx, struct buf *out)
{
	struct daemon *d = ctx;
	struct status_out o = { out, 0 };
	struct span up = { mono_now().ns - d->started.ns };

	buf_printf(out, "{\"version\":\"%s\",\"pid\":%ld", WEIR_VERSION, (long)getpid());
	put_seconds(out, "uptime_s", up);
	put_number(out, "memory_bytes", memory_bytes());
	put_number(out, "rows", d->n_rows);
	buf_printf(out, ",\"rows_per_s\":%.1f",
	    up.ns > 0 ? (double)d->n_rows * 1e9 / (double)up.ns : 0.0);
	put_number(out, "pushed", d->n_pushed);
	put_number(out, "losses", d->n_losses);
	put_number(out, "lost", d->n_lost);
	put_store(d, out);
	buf_c(out, ",\"inputs\":[");
	put_inputs(d, out);
	buf_c(out, "],\"sources\":[");
	each_source(d, put_source, &o);
	buf_c(out, "]}\n");
}

/* ---- metrics ---- */

static void
metric(struct buf *out, const char *name, const char *type, const char *help, double v)
{
	buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n%s %.17g\n", name, help, name, type, name, v);
}

/* A label value escapes backslash, quote and newline, and no more. */
static void
label_value(struct buf *out, struct str s)
{
	size_t i;

	for (i = 0; i < s.n; i++) {
		if (s.p[i] == '\\' || s.p[i] == '"')
			buf_byte(out, '\\');
		if (s.p[i] == '\n')
			buf_c(out, "\\n");
		else
			buf_byte(out, s.p[i]);
	}
}

struct source_metric {
	struct buf *out;
	const char *name;
	double (*value)(const struct source_status *st);
};

static void
put_source_metric(void *ctx, const struct source_status *st)
{
	struct source_metric *m = ctx;

	buf_printf(m->out, "%s{kind=\"%s\",name=\"", m->name, st->kind);
	label_value(m->out, st->name);
	buf_printf(m->out, "\"} %.17g\n", m->value(st));
}

static double
source_lines(const struct source_status *st)
{
	return (double)st->n_lines;
}

static double
source_bytes(const struct source_status *st)
{
	return (double)st->n_bytes;
}

static double
source_lost(const struct source_status *st)
{
	return (double)st->n_lost;
}

static double
source_lag(const struct source_status *st)
{
	return (double)st->lag.ns / 1e9;
}

static double
source_lag_bytes(const struct source_status *st)
{
	return (double)st->lag_bytes;
}

static void
put_source_metrics(struct daemon *d, struct buf *out)
{
	static const struct {
		const char *name, *type, *help;
		double (*value)(const struct source_status *st);
	} rows[] = {
		{ "weir_source_lines_total", "counter", "Lines read.", source_lines },
		{ "weir_source_bytes_total", "counter", "Bytes read.", source_bytes },
		{ "weir_source_lost_total", "counter", "Lines or entries lost.", source_lost },
		{ "weir_source_lag_seconds", "gauge", "Age of the last line read while more waits.",
		    source_lag },
		{ "weir_source_lag_bytes", "gauge", "Bytes not yet read.", source_lag_bytes },
	};
	struct source_metric m = { .out = out };
	size_t i;

	for (i = 0; i < ARRAY_LEN(rows); i++) {
		buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", rows[i].name, rows[i].help,
		    rows[i].name, rows[i].type);
		m.name = rows[i].name;
		m.value = rows[i].value;
		each_source(d, put_source_metric, &m);
	}
}

void
status_metrics(void *ctx, struct buf *out)
{
	struct daemon *d = ctx;
	struct store_stats st;

	store_stats(d->store, &st);
	metric(out, "weir_rows_total", "counter", "Rows taken in since the start.",
	    (double)d->n_rows);
	metric(out, "weir_pushed_rows_total", "counter", "Of them by inserts.",
	    (double)d->n_pushed);
	metric(out, "weir_events_total", "counter", "Events of the daemon itself.",
	    (double)d->n_events);
	metric(out, "weir_losses_total", "counter", "Events that tell of a loss.",
	    (double)d->n_losses);
	metric(out, "weir_lost_lines_total", "counter",
	    "Lines lost, as far as their number is known.", (double)d->n_lost);
	metric(out, "weir_store_rows", "gauge", "Committed rows in the store.", (double)st.n_rows);
	metric(out, "weir_store_bytes", "gauge", "Bytes of the store.", (double)st.n_bytes);
	metric(out, "weir_store_segments", "gauge", "Segments of the store.",
	    (double)st.n_segments);
	metric(out, "weir_store_pending_bytes", "gauge", "Memory that waits for a commit.",
	    (double)st.pending_bytes);
	metric(out, "weir_commits_total", "counter", "Commits.", (double)st.n_commits);
	metric(out, "weir_commits_failed_total", "counter", "Commits and appends that failed.",
	    (double)d->n_commits_failed);
	metric(out, "weir_commit_seconds", "gauge", "How long the last commit took.",
	    (double)st.last_commit_took.ns / 1e9);
	metric(out, "weir_paused", "gauge", "1 while the store takes no rows.", d->paused);
	metric(out, "weir_memory_bytes", "gauge", "Resident memory.", (double)memory_bytes());
	put_source_metrics(d, out);
}

bool
status_healthy(void *ctx, struct buf *why)
{
	struct daemon *d = ctx;

	if (!d->paused)
		return true;
	buf_c(why, "store cannot be written: sources wait\n");
	return false;
}
