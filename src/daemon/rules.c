/*
 * daemon/rules.c - the rules' thread.
 * One job: its life: start, steps at the right time, other rules, end.
 * Floor: 6 (uses alerts, config, base).
 */
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>

#include "daemon/daemon_internal.h"
#include "daemon/rules_internal.h"
#include "daemon/say.h"
#include "store/store.h"

/* Of the unit weir-send.socket, whose process reads these secrets. */
static const char send_socket[] = "/run/weir-send.sock";
static const char default_secrets[] = "/etc/weir/secrets";

/* ---- what the configuration names ---- */

bool
rules_wanted(const struct config *c)
{
	return c->n_rules > 0 || c->alerting.n > 0;
}

static int
prepare_routing(const struct config *c, struct routing **ret)
{
	AUTO_FINI(buf_fini) struct buf path = BUF_INIT;
	AUTO_FINI(buf_fini) struct buf errors = BUF_INIT;
	AUTO_FINI(buf_fini) struct buf notes = BUF_INIT;
	struct str secrets = c->secrets.n > 0 ? c->secrets : str_c(default_secrets);
	int r;

	if (c->alerting.n == 0)
		return routing_default(ret);
	buf_str(&path, c->alerting);
	r = routing_load(buf_c_str(&path), secrets, ret, &errors, &notes);
	if (errors.n > 0)
		say_text(SAY_ERR, buf_view(&errors));
	else if (r < 0)
		say(SAY_ERR, "alerting cannot be read: %s: %s", buf_c_str(&path), err_str(r));
	if (notes.n > 0)
		say_text(SAY_WARNING, buf_view(&notes));
	return r;
}

int
rules_prepare(const struct config *c, struct rule_set **ret_set, struct routing **ret_routing)
{
	AUTO(rules_free) struct rule_set *set = NULL;
	AUTO_FINI(buf_fini) struct buf errors = BUF_INIT;
	int r;

	r = rules_load(c->rules, c->n_rules, wall_local_offset(wall_now()), &set, &errors);
	if (errors.n > 0)
		say_text(SAY_ERR, buf_view(&errors));
	else if (r < 0)
		say(SAY_ERR, "rules cannot be read: %s", err_str(r));
	if (r == 0)
		r = prepare_routing(c, ret_routing);
	if (r != 0)
		return 1;
	*ret_set = TAKE(set);
	return 0;
}

/* ---- the thread ---- */

void
rules_wake(int fd)
{
	uint64_t one = 1;

	/* A counter that is full wakes as well. */
	(void)!write(fd, &one, sizeof(one));
}

static void
rules_drain(int fd)
{
	uint64_t n;

	(void)!read(fd, &n, sizeof(n));
}

/*
 * A clock that was set, or a machine that slept: wall and monotonic time went apart.
 */
static void
thread_clock(struct rules *r, struct wall now, struct span mono)
{
	int64_t apart = (now.ns - r->last_wall.ns) - (mono.ns - r->last_mono.ns);
	struct wall from = { r->last_wall.ns + (mono.ns - r->last_mono.ns) };
	bool first = r->last_wall.ns == 0;

	r->last_wall = now;
	r->last_mono = mono;
	if (first || (apart < RULES_JUMP_S * NS_PER_S && apart > -RULES_JUMP_S * NS_PER_S))
		return;
	if (alerts_jumped(r->alerts, from, now) < 0)
		say(SAY_ERR, "rules could not follow the clock: %s", err_str(-ENOMEM));
}

static void
thread_reload(struct rules *r, struct rule_set *set, struct routing *routing)
{
	int e;

	e = alerts_reload(r->alerts, set, routing);
	if (e != 0)
		say(SAY_ERR, "rules are not taken over, the old ones hold: %s", err_str(e));
}

