/*
 * tests/unit/test_block_rest.c - rare fields.
 * One job: fields without a column of their own come back, at a cost that follows their bytes and not their names.
 */
#include "base/hash.h"
#include "store/block_internal.h"
#include "store_rows.h"

enum { WIDE = 50000, NAMES = 20000, NAMES_A_ROW = 20, ROWS = NAMES / 10, IDS_FROM = 77 };

static const char dir[] = "/tmp/weir-test-block-rest";

/* A block in memory, and how much of it was read. */
struct bytes {
	struct buf all;
	uint64_t n_read;
};

static int
read_bytes(void *ctx, uint64_t at, size_t n, uint8_t *out)
{
	struct bytes *b = ctx;

	if (at > b->all.n || n > b->all.n - at)
		return -EIO;
	memcpy(out, b->all.p + at, n);
	b->n_read += n;
	return 0;
}

static struct str
numbered(struct arena *a, const char *what, size_t i)
{
	char text[64];
	int n = snprintf(text, sizeof(text), "%s%zu", what, i);

	return arena_dup(a, str_of(text, (size_t)n));
}

/* One record with ${n} names, and the JSON line that it came from. */
static void
wide_record(struct arena *a, size_t n, struct record *ret)
{
	struct field *f = arena_alloc(a, n * sizeof(*f));
	struct buf line = BUF_INIT;
	size_t i;

	buf_byte(&line, '{');
	for (i = 0; i < n; i++) {
		f[i] = (struct field){ numbered(a, "name.", i), numbered(a, "value ", i * 7),
			VALUE_STRING };
		if (i > 0)
			buf_byte(&line, ',');
		buf_json(&line, f[i].name);
		buf_byte(&line, ':');
		buf_json(&line, f[i].value);
	}
	buf_byte(&line, '}');
	*ret = (struct record){ .time = { 1700000000 * NS_PER_S },
		.stream = STR("{}"),
		.fields = f,
		.n_fields = n,
		.flags = RECORD_HAS_TIME,
		.line = arena_dup(a, buf_view(&line)) };
	buf_fini(&line);
}

/* Row i has some of NAMES names, others than its neighbours have; every 7th an ID, which comes too late for a column. */
static void
sparse_record(struct arena *a, size_t i, struct record *ret)
{
	struct field *f = arena_alloc(a, (NAMES_A_ROW + 1) * sizeof(*f));
	size_t k;

	for (k = 0; k < NAMES_A_ROW; k++)
		f[k] = (struct field){ numbered(a, "k", (i * 10 + k) % NAMES),
			numbered(a, "v", i + k), VALUE_STRING };
	if (i % 7 == 0 && i >= IDS_FROM)
		f[k++] = (struct field){ STR("trace_id"), numbered(a, "trace-", i), VALUE_STRING };
	*ret = (struct record){ .time = { (int64_t)i * NS_PER_S },
		.stream = STR("{}"),
		.fields = f,
		.n_fields = k,
		.flags = RECORD_HAS_TIME };
}

/* The number behind the first byte of a value. */
static uint64_t
number_in(struct str v)
{
	uint64_t x = 0;
	size_t i;

	for (i = 1; i < v.n; i++)
		x = x * 10 + (uint64_t)(v.p[i] - '0');
	return x;
}

static void
must_be(struct block *b, struct arena *a, uint32_t row, struct str name, struct str want)
{
	char scratch[COLUMN_SCRATCH];
	struct column c;

	MUST(block_column(b, name, &row, 1, a, &c) == 0 && c.n_rows == 1);
	CHECK_STR(column_value(&c, 0, scratch), want);
}

/* A record of 50,000 names goes through a store and its seal. */
static void
test_wide_record(void)
{
	struct store_options opt = { .keep_floor = { 1 } };
	AUTO_FINI(buf_fini) struct buf err = BUF_INIT;
	AUTO_FINI(arena_fini) struct arena a = ARENA_INIT;
	AUTO(store_close) struct store *s = NULL;
	AUTO(store_view_free) struct store_view *v = NULL;
	AUTO(block_free) struct block *b = NULL;
	struct wall now = { 1700000000 * NS_PER_S };
	struct record rec;
	struct str line;
	size_t i, n_faults = 0;

	rows_remove_dir(dir);
	wide_record(&a, WIDE, &rec);
	MUST(store_open(&s, dir, &opt, now, &err) == 0);
	MUST(store_append(s, &rec, 1) == 0 && store_commit(s, now) == 0);
	MUST(store_seal(s, now) == 0);
	s = store_close(s);
	MUST(store_verify(dir, rows_print_fault, NULL, &n_faults) == 0 && n_faults == 0);
	MUST(store_view_open(&v, dir, &err) == 0 && store_view_n_blocks(v) == 1);
	MUST(store_view_open_block(v, 0, &b) == 0 && block_n_columns(b) >= WIDE);
	for (i = 0; i < WIDE; i += 1 + i % 3)
		must_be(b, &a, 0, rec.fields[i].name, rec.fields[i].value);
	must_be(b, &a, 0, STR("name.50000"), STR_NONE);
	MUST(block_line(b, 0, &a, &line) == 0);
	CHECK_STR(line, rec.line);
	rows_remove_dir(dir);
}

