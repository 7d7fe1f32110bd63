/*
 * daemon/daemon.c - the loop.
 * One job: start, turn, reload, stop.
 * Floor: 6 (uses api, config, ingest, store, base).
 *
 * One thread.  The loop sleeps until a source, the socket, a signal or a deadline wakes it; then every source that has
 * something is read for a bounded while, in turn, and a commit is made when one is due.
 */
#include "daemon/daemon.h"

#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>

#include "base/io.h"
#include "daemon/daemon_internal.h"
#include "daemon/say.h"
#include "record/names.h"

static const char default_config[] = "/etc/weir/weir.yaml";

/* ---- signals ---- */

static int
on_signal(sd_event_source *s, const struct signalfd_siginfo *si, void *ctx)
{
	struct daemon *d = ctx;

	(void)s;
	if (si->ssi_signo == SIGHUP) {
		d->reload = true;
		return 0;
	}
	if (!d->stopping)
		d->stop_at.ns = mono_now().ns + DAEMON_STOP_S * NS_PER_S;
	d->stopping = true;
	return 0;
}

static int
signals_init(struct daemon *d)
{
	static const int signals[] = { SIGTERM, SIGINT, SIGHUP };
	sigset_t set;
	size_t i;
	int r;

	(void)sigemptyset(&set);
	for (i = 0; i < ARRAY_LEN(signals); i++)
		(void)sigaddset(&set, signals[i]);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return err_origin(-errno);
	(void)signal(SIGPIPE, SIG_IGN);
	/* a file larger than allowed is an error of its write */
	(void)signal(SIGXFSZ, SIG_IGN);
	for (i = 0; i < ARRAY_LEN(signals); i++) {
		r = sd_event_add_signal(d->event, NULL, signals[i], on_signal, d);
		if (r < 0)
			return err_origin(r);
	}
	return 0;
}

/* ---- start ---- */

/*
 * The configuration that holds; > 0: there is none, and it was said why.  A daemon that runs by the default file does not
 * fall back to no file when it goes away.
 */
static int
load_config(const struct daemon *d, struct config **ret)
{
	AUTO_FINI(buf_fini) struct buf errors = BUF_INIT;
	const char *path = d->opt->config;
	bool had_file = d->setup != NULL && d->setup->config->path.n != 0;
	int r;

	if (path == NULL && (had_file || access(default_config, F_OK) == 0))
		path = default_config;
	r = path != NULL ? config_load(path, ret, &errors) : config_default(ret);
	if (errors.n > 0)
		say_text(SAY_ERR, buf_view(&errors));
	else if (r < 0)
		say(SAY_ERR, "configuration cannot be read: %s: %s",
		    path != NULL ? path : "default", err_str(r));
	return r != 0 ? 1 : 0;
}

static int
open_store(struct daemon *d, const struct setup *s)
{
	AUTO_FINI(buf_fini) struct buf error = BUF_INIT;
	struct store_options opt;
	int r;

	setup_store_options(d, s, &opt);
	r = store_open(&d->store, s->store_path, &opt, wall_now(), &error);
	if (r != 0)
		say(SAY_ERR, "store does not open: %s: %s", s->store_path,
		    error.n > 0 ? buf_c_str(&error)
		        : r < 0 ? err_str(r)
		                : "not usable");
	else if (s->group != NULL)
		host_store_group(s->store_path, s->group);
	return r;
}

static int
api_ready(sd_event_source *io, int fd, uint32_t revents, void *ctx)
{
	struct daemon *d = ctx;

	(void)io;
	(void)fd;
	(void)revents;
	return api_run(d->api);
}

/* Without the socket the daemon is only harder to talk to. */
static void
open_api(struct daemon *d)
{
	AUTO_FINI(buf_fini) struct buf path = BUF_INIT;
	struct api_ops ops = {
		.insert = push_insert,
		.metrics = metrics_text,
		.status = status_json,
		.healthy = status_healthy,
		.ctx = d,
		.request = rules_request,
	};
	int r;

	buf_printf(&path, "%s/weir.sock", d->setup->store_path);
	r = api_new(&d->api, buf_c_str(&path), 0660, &ops);
	if (r == 0)
		r = sd_event_add_io(d->event, NULL, api_fd(d->api), EPOLLIN, api_ready, d);
	if (r < 0)
		say(SAY_ERR, "control socket does not open: %s: %s", buf_c_str(&path), err_str(r));
	http_open(d);
}

