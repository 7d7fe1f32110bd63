/*
 * alerts/silence.h - silences.
 * One job: keep silences and say which of them hold an alert.
 * Floor: 4 (uses logsql, base).
 *
 * Alertmanager's matchers, or (ours) a LogsQL filter over the alert's labels and annotations.
 */
#pragma once

#include "alerts/route.h"
#include "alerts/statedb.h"

enum { SILENCES_MAX = 10000, SILENCE_TEXT_MAX = 16 << 10 };

struct silence {
	struct str id; /* UUID */
	struct matcher *matchers;
	size_t n_matchers;
	struct filter *query; /* LogsQL; NULL: matchers */
	struct str query_text;
	struct wall starts_at, ends_at, updated_at;
	struct str created_by, comment;
};

struct silences;
int silences_new(struct silences **ret, struct statedb *db);
struct silences *silences_free(struct silences *s);
DEFINE_AUTO(struct silences *, silences_free)

enum { SILENCE_E_BAD = 1, SILENCE_E_FULL = 2, SILENCE_E_NONE = 3 };
/** silence_set(s, in, now, ret_id, ret_why): add, or replace the one of in->id as Alertmanager does. */
int silence_set(struct silences *s, const struct silence *in, struct wall now, struct str *ret_id,
    struct buf *ret_why);
int silence_expire(struct silences *s, struct str id, struct wall now);
/** silences_match(s, labels, annotations, now, ret_ids, arena): IDs of those that hold it now. */
size_t silences_match(struct silences *s, const struct labels *l, const struct labels *annotations,
    struct wall now, struct arena *arena, struct str **ret_ids);
typedef int (*silence_fn)(void *ctx, const struct silence *s);
int silences_each(struct silences *s, silence_fn fn, void *ctx);
/** silences_save(s): what changed, into the open transaction; those expired for 5 days go. */
int silences_save(struct silences *s, struct wall now);
