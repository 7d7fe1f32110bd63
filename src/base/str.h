/*
 * base/str.h - counted bytes.
 * One job: name a run of bytes that somebody else owns.
 * Floor: 0.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* A borrowed view of n bytes, any bytes, no NUL at the end.  p may be NULL only when n is 0. */
struct str {
	const uint8_t *p;
	size_t n;
};

/* STR("literal") */
#define STR(lit) ((struct str){ (const uint8_t *)("" lit), sizeof(lit) - 1 })
#define STR_INIT(lit)                                      \
	{                                                  \
		(const uint8_t *)("" lit), sizeof(lit) - 1 \
	} /* for static tables */
#define STR_NONE   ((struct str){ NULL, 0 })
/* printf("%.*s", STR_ARG(s)) */
#define STR_ARG(s) (int)(s).n, (const char *)(s).p

static inline struct str
str_of(const void *p, size_t n)
{
	return (struct str){ (const uint8_t *)p, n };
}

static inline struct str
str_c(const char *s)
{
	return (struct str){ (const uint8_t *)s, s != NULL ? strlen(s) : 0 };
}

/* memcmp(a, b, n) == 0, without a call for the short values that logs are made of. */
static inline bool
bytes_equal(const uint8_t *a, const uint8_t *b, size_t n)
{
	uint64_t a8[2], b8[2];
	uint32_t a4[2], b4[2];

	if (n > 32)
		return memcmp(a, b, n) == 0;
	/* The compiler makes two comparisons of each. */
	if (n > 16)
		return memcmp(a, b, 16) == 0 && memcmp(a + n - 16, b + n - 16, 16) == 0;
	if (n >= 8) {
		memcpy(&a8[0], a, 8);
		memcpy(&b8[0], b, 8);
		memcpy(&a8[1], a + n - 8, 8);
		memcpy(&b8[1], b + n - 8, 8);
		return ((a8[0] ^ b8[0]) | (a8[1] ^ b8[1])) == 0;
	}
	if (n >= 4) {
		memcpy(&a4[0], a, 4);
		memcpy(&b4[0], b, 4);
		memcpy(&a4[1], a + n - 4, 4);
		memcpy(&b4[1], b + n - 4, 4);
		return ((a4[0] ^ b4[0]) | (a4[1] ^ b4[1])) == 0;
	}
	/* The first, the one in the middle and the last are all there are. */
	return n == 0 || (a[0] == b[0] && a[n / 2] == b[n / 2] && a[n - 1] == b[n - 1]);
}

/* The eight bytes at p, the first in the lowest bits. */
static inline uint64_t
bytes_load_le(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	v = __builtin_bswap64(v);
#endif
	return v;
}

/*
 * The first and the last eight bytes of a value; of one that is shorter all, padded with 0.  Up to 16 bytes they and its length are
 * all there is to it, and nothing branches on how long values are, which no CPU can guess.
 */
struct bytes_ends {
	uint64_t first, last;
};

/* The bits of the first n bytes of a word, n being at most 8. */
static inline uint64_t
bytes_mask(size_t n)
{
	static const uint64_t masks[9] = { 0, 0xff, 0xffff, 0xffffff, 0xffffffff, 0xffffffffff,
		0xffffffffffff, 0xffffffffffffff, UINT64_MAX };

	return masks[n];
}

/* Those of p[n]; eight bytes beyond it may be read. */
static inline struct bytes_ends
bytes_ends_of(const uint8_t *p, size_t n)
{
	size_t k = n < 8 ? n : 8;

	return (struct bytes_ends){ bytes_load_le(p) & bytes_mask(k),
		bytes_load_le(p + n - k) & bytes_mask(k) };
}

/* memcmp(a, b, n) == 0, of values that have these ends. */
static inline bool
bytes_equal_ends(const uint8_t *a, struct bytes_ends x, const uint8_t *b, struct bytes_ends y,
    size_t n)
{
	if (((x.first ^ y.first) | (x.last ^ y.last)) != 0)
		return false;
	if (n <= 16)
		return true;
	/* What is between them is half of either side, up to here. */
	if (n <= 32)
		return ((bytes_load_le(a + 8) ^ bytes_load_le(b + 8)) |
		           (bytes_load_le(a + n - 16) ^ bytes_load_le(b + n - 16))) == 0;
	return memcmp(a + 8, b + 8, n - 16) == 0;
}

