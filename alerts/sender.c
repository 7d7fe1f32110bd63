/*
 * alerts/sender.c - the send process, as main sees it.
 * One job: give jobs, take answers, replace the process when it dies or is stuck; never block.
 * Floor: 4 (uses base).
 */
#include "alerts/sender.h"

#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>

#include "alerts/sender_child.h"
#include "alerts/sender_proto.h"
#include "base/io.h"

enum { SENDER_START_MAX_S = 60, SENDER_TICK_S = 1, SENDER_READ_MAX = 64 };
static const char own_program[] = "/proc/self/exe";

/* A job that is out. */
struct sender_job {
	char *id;
	struct span since;
};

/*
 * Invariants: n_jobs jobs are out at the process that runs; none runs: none is out and both buffers are empty.
 */
struct sender {
	char *socket, *secrets;
	struct sender_child child;
	int epoll, timer;
	struct buf out, in;
	size_t out_at; /* of out: so much is written */
	struct sender_job jobs[SENDER_JOBS_MAX];
	size_t n_jobs;
	unsigned n_deaths; /* since the last answer */
	struct span start_after;
	bool died; /* to be told */
	struct buf why;
};

static int
sender_init(struct sender *s, const char *socket, const char *secrets)
{
	struct epoll_event ev = { .events = EPOLLIN };

	s->child.fd = s->epoll = s->timer = -1;
	s->socket = socket != NULL ? strdup(socket) : NULL;
	s->secrets = secrets != NULL ? strdup(secrets) : NULL;
	if ((socket != NULL && s->socket == NULL) || (secrets != NULL && s->secrets == NULL))
		return err_origin(-ENOMEM);
	s->epoll = epoll_create1(EPOLL_CLOEXEC);
	s->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (s->epoll < 0 || s->timer < 0 || epoll_ctl(s->epoll, EPOLL_CTL_ADD, s->timer, &ev) < 0)
		return err_origin(-errno);
	return 0;
}

int
sender_new(struct sender **ret, const char *socket, const char *secrets)
{
	AUTO(sender_free) struct sender *s = NULL;
	int r;

	s = calloc(1, sizeof(*s));
	if (s == NULL)
		return err_origin(-ENOMEM);
	r = sender_init(s, socket, secrets);
	if (r != 0)
		return r;
	*ret = TAKE(s);
	return 0;
}

static void
jobs_forget(struct sender *s)
{
	while (s->n_jobs > 0)
		free(s->jobs[--s->n_jobs].id);
	buf_clear(&s->out);
	buf_clear(&s->in);
	s->out_at = 0;
}

struct sender *
sender_free(struct sender *s)
{
	if (s == NULL)
		return NULL;
	buf_clear(&s->why);
	sender_child_end(&s->child, s->n_jobs > 0, &s->why);
	jobs_forget(s);
	buf_fini(&s->out);
	buf_fini(&s->in);
	buf_fini(&s->why);
	if (s->epoll >= 0)
		(void)close(s->epoll);
	if (s->timer >= 0)
		(void)close(s->timer);
	free(s->socket);
	free(s->secrets);
	free(s);
	return NULL;
}

int
sender_fd(const struct sender *s)
{
	return s->epoll;
}

size_t
sender_busy(const struct sender *s)
{
	return s->n_jobs;
}

size_t
sender_room(const struct sender *s)
{
	if (s->child.fd < 0 && mono_now().ns < s->start_after.ns)
		return 0;
	return s->out.n - s->out_at > SENDER_OUT_MAX ? 0 : SENDER_JOBS_MAX - s->n_jobs;
}

const char *
sender_why(struct sender *s)
{
	return buf_c_str(&s->why);
}

int
sender_pid(const struct sender *s)
{
	return s->child.pid;
}

/* Ticks while jobs are out, so that one that is never answered is noticed. */
static void
timer_set(struct sender *s)
{
	struct itimerspec at = { { SENDER_TICK_S, 0 }, { SENDER_TICK_S, 0 } };

	if (s->n_jobs == 0)
		memset(&at, 0, sizeof(at));
	(void)timerfd_settime(s->timer, 0, &at, NULL);
}

static void
watch(struct sender *s, int op)
{
	struct epoll_event ev = { .events = EPOLLIN };

	if (s->out_at < s->out.n)
		ev.events |= EPOLLOUT;
	(void)epoll_ctl(s->epoll, op, s->child.fd, &ev);
}

