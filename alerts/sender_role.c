/*
 * alerts/sender_role.c - the send process's own life.
 * One job: take jobs, run each as a process of its own with a deadline, and answer for all of them.
 * Floor: 4 (uses base).
 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "alerts/sender_work.h"
#include "base/io.h"

enum {
	ROLE_WRITE_S = 30,     /* main does not read for so long: it is gone */
	ROLE_PHASES_MAX = 100, /* of one job */
};

/* One at work.  A slot is free when pid is 0. */
struct role_job {
	pid_t pid;
	int fd; /* its frames */
	struct buf in;
	struct span until;
	struct arena arena; /* id, to, phase */
	struct str id, to, phase;
	bool unsure;   /* its receiver may have it */
	bool answered; /* its result is sent on */
	unsigned n_phases;
};

struct role {
	int fd;
	const char *secrets;
	struct buf in;
	struct role_job jobs[SENDER_JOBS_MAX];
};

static int
role_write(const struct role *role, struct buf *frame)
{
	int r = buf_err(frame);

	return r != 0 ? r : io_write(role->fd, frame->p, frame->n);
}

static int
role_answer(const struct role *role, const struct send_result *res)
{
	AUTO_FINI(buf_fini) struct buf frame = BUF_INIT;

	send_result_put(&frame, res);
	return role_write(role, &frame);
}

static void
slot_free(struct role_job *j)
{
	if (j->fd >= 0)
		(void)close(j->fd);
	buf_fini(&j->in);
	arena_fini(&j->arena);
	*j = (struct role_job){ .fd = -1 };
}

/* The end of a job that did not answer itself. */
static int
job_failed(const struct role *role, struct role_job *j, const char *what)
{
	AUTO_FINI(buf_fini) struct buf why = BUF_INIT;
	struct send_result res = { .id = j->id,
		.outcome = SEND_LATER,
		.to_left = j->to,
		.unsure = j->unsure };

	buf_printf(&why, "%.*s: %s", STR_ARG(j->phase), what);
	if (j->unsure)
		buf_c(&why, "; it may have arrived");
	res.why = buf_view(&why);
	j->answered = true;
	return role_answer(role, &res);
}

/* Its process is at its end, or made to be. */
static int
job_end(const struct role *role, struct role_job *j, bool late)
{
	char what[80];
	int status = 0, r = 0;

	if (late || j->answered)
		(void)kill(j->pid, SIGKILL);
	while (waitpid(j->pid, &status, 0) < 0 && errno == EINTR)
		continue;
	if (!j->answered) {
		if (late)
			(void)snprintf(what, sizeof(what), "no end after %d s", SENDER_JOB_MAX_S);
		else if (WIFSIGNALED(status))
			(void)snprintf(what, sizeof(what), "its process was killed by SIG%s",
			    sigabbrev_np(WTERMSIG(status)) != NULL ? sigabbrev_np(WTERMSIG(status))
			                                           : "?");
		else
			(void)snprintf(what, sizeof(what), "its process ended without an answer");
		r = job_failed(role, j, what);
	}
	slot_free(j);
	return r;
}

/* A job's process may have been taken over by what it talked to: it answers for itself and in form, or not at all. */
static int
job_frame(const struct role *role, struct role_job *j, enum send_frame_type type,
    struct str payload)
{
	AUTO_FINI(arena_fini) struct arena arena = ARENA_INIT;
	struct send_result res;
	int r;

	switch (type) {
	case SEND_FRAME_PHASE:
		if (++j->n_phases > ROLE_PHASES_MAX)
			return SEND_PROTO_E_FORMAT;
		return send_phase_get(payload, &j->arena, &j->phase, &j->unsure);
	case SEND_FRAME_RESULT:
		r = j->answered ? SEND_PROTO_E_FORMAT : send_result_get(payload, &arena, &res);
		if (r == 0 && !str_eq(res.id, j->id))
			r = SEND_PROTO_E_FORMAT;
		if (r != 0)
			return r;
		j->answered = true;
		return role_answer(role, &res);
	case SEND_FRAME_JOB:
		break;
	}
	return SEND_PROTO_E_FORMAT;
}

static int
job_frames(const struct role *role, struct role_job *j)
{
	enum send_frame_type type;
	struct str payload;
	size_t n, at = 0;
	int r;

	while ((r = send_frame_next(str_sub(buf_view(&j->in), at, j->in.n), &type, &payload, &n)) ==
	    0) {
		r = job_frame(role, j, type, payload);
		if (r != 0)
			return r;
		at += n;
	}
	if (at > 0) {
		memmove(j->in.p, j->in.p + at, j->in.n - at);
		j->in.n -= at;
	}
	return r == SEND_PROTO_E_MORE ? 0 : r;
}

static int
job_read(const struct role *role, struct role_job *j)
{
	uint8_t chunk[16 << 10];
	size_t n = 0;
	int r;

	r = io_read(j->fd, chunk, sizeof(chunk), &n);
	if (r < 0 || n == 0)
		return job_end(role, j, false);
	buf_put(&j->in, chunk, n);
	r = j->in.failed ? -ENOMEM : job_frames(role, j);
	if (r < 0)
		return r;
	/* it must not go on after nonsense */
	if (r > 0) {
		(void)kill(j->pid, SIGKILL);
		return job_end(role, j, false);
	}
	return 0;
}

static void
job_main(const struct role *role, const struct send_job *job, int fd)
{
	struct send_work w = { .job = job, .secrets = role->secrets, .fd = fd };

	/* when the send process goes, what it answers for must not go on */
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	send_work_run(&w);
	_exit(0);
}