static void
build_sparse(struct bytes *out, struct arena *a, const uint64_t **ret_ids, size_t *ret_n_ids,
    struct block_builder *builder)
{
	struct block_summary sum;
	struct record rec;
	size_t i;

	for (i = 0; i < ROWS; i++) {
		sparse_record(a, i, &rec);
		MUST(block_builder_add(builder, &rec) == 0);
	}
	MUST(block_builder_finish(builder, &out->all, &sum, ret_ids, ret_n_ids) == 0);
	MUST(sum.n_rows == ROWS);
}

/* Every name of 20,000 is read, and the block's bytes no more than twice. */
static void
test_many_names(void)
{
	AUTO(block_builder_free) struct block_builder *builder = NULL;
	AUTO_FINI(arena_fini) struct arena a = ARENA_INIT, work = ARENA_INIT;
	AUTO(block_free) struct block *b = NULL;
	struct bytes bytes = { BUF_INIT, 0 };
	struct block_io io = { read_bytes, &bytes, 0 };
	char scratch[COLUMN_SCRATCH];
	const uint64_t *ids;
	struct column c;
	size_t n_ids, i, k, n_values;
	uint64_t sum = 0;
	struct str name, v;

	MUST(block_builder_new(&builder) == 0);
	build_sparse(&bytes, &a, &ids, &n_ids, builder);
	io.n_bytes = bytes.all.n;
	MUST(block_open(&b, &io) == 0);
	for (i = n_values = 0; i < NAMES; i++) {
		arena_clear(&work);
		name = numbered(&work, "k", i);
		MUST(block_column(b, name, NULL, 0, &work, &c) == 0 && c.n_rows == ROWS);
		for (k = 0; k < ROWS; k++) {
			v = column_value(&c, k, scratch);
			n_values += v.n > 0;
			if (v.n > 0)
				sum += number_in(v) * (i + 1);
		}
	}
	CHECK(n_values == (size_t)ROWS * NAMES_A_ROW);
	for (i = 0; i < ROWS; i++)
		for (k = 0; k < NAMES_A_ROW; k++)
			sum -= (i + k) * ((i * 10 + k) % NAMES + 1);
	CHECK(sum == 0);
	CHECK(bytes.n_read <= 2 * bytes.all.n);
	buf_fini(&bytes.all);
}

/* Rows come back as they were, in any part of the block. */
static void
test_records(void)
{
	AUTO(block_builder_free) struct block_builder *builder = NULL;
	AUTO_FINI(arena_fini) struct arena a = ARENA_INIT;
	AUTO(block_free) struct block *b = NULL;
	struct bytes bytes = { BUF_INIT, 0 };
	struct block_io io = { read_bytes, &bytes, 0 };
	const uint32_t from = ROWS / 3, n = ROWS / 2;
	struct record want, *got = arena_zalloc(&a, n, sizeof(*got));
	const uint64_t *ids;
	size_t n_ids, i, k, m;

	MUST(block_builder_new(&builder) == 0);
	build_sparse(&bytes, &a, &ids, &n_ids, builder);
	io.n_bytes = bytes.all.n;
	MUST(block_open(&b, &io) == 0);
	MUST(block_records(b, from, n, &a, got) == 0);
	for (i = 0; i < n; i++) {
		sparse_record(&a, from + i, &want);
		CHECK(got[i].n_fields == want.n_fields && got[i].time.ns == want.time.ns);
		for (k = 0; k < want.n_fields; k++) {
			for (m = 0; m < got[i].n_fields; m++)
				if (str_eq(got[i].fields[m].name, want.fields[k].name))
					break;
			MUST(m < got[i].n_fields);
			CHECK_STR(got[i].fields[m].value, want.fields[k].value);
		}
	}
	buf_fini(&bytes.all);
}

