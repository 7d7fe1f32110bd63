/*
 * tests/unit/test_block.c - the block room.
 * One job: what goes into a block comes out again, whatever it is, and damage is seen.
 */
#include "base/hash.h"
#include "base/map.h"
#include "check.h"
#include "record/record.h"
#include "record/skeleton.h"
#include "store/block.h"
#include "store/enc.h"

enum { COLUMNS = 14 };

static uint64_t seed = 88172645463325252;

static uint64_t
rnd(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

static size_t
below(size_t n)
{
	return (size_t)(rnd() % n);
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

/* What went in: values[row * n_names + name]; the owner of all bytes is arena. */
struct model {
	struct arena arena;
	struct str names[700];
	size_t n_names;
	size_t n_rows;
	struct str *values;
	int64_t *times;
	struct str *streams;
};

static struct str __attribute__((__format__(__printf__, 2, 3)))
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

static const char *const words[] = { "order", "payment", "timeout", "retry", "cache", "miss",
	"user", "logged", "in", "from", "declined", "Circuit", "breaker" };

static struct str
random_bytes(struct arena *a)
{
	char text[60];
	size_t i, n = below(sizeof(text));

	for (i = 0; i < n; i++)
		text[i] = (char)rnd();
	return arena_dup(a, str_of(text, n));
}

static struct str
random_message(struct arena *a)
{
	char text[400];
	size_t n = 0, i, k;

	switch (below(6)) {
	case 0:
		return fmt(a, "GET /api/v%d/products/%d took %d.%03d ms", (int)below(3),
		    (int)below(100000), (int)below(1000), (int)below(1000));
	case 1:
		return fmt(a, "upstream 10.%d.%d.%d:%d responded %d", (int)below(4), (int)below(32),
		    (int)below(256), (int)below(9999), 200 + (int)below(300));
	case 2:
		return fmt(a, "session %012llx refreshed, sku SKU-%04d",
		    (unsigned long long)(rnd() >> 16), (int)below(300));
	case 3:
		if (below(2) == 0)
			return fmt(a, "<*> of %d<*> %s", (int)below(9), words[below(2)]);
		return fmt(a, "task %d-%d of %s finished", (int)below(99), (int)below(999999999),
		    words[below(ARRAY_LEN(words))]);
	case 4:
		k = below(40);
		for (i = 0; i < k; i++)
			n += (size_t)snprintf(text + n, sizeof(text) - n, "%s ",
			    words[below(ARRAY_LEN(words))]);
		return arena_dup(a, str_of(text, n < 300 ? n : 300));
	default:
		return random_bytes(a);
	}
}

/* A value of the kind that column ${c} is to be; some are absent. */
static struct str
random_value(struct arena *a, size_t c, size_t row)
{
	if (c % 3 == 2 && below(3) == 0)
		return STR_NONE;
	switch (c) {
	case 0:
		return STR("constant");
	case 1:
	case 2:
		return fmt(a, "w%d", (int)below(9));
	case 3:
		return fmt(a, "%d", (int)below(1u << (1 + below(24))));
	case 4:
		return fmt(a, "%lld", (long long)rnd() / (1 + (long long)below(1u << 20)));
	case 5:
		return fmt(a, "%d.%03d", (int)below(1u << (1 + below(14))), (int)below(1000));
	case 6:
	case 8:
		return fmt(a, "%08x-%04x-4abc-8def-%012x", (int)(row / 7 + below(40)), 17,
		    (int)(row / 7));
	case 7:
		return fmt(a, "%016llx",
		    (unsigned long long)(row / 3 * UINT64_C(0x9e3779b97f4a7c15)));
	case 9:
	case 11:
		return random_message(a);
	case 10:
		return fmt(a, "%s", below(500) == 0 ? "012" : "12");
	case 12:
		return fmt(a, "%d.%d", (int)below(10), (int)below(100));
	default:
		/* No two alike, no words: nothing but text will do. */
		return random_bytes(a);
	}
}

static void
model_fill(struct model *m, size_t n_rows, size_t n_names)
{
	size_t i, c;
	int64_t now = INT64_C(1767225600000000000);

	*m = (struct model){ .arena = ARENA_INIT, .n_rows = n_rows, .n_names = n_names };
	for (c = 0; c < n_names; c++)
		m->names[c] = c == 6 ? STR("request_id") : fmt(&m->arena, "field.%d", (int)c);
	m->values = arena_zalloc(&m->arena, n_rows * n_names + 1, sizeof(*m->values));
	m->times = arena_zalloc(&m->arena, n_rows + 1, sizeof(*m->times));
	m->streams = arena_zalloc(&m->arena, n_rows + 1, sizeof(*m->streams));
	for (i = 0; i < n_rows; i++) {
		now += (int64_t)below(300000) * 1000;
		m->times[i] = below(400) == 0 ? (int64_t)rnd() : now;
		m->streams[i] = fmt(&m->arena, "{unit=\"u%d\"}", (int)below(5));
		for (c = 0; c < n_names; c++) {
			if (c >= COLUMNS && below(n_names) > 5)
				continue;
			m->values[i * n_names + c] = c < COLUMNS
			    ? random_value(&m->arena, c, i)
			    : fmt(&m->arena, "rare%d", (int)below(100));
		}
	}
}

static void
model_build(const struct model *m, struct block_builder *b, struct buf *out,
    const uint64_t **ret_ids, size_t *ret_n_ids)
{
	struct field fields[700];
	struct block_summary sum;
	struct record rec;
	size_t i, c, n;

	for (i = 0; i < m->n_rows; i++) {
		for (n = c = 0; c < m->n_names; c++)
			if (m->values[i * m->n_names + c].n != 0)
				fields[n++] = (struct field){ m->names[c],
					m->values[i * m->n_names + c], VALUE_STRING };
		rec = (struct record){ .time = { m->times[i] },
			.stream = m->streams[i],
			.fields = fields,
			.n_fields = n };
		MUST(block_builder_add(b, &rec) == 0);
	}
	MUST(block_builder_rows(b) == m->n_rows);
	buf_clear(out);
	MUST(block_builder_finish(b, out, &sum, ret_ids, ret_n_ids) == 0);
	CHECK(sum.n_rows == m->n_rows);
	CHECK(block_builder_rows(b) == 0);
}

static struct str
model_value(const struct model *m, size_t row, size_t c)
{
	return m->values[row * m->n_names + c];
}

static void
check_column(struct block *b, const struct model *m, size_t c)
{
	AUTO_FINI(arena_fini) struct arena arena = ARENA_INIT;
	char scratch[COLUMN_SCRATCH];
	struct column all, some;
	uint32_t rows[64];
	size_t i, n = 0;

	MUST(block_column(b, m->names[c], NULL, 0, &arena, &all) == 0);
	MUST(all.n_rows == m->n_rows);
	for (i = 0; i < m->n_rows; i++)
		CHECK_STR(column_value(&all, i, scratch), model_value(m, i, c));
	for (i = below(9); i < m->n_rows && n < 64; i += 1 + below(m->n_rows / 32 + 2))
		rows[n++] = (uint32_t)i;
	MUST(block_column(b, m->names[c], rows, n, &arena, &some) == 0);
	MUST(some.n_rows == n);
	for (i = 0; i < n; i++)
		CHECK_STR(column_value(&some, i, scratch), model_value(m, rows[i], c));
}

/* Numbers as they are stored are those of the rows that have one, in order. */
static void
check_ints(struct block *b, const struct model *m, size_t c)
{
	AUTO_FINI(arena_fini) struct arena arena = ARENA_INIT;
	struct block_ints stored;
	char text[COLUMN_SCRATCH];
	size_t i, k = 0;
	int r = block_ints(b, m->names[c], &arena, &stored);

	CHECK(r == 0 || r == BLOCK_E_OTHER);
	/* Many different numbers are. */
	CHECK(r == 0 || c != 3 || m->n_rows < 1000);
	for (i = 0; r == 0 && i < m->n_rows; i++) {
		CHECK((model_value(m, i, c).n != 0) ==
		    (stored.present == NULL || bits_get(stored.present, i)));
		if (model_value(m, i, c).n == 0)
			continue;
		MUST(k < stored.n);
		CHECK_STR(str_of(text, column_format_int(text, stored.ints[k++], stored.scale)),
		    model_value(m, i, c));
	}
	CHECK(r != 0 || k == stored.n);
}

/* A gap takes one byte, and what belongs to it if it begins a character of several. */
static bool
stands_slow(struct str v, size_t at, const struct literals *l)
{
	struct str lit = l->p[0];
	size_t k;
	uint8_t c;

	for (k = 0; k < lit.n; k++) {
		if (at == v.n)
			return false;
		c = v.p[at++];
		if (l->gaps && lit.p[k] == LITERAL_ANY)
			for (; c >= 0x80 && at < v.n && v.p[at] >= 0x80 && v.p[at] < 0xc0; at++)
				;
		else if ((l->nocase ? str_lower_byte(c) : c) != lit.p[k])
			return false;
	}
	return true;
}

static bool
contains_slow(struct str v, const struct literals *l)
{
	size_t i;

	for (i = 0; i < v.n; i++)
		if (stands_slow(v, i, l))
			return true;
	return false;
}

static void
check_contains(struct block *b, const struct model *m, size_t c)
{
	struct str from, lit;
	uint64_t sel[BITS_WORDS(BLOCK_ROWS_MAX)], in[BITS_WORDS(BLOCK_ROWS_MAX)];
	struct literals l = { .n = 1 };
	uint8_t text[512];
	size_t i, k;
	bool want;

	for (k = 0; k < 16; k++) {
		from = model_value(m, below(m->n_rows), c);
		i = below(from.n + 1);
		lit = str_sub(from, i, i + 1 + below(below(2) ? 3 : 20));
		/* All of an ID is told in another way than pieces of it. */
		if (from.n <= 40 && below(3) == 0)
			lit = from;
		if (lit.n == 0)
			continue;
		l.nocase = below(3) == 0;
		for (i = 0; i < lit.n; i++)
			text[i] = l.nocase ? str_lower_byte(lit.p[i]) : lit.p[i];
		if (below(5) == 0)
			text[below(lit.n)] = (uint8_t) "x7- .~"[below(6)];
		lit.p = text;
		l.gaps = lit.n >= 3 && below(3) == 0 && text[0] != LITERAL_ANY &&
		    text[lit.n - 1] != LITERAL_ANY;
		for (i = 1; l.gaps && i + 1 < lit.n; i++)
			if (below(4) == 0)
				text[i] = LITERAL_ANY;
		l.p[0] = lit;
		bits_fill(in, m->n_rows);
		for (i = 0; k % 2 == 0 && i < m->n_rows; i++)
			if (below(5) != 0)
				bits_clear(in, i);
		memcpy(sel, in, sizeof(sel));
		if (l.gaps)
			MUST(block_contains_any(b, m->names[c], &l, sel) == 0);
		else
			MUST(block_contains(b, m->names[c], lit, l.nocase, sel) == 0);
		for (i = 0; i < m->n_rows; i++) {
			want = bits_get(in, i) && contains_slow(model_value(m, i, c), &l);
			if (bits_get(sel, i) != want) {
				CHECK(bits_get(sel, i) == want);
				fprintf(stderr, "column %zu row %zu literal \"%.*s\"\n", c, i,
				    STR_ARG(lit));
				return;
			}
		}
	}
}

/* Forms are the skeletons of the values, whatever the encoding; each stands once. */
static void
check_forms(struct block *b, const struct model *m, size_t c)
{
	AUTO_FINI(arena_fini) struct arena arena = ARENA_INIT;
	AUTO_FINI(buf_fini) struct buf want = BUF_INIT;
	AUTO_FINI(map_fini) struct map seen = MAP_INIT;
	uint32_t rows[64], *picked;
	struct column forms;
	size_t i, k, n = 0;
	bool fresh;

	for (i = below(9); i < m->n_rows && n < 64; i += 1 + below(m->n_rows / 32 + 2))
		rows[n++] = (uint32_t)i;
	for (k = 0; k < 2; k++) {
		picked = k == 0 ? NULL : rows;
		MUST(block_forms(b, m->names[c], picked, n, &arena, &forms) == 0);
		MUST(forms.kind == COLUMN_DICT || forms.kind == COLUMN_CONST);
		MUST(forms.n_rows == (k == 0 ? m->n_rows : n));
		for (i = 0; i < forms.n_rows; i++) {
			buf_clear(&want);
			skeleton_of(&want, model_value(m, k == 0 ? i : rows[i], c));
			CHECK_STR(column_value(&forms, i, NULL), buf_view(&want));
		}
		map_clear(&seen);
		for (i = 0; forms.kind == COLUMN_DICT && i < forms.n_dict; i++) {
			MUST(map_put(&seen, forms.dict[i], &fresh) != NULL);
			CHECK(fresh);
		}
	}
}

static void
check_meta(struct block *b, const struct model *m)
{
	AUTO_FINI(arena_fini) struct arena arena = ARENA_INIT;
	char scratch[COLUMN_SCRATCH];
	struct column c;
	size_t i;

	CHECK(block_n_rows(b) == m->n_rows);
	MUST(block_column(b, STR("_time"), NULL, 0, &arena, &c) == 0);
	MUST(c.kind == COLUMN_TIME);
	for (i = 0; i < m->n_rows; i++)
		CHECK(c.ints[i] == m->times[i]);
	MUST(block_column(b, STR("_stream"), NULL, 0, &arena, &c) == 0);
	CHECK(c.kind == COLUMN_DICT || c.kind == COLUMN_CONST);
	for (i = 0; i < m->n_rows; i++)
		CHECK_STR(column_value(&c, i, scratch), m->streams[i]);
	MUST(block_column(b, STR("no such field"), NULL, 0, &arena, &c) == 0);
	CHECK(c.kind == COLUMN_CONST && c.value.n == 0);
}

/* Steps of time that are counted, by one row after the other and by the store. */
enum { STEPS_MAX = 40000 };
struct steps {
	int64_t size;
	int64_t starts[STEPS_MAX];
	uint32_t counts[STEPS_MAX];
	size_t n;
};

static int64_t
step_of(int64_t ns, int64_t size)
{
	int64_t rest = ns % size;

	/* Modulo 2^64, as a range of times is told. */
	return (int64_t)((uint64_t)ns - (uint64_t)(rest < 0 ? rest + size : rest));
}

static size_t
step_find(struct steps *s, int64_t start)
{
	size_t i;

	for (i = s->n; i-- > 0;)
		if (s->starts[i] == start)
			return i;
	MUST(s->n < STEPS_MAX);
	s->starts[s->n] = start;
	s->counts[s->n] = 0;
	return s->n++;
}

static int
step_range(void *ctx, int64_t ns, struct block_times *ret)
{
	struct steps *s = ctx;
	int64_t start = step_of(ns, s->size);

	ret->first = (uint64_t)start;
	ret->span = (uint64_t)s->size - 1;
	ret->n = &s->counts[step_find(s, start)];
	return 0;
}

/* The same counts from the encoded steps as from the times, for all rows and for some; also where all rows are in one step,
 * or each is in its own. */
static void
check_steps(struct block *b, const struct model *m)
{
	static const int64_t sizes[] = { 1, 1000000, 1000000000, INT64_C(60000000000),
		INT64_C(86400000000000), INT64_C(1) << 62 };
	static struct steps got, want;
	uint64_t sel[BITS_WORDS(BLOCK_ROWS_MAX) + 1];
	size_t i, k, way;

	for (k = m->n_rows > 3000 ? 1 : 0; k < ARRAY_LEN(sizes); k++)
		for (way = 0; way < 3; way++) {
			got = (struct steps){ .size = sizes[k] };
			want = (struct steps){ .size = sizes[k] };
			bits_fill(sel, m->n_rows);
			for (i = 0; way > 0 && i < m->n_rows; i++)
				if (way == 1 ? below(3) != 0 : i / 1500 % 2 == 0)
					bits_clear(sel, i);
			for (i = 0; i < m->n_rows; i++)
				if (bits_get(sel, i))
					want.counts[step_find(&want,
					    step_of(m->times[i], sizes[k]))]++;
			MUST(block_count_times(b, way == 0 ? NULL : sel, step_range, &got) == 0);
			CHECK(got.n == want.n);
			for (i = 0; i < got.n; i++)
				CHECK(got.starts[i] == want.starts[i] &&
				    got.counts[i] == want.counts[i]);
		}
}

static void
on_fault(void *ctx, struct str column, uint64_t at, const char *what)
{
	++*(size_t *)ctx;
}

static bool
has_id(const uint64_t *ids, size_t n, uint64_t h)
{
	size_t lo = 0, mid;

	while (lo < n) {
		mid = lo + (n - lo) / 2;
		if (ids[mid] == h)
			return true;
		if (ids[mid] < h)
			lo = mid + 1;
		else
			n = mid;
	}
	return false;
}

static void
check_round_trip(struct block_builder *builder, size_t n_rows, size_t n_names)
{
	AUTO_FINI(buf_fini) struct buf out = BUF_INIT;
	AUTO(block_free) struct block *b = NULL;
	struct block_io io = { read_buf, &out, 0 };
	struct model m;
	const uint64_t *ids;
	size_t n_ids, c, i, faults = 0;

	model_fill(&m, n_rows, n_names);
	model_build(&m, builder, &out, &ids, &n_ids);
	for (i = 0; i < n_rows; i++)
		CHECK(has_id(ids, n_ids, hash64(model_value(&m, i, 6))));
	io.n_bytes = out.n;
	MUST(block_open(&b, &io) == 0);
	check_meta(b, &m);
	check_steps(b, &m);
	for (c = 0; c < n_names; c++) {
		check_column(b, &m, c);
		check_forms(b, &m, c);
		check_ints(b, &m, c);
		if (c < COLUMNS || c % 50 == 0)
			check_contains(b, &m, c);
	}
	CHECK(block_verify(b, on_fault, &faults) == 0);
	CHECK(faults == 0);
	arena_fini(&m.arena);
}

/* The values of a column as one number, or 0 when it cannot be read. */
static uint64_t
column_sum(struct block *b, struct str name)
{
	AUTO_FINI(arena_fini) struct arena arena = ARENA_INIT;
	AUTO_FINI(buf_fini) struct buf all = BUF_INIT;
	char scratch[COLUMN_SCRATCH];
	struct column c;
	size_t i;
	int r;

	r = block_column(b, name, NULL, 0, &arena, &c);
	CHECK(r == 0 || r == BLOCK_E_CORRUPT);
	for (i = 0; r == 0 && i < c.n_rows; i++) {
		buf_str(&all, column_value(&c, i, scratch));
		buf_byte(&all, 0);
	}
	return r == 0 ? hash64(buf_view(&all)) | 1 : 0;
}

/* With one bit flipped the block opens, at most one column is lost, and the others are what they were. */
static void
check_flip(struct buf *out, const struct model *m, const uint64_t *sums, size_t bit)
{
	AUTO(block_free) struct block *b = NULL;
	struct block_io io = { read_buf, out, out->n };
	size_t c, lost = 0, faults = 0;
	uint64_t got;

	out->p[bit / 8] ^= (uint8_t)(1u << (bit % 8));
	MUST(block_open(&b, &io) == 0);
	for (c = 0; c < m->n_names; c++) {
		got = column_sum(b, m->names[c]);
		CHECK(got == 0 || got == sums[c]);
		lost += got == 0;
	}
	CHECK(lost <= 1);
	if (bit % 64 == 0 || lost != 0) {
		CHECK(block_verify(b, on_fault, &faults) == 0);
		CHECK(faults <= 1 && faults >= lost);
	}
	out->p[bit / 8] ^= (uint8_t)(1u << (bit % 8));
}

static void
test_damage(struct block_builder *builder, size_t n_rows, size_t step)
{
	AUTO_FINI(buf_fini) struct buf out = BUF_INIT;
	AUTO(block_free) struct block *b = NULL;
	struct block_io io = { read_buf, &out, 0 };
	struct block *cut = NULL;
	uint64_t sums[COLUMNS];
	struct model m;
	const uint64_t *ids;
	size_t n_ids, c, i;

	model_fill(&m, n_rows, COLUMNS);
	model_build(&m, builder, &out, &ids, &n_ids);
	io.n_bytes = out.n;
	MUST(block_open(&b, &io) == 0);
	for (c = 0; c < COLUMNS; c++)
		sums[c] = column_sum(b, m.names[c]);
	for (i = 0; i < out.n * 8; i += 1 + below(step))
		check_flip(&out, &m, sums, i);
	for (i = 0; i < out.n; i++) {
		io.n_bytes = i;
		CHECK(block_open(&cut, &io) == BLOCK_E_CORRUPT);
	}
	arena_fini(&m.arena);
}

/* Every encoding is met with on the way, or the tests above have tested less than they say. */
static void
test_encodings(struct block_builder *builder)
{
	static const char *const all[] = { "const", "dict", "int", "time", "id", "text", "template",
		"rest" };
	AUTO_FINI(buf_fini) struct buf out = BUF_INIT;
	AUTO(block_free) struct block *b = NULL;
	struct block_io io = { read_buf, &out, 0 };
	struct block_column_info info;
	struct model m;
	const uint64_t *ids;
	size_t n_ids, c, i, hits;

	model_fill(&m, 3000, 540);
	model_build(&m, builder, &out, &ids, &n_ids);
	io.n_bytes = out.n;
	MUST(block_open(&b, &io) == 0);
	for (i = 0; i < ARRAY_LEN(all); i++) {
		for (hits = c = 0; c < block_n_columns(b); c++) {
			block_column_at(b, c, &info);
			hits += strcmp(info.encoding, all[i]) == 0;
		}
		if (hits == 0)
			fprintf(stderr, "no column is %s\n", all[i]);
		CHECK(hits > 0);
	}
	arena_fini(&m.arena);
}

/* FUZZ_SEEDS=folder: write blocks for tests/fuzz/corpus/block and end. */
static int
write_seeds(struct block_builder *builder, const char *dir)
{
	static const size_t rows[] = { 1, 7, 80, 400, 300 };
	AUTO_FINI(buf_fini) struct buf out = BUF_INIT;
	struct model m;
	const uint64_t *ids;
	size_t n_ids, i;
	char path[256];
	FILE *f;

	for (i = 0; i < ARRAY_LEN(rows); i++) {
		/* The last one has rare fields. */
		model_fill(&m, rows[i], i < 4 ? COLUMNS : 600);
		model_build(&m, builder, &out, &ids, &n_ids);
		(void)snprintf(path, sizeof(path), "%s/rows%zu", dir, rows[i]);
		f = fopen(path, "w");
		MUST(f != NULL && fputc((int)i, f) == (int)i &&
		    fwrite(out.p, 1, out.n, f) == out.n && fclose(f) == 0);
		arena_fini(&m.arena);
	}
	return 0;
}

int
main(void)
{
	AUTO(block_builder_free) struct block_builder *builder = NULL;
	size_t i;

	MUST(block_builder_new(&builder) == 0);
	if (getenv("FUZZ_SEEDS") != NULL)
		return write_seeds(builder, getenv("FUZZ_SEEDS"));
	for (i = 0; i < 60; i++)
		check_round_trip(builder, 1 + below(i < 30 ? 40 : 3000), COLUMNS);
	check_round_trip(builder, 400, 600);
	check_round_trip(builder, 20000, COLUMNS);
	test_encodings(builder);
	test_damage(builder, 3, 1);
	test_damage(builder, 80, 16);
	test_damage(builder, 2000, 5000);
	return check_done();
}
