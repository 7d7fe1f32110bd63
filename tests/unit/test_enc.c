/*
 * tests/unit/test_enc.c - the encodings by themselves.
 * One job: every run of numbers comes back, also when read bit by bit as docs/FORMAT.md says.
 */
#include "check.h"
#include "enc_reference.h"

enum { N_MAX = 5000 };

static uint64_t seed = 1234567890123456789;

static uint64_t
rnd(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

/* Every seventh, and the last. */
static void
check_picked(const struct buf *out, const int64_t *v, size_t n)
{
	AUTO_FREE uint32_t *at = calloc(n + 1, sizeof(*at));
	AUTO_FREE int64_t *picked = calloc(n + 1, sizeof(*picked));
	struct scan s = SCAN_OF(buf_view(out));
	size_t i, k = 0;

	MUST(at != NULL && picked != NULL);
	for (i = 0; i < n; i += 7)
		at[k++] = (uint32_t)i;
	if (n > 0)
		at[k++] = (uint32_t)(n - 1);
	CHECK(enc_ints_pick(&s, n, at, k, picked));
	for (i = 0; i < k; i++)
		CHECK(picked[i] == v[at[i]]);
	s = SCAN_OF(buf_view(out));
	at[0] = (uint32_t)n;
	CHECK(!enc_ints_pick(&s, n, at, 1, picked));
}

static void
check_ints(const int64_t *v, size_t n)
{
	static int64_t back[N_MAX];
	AUTO_FINI(buf_fini) struct buf out = BUF_INIT;
	struct scan s;
	size_t cut;

	enc_ints_put(&out, v, n);
	MUST(!out.failed);
	s = SCAN_OF(buf_view(&out));
	CHECK(enc_ints_get(&s, back, n) && s.at == s.n);
	CHECK(memcmp(back, v, n * sizeof(*v)) == 0);
	s = SCAN_OF(buf_view(&out));
	CHECK(reference_ints(&s, back, n) && s.at == s.n);
	CHECK(memcmp(back, v, n * sizeof(*v)) == 0);
	s = SCAN_OF(buf_view(&out));
	CHECK(enc_ints_skip(&s, n) && s.at == s.n);
	check_picked(&out, v, n);
	for (cut = 0; cut < out.n; cut += 1 + out.n / 50) {
		s = (struct scan){ out.p, cut, 0, false };
		CHECK(!enc_ints_get(&s, back, n));
	}
}

static void
test_ints(void)
{
	static int64_t v[N_MAX];
	static const size_t counts[] = { 1, 2, 127, 128, 1023, 1024, 1025, 3000, N_MAX };
	size_t i, k, n;
	unsigned bits;

	for (k = 0; k < ARRAY_LEN(counts); k++)
		for (bits = 0; bits <= 64; bits += 1 + bits / 9) {
			n = counts[k];
			for (i = 0; i < n; i++) {
				v[i] = bits == 0 ? -7 : (int64_t)(rnd() >> (64 - bits));
				/* Outliers on both sides, and both ends of what there is. */
				if (rnd() % 100 == 0)
					v[i] = (int64_t)rnd() >> rnd() % 64;
				if (rnd() % 500 == 0)
					v[i] = rnd() % 2 != 0 ? INT64_MIN : INT64_MAX;
			}
			check_ints(v, n);
		}
	/* An outlier costs itself, not its neighbours. */
	{
		AUTO_FINI(buf_fini) struct buf out = BUF_INIT;

		for (i = 0; i < 1024; i++)
			v[i] = 1000000 + (int64_t)(rnd() % 16);
		v[100] = INT64_MIN;
		v[900] = INT64_MAX;
		enc_ints_put(&out, v, 1024);
		CHECK(out.n < 1024 / 2 + 64);
	}
}

static void
test_bits(void)
{
	static uint64_t v[300];
	static int64_t back[300];
	static uint32_t v32[300], back32[300];
	unsigned width;
	size_t i, n;

	for (width = 0; width <= 64; width++)
		for (n = 1; n <= 300; n += 1 + rnd() % 40) {
			AUTO_FINI(buf_fini) struct buf out = BUF_INIT;

			for (i = 0; i < n; i++) {
				v[i] = width == 0 ? 0 : rnd() >> (64 - width);
				v32[i] = (uint32_t)v[i];
			}
			enc_bits_put(&out, v, n, width);
			CHECK(out.n == enc_bits_bytes(n, width));
			enc_bits_get(out.p, n, width, 7, back);
			for (i = 0; i < n; i++)
				CHECK((uint64_t)back[i] == v[i] + 7);
			for (i = 0; i < n; i++)
				CHECK(reference_bits(out.p, i, width) == v[i]);
			if (width > 32)
				continue;
			buf_clear(&out);
			enc_bits_put32(&out, v32, n, width);
			enc_bits_get32(out.p, n, width, back32);
			CHECK(memcmp(v32, back32, n * 4) == 0);
			for (i = 0; i < n && width > 0; i++)
				CHECK(enc_bits_at32(out.p, out.n, i, width) == v32[i]);
		}
}

/* Times by the letter of docs/FORMAT.md; false when they do not fill ${s}. */
static bool
reference_times(struct scan *s, int64_t *out, size_t n)
{
	AUTO_FREE int64_t *firsts = calloc(n / 1024 + 1, sizeof(*firsts));
	unsigned digits = scan_u8(s);
	uint64_t unit = 1, t = 0;
	size_t i;

	MUST(firsts != NULL);
	for (; digits > 0; digits--)
		unit *= 10;
	if (!reference_ints(s, firsts, (n + 1023) / 1024) || !reference_ints(s, out, n))
		return false;
	for (i = 0; i < n; i++) {
		t = i % 1024 == 0 ? (uint64_t)firsts[i / 1024] : t + (uint64_t)out[i];
		out[i] = (int64_t)(t * unit);
	}
	return s->at == s->n;
}

static void
test_times(void)
{
	static int64_t ns[N_MAX], back[N_MAX];
	struct scan s;
	static const int64_t units[] = { 1, 1000, 1000000, 1000000000 };
	struct enc_rows rows = { NULL, 0 };
	uint32_t some[40];
	struct column c;
	size_t k, i, n;

	for (k = 0; k < 12; k++) {
		AUTO_FINI(buf_fini) struct buf out = BUF_INIT;
		AUTO_FINI(arena_fini) struct arena arena = ARENA_INIT;
		struct enc_chunk chunk = { 0 };

		n = 1 + rnd() % N_MAX;
		for (i = 0; i < n; i++) {
			ns[i] = (int64_t)(1767225600 + i) * 1000000000 +
			    (int64_t)(rnd() % 1000000000) / units[k % 4] * units[k % 4];
			if (rnd() % 300 == 0)
				ns[i] = (int64_t)rnd() / units[k % 4] * units[k % 4];
		}
		ns[0] = k == 5 ? INT64_MIN : ns[0];
		enc_time_put(&out, NULL, ns, n);
		MUST(!out.failed);
		chunk.n_rows = rows.n = n;
		chunk.head = buf_view(&out);
		rows.rows = NULL;
		MUST(enc_time_get(&chunk, &rows, &arena, &c) == 0);
		CHECK(memcmp(c.ints, ns, n * sizeof(*ns)) == 0);
		s = SCAN_OF(chunk.head);
		CHECK(reference_times(&s, back, n) && memcmp(back, ns, n * sizeof(*ns)) == 0);
		for (rows.n = 0, i = rnd() % 50; i < n && rows.n < ARRAY_LEN(some);
		     i += 1 + rnd() % 700)
			some[rows.n++] = (uint32_t)i;
		rows.rows = some;
		MUST(enc_time_get(&chunk, &rows, &arena, &c) == 0);
		for (i = 0; i < rows.n; i++)
			CHECK(c.ints[i] == ns[some[i]]);
	}
}

static void
test_distinct(void)
{
	static const char text[] =
	    "a\0b\0a\0ab\0abcdefgh\0abcdefghi\0abcdefghX\0b\0\0abcdefgh-abcdefgh\0"
	    "abcdefgh+abcdefgh\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
	static const uint32_t codes[] = { 0, 1, 0, 2, 3, 4, 5, 1, 6, 7, 8 };
	uint8_t bytes[256];
	uint32_t offs[12];
	struct enc_values v = { bytes, offs, 11 };
	struct enc_distinct d;
	AUTO_FINI(arena_fini) struct arena arena = ARENA_INIT;
	size_t i, at = 0;
	bool ok;

	memset(bytes, 0, sizeof(bytes));
	for (offs[0] = 0, i = 0; i < v.n; i++) {
		size_t n = strlen(text + at);

		memcpy(bytes + offs[i], text + at, n);
		offs[i + 1] = offs[i] + (uint32_t)n;
		at += n + 1;
	}
	MUST(enc_distinct(&v, 100, &arena, &d, &ok) == 0 && ok);
	CHECK(d.n == 9);
	for (i = 0; i < v.n; i++)
		CHECK(d.codes[i] == codes[i]);
	MUST(enc_distinct(&v, 8, &arena, &d, &ok) == 0);
	CHECK(!ok);
}

int
main(void)
{
	test_bits();
	test_ints();
	test_times();
	test_distinct();
	return check_done();
}