/* Starts come later the oftener it dies: 0, 1, 2, 4, … 60 s. */
static void
sender_died(struct sender *s, bool hurry, const char *what)
{
	int64_t wait_s = s->n_deaths == 0 ? 0 : 1 << (s->n_deaths < 7 ? s->n_deaths - 1 : 6);

	buf_clear(&s->why);
	buf_c(&s->why, what);
	sender_child_end(&s->child, hurry, &s->why);
	if (wait_s > SENDER_START_MAX_S)
		wait_s = SENDER_START_MAX_S;
	s->start_after.ns = mono_now().ns + wait_s * NS_PER_S;
	s->n_deaths++;
	s->died = true;
	jobs_forget(s);
	timer_set(s);
}

static int
sender_start(struct sender *s)
{
	int r;

	if (s->child.fd >= 0)
		return 0;
	if (mono_now().ns < s->start_after.ns)
		return SENDER_E_BUSY;
	r = sender_child_start(&s->child, s->socket, s->secrets, own_program);
	if (r == 0) {
		watch(s, EPOLL_CTL_ADD);
		return 0;
	}
	buf_clear(&s->why);
	buf_printf(&s->why, "%s: %s", s->socket != NULL ? s->socket : own_program, err_str(r));
	s->n_deaths++;
	s->start_after.ns = mono_now().ns + (s->n_deaths < 10 ? s->n_deaths : 10) * NS_PER_S;
	return SENDER_E_BUSY;
}

/* false: the process is gone. */
static bool
sender_flush(struct sender *s)
{
	ssize_t k;

	while (s->out_at < s->out.n) {
		k = send(s->child.fd, s->out.p + s->out_at, s->out.n - s->out_at, MSG_NOSIGNAL);
		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0)
			return errno == EAGAIN;
		s->out_at += (size_t)k;
	}
	buf_clear(&s->out);
	s->out_at = 0;
	return true;
}

/* What a stored notification becomes: text and HTML, or JSON. */
static int
job_render(const struct outbox_item *item, struct send_job *job, struct message_mail *mail,
    struct buf *body)
{
	int r;

	if (item->kind == RECEIVER_WEBHOOK) {
		r = message_webhook(item->stored, body);
		job->body = buf_view(body);
		return r;
	}
	r = message_mail(item->stored, mail);
	job->subject = buf_view(&mail->subject);
	job->text = buf_view(&mail->text);
	job->html = buf_view(&mail->html);
	return r;
}

static void
job_settings(const struct outbox_item *item, const struct integration *in, struct send_job *job)
{
	*job = (struct send_job){ .id = item->id,
		.kind = item->kind,
		.timeout = in->timeout,
		.at = item->created,
		.smarthost = in->smarthost,
		.hello = in->hello,
		.from = in->from,
		.to = item->to,
		.auth_username = in->auth_username,
		.auth_password_file = in->auth_password_file,
		.require_tls = in->require_tls,
		.headers = in->headers,
		.n_headers = in->n_headers < SEND_HEADERS_MAX ? in->n_headers : SEND_HEADERS_MAX,
		.message_id = item->message_id,
		.in_reply_to = item->in_reply_to,
		.url = in->url,
		.url_file = in->url_file,
		.http = in->http };
}

/* What cannot be shown is still told: that there was something. */
static void
job_bare(const struct outbox_item *item, struct send_job *job)
{
	if (item->kind == RECEIVER_EMAIL) {
		job->subject = STR("weir: a notification that cannot be shown");
		job->text = item->group_key;
		job->html = STR_NONE;
	} else {
		job->body = STR("{\"version\":\"4\",\"status\":\"firing\",\"alerts\":[]}");
	}
}

static int
job_frame(struct sender *s, const struct outbox_item *item, const struct integration *in)
{
	AUTO_FINI(message_mail_fini) struct message_mail mail = { BUF_INIT, BUF_INIT, BUF_INIT };
	AUTO_FINI(buf_fini) struct buf body = BUF_INIT;
	struct send_job job;
	size_t before = s->out.n;
	int r;

	job_settings(item, in, &job);
	r = job_render(item, &job, &mail, &body);
	if (r < 0)
		return r;
	if (r > 0)
		job_bare(item, &job);
	send_job_put(&s->out, &job);
	if (!s->out.failed && s->out.n - before > SENDER_FRAME_MAX) {
		s->out.n = before;
		job_bare(item, &job);
		send_job_put(&s->out, &job);
	}
	if (!s->out.failed)
		return 0;
	s->out.n = before;
	s->out.failed = false;
	return err_origin(-ENOMEM);
}

