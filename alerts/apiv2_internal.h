/*
 * alerts/apiv2_internal.h - inside the API.
 * One job: what its paths share: filters in, JSON out.
 * Floor: 4 (uses base).
 */
#pragma once

#include <jansson.h>

#include "alerts/apiv2.h"
#include "alerts/dispatch_internal.h"

enum { APIV2_FILTERS_MAX = 100, APIV2_ALERTS_MAX = 200000 };

/* One request on its way. */
struct apiv2_call {
	struct apiv2 *api;
	const struct api_request *req;
	struct wall now;
	struct api_answer *ret;
	struct arena arena;
	struct str id; /* what stands behind the path */
};

/* apiv2.c */
/** apiv2_fail(c, status, fmt, …): the answer is a JSON string. */
void apiv2_fail(struct apiv2_call *c, unsigned status, const char *fmt, ...) PRINTF_LIKE(3, 4);
/** apiv2_filters(c, ret, ret_n): all parameters "filter"; false: it was answered. */
bool apiv2_filters(struct apiv2_call *c, struct matcher **ret, size_t *ret_n);
/** apiv2_flag(c, name): a parameter that is true unless it says false. */
bool apiv2_flag(const struct apiv2_call *c, const char *name);
/** apiv2_time(out, t): as strfmt writes it: UTC, milliseconds. */
void apiv2_time(struct buf *out, struct wall t);
/** apiv2_read_time(v, ret): a JSON time; absent, null and year 1 are 0; false: it is none. */
bool apiv2_read_time(const json_t *v, struct wall *ret);
/** apiv2_text(v): a JSON string's bytes, borrowed; empty when it is none. */
struct str apiv2_text(const json_t *v);

/* silence_read.c */
/** silence_read_matchers(list, arena, s): why they are refused; NULL: they are not.  They are compiled when the silence is made. */
const char *silence_read_matchers(const json_t *list, struct arena *arena, struct silence *s);

/* apiv2_alerts.c */
void apiv2_get_alerts(struct apiv2_call *c);
void apiv2_get_groups(struct apiv2_call *c);

/* apiv2_post.c */
void apiv2_post_alerts(struct apiv2_call *c);

/* apiv2_silences.c */
void apiv2_get_silences(struct apiv2_call *c);
void apiv2_post_silences(struct apiv2_call *c);
void apiv2_get_silence(struct apiv2_call *c);
void apiv2_delete_silence(struct apiv2_call *c);