/* An ID is found whether its field has a column of its own or not. */
static void
test_ids(void)
{
	AUTO(block_builder_free) struct block_builder *builder = NULL;
	AUTO_FINI(arena_fini) struct arena a = ARENA_INIT;
	struct bytes bytes = { BUF_INIT, 0 };
	const uint64_t *ids;
	size_t n_ids, i, k;
	uint64_t h;

	MUST(block_builder_new(&builder) == 0);
	build_sparse(&bytes, &a, &ids, &n_ids, builder);
	for (i = IDS_FROM; i < ROWS; i += 7) {
		h = hash64(numbered(&a, "trace-", i));
		for (k = 0; k < n_ids && ids[k] != h; k++)
			continue;
		CHECK(k < n_ids);
	}
	buf_fini(&bytes.all);
}

/* The block ${from}, whose column "text" has ${n} more names. */
static void
copy_names(struct bytes *to, const struct bytes *from, size_t n)
{
	struct block_header h;
	struct block_entry e;
	struct buf names = BUF_INIT;
	struct scan s;
	char name[32];
	size_t i;

	MUST(block_header_get(from->all.p, true, &h));
	s = (struct scan){ from->all.p + BLOCK_HEADER, h.dir_len, 0, false };
	while (s.at < s.n) {
		MUST(block_entry_get(&s, &e));
		block_entry_put(&names, &e);
		for (i = 0; str_eq_c(e.name, "text") && i < n; i++, h.n_columns++) {
			(void)snprintf(name, sizeof(name), "text%zu", i);
			e.name = str_c(name);
			block_entry_put(&names, &e);
			e.name = STR("text");
		}
	}
	h.n_bytes += 2 * (uint64_t)(names.n - h.dir_len);
	to->all = (struct buf)BUF_INIT;
	s = (struct scan){ from->all.p, from->all.n, BLOCK_HEADER + h.dir_len, false };
	h.dir_len = (uint32_t)names.n;
	h.dir_sum = hash32(buf_view(&names));
	block_header_put(&to->all, &h);
	buf_str(&to->all, buf_view(&names));
	buf_str(&to->all, scan_bytes(&s, h.n_bytes - 2 * (BLOCK_HEADER + names.n)));
	buf_str(&to->all, buf_view(&names));
	block_header_put(&to->all, &h);
	buf_fini(&names);
}

/* Each column alone may have so many bytes; all together not, but the first ones are answered. */
static void
test_bomb(void)
{
	enum { LONG = 20 << 20, COPIES = 20 };
	AUTO(block_builder_free) struct block_builder *builder = NULL;
	AUTO_FINI(arena_fini) struct arena a = ARENA_INIT;
	AUTO(block_free) struct block *b = NULL;
	uint8_t *text = arena_zalloc(&a, 1, LONG);
	struct bytes bytes = { BUF_INIT, 0 }, bomb = { BUF_INIT, 0 };
	struct block_io io = { read_bytes, &bomb, 0 };
	struct field f[2] = { { STR("text"), str_of(text, LONG), VALUE_STRING },
		{ STR("other"), STR("x"), VALUE_STRING } };
	struct record rec = { .stream = STR("{}"), .fields = f, .n_fields = 2 };
	struct block_summary sum;
	const uint64_t *ids;
	struct column c;
	size_t n_ids, i, n_read = 0;
	char name[32];
	int r;

	MUST(block_builder_new(&builder) == 0);
	MUST(block_builder_add(builder, &rec) == 0);
	MUST(block_builder_finish(builder, &bytes.all, &sum, &ids, &n_ids) == 0);
	copy_names(&bomb, &bytes, COPIES);
	io.n_bytes = bomb.all.n;
	MUST(block_open(&b, &io) == 0 && block_n_columns(b) >= COPIES + 2);
	for (i = 0; i < COPIES; i++) {
		(void)snprintf(name, sizeof(name), "text%zu", i);
		r = block_column(b, str_c(name), NULL, 0, &a, &c);
		CHECK(r == 0 || r == BLOCK_E_CORRUPT);
		n_read += r == 0;
	}
	CHECK(n_read == ENC_BYTES_MAX / LONG);
	/* What was read once is read again, and what is small too. */
	CHECK(block_column(b, STR("text0"), NULL, 0, &a, &c) == 0);
	buf_fini(&bytes.all);
	buf_fini(&bomb.all);
}

int
main(void)
{
	test_wide_record();
	test_many_names();
	test_records();
	test_ids();
	test_bomb();
	return check_done();
}
