/*
 * alerts/message.h - what a notification says.
 * One job: a notification and its evidence as mail (subject, text, HTML) and as webhook JSON.
 * Floor: 4 (uses base).  Pure; every byte of a log is encoded for where it goes.
 *
 * The stored form (message_pack) is JSON and holds everything, so that a message can be made again when two that wait become
 * one.
 */
#pragma once

#include "alerts/evidence.h"

enum { MESSAGE_SUBJECT_MAX = 160, MESSAGE_TEXT_MAX = 128 << 10, MESSAGE_STORED_MAX = 1 << 20 };
enum { MESSAGE_E_BAD = 1 };

/** message_pack(n, evidence, n_evidence, host, out): evidence[i] belongs to alert i; there may be fewer. */
int message_pack(const struct notification *n, const struct evidence *ev, size_t n_ev,
    const char *host, struct buf *out);

/** message_join(older, newer, out): two stored ones of one group that both wait, as one: what fired and is resolved is said so. */
int message_join(struct str older, struct str newer, struct buf *out);

/* Made from a stored one.  Subject: one line of UTF-8 without control bytes; text and html: UTF-8 with LF. */
struct message_mail {
	struct buf subject, text, html;
};
int message_mail(struct str stored, struct message_mail *ret);
void message_mail_fini(struct message_mail *m);

/** message_webhook(stored, out): Alertmanager's version 4 JSON plus "evidence". */
int message_webhook(struct str stored, struct buf *out);
