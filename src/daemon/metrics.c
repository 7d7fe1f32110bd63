/*
 * daemon/metrics.c - how it goes, for Prometheus.
 * One job: the daemon's numbers as Prometheus text.
 * Floor: 6 (uses ingest, store, base).
 */
#include "base/cpu.h"
#include "base/metric.h"
#include "daemon/daemon_internal.h"

/* ---- sources ---- */

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
	metric_label(m->out, st->name);
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
source_lost_bytes(const struct source_status *st)
{
	return (double)st->n_lost_bytes;
}

static double
source_lag(const struct source_status *st)
{
	return (double)st->lag.ns / 1e9;
}

static double
source_lag_lines(const struct source_status *st)
{
	return (double)st->lag_lines;
}

static double
source_lag_bytes(const struct source_status *st)
{
	return (double)st->lag_bytes;
}

static double
source_last_line(const struct source_status *st)
{
	return (double)st->last_line.ns / 1e9;
}

static void
put_sources(struct daemon *d, struct buf *out)
{
	static const struct {
		const char *name, *type, *help;
		double (*value)(const struct source_status *st);
	} rows[] = {
		{ "weir_source_lines_total", "counter", "Lines read.", source_lines },
		{ "weir_source_bytes_total", "counter", "Bytes read.", source_bytes },
		{ "weir_source_lost_total", "counter", "Lines or entries lost.", source_lost },
		{ "weir_source_lost_bytes_total", "counter", "Bytes lost.", source_lost_bytes },
		{ "weir_source_lag_seconds", "gauge", "Age of the last line read while more waits.",
		    source_lag },
		{ "weir_source_lag_lines", "gauge", "Lines not yet read, where it is known.",
		    source_lag_lines },
		{ "weir_source_lag_bytes", "gauge", "Bytes not yet read.", source_lag_bytes },
		{ "weir_source_last_line_timestamp_seconds", "gauge",
		    "Time of the last line read; 0: none yet.", source_last_line },
	};
	struct source_metric m = { .out = out };
	size_t i;

	for (i = 0; i < ARRAY_LEN(rows); i++) {
		metric_head(out, rows[i].name, rows[i].type, rows[i].help);
		m.name = rows[i].name;
		m.value = rows[i].value;
		status_each(d, put_source_metric, &m);
	}
}

/* ---- the daemon and its store ---- */

static void
put_counts(const struct daemon *d, struct buf *out)
{
	metric_put(out, "weir_rows_total", "counter", "Rows taken in since the start.",
	    (double)d->n_rows);
	metric_put(out, "weir_pushed_rows_total", "counter", "Of them by inserts.",
	    (double)d->n_pushed);
	metric_put(out, "weir_events_total", "counter", "Events of the daemon itself.",
	    (double)d->n_events);
	metric_put(out, "weir_losses_total", "counter", "Events that tell of a loss.",
	    (double)d->n_losses);
	metric_put(out, "weir_lost_lines_total", "counter",
	    "Lines lost, as far as their number is known.", (double)d->n_lost);
	metric_put(out, "weir_lost_bytes_total", "counter",
	    "Bytes of files lost, as far as their number is known.", (double)d->n_lost_bytes);
	metric_put(out, "weir_reloads_total", "counter", "Configurations taken over.",
	    (double)d->n_reloads);
	metric_put(out, "weir_reloads_refused_total", "counter", "Configurations refused.",
	    (double)d->n_reloads_refused);
	metric_put(out, "weir_aborts_total", "counter",
	    "Times that uncommitted rows were read again.", (double)d->n_aborts);
}

static void
put_store(const struct daemon *d, struct buf *out)
{
	struct store_stats st;

	store_stats(d->store, &st);
	metric_put(out, "weir_store_rows", "gauge", "Committed rows in the store.",
	    (double)st.n_rows);
	metric_put(out, "weir_store_bytes", "gauge", "Bytes of the store.", (double)st.n_bytes);
	metric_put(out, "weir_store_raw_bytes", "gauge", "Bytes of its lines as they came.",
	    (double)st.raw_bytes);
	metric_put(out, "weir_store_segments", "gauge", "Segments of the store.",
	    (double)st.n_segments);
	metric_put(out, "weir_store_pending_rows", "gauge", "Rows that wait for a commit.",
	    (double)st.n_rows_pending);
	metric_put(out, "weir_store_pending_bytes", "gauge", "Memory that waits for a commit.",
	    (double)st.pending_bytes);
	metric_put(out, "weir_commits_failed_total", "counter", "Commits and appends that failed.",
	    (double)d->n_commits_failed);
	metric_head(out, "weir_commit_seconds", "summary", "How long commits took.");
	buf_printf(out, "weir_commit_seconds_sum %.17g\nweir_commit_seconds_count %llu\n",
	    (double)d->commits_took.ns / 1e9, (unsigned long long)d->n_commits);
	metric_put(out, "weir_last_commit_seconds", "gauge", "How long the last commit took.",
	    (double)st.last_commit_took.ns / 1e9);
	metric_put(out, "weir_last_commit_timestamp_seconds", "gauge", "When it was.",
	    (double)st.last_commit.ns / 1e9);
	metric_put(out, "weir_paused", "gauge", "1 while the store takes no rows.", d->paused);
}

static void
put_process(const struct daemon *d, struct buf *out)
{
	struct status_memory memory = status_memory();
	int64_t up_ns = mono_now().ns - d->started.ns;

	metric_head(out, "weir_build_info", "gauge",
	    "1; the version is a label, and which instructions are used.");
	buf_printf(out, "weir_build_info{version=\"%s\",cpu=\"%s\"} 1\n", WEIR_VERSION,
	    cpu_name(cpu_level()));
	metric_put(out, "weir_start_time_seconds", "gauge", "When the daemon was started.",
	    (double)(wall_now().ns - up_ns) / 1e9);
	metric_put(out, "weir_memory_bytes", "gauge", "Resident memory.", (double)memory.n_bytes);
	metric_put(out, "weir_memory_peak_bytes", "gauge", "The most resident memory so far.",
	    (double)memory.peak_bytes);
}

void
metrics_text(void *ctx, struct buf *out)
{
	struct daemon *d = ctx;

	put_process(d, out);
	put_counts(d, out);
	put_store(d, out);
	put_sources(d, out);
	rules_metrics(d, out);
}