static int
daemon_start(struct daemon *d)
{
	AUTO(config_free) struct config *config = NULL;
	int r;

	r = load_config(d, &config);
	if (r != 0)
		return DAEMON_USAGE;
	if (names_set_ids(config->ids, config->n_ids) != 0)
		return DAEMON_FAILED;
	r = setup_new(&d->setup, d, TAKE(config));
	if (r != 0)
		return r > 0 ? DAEMON_USAGE : DAEMON_FAILED;
	if (open_store(d, d->setup) != 0 || push_load(d) != 0)
		return DAEMON_FAILED;
	r = setup_sources(d, d->setup);
	if (r != 0)
		return r > 0 ? DAEMON_USAGE : DAEMON_FAILED;
	if (d->opt->once)
		return DAEMON_DONE;
	open_api(d);
	if (rules_wanted(d->setup->config))
		rules_start(d, TAKE(d->setup->rules), TAKE(d->setup->routing));
	return DAEMON_DONE;
}

/* ---- reload ---- */

/* The store by other options: its lock and its positions are on disk, and nothing is pending after a commit. */
static int
reload_store(struct daemon *d, const struct setup *s)
{
	const struct config *c = s->config;

	/* first: a thread of the store's may be reading the names of IDs */
	d->store = store_close(d->store);
	if (names_set_ids(c->ids, c->n_ids) != 0)
		return 1;
	return open_store(d, s) != 0 ? 1 : 0;
}

/* Everything new is there before anything old goes. */
static int
reload_swap(struct daemon *d, struct setup *fresh)
{
	bool same = setup_same_store(d->setup, fresh);
	int r;

	r = same ? 0 : reload_store(d, fresh);
	if (r == 0)
		r = setup_sources(d, fresh);
	if (r != 0 && !same && reload_store(d, d->setup) != 0)
		return -EIO;
	return r;
}

static int
reload_build(struct daemon *d)
{
	AUTO(config_free) struct config *config = NULL;
	AUTO(setup_free) struct setup *fresh = NULL;
	int r;

	if (load_config(d, &config) != 0)
		return 1;
	r = setup_new(&fresh, d, TAKE(config));
	if (r != 0)
		return r;
	if (strcmp(fresh->store_path, d->setup->store_path) != 0) {
		say(SAY_ERR, "store path changed: %s: it needs a restart", fresh->store_path);
		return 1;
	}
	/* the new sources go on from what is committed */
	if (commit_now(d) != 0) {
		say(SAY_ERR, "no commit can be made now: %s", d->setup->store_path);
		return 1;
	}
	r = reload_swap(d, fresh);
	if (r == 0) {
		(void)setup_free(d->setup);
		d->setup = TAKE(fresh);
		http_open(d);
		rules_reload(d, TAKE(d->setup->rules), TAKE(d->setup->routing));
	}
	return r;
}

static int
daemon_reload(struct daemon *d)
{
	int r;

	d->reload = false;
	(void)sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%lld",
	    (long long)(mono_now().ns / NS_PER_US));
	r = reload_build(d);
	(void)sd_notify(0, "READY=1");
	if (r == 0)
		d->n_reloads++;
	else
		d->n_reloads_refused++;
	if (r == 0)
		return intake_event(d, "log", "configuration is taken over", NULL, 0);
	if (d->store == NULL)
		return r;
	return intake_event(d, "log", "configuration is refused: the old one holds", NULL, 0);
}

/* ---- the loop ---- */

static void
input_enable(struct input *in, bool on)
{
	if (in->io != NULL)
		(void)sd_event_source_set_enabled(in->io,
		    on && !in->held ? SD_EVENT_ON : SD_EVENT_OFF);
}

static void
sources_enable(struct daemon *d, bool on)
{
	size_t i;

	for (i = 0; i < d->setup->n_inputs; i++)
		input_enable(&d->setup->inputs[i], on);
}

/* When it is to be polled, at the latest. */
static struct span
input_due(const struct input *in)
{
	if (in->held)
		return (struct span){ in->failed_at.ns + DAEMON_HOLD_MS * NS_PER_MS };
	if (in->ready)
		return (struct span){ 0 };
	return in->source->ops->deadline(in->source);
}

