/*
 * store/tmpl_walk.c - a literal and a template.
 * One job: say whether all rows of a template have a literal, or none, and in which of their parts it may lie.
 * Floor: 2 (uses record, base).
 *
 * A template is a run of bytes and of classes of bytes ("a digit, 1 to 18 times").  The literal runs over it as
 * a shift-and automaton (Baeza-Yates and Gonnet, 1992): bit p of a set is "the first p bytes have been
 * seen, ending here".  One set is carried over classes, another starts anew after each: a literal that is
 * complete in the second is in every row, one that is in the first only may be.
 *
 * Where the first set has it complete, a part ends in which the literal may end; how many of its bytes stand before that part, the
 * set says that was carried to it.
 */
#include "store/tmpl.h"

void
tmpl_literal_init(struct tmpl_literal *l, const struct block_match *m)
{
	size_t i;
	unsigned c;

	memset(l, 0, sizeof(*l));
	l->m = *m;
	l->n = m->literal.n < TMPL_LITERAL_MAX ? m->literal.n : TMPL_LITERAL_MAX;
	for (i = 0; i < l->n; i++) {
		c = m->literal.p[i];
		if (block_match_is_gap(m, i)) {
			for (c = 0; c < ARRAY_LEN(l->eq); c++)
				l->eq[c] |= UINT64_C(1) << i;
			continue;
		}
		l->eq[c] |= UINT64_C(1) << i;
		if (m->nocase && c >= 'a' && c <= 'z')
			l->eq[c - 'a' + 'A'] |= UINT64_C(1) << i;
	}
	for (c = '0'; c <= '9'; c++)
		l->digits |= l->eq[c];
	l->hex = l->digits;
	for (c = 'a'; c <= 'f'; c++)
		l->hex |= l->eq[c];
}

/* The automaton on its way through a template. */
struct walk {
	const struct tmpl_literal *l;
	uint64_t maybe, sure;
	uint64_t seen_maybe, seen_sure; /* all sets so far, for the last bit */
};

static void
walk_bytes(struct walk *w, struct str s)
{
	size_t i;
	uint64_t eq;

	for (i = 0; i < s.n; i++) {
		eq = w->l->eq[s.p[i]];
		w->maybe = (w->maybe & eq) << 1 | 1;
		w->sure = (w->sure & eq) << 1 | 1;
		w->seen_maybe |= w->maybe;
		w->seen_sure |= w->sure;
	}
}

/* From least to most bytes, each of them one of a class. */
static void
walk_class(struct walk *w, uint64_t class, size_t least, size_t most)
{
	uint64_t now = w->maybe, out = 0;
	size_t i;

	for (i = 1; i <= most; i++) {
		now = (now & class) << 1 | 1;
		w->seen_maybe |= now;
		if (i >= least)
			out |= now;
		/* Beyond the literal's length only bytes that repeat are left; and where not even its first byte can
		 * be of the class, nothing more begins. */
		if (i > w->l->n + least || (now == 1 && (class & 1) == 0))
			break;
	}
	w->maybe = out | 1;
	w->sure = 1;
}

static void
walk_pattern(struct walk *w, struct str pattern)
{
	size_t i;

	for (i = 0; i < pattern.n; i++) {
		if (pattern.p[i] == TMPL_DIGIT_MARK)
			walk_class(w, w->l->digits, 1, 1);
		else
			walk_bytes(w, str_sub(pattern, i, i + 1));
	}
}

/* The places of the literal whose byte is in a slot's set. */
static uint64_t
class_of(const struct tmpl_literal *l, uint64_t chars)
{
	uint64_t class = 0;
	unsigned c;

	for (c = '-'; c <= 'z'; c++)
		if (tmpl_char_bit((uint8_t)c) & chars)
			class |= l->eq[c];
	return class;
}

/* A canonical number: digits, and with a scale a point before the last of them. */
static void
walk_number(struct walk *w, const struct tmpl_slot *s)
{
	const struct tmpl_literal *l = w->l;

	if (s->scale == 0) {
		walk_class(w, l->digits, 1, s->size);
		return;
	}
	if (s->size < s->scale + 2) {
		walk_class(w, l->digits | l->eq['.'], 1, s->size);
		return;
	}
	walk_class(w, l->digits, 1, s->size - s->scale - 1);
	walk_bytes(w, STR("."));
	walk_class(w, l->digits, s->scale, s->scale);
}

static void
walk_ipv4(struct walk *w)
{
	unsigned i;

	for (i = 0; i < 4; i++) {
		if (i > 0)
			walk_bytes(w, STR("."));
		walk_class(w, w->l->digits, 1, 3);
	}
}

static void
walk_slot(struct walk *w, const struct tmpl_slot *s)
{
	const struct tmpl_literal *l = w->l;

	switch (s->type) {
	case SLOT_CONST:
		walk_bytes(w, s->text);
		break;
	case SLOT_NUM:
		walk_bytes(w, s->text);
		walk_number(w, s);
		walk_bytes(w, s->suffix);
		break;
	case SLOT_PATTERN:
		walk_pattern(w, s->text);
		break;
	case SLOT_HEX:
		walk_class(w, l->hex, s->size * 2, s->size * 2);
		break;
	case SLOT_IPV4:
		walk_ipv4(w);
		break;
	case SLOT_DICT:
	case SLOT_TEXT:
	case SLOT_COMMON:
		walk_class(w, class_of(l, s->chars), 1, s->size);
		break;
	}
}