int
sender_put(struct sender *s, const struct outbox_item *item, const struct integration *in)
{
	char *id;
	int r;

	if (s->died || sender_room(s) <= (item->n_tries > 1 ? SENDER_FRESH : 0))
		return SENDER_E_BUSY;
	r = sender_start(s);
	if (r != 0)
		return r;
	id = strndup((const char *)item->id.p, item->id.n);
	if (id == NULL)
		return err_origin(-ENOMEM);
	r = job_frame(s, item, in);
	if (r != 0) {
		free(id);
		return r;
	}
	s->jobs[s->n_jobs++] = (struct sender_job){ id, mono_now() };
	if (s->n_jobs == 1)
		timer_set(s);
	/* a death shows as the end of the socket: sender_run tells it */
	(void)sender_flush(s);
	watch(s, EPOLL_CTL_MOD);
	return 0;
}

/* false: nobody asked for it. */
static bool
job_done(struct sender *s, struct str id)
{
	size_t i;

	for (i = 0; i < s->n_jobs; i++)
		if (str_eq_c(id, s->jobs[i].id))
			break;
	if (i == s->n_jobs)
		return false;
	free(s->jobs[i].id);
	s->jobs[i] = s->jobs[--s->n_jobs];
	if (s->n_jobs == 0)
		timer_set(s);
	return true;
}

/* 0 done; > 0: what came is no frame of ours; < 0: ${fn} failed. */
static int
sender_answers(struct sender *s, sender_fn fn, void *ctx)
{
	AUTO_FINI(arena_fini) struct arena arena = ARENA_INIT;
	enum send_frame_type type;
	struct send_result res;
	struct str payload;
	size_t n, at = 0;
	int r;

	while ((r = send_frame_next(str_sub(buf_view(&s->in), at, s->in.n), &type, &payload, &n)) ==
	    0) {
		at += n;
		if (type != SEND_FRAME_RESULT)
			return SEND_PROTO_E_FORMAT;
		r = send_result_get(payload, &arena, &res);
		if (r != 0)
			return r;
		if (!job_done(s, res.id))
			return SEND_PROTO_E_FORMAT;
		s->n_deaths = 0;
		r = fn(ctx, &res);
		if (r != 0)
			return err_fold(r);
	}
	memmove(s->in.p, s->in.p + at, s->in.n - at);
	s->in.n -= at;
	return r == SEND_PROTO_E_MORE ? 0 : r;
}

/* > 0: the process is at its end. */
static int
sender_read(struct sender *s)
{
	uint8_t chunk[16 << 10];
	ssize_t k;
	int i;

	for (i = 0; i < SENDER_READ_MAX; i++) {
		k = recv(s->child.fd, chunk, sizeof(chunk), 0);
		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0)
			return errno == EAGAIN ? 0 : 1;
		if (k == 0)
			return 1;
		buf_put(&s->in, chunk, (size_t)k);
		if (s->in.failed)
			return err_origin(-ENOMEM);
	}
	return 0;
}

static bool
sender_is_stuck(const struct sender *s)
{
	int64_t before = mono_now().ns - (SENDER_JOB_MAX_S + SENDER_GRACE_S) * NS_PER_S;
	size_t i;

	for (i = 0; i < s->n_jobs; i++)
		if (s->jobs[i].since.ns < before)
			return true;
	return false;
}

int
sender_run(struct sender *s, struct wall now, sender_fn fn, void (*died)(void *ctx), void *ctx)
{
	uint64_t ticks;
	bool gone;
	int r = 0;

	(void)now;
	(void)!read(s->timer, &ticks, sizeof(ticks));
	if (s->child.fd >= 0) {
		gone = !sender_flush(s);
		r = sender_read(s);
		if (r < 0)
			return r;
		gone = gone || r > 0;
		r = s->in.n > 0 ? sender_answers(s, fn, ctx) : 0;
		if (r > 0)
			sender_died(s, true, "it answered nonsense: ");
		else if (gone)
			sender_died(s, false, "");
		else if (sender_is_stuck(s))
			sender_died(s, true, "it did not answer: ");
		else
			watch(s, EPOLL_CTL_MOD);
	}
	if (s->died) {
		s->died = false;
		died(ctx);
	}
	return r < 0 ? r : 0;
}
