/*
 * base/find.c - where bytes stand.
 * One job: find text in text.
 * Floor: 0.
 *
 * Two bytes of the needle are looked for at once, at many places a step, and only where both fit is the whole
 * compared; in long texts these are the two that logs have least.  Cost: 8 to 25 GB/s.  What defeats that (a text full
 * of places where both fit) is handed to memmem, whose time is linear.
 * Source: W. Mula, "SIMD-friendly algorithms for substring searching", 2016.
 */
#include "base/find.h"

enum {
	FAR_MIN = 96,     /* places for which it pays to call the variant of the CPU */
	CHOOSE_MIN = 256, /* bytes of text for which it pays to choose */
	CHOOSE_MAX = 64,  /* bytes of the needle that are chosen from */
	PATIENCE =
	    4096 /* bytes that may be compared for nothing, beside twice as many as were searched */
};

/* How common a byte is in logs: its place among all, the most common last.  Made from sixteen sets of logs. */
/* clang-format off */
static const uint8_t common[256] = {
	0, 0, 0, 0, 0, 0, 0, 0, 0, 50, 50, 0, 0, 0, 0, 0,
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	94, 3, 79, 29, 16, 6, 7, 11, 39, 38, 23, 13, 65, 75, 82, 61,
	93, 92, 89, 77, 76, 78, 73, 74, 71, 69, 86, 21, 10, 49, 9, 4,
	18, 45, 35, 47, 41, 43, 42, 22, 27, 46, 33, 28, 37, 44, 52, 40,
	36, 15, 51, 58, 48, 31, 17, 34, 12, 8, 26, 54, 5, 53, 1, 60,
	2, 87, 64, 81, 80, 95, 62, 63, 66, 83, 20, 59, 72, 67, 84, 90,
	68, 30, 88, 85, 91, 70, 56, 50, 55, 57, 19, 25, 32, 24, 14, 0,
	30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30,
	30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30,
	30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30,
	30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30,
	0, 0, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15,
	15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15,
	15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15,
	15, 15, 15, 15, 15, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
};
/* clang-format on */

/* Eight places: 0x80 in each byte where both fit.  Exact, since no byte's sum carries into the next. */
static inline uint64_t
word_hits(const uint8_t *p, const uint8_t *q, struct find_pair pair)
{
	const uint64_t ones = UINT64_C(0x0101010101010101), low7 = ones * 0x7f;
	uint64_t fold = ones * pair.fold, v;

	v = ((bytes_load_le(p) | fold) ^ (ones * pair.a)) |
	    ((bytes_load_le(q) | fold) ^ (ones * pair.b));
	return ~(((v & low7) + low7) | v | low7);
}

/* Fewer than sixteen places. */
static inline size_t
pair_in_words(const uint8_t *p, const uint8_t *q, size_t n, struct find_pair pair)
{
	size_t i = 0;
	uint64_t hits;

	for (; n - i >= 8; i += 8) {
		hits = word_hits(p + i, q + i, pair);
		if (hits != 0)
			return i + (size_t)__builtin_ctzll(hits) / 8;
	}
	for (; i < n; i++)
		if ((p[i] | pair.fold) == pair.a && (q[i] | pair.fold) == pair.b)
			break;
	return i;
}

/* Registers of sixteen bytes, which the compiler has on every CPU that we know. */
typedef uint8_t bytes16 __attribute__((__vector_size__(16)));

/* The first of sixteen places where both fit, or 16. */
static inline size_t
first_of_16(const uint8_t *p, const uint8_t *q, const bytes16 x[3])
{
	bytes16 a, b;
	uint8_t hits[16];
	uint64_t half[2];

	memcpy(&a, p, sizeof(a));
	memcpy(&b, q, sizeof(b));
	a = (bytes16)((a | x[2]) == x[0]) & (bytes16)((b | x[2]) == x[1]);
	memcpy(hits, &a, sizeof(hits));
	half[0] = bytes_load_le(hits);
	half[1] = bytes_load_le(hits + 8);
	if ((half[0] | half[1]) == 0)
		return 16;
	return half[0] != 0 ? (size_t)__builtin_ctzll(half[0]) / 8
	                    : 8 + (size_t)__builtin_ctzll(half[1]) / 8;
}

