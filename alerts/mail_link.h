/*
 * alerts/mail_link.h - the connection to a smarthost.
 * One job: connect, TLS, bytes; each wait with its end.
 * Floor: 4 (uses base).
 */
#pragma once

#include <openssl/ssl.h>

#include "alerts/mail.h"

/*
 * Invariant: ssl is NULL until TLS is made and the certificate is found good; from then on nothing goes beside it.
 */
struct mail_link {
	const struct send_work *work;
	struct str host; /* as configured, without port or brackets */
	struct str port;
	bool implicit; /* TLS from the first byte: port 465 */
	int fd;
	SSL_CTX *ctx;
	SSL *ssl;
	struct buf *why; /* borrowed: what went wrong, for people */
};

/** mail_link_init(l, w, why): read the smarthost; false: it is none, ${why} says so. */
bool mail_link_init(struct mail_link *l, const struct send_work *w, struct buf *why);
void mail_link_fini(struct mail_link *l);

/* Each: false when it failed, ${why} has the reason. */
bool mail_link_connect(struct mail_link *l);
bool mail_link_tls(struct mail_link *l);
bool mail_link_write(struct mail_link *l, const void *p, size_t n, struct span until);

/** mail_link_read(l, p, n): what is there now: > 0 bytes, 0: nothing yet, -1: its end (${why} untouched). */
int mail_link_read(struct mail_link *l, void *p, size_t n);
/** mail_link_wait(l, until): until something can be read; false: the time is up. */
bool mail_link_wait(struct mail_link *l, struct span until);

/** mail_hello_name(job): what EHLO says: as configured where it can be said, else localhost. */
struct str mail_hello_name(const struct send_job *job);
/** mail_hello(l, ret_greeting): greeting, EHLO, STARTTLS where the job wants it; ${ret_greeting} gets the greeting for libesmtp. */
bool mail_hello(struct mail_link *l, struct buf *ret_greeting);

/* How the dialogue stands, as the relay has seen it. */
struct mail_talk {
	uint8_t waits[128]; /* commands whose replies are due, a ring */
	unsigned first, n;
	bool in_data; /* the message goes out */
	bool want_auth, authed, auth_more;
	bool ended;          /* the final dot is out */
	int final;           /* reply to it; 0: none */
	size_t n_said;       /* bytes that the server said */
	size_t matched;      /* of CR LF . CR LF */
	struct buf up, down; /* lines that are not whole yet */
	struct buf reply;    /* the last refusal, with its command */
	int refused;         /* its code */
	int refused_at;      /* its command: enum talk_command */
	bool cut;            /* by us: ${why} says so */
	bool data_began;
};
enum talk_command {
	TALK_OTHER,
	TALK_EHLO,
	TALK_AUTH,
	TALK_MAIL,
	TALK_RCPT,
	TALK_DATA,
	TALK_DOT,
	TALK_QUIT
};
void mail_talk_fini(struct mail_talk *t);
/** mail_talk_up(t, s, why): bytes to the server; false: they must not go.  mail_talk_down: bytes from it. */
bool mail_talk_up(struct mail_talk *t, struct str s, struct buf *why);
bool mail_talk_down(struct mail_talk *t, struct str s, struct buf *why);
/** mail_talk_phase(t): what it is at, for people. */
const char *mail_talk_phase(const struct mail_talk *t);

/** mail_relay_listen(ret_port): a descriptor on loopback, or -errno. */
int mail_relay_listen(unsigned *ret_port);
/**
 * mail_relay(l, t, greeting, listener):
 * Between the link and the one connection to ${listener} that is of this process, until either ends or a time is up.
 */
void mail_relay(struct mail_link *l, struct mail_talk *t, struct str greeting, int listener);