/* What the loop has left for us; its memory of sources is copied, texts too. */
static bool
thread_take(struct rules *r, struct wall now, struct wall *ret_committed)
{
	struct rule_set *set;
	struct routing *routing;
	bool stop;

	(void)pthread_mutex_lock(&r->lock);
	stop = r->stop;
	set = TAKE(r->next_set);
	routing = TAKE(r->next_routing);
	*ret_committed = r->committed;
	if (r->clean && now.ns - RULES_GRACE_MS * NS_PER_MS > r->committed.ns)
		ret_committed->ns = now.ns - RULES_GRACE_MS * NS_PER_MS;
	/* One that went back goes back here too. */
	if (ret_committed->ns > now.ns)
		*ret_committed = now;
	if (r->sources_new) {
		arena_clear(&r->mine);
		r->n_mine = rules_sources_copy(&r->mine, r->sources, r->n_sources, &r->my_sources);
		r->sources_new = false;
	}
	(void)pthread_mutex_unlock(&r->lock);
	if (set != NULL)
		thread_reload(r, set, routing);
	return !stop;
}

/* The loop is told of events, and of requests that it was to ask again. */
static void
thread_tell(struct rules *r)
{
	uint64_t last = alerts_events_last(r->alerts);

	if (last == r->told_events && !atomic_exchange(&r->asked, false))
		return;
	r->told_events = last;
	rules_wake(r->to_loop);
}

static void
thread_wait(struct rules *r)
{
	struct pollfd fds[2] = { { r->to_thread, POLLIN, 0 }, { alerts_fd(r->alerts), POLLIN, 0 } };
	struct wall next = alerts_next(r->alerts), now = wall_now();
	int64_t ms = (next.ns - now.ns) / NS_PER_MS + 1;
	bool due;

	if (next.ns == INT64_MAX || ms > RULES_SLEEP_MAX_S * 1000)
		ms = RULES_SLEEP_MAX_S * 1000;
	/* An instant that is due waits for the loop, which says when it has read all. */
	due = ms <= 0 && next.ns > 0;
	atomic_store(&r->waits, due);
	if (due)
		ms = RULES_GRACE_MS;
	else if (ms > 0)
		ms += RULES_GRACE_MS;
	(void)poll(fds, alerts_fd(r->alerts) >= 0 ? 2 : 1, ms < 0 ? 0 : (int)ms);
	if (fds[0].revents != 0)
		rules_drain(r->to_thread);
}

/* What is answered within a moment need not be sent again after the start. */
static void
thread_settle(struct rules *r)
{
	struct pollfd p = { alerts_fd(r->alerts), POLLIN, 0 };
	struct span until = { mono_now().ns + RULES_SETTLE_MS * NS_PER_MS };

	while (alerts_settle(r->alerts, wall_now()) && mono_now().ns < until.ns)
		(void)poll(&p, 1, 100);
}

static void *
thread_run(void *ctx)
{
	struct rules *r = ctx;
	struct wall committed, now;

	for (;;) {
		now = wall_now();
		thread_clock(r, now, mono_now());
		if (!thread_take(r, now, &committed))
			break;
		/* A failure is said, and comes again by itself. */
		(void)alerts_step(r->alerts, now, committed, r->my_sources, r->n_mine);
		thread_tell(r);
		thread_wait(r);
	}
	thread_settle(r);
	(void)alerts_flush(r->alerts);
	return NULL;
}

/* ---- start and end ---- */

static int
on_loop(sd_event_source *s, int fd, uint32_t revents, void *ctx)
{
	struct daemon *d = ctx;

	(void)s;
	(void)revents;
	rules_drain(fd);
	if (alerts_events_last(d->rules->alerts) > d->rules->put_events)
		commit_dirty(d);
	if (d->api != NULL)
		api_again(d->api);
	return 0;
}

static void
on_say(void *ctx, int level, const char *text)
{
	(void)ctx;
	say(level <= SAY_ERR ? SAY_ERR : level <= SAY_WARNING ? SAY_WARNING : SAY_INFO, "%s", text);
}

