/*
 * alerts/message_internal.h - inside messages.
 * One job: what the message*.c files share.
 * Floor: 4 (uses base).
 */
#pragma once

#include <jansson.h>

#include "alerts/message.h"

/** message_load(stored, ret): MESSAGE_E_BAD: it is no stored message. */
int message_load(struct str stored, json_t **ret);

static inline json_t *
message_unref(json_t *j)
{
	json_decref(j);
	return NULL;
}
DEFINE_AUTO(json_t *, message_unref)

/** message_str(o, key): a text of an object, or empty.  message_int(o, key): a number, or 0. */
struct str message_str(const json_t *o, const char *key);
int64_t message_int(const json_t *o, const char *key);

/** message_clean(s, out): append ${s} as valid UTF-8; bytes that are none, and zero bytes, become U+FFFD. */
void message_clean(struct str s, struct buf *out);

/** message_line(s, max, out): the same in one line: controls are blanks, at most ${max} bytes, "…" where it was cut. */
void message_line(struct str s, size_t max, struct buf *out);

/*
 * A mail's two bodies, written side by side.
 */
struct message_doc {
	struct buf *text, *html;
	int zone_s;
};
void doc_begin(struct message_doc *d, struct str title, bool firing);
void doc_end(struct message_doc *d);
/** doc_heading(d, text), doc_para(d, text): on lines of their own. */
void doc_heading(struct message_doc *d, struct str text);
void doc_para(struct message_doc *d, struct str text);
/** doc_pair(d, name, value): name and value; values line up. */
void doc_pair(struct message_doc *d, const char *name, struct str value);
/** doc_pre(d, lines): lines as they are, in a fixed font. */
void doc_pre(struct message_doc *d, struct str lines);
/** doc_time(d, t, out): 2006-01-02 15:04:05 +02:00. */
void doc_time(const struct message_doc *d, struct wall t, struct buf *out);
void doc_clock(const struct message_doc *d, struct wall t, struct buf *out);

/** message_evidence(d, ev): the evidence of one alert as sections. */
void message_evidence(struct message_doc *d, const json_t *ev);
