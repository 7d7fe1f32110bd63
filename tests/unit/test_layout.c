/*
 * tests/unit/test_layout.c - records of a known layout.
 * One job: what the parser says of a line's layout is true, and a block built with it is the same as one built without.
 *
 * Lines of few forms are made, of which now and then one has something that no layout may have, or a key or a value like that of
 * another.  Each line is parsed by a parser that remembers keys and by one that has just begun.
 */
#include "layout_check.h"
#include "parsers/gather.h"
#include "parsers/parser.h"

enum { ROWS = 4000, NAMES = 700 };

/* A value, mostly of the kind that its key has. */
static void
put_value(struct buf *line, size_t key)
{
	static const char *const odd[] = { "\"\"", "\"a\\\"b\"", "\"\\u00e9\"", "null", "true",
		"[1,2]", "{\"a\":\"b\"}", "-0.5e3", "\"\x7f\"", "\"\xff\"", " 7", "\"tab\\t\"",
		"\"a\\/b\"", "\"\\\"\"", "\"\\\\\"", "\"\\n\xc3\xa9\"", "\"\\u0041\"", "\"\\x\"",
		"\"\\\"\x7f\"",
		"\"0123456789 \\\"0123456789 0123456789 0123456789\\\" 0123456789\"" };

	if (below(40) == 0)
		buf_c(line, odd[below(sizeof(odd) / sizeof(odd[0]))]);
	else if (key % 2 == 0)
		buf_printf(line, "%zu", below(1000));
	else
		buf_printf(line, "\"v%zu\"", below(1000));
}

static void
put_time(struct buf *line)
{
	size_t ms = below(1000), s = below(60);

	if (below(50) == 0)
		buf_c(line, "\"no time\"");
	else if (below(50) == 0)
		buf_printf(line, "\"2026-03-01T10:11:%02zu+01:00\"", s);
	else
		buf_printf(line, "\"2026-03-01T10:11:%02zu.%03zuZ\"", s, ms);
}

/* One of a few orders of a few keys; ${n_names} of the rare keys, whose numbers meet each other's. */
static void
make_line(struct buf *line, size_t n_names)
{
	static const char *const keys[] = { "level", "service", "user_id", "status", "path", "weir",
		"traceparent", "_msg", "name" };
	/* Those that are written again as they are, and others. */
	static const char *const escapes[] = { "\\n", "\\t\\\\", "\\\"0123456789 0123456789\\\"",
		"\\/", "\\n\x7f", "\\n\xff", "\\u000a" };
	size_t form = below(6), n = 2 + form, i, key;
	bool wide = below(3) == 0;

	buf_clear(line);
	buf_byte(line, '{');
	if (form != 0) {
		buf_c(line, wide ? "\"timestamp\": " : "\"timestamp\":");
		put_time(line);
		buf_c(line, wide ? ", " : ",");
	}
	for (i = 0; i < n; i++) {
		key = below(60) == 0 ? below(9) : (form + i) % 5;
		if (below(30) == 0)
			buf_printf(line, "\"k%zu\":", below(n_names));
		else
			buf_printf(line,
			    wide != (below(80) == 0) ? "\"%s\": " : "\"%s\":", keys[key]);
		put_value(line, key);
		buf_c(line, wide && below(80) != 0 ? ", " : ",");
		if (below(80) == 0)
			buf_c(line, below(2) == 0 ? "\t" : "  ");
	}
	buf_printf(line, "\"message\":\"m %zu", below(100));
	if (below(5) == 0)
		buf_c(line, escapes[below(sizeof(escapes) / sizeof(escapes[0]))]);
	buf_c(line, "\"}");
	if (below(100) == 0)
		buf_byte(line, ' ');
}

static struct parser *
new_parser(void)
{
	struct parser_options opt = { .name = "json", .keep_line = true, .zone_set = true };
	struct parser *p = NULL;

	MUST(parser_new(&p, &opt, NULL) == 0);
	return p;
}

static void
test_lines(size_t n_names, size_t n_known_min)
{
	AUTO_FINI(record_batch_fini) struct record_batch all = RECORD_BATCH_INIT;
	AUTO_FINI(record_batch_fini) struct record_batch one = RECORD_BATCH_INIT;
	AUTO_FINI(arena_fini) struct arena arena = ARENA_INIT;
	AUTO_FINI(buf_fini) struct buf line = BUF_INIT;
	AUTO(parser_free) struct parser *p = new_parser();
	struct parser *fresh;
	size_t i, n_known = 0;
	struct str kept;

	for (i = 0; i < ROWS; i++) {
		make_line(&line, n_names);
		kept = arena_dup(&arena, buf_view(&line));
		MUST(parser_line(p, kept, (struct wall){ 0 }, &all) == 0 && all.n == i + 1);
		fresh = new_parser();
		record_batch_clear(&one);
		MUST(parser_line(fresh, kept, (struct wall){ 0 }, &one) == 0 && one.n == 1);
		check_same(&all.recs[i], &one.recs[0]);
		(void)parser_free(fresh);
		n_known += all.recs[i].layout != 0;
	}
	CHECK(n_known >= n_known_min);
	check_promises(&all);
	check_blocks(&all);
}

/* Somebody changes a record and forgets to say so: its line comes back all the same. */
static void
test_changed(void)
{
	static const char text[] = "{\"a\":\"one\",\"b\":\"two\"}";
	AUTO_FINI(record_batch_fini) struct record_batch all = RECORD_BATCH_INIT;
	AUTO(parser_free) struct parser *p = new_parser();
	size_t i;

	for (i = 0; i < 9; i++)
		MUST(parser_line(p, str_c(text), (struct wall){ 0 }, &all) == 0);
	CHECK(all.recs[3].layout != 0 && all.recs[3].layout == all.recs[8].layout);
	all.recs[5].fields[1].value = STR("three");
	all.recs[6].n_fields = 1;
	all.recs[7].line = STR("another line");
	check_blocks(&all);
}

/* Two names that take each other's place among the keys, in lines that are alike otherwise. */
static void
test_collision(void)
{
	AUTO_FINI(record_batch_fini) struct record_batch all = RECORD_BATCH_INIT;
	AUTO(parser_free) struct parser *p = new_parser();
	char line[2][32], name[8];
	size_t i, n = 100;

	(void)snprintf(line[0], sizeof(line[0]), "{\"k100\":1}");
	do
		(void)snprintf(name, sizeof(name), "k%zu", ++n);
	while (gather_hash(str_c(name)) != gather_hash(STR("k100")));
	(void)snprintf(line[1], sizeof(line[1]), "{\"%s\":1}", name);
	for (i = 0; i < 64; i++)
		MUST(parser_line(p, str_c(line[i / 8 % 2]), (struct wall){ 0 }, &all) == 0);
	for (i = 0; i < 64; i++)
		CHECK_STR(all.recs[i].fields[0].name, i / 8 % 2 == 0 ? STR("k100") : str_c(name));
	CHECK(all.recs[5].layout != 0 && all.recs[13].layout != 0);
	CHECK(all.recs[5].layout != all.recs[13].layout);
	check_promises(&all);
	check_blocks(&all);
}

int
main(void)
{
	test_lines(1, ROWS / 3);
	test_lines(NAMES, ROWS / 4);
	test_changed();
	test_collision();
	return check_done();
}
