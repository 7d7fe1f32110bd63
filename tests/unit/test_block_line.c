/*
 * tests/unit/test_block_line.c - original lines.
 * One job: every line that went in comes back byte for byte, made of its fields or kept.
 */
#include "check.h"
#include "store/block.h"
#include "store/shape.h"

enum { ROWS = 1500 };

static uint64_t seed = 88172645463325252;

static size_t
below(size_t n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (size_t)(seed % n);
}

static int
read_buf(void *ctx, uint64_t at, size_t n, uint8_t *out)
{
	const struct buf *b = ctx;

	if (at > b->n || n > b->n - at)
		return -EIO;
	memcpy(out, b->p + at, n);
	return 0;
}

static struct str fmt(struct arena *a, const char *f, ...) PRINTF_LIKE(2, 3);

static struct str
fmt(struct arena *a, const char *f, ...)
{
	char text[512];
	va_list ap;
	int n;

	va_start(ap, f);
	n = vsnprintf(text, sizeof(text), f, ap);
	va_end(ap);
	return arena_dup(a, str_of(text, (size_t)n));
}

/* A field whose value lies in the line, as a parser makes it; found by its text. */
static void
field_in(struct record *rec, const char *name, struct str value)
{
	size_t at = str_find(rec->line, value);

	MUST(at != SIZE_MAX);
	rec->fields[rec->n_fields++] =
	    (struct field){ str_c(name), str_of(rec->line.p + at, value.n), VALUE_STRING };
}

static void
field_out(struct record *rec, const char *name, struct str value)
{
	rec->fields[rec->n_fields++] = (struct field){ str_c(name), value, VALUE_STRING };
}

static struct str
time_text(struct arena *a, struct wall t, unsigned kind)
{
	char text[WALL_TEXT_MAX];
	struct civil c = wall_civil((struct wall){ t.ns + 2 * NS_PER_HOUR });
	size_t n;

	switch (kind) {
	case 0:
		n = wall_format(text, t);
		return arena_dup(a, str_of(text, n));
	case 1:
		return fmt(a, "%04d-%02d-%02d %02d:%02d:%02d,%03d", (int)c.year, c.month, c.day,
		    c.hour, c.minute, c.second, c.ns / 1000000);
	case 2:
		return fmt(a, "%04d-%02d-%02dT%02d:%02d:%02d.%06d+02:00", (int)c.year, c.month,
		    c.day, c.hour, c.minute, c.second, c.ns / 1000);
	case 3:
		return fmt(a, "%lld", (long long)(t.ns / 1000000));
	default:
		return fmt(a, "%lld.%06d", (long long)(t.ns / NS_PER_S),
		    (int)(t.ns % NS_PER_S / 1000));
	}
}

static void
json_record(struct arena *a, struct record *rec, unsigned kind)
{
	struct str time = time_text(a, rec->time, kind % 5),
	           id = fmt(a, "id-%d", (int)below(99999));
	struct str msg = fmt(a, "said \"%d\"\n\tand left", (int)below(1000));
	struct str ms = fmt(a, "%d.%d", (int)below(1000), (int)below(1000));
	AUTO_FINI(buf_fini) struct buf line = BUF_INIT;

	if (kind % 2 != 0)
		buf_printf(&line,
		    "{\"ts\":\"%.*s\",\"id\":\"%.*s\",\"ms\":%.*s,\"e\":\"\",\"msg\":",
		    STR_ARG(time), STR_ARG(id), STR_ARG(ms));
	else
		buf_printf(&line,
		    "{\"ts\": \"%.*s\", \"id\": \"%.*s\", \"ms\": %.*s, \"msg\": ", STR_ARG(time),
		    STR_ARG(id), STR_ARG(ms));
	buf_json(&line, msg);
	buf_c(&line, "}");
	rec->line = arena_dup(a, buf_view(&line));
	field_in(rec, "id", id);
	field_in(rec, "ms", ms);
	field_out(rec, "_msg", msg);
	field_out(rec, "host", STR("added by the source"));
}

static void
make_record(struct arena *a, struct record *rec, size_t row)
{
	struct str v;

	rec->fields = arena_alloc(a, 8 * sizeof(struct field));
	rec->n_fields = 0;
	rec->time.ns = INT64_C(1767225600123456000) + (int64_t)(row * 1000003) * 1000;
	switch (below(5)) {
	case 0:
		rec->line = fmt(a, "plain text, number %d", (int)below(100000));
		field_in(rec, "_msg", rec->line);
		break;
	case 1:
		v = fmt(a, "%d", (int)below(1000000));
		rec->line = fmt(a, "level=info n=%.*s q=%d", STR_ARG(v), (int)below(1000));
		field_in(rec, "level", STR("info"));
		field_in(rec, "n", v);
		break;
	case 2:
		rec->line = STR_NONE;
		field_out(rec, "_msg", fmt(a, "no line %d", (int)below(1000)));
		break;
	default:
		json_record(a, rec, (unsigned)below(10));
		break;
	}
}

