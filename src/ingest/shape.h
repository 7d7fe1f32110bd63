/*
 * ingest/shape.h - what a source does to its records.
 * One job: drop, redact, add fields and build the stream, the same way for journal, files and push.
 * Floor: 3 (uses logsql, record, base).
 *
 * The order is: facts and static fields are added where the line has no such field, the drop filter sees
 * the true values, what stays is redacted, and the stream is built last, so that no secret gets into a label.
 */
#pragma once

#include "base/buf.h"
#include "record/record.h"
#include "record/stream.h"

struct shape;

/* Every match of the PCRE2 pattern becomes ${with} ($1, ${1}, ${name}, $$ for a dollar). */
struct shape_redaction {
	struct str pattern;
	struct str with;
};

enum {
	SHAPE_LABELS_MAX = 16,     /* labels and facts; more is SHAPE_E_OPTION */
	SHAPE_REDACTIONS_MAX = 64, /* patterns; more is SHAPE_E_OPTION */
	SHAPE_MATCH_LIMIT = 100000 /* of PCRE2; beyond it the whole value is masked */
};

/* All of it is copied by shape_new. */
struct shape_options {
	const struct label
	    *stream; /* an empty value: the label takes the value of the field of that name */
	size_t n_stream;
	const struct field *fields; /* static fields; a line's own field of that name wins */
	size_t n_fields;
	struct str
	    drop; /* a LogsQL filter; rows that match are dropped and counted.  Empty: none */
	const struct shape_redaction *redactions;
	size_t n_redactions;
};

enum { SHAPE_E_OPTION = 1 };

/**
 * shape_new(ret, opt, ret_error):
 * What a source's options do to its records; ${opt} may be NULL (nothing but facts).
 *
 * Errors: SHAPE_E_OPTION (bad filter or pattern, too many: ${ret_error} gets one line of text), -ENOMEM.
 */
int shape_new(struct shape **ret, const struct shape_options *opt, struct buf *ret_error);
struct shape *shape_free(struct shape *s);
DEFINE_AUTO(struct shape *, shape_free)

/*
 * What the source itself knows, such as host and file: labels of the stream, and (as_fields) fields of the row
 * where the line has none of that name.  Borrowed; must live as long as the records.
 */
struct shape_facts {
	const struct label *labels;
	size_t n_labels;
	bool as_fields;
};

/**
 * shape_records(s, recs, n, facts, arena):
 * Shape the records in place, before they go to the sink; ${n} shrinks by those that are dropped.  New fields and
 * values live in ${arena}.  A field or label named "weir" from outside is renamed "weir_".  A record that
 * was redacted loses its original line.
 *
 * Shapes: recs[*n]; facts may be NULL.
 * Errors: -ENOMEM only; the records may then be half shaped: forget them and parse again.
 */
int shape_records(struct shape *s, struct record *recs, size_t *n, const struct shape_facts *facts,
    struct arena *arena);

struct shape_counts {
	uint64_t n_dropped;  /* records */
	uint64_t n_redacted; /* values in which a pattern matched */
	uint64_t n_masked;   /* values masked whole, because a pattern gave up */
};
struct shape_counts shape_counts(const struct shape *s);
