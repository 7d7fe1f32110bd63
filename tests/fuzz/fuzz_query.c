/*
 * tests/fuzz/fuzz_query.c - queries from outside.
 * Any bytes parse or give an error that can be shown; what parses prints as text that parses to the same text;
 * matching it, and its simpler form, on a few rows agrees; and so does each leaf on columns of the same values.  What
 * follows a NUL is a value.
 */
#include <stdlib.h>

#include "logsql/filter.h"

static const char *const rows[][4] = {
	{ "an error: foo=bar 12.5ms \xd0\xa4\xff", "404", "2024-05-06T07:08:09Z",
	    "{app=\"web\",weir=\"log\"}" },
	{ "", "", "", "" },
	{ "[1,\"x\",{}]", "-1.50", "1970-01-01T00:00:00.000000001Z", "{}" },
};

static struct str
get(void *ctx, struct str name)
{
	const char *const *row = ctx;

	if (str_eq(name, STR("_time")))
		return str_c(row[2]);
	if (str_eq(name, STR("_stream")))
		return str_c(row[3]);
	return str_c(row[str_eq(name, STR("_msg")) ? 0 : 1]);
}

static void
check_match(struct filter *f, struct arena *arena)
{
	const char *row[4];
	struct filter *simple;
	size_t i;

	if (filter_simplify(f, arena, &simple) != 0)
		abort();
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		memcpy(row, rows[i], sizeof(row));
		if (filter_match_row(f, get, row) != filter_match_row(simple, get, row))
			abort();
	}
}

/* A leaf on one value, and on a column of text that has it. */
static int
check_leaf(void *ctx, struct filter *f)
{
	const struct str *value = ctx;
	uint32_t offs[4] = { 0, 0, (uint32_t)value->n, (uint32_t)value->n };
	struct column c = { .kind = COLUMN_TEXT, .n_rows = 3, .bytes = value->p, .offs = offs };
	uint64_t sel;

	if (!filter_is_value_leaf(f) || f->kind == FILTER_VALUE_TYPE)
		return 0;
	bits_fill(&sel, 3);
	if (filter_match_column(f, &c, &sel) != 0)
		abort();
	if (bits_get(&sel, 1) != filter_match_value(f, *value) ||
	    bits_get(&sel, 0) != filter_match_value(f, STR_NONE))
		abort();
	return 0;
}

static void
check_again(const struct query *q, const struct logsql_options *opt, struct arena *arena)
{
	AUTO_FINI(buf_fini) struct buf first = BUF_INIT;
	AUTO_FINI(buf_fini) struct buf second = BUF_INIT;
	struct logsql_error e = { 0 };
	struct query *again;

	query_format(&first, q);
	if (query_parse(buf_view(&first), opt, arena, &again, &e) != 0)
		abort();
	query_format(&second, again);
	if (!str_eq(buf_view(&first), buf_view(&second)))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO_FINI(arena_fini) struct arena arena = ARENA_INIT;
	AUTO_FINI(buf_fini) struct buf text = BUF_INIT;
	const struct logsql_options opt = { { INT64_C(1714979289000000000) }, 3600 };
	struct logsql_error e = { 0 };
	struct str value = STR(""), input = str_of(data, size);
	struct query *q;
	size_t nul;

	if (size > 4096)
		return 0;
	nul = str_find_byte(input, '\0');
	if (nul != SIZE_MAX) {
		value = str_sub(input, nul + 1, size);
		input = str_sub(input, 0, nul);
	}
	if (query_parse(input, &opt, &arena, &q, &e) != 0) {
		logsql_error_show(&text, input, &e);
		return 0;
	}
	check_again(q, &opt, &arena);
	check_match(q->filter, &arena);
	(void)filter_walk(q->filter, check_leaf, &value);
	return 0;
}
