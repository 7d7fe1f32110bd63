/*
 * alerts/lint.h - what is doubtful in a rule.
 * One job: say what is allowed and yet probably not meant; from the rule alone, and from what a store has held.
 * Floor: 4 (uses query, store, logsql, record, base).
 */
#pragma once

#include <stdatomic.h>

#include "alerts/rule.h"

enum {
	LINT_VALUES_MAX = 1000,    /* values of one label; more are too many alerts */
	LINT_READ_MAX = 256 << 20, /* bytes that one evaluation may read of the store */
	LINT_FIRES_A_DAY_MAX = 20,
};

/* A finding is one line of text. */
typedef int (
    *lint_fn)(void *ctx, const struct rule_group *g, const struct rule *r, struct str text);

/** lint_rule(g, r, fn, ctx): what the rule alone tells. */
int lint_rule(const struct rule_group *g, const struct rule *r, lint_fn fn, void *ctx);

struct store_view;
struct lint_store;

/** lint_store_new(ret, view, since, until, zone_s, cancel): ${view} is borrowed; ${cancel} is of whoever cannot wait, whose queries have
 * less memory; may be NULL. */
int lint_store_new(struct lint_store **ret, struct store_view *view, struct wall since,
    struct wall until, int zone_s, atomic_bool *cancel);
struct lint_store *lint_store_free(struct lint_store *s);
DEFINE_AUTO(struct lint_store *, lint_store_free)

/** lint_store_rule(s, g, r, fn, ctx): fields that were never there, filters that never matched, labels with too many values,
 * evaluations that read too much. */
int lint_store_rule(struct lint_store *s, const struct rule_group *g, const struct rule *r,
    lint_fn fn, void *ctx);
/** lint_store_fields(s, g, r, fn, ctx): of these only fields that were never there. */
int lint_store_fields(struct lint_store *s, const struct rule_group *g, const struct rule *r,
    lint_fn fn, void *ctx);
