/*
 * tests/unit/test_enc_columns.c - the encodings of columns.
 * One job: each is chosen for the data that it is for, and says the same to its decoder and to one written from docs/FORMAT.md.
 */
#include "column_reference.h"

enum { ROWS = 3000 };

static uint64_t seed = 987654321987654321;

static uint64_t
rnd(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

/* ID number ${k}: the same digits each time. */
static void
put_id(struct buf *out, uint64_t k, bool dashes)
{
	uint64_t x = (k + 1) * UINT64_C(0x9e3779b97f4a7c15),
	         y = x * UINT64_C(0xd6e8feb86659fd93) ^ k;

	buf_printf(out, dashes ? "%08x-%04x-%04x-%04x-%012llx" : "%08x%04x%04x%04x%012llx",
	    (unsigned)(x >> 32), (unsigned)(x >> 16 & 0xffff), (unsigned)(x & 0xffff),
	    (unsigned)(y >> 48), (unsigned long long)(y & UINT64_C(0xffffffffffff)));
}

typedef void (*make_fn)(struct buf *out, size_t row);

static void
make_const(struct buf *out, size_t row)
{
	buf_c(out, "the same");
}

static void
make_level(struct buf *out, size_t row)
{
	static const char *const levels[] = { "info", "warning", "", "error" };

	buf_c(out, levels[rnd() % 4]);
}

/* So uneven that codes are bytes under zstd. */
static void
make_rarely(struct buf *out, size_t row)
{
	buf_c(out, row % 999 == 7 ? "b" : row % 1499 == 8 ? "c" : "a");
}

static void
make_flag(struct buf *out, size_t row)
{
	buf_c(out, row % 300 < 4 ? "true" : "false");
}

static void
make_coin(struct buf *out, size_t row)
{
	buf_c(out, rnd() % 2 != 0 ? "true" : "false");
}

static void
make_decimal(struct buf *out, size_t row)
{
	buf_printf(out, "%s%llu.%03llu", rnd() % 5 == 0 ? "-" : "",
	    (unsigned long long)(rnd() % 100 == 0 ? rnd() % 1000000 : 1 + rnd() % 90),
	    (unsigned long long)(rnd() % 1000));
}

static void
make_sparse_int(struct buf *out, size_t row)
{
	if (rnd() % 3 != 0)
		buf_printf(out, "%lld", (long long)rnd() >> 30);
}

static void
make_uuid(struct buf *out, size_t row)
{
	put_id(out, row - rnd() % 20 * (row > 20), true);
}

static void
make_sparse_hex(struct buf *out, size_t row)
{
	if (rnd() % 4 == 0)
		put_id(out, row / 7, false);
}

static void
make_bytes(struct buf *out, size_t row)
{
	size_t n = rnd() % 60;

	while (n-- > 0)
		buf_byte(out, (uint8_t)rnd());
}

static void
make_messages(struct buf *out, size_t row)
{
	switch (rnd() % 8) {
	case 0:
		buf_printf(out, "from 10.0.%d.%d port %d", (int)(rnd() % 256), (int)(rnd() % 256),
		    (int)(rnd() % 65536));
		break;
	case 1:
		buf_printf(out, "took %d.%02dms, key %08x", (int)(rnd() % 500), (int)(rnd() % 100),
		    (unsigned)rnd());
		break;
	case 2:
		buf_printf(out, "file a%d.b of %s", (int)(rnd() % 3), rnd() % 2 != 0 ? "x1" : "y2");
		break;
	case 3:
		buf_printf(out, "at %02d:%02d job-%d %s%d.tmp", (int)(rnd() % 24),
		    (int)(rnd() % 60), (int)(rnd() % 1000), rnd() % 2 != 0 ? "long" : "s",
		    (int)rnd());
		break;
	case 4:
		make_bytes(out, row);
		break;
	case 5:
		break;
	default:
		buf_printf(out, "always v1.2 and %d", (int)(row / 3));
	}
}

/* IDs and files that stand in many kinds of messages. */
static void
make_shared(struct buf *out, size_t row)
{
	size_t kind = rnd() % 12, request = row / 12;

	buf_printf(out, "kind %c begins req-", (int)('a' + kind));
	put_id(out, request, true);
	if (kind % 3 == 0) {
		buf_c(out, " host ");
		put_id(out, rnd() % 9, false);
		buf_c(out, " ");
		put_id(out, request / 5, true);
		buf_c(out, "_del");
	} else if (kind % 3 == 1) {
		buf_printf(out, " file part-%d.of.the.%c.backup", (int)(request % 70 * 7919),
		    (int)('a' + request % 7));
	}
}

static int
read_data(void *ctx, uint64_t at, size_t n, uint8_t *out)
{
	const struct buf *data = ctx;

	if (at > data->n || n > data->n - at)
		return -EIO;
	memcpy(out, data->p + at, n);
	return 0;
}

/* Through block_decode, and row by row for some. */
static void
check_decoded(struct block_entry *e, struct buf *data, const struct enc_values *v)
{
	struct block b = { .io = { read_data, data, data->n },
		.header = { .n_rows = (uint32_t)v->n } };
	AUTO_FINI(arena_fini) struct arena arena = ARENA_INIT;
	uint32_t some[] = { 0, 1, 63, 64, 999, 1024, 2047, ROWS - 1 };
	const struct enc_rows all = { NULL, v->n }, few = { some, ARRAY_LEN(some) };
	char scratch[COLUMN_SCRATCH];
	struct column c;
	size_t i;

	MUST(block_decode(&b, e, &all, &arena, &c) == 0);
	for (i = 0; i < v->n; i++)
		CHECK_STR(column_value(&c, i, scratch), enc_value(v, i));
	MUST(block_decode(&b, e, &few, &arena, &c) == 0);
	for (i = 0; i < few.n; i++)
		CHECK_STR(column_value(&c, i, scratch), enc_value(v, some[i]));
	block_zstd_give(NULL, b.zstd);
	free(e->head);
	e->head = NULL;
}

static void
check_column(const char *what, make_fn make, enum enc_id enc, unsigned version, int level)
{
	AUTO_FINI(buf_fini) struct buf text = BUF_INIT, data = BUF_INIT;
	AUTO_FINI(arena_fini) struct arena arena = ARENA_INIT;
	struct block_entry e = { .name = STR("a"), .role = ROLE_FIELD };
	static uint32_t offs[ROWS + 1];
	static struct str out[ROWS];
	struct enc_scratch s;
	struct enc_values v;
	size_t i;

	for (i = 0; i < ROWS; i++) {
		make(&text, i);
		offs[i + 1] = (uint32_t)text.n;
	}
	MUST(buf_grow(&text, ENC_PAD) && enc_scratch_init(&s) == 0);
	s.level = level;
	v = (struct enc_values){ text.p, offs, ROWS };
	MUST(block_encode_column(&s, &v, &e, &data) == 0);
	if (e.enc != enc || e.version != version) {
		fprintf(stderr, "%s: encoding %d, version %d\n", what, e.enc, e.version);
		check_failed++;
	}
	reference_column(&e, buf_view(&data), ROWS, out, &arena);
	for (i = 0; i < ROWS; i++)
		CHECK_STR(out[i], enc_value(&v, i));
	check_decoded(&e, &data, &v);
	enc_scratch_fini(&s);
}

/* A flipped bit anywhere is told. */
static void
check_damage(struct block_entry *e, struct buf *data, const struct enc_values *v)
{
	struct block b = { .io = { read_data, data, data->n },
		.header = { .n_rows = (uint32_t)v->n } };
	const struct enc_rows all = { NULL, v->n };
	size_t i, at;
	struct column c;
	int r;

	for (i = 0; i < 300; i++) {
		AUTO_FINI(arena_fini) struct arena arena = ARENA_INIT;

		at = e->at + rnd() % e->len;
		data->p[at] ^= 0x10;
		r = block_decode(&b, e, &all, &arena, &c);
		CHECK(r == BLOCK_E_CORRUPT);
		data->p[at] ^= 0x10;
		free(e->head);
		e->head = NULL;
	}
	block_zstd_give(NULL, b.zstd);
}

/* Values that slots share stand once: ten kinds of messages with the same IDs take little more than one. */
static void
test_shared_is_short(void)
{
	AUTO_FINI(buf_fini) struct buf text = BUF_INIT, data = BUF_INIT;
	struct block_entry e = { .name = STR("a"), .role = ROLE_FIELD };
	uint32_t offs[1001] = { 0 };
	struct enc_scratch s;
	struct enc_values v;
	size_t i;

	for (i = 0; i < 1000; i++) {
		buf_printf(&text, "%c has ", (int)('a' + i % 10));
		put_id(&text, i / 10, true);
		offs[i + 1] = (uint32_t)text.n;
	}
	MUST(buf_grow(&text, ENC_PAD) && enc_scratch_init(&s) == 0);
	v = (struct enc_values){ text.p, offs, 1000 };
	MUST(block_encode_column(&s, &v, &e, &data) == 0);
	CHECK(e.enc == ENC_TMPL && e.version == 2);
	/* 100 IDs of 16 bytes; by themselves the slots would take ten times as much. */
	CHECK(data.n < 1600 + 1200);
	check_damage(&e, &data, &v);
	enc_scratch_fini(&s);
}

int
main(void)
{
	static const int levels[] = { 1, 9 };
	size_t i;

	for (i = 0; i < ARRAY_LEN(levels); i++) {
		check_column("const", make_const, ENC_CONST, 1, levels[i]);
		check_column("level", make_level, ENC_DICT, 1, levels[i]);
		check_column("rarely", make_rarely, ENC_DICT, 1, levels[i]);
		check_column("flag", make_flag, ENC_DICT, 2, levels[i]);
		check_column("coin", make_coin, ENC_DICT, 1, levels[i]);
		check_column("decimal", make_decimal, ENC_INT, 1, levels[i]);
		check_column("sparse int", make_sparse_int, ENC_INT, 1, levels[i]);
		check_column("uuid", make_uuid, ENC_ID, 1, levels[i]);
		check_column("sparse hex", make_sparse_hex, ENC_ID, 1, levels[i]);
		check_column("bytes", make_bytes, ENC_TEXT, 1, levels[i]);
		check_column("messages", make_messages, ENC_TMPL, 1, levels[i]);
		check_column("shared", make_shared, ENC_TMPL, 2, levels[i]);
	}
	test_shared_is_short();
	return check_done();
}
