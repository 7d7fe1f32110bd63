/*
 * base/buf.c - growing bytes.
 * One job: append, with one place to look for "no memory".
 * Floor: 0.
 */
#include "base/buf.h"

#include <stdio.h>

#include "base/utf8.h"

void
buf_fini(struct buf *b)
{
	free(b->p);
	*b = (struct buf)BUF_INIT;
}

bool
buf_grow(struct buf *b, size_t extra)
{
	size_t want, cap;
	uint8_t *p;

	if (b->cap - b->n >= extra)
		return true;
	if (extra > SIZE_MAX / 2 - b->n) {
		b->failed = true;
		return false;
	}
	want = b->n + extra;
	if (b->limit != 0 && want > b->limit) {
		b->failed = true;
		return false;
	}
	cap = b->cap < 64 ? 64 : b->cap;
	while (cap < want)
		cap += cap / 2;
	p = realloc(b->p, cap);
	if (p == NULL) {
		b->failed = true;
		return false;
	}
	b->p = p;
	b->cap = cap;
	return true;
}

void
buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0 || !buf_grow(b, (size_t)n + 1)) {
		b->failed = true;
		return;
	}
	va_start(ap, fmt);
	(void)vsnprintf((char *)b->p + b->n, (size_t)n + 1, fmt, ap);
	va_end(ap);
	b->n += (size_t)n;
}

void
buf_uint(struct buf *b, uint64_t v)
{
	uint8_t digits[20];
	size_t at = sizeof(digits);

	do {
		digits[--at] = (uint8_t)('0' + v % 10);
		v /= 10;
	} while (v != 0);
	buf_put(b, digits + at, sizeof(digits) - at);
}

void
buf_int(struct buf *b, int64_t v)
{
	if (v < 0) {
		buf_byte(b, '-');
		buf_uint(b, 0 - (uint64_t)v);
	} else {
		buf_uint(b, (uint64_t)v);
	}
}

static void
json_escape(struct buf *b, uint8_t c)
{
	static const char hex[] = "0123456789abcdef";
	uint8_t seq[6] = { '\\', 'u', '0', '0', 0, 0 };
	const char *from = "\b\f\n\r\t\"\\", *to = "bfnrt\"\\", *at;

	at = c != 0 ? strchr(from, c) : NULL;
	if (at != NULL) {
		seq[1] = (uint8_t)to[at - from];
		buf_put(b, seq, 2);
		return;
	}
	seq[4] = (uint8_t)hex[c >> 4];
	seq[5] = (uint8_t)hex[c & 15];
	buf_put(b, seq, 6);
}

/* Whether none of eight bytes is a control, a quote, a backslash, DEL or beyond ASCII.  A borrow or carry goes up only
 * from a byte that is one of them, so the answer for all eight is exact. */
static inline bool
plain_eight(const uint8_t *p)
{
	const uint64_t ones = UINT64_C(0x0101010101010101), tops = ones << 7;
	uint64_t w, quote, escape;

	memcpy(&w, p, sizeof(w));
	quote = w ^ (ones * '"');
	escape = w ^ (ones * '\\');
	return ((w | (w + ones) | ((w - ones * 0x20) & ~w) | ((quote - ones) & ~quote) |
	            ((escape - ones) & ~escape)) &
	           tops) == 0;
}

void
buf_json(struct buf *b, struct str s)
{
	size_t i = 0, start = 0, n;
	uint8_t c;

	buf_byte(b, '"');
	while (i < s.n) {
		if (LIKELY(s.n - i >= 8) && plain_eight(s.p + i)) {
			i += 8;
			continue;
		}
		c = s.p[i];
		if (LIKELY(c >= 0x20 && c < 0x7f && c != '"' && c != '\\')) {
			i++;
			continue;
		}
		if (c >= 0x80 && (n = utf8_len(s.p + i, s.n - i)) != 0) {
			i += n;
			continue;
		}
		buf_put(b, s.p + start, i - start);
		if (c >= 0x80)
			buf_c(b, "\xef\xbf\xbd");
		else
			json_escape(b, c);
		start = ++i;
	}
	if (i > start)
		buf_put(b, s.p + start, i - start);
	buf_byte(b, '"');
}

const char *
buf_c_str(struct buf *b)
{
	if (!buf_grow(b, 1))
		return "";
	b->p[b->n] = '\0';
	return (const char *)b->p;
}

static void
put_le(struct buf *b, uint64_t v, size_t n)
{
	uint8_t le[8];
	size_t i;

	for (i = 0; i < n; i++)
		le[i] = (uint8_t)(v >> (8 * i));
	buf_put(b, le, n);
}

void
buf_u16(struct buf *b, uint16_t v)
{
	put_le(b, v, 2);
}

void
buf_u32(struct buf *b, uint32_t v)
{
	put_le(b, v, 4);
}

void
buf_u64(struct buf *b, uint64_t v)
{
	put_le(b, v, 8);
}

void
buf_varint(struct buf *b, uint64_t v)
{
	uint8_t leb[10];
	size_t n = 0;

	while (v >= 0x80) {
		leb[n++] = (uint8_t)(v | 0x80);
		v >>= 7;
	}
	leb[n++] = (uint8_t)v;
	buf_put(b, leb, n);
}

static uint64_t
get_le(struct scan *s, size_t n)
{
	uint64_t v = 0;
	size_t i;

	if (s->bad || s->n - s->at < n) {
		s->bad = true;
		return 0;
	}
	for (i = 0; i < n; i++)
		v |= (uint64_t)s->p[s->at + i] << (8 * i);
	s->at += n;
	return v;
}

uint8_t
scan_u8(struct scan *s)
{
	return (uint8_t)get_le(s, 1);
}

uint16_t
scan_u16(struct scan *s)
{
	return (uint16_t)get_le(s, 2);
}

uint32_t
scan_u32(struct scan *s)
{
	return (uint32_t)get_le(s, 4);
}

uint64_t
scan_u64(struct scan *s)
{
	return get_le(s, 8);
}

uint64_t
scan_varint(struct scan *s)
{
	uint64_t v = 0;
	unsigned shift;
	uint8_t c;

	for (shift = 0; shift < 64; shift += 7) {
		c = scan_u8(s);
		if (shift == 63 && c > 1)
			break;
		v |= (uint64_t)(c & 0x7f) << shift;
		if (c < 0x80)
			return s->bad ? 0 : v;
	}
	s->bad = true;
	return 0;
}

struct str
scan_bytes(struct scan *s, size_t n)
{
	struct str r;

	if (s->bad || s->n - s->at < n) {
		s->bad = true;
		return STR_NONE;
	}
	r = (struct str){ s->p + s->at, n };
	s->at += n;
	return r;
}
