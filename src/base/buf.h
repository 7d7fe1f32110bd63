/*
 * base/buf.h - growing bytes.
 * One job: append, with one place to look for "no memory".
 * Floor: 0.
 *
 * A failed append sets ->failed and changes nothing else; the caller checks once, with buf_err().
 */
#pragma once

#include <stdarg.h>

#include "base/err.h"
#include "base/str.h"

/*
 * Invariants: n <= cap; p == NULL iff cap == 0.  BUF_INIT is an empty one.  Beyond limit bytes (0: none) there is
 * no memory.
 */
struct buf {
	uint8_t *p;
	size_t n;
	size_t cap;
	bool failed;
	size_t limit;
};
#define BUF_INIT                     \
	{                            \
		NULL, 0, 0, false, 0 \
	}

/** buf_fini(b): free it and leave it zeroed; may run twice. */
void buf_fini(struct buf *b);

/** buf_grow(b, extra): make room for ${extra} more bytes; false (and failed) when there is none. */
bool buf_grow(struct buf *b, size_t extra);

/** buf_put(b, p, n): append n bytes. */
static inline void
buf_put(struct buf *b, const void *p, size_t n)
{
	if (n == 0)
		return;
	if (UNLIKELY(b->cap - b->n < n) && !buf_grow(b, n))
		return;
	memcpy(b->p + b->n, p, n);
	b->n += n;
}

static inline void
buf_str(struct buf *b, struct str s)
{
	buf_put(b, s.p, s.n);
}

static inline void
buf_c(struct buf *b, const char *s)
{
	buf_put(b, s, strlen(s));
}

static inline void
buf_byte(struct buf *b, uint8_t c)
{
	if (UNLIKELY(b->cap == b->n) && !buf_grow(b, 1))
		return;
	b->p[b->n++] = c;
}

static inline void
buf_clear(struct buf *b)
{
	b->n = 0;
	b->failed = false;
}

/* What is in it now; borrowed until the next append. */
static inline struct str
buf_view(const struct buf *b)
{
	return (struct str){ b->p, b->n };
}

static inline int
buf_err(const struct buf *b)
{
	return b->failed ? err_origin(-ENOMEM) : 0;
}

/** buf_printf(b, fmt, …): append formatted text. */
void buf_printf(struct buf *b, const char *fmt, ...) PRINTF_LIKE(2, 3);

/** buf_int(b, v), buf_uint(b, v): append in decimal. */
void buf_int(struct buf *b, int64_t v);
void buf_uint(struct buf *b, uint64_t v);

/**
 * buf_json(b, s):
 * Append ${s} as a JSON string with its quotes.  Bytes that are no UTF-8 become U+FFFD, controls and
 * U+007F are escaped.
 */
void buf_json(struct buf *b, struct str s);

/** buf_c_str(b): NUL after the end (not counted); "" without memory.  Borrowed. */
const char *buf_c_str(struct buf *b);

/* Little-endian numbers and LEB128, for formats. */
void buf_u16(struct buf *b, uint16_t v);
void buf_u32(struct buf *b, uint32_t v);
void buf_u64(struct buf *b, uint64_t v);
void buf_varint(struct buf *b, uint64_t v);

/*
 * A bounds-checked reader over borrowed bytes.  A read past the end sets ->bad and gives 0 or nothing;
 * the caller checks once.
 */
struct scan {
	const uint8_t *p;
	size_t n;
	size_t at;
	bool bad;
};
#define SCAN_OF(s) ((struct scan){ (s).p, (s).n, 0, false })

uint8_t scan_u8(struct scan *s);
uint16_t scan_u16(struct scan *s);
uint32_t scan_u32(struct scan *s);
uint64_t scan_u64(struct scan *s);
uint64_t scan_varint(struct scan *s);
struct str scan_bytes(struct scan *s, size_t n);
