/*
 * alerts/sender.h - the send process.
 * One job: start, feed and replace the process that mails and calls webhooks.
 * Floor: 4 (uses base).
 *
 * main holds no secret and does not reach out; this process does: it gets one job a message over a socket pair (or the socket of
 * its own unit), with the integration's settings, the names of secret files, and what is to be sent.  It answers each
 * job.  A job that passes SENDER_JOB_MAX_S, or a process that does not answer, is killed and replaced; its jobs wait again.
 *
 *   main --JOB--> send --fork--> a process a job --SMTP, HTTP--> receiver
 *        <-RESULT-     <-RESULT-
 *
 * A job is a process, so that one receiver's stall, flood or exploit is that job's end and nobody else's.
 */
#pragma once

#include "alerts/outbox.h"

enum { SENDER_JOB_MAX_S = 120, SENDER_JOBS_MAX = 32, SENDER_FRAME_MAX = 4 << 20 };
enum {
	SENDER_GRACE_S = 15,      /* beyond the job's end: the process itself is stuck */
	SENDER_OUT_MAX = 8 << 20, /* bytes that the process has not taken yet; beyond: busy */
	/* of SENDER_JOBS_MAX kept for what was tried once at most: stuck receivers leave room for others */
	SENDER_FRESH = 8,
};

struct sender;
/** sender_new(ret, socket, secrets): ${socket}: of a send process that runs by itself; NULL: start one. */
int sender_new(struct sender **ret, const char *socket, const char *secrets);
struct sender *sender_free(struct sender *s);
DEFINE_AUTO(struct sender *, sender_free)
/** sender_put(s, item, integration): give a job; SENDER_E_BUSY: not now. */
enum { SENDER_E_BUSY = 1 };
int sender_put(struct sender *s, const struct outbox_item *item, const struct integration *in);
/** sender_fd(s): readable: sender_run has something (also what waits for its time); the same over replacements. */
int sender_fd(const struct sender *s);
/** sender_run(s, now, fn, died, ctx): answers; ${died} when the process was replaced. Never blocks. */
typedef int (*sender_fn)(void *ctx, const struct send_result *r);
int sender_run(struct sender *s, struct wall now, sender_fn fn, void (*died)(void *ctx), void *ctx);

/** sender_busy(s): jobs that are not answered yet; sender_room(s): how many more it takes now. */
size_t sender_busy(const struct sender *s);
size_t sender_room(const struct sender *s);
/** sender_why(s): why the process died last, or could not be started; "" else.  sender_pid(s): 0: none. */
const char *sender_why(struct sender *s);
int sender_pid(const struct sender *s);

/** sender_role(fd, secrets): the process's own life; returns its exit code. */
int sender_role(int fd, const char *secrets);
