/*
 * tests/fuzz/parse_fuzz.h - any bytes through a parser.
 * One job: feed lines, save and load in between, and hold every record to what record.h promises.
 */
#pragma once

#include "parsers/parser.h"

#define FUZZ_MUST(cond)                   \
	do {                              \
		if (!(cond))              \
			__builtin_trap(); \
	} while (0)

static inline void
fuzz_check_record(const struct record *rec)
{
	size_t i, k;

	for (i = 0; i < rec->n_fields; i++) {
		FUZZ_MUST(rec->fields[i].name.n != 0);
		FUZZ_MUST(!str_eq(rec->fields[i].name, STR("_time")));
		FUZZ_MUST(!str_eq(rec->fields[i].name, STR("_stream")));
		FUZZ_MUST(!str_eq(rec->fields[i].name, STR("weir")));
		for (k = 0; k < i && rec->n_fields < 200; k++)
			FUZZ_MUST(!str_eq(rec->fields[i].name, rec->fields[k].name));
	}
}

static inline void
fuzz_check_batch(struct record_batch *b)
{
	size_t i;

	for (i = 0; i < b->n; i++)
		fuzz_check_record(&b->recs[i]);
	record_batch_clear(b);
}

/* A new parser in the state of the old one. */
static inline struct parser *
fuzz_reload(struct parser *p, const struct parser_options *opt)
{
	struct parser *next = NULL;
	struct buf state = BUF_INIT;

	FUZZ_MUST(parser_save(p, &state) == 0);
	FUZZ_MUST(parser_new(&next, opt, NULL) == 0);
	FUZZ_MUST(parser_load(next, buf_view(&state)) == 0);
	FUZZ_MUST(parser_pending(next) == parser_pending(p));
	buf_fini(&state);
	(void)parser_free(p);
	return next;
}

static inline void
fuzz_lines(const struct parser_options *opt, struct str s)
{
	struct record_batch b = RECORD_BATCH_INIT;
	struct parser *p = NULL;
	struct wall now = { INT64_C(1795219200000000000) };
	size_t at = 0, n, lines = 0;

	if (parser_new(&p, opt, NULL) != 0)
		return;
	for (; at < s.n; at += n + 1, lines++) {
		n = str_find_byte(str_sub(s, at, s.n), '\n');
		if (n == SIZE_MAX)
			n = s.n - at;
		FUZZ_MUST(parser_line(p, str_of(s.p + at, n), now, &b) == 0);
		fuzz_check_batch(&b);
		now.ns += NS_PER_S;
		if (lines % 7 == 3)
			p = fuzz_reload(p, opt);
		if (lines % 5 == 4)
			FUZZ_MUST(parser_flush(p, now, false, &b) == 0);
	}
	FUZZ_MUST(parser_flush(p, now, true, &b) == 0);
	FUZZ_MUST(!parser_pending(p));
	fuzz_check_batch(&b);
	record_batch_fini(&b);
	(void)parser_free(p);
}
