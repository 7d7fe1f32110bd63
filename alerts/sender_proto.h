/*
 * alerts/sender_proto.h - what main and the send process say to each other.
 * One job: frames over a socket; a job and its outcome as JSON, every length and type checked on both sides.
 * Floor: 4 (uses base).
 *
 * The send process talks to strangers: what comes from it is checked like what comes from outside.  What goes to it is
 * checked as well, for it holds the secrets.
 */
#pragma once

#include "alerts/sender.h"

/*
 * Frame, version 1.  Little-endian, packed.
 *
 *   offset  size  field
 *        0     4  n        bytes of the payload, at most SENDER_FRAME_MAX
 *        4     1  version  1
 *        5     1  type     enum send_frame_type
 *        6     2  zero
 *        8     n  payload, JSON
 *
 *   JOB    down  struct send_job
 *   RESULT up    struct send_report
 *   PHASE  up    {"phase": text, "unsure": bool}: what a job is at; from a job's own process to the send process only
 */
enum { SEND_FRAME_HEAD = 8, SEND_FRAME_VERSION = 1, SEND_RESULT_MAX = 256 << 10 };
enum { SEND_PROTO_E_FORMAT = 1, SEND_PROTO_E_MORE = 2 };
enum send_frame_type { SEND_FRAME_JOB = 1, SEND_FRAME_RESULT, SEND_FRAME_PHASE };

enum { SEND_TO_MAX = 100, SEND_HEADERS_MAX = 50, SEND_NAME_MAX = 4096 };

/* One notification for one integration; texts are borrowed. */
struct send_job {
	struct str id;
	enum receiver_kind kind;
	struct span timeout; /* of the whole, and of each wait; 0: default */
	struct wall at;      /* when the notification was made */
	/* mail */
	struct str smarthost, hello, from, to; /* to: one a line */
	struct str auth_username, auth_password_file;
	bool require_tls;
	struct label *headers;
	size_t n_headers;
	struct str message_id, in_reply_to, subject, text, html;
	/* webhook */
	struct str url, url_file, body;
	/* both: TLS; for a webhook authentication and signature too */
	struct route_http http;
};

/* What came of it. */
struct send_report {
	struct send_result r; /* its texts are those of the bufs, or of an arena */
	struct buf id, to_left, to_failed, why;
};
void send_report_fini(struct send_report *rep);
/** send_report_close(rep): let ->r show what the bufs hold. */
void send_report_close(struct send_report *rep);

/** send_frame_begin(out, type): start a frame; send_frame_end with what it returned ends it. */
size_t send_frame_begin(struct buf *out, enum send_frame_type type);
void send_frame_end(struct buf *out, size_t at);
/** send_frame_next(s, ret_type, ret_payload, ret_n): the first frame of ${s}.  SEND_PROTO_E_MORE, SEND_PROTO_E_FORMAT. */
int send_frame_next(struct str s, enum send_frame_type *ret_type, struct str *ret_payload,
    size_t *ret_n);

void send_job_put(struct buf *out, const struct send_job *job);
/** send_job_get(payload, arena, ret): SEND_PROTO_E_FORMAT, -ENOMEM. */
int send_job_get(struct str payload, struct arena *arena, struct send_job *ret);
void send_result_put(struct buf *out, const struct send_result *r);
int send_result_get(struct str payload, struct arena *arena, struct send_result *ret);
void send_phase_put(struct buf *out, const char *phase, bool unsure);
int send_phase_get(struct str payload, struct arena *arena, struct str *ret_phase,
    bool *ret_unsure);

/*
 * A job at work, in its own process: where it tells what it is at, and how long it may.
 * Invariant: told last is what the send process says when it has to kill the job.
 */
struct send_work {
	const struct send_job *job;
	const char *secrets; /* folder, or NULL */
	int fd;              /* up; -1: nobody listens (tests) */
	struct span until;   /* CLOCK_MONOTONIC: the end of it all */
};
void send_phase(const struct send_work *w, const char *phase, bool unsure);
/** send_wait(w, ms): a wait's deadline: ${ms} or the job's own, and never beyond the whole's. */
struct span send_wait(const struct send_work *w, int64_t ms);

/** send_secret(w, name, out): a secret file's text without its last line end; a line for people in ${why} and false. */
enum { SEND_SECRET_MAX = 64 << 10 };
bool send_secret(const struct send_work *w, struct str name, struct buf *out, struct buf *why);
/** send_secret_path(w, name, out): the path alone, for libraries that read it themselves. */
void send_secret_path(const struct send_work *w, struct str name, struct buf *out);
