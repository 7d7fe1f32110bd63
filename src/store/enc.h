/*
 * store/enc.h - the encodings of a block's columns.
 * One job: name what each enc_*.c makes of values and gives back.
 * Floor: 2 (uses record, base).  For the block*.c of this room only.
 *
 * Decoders trust nothing: whatever does not fit is BLOCK_E_CORRUPT, and memory is asked for by rows and
 * by ENC_BYTES_MAX, never by a number that is read.
 */
#pragma once

#include "base/bits.h"
#include "base/buf.h"
#include "record/column.h"
#include "store/block.h"

/* On disk; never renumbered.  A reader that does not know a number loses that column only. */
enum enc_id {
	ENC_CONST = 1, /* the value stands in the directory */
	ENC_DICT = 2,
	ENC_INT = 3,
	ENC_TIME = 4,
	ENC_ID = 5,
	ENC_TEXT = 6,
	ENC_TMPL = 7,
	ENC_REST = 8, /* the values stand in the column of role ROLE_REST */
	ENC_SHAPE = 9,
};

/* On disk; what a column is for. */
enum enc_role {
	ROLE_FIELD = 0,
	ROLE_TIME = 1,
	ROLE_STREAM = 2,
	ROLE_REST = 3,  /* fields beyond BLOCK_COLUMNS_MAX, all in one */
	ROLE_SHAPE = 4, /* how the original line was made of the fields */
	ROLE_LINE = 5,  /* original lines that no shape can make */
};

enum {
	ENC_GROUP = 1024,    /* integers that share a frame of reference */
	ENC_DICT_MAX = 4096, /* distinct values of a dictionary that was chosen, not forced */
	ENC_CONST_MAX = 256, /* bytes; a longer one would swell the directory */
	ENC_PAGE = 64 << 10, /* bytes of text in a page, but for one longer value */
	ENC_PAGE_SEALED =
	    256 << 10, /* the same, where nobody waits and small logs are to become one */
	ENC_RECORD_MAX = 64 << 20,                        /* bytes of one row */
	ENC_DICT_VERSION_MAX = 2,                         /* 1 unless its codes are flags */
	ENC_TMPL_VERSION_MAX = 2,                         /* 1 where slots share nothing */
	ENC_BYTES_MAX = BLOCK_BYTES_MAX + ENC_RECORD_MAX, /* bytes of a column, decoded */
};

/* A column's values, as the builder keeps them: row i has bytes[offs[i] .. offs[i + 1]), absent is empty.
 * At least ENC_PAD bytes may be read beyond the last value. */
enum { ENC_PAD = 16 };
struct enc_values {
	const uint8_t *bytes;
	const uint32_t *offs;
	size_t n;
};

static inline struct str
enc_value(const struct enc_values *v, size_t i)
{
	return str_of(v->bytes + v->offs[i], v->offs[i + 1] - v->offs[i]);
}

/* A value that stands among other bytes; ENC_PAD bytes may be read beyond the last of them.  Values are met far from each other,
 * and most are short: their bytes go with them. */
struct enc_span {
	uint32_t at, n;
	uint64_t head; /* the first eight bytes, the first in the lowest bits; 0 behind the value */
};

struct enc_distinct {
	struct str *values; /* in the order of their first row */
	size_t n;
	uint32_t *codes; /* of each row */
	size_t n_bytes;  /* of values */
};

/* Memory that encoders share, kept from block to block. */
struct enc_scratch {
	struct arena arena; /* block_encode_column clears it first */
	struct ZSTD_CCtx_s *zstd;
	struct buf tmp; /* enc_bytes's own */
	int level;      /* of zstd: 1, or what block_builder_level says */
	/* Of the column encoded last: the first row of each template, if templates were looked for and found. */
	uint32_t *first_rows; /* TMPL_MAX of them */
	size_t n_first_rows;
	struct enc_distinct
	    distinct; /* its different values, if it was encoded by them, else none; in arena */
};
int enc_scratch_init(struct enc_scratch *s);
void enc_scratch_fini(struct enc_scratch *s);

/* Which rows of a column are asked for: rows[0..n) ascending, or all n when rows is NULL. */
struct enc_rows {
	const uint32_t *rows;
	size_t n;
};

