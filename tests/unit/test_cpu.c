/*
 * tests/unit/test_cpu.c - every variant of every loop against the plain rule.
 * Built three times: for this CPU; for one with all of x86-64, emulated (test_cpu_emulated); and for aarch64
 * (test_cpu_aarch64).  All input ends where a page ends that may not be read, and so does all output.
 */
#include <sys/mman.h>

#include "base/bits.h"
#include "base/cpu.h"
#include "base/find.h"
#include "base/own.h"
#include "check.h"
#include "parsers/json_index.h"
#include "store/tmpl_bits.h"
#include "store/unpack.h"

enum { ROOM = 1 << 16 };

static uint64_t
rnd(void)
{
	static uint64_t state = 42;

	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

/* The end of ROOM bytes, behind which nothing may be read or written. */
static uint8_t *
room_end(void)
{
	uint8_t *p =
	    mmap(NULL, 2 * ROOM, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	MUST(p != MAP_FAILED && mprotect(p + ROOM, ROOM, PROT_NONE) == 0);
	return p + ROOM;
}

/* for each level that runs here */
#define EACH_LEVEL(level)                                    \
	for ((level) = 0; (level) < CPU_N_LEVELS; (level)++) \
		if (cpu_can((enum cpu_level)(level)))

static void
test_pick(void)
{
	uint32_t *in_end = (uint32_t *)(void *)room_end(),
	         *out_end = (uint32_t *)(void *)room_end();
	uint64_t w[BITS_WORDS(300)];
	size_t round, n, i, m;
	uint32_t *in, *out;
	unsigned level;

	for (round = 0; round < 600; round++) {
		n = round % 300;
		in = in_end - n;
		memset(w, 0, sizeof(w));
		for (i = 0; i < n; i++) {
			in[i] = (uint32_t)rnd();
			if (round % 5 == 0 || rnd() % (round % 7 + 1) == 0)
				bits_set(w, i);
		}
		EACH_LEVEL(level)
		{
			cpu_force((enum cpu_level)level);
			out = out_end - n;
			CHECK(bits_pick(w, n, in, out) == bits_count(w, n));
			m = 0;
			BITS_FOREACH(i, w, n)
			CHECK(out[m++] == in[i]);
		}
	}
}

static void
test_levels(void)
{
	unsigned level;

	CHECK(cpu_can(CPU_PORTABLE) && cpu_can(cpu_level()));
	CHECK(!(cpu_can(CPU_NEON) && cpu_can(CPU_SSE2)));
	CHECK(cpu_find("abacus") == CPU_N_LEVELS && cpu_find("") == CPU_N_LEVELS);
	for (level = 0; level < CPU_N_LEVELS; level++)
		CHECK(cpu_find(cpu_name((enum cpu_level)level)) == level);
	for (level = 0; level < CPU_N_LEVELS; level++) {
		(void)setenv("WEIR_CPU", cpu_name((enum cpu_level)level), 1);
		CHECK((cpu_forced_wrong() == NULL) == cpu_can((enum cpu_level)level));
	}
	(void)setenv("WEIR_CPU", "abacus", 1);
	CHECK(strcmp(cpu_forced_wrong(), "abacus") == 0);
	(void)setenv("WEIR_CPU", "", 1);
	CHECK(cpu_forced_wrong() == NULL);
	(void)unsetenv("WEIR_CPU");
	CHECK(cpu_forced_wrong() == NULL);
	EACH_LEVEL(level)
	{
		cpu_force((enum cpu_level)level);
		CHECK(cpu_level() == level && json_index_best() == json_index_table[level]);
		CHECK(unpack_best() == unpack_table[level]);
	}
}

static bool
ends_string(uint8_t c)
{
	return c == '"' || c == '\\' || c < 0x20;
}

static void
check_index(const uint8_t *p, size_t n, uint8_t *out_end)
{
	size_t n_words = JSON_INDEX_WORDS(n), i;
	uint64_t *got = (uint64_t *)(void *)out_end - n_words;
	unsigned level;

	EACH_LEVEL(level)
	{
		memset(got, 0x55, n_words * 8);
		json_index_table[level](p, n, got);
		for (i = 0; i < n; i++)
			if (bits_get(got, i) != ends_string(p[i]))
				break;
		CHECK(i == n);
		CHECK(got[n / 64] >> (n % 64) == 1);
	}
}

static void
test_index(uint8_t *in_end, uint8_t *out_end)
{
	size_t n, i, round;
	uint8_t *p;

	for (round = 0; round < 20; round++)
		for (n = 0; n < 300; n++) {
			p = in_end - n;
			for (i = 0; i < n; i++)
				p[i] = rnd() % 4 == 0
				    ? (uint8_t) "\"\\\x00\x1f\x20\x80\xff\x21\xa2\xdc\x9f"[rnd() %
				          11]
				    : (uint8_t)rnd();
			check_index(p, n, out_end);
		}
	/* Each byte at each place. */
	for (n = 1; n <= 130; n += 43)
		for (i = 0; i < n; i++)
			for (round = 0; round < 256; round++) {
				memset(in_end - n, 'x', n);
				in_end[-(ptrdiff_t)(n - i)] = (uint8_t)round;
				check_index(in_end - n, n, out_end);
			}
}

static uint64_t
bits_of(const uint8_t *p, size_t i, unsigned width)
{
	uint64_t v = 0;
	unsigned k;

	for (k = 0; k < width; k++)
		v |= (uint64_t)(p[(i * width + k) / 8] >> ((i * width + k) % 8) & 1) << k;
	return v;
}

static void
check_unpack32(const uint8_t *p, size_t n_bytes, size_t n, unsigned width, uint8_t *out_end)
{
	uint32_t *out = (uint32_t *)(void *)out_end - n;
	size_t got, i;
	unsigned level;

	EACH_LEVEL(level)
	{
		memset(out, 0x55, n * sizeof(*out));
		got = unpack_table[level]->u32(p, n_bytes, n, width, out);
		CHECK(got <= n);
		/* The rest is for the caller, who is slow. */
		CHECK(n < 128 || width < 4 || got >= 64);
		for (i = 0; i < got; i++)
			if (out[i] != bits_of(p, i, width))
				break;
		CHECK(i == got);
	}
}

static void
check_unpack64(const uint8_t *p, size_t n_bytes, size_t n, unsigned width, uint8_t *out_end)
{
	int64_t *out = (int64_t *)(void *)out_end - n;
	uint64_t base = n % 2 == 0 ? 5 : rnd();
	size_t got, i;
	unsigned level;

	EACH_LEVEL(level)
	{
		memset(out, 0x55, n * sizeof(*out));
		got = unpack_table[level]->i64(p, n_bytes, n, width, base, out);
		CHECK(got <= n);
		CHECK(n < 128 || width < 4 || width > 57 || got >= 64);
		for (i = 0; i < got; i++)
			if ((uint64_t)out[i] != bits_of(p, i, width) + base)
				break;
		CHECK(i == got);
	}
}

static void
test_unpack(uint8_t *in_end, uint8_t *out_end)
{
	size_t n, n_bytes, i;
	unsigned width;
	uint8_t *p;

	for (width = 0; width <= 64; width++)
		for (n = 1; n <= 200; n++) {
			n_bytes = (n * width + 7) / 8;
			p = in_end - n_bytes;
			for (i = 0; i < n_bytes; i++)
				p[i] = (uint8_t)rnd();
			check_unpack64(p, n_bytes, n, width, out_end);
			if (width <= 32)
				check_unpack32(p, n_bytes, n, width, out_end);
		}
}

/* Steps on and back, some of them as large as can be. */
static void
test_sums(uint8_t *in_end)
{
	struct unpack_sums got, want;
	unsigned level;
	size_t n, i, round;
	int64_t *v;

	for (round = 0; round < 600; round++) {
		n = round % 70;
		v = (int64_t *)(void *)in_end - n;
		want = (struct unpack_sums){ 0 };
		for (i = 0; i < n; i++) {
			v[i] = (int64_t)(rnd() >> (rnd() % 64)) * (rnd() % 2 == 0 ? 1 : -1);
			if (round % 10 == 0)
				v[i] = rnd() % 2 == 0 ? INT64_MIN : INT64_MAX;
			if (v[i] < 0)
				want.back += 0 - (uint64_t)v[i];
			else
				want.on += (uint64_t)v[i];
			want.any |= (uint64_t)(v[i] < 0 ? ~v[i] : v[i]);
		}
		EACH_LEVEL(level)
		{
			unpack_table[level]->sums(v, n, &got);
			CHECK(got.on == want.on && got.back == want.back && got.any == want.any);
		}
	}
}

static void
check_pair(const uint8_t *p, const uint8_t *q, size_t n, struct find_pair pair)
{
	unsigned level;
	size_t want;

	for (want = 0; want < n; want++)
		if ((p[want] | pair.fold) == pair.a && (q[want] | pair.fold) == pair.b)
			break;
	EACH_LEVEL(level)
	CHECK(find_pair_table[level](p, q, n, pair) == want);
}

static void
test_pair(uint8_t *in_end)
{
	static const uint8_t alphabet[] = { 'a', 'A', 'b', '@', '`', 0xe1, 0xc1, 0, 0xff };
	struct find_pair pair;
	size_t n, i, apart, round;
	uint8_t *p;

	for (round = 0; round < 40; round++)
		for (n = 0; n < 300; n++) {
			apart = rnd() % 20;
			p = in_end - n - apart;
			/* Few that fit, so that whole steps find nothing. */
			for (i = 0; i < n + apart; i++)
				p[i] =
				    rnd() % 16 == 0 ? alphabet[rnd() % ARRAY_LEN(alphabet)] : '.';
			pair.fold = round % 2 == 0 ? 0 : 0x20;
			pair.a = alphabet[rnd() % ARRAY_LEN(alphabet)] | pair.fold;
			pair.b = (round % 4 < 2 ? '.' : alphabet[rnd() % ARRAY_LEN(alphabet)]) |
			    pair.fold;
			check_pair(p, p + apart, n, pair);
		}
}

static size_t
plain_find(struct str s, struct str needle, bool nocase)
{
	size_t i, k;

	for (i = 0; i + needle.n <= s.n; i++) {
		for (k = 0; k < needle.n; k++)
			if ((nocase ? str_lower_byte(s.p[i + k]) : s.p[i + k]) != needle.p[k])
				break;
		if (k == needle.n)
			return i;
	}
	return SIZE_MAX;
}

static void
check_find(struct str s, struct str needle)
{
	uint8_t low[256];
	unsigned level;
	size_t i;

	for (i = 0; i < needle.n; i++)
		low[i] = str_lower_byte(needle.p[i]);
	EACH_LEVEL(level)
	{
		cpu_force((enum cpu_level)level);
		CHECK(str_find(s, needle) == plain_find(s, needle, false));
		CHECK(str_find_nocase(s, str_of(low, needle.n)) ==
		    plain_find(s, str_of(low, needle.n), true));
	}
}

static void
test_find(uint8_t *in_end)
{
	static const char alphabet[] = "abAB@[`{";
	uint8_t needle[40];
	size_t n, k, i, round;
	uint8_t *p;

	for (round = 0; round < 12; round++)
		for (n = 0; n < 700; n += 1 + n / 100) {
			p = in_end - n;
			for (i = 0; i < n; i++)
				p[i] = (uint8_t)alphabet[rnd() % (round % 2 == 0 ? 2 : 8)];
			k = rnd() % 12;
			for (i = 0; i < k; i++)
				needle[i] = (uint8_t)alphabet[rnd() % 8];
			check_find(str_of(p, n), str_of(needle, k));
			/* One that is there, at the end if nowhere before. */
			k = 1 + rnd() % ARRAY_LEN(needle);
			if (k <= n) {
				memcpy(needle, in_end - k, k);
				check_find(str_of(p, n), str_of(needle, k));
			}
		}
	CHECK(str_find(STR_NONE, STR_NONE) == 0 && str_find(STR_NONE, STR("a")) == SIZE_MAX);
}

/* Every other place has both bytes of the needle; only after its middle does it differ. */
static void
test_find_worst(uint8_t *in_end)
{
	uint8_t needle[161], *p = in_end - ROOM / 2;
	unsigned level;
	size_t i;

	for (i = 0; i < ROOM / 2; i++)
		p[i] = i % 2 == 0 ? 'a' : 'b';
	for (i = 0; i < sizeof(needle); i++)
		needle[i] = i == 80 ? 'b' : (i < 80 ? i : i - 1) % 2 == 0 ? 'a' : 'b';
	EACH_LEVEL(level)
	{
		cpu_force((enum cpu_level)level);
		CHECK(str_find(str_of(p, ROOM / 2), str_of(needle, sizeof(needle))) == SIZE_MAX);
	}
	memcpy(in_end - sizeof(needle), needle, sizeof(needle));
	EACH_LEVEL(level)
	{
		cpu_force((enum cpu_level)level);
		CHECK(str_find(str_of(p, ROOM / 2), str_of(needle, sizeof(needle))) ==
		    ROOM / 2 - sizeof(needle));
	}
}

static bool
is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

static bool
in_token(uint8_t c)
{
	return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' ||
	    c == '_' || c == '-';
}

static void
check_tokens(const uint8_t *p, size_t n, uint8_t *out_end)
{
	size_t n_words = BITS_WORDS(n), i;
	uint64_t *digit = (uint64_t *)(void *)out_end - n_words, *token = digit - n_words;
	unsigned level;

	EACH_LEVEL(level)
	{
		memset(token, 0x55, n_words * 16);
		tmpl_bits_table[level](p, n, token, digit);
		for (i = 0; i < n; i++)
			if (bits_get(token, i) != in_token(p[i]) ||
			    bits_get(digit, i) != is_digit(p[i]))
				break;
		CHECK(i == n);
		CHECK(n % 64 == 0 || (token[n / 64] | digit[n / 64]) >> (n % 64) == 0);
	}
}

static void
test_tokens(uint8_t *in_end, uint8_t *out_end)
{
	size_t n, i, round;
	uint8_t *p;

	for (round = 0; round < 10; round++)
		for (n = 0; n < 300; n++) {
			p = in_end - n;
			for (i = 0; i < n; i++)
				p[i] = (uint8_t)(round % 2 == 0 ? rnd() : '+' + rnd() % 84);
			check_tokens(p, n, out_end);
		}
	for (n = 1; n <= 130; n += 43)
		for (i = 0; i < n; i++)
			for (round = 0; round < 256; round++) {
				memset(in_end - n, i % 2 == 0 ? ' ' : '0', n);
				in_end[-(ptrdiff_t)(n - i)] = (uint8_t)round;
				check_tokens(in_end - n, n, out_end);
			}
}

int
main(void)
{
	uint8_t *in_end = room_end(), *out_end = room_end();

	test_pick();
	test_levels();
	test_index(in_end, out_end);
	test_unpack(in_end, out_end);
	test_sums(in_end);
	test_pair(in_end);
	test_find(in_end);
	test_find_worst(in_end);
	test_tokens(in_end, out_end);
	return check_done();
}
