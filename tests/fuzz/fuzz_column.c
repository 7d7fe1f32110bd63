/*
 * tests/fuzz/fuzz_column.c - one hostile column in a block that is sound.
 * One job: give each decoder any bytes at once, without a header and a directory that must be guessed first.
 *
 *   size   what
 *   1      chooses the literal, the rows, with bit 7 that the column is that of rare fields, and with bit 6 the newest version of
 *          its encoding
 *   1      encoding
 *   2      rows, less one
 *   1      scale
 *   2      bytes of the head; the rest of the chunk is pages
 *   ...    the chunk
 */
#include "block_fuzz.h"

enum { ROWS_MAX = 4096 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
put_times(struct buf *out, size_t n)
{
	static int64_t times[ROWS_MAX];
	size_t i;

	for (i = 0; i < n; i++)
		times[i] = INT64_C(1795219200000000000) + (int64_t)i * 1000000;
	enc_time_put(out, NULL, times, n);
}

static void
put_entries(struct buf *dir, struct block_entry e, size_t n_data, size_t n_times, size_t *ret_n)
{
	struct block_entry fixed = { .name = STR("b"), .enc = ENC_CONST, .version = 1 };
	struct block_entry time = { .name = STR("_time"),
		.role = ROLE_TIME,
		.enc = ENC_TIME,
		.version = 1,
		.at = n_data,
		.head_len = n_times,
		.len = n_times };
	struct block_entry rare = { .name = STR("r"), .enc = ENC_REST, .version = 1 };

	fixed.value = STR("x\"y 10");
	block_entry_put(dir, &fixed);
	block_entry_put(dir, &e);
	*ret_n = 2;
	if (e.role != ROLE_TIME) {
		block_entry_put(dir, &time);
		++*ret_n;
	}
	if (e.role == ROLE_REST) {
		block_entry_put(dir, &rare);
		++*ret_n;
	}
}

static void
put_block(struct buf *out, const struct block_entry *e, uint32_t n_rows, struct str chunk)
{
	AUTO_FINI(buf_fini) struct buf dir = BUF_INIT, times = BUF_INIT;
	struct block_header h = { .n_rows = n_rows };
	size_t n = 0;

	put_times(&times, n_rows);
	put_entries(&dir, *e, chunk.n, times.n, &n);
	h.n_columns = (uint32_t)n;
	h.dir_len = (uint32_t)dir.n;
	h.n_bytes = 2 * (BLOCK_HEADER + dir.n) + chunk.n + times.n;
	block_header_put(out, &h);
	buf_str(out, buf_view(&dir));
	buf_str(out, chunk);
	buf_str(out, buf_view(&times));
	buf_str(out, buf_view(&dir));
	block_header_put(out, &h);
	if (out->failed || dir.failed || times.failed)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO_FINI(buf_fini) struct buf out = BUF_INIT;
	struct scan s = { data, size, 0, false };
	unsigned choice = scan_u8(&s), enc = scan_u8(&s) % (ENC_SHAPE + 1);
	uint32_t n_rows = scan_u16(&s) % ROWS_MAX + 1;
	struct block_entry e = { .name = STR("a"), .enc = (uint8_t)enc, .version = 1 };

	e.scale = scan_u8(&s);
	e.head_len = scan_u16(&s);
	if ((enc == ENC_TMPL || enc == ENC_DICT) && (choice & 0x40) != 0)
		e.version = 2;
	if (s.bad || enc == ENC_CONST || enc == ENC_REST)
		return 0;
	e.len = size - s.at;
	e.head_len = e.head_len < e.len ? e.head_len : e.len;
	e.role = choice & 0x80 ? ROLE_REST : ROLE_FIELD;
	if (enc == ENC_TIME)
		e.role = ROLE_TIME;
	else if (enc == ENC_SHAPE)
		e.role = ROLE_SHAPE;
	put_block(&out, &e, n_rows, str_of(data + s.at, e.len));
	try_block(buf_view(&out), choice);
	return 0;
}
