/*
 * tests/unit/test_json.c - the JSON scanner: limits, and what jansson makes of the same text.
 * JSONTestSuite is read from the folder of the first argument when it is there.
 */
#include <dirent.h>
#include <fcntl.h>

#include "base/io.h"
#include "check.h"
#include "json_oracle.h"
#include "render.h"

/* A generator of bytes: the same ones in each run. */
static uint64_t
next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

/* Pieces of JSON put together at random: mostly grammatical, often not. */
static void
random_json(struct buf *out, uint64_t *state, unsigned depth)
{
	static const char *const scalars[] = { "1", "-0", "0.5e+3", "1e5", "\"x\"",
		"\"\\u00e4\\n\"", "true", "false", "null", "\"\\ud83d\\ude00\"", "\"\"",
		"123456789012345678", "01", "1.", "\"\\x\"", "tru", "\"\t\"", "[]", "{}", "[1,]",
		"[ 1 , \"a\" ]", "{\"q\":[{}]}" };
	static const char *const keys[] = { "a", "b", "c", "key", "a.b", "\\u0061", "", "time" };
	uint64_t members = next_random(state) % 5, i;

	buf_c(out, "{");
	for (i = 0; i < members; i++) {
		buf_c(out,
		    i == 0 || next_random(state) % 40 == 0 ? ""
		        : next_random(state) % 8           ? ","
		                                           : " ,\t");
		buf_printf(out, "\"%s\"%s", keys[next_random(state) % ARRAY_LEN(keys)],
		    next_random(state) % 60      ? ":"
		        : next_random(state) % 2 ? " : "
		                                 : "");
		if (depth < 4 && next_random(state) % 4 == 0)
			random_json(out, state, depth + 1);
		else
			buf_c(out,
			    scalars[next_random(state) %
			        (next_random(state) % 8 ? 12 : ARRAY_LEN(scalars))]);
	}
	buf_c(out, next_random(state) % 60 ? "}" : "");
}

static void
test_random(void)
{
	AUTO_FINI(buf_fini) struct buf b = BUF_INIT;
	uint64_t state = 7;
	size_t i, good = 0;

	for (i = 0; i < 20000; i++) {
		buf_clear(&b);
		random_json(&b, &state, 0);
		switch (json_oracle(buf_view(&b))) {
		case ORACLE_SAME:
			good++;
			break;
		case ORACLE_BOTH_REFUSE:
			break;
		case ORACLE_DIFFERENT:
			CHECK(false);
			fprintf(stderr, "%.*s\n", STR_ARG(buf_view(&b)));
			break;
		}
	}
	CHECK(good > 5000 && good < 19000);
}

static void
test_depth(void)
{
	AUTO_FINI(buf_fini) struct buf b = BUF_INIT, out = BUF_INIT;
	struct parser_options opt = { .name = "json" };
	size_t depth, i;

	for (depth = 500; depth <= 100000; depth *= 200) {
		buf_clear(&b);
		buf_clear(&out);
		buf_c(&b, "{\"a\":");
		for (i = 0; i < depth; i++)
			buf_byte(&b, '[');
		for (i = 0; i < depth; i++)
			buf_byte(&b, ']');
		buf_byte(&b, '}');
		CHECK(render_lines(&out, &opt, buf_view(&b)) == 0);
		CHECK((str_find(buf_view(&out), STR("nested too deep")) == SIZE_MAX) ==
		    (depth == 500));
	}
	buf_clear(&b);
	buf_clear(&out);
	for (i = 0; i < 2049; i++)
		buf_c(&b, "{\"a\":");
	buf_c(&b, "1");
	for (i = 0; i < 2049; i++)
		buf_byte(&b, '}');
	CHECK(render_lines(&out, &opt, buf_view(&b)) == 0);
	CHECK(str_find(buf_view(&out), STR("nested too deep at byte 2560")) != SIZE_MAX);
}

/* 3,000 keys: 1,000 fields and the rest as JSON, of which every key can be found. */
static void
test_overflow(void)
{
	AUTO(parser_free) struct parser *p = NULL;
	AUTO_FINI(record_batch_fini) struct record_batch b = RECORD_BATCH_INIT;
	AUTO_FINI(arena_fini) struct arena arena = ARENA_INIT;
	AUTO_FINI(buf_fini) struct buf line = BUF_INIT, name = BUF_INIT;
	struct parser_options opt = { .name = "json" };
	struct record rest = { 0 };
	struct str text;
	int i;

	buf_c(&line, "{\"o\":{\"in\":{");
	for (i = 0; i < 1500; i++)
		buf_printf(&line, "%s\"k%d\":%d", i != 0 ? "," : "", i, i);
	buf_c(&line, "}},\"last\":[1,{\"x\":\"}\"}]}");
	MUST(parser_new(&p, &opt, NULL) == 0);
	CHECK(parser_line(p, buf_view(&line), (struct wall){ 0 }, &b) == 0);
	MUST(b.n == 1);
	CHECK(b.recs[0].n_fields == 1001);
	text = record_get(&b.recs[0], STR("_rest"));
	CHECK(json_fields(text, &arena, &rest.fields, &rest.n_fields) == 0 && rest.n_fields == 501);
	CHECK_STR(record_get(&rest, STR("last")), STR("[1,{\"x\":\"}\"}]"));
	for (i = 0; i < 1500; i++) {
		buf_clear(&name);
		buf_printf(&name, "o.in.k%d", i);
		CHECK(record_get(i < 1000 ? &b.recs[0] : &rest, buf_view(&name)).n != 0);
	}
}

