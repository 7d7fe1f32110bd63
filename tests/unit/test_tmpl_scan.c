/*
 * tests/unit/test_tmpl_scan.c - the variables of messages.
 * Each variant against skeleton_next, which has the same rule and looks at one byte after the other.
 */
#include "base/arena.h"
#include "base/cpu.h"
#include "check.h"
#include "record/skeleton.h"
#include "store/tmpl.h"

enum { ROWS = 3000 };

static uint64_t
rnd(void)
{
	static uint64_t state = 7;

	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

/* Words, numbers and other bytes; a few values are longer than what is looked at at once. */
static void
put_value(struct buf *b, size_t row)
{
	static const char *const words[] = { "took", "a1b2", "10.0.0.1", "-", "x_9", "é7", "[]",
		"  " };
	size_t i, n = row % 500 == 0 ? 2000 + rnd() % 1000 : row % 7 == 0 ? 0 : rnd() % 12;

	for (i = 0; i < n; i++) {
		if (rnd() % 3 == 0)
			buf_c(b, words[rnd() % ARRAY_LEN(words)]);
		else
			buf_c(b, words[i % 2]);
		if (rnd() % 20 == 0)
			buf_byte(b, (uint8_t)rnd());
		if (rnd() % 4 != 0)
			buf_c(b, i % 3 == 0 ? "/" : " ");
	}
}

static void
check_row(const struct enc_values *v, const struct tmpl_found *f, size_t row)
{
	struct str s = enc_value(v, row);
	size_t at = 0, n = 0, start, end;
	const struct enc_span *span = f->spans + f->first[row];

	for (; skeleton_next(s, at, &start, &end); at = end, n++) {
		if (f->tmpls[row] == TMPL_NONE)
			continue;
		if (n >= f->kinds[f->tmpls[row]].n_slots || span[n].n != end - start ||
		    span[n].at != v->offs[row] + start)
			break;
	}
	/* No template: nothing to take out of, too many variables or too many templates. */
	if (f->tmpls[row] == TMPL_NONE)
		CHECK(s.n == 0 || n > TMPL_SLOTS_MAX || f->n_kinds == TMPL_MAX);
	else
		CHECK(n == f->kinds[f->tmpls[row]].n_slots);
}

static void
test_scan(const struct enc_values *v, size_t *ret_kinds)
{
	AUTO_FINI(arena_fini) struct arena arena = ARENA_INIT;
	struct tmpl_found f;
	bool ok;
	size_t i;

	MUST(tmpl_scan(v, &arena, &f, &ok) == 0);
	*ret_kinds = f.n_kinds;
	CHECK(ok);
	for (i = 0; ok && i < v->n; i++)
		check_row(v, &f, i);
}

int
main(void)
{
	static uint32_t offs[ROWS + 1];
	AUTO_FINI(buf_fini) struct buf b = BUF_INIT;
	struct enc_values v = { .offs = offs, .n = ROWS };
	size_t i, kinds, first = 0;
	unsigned level;

	/* Not at a word's beginning. */
	buf_c(&b, "123");
	for (i = 0; i < ROWS; i++) {
		offs[i] = (uint32_t)b.n;
		/* The same ones first, so that this does not count as free text. */
		if (i < 1024 && i % 2 == 0)
			buf_printf(&b, "id %zu of x-%zu", i, i);
		else
			put_value(&b, i);
	}
	offs[ROWS] = (uint32_t)b.n;
	for (i = 0; i < ENC_PAD; i++)
		buf_byte(&b, '9');
	MUST(!b.failed);
	v.bytes = b.p;
	for (level = 0; level < CPU_N_LEVELS; level++) {
		if (!cpu_can((enum cpu_level)level))
			continue;
		cpu_force((enum cpu_level)level);
		test_scan(&v, &kinds);
		CHECK(level == 0 || kinds == first);
		first = kinds;
	}
	CHECK(first > 100);
	return check_done();
}