/* What failed may stay readable, and fail at once again: it is let rest. */
static void
input_failed(struct input *in, int error)
{
	struct span now = mono_now();
	bool news = in->error != error || now.ns - in->said_at.ns >= DAEMON_SAY_AGAIN_S * NS_PER_S;

	in->error = error;
	in->failed_at = now;
	in->held = true;
	input_enable(in, false);
	if (!news)
		return;
	in->said_at = now;
	say(SAY_ERR, "reading failed, will be tried again: %s: %s", in->source->ops->kind,
	    err_str(error));
}

static void
input_went_well(struct input *in)
{
	if (in->error == 0 || mono_now().ns - in->failed_at.ns < DAEMON_CALM_S * NS_PER_S)
		return;
	in->error = 0;
	say(SAY_INFO, "reading goes on: %s", in->source->ops->kind);
}

static int
source_turn(struct daemon *d, struct input *in)
{
	struct source *s = in->source;
	int r;

	if (input_due(in).ns > mono_now().ns)
		return 0;
	in->ready = false;
	if (in->held) {
		in->held = false;
		input_enable(in, true);
	}
	r = s->ops->poll(s, DAEMON_POLL_BYTES);
	if (d->abort_due)
		return 0;
	if (r < 0) {
		input_failed(in, r);
		return 0;
	}
	input_went_well(in);
	in->ready = r > 0;
	if (d->opt->once)
		in->ended = s->ops->at_end != NULL ? s->ops->at_end(s) : r == 0;
	/* a position may have moved without a row */
	commit_dirty(d);
	return 0;
}

static int
sources_turn(struct daemon *d)
{
	size_t i;
	int r = 0;

	for (i = 0; r == 0 && !d->paused && !d->abort_due && i < d->setup->n_inputs; i++)
		r = source_turn(d, &d->setup->inputs[i]);
	return r;
}

static bool
all_ended(const struct daemon *d)
{
	size_t i;

	for (i = 0; i < d->setup->n_inputs; i++)
		if (!d->setup->inputs[i].ended)
			return false;
	return true;
}

static void
earlier(struct span *at, struct span other)
{
	if (other.ns < at->ns)
		at->ns = other.ns;
}

static struct span
maintain_next(const struct daemon *d)
{
	int64_t s = d->dirty ? DAEMON_MAINTAIN_S : DAEMON_MAINTAIN_IDLE_S;

	if (store_maintain_soon(d->store, wall_now()))
		s = DAEMON_MAINTAIN_SOON_S;
	return (struct span){ d->last_maintain.ns + s * NS_PER_S };
}

/* When something is due, if nothing wakes us before. */
static struct span
loop_deadline(struct daemon *d)
{
	struct span at = commit_next(d), api;
	size_t i;

	for (i = 0; !d->paused && i < d->setup->n_inputs; i++)
		earlier(&at, input_due(&d->setup->inputs[i]));
	if (d->api != NULL) {
		api = api_timeout(d->api);
		if (api.ns >= 0)
			earlier(&at, (struct span){ mono_now().ns + api.ns });
	}
	earlier(&at, maintain_next(d));
	if (d->watchdog_us > 0)
		earlier(&at, d->watchdog_at);
	return at;
}

static int
loop_wait(struct daemon *d)
{
	struct span at = loop_deadline(d), now = mono_now();
	uint64_t us = at.ns <= now.ns ? 0 : (uint64_t)((at.ns - now.ns) / NS_PER_US + 1);
	int r, i;

	d->n_waits++;
	d->all_heard = false;
	r = sd_event_run(d->event, at.ns == INT64_MAX ? UINT64_MAX : us);
	/* Each run dispatches one; see to the others before the next sleep.  What was not read comes up again. */
	for (i = 0; r > 0 && !d->all_heard && i < 64; i++)
		r = sd_event_run(d->event, 0);
	return r < 0 ? err_origin(r) : 0;
}

static void
loop_watchdog(struct daemon *d)
{
	struct span now = mono_now();

	if (d->watchdog_us == 0 || now.ns < d->watchdog_at.ns)
		return;
	(void)sd_notifyf(0, "WATCHDOG=1\nSTATUS=%llu rows taken in, %llu losses%s",
	    (unsigned long long)d->n_rows, (unsigned long long)d->n_losses,
	    d->paused ? ", store full: sources wait" : "");
	d->watchdog_at.ns = now.ns + (int64_t)d->watchdog_us * NS_PER_US / 3;
}