/* FUZZ_SEEDS=folder: a block with lines for tests/fuzz/corpus/block. */
static void
write_seed(const struct buf *out)
{
	const char *dir = getenv("FUZZ_SEEDS");
	char path[256];
	FILE *f;

	if (dir == NULL)
		return;
	(void)snprintf(path, sizeof(path), "%s/lines", dir);
	f = fopen(path, "w");
	MUST(f != NULL && fputc(0, f) == 0 && fwrite(out->p, 1, out->n, f) == out->n &&
	    fclose(f) == 0);
}

/* Whether the line has the literal at ${at}; a gap is a whole character. */
static bool
holds_at(struct str line, size_t at, struct str literal, const struct literals *l)
{
	size_t k;

	for (k = 0; k < literal.n; k++) {
		if (at >= line.n)
			return false;
		if (l->gaps && literal.p[k] == LITERAL_ANY) {
			for (at++; at < line.n && (line.p[at] & 0xc0) == 0x80; at++)
				continue;
			continue;
		}
		if ((l->nocase ? str_lower_byte(line.p[at]) : line.p[at]) != literal.p[k])
			return false;
		at++;
	}
	return true;
}

static bool
holds(struct str line, struct str literal, const struct literals *l)
{
	size_t i;

	for (i = 0; i < line.n; i++)
		if (holds_at(line, i, literal, l))
			return true;
	return false;
}

/* Some characters of the literal become gaps; its length after that. */
static size_t
make_gaps(uint8_t *p, size_t n)
{
	size_t i, k = 0;

	for (i = 0; i < n;) {
		if (below(4) != 0 || (p[i] & 0xc0) == 0x80) {
			p[k++] = p[i++];
			continue;
		}
		p[k++] = LITERAL_ANY;
		for (i++; i < n && (p[i] & 0xc0) == 0x80; i++)
			continue;
	}
	return k;
}

/* No row is left out whose line, or message where there is none, holds one of the literals; words leave out nearly all others. */
static void
check_may(struct block *b, const struct record *recs)
{
	uint64_t sel[BITS_WORDS(ROWS)], in[BITS_WORDS(ROWS)];
	uint8_t texts[2][80];
	struct literals l;
	struct str from;
	size_t k, i, n, row;
	bool held;

	for (k = 0; k < 3000; k++) {
		l = (struct literals){ .n = 1 + below(2),
			.nocase = below(3) == 0,
			.gaps = below(2) == 0 };
		for (i = 0; i < l.n; i++) {
			row = below(ROWS);
			from = recs[row].line.n > 0 ? recs[row].line : recs[row].fields[0].value;
			n = 1 + below(below(2) ? 4 : 70);
			from = str_sub(from, below(from.n), from.n);
			from = str_sub(from, 0, n);
			for (n = 0; n < from.n; n++)
				texts[i][n] = l.nocase ? str_lower_byte(from.p[n]) : from.p[n];
			if (l.gaps)
				n = make_gaps(texts[i], n);
			l.p[i] = str_of(texts[i], n);
		}
		bits_fill(in, ROWS);
		for (i = 0; k % 2 == 0 && i < ROWS; i += 1 + below(3))
			bits_clear(in, i);
		memcpy(sel, in, sizeof(sel));
		MUST(block_lines_may(b, &l, sel) == 0);
		for (row = 0; row < ROWS; row++) {
			from = recs[row].line.n > 0 ? recs[row].line : recs[row].fields[0].value;
			for (held = false, i = 0; i < l.n; i++)
				held |= holds(from, l.p[i], &l);
			CHECK(bits_get(sel, row) <= bits_get(in, row));
			CHECK(bits_get(sel, row) || !held || !bits_get(in, row));
		}
	}
	l = (struct literals){ .p = { STR_INIT("and left") }, .n = 1 };
	bits_fill(sel, ROWS);
	MUST(block_lines_may(b, &l, sel) == 0);
	for (row = 0; row < ROWS; row++)
		CHECK(bits_get(sel, row) == holds(recs[row].line, l.p[0], &l));
	l.p[0] = STR("absent");
	MUST(block_lines_may(b, &l, sel) == 0);
	CHECK(bits_none(sel, ROWS));
}

static void
test_lines(void)
{
	AUTO_FINI(arena_fini) struct arena a = ARENA_INIT;
	AUTO_FINI(buf_fini) struct buf out = BUF_INIT;
	AUTO(block_builder_free) struct block_builder *builder = NULL;
	AUTO(block_free) struct block *b = NULL;
	struct record *recs = arena_zalloc(&a, ROWS, sizeof(*recs));
	struct str *lines = arena_zalloc(&a, ROWS, sizeof(*lines)), one;
	uint32_t rows[ROWS];
	struct block_io io = { read_buf, &out, 0 };
	struct block_summary sum;
	const uint64_t *ids;
	size_t n_ids, i, total = 0;

	MUST(block_builder_new(&builder) == 0);
	for (i = 0; i < ROWS; i++) {
		make_record(&a, &recs[i], i);
		MUST(block_builder_add(builder, &recs[i]) == 0);
		rows[i] = (uint32_t)i;
		total += recs[i].line.n;
	}
	MUST(block_builder_finish(builder, &out, &sum, &ids, &n_ids) == 0);
	write_seed(&out);
	io.n_bytes = out.n;
	MUST(block_open(&b, &io) == 0);
	MUST(block_lines(b, rows, ROWS, &a, lines) == 0);
	for (i = 0; i < ROWS; i++)
		CHECK_STR(lines[i], recs[i].line);
	for (i = 0; i < ROWS; i += 97) {
		MUST(block_line(b, (uint32_t)i, &a, &one) == 0);
		CHECK_STR(one, recs[i].line);
	}
	check_may(b, recs);
	/* Made, not kept: the lines are not there a second time. */
	CHECK(out.n < total / 3);
}

