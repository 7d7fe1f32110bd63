/* tests/unit/test_base.c - buffers, scans, UTF-8, maps, arenas, bitmaps. */
#include "base/bits.h"
#include "base/buf.h"
#include "base/digits.h"
#include "base/hash.h"
#include "base/map.h"
#include "base/utf8.h"
#include "check.h"

static void
test_numbers(void)
{
	static const uint64_t values[] = { 0, 1, 127, 128, 16383, 16384, UINT32_MAX, UINT64_MAX };
	struct buf b = BUF_INIT;
	struct scan s;
	size_t i;

	for (i = 0; i < ARRAY_LEN(values); i++)
		buf_varint(&b, values[i]);
	buf_u16(&b, 0x1234);
	buf_u32(&b, 0x12345678);
	buf_u64(&b, UINT64_MAX - 1);
	s = SCAN_OF(buf_view(&b));
	for (i = 0; i < ARRAY_LEN(values); i++)
		CHECK(scan_varint(&s) == values[i]);
	CHECK(
	    scan_u16(&s) == 0x1234 && scan_u32(&s) == 0x12345678 && scan_u64(&s) == UINT64_MAX - 1);
	CHECK(!s.bad && s.at == s.n);
	CHECK(scan_u8(&s) == 0 && s.bad);
	buf_clear(&b);
	buf_int(&b, INT64_MIN);
	CHECK_STR(buf_view(&b), STR("-9223372036854775808"));
	buf_fini(&b);
	/* A varint that is too long, or whose tenth byte is too big, is bad. */
	s = SCAN_OF(STR("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"));
	(void)scan_varint(&s);
	CHECK(s.bad);
}