static int
loop_turn(struct daemon *d)
{
	bool was_paused = d->paused;
	struct wall began = wall_now();
	int r;

	rules_busy(d);
	if (d->api != NULL) {
		r = api_run(d->api);
		if (r < 0)
			return r;
	}
	/* its lines may have been committed before the request had come to its end */
	if (d->api != NULL && !d->dirty && !d->paused && !d->abort_due && api_waiting(d->api))
		api_committed(d->api, true);
	r = sources_turn(d);
	if (r == 0 && d->abort_due)
		r = commit_abort(d);
	else if (r == 0 && mono_now().ns >= commit_next(d).ns)
		r = commit_now(d);
	if (r < 0)
		return r;
	if (d->paused != was_paused)
		sources_enable(d, !d->paused);
	if (mono_now().ns >= maintain_next(d).ns)
		commit_maintain(d);
	rules_turned(d, began);
	loop_watchdog(d);
	(void)status_rate(d);
	return d->reload ? daemon_reload(d) : 0;
}

static bool
loop_over(const struct daemon *d)
{
	if (d->stopping)
		return true;
	return d->opt->once && all_ended(d);
}

static int
daemon_loop(struct daemon *d)
{
	int r = 0;

	while (r == 0 && !loop_over(d)) {
		r = loop_turn(d);
		if (r == 0 && !loop_over(d))
			r = loop_wait(d);
	}
	return r;
}

/* ---- the end ---- */

/* One last commit; a store without room is asked until the time is up, and nothing is lost if it stays so. */
static int
daemon_finish(struct daemon *d)
{
	int r;

	(void)sd_notify(0, "STOPPING=1");
	if (d->stop_at.ns == 0)
		d->stop_at.ns = mono_now().ns + DAEMON_STOP_S * NS_PER_S;
	/* its last events are rows of the last commit; the rest of the time is the commit's */
	d->rules = rules_stop(d->rules, (struct span){ d->stop_at.ns - NS_PER_S });
	while ((r = commit_now(d)) > 0 && mono_now().ns < d->stop_at.ns)
		(void)usleep(100000);
	if (d->api != NULL)
		(void)api_run(d->api);
	if (r > 0)
		say(SAY_ERR,
		    "last commit failed: %s: what is missing is read again at the next start",
		    d->setup->store_path);
	return r;
}

static void
daemon_fini(struct daemon *d)
{
	d->rules = rules_stop(d->rules, (struct span){ 0 });
	/* sources first: they may still have something to say */
	if (d->setup != NULL)
		setup_drop_sources(d->setup);
	d->api = api_free(d->api);
	d->store = store_close(d->store);
	d->setup = setup_free(d->setup);
	record_batch_fini(&d->events);
	record_batch_fini(&d->push);
	buf_fini(&d->text);
	push_fini(d);
	d->event = sd_event_unref(d->event);
}

static int
daemon_init(struct daemon *d)
{
	int r;

	d->started = mono_now();
	d->last_maintain = d->started;
	if (gethostname(d->host, sizeof(d->host) - 1) < 0)
		d->host[0] = '\0';
	(void)umask(0027);
	r = sd_event_new(&d->event);
	if (r < 0)
		return err_origin(r);
	if (sd_watchdog_enabled(0, &d->watchdog_us) <= 0)
		d->watchdog_us = 0;
	return signals_init(d);
}

int
daemon_run(const struct daemon_options *opt)
{
	struct daemon d = { .opt = opt };
	int r, exit_code;

	r = daemon_init(&d);
	exit_code = r < 0 ? DAEMON_FAILED : daemon_start(&d);
	if (exit_code == DAEMON_DONE) {
		(void)sd_notify(0, "READY=1");
		r = daemon_loop(&d);
		if (r == 0)
			r = daemon_finish(&d);
		if (r != 0)
			exit_code = DAEMON_FAILED;
	}
	if (r < 0)
		say(SAY_ERR, "weird ends: %s: %s", err_where(), err_str(r));
	daemon_fini(&d);
	return exit_code;
}
