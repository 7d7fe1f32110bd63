/*
 * alerts/alerts_ask.h - what the last filter of a rule keeps back.
 * One job: a rule's last windows asked of the store without the filters at its end, for weir why-not.
 * Floor: 4 (uses query, store, logsql, base).
 *
 *   request: wish --step, without the lock--> windows --asked again--> answer, once
 *
 * The thread that answers requests must not wait for the store, so the stepping thread asks, when its step is done; evaluations
 * come later by ALERTS_ASK_TOOK_MS at most, and are made up.
 */
#pragma once

#include "alerts/label.h"
#include "base/wall.h"

struct alerts;

enum {
	ALERTS_ASK_WINDOWS = 5,
	ALERTS_ASK_ROWS = 20,       /* shown of one rule */
	ALERTS_ASK_RULES = 8,       /* of the same name */
	ALERTS_ASK_HINTS = 8,       /* lines about fields that are not there */
	ALERTS_ASK_VALUE_MAX = 200, /* bytes of one text */
	ALERTS_ASK_TOOK_MS = 2000,  /* all of it */
	ALERTS_ASK_KEEP_MS = 10000,
	ALERTS_ASK_MEMORY_MAX = 64 << 20, /* of each query */
};

struct ask_row {
	struct labels labels, values;
	double value;
	bool holds;
};

/* Rows as the store has them now; those closest to the condition. */
struct ask_window {
	struct wall at;
	struct ask_row rows[ALERTS_ASK_ROWS];
	size_t n_rows;
	uint64_t n_all, n_lines; /* rows there were; lines that matched the filter */
};

struct ask_rule {
	uint64_t id;
	struct str filter, needs;   /* of lines; of rows, empty: all hold */
	struct ask_window *windows; /* the newest first */
	size_t n_windows;
	struct str hints[ALERTS_ASK_HINTS];
	size_t n_hints;
	struct wall hints_since;
	struct str cut; /* what was left out and why; empty: nothing */
};

/*
 * Under the lock of struct alerts.  Invariant: rules and their texts are arena's, and are those of name when done.
 */
struct alerts_ask {
	struct buf name;
	bool wanted, done;
	struct span done_at; /* by mono_now; who does not come for it in time gets another one */
	struct ask_rule *rules;
	size_t n_rules;
	struct arena arena;
};

/** alerts_ask_ready(a, name): true: the windows are there, until alerts_ask_drop; else they are wished for. */
bool alerts_ask_ready(struct alerts *a, struct str name);
void alerts_ask_drop(struct alerts *a);
/** alerts_ask_step(a): ask for what is wished; by the stepping thread, without the lock. */
int alerts_ask_step(struct alerts *a);
/** alerts_ask_of(a, rule_id): NULL: none. */
const struct ask_rule *alerts_ask_of(const struct alerts *a, uint64_t rule_id);

/* alerts_ask_text.c */
void alerts_ask_text(const struct alerts *a, uint64_t rule_id, struct buf *out);
/** alerts_ask_json(a, rule_id, out): members of an object, with a comma before them. */
void alerts_ask_json(const struct alerts *a, uint64_t rule_id, struct buf *out);
