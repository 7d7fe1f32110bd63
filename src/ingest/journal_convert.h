/*
 * ingest/journal_convert.h - from journal entry to record.
 * One job: parse MESSAGE, and keep all that the journal knows beside it.
 * Floor: 3 (uses parsers, record, base).
 */
#pragma once

#include "base/map.h"
#include "ingest/journal.h"
#include "ingest/journal_names.h"
#include "ingest/journal_proto.h"

/* Lines that journald says it dropped; told after the entries are put. */
struct journal_dropped {
	struct str text; /* in the batch's arena */
	uint64_t n;
};

/* What a line says of itself by its fields' names. */
struct line_facts {
	bool host, unit, level;
	bool upper;   /* it has a name that may be a journal field's */
	bool renamed; /* it has the name that is ours */
};

enum { JOURNAL_DROPPED_MAX = 64, JOURNAL_FIELDS_MAX = 4096, JOURNAL_PREFIXES_MAX = 64 };

struct journal_convert {
	struct parser *parser;
	struct shape *shape; /* NULL: none of its options is set */
	struct map exclude;
	struct str exclude_prefixes[JOURNAL_PREFIXES_MAX]; /* in exclude_texts */
	size_t n_prefixes;
	struct arena exclude_texts;
	struct journal_names names;
	struct {
		uint64_t layout; /* 0: none */
		struct line_facts facts;
	} lines[JOURNAL_LAYOUTS]; /* of layouts met lately */
	struct map streams;       /* host NUL unit -> offset in stream_texts */
	struct arena stream_texts;
	struct str *stream_list;
	size_t n_streams;
	struct journal_dropped dropped[JOURNAL_DROPPED_MAX];
	size_t n_dropped;
};

/** journal_convert_init(cv, opt, ret_error): Errors: JOURNAL_E_OPTION; -ENOMEM. */
int journal_convert_init(struct journal_convert *cv, const struct journal_source_options *opt,
    struct buf *ret_error);
void journal_convert_fini(struct journal_convert *cv);

/**
 * journal_convert_batch(cv, b, out):
 * All entries of ${b} as records in ${out}, which borrow from b's frame, from ${cv} (until the next call) and from
 * out->arena.
 *
 * Errors: JOURNAL_PROTO_E_FORMAT; -ENOMEM.
 */
int journal_convert_batch(struct journal_convert *cv, struct journal_proto_batch *b,
    struct record_batch *out);
