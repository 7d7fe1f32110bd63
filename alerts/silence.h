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

enum {
	SILENCES_MAX = 10000,
	SILENCE_TEXT_MAX = 16 << 10, /* bytes of all texts of one */
	SILENCE_MATCHERS_MAX = 100,
	SILENCE_KEEP_DAYS = 5, /* an expired one is shown for so long */
};

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
/**
 * silence_set(s, in, now, ret_id, ret_why):
 * Add, or replace the one of in->id as Alertmanager does: where that would change what was silenced in the past, the old
 * one expires and a new one is made.  Matchers and query are made again from their texts.
 *
 * Errors: SILENCE_E_BAD, SILENCE_E_FULL, SILENCE_E_NONE (no such id), each with ${ret_why}.
 */
int silence_set(struct silences *s, const struct silence *in, struct wall now, struct str *ret_id,
    struct buf *ret_why);
/**
 * silences_read(s, json, now, ret_n, ret_why):
 * Add those of a list as GET /api/v2/silences shows it, as they are, whether they have begun or are over.
 *
 * Errors: SILENCE_E_BAD with ${ret_why}.
 */
int silences_read(struct silences *s, struct str json, struct wall now, size_t *ret_n,
    struct buf *ret_why);
/** silence_expire(s, id, now): SILENCE_E_NONE: no such id; SILENCE_E_BAD: it has expired already. */
int silence_expire(struct silences *s, struct str id, struct wall now);
/** silences_match(s, labels, annotations, now, ret_ids, arena): IDs of those that hold it now. */
size_t silences_match(struct silences *s, const struct labels *l, const struct labels *annotations,
    struct wall now, struct arena *arena, struct str **ret_ids);
/** silences_version(s): another one after each change; never 0.  silences_may(s, …): one holds it, or will, or expires only later. */
uint64_t silences_version(const struct silences *s);
bool silences_may(struct silences *s, const struct labels *l, const struct labels *annotations,
    struct wall now);
/** silence_get(s, id): NULL: none such; until the next call. */
const struct silence *silence_get(const struct silences *s, struct str id);
enum silence_state { SILENCE_PENDING, SILENCE_ACTIVE, SILENCE_EXPIRED };
enum silence_state silence_state(const struct silence *s, struct wall now);
typedef int (*silence_fn)(void *ctx, const struct silence *s);
int silences_each(struct silences *s, silence_fn fn, void *ctx);
/** silences_save(s): what changed, into the open transaction; those expired for 5 days go. */
int silences_save(struct silences *s, struct wall now);
