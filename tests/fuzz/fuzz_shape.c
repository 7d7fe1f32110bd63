/*
 * tests/fuzz/fuzz_shape.c - any patterns, labels and filters on any lines.
 * One job: records keep what record.h promises when they were shaped, and nothing that was redacted keeps its line.
 *
 * Lines of the input: a pattern, its replacement, labels by commas, a drop filter; all others are lines of a log.
 */
#include "ingest/shape.h"
#include "parse_fuzz.h"

enum { PATTERN_MAX = 100, TEXT_MAX = 2000 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct str
next_line(struct str *s)
{
	size_t n = str_find_byte(*s, '\n');
	struct str line = str_sub(*s, 0, n != SIZE_MAX ? n : s->n);

	*s = str_sub(*s, line.n + 1, s->n);
	return line;
}

static size_t
get_labels(struct str s, struct label *labels)
{
	size_t n = 0, at;

	while (s.n != 0 && n < SHAPE_LABELS_MAX) {
		at = str_find_byte(s, ',');
		at = at != SIZE_MAX ? at : s.n;
		labels[n].name = str_sub(s, 0, at / 2);
		labels[n++].value = str_sub(s, at / 2, at);
		s = str_sub(s, at + 1, s.n);
	}
	return n;
}

static void
check_stream(const struct record *rec, struct arena *arena)
{
	struct label labels[STREAM_LABELS_MAX];
	size_t n = 0;

	FUZZ_MUST(rec->stream.n == 0 || stream_parse(rec->stream, arena, labels, &n) == 0);
}

static void
shape_lines(struct shape *shape, struct str text)
{
	static const struct label facts[] = { { STR_INIT("host"), STR_INIT("h") },
		{ STR_INIT("file"), STR_INIT("/var/log/x") } };
	struct parser_options opt = { .zone_set = true, .keep_line = true };
	struct shape_facts f = { facts, 2, true };
	struct record_batch b = RECORD_BATCH_INIT;
	struct parser *p = NULL;
	size_t n, i;

	FUZZ_MUST(parser_new(&p, &opt, NULL) == 0);
	while (text.n != 0)
		FUZZ_MUST(parser_line(p, next_line(&text), (struct wall){ 1 }, &b) == 0);
	FUZZ_MUST(parser_flush(p, (struct wall){ 1 }, true, &b) == 0);
	n = b.n;
	FUZZ_MUST(shape_records(shape, b.recs, &n, &f, &b.arena) == 0 && n <= b.n);
	for (i = 0; i < n; i++) {
		fuzz_check_record(&b.recs[i]);
		check_stream(&b.recs[i], &b.arena);
	}
	record_batch_fini(&b);
	(void)parser_free(p);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str s = str_of(data, size);
	struct shape_redaction redact = { .pattern = next_line(&s) };
	struct label labels[SHAPE_LABELS_MAX];
	struct shape_options opt = { .stream = labels, .redactions = &redact };
	struct buf why = BUF_INIT;
	struct shape *shape = NULL;

	redact.with = next_line(&s);
	opt.n_redactions = redact.pattern.n != 0;
	opt.n_stream = get_labels(next_line(&s), labels);
	opt.drop = next_line(&s);
	if (redact.pattern.n <= PATTERN_MAX && s.n <= TEXT_MAX &&
	    shape_new(&shape, &opt, &why) == 0)
		shape_lines(shape, s);
	(void)shape_free(shape);
	buf_fini(&why);
	return 0;
}