/* Parts of a template: pieces are the even ones, slots those between them. */
static size_t
n_parts(const struct tmpl *t)
{
	return 2 * t->n_slots + 1;
}

static void
walk_part(struct walk *w, const struct tmpl *t, size_t e)
{
	if (e % 2 == 0)
		walk_bytes(w, t->pieces[e / 2]);
	else
		walk_slot(w, &t->slots[e / 2]);
}

/* Whether a gap may meet a character beyond ASCII, which is longer than a byte; variables have none. */
static bool
is_beyond(const struct tmpl *t, const struct tmpl_literal *l)
{
	uint8_t all = 0;
	size_t i, k;

	for (i = 0; l->m.gaps && i <= t->n_slots; i++)
		for (k = 0; k < t->pieces[i].n; k++)
			all |= t->pieces[i].p[k];
	return all >= 0x80;
}

enum tmpl_answer
tmpl_classify(const struct tmpl *t, const struct tmpl_literal *l)
{
	struct walk w = { l, 1, 1, 1, 1 };
	uint64_t last = UINT64_C(1) << l->n;
	size_t e;

	if (is_beyond(t, l))
		return TMPL_MAYBE;
	for (e = 0; e < n_parts(t); e++)
		walk_part(&w, t, e);
	if (w.seen_sure & last)
		return l->n == l->m.literal.n ? TMPL_ALL : TMPL_MAYBE;
	return w.seen_maybe & last ? TMPL_MAYBE : TMPL_NO;
}

/* What of a part is to be written. */
enum { PART_HEAD = 1, PART_TAIL = 2, PART_ALL = 4 };

/* The part before which ${left} bytes of the literal may stand, and so many parts before that. */
static void
mark_before(const struct tmpl *t, uint8_t *parts, size_t e, size_t left)
{
	size_t n;

	while (e-- > 0 && left > 0) {
		/* A variable has one byte at least. */
		n = e % 2 != 0 ? 1 : t->pieces[e / 2].n;
		parts[e] |= e % 2 == 0 && n > left ? PART_TAIL : PART_ALL;
		left -= n < left ? n : left;
	}
}

static void
mark_parts(const struct tmpl *t, const struct tmpl_literal *l, uint8_t *parts)
{
	struct walk w = { l, 1, 1, 1, 1 };
	size_t e, before;

	memset(parts, 0, n_parts(t));
	for (e = 0; e < n_parts(t); e++) {
		before = 63 - (size_t)__builtin_clzll(w.maybe);
		w.seen_maybe = 0;
		walk_part(&w, t, e);
		if ((w.seen_maybe >> l->n & 1) == 0)
			continue;
		/* No piece has all of it, or all rows would. */
		parts[e] |= e % 2 == 0 && t->pieces[e / 2].n > l->n ? PART_HEAD : PART_ALL;
		mark_before(t, parts, e, before);
	}
}

/* A byte that the literal has not, or SIZE_MAX. */
static size_t
other_byte(const struct tmpl_literal *l)
{
	size_t c = 0;

	while (c < ARRAY_LEN(l->eq) && l->eq[c] != 0)
		c++;
	return c < ARRAY_LEN(l->eq) ? c : SIZE_MAX;
}

static void
add_step(struct tmpl_plan *p, struct str bytes, const struct tmpl_slot *slot)
{
	p->steps[p->n++] = (struct tmpl_step){ bytes, slot };
}

int
tmpl_plan(const struct tmpl *t, const struct tmpl_literal *l, struct arena *arena,
    struct tmpl_plan *ret)
{
	size_t n = n_parts(t), e, c = other_byte(l), m;
	uint8_t *parts = arena_alloc(arena, n), *other = arena_alloc(arena, 1);
	bool joined = false;
	struct str s;

	/* Each part is two pieces and what parts them at most. */
	*ret = (struct tmpl_plan){ arena_alloc(arena, 4 * n * sizeof(*ret->steps)), 0 };
	if (parts == NULL || other == NULL || ret->steps == NULL)
		return err_origin(-ENOMEM);
	*other = (uint8_t)c;
	/* All of a row, where its parts cannot be told apart, or the literal is longer than what was looked at. */
	if (c == SIZE_MAX || l->m.gaps || l->n != l->m.literal.n)
		memset(parts, PART_ALL, n);
	else
		mark_parts(t, l, parts);
	for (e = 0; e < n; e++) {
		s = e % 2 == 0 ? t->pieces[e / 2] : STR_NONE;
		m = s.n < l->n ? s.n : l->n;
		if (parts[e] != 0 && !joined)
			add_step(ret, str_of(other, c != SIZE_MAX), NULL);
		if ((parts[e] & PART_ALL) != 0)
			add_step(ret, s, e % 2 == 0 ? NULL : &t->slots[e / 2]);
		else if ((parts[e] & PART_HEAD) != 0)
			add_step(ret, str_sub(s, 0, m), NULL);
		if ((parts[e] & (PART_ALL | PART_HEAD | PART_TAIL)) == (PART_HEAD | PART_TAIL))
			add_step(ret, str_of(other, 1), NULL);
		if ((parts[e] & (PART_ALL | PART_TAIL)) == PART_TAIL)
			add_step(ret, str_sub(s, s.n - m, s.n), NULL);
		joined = (parts[e] & (PART_ALL | PART_TAIL)) != 0;
	}
	return 0;
}