/* Many keys of which many come again: the table finds what the list would. */
static void
test_many_duplicates(void)
{
	AUTO_FINI(arena_fini) struct arena arena = ARENA_INIT;
	AUTO_FINI(buf_fini) struct buf line = BUF_INIT, name = BUF_INIT;
	struct record rec = { 0 };
	int i;

	buf_c(&line, "{\"first\":1");
	for (i = 0; i < 3000; i++)
		buf_printf(&line, ",\"k%d\":%d", i % 900, i);
	buf_c(&line, "}");
	MUST(json_fields(buf_view(&line), &arena, &rec.fields, &rec.n_fields) == 0);
	CHECK(rec.n_fields == 901);
	for (i = 2100; i < 3000; i++) {
		buf_clear(&name);
		buf_printf(&name, "k%d", i % 900);
		CHECK(atoi((const char *)record_get(&rec, buf_view(&name)).p) == i);
	}
}

/* Names that a hostile line blows up take no more than a bound. */
static void
test_name_bomb(void)
{
	AUTO_FINI(arena_fini) struct arena arena = ARENA_INIT;
	AUTO_FINI(buf_fini) struct buf line = BUF_INIT;
	struct record rec = { 0 };
	size_t i;

	for (i = 0; i < 400; i++) {
		buf_c(&line, "{\"");
		while (line.n % 1000 != 0)
			buf_byte(&line, 'k');
		buf_c(&line, "\":");
	}
	buf_c(&line, "1");
	for (i = 0; i < 400; i++)
		buf_byte(&line, '}');
	CHECK(json_fields(buf_view(&line), &arena, &rec.fields, &rec.n_fields) == 0);
	CHECK(arena.total < 16 * line.n && rec.n_fields == 1);
}

static void
check_file(const char *dir, const char *name)
{
	AUTO_FINI(buf_fini) struct buf b = BUF_INIT;
	AUTO(parser_free) struct parser *p = NULL;
	AUTO_FINI(record_batch_fini) struct record_batch batch = RECORD_BATCH_INIT;
	struct parser_options opt = { .name = "json" };
	char path[4500];
	struct str s;
	bool raw;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	MUST(io_read_file(AT_FDCWD, path, 1 << 24, &b) == 0);
	s = buf_view(&b);
	MUST(parser_new(&p, &opt, NULL) == 0);
	CHECK(parser_line(p, s, (struct wall){ 0 }, &batch) == 0);
	/* The mark at the start of a file is no text. */
	if (s.n == 0 || str_eq(s, STR("\xef\xbb\xbf")))
		return;
	MUST(batch.n == 1);
	raw = record_get(&batch.recs[0], STR("parse_error")).n != 0;
	/* A text that is no object is no record of fields, however good. */
	if (name[0] == 'n' || str_trim(s).n == 0 || str_trim(s).p[0] != '{')
		CHECK(raw || name[0] == 'i');
	else if (name[0] == 'y')
		CHECK(!raw && json_oracle(s) == ORACLE_SAME);
	if (raw)
		CHECK(record_get(&batch.recs[0], STR("_msg")).n != 0);
}

static void
test_suite(const char *shared)
{
	char dir[4000];
	struct dirent *e;
	size_t n = 0;
	DIR *d;

	(void)snprintf(dir, sizeof(dir), "%s/data/json/JSONTestSuite", shared);
	d = opendir(dir);
	if (d == NULL) {
		printf("%s: not there, its part is left out\n", dir);
		return;
	}
	while ((e = readdir(d)) != NULL) {
		if (e->d_name[0] == '.')
			continue;
		check_file(dir, e->d_name);
		n++;
	}
	(void)closedir(d);
	printf("%zu files of JSONTestSuite\n", n);
	CHECK(n > 300);
}

int
main(int argc, char **argv)
{
	test_random();
	test_depth();
	test_overflow();
	test_many_duplicates();
	test_name_bomb();
	test_suite(argc > 1 ? argv[1] : "../shared");
	return check_done();
}