static void
test_json(void)
{
	struct buf b = BUF_INIT;

	buf_json(&b, STR("a\"\\\n\x01\x7f\xc3\xa9\xff\xed\xa0\x80"));
	CHECK_STR(buf_view(&b),
	    STR("\"a\\\"\\\\\\n\\u0001\\u007f\xc3\xa9\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""));
	buf_clear(&b);
	buf_json(&b, str_of("\0", 1));
	CHECK_STR(buf_view(&b), STR("\"\\u0000\""));
	buf_fini(&b);
}

static void
test_utf8(void)
{
	uint8_t out[4];
	uint32_t c;
	size_t n;

	for (c = 0; c < 0x110000; c++) {
		n = utf8_encode(out, c);
		if (c >= 0xd800 && c < 0xe000)
			CHECK(utf8_len(out, n) == 0);
		else
			CHECK(utf8_len(out, n) == n && utf8_decode(out, n, &n) == c);
	}
	CHECK(utf8_len((const uint8_t *)"\xc0\x80", 2) == 0);
	CHECK(utf8_len((const uint8_t *)"\xf4\x90\x80\x80", 4) == 0);
	CHECK(utf8_len((const uint8_t *)"\xe2\x82", 2) == 0);
	/* One column, none, two. */
	CHECK(utf8_width(STR("a\xcc\x88\xe6\x9d\xb1\xff")) == 4);
	CHECK(utf8_width(STR("\xf0\x9f\x98\x80\xe2\x82\xac")) == 3);
	CHECK(utf8_fit(STR("\xe6\x9d\xb1\xe4\xba\xac"), 3, &n) == 3 && n == 2);
	CHECK(utf8_fit(STR("a\xcc\x88"), 1, &n) == 3 && n == 1);
	CHECK(utf8_fit(STR(""), 9, &n) == 0 && n == 0);
	CHECK(!utf8_valid(STR("abcdefgh\x80")) && utf8_valid(STR("abcdefgh\xe2\x82\xac")));
}

static void
test_map(void)
{
	struct map m = MAP_INIT;
	struct map_entry *e;
	char key[24];
	bool is_new;
	int i;

	for (i = 0; i < 20000; i++) {
		(void)snprintf(key, sizeof(key), "key%d", i);
		e = map_put(&m, str_c(key), &is_new);
		MUST(e != NULL);
		CHECK(is_new);
		e->value = (uint64_t)i;
	}
	for (i = 0; i < 20000; i++) {
		(void)snprintf(key, sizeof(key), "key%d", i);
		e = map_get(&m, str_c(key));
		CHECK(e != NULL && e->value == (uint64_t)i);
		CHECK_STR(m.entries[i].key, str_c(key));
	}
	CHECK(map_get(&m, STR("absent")) == NULL);
	CHECK(map_put(&m, STR("key1"), &is_new) != NULL && !is_new);
	map_clear(&m);
	CHECK(map_get(&m, STR("key1")) == NULL);
	map_fini(&m);
	map_fini(&m);
}

static void
test_bits(void)
{
	uint64_t w[3] = { 0 };
	size_t i, n = 0;

	bits_fill(w, 130);
	CHECK(bits_count(w, 130) == 130 && w[2] == 3);
	bits_zero(w, 130);
	bits_set(w, 0);
	bits_set(w, 64);
	bits_set(w, 129);
	BITS_FOREACH(i, w, 130)
	n += i;
	CHECK(n == 193);
}

/* Sparse, dense and full words; nothing is written behind the last number. */
static void
test_bits_list(void)
{
	uint64_t w[9], seed = 7;
	uint32_t *out;
	size_t n, i, k, count, round;

	for (round = 0; round < 500; round++) {
		n = 1 + round % (ARRAY_LEN(w) * 64);
		bits_fill(w, n);
		for (i = 0; i < n; i++) {
			seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
			if (round % 4 != 0 && (seed >> 40) % (1 + round % 60) >= round % 7)
				bits_clear(w, i);
		}
		count = bits_count(w, n);
		out = malloc((count + 1) * sizeof(*out));
		out[count] = 4711;
		bits_list(w, n, out);
		for (i = k = 0; i < n; i++)
			CHECK(!bits_get(w, i) || (k < count && out[k++] == i));
		CHECK(k == count && out[count] == 4711);
		free(out);
	}
}

/* Against one bit after the other, over runs of all lengths. */
static void
test_bits_runs(void)
{
	enum { N = 1000 };
	uint64_t w[BITS_WORDS(N) + 2] = { 0 };
	size_t i, start, end, next, n;

	for (i = 0; i < N; i++)
		if (i * i % 301 > 20 || (i > 300 && i < 500))
			bits_set(w, i);
	/* Bits beyond n may be set here: n is where a caller stops. */
	for (n = 1; n <= N; n += 37)
		for (i = 0; i <= n; i++) {
			next = bits_next(w, n, i);
			CHECK(bits_seek(w, n, i) == (next < n ? next : n));
			if (i == n || !bits_get(w, i))
				continue;
			for (end = i; end < n && bits_get(w, end); end++)
				;
			for (start = i; start > n / 2 && bits_get(w, start - 1); start--)
				;
			CHECK(bits_run_end(w, n, i) == end);
			if (i >= n / 2)
				CHECK(bits_run_start(w, i, n / 2) == start);
		}
}

/* One digit after the other: whether s[n] is what digits_decimal says that it takes. */
static bool
plain_decimal(const char *s, size_t n, uint64_t *ret, unsigned *ret_scale)
{
	size_t i, point = n;

	*ret = 0;
	for (i = 0; i < n; i++) {
		if (s[i] == '.' && point == n)
			point = i;
		else if (s[i] >= '0' && s[i] <= '9')
			*ret = *ret * 10 + (uint64_t)(s[i] - '0');
		else
			return false;
	}
	*ret_scale = point == n ? 0 : (unsigned)(n - point - 1);
	return point > 0 && point <= 8 && (s[0] != '0' || point == 1) &&
	    (point == n || (*ret_scale >= 1 && *ret_scale <= 8));
}

/* All texts of a few bytes, and long ones, with digits and other bytes behind them. */
static void
test_digits(void)
{
	static const char bytes[] = "019.-/:a";
	char text[32] = "";
	uint64_t x, want = 0, got = 0;
	unsigned scale = 0, want_scale = 0;
	size_t i, k, n;
	bool good;

	for (i = 0; i < (size_t)1 << 21; i++) {
		memset(text, i & 1 ? '7' : ';', sizeof(text));
		n = i % 19;
		for (x = i * UINT64_C(0x9e3779b97f4a7c15), k = 0; k < n; k++, x /= 8) {
			text[k] = bytes[x % 8];
			/* Mostly digits, or hardly any text were a number. */
			if (x / 8 % 64 < 48 && text[k] != '.')
				text[k] = (char)('0' + x / 64 % 10);
		}
		good = plain_decimal(text, n, &want, &want_scale);
		if (good != digits_decimal((const uint8_t *)text, n, &got, &scale) ||
		    (good && (want != got || want_scale != scale)))
			CHECK_STR(STR("digits_decimal"), str_of(text, n));
		if (n <= 8 &&
		    (good !=
		            digits_decimal_of(bytes_load_le((const uint8_t *)text) & bytes_mask(n),
		                n, &got, &scale) ||
		        (good && (want != got || want_scale != scale))))
			CHECK_STR(STR("digits_decimal_of"), str_of(text, n));
		for (k = 0; k < 8 && text[k] >= '0' && text[k] <= '9'; k++)
			;
		CHECK(digits_count((const uint8_t *)text) == k);
	}
}

static int
compare(const void *a, const void *b)
{
	uint64_t x, y;

	memcpy(&x, a, sizeof(x));
	memcpy(&y, b, sizeof(y));
	return (x > y) - (x < y);
}

/* Hashes; a few bits of them; all but one near each other; the same one; and of each none, one, few and many. */
static void
test_hash_sort(void)
{
	enum { N = 5000 };
	static const size_t counts[] = { 0, 1, 2, 31, 33, 1000, N };
	uint64_t v[N], want[N], h;
	size_t i, k, n;

	for (k = 0; k < 5 * ARRAY_LEN(counts); k++) {
		n = counts[k % ARRAY_LEN(counts)];
		for (i = 0; i < n; i++) {
			h = hash64(str_of(&i, sizeof(i)));
			switch (k / ARRAY_LEN(counts)) {
			case 0:
				v[i] = h;
				break;
			case 1:
				v[i] = h & 0xff;
				break;
			case 2:
				v[i] = i == n / 2 ? UINT64_MAX : h >> 40;
				break;
			case 3:
				v[i] = 7;
				break;
			default:
				v[i] = h >> 8 | UINT64_C(0x55) << 56;
				break;
			}
		}
		memcpy(want, v, n * sizeof(*v));
		if (n > 0)
			qsort(want, n, sizeof(*want), compare);
		hash_sort(v, n);
		CHECK(memcmp(v, want, n * sizeof(*v)) == 0);
	}
}

static void
test_arena(void)
{
	struct arena a = ARENA_INIT;
	uint8_t *p;
	size_t i;

	for (i = 0; i < 5000; i++) {
		p = arena_alloc(&a, i);
		MUST(p != NULL);
		CHECK(((uintptr_t)p & 15) == 0);
		memset(p, 0x5a, i);
	}
	CHECK(arena_alloc(&a, SIZE_MAX) == NULL);
	CHECK(arena_zalloc(&a, SIZE_MAX, 2) == NULL);
	arena_clear(&a);
	arena_fini(&a);
}

int
main(void)
{
	test_numbers();
	test_json();
	test_utf8();
	test_map();
	test_bits();
	test_bits_list();
	test_bits_runs();
	test_digits();
	test_hash_sort();
	test_arena();
	return check_done();
}