/*
 * A column as its decoder sees it.  head is read and its checksum holds; what lies behind it (pages) is
 * read by enc_page.
 */
struct enc_chunk {
	size_t n_rows;
	unsigned version; /* of the encoding */
	unsigned scale;
	struct str name;
	struct str head;
	struct block *block; /* for enc_read */
	uint64_t at;         /* of the chunk in the block */
	uint64_t len;        /* head and pages */
	struct ZSTD_DCtx_s *zstd;
};

/** enc_is_known(enc, version): of encodings whose number is known: whether this version can be read.  Shapes have their own. */
static inline bool
enc_is_known(unsigned enc, unsigned version)
{
	return version == 1 || (enc == ENC_TMPL && version == ENC_TMPL_VERSION_MAX) ||
	    (enc == ENC_DICT && version == ENC_DICT_VERSION_MAX);
}

/** enc_read(c, at, n, sum, out): n bytes at ${at} of the chunk; checks that they hash to ${sum}. */
int enc_read(const struct enc_chunk *c, uint64_t at, size_t n, uint32_t sum, uint8_t *out);

/* -- bits: enc_bits.c -- */

/** enc_bits_width(v): bits that v needs; 0 for 0. */
static inline unsigned
enc_bits_width(uint64_t v)
{
	return v == 0 ? 0 : 64 - (unsigned)__builtin_clzll(v);
}

static inline size_t
enc_bits_bytes(size_t n, unsigned width)
{
	return (n * width + 7) / 8;
}

/** enc_bits_put(out, v, n, width): append the low ${width} bits of each, the first in the lowest bits. */
void enc_bits_put(struct buf *out, const uint64_t *v, size_t n, unsigned width);
void enc_bits_put32(struct buf *out, const uint32_t *v, size_t n, unsigned width);
/** enc_bits_get(p, n, width, base, out): back, ${base} added to each; p has enc_bits_bytes(n, width) bytes. */
void enc_bits_get(const uint8_t *p, size_t n, unsigned width, uint64_t base, int64_t *out);
void enc_bits_get32(const uint8_t *p, size_t n, unsigned width, uint32_t *out);
/** enc_bits_at32(p, n_bytes, i, width): the i-th alone; width at most 32. */
uint32_t enc_bits_at32(const uint8_t *p, size_t n_bytes, size_t i, unsigned width);

/* -- runs of integers: enc_ints.c -- */

/** enc_ints_put(out, v, n): append n integers in groups of ENC_GROUP. */
void enc_ints_put(struct buf *out, const int64_t *v, size_t n);
/** enc_ints_get(s, out, n): back; false when s holds no such thing. */
bool enc_ints_get(struct scan *s, int64_t *out, size_t n);
/** enc_ints_pick(s, n, at, k, out): the k of them with the numbers at[], which ascend. */
bool enc_ints_pick(struct scan *s, size_t n, const uint32_t *at, size_t k, int64_t *out);
/** enc_ints_skip(s, n): step over n integers. */
bool enc_ints_skip(struct scan *s, size_t n);

/* -- runs of bytes: enc_bytes.c -- */

/** enc_bytes_put(out, s, bytes): append ${bytes}, compressed where that is shorter. */
void enc_bytes_put(struct buf *out, struct enc_scratch *s, struct str bytes);
/** enc_bytes_put_codes(out, s, bytes): the same, for bytes that are numbers of few values. */
void enc_bytes_put_codes(struct buf *out, struct enc_scratch *s, struct str bytes);
/** enc_bytes_get(s, zstd, max, arena, ret): back; in ${arena} or borrowed from ${s}. */
int enc_bytes_get(struct scan *s, struct ZSTD_DCtx_s *zstd, size_t max, struct arena *arena,
    struct str *ret);
/** enc_zstd_put(out, s, bytes): one bare zstd frame of ${bytes}; false when it is not shorter. */
bool enc_zstd_put(struct buf *out, struct enc_scratch *s, struct str bytes);
/** enc_zstd_get(zstd, in, out, n): exactly n bytes back, or false. */
bool enc_zstd_get(struct ZSTD_DCtx_s *zstd, struct str in, uint8_t *out, size_t n);

/* -- which rows have a value: enc_present.c -- */