static int
new_alerts(struct daemon *d, struct rules *r, struct rule_set *set, struct routing *routing)
{
	AUTO_FINI(buf_fini) struct buf db = BUF_INIT;
	AUTO_FINI(buf_fini) struct buf secrets = BUF_INIT;
	const struct config *c = d->setup->config;
	bool own = c->secrets.n == 0 || str_eq_c(c->secrets, default_secrets);
	struct alerts_ops ops = { .say = on_say, .ctx = r };
	struct alerts_options opt = {
		.store = d->setup->store_path,
		.host = d->host,
		.send_socket = own && access(send_socket, W_OK) == 0 ? send_socket : NULL,
		.send = true,
		.evidence = true,
		.start = wall_now(),
		.events_stored = r->put_events,
	};

	opt.zone_s = wall_local_offset(opt.start);
	buf_printf(&db, "%s/state.db", d->setup->store_path);
	buf_str(&secrets, own ? str_c(default_secrets) : c->secrets);
	if (db.failed || secrets.failed) {
		(void)rules_free(set);
		(void)routing_free(routing);
		return err_origin(-ENOMEM);
	}
	opt.db = buf_c_str(&db);
	opt.secrets = buf_c_str(&secrets);
	return alerts_new(&r->alerts, set, routing, &opt, &ops);
}

static struct rules *
rules_free_all(struct rules *r)
{
	if (r == NULL)
		return NULL;
	r->io = sd_event_source_disable_unref(r->io);
	r->alerts = alerts_free(r->alerts);
	(void)rules_free(r->next_set);
	(void)routing_free(r->next_routing);
	if (r->to_loop >= 0)
		(void)close(r->to_loop);
	if (r->to_thread >= 0)
		(void)close(r->to_thread);
	rules_sources_fini(r);
	buf_fini(&r->metrics);
	buf_fini(&r->status);
	(void)pthread_mutex_destroy(&r->lock);
	free(r);
	return NULL;
}
DEFINE_AUTO(struct rules *, rules_free_all)

static int
start(struct daemon *d, struct rules *r, struct rule_set *set, struct routing *routing)
{
	int e;

	rules_position(d, r);
	e = new_alerts(d, r, set, routing);
	if (e != 0)
		return err_fold(e);
	e = sd_event_add_io(d->event, &r->io, r->to_loop, EPOLLIN, on_loop, d);
	if (e < 0)
		return err_origin(e);
	return err_origin(-pthread_create(&r->thread, NULL, thread_run, r));
}

void
rules_start(struct daemon *d, struct rule_set *set, struct routing *routing)
{
	AUTO(rules_free_all) struct rules *r = calloc(1, sizeof(*r));
	int e;

	if (r == NULL) {
		(void)rules_free(set);
		(void)routing_free(routing);
		return;
	}
	(void)pthread_mutex_init(&r->lock, NULL);
	r->to_loop = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	r->to_thread = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	e = start(d, r, set, routing);
	if (e < 0) {
		say(SAY_ERR, "rules do not run: %s: %s", err_where(), err_str(e));
		return;
	}
	d->rules = TAKE(r);
}

void
rules_reload(struct daemon *d, struct rule_set *set, struct routing *routing)
{
	struct rules *r = d->rules;

	if (r == NULL) {
		if (rules_wanted(d->setup->config)) {
			rules_start(d, set, routing);
		} else {
			(void)rules_free(set);
			(void)routing_free(routing);
		}
		return;
	}
	(void)pthread_mutex_lock(&r->lock);
	(void)rules_free(r->next_set);
	(void)routing_free(r->next_routing);
	r->next_set = set;
	r->next_routing = routing;
	(void)pthread_mutex_unlock(&r->lock);
	rules_wake(r->to_thread);
}

struct rules *
rules_stop(struct rules *r, struct span until)
{
	int64_t left = until.ns - mono_now().ns, at;
	struct timespec ts;

	if (r == NULL)
		return NULL;
	(void)pthread_mutex_lock(&r->lock);
	r->stop = true;
	(void)pthread_mutex_unlock(&r->lock);
	rules_wake(r->to_thread);
	at = wall_now().ns + (left > 0 ? left : 0);
	ts = (struct timespec){ at / NS_PER_S, at % NS_PER_S };
	if (pthread_timedjoin_np(r->thread, NULL, &ts) == 0)
		return rules_free_all(r);
	/* It holds what it uses; the end of the process is its end, and the next start goes on from its last step. */
	r->io = sd_event_source_disable_unref(r->io);
	return NULL;
}
