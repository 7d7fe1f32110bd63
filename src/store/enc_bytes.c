/*
 * store/enc_bytes.c - runs of bytes.
 * One job: zstd where it helps, and never trust a length that is read.
 * Floor: 2 (uses base; zstd).
 *
 * Bytes, version 1:
 *
 *   size     field
 *   1        mode    0 plain, 1 one zstd frame
 *   varint   n_raw   bytes, decoded
 *   varint   n       mode 1 only: bytes of the frame
 *   n        bytes
 */
#include <zstd.h>

#include "store/tmpl.h"

enum { MODE_PLAIN = 0, MODE_ZSTD = 1, LEVEL = 1, SHORT = 32 };

/* Of codes what counts is how uneven they are: long matches only, found by a small table.  5 % shorter than level 1 makes
 * them, made in half the time and read in three quarters. */
enum { CODES_MATCH = 7, CODES_HASH_LOG = 6 };

int
enc_scratch_init(struct enc_scratch *s)
{
	*s = (struct enc_scratch){ .level = LEVEL };
	s->zstd = ZSTD_createCCtx();
	s->first_rows = malloc(TMPL_MAX * sizeof(*s->first_rows));
	return s->zstd != NULL && s->first_rows != NULL ? 0 : err_origin(-ENOMEM);
}

void
enc_scratch_fini(struct enc_scratch *s)
{
	arena_fini(&s->arena);
	buf_fini(&s->tmp);
	(void)ZSTD_freeCCtx(s->zstd);
	free(s->first_rows);
	s->zstd = NULL;
	s->first_rows = NULL;
}

static size_t
compress_codes(ZSTD_CCtx *ctx, uint8_t *out, size_t cap, struct str bytes)
{
	(void)ZSTD_CCtx_reset(ctx, ZSTD_reset_session_and_parameters);
	(void)ZSTD_CCtx_setParameter(ctx, ZSTD_c_compressionLevel, LEVEL);
	(void)ZSTD_CCtx_setParameter(ctx, ZSTD_c_strategy, ZSTD_fast);
	(void)ZSTD_CCtx_setParameter(ctx, ZSTD_c_minMatch, CODES_MATCH);
	(void)ZSTD_CCtx_setParameter(ctx, ZSTD_c_hashLog, CODES_HASH_LOG);
	return ZSTD_compress2(ctx, out, cap, bytes.p, bytes.n);
}

static bool
zstd_put(struct buf *out, struct enc_scratch *s, struct str bytes, bool codes)
{
	size_t bound, n;

	if (bytes.n < SHORT)
		return false;
	bound = ZSTD_compressBound(bytes.n);
	if (!buf_grow(out, bound))
		return false;
	n = codes ? compress_codes(s->zstd, out->p + out->n, bound, bytes)
	          : ZSTD_compressCCtx(s->zstd, out->p + out->n, bound, bytes.p, bytes.n, s->level);
	if (ZSTD_isError(n) || n >= bytes.n)
		return false;
	out->n += n;
	return true;
}

bool
enc_zstd_put(struct buf *out, struct enc_scratch *s, struct str bytes)
{
	return zstd_put(out, s, bytes, false);
}

bool
enc_zstd_get(struct ZSTD_DCtx_s *zstd, struct str in, uint8_t *out, size_t n)
{
	size_t got = ZSTD_decompressDCtx(zstd, out, n, in.p, in.n);

	return !ZSTD_isError(got) && got == n;
}

static void
bytes_put(struct buf *out, struct enc_scratch *s, struct str bytes, bool codes)
{
	buf_clear(&s->tmp);
	if (zstd_put(&s->tmp, s, bytes, codes)) {
		buf_byte(out, MODE_ZSTD);
		buf_varint(out, bytes.n);
		buf_varint(out, s->tmp.n);
		buf_put(out, s->tmp.p, s->tmp.n);
	} else {
		/* Without memory for a try, plain bytes are right as well. */
		buf_byte(out, MODE_PLAIN);
		buf_varint(out, bytes.n);
		buf_str(out, bytes);
	}
}

void
enc_bytes_put(struct buf *out, struct enc_scratch *s, struct str bytes)
{
	bytes_put(out, s, bytes, false);
}

void
enc_bytes_put_codes(struct buf *out, struct enc_scratch *s, struct str bytes)
{
	bytes_put(out, s, bytes, true);
}

int
enc_bytes_get(struct scan *s, struct ZSTD_DCtx_s *zstd, size_t max, struct arena *arena,
    struct str *ret)
{
	unsigned mode = scan_u8(s);
	uint64_t n_raw = scan_varint(s), n;
	struct str in;
	uint8_t *p;

	if (s->bad || n_raw > max || mode > MODE_ZSTD)
		return BLOCK_E_CORRUPT;
	if (mode == MODE_PLAIN) {
		*ret = scan_bytes(s, n_raw);
		return s->bad ? BLOCK_E_CORRUPT : 0;
	}
	n = scan_varint(s);
	in = scan_bytes(s, n);
	/* The frame's own header says how much it holds; only when both agree is memory asked for. */
	if (s->bad || ZSTD_getFrameContentSize(in.p, in.n) != n_raw)
		return BLOCK_E_CORRUPT;
	p = arena_alloc(arena, n_raw + ENC_PAD);
	if (p == NULL)
		return err_origin(-ENOMEM);
	if (!enc_zstd_get(zstd, in, p, n_raw))
		return BLOCK_E_CORRUPT;
	*ret = str_of(p, n_raw);
	return 0;
}
