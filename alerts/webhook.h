/*
 * alerts/webhook.h - webhooks.
 * One job: POST a job's body and judge the answer.
 * Floor: 4 (uses base).
 *
 * Measured of libcurl 7.88: CR LF in a header goes through, and chunked answers have no bound; both are ours to keep.
 */
#pragma once

#include "alerts/sender_proto.h"

enum {
	WEBHOOK_ANSWER_MAX = 64 << 10,  /* bytes of the answer's body */
	WEBHOOK_HEADERS_MAX = 64 << 10, /* and of its headers */
	WEBHOOK_TIMEOUT_MS = 30000,
	WEBHOOK_CONNECT_MS = 10000,
	WEBHOOK_URL_MAX = 4096,
	WEBHOOK_WHY_MAX = 300, /* bytes of the answer that an error shows */
};

/** webhook_send(w, rep): never fails but in ${rep}. */
void webhook_send(const struct send_work *w, struct send_report *rep);

/** webhook_retry_after(value, now): seconds, or an HTTP date; 0 when it says nothing that can be read. */
struct span webhook_retry_after(struct str value, struct wall now);
/** webhook_sign(key, body, out): "sha256=" and the HMAC in hex. */
bool webhook_sign(struct str key, struct str body, struct buf *out);
/** webhook_url_ok(url, why): http or https, a host, and no byte that is none of a URL. */
bool webhook_url_ok(struct str url, struct buf *why);
