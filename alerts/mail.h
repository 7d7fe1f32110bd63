/*
 * alerts/mail.h - mail.
 * One job: a job's message as RFC 5322 text, and to its smarthost by SMTP.
 * Floor: 4 (uses base).
 *
 *   libesmtp <--loopback--> relay <--TCP, TLS--> smarthost
 *
 * libesmtp speaks SMTP; it never holds the connection.  Measured of 1.1.0: its connect blocks for minutes, its timeouts cannot be
 * kept short, CR LF in headers goes through, a failed AUTH goes on in the clear and "250 ok" is said when every recipient got
 * 450.  So the relay connects, makes TLS and checks the certificate, keeps every deadline, follows the dialogue, and cuts
 * it when a password was asked for and none was taken; the message and its headers are all ours.
 */
#pragma once

#include "alerts/sender_proto.h"

enum {
	MAIL_MAX =
	    1 << 20, /* bytes of a message; beyond it the HTML part goes, then the text is cut */
	MAIL_REPLIES_MAX = 256 << 10, /* bytes that a server may say in one session */
	MAIL_DNS_MS = 20000,
	MAIL_CONNECT_MS = 10000, /* one address */
	MAIL_TLS_MS = 20000,
	MAIL_GREETING_MS = 40000,
	MAIL_REPLY_MS = 40000,
	MAIL_DATA_MS = 60000, /* the message itself, and the answer to it */
};

/** mail_send(w, rep): never fails but in ${rep}. */
void mail_send(const struct send_work *w, struct send_report *rep);

/** mail_address(s, ret_name, ret_addr): "a@b" or "Name <a@b>"; false: no address that SMTP can take (or bytes that it must not see). */
bool mail_address(struct str s, struct str *ret_name, struct str *ret_addr);
/** mail_header(out, name, value): one header, encoded by RFC 2047 where it must be and folded, whatever ${value} holds. */
void mail_header(struct buf *out, const char *name, struct str value);
/** mail_quoted(out, text): quoted-printable, lines of 76 at most, CR LF. */
void mail_quoted(struct buf *out, struct str text);
/** mail_compose(job, out): the whole message. */
void mail_compose(const struct send_job *job, struct buf *out);