/* memcpy(to, from, n), likewise. */
static inline void
bytes_copy(uint8_t *to, const uint8_t *from, size_t n)
{
	uint64_t v8[2];
	uint32_t v4[2];

	if (n > 32) {
		memcpy(to, from, n);
	} else if (n > 16) {
		/* The compiler makes a move or two of each. */
		memcpy(to, from, 16);
		memcpy(to + n - 16, from + n - 16, 16);
	} else if (n >= 8) {
		memcpy(&v8[0], from, 8);
		memcpy(&v8[1], from + n - 8, 8);
		memcpy(to, &v8[0], 8);
		memcpy(to + n - 8, &v8[1], 8);
	} else if (n >= 4) {
		memcpy(&v4[0], from, 4);
		memcpy(&v4[1], from + n - 4, 4);
		memcpy(to, &v4[0], 4);
		memcpy(to + n - 4, &v4[1], 4);
	} else if (n > 0) {
		to[0] = from[0];
		to[n / 2] = from[n / 2];
		to[n - 1] = from[n - 1];
	}
}

static inline bool
str_eq(struct str a, struct str b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static inline bool
str_eq_c(struct str a, const char *b)
{
	return str_eq(a, str_c(b));
}

/* The order of memcmp, the shorter first. */
static inline int
str_cmp(struct str a, struct str b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int r = n != 0 ? memcmp(a.p, b.p, n) : 0;

	return r != 0 ? r : (a.n > b.n) - (a.n < b.n);
}

/* from <= to <= s.n, else what there is. */
static inline struct str
str_sub(struct str s, size_t from, size_t to)
{
	if (to > s.n)
		to = s.n;
	if (from > to)
		from = to;
	return from == 0 && s.p == NULL ? s : (struct str){ s.p + from, to - from };
}

static inline bool
str_starts(struct str s, struct str prefix)
{
	return s.n >= prefix.n && (prefix.n == 0 || memcmp(s.p, prefix.p, prefix.n) == 0);
}

static inline bool
str_ends(struct str s, struct str suffix)
{
	return s.n >= suffix.n &&
	    (suffix.n == 0 || memcmp(s.p + s.n - suffix.n, suffix.p, suffix.n) == 0);
}

/* ASCII only. */
static inline uint8_t
str_lower_byte(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c;
}

/**
 * str_find(s, needle):
 * Offset of the first ${needle} in ${s}, or SIZE_MAX.  An empty needle is found at 0.  It is in find.c.
 */
size_t str_find(struct str s, struct str needle);

/** str_find_nocase(s, folded): the same without regard to ASCII case; ${folded} is in lower case. */
size_t str_find_nocase(struct str s, struct str folded);

static inline size_t
str_find_byte(struct str s, uint8_t c)
{
	const void *p = s.n != 0 ? memchr(s.p, c, s.n) : NULL;

	return p != NULL ? (size_t)((const uint8_t *)p - s.p) : SIZE_MAX;
}

/* Equal without regard to ASCII case. */
static inline bool
str_eq_nocase(struct str a, struct str b)
{
	size_t i;

	if (a.n != b.n)
		return false;
	for (i = 0; i < a.n; i++)
		if (str_lower_byte(a.p[i]) != str_lower_byte(b.p[i]))
			return false;
	return true;
}

/* Blanks, tabs, CR and LF off both ends. */
static inline struct str
str_trim(struct str s)
{
	while (s.n > 0 && (s.p[0] == ' ' || (s.p[0] >= '\t' && s.p[0] <= '\r'))) {
		s.p++;
		s.n--;
	}
	while (s.n > 0 && (s.p[s.n - 1] == ' ' || (s.p[s.n - 1] >= '\t' && s.p[s.n - 1] <= '\r')))
		s.n--;
	return s;
}
