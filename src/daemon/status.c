/*
 * daemon/status.c - how it goes.
 * One job: the daemon's state as JSON, for weir status.
 * Floor: 6 (uses ingest, store, base).
 */
#include <fcntl.h>
#include <stdio.h>

#include "base/cpu.h"
#include "base/io.h"
#include "daemon/daemon_internal.h"

struct status_out {
	struct buf *out;
	size_t n;
};

/* Of /proc/self/status: a line "NAME:   1234 kB". */
static uint64_t
status_kb(struct str text, struct str name)
{
	size_t at = str_find(text, name);
	uint64_t kb = 0;

	if (at == SIZE_MAX)
		return 0;
	for (at += name.n; at < text.n && text.p[at] != '\n'; at++)
		if (text.p[at] >= '0' && text.p[at] <= '9')
			kb = kb * 10 + (uint64_t)(text.p[at] - '0');
	return kb * 1024;
}

struct status_memory
status_memory(void)
{
	char text[4096];
	AUTO_CLOSE int fd = -1;
	size_t n;

	fd = io_open(AT_FDCWD, "/proc/self/status", O_RDONLY, 0);
	if (fd < 0 || io_read(fd, text, sizeof(text), &n) < 0)
		return (struct status_memory){ 0 };
	return (struct status_memory){
		.n_bytes = status_kb(str_of(text, n), STR("VmRSS:")),
		.peak_bytes = status_kb(str_of(text, n), STR("VmHWM:")),
	};
}

double
status_rate(struct daemon *d)
{
	struct span now = mono_now();
	double s;

	if (d->rate_new.at.ns == 0)
		d->rate_old.at = d->rate_new.at = d->started;
	if (now.ns - d->rate_new.at.ns >= DAEMON_RATE_S * NS_PER_S) {
		d->rate_old = d->rate_new;
		d->rate_new = (struct rate_mark){ now, d->n_rows };
	}
	s = (double)(now.ns - d->rate_old.at.ns) / 1e9;
	return s > 0 ? (double)(d->n_rows - d->rate_old.n_rows) / s : 0;
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
	put_number(o->out, "lost_bytes", st->n_lost_bytes);
	put_time(o->out, "last_line", st->last_line);
	put_text(o->out, "position", st->position);
	buf_byte(o->out, '}');
}

void
status_each(struct daemon *d, void (*fn)(void *ctx, const struct source_status *st), void *ctx)
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
	struct status_memory memory = status_memory();

	buf_printf(out, "{\"version\":\"%s\",\"cpu\":\"%s\",\"pid\":%ld", WEIR_VERSION,
	    cpu_name(cpu_level()), (long)getpid());
	put_seconds(out, "uptime_s", up);
	put_number(out, "memory_bytes", memory.n_bytes);
	put_number(out, "memory_peak_bytes", memory.peak_bytes);
	put_number(out, "rows", d->n_rows);
	buf_printf(out, ",\"rows_per_s\":%.1f", status_rate(d));
	put_number(out, "pushed", d->n_pushed);
	put_number(out, "losses", d->n_losses);
	put_number(out, "lost", d->n_lost);
	put_number(out, "lost_bytes", d->n_lost_bytes);
	put_store(d, out);
	rules_status(d, out);
	buf_c(out, ",\"inputs\":[");
	put_inputs(d, out);
	buf_c(out, "],\"sources\":[");
	status_each(d, put_source, &o);
	buf_c(out, "]}\n");
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
