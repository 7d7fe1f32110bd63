/*
 * ingest/journal_position.c - where in the journal.
 * One job: the position's bytes, and what can be known from a cursor.
 * Floor: 3 (uses base).
 */
#include "ingest/journal_position.h"

enum { POSITION_VERSION = 1 };

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

/* 1 to 16 hex digits up to ';' or the end; returns what follows, or NULL. */
static const char *
hex_u64(const char *s, uint64_t *ret)
{
	uint64_t v = 0;
	int i, d;

	for (i = 0; i < 16 && (d = hex_digit(s[i])) >= 0; i++)
		v = v << 4 | (uint64_t)d;
	if (i == 0 || (s[i] != ';' && s[i] != '\0'))
		return NULL;
	*ret = v;
	return s + i;
}

static const char *
hex_id(const char *s, struct journal_id *ret)
{
	int i, hi, lo;

	for (i = 0; i < 16; i++) {
		hi = hex_digit(s[2 * i]);
		lo = hi < 0 ? -1 : hex_digit(s[2 * i + 1]);
		if (lo < 0)
			return NULL;
		ret->b[i] = (uint8_t)(hi << 4 | lo);
	}
	return s[32] == ';' || s[32] == '\0' ? s + 32 : NULL;
}

static const char *
cursor_part(const char *s, struct journal_cursor *c, unsigned *seen)
{
	char key = s[0];

	if (key == '\0' || s[1] != '=')
		return NULL;
	s += 2;
	switch (key) {
	case 's':
		*seen |= 1;
		return hex_id(s, &c->seqnum_id);
	case 'i':
		*seen |= 2;
		return hex_u64(s, &c->seqnum);
	case 'b':
		*seen |= 4;
		return hex_id(s, &c->boot_id);
	case 'm':
		*seen |= 8;
		return hex_u64(s, &c->monotonic);
	case 't':
		*seen |= 16;
		return hex_u64(s, &c->realtime);
	case 'x':
		*seen |= 32;
		return hex_u64(s, &c->xor_hash);
	}
	return NULL;
}

bool
journal_cursor_parse(const char *text, struct journal_cursor *ret)
{
	struct journal_cursor c;
	unsigned seen = 0;

	memset(&c, 0, sizeof(c));
	for (;;) {
		text = cursor_part(text, &c, &seen);
		if (text == NULL)
			return false;
		if (*text == '\0')
			break;
		text++;
	}
	if (seen != 63)
		return false;
	*ret = c;
	return true;
}

bool
journal_cursor_same_entry(const struct journal_cursor *a, const struct journal_cursor *b)
{
	return journal_id_eq(&a->boot_id, &b->boot_id) && a->monotonic == b->monotonic &&
	    a->realtime == b->realtime && a->xor_hash == b->xor_hash;
}

void
journal_id_text(char out[33], const struct journal_id *id)
{
	static const char digits[] = "0123456789abcdef";
	size_t i;

	for (i = 0; i < 16; i++) {
		out[2 * i] = digits[id->b[i] >> 4];
		out[2 * i + 1] = digits[id->b[i] & 15];
	}
	out[32] = '\0';
}

struct journal_mark *
journal_position_mark(struct journal_position *p, const struct journal_id *id)
{
	size_t i;

	for (i = p->n_marks; i-- > 0;)
		if (journal_id_eq(&p->marks[i].seqnum_id, id))
			return &p->marks[i];
	return NULL;
}

void
journal_position_set(struct journal_position *p, const struct journal_cursor *c)
{
	struct journal_mark *m = journal_position_mark(p, &c->seqnum_id);
	size_t at;

	if (m != NULL)
		at = (size_t)(m - p->marks);
	else if (p->n_marks == JOURNAL_IDS_MAX)
		at = 0;
	else
		at = p->n_marks++;
	memmove(&p->marks[at], &p->marks[at + 1], (p->n_marks - 1 - at) * sizeof(p->marks[0]));
	p->marks[p->n_marks - 1] = (struct journal_mark){
		.seqnum_id = c->seqnum_id,
		.seqnum = c->seqnum,
		.boot_id = c->boot_id,
		.realtime = c->realtime,
	};
}

void
journal_position_encode(const struct journal_position *p, struct buf *out)
{
	size_t i;

	buf_byte(out, POSITION_VERSION);
	buf_varint(out, strlen(p->cursor));
	buf_c(out, p->cursor);
	buf_varint(out, p->n_marks);
	for (i = 0; i < p->n_marks; i++) {
		buf_put(out, p->marks[i].seqnum_id.b, 16);
		buf_u64(out, p->marks[i].seqnum);
		buf_put(out, p->marks[i].boot_id.b, 16);
		buf_u64(out, p->marks[i].realtime);
	}
}

static void
scan_id(struct scan *sc, struct journal_id *ret)
{
	struct str s = scan_bytes(sc, sizeof(ret->b));

	if (!sc->bad)
		memcpy(ret->b, s.p, sizeof(ret->b));
}

static int
decode(struct scan *sc, struct journal_position *p)
{
	struct str cursor;
	uint64_t n;
	size_t i;

	if (scan_u8(sc) != POSITION_VERSION)
		return JOURNAL_POSITION_E_FORMAT;
	n = scan_varint(sc);
	if (sc->bad || n > JOURNAL_CURSOR_MAX)
		return JOURNAL_POSITION_E_FORMAT;
	cursor = scan_bytes(sc, (size_t)n);
	n = scan_varint(sc);
	if (sc->bad || n > JOURNAL_IDS_MAX || str_find_byte(cursor, '\0') != SIZE_MAX)
		return JOURNAL_POSITION_E_FORMAT;
	if (cursor.n != 0)
		memcpy(p->cursor, cursor.p, cursor.n);
	for (i = 0; i < n; i++) {
		struct journal_mark m;

		memset(&m, 0, sizeof(m));
		scan_id(sc, &m.seqnum_id);
		m.seqnum = scan_u64(sc);
		scan_id(sc, &m.boot_id);
		m.realtime = scan_u64(sc);
		if (sc->bad || journal_position_mark(p, &m.seqnum_id) != NULL)
			return JOURNAL_POSITION_E_FORMAT;
		p->marks[p->n_marks++] = m;
	}
	return sc->at == sc->n ? 0 : JOURNAL_POSITION_E_FORMAT;
}

int
journal_position_decode(struct str s, struct journal_position *ret)
{
	struct scan sc = SCAN_OF(s);
	int r;

	memset(ret, 0, sizeof(*ret));
	r = decode(&sc, ret);
	if (r != 0)
		memset(ret, 0, sizeof(*ret));
	return r;
}
