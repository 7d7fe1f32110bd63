/*
 * alerts/rulecase.h - cases for rules.
 * One job: a file of cases (lines in; alerts, mails and webhooks out) as structs, or every mistake in it with its place.
 * Floor: 4 (uses doc, base).
 *
 *   rule_files: [../shop.yaml]           beside this file
 *   evaluation_interval: 1m              of groups that say none
 *   alertmanager: ../alertmanager.yml    else nothing is routed
 *   tests:
 *   - name: five errors in five minutes
 *     start: 2026-01-01T00:00:00Z        what 0s stands for
 *     parser: auto                       of all inputs; each may have its own, and stream and fields
 *     stream: {unit: shop.service}       labels of the stream, and fields
 *     input:
 *     - {at: 10s, lines: ['{"level":"error","msg":"no"}'], repeat: 5, every: 1m}
 *     alerts:
 *     - {at: 5m, alertname: Errors, exp_alerts: [{labels: {unit: shop.service}, annotations: {summary: …}, state: firing}]}
 *     mail:
 *     - {at: 6m, to: ops@example.com, subject_contains: Errors, text_contains: [no], count: 1}
 *     webhook:
 *     - {at: 6m, receiver: hook, body_contains: ['"status":"firing"']}
 *
 * In lines ${time} is the time as RFC 3339, ${clf} as web servers write it, ${n} the number of the repetition from 1.
 */
#pragma once

#include "alerts/label.h"
#include "base/wall.h"

struct case_input {
	struct span at, every;
	uint64_t repeat; /* 1 when not said */
	struct str *lines;
	size_t n_lines; /* 0: one row of fields alone */
	struct str parser;
	struct label *stream, *fields;
	size_t n_stream, n_fields;
	unsigned line;
};

/* One alert that is expected. */
struct case_alert {
	struct label *labels, *annotations;
	size_t n_labels, n_annotations;
	bool has_annotations;
	bool pending; /* else firing */
};

struct case_alerts {
	struct span at;
	struct str alertname;
	struct case_alert *exp;
	size_t n_exp;
	unsigned line;
};

/* A mail or a call of a webhook that is expected, up to ${at}. */
struct case_message {
	struct span at;
	bool webhook;
	struct str receiver, to;
	struct str *subject; /* each is in it */
	size_t n_subject;
	struct str *text; /* of a mail, or the body of a webhook */
	size_t n_text;
	bool has_count;
	uint64_t count; /* exactly so many; else one or more */
	unsigned line;
};

struct case_test {
	struct str name;
	struct wall start;
	struct case_input all; /* parser, stream, fields of all inputs */
	struct case_input *inputs;
	struct case_alerts *alerts;
	struct case_message *mails, *webhooks;
	size_t n_inputs, n_alerts, n_mails, n_webhooks;
	unsigned line;
};

struct case_file {
	struct str name;
	struct str *rule_files;
	size_t n_rule_files;
	struct str alertmanager;
	struct span evaluation_interval;
	struct case_test *tests;
	size_t n_tests;
	struct arena arena;
};

enum { CASE_E_BAD = 1, CASE_ROWS_MAX = 1000000 };

/** case_load(path, ret, ret_errors): CASE_E_BAD: a line "file:line:column: …" for each mistake; -errno. */
int case_load(const char *path, struct case_file **ret, struct buf *ret_errors);
int case_parse(const char *name, struct str text, struct case_file **ret, struct buf *ret_errors);
struct case_file *case_free(struct case_file *c);
DEFINE_AUTO(struct case_file *, case_free)
