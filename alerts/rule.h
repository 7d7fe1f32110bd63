/*
 * alerts/rule.h - rules.
 * One job: rule files as structs, or every mistake in them with file:line:column.
 * Floor: 4 (uses logsql, base).
 *
 * A file is Prometheus' and vmalert's: groups: [{name, interval, limit, eval_offset, eval_delay, type: vlogs, labels, rules:
 * [{alert | record, expr, for, keep_firing_for, labels, annotations, debug (ignored)}]}].  Ours besides, in a rule:
 *
 *   window: 5m               the _time filter of expr where it names none; else group's interval
 *   resolve_when: 'errors:<3'   a filter over the result row: a firing alert goes on until it holds (or the row is gone)
 *   flap: {changes: 6, within: 1h}   so many changes in so long: one digest until it is quiet for as long
 *   absent: {label: [v, …]} or {label: learned}, for values that stop: expr counts by that label; learned: seen in `learn:` (7d)
 *   new_pattern: {since: 7d}     fires for each skeleton of _msg among rows of expr that was not seen in so long
 *   anomaly: {history: 28d, band: 5, min: 10}   outside median ± band × MAD of this hour of the week
 *   source: '{unit="x"}'     whose gaps make it unknown, when expr names no stream
 */
#pragma once

#include "alerts/gotmpl.h"
#include "alerts/label.h"
#include "base/wall.h"
#include "logsql/query.h"

enum rule_kind { RULE_ALERT, RULE_RECORD };
enum rule_form { RULE_THRESHOLD, RULE_ABSENT, RULE_NEW_PATTERN, RULE_ANOMALY };

/* A label or an annotation: text is a template, run for each alert. */
struct rule_text {
	struct str name;
	struct str text;
	struct gotmpl *tmpl; /* NULL: text is plain */
};

struct rule {
	enum rule_kind kind;
	enum rule_form form;
	struct str name;
	struct str expr;
	struct query
	    *query; /* expr, parsed; has no _time filter of its own when window is set below */
	struct span
	    window; /* (T - window, T]; 0: expr has a _time filter that no window can stand for */
	struct span for_, keep_firing_for;
	struct rule_text *labels, *annotations;
	size_t n_labels, n_annotations;
	struct filter *resolve_when; /* NULL: when the row is gone */
	struct str resolve_text;
	unsigned flap_changes; /* 0: no flap detection */
	struct span flap_within;
	struct str absent_label;
	struct str *absent_values; /* none: learned */
	size_t n_absent_values;
	struct span learn;     /* absent: learned; new_pattern: since; anomaly: history */
	double band;           /* anomaly: so many MADs */
	unsigned band_min;     /* anomaly: so many past values at least */
	struct filter *source; /* over stream labels; NULL: from expr */
	/* Parts of expr: pipes [0, n_row) change single rows, then one stats, then the rest.  stream: such an expr. */
	bool stream;
	size_t n_row;
	struct str why_not_stream; /* for lint, when !stream */
	uint64_t id;   /* of file name, group, name, expr and labels: the same over restarts */
	unsigned line; /* in the file, 1-based */
};

struct rule_group {
	struct str name;
	struct str file;
	struct span interval, eval_offset, eval_delay; /* interval: 1m when not said */
	uint64_t limit;                                /* results of a rule; 0: none */
	struct rule *rules;
	size_t n_rules;
	uint64_t id;
};

struct rule_set {
	struct rule_group *groups;
	size_t n_groups;
	struct arena arena;
	struct str notes; /* a line for each key that is accepted and has no effect here */
};

enum { RULE_E_BAD = 1 };

/**
 * rules_load(globs, n, zone_s, ret, ret_errors):
 * All files that match.  Each mistake is a line "file:line:column: what, what was expected".
 *
 * Errors: RULE_E_BAD, -errno.
 */
int rules_load(const struct str *globs, size_t n, int zone_s, struct rule_set **ret,
    struct buf *ret_errors);
/** rules_load_by(globs, n, zone_s, interval, ret, ret_errors): the same with another interval of groups that say none. */
int rules_load_by(const struct str *globs, size_t n, int zone_s, struct span interval,
    struct rule_set **ret, struct buf *ret_errors);
/** rules_parse(name, text, zone_s, ret, ret_errors): the same for bytes in memory. */
int rules_parse(const char *name, struct str text, int zone_s, struct rule_set **ret,
    struct buf *ret_errors);
/**
 * rule_query_at(r, at, zone_s, arena, ret):
 * expr as of an instant, for asking the store: relative times in it count from ${at}, the window is a _time filter (at - window, at].
 */
int rule_query_at(const struct rule *r, struct wall at, int zone_s, struct arena *arena,
    struct query **ret);

struct rule_set *rules_free(struct rule_set *s);
DEFINE_AUTO(struct rule_set *, rules_free)