/** enc_present_count(v): how many rows of ${v} are not empty. */
size_t enc_present_count(const struct enc_values *v);
/** enc_present_put(out, s, v, ret_n): append which rows of ${v} are not empty; ${ret_n} says how many. */
int enc_present_put(struct buf *out, struct enc_scratch *s, const struct enc_values *v,
    size_t *ret_n);
/** enc_present_get(s, zstd, n_rows, arena, ret, ret_n): the bitmap, or NULL when all have. */
int enc_present_get(struct scan *s, struct ZSTD_DCtx_s *zstd, size_t n_rows, struct arena *arena,
    const uint64_t **ret, size_t *ret_n);

/** enc_mix(h, p, n, e): mix p[n], whose ends are ${e}, into hash ${h}; for tables in memory only. */
static inline uint64_t
enc_mix(uint64_t h, const uint8_t *p, size_t n, struct bytes_ends e)
{
	uint64_t x;
	size_t i;

	h = (h ^ e.first ^ ((uint64_t)(n + 1) << 56)) * UINT64_C(0x9e3779b97f4a7c15);
	h = (h ^ (h >> 32) ^ e.last) * UINT64_C(0xd6e8feb86659fd93);
	for (i = 8; i + 8 < n; i += 16) {
		x = bytes_load_le(p + (i + 16 < n ? i + 8 : n - 8));
		h = (h ^ (h >> 29) ^ bytes_load_le(p + i)) * UINT64_C(0xd6e8feb86659fd93);
		h = (h ^ (h >> 29) ^ x) * UINT64_C(0x9e3779b97f4a7c15);
	}
	return h ^ (h >> 32);
}

/* -- distinct values: enc_distinct.c -- */

/** enc_distinct(v, max, arena, ret, ret_ok): ${ret_ok} is false when there are more than ${max}. */
int enc_distinct(const struct enc_values *v, size_t max, struct arena *arena,
    struct enc_distinct *ret, bool *ret_ok);
/** enc_distinct_spans(bytes, spans, n, max, arena, ret, ret_ok): the same for n values among ${bytes}. */
int enc_distinct_spans(const uint8_t *bytes, const struct enc_span *spans, size_t n, size_t max,
    struct arena *arena, struct enc_distinct *ret, bool *ret_ok);

/* -- runs of small numbers: enc_codes.c -- */

struct enc_codes {
	bool bytewise;
	unsigned width;
	struct str packed;
};
/** enc_codes_put(out, s, codes, n, bound): append n numbers below ${bound}, which is at least 1. */
int enc_codes_put(struct buf *out, struct enc_scratch *s, const uint32_t *codes, size_t n,
    size_t bound);
/** enc_codes_put_flags(out, s, codes, n, ret_ok): the same below 2, where that is much shorter than a bit a number; else nothing is
 * appended.  Readers know it from ENC_DICT_VERSION_MAX on. */
int enc_codes_put_flags(struct buf *out, struct enc_scratch *s, const uint32_t *codes, size_t n,
    bool *ret_ok);
int enc_codes_get(struct scan *s, struct ZSTD_DCtx_s *zstd, size_t n, struct arena *arena,
    struct enc_codes *ret);
/** enc_codes_of(c, rows, bound, out): the numbers of ${rows}; false when one is not below ${bound}. */
bool enc_codes_of(const struct enc_codes *c, const struct enc_rows *rows, size_t bound,
    uint32_t *out);

/* -- the encodings -- */

/** enc_dict_most(n, size): so many values of n rows may differ at most if a dictionary takes less than ${size} bytes, each half a one. */
size_t enc_dict_most(size_t n, size_t size);
int enc_dict_put(struct buf *out, struct enc_scratch *s, const struct enc_distinct *d, size_t n,
    unsigned *ret_version);
int enc_dict_get(const struct enc_chunk *c, const struct enc_rows *rows, struct arena *arena,
    struct column *ret);

/** enc_int_put(out, s, v, ret_scale, ret_min, ret_max): false when v are not canonical numbers of one scale. */
int enc_int_put(struct buf *out, struct enc_scratch *s, const struct enc_values *v, bool *ret_ok,
    unsigned *ret_scale, int64_t *ret_min, int64_t *ret_max);