static inline size_t
pair_in_16(const uint8_t *p, const uint8_t *q, size_t n, struct find_pair pair)
{
	const bytes16 x[3] = { pair.a - (bytes16){ 0 }, pair.b - (bytes16){ 0 },
		pair.fold - (bytes16){ 0 } };
	size_t i, hit;

	if (n < 16)
		return pair_in_words(p, q, n, pair);
	for (i = 0; i < n; i += 16) {
		/* The last step overlaps the one before, in which nothing was found. */
		if (n - i < 16)
			i = n - 16;
		hit = first_of_16(p + i, q + i, x);
		if (hit < 16)
			return i + hit;
	}
	return n;
}

static size_t
pair_portable(const uint8_t *p, const uint8_t *q, size_t n, struct find_pair pair)
{
	return pair_in_16(p, q, n, pair);
}

/* SSE2 and NEON are what the compiler makes of the portable one.  AVX-512 searches a tenth faster than AVX2 in the
 * cache, and no faster in memory. */
const find_pair_fn find_pair_table[CPU_N_LEVELS] =
    CPU_TABLE(pair_portable, pair_portable, find_pair_avx2, find_pair_avx2, pair_portable);

/* The two places of a needle of at least two bytes that are looked for. */
static void
choose(struct str needle, size_t n_text, size_t at[2])
{
	size_t i, n = needle.n < CHOOSE_MAX ? needle.n : CHOOSE_MAX;

	at[0] = 0;
	at[1] = needle.n - 1;
	if (n_text < CHOOSE_MIN || n <= 2)
		return;
	at[1] = 1;
	for (i = 1; i < n; i++) {
		if (common[needle.p[i]] < common[needle.p[at[0]]]) {
			at[1] = at[0];
			at[0] = i;
		} else if (i > 1 && common[needle.p[i]] < common[needle.p[at[1]]]) {
			at[1] = i;
		}
	}
}

static bool
equal_nocase(const uint8_t *p, struct str folded)
{
	size_t i;

	for (i = 0; i < folded.n; i++)
		if (str_lower_byte(p[i]) != folded.p[i])
			return false;
	return true;
}

static size_t
find_linear(struct str s, size_t at, struct str needle)
{
	const uint8_t *p = memmem(s.p + at, s.n - at, needle.p, needle.n);

	return p != NULL ? (size_t)(p - s.p) : SIZE_MAX;
}

/* needle.n is at least 1 and at most s.n. */
static size_t
find(struct str s, struct str needle, uint8_t fold)
{
	size_t at[2], i = 0, n = s.n - needle.n + 1, compared = 0;
	const find_pair_fn next = n >= FAR_MIN ? find_pair_table[cpu_level()] : NULL;
	const uint8_t *p, *q;
	struct find_pair pair;

	choose(needle, s.n, at);
	pair = (struct find_pair){ needle.p[at[0]] | fold, needle.p[at[1]] | fold, fold };
	for (; i < n; i++) {
		p = s.p + i + at[0];
		q = s.p + i + at[1];
		i += next != NULL ? next(p, q, n - i, pair) : pair_in_16(p, q, n - i, pair);
		if (i == n)
			break;
		if (fold != 0 ? equal_nocase(s.p + i, needle)
		              : bytes_equal(s.p + i, needle.p, needle.n))
			return i;
		compared += needle.n;
		if (fold == 0 && compared > 2 * i + PATIENCE)
			return find_linear(s, i + 1, needle);
	}
	return SIZE_MAX;
}

size_t
str_find(struct str s, struct str needle)
{
	if (needle.n == 0)
		return 0;
	if (needle.n > s.n || s.p == NULL) /* without bytes n is 0; the compiler does not know */
		return SIZE_MAX;
	return needle.n == 1 ? str_find_byte(s, needle.p[0]) : find(s, needle, 0);
}

size_t
str_find_nocase(struct str s, struct str folded)
{
	if (folded.n == 0)
		return 0;
	if (folded.n > s.n || s.p == NULL)
		return SIZE_MAX;
	return find(s, folded, 0x20);
}
