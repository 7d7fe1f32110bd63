/*
 * logsql/regex_pieces.c - what a match is made of.
 * One job: the texts that stand in every match of a simple pattern, all of them, with gaps of one character.
 * Floor: 2 (uses base).
 *
 * A pattern of characters, dots and dots any number of times is pieces one after the other: `10.3.*ms` is 10.3 with a gap in
 * it, and ms.  Of all others nothing is said.  Wrong only by finding less.
 */
#include "logsql/regex_internal.h"

enum { PIECE_MAX = 64, RUN_MIN = 2 };

struct reader {
	struct str p;
	size_t at;
	bool nocase;
	uint8_t piece[PIECE_MAX];
	size_t n;
	struct arena *arena;
	struct regex_pieces *out;
};

static size_t
longest_run(const uint8_t *p, size_t n)
{
	size_t i, run = 0, most = 0;

	for (i = 0; i < n; i++) {
		run = p[i] == LITERAL_ANY ? 0 : run + 1;
		most = run > most ? run : most;
	}
	return most;
}

/* A piece has ended: gaps at its ends say nothing. */
static int
end_piece(struct reader *r)
{
	size_t from = 0, i;
	struct literals *l;
	bool gaps = false;

	while (from < r->n && r->piece[from] == LITERAL_ANY)
		from++;
	while (r->n > from && r->piece[r->n - 1] == LITERAL_ANY)
		r->n--;
	if (r->out->n < REGEX_PIECES_MAX && longest_run(r->piece + from, r->n - from) >= RUN_MIN) {
		for (i = from; i < r->n; i++)
			gaps |= r->piece[i] == LITERAL_ANY;
		l = &r->out->p[r->out->n++];
		*l = (struct literals){ .n = 1, .nocase = r->nocase, .gaps = gaps };
		l->p[0] = arena_dup(r->arena, str_of(r->piece + from, r->n - from));
		if (l->p[0].p == NULL)
			return err_origin(-ENOMEM);
	}
	r->n = 0;
	return 0;
}

/* The longest run first, which tells most. */
static void
sort_pieces(struct regex_pieces *l)
{
	struct literals one;
	size_t i, k;

	for (i = 1; i < l->n; i++) {
		one = l->p[i];
		for (k = i; k > 0 &&
		     longest_run(l->p[k - 1].p[0].p, l->p[k - 1].p[0].n) <
		         longest_run(one.p[0].p, one.p[0].n);
		     k--)
			l->p[k] = l->p[k - 1];
		l->p[k] = one;
	}
}

/* Letters of any case are ASCII's, but k and s, which are longer characters too. */
static uint8_t
byte_of(const struct reader *r, uint8_t c)
{
	if (!r->nocase)
		return c;
	c = str_lower_byte(c);
	return c == 'k' || c == 's' ? LITERAL_ANY : c;
}

/* One character of the pattern; false when it is not a simple one.  ${ret_many}: a dot any number of times. */
static bool
read_one(struct reader *r, uint8_t *ret, bool *ret_many)
{
	uint8_t c = r->p.p[r->at++];

	*ret_many = false;
	if (c == '.') {
		*ret = LITERAL_ANY;
		if (r->at < r->p.n && strchr("*+?", r->p.p[r->at]) != NULL &&
		    r->p.p[r->at] != '\0') {
			*ret_many = true;
			r->at++;
			/* Lazy and possessive ones. */
			if (r->at < r->p.n && (r->p.p[r->at] == '?' || r->p.p[r->at] == '+'))
				r->at++;
		}
		return true;
	}
	if (c == '\\') {
		if (r->at == r->p.n)
			return false;
		c = r->p.p[r->at++];
		if (c <= ' ' || c >= 0x7f || (c >= '0' && c <= '9') ||
		    (str_lower_byte(c) >= 'a' && str_lower_byte(c) <= 'z'))
			return false;
	} else if (c < ' ' || c >= 0x7f || strchr("^$*+?()[]{}|", c) != NULL) {
		return false;
	}
	*ret = byte_of(r, c);
	return true;
}

/* (?i) before all else; other flags change what these characters mean. */
static void
read_flags(struct reader *r)
{
	if (str_starts(r->p, STR("(?i)"))) {
		r->nocase = true;
		r->at = 4;
	}
}

int
regex_find_pieces(struct str pattern, struct arena *arena, struct regex_pieces *ret)
{
	struct regex_pieces out = { .n = 0 };
	struct reader r = { .p = pattern, .arena = arena, .out = &out };
	uint8_t c = 0;
	bool many;
	int e = 0;

	*ret = (struct regex_pieces){ .n = 0 };
	read_flags(&r);
	while (e == 0 && r.at < pattern.n) {
		/* What follows a character may say that it need not be there. */
		if (!read_one(&r, &c, &many) ||
		    (r.at < pattern.n && strchr("*+?{", r.p.p[r.at]) != NULL &&
		        r.p.p[r.at] != '\0'))
			return 0;
		if (many || r.n == PIECE_MAX)
			e = end_piece(&r);
		if (!many)
			r.piece[r.n++] = c;
	}
	if (e == 0)
		e = end_piece(&r);
	if (e == 0) {
		sort_pieces(&out);
		*ret = out;
	}
	return err_trace(e);
}
