/*
 * alerts/matcher.h - matchers of labels.
 * One job: Alertmanager's a="b", a!="b", a=~"b", a!~"b" from text, on labels, and back.
 * Floor: 4 (uses logsql, base).
 *
 * Regular expressions are compiled with what matching needs, so that a matcher is for one thread at a time.
 */
#pragma once

#include "alerts/label.h"

/* In the order by which Alertmanager sorts them. */
enum matcher_op { MATCH_EQUAL, MATCH_NOT_EQUAL, MATCH_REGEX, MATCH_NOT_REGEX };
struct matcher {
	enum matcher_op op;
	struct str name, value;
	void *regex; /* compiled, anchored; the arena's */
};

enum { MATCHER_E_BAD = 1 };

/**
 * matcher_make(op, name, value, arena, ret, ret_why):
 * All texts are copied into ${arena}, which a regular expression goes with.
 *
 * Errors: MATCHER_E_BAD (${ret_why} says it), -ENOMEM.
 */
int matcher_make(enum matcher_op op, struct str name, struct str value, struct arena *arena,
    struct matcher *ret, struct buf *ret_why);

/** matcher_parse(text, arena, ret, ret_why): one, as Alertmanager 0.25 reads it: quotes are optional. */
int matcher_parse(struct str text, struct arena *arena, struct matcher *ret, struct buf *ret_why);

/** matchers_parse(text, arena, ret, ret_n, ret_why): several with commas between, with or without braces. */
int matchers_parse(struct str text, struct arena *arena, struct matcher **ret, size_t *ret_n,
    struct buf *ret_why);

/** matcher_matches(m, value): one on its label's value. */
bool matcher_matches(const struct matcher *m, struct str value);

/** matchers_match(m, n, labels): all of them; a missing label is empty. */
bool matchers_match(const struct matcher *m, size_t n, const struct labels *l);

/** matchers_filter(m, n, labels): as the API's filters do: what is compared with nothing tells whether the label is there. */
bool matchers_filter(const struct matcher *m, size_t n, const struct labels *l);

/** matchers_sort(m, n): by name, value, op.  matchers_equal: the same ones in the same order. */
void matchers_sort(struct matcher *m, size_t n);
bool matchers_equal(const struct matcher *a, size_t n_a, const struct matcher *b, size_t n_b);

/** matchers_format(out, m, n): {a="b",c=~"d"}, as in group keys. */
void matchers_format(struct buf *out, const struct matcher *m, size_t n);

/** label_name_valid(name): letters, digits, _ and not a digit first; what Prometheus calls a label. */
bool label_name_valid(struct str name);