int enc_int_get(const struct enc_chunk *c, const struct enc_rows *rows, struct arena *arena,
    struct column *ret);
/** enc_int_stored(c, arena, ret): as block_ints. */
int enc_int_stored(const struct enc_chunk *c, struct arena *arena, struct block_ints *ret);

void enc_time_put(struct buf *out, struct enc_scratch *s, const int64_t *ns, size_t n);
int enc_time_get(const struct enc_chunk *c, const struct enc_rows *rows, struct arena *arena,
    struct column *ret);
/** enc_time_count(c, sel, range, ctx): as block_count_times. */
int enc_time_count(const struct enc_chunk *c, const uint64_t *sel, block_times_fn range, void *ctx);

/** enc_id_is(v): whether ${v} has the form of an ID: a UUID, or lower-case hex. */
bool enc_id_is(struct str v);
/** enc_id_put(out, s, v, ret_ok): ${ret_ok} is false, and nothing appended, unless all values are UUIDs, or
 * lower-case hex of one even length from 16 on. */
int enc_id_put(struct buf *out, struct enc_scratch *s, const struct enc_values *v, bool *ret_ok);
int enc_id_get(const struct enc_chunk *c, const struct enc_rows *rows, struct arena *arena,
    struct column *ret);
/** enc_id_parse(v, is_hex, out): the bytes of a UUID, or of hex; false when ${v}, which is as long, is none.
 * enc_id_format(id, size, is_hex, out): back. */
bool enc_id_parse(struct str v, bool is_hex, uint8_t *out);
void enc_id_format(const uint8_t *id, size_t size, bool is_hex, uint8_t *out);
enum { ENC_UUID_TEXT = 36 };
/** enc_id_equal(c, value, arena, sel): clear the bits of rows that do not have ${value}, without making any text. */
int enc_id_equal(const struct enc_chunk *c, struct str value, struct arena *arena, uint64_t *sel);
/** enc_id_contains(c, literal, arena, sel): likewise those that do not contain it; BLOCK_E_OTHER when it is shorter than an ID, so
 * that texts have to be made. */
int enc_id_contains(const struct enc_chunk *c, struct str literal, struct arena *arena,
    uint64_t *sel);

/** enc_text_page(s): bytes of text that a page has. */
static inline size_t
enc_text_page(const struct enc_scratch *s)
{
	return s->level > 1 ? ENC_PAGE_SEALED : ENC_PAGE;
}

/** enc_text_put(out, s, v, ret_head): ${ret_head} is the length of the head within what was appended. */
int enc_text_put(struct buf *out, struct enc_scratch *s, const struct enc_values *v,
    size_t *ret_head);
int enc_text_get(const struct enc_chunk *c, const struct enc_rows *rows, struct arena *arena,
    struct column *ret);
/** enc_text_contains(c, m, sel): as block_contains. */
struct block_match;
int enc_text_contains(const struct enc_chunk *c, const struct block_match *m, uint64_t *sel);

/** enc_tmpl_put(out, s, v, ret_head, ret_version): ${ret_version} is 0, and nothing appended, when text is as short. */
int enc_tmpl_put(struct buf *out, struct enc_scratch *s, const struct enc_values *v,
    size_t *ret_head, unsigned *ret_version);
int enc_tmpl_get(const struct enc_chunk *c, const struct enc_rows *rows, struct arena *arena,
    struct column *ret);
/** enc_tmpl_forms(c, rows, arena, ret): as block_forms. */
int enc_tmpl_forms(const struct enc_chunk *c, const struct enc_rows *rows, struct arena *arena,
    struct column *ret);
int enc_tmpl_contains(const struct enc_chunk *c, const struct block_match *m, uint64_t *sel);
/** enc_tmpl_word(c, m, is_prefix, found): as block_word. */
int enc_tmpl_word(const struct enc_chunk *c, const struct block_match *m, bool is_prefix,
    uint64_t *found);
/** enc_tmpl_ipv4(c, q, sel): as block_ipv4. */
struct enc_ipv4 {
	uint64_t min, max;
	bool (*is_in)(void *ctx, struct str text);
	void *ctx;
};
int enc_tmpl_ipv4(const struct enc_chunk *c, const struct enc_ipv4 *q, uint64_t *sel);