static int
job_fork(const struct role *role, struct role_job *j, const struct send_job *job)
{
	AUTO_CLOSE int ours = -1;
	AUTO_CLOSE int theirs = -1;
	int pair[2], i;

	if (pipe2(pair, O_CLOEXEC) < 0)
		return err_origin(-errno);
	ours = pair[0];
	theirs = pair[1];
	j->pid = fork();
	if (j->pid == 0) {
		(void)close(role->fd);
		for (i = 0; i < SENDER_JOBS_MAX; i++)
			if (role->jobs[i].fd >= 0)
				(void)close(role->jobs[i].fd);
		(void)close(ours);
		job_main(role, job, theirs);
	}
	if (j->pid < 0) {
		j->pid = 0;
		return err_origin(-errno);
	}
	j->fd = TAKE_FD(ours);
	return 0;
}

static int
role_job(struct role *role, struct str payload)
{
	AUTO_FINI(arena_fini) struct arena arena = ARENA_INIT;
	struct role_job *j = NULL;
	struct send_job job;
	int i, r;

	r = send_job_get(payload, &arena, &job);
	if (r != 0)
		return r;
	for (i = 0; i < SENDER_JOBS_MAX && j == NULL; i++)
		if (role->jobs[i].pid == 0)
			j = &role->jobs[i];
	if (j == NULL)
		return SEND_PROTO_E_FORMAT;
	j->until.ns = mono_now().ns + SENDER_JOB_MAX_S * NS_PER_S;
	j->id = arena_dup(&j->arena, job.id);
	j->to = arena_dup(&j->arena, job.to);
	j->phase = STR("its begin");
	if (j->id.p == NULL || j->to.p == NULL)
		return err_origin(-ENOMEM);
	r = job_fork(role, j, &job);
	if (r < 0) {
		r = job_failed(role, j, err_str(r));
		slot_free(j);
	}
	return r;
}

/* > 0: main is gone, or speaks another language. */
static int
role_read(struct role *role)
{
	enum send_frame_type type;
	struct str payload;
	uint8_t chunk[64 << 10];
	size_t n = 0, at = 0;
	int r;

	r = io_read(role->fd, chunk, sizeof(chunk), &n);
	if (r < 0 || n == 0)
		return 1;
	buf_put(&role->in, chunk, n);
	if (role->in.failed)
		return err_origin(-ENOMEM);
	while ((r = send_frame_next(str_sub(buf_view(&role->in), at, role->in.n), &type, &payload,
	            &n)) == 0) {
		r = type == SEND_FRAME_JOB ? role_job(role, payload) : SEND_PROTO_E_FORMAT;
		if (r != 0)
			return r;
		at += n;
	}
	if (at > 0) {
		memmove(role->in.p, role->in.p + at, role->in.n - at);
		role->in.n -= at;
	}
	return r == SEND_PROTO_E_MORE ? 0 : r;
}

/* How long until the first job's time is up; -1: none. */
static int
role_patience(const struct role *role)
{
	int64_t now = mono_now().ns, left = INT64_MAX;
	int i;

	for (i = 0; i < SENDER_JOBS_MAX; i++)
		if (role->jobs[i].pid != 0 && role->jobs[i].until.ns - now < left)
			left = role->jobs[i].until.ns - now;
	if (left == INT64_MAX)
		return -1;
	return left < 0 ? 0 : (int)(left / NS_PER_MS) + 1;
}

static int
role_turn(struct role *role)
{
	struct pollfd p[SENDER_JOBS_MAX + 1];
	int i, r = 0;

	p[SENDER_JOBS_MAX] = (struct pollfd){ role->fd, POLLIN, 0 };
	for (i = 0; i < SENDER_JOBS_MAX; i++)
		p[i] = (struct pollfd){ role->jobs[i].fd, POLLIN, 0 };
	if (poll(p, ARRAY_LEN(p), role_patience(role)) < 0)
		return errno == EINTR ? 0 : err_origin(-errno);
	for (i = 0; i < SENDER_JOBS_MAX && r == 0; i++) {
		struct role_job *j = &role->jobs[i];

		if (p[i].revents != 0)
			r = job_read(role, j);
		else if (j->pid != 0 && mono_now().ns >= j->until.ns)
			r = job_end(role, j, true);
	}
	if (r == 0 && p[SENDER_JOBS_MAX].revents != 0)
		r = role_read(role);
	return r;
}

int
sender_role(int fd, const char *secrets)
{
	struct timeval patience = { ROLE_WRITE_S, 0 };
	struct role *role;
	int i, r;

	role = calloc(1, sizeof(*role));
	if (role == NULL)
		return 3;
	role->fd = fd;
	role->secrets = secrets;
	for (i = 0; i < SENDER_JOBS_MAX; i++)
		role->jobs[i].fd = -1;
	/* an answer to nobody is an error, not a signal; and our memory, with secrets in it, is nobody's to look at */
	(void)signal(SIGPIPE, SIG_IGN);
	(void)prctl(PR_SET_DUMPABLE, 0);
	(void)fcntl(fd, F_SETFD, FD_CLOEXEC);
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	do
		r = role_turn(role);
	while (r == 0);
	for (i = 0; i < SENDER_JOBS_MAX; i++) {
		if (role->jobs[i].pid != 0) {
			(void)kill(role->jobs[i].pid, SIGKILL);
			(void)waitpid(role->jobs[i].pid, NULL, 0);
		}
		slot_free(&role->jobs[i]);
	}
	buf_fini(&role->in);
	free(role);
	return r < 0 ? 3 : 0;
}
