/*
 * alerts/rule_internal.h - shared by rule*.c.
 * One job: one reading of rule files: where it stands, and what it has to say.
 * Floor: 4 (uses doc, logsql, base).
 */
#pragma once

#include "alerts/rule.h"
#include "doc/walk.h"

enum {
	RULE_FILE_MAX = 4 << 20,      /* bytes */
	RULES_MAX = 20000,            /* of all files together */
	RULES_MEMORY_MAX = 256 << 20, /* aliases make much of a small file */
	RULE_TEXTS_MAX = 64,          /* labels of a rule, and annotations */
};

/* Invariant: walk is the first member, so that a callback of the walk finds the rest. */
struct rule_reader {
	struct walk walk;
	struct str text; /* of the file */
	struct rule_set *set;
	struct buf *notes;
	int zone_s;
	struct span interval; /* of groups that say none */
	size_t n_rules;
	struct str file;
	/* The group that is read, and the first of its rules. */
	struct rule_group *group;
	const struct rule *first;
	yaml_node_t *group_rules, *group_labels;
};

/** rule_read(w, node, item): one rule of a group; a callback of walk_list. */
void rule_read(struct walk *w, yaml_node_t *node, void *item);

/**
 * rule_expr_parse(r, window, interval, zone_s, arena, ret_error):
 * r->expr into query, window, stream, n_row, why_not_stream.
 *
 * Shapes: ${window}: what the rule says, 0 when nothing.
 * Errors: LOGSQL_E_SYNTAX (${ret_error}), -ENOMEM.
 */
int rule_expr_parse(struct rule *r, struct span window, struct span interval, int zone_s,
    struct arena *arena, struct logsql_error *ret_error);

/** rule_bad_at(rd, node, at, fmt, …): a mistake at offset ${at} of a scalar's text, with its place in the file. */
void rule_bad_at(struct rule_reader *rd, const yaml_node_t *node, size_t at, const char *fmt, ...)
    PRINTF_LIKE(4, 5);

/** rule_note(rd, node, fmt, …): what is accepted and has no effect here. */
void rule_note(struct rule_reader *rd, const yaml_node_t *node, const char *fmt, ...)
    PRINTF_LIKE(3, 4);

/** rule_node_empty(node): "labels:" with nothing behind it. */
bool rule_node_empty(const yaml_node_t *node);

/** rule_span(w, node, ret): a duration of 0 or more; 0 and 0s are none. */
bool rule_span(struct walk *w, yaml_node_t *node, struct span *ret);

/** rule_count(w, node, ret): a whole number of 0 or more. */
bool rule_count(struct walk *w, yaml_node_t *node, uint64_t *ret);

/** rule_number(w, node, ret): a number above 0. */
bool rule_number(struct walk *w, yaml_node_t *node, double *ret);

/** rule_filter(rd, node, key, ret, ret_text): a LogsQL filter in a scalar. */
void rule_filter(struct rule_reader *rd, yaml_node_t *node, const char *key, struct filter **ret,
    struct str *ret_text);