static void
check_style(const char *text, int64_t t, bool found)
{
	struct time_style st;
	char again[TIME_STYLE_TEXT];
	size_t at = 0, n;
	bool ok = time_style_find(str_c(text), t, &at, &st);

	CHECK(ok == found);
	if (!ok)
		return;
	n = time_style_write(&st, t, again);
	CHECK(at + n <= strlen(text));
	CHECK(memcmp(text + at, again, n) == 0);
}

static void
test_styles(void)
{
	int64_t t = INT64_C(1767225600123456789);

	check_style("x 2026-01-01T00:00:00.123456789Z y", t, true);
	check_style("2026-01-01T00:00:00Z", t, true);
	check_style("2026-01-01T05:30:00.123+05:30", t, true);
	check_style("[2025-12-31 19:00:00,123-0500]", t, true);
	check_style("2026-01-01T00:00:00.124Z", t, false);
	check_style("1767225600", t, true);
	check_style("t=1767225600.1234", t, true);
	check_style("1767225600123", t, true);
	check_style("1767225600123456789 ", t, true);
	check_style("1767225601", t, false);
	check_style("\"x\" [01/Jan/2026:00:00:00 +0000] \"GET", t, true);
	check_style("[31/Dec/2025:19:00:00 -0500]", t, true);
	check_style("31/Dec/2025:19:00:00 GET", t, true);
	check_style("01/Foo/2026:00:00:00 +0000", t, false);
	check_style("<13>Jan  1 00:00:00 host", t, true);
	check_style("Dec 31 19:00:00 host", t, true);
	check_style("Jan 01 00:00:00", t, true);
	check_style("Jan  1 00:01:01", t, false);
	check_style("Jan  1 00:00:0", t, false);
	check_style("2026-01-01T00:00:0", t, false);
	check_style("9999-99-99T99:99:99", t, false);
	check_style("1677-09-21T00:12:43.145224193Z", INT64_MIN + 1, false);
}

static void
report_none(void *ctx, struct str column, uint64_t at, const char *what)
{
	(void)ctx;
	fprintf(stderr, "column '%.*s' at %llu: %s\n", STR_ARG(column), (unsigned long long)at,
	    what);
	check_failed++;
}

/* Lines that are much longer than their values: the block is full before it could not be read again. */
static void
test_long_lines(void)
{
	enum { LINE = 60000, LINES = 1400 };
	static const uint32_t first = 0, middle = 500;
	AUTO_FINI(arena_fini) struct arena a = ARENA_INIT;
	AUTO_FINI(buf_fini) struct buf out = BUF_INIT;
	AUTO(block_builder_free) struct block_builder *builder = NULL;
	AUTO(block_free) struct block *b = NULL;
	struct field f = { STR("n"), STR_NONE, VALUE_NUMBER };
	struct record rec = { .fields = &f, .n_fields = 1 };
	struct block_io io = { read_buf, &out, 0 };
	struct block_summary sum;
	const uint64_t *ids;
	struct str line = STR_NONE;
	uint8_t *text = arena_alloc(&a, LINE);
	size_t n_ids, i;
	int r = 0;

	MUST(text != NULL && block_builder_new(&builder) == 0);
	memset(text, ' ', LINE);
	for (i = 0; i < LINES && r == 0; i++) {
		text[LINE / 2] = (uint8_t)('0' + i % 10);
		rec.line = str_of(text, LINE);
		f.value = str_sub(rec.line, LINE / 2, LINE / 2 + 1);
		r = block_builder_add(builder, &rec);
	}
	CHECK(r == BLOCK_E_FULL);
	MUST(block_builder_finish(builder, &out, &sum, &ids, &n_ids) == 0);
	CHECK(sum.n_rows < LINES && sum.raw_bytes <= BLOCK_RAW_MAX);
	io.n_bytes = out.n;
	MUST(block_open(&b, &io) == 0);
	CHECK(block_line(b, first, &a, &line) == 0 && line.n == LINE);
	CHECK(block_line(b, middle, &a, &line) == 0 && line.n == LINE);
	CHECK(block_line(b, sum.n_rows - 1, &a, &line) == 0 && line.n == LINE);
	CHECK(block_verify(b, report_none, NULL) == 0);
}

int
main(void)
{
	test_styles();
	test_long_lines();
	test_lines();
	return check_done();
}
