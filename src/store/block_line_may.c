/*
 * store/block_line_may.c - which lines can hold a literal.
 * One job: leave out rows whose line certainly does not contain it, without making lines.
 * Floor: 2 (uses record, base).
 *
 * A line is made of fixed bytes, values and a time, as its shape says.  A literal in it lies within one value, which the
 * value's column tells; or within the fixed bytes, or in several parts, or in the time.  The shape alone says whether the latter can be,
 * values being whatever they like: then all rows of the shape stay.  A word never reaches from a value into what stands around
 * it, since it would have to contain a quote, a comma or a space.
 */
#include "store/block_internal.h"
#include "store/shape.h"

enum { LITERAL_MAX = 64 };

struct may {
	struct block *b;
	struct str literal; /* its first bytes */
	bool nocase;
	struct arena arena;
	struct map asked; /* columns */
	struct shape_set set;
	uint32_t *codes; /* of all rows */
	uint64_t *found; /* rows that may contain it */
	uint64_t *left;  /* those that are asked next */
	const uint64_t *sel;
	size_t n_words;
};

static bool
is_same(const struct may *m, const uint8_t *p, size_t at, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if ((m->nocase ? str_lower_byte(p[i]) : p[i]) != m->literal.p[at + i])
			return false;
	return true;
}

/*
 * Fixed bytes, with the literal on its way: ends[k] says that its first k bytes may end where these begin, and then where they
 * end.  True when it may end within them.
 */
static bool
walk_bytes(const struct may *m, struct str s, bool *ends)
{
	bool out[LITERAL_MAX + 1] = { false };
	size_t n = m->literal.n, k, i, common;

	for (k = 1; k < n; k++) {
		common = n - k < s.n ? n - k : s.n;
		if (!ends[k] || !is_same(m, s.p, k, common))
			continue;
		if (n - k <= s.n)
			return true;
		out[k + s.n] = true;
	}
	for (i = 0; i < s.n; i++) {
		common = n < s.n - i ? n : s.n - i;
		if (!is_same(m, s.p + i, 0, common))
			continue;
		if (n <= s.n - i)
			return true;
		out[s.n - i] = true;
	}
	memcpy(ends, out, sizeof(out));
	return false;
}

static bool
is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

static bool
is_letter(uint8_t c)
{
	return str_lower_byte(c) >= 'a' && str_lower_byte(c) <= 'z';
}

/* Whether byte ${c} may stand where one time of this style has ${model}: any digit where a digit is, and so on. */
static bool
fits_time(const struct time_style *st, uint8_t model, uint8_t c)
{
	if (st->form == TIME_SYSLOG && (is_digit(model) || model == ' '))
		return is_digit(c) || c == ' ';
	if (is_digit(model))
		return is_digit(c);
	if (is_letter(model))
		return is_letter(c);
	return model == c;
}

/* Whether the literal may lie within a time: all times of a style but those since the epoch are of one form. */
static bool
in_time(const struct may *m, const struct time_style *st)
{
	char text[TIME_STYLE_TEXT];
	size_t n, at, i;

	if (st->form == TIME_EPOCH) {
		for (i = 0; i < m->literal.n; i++)
			if (!is_digit(m->literal.p[i]) && m->literal.p[i] != st->point &&
			    m->literal.p[i] != '-')
				return false;
		return true;
	}
	n = time_style_write(st, m->b->header.min_time.ns, text);
	for (at = 0; at + m->literal.n <= n; at++) {
		for (i = 0; i < m->literal.n; i++)
			if (!fits_time(st, (uint8_t)text[at + i], m->literal.p[i]))
				break;
		if (i == m->literal.n)
			return true;
	}
	return false;
}

/* Whether the literal may lie in more than one value of the shape, or where no value is. */
static bool
shape_may(const struct may *m, const struct shape *shape)
{
	bool ends[LITERAL_MAX + 1] = { false };
	bool any = false;
	size_t i, k;

	for (i = 0; i < shape->n_parts; i++) {
		if (shape->parts[i].type == SHAPE_BYTES) {
			if (walk_bytes(m, shape->parts[i].bytes, ends))
				return true;
			continue;
		}
		for (any = false, k = 1; k < m->literal.n; k++)
			any |= ends[k];
		if (any ||
		    (shape->parts[i].type == SHAPE_TIME && in_time(m, &shape->parts[i].style)))
			return true;
		/* A time that the literal is not in may still begin or end it. */
		for (k = 1; k < m->literal.n; k++)
			ends[k] = true;
	}
	return false;
}

/*
 * The literal as it stands in values that are escaped as JSON: an escape's last bytes may be its first ones, so these are left
 * out.  False when it cannot be told.
 */
static bool
unescaped(const struct may *m, struct str *ret)
{
	AUTO_FINI(buf_fini) struct buf text = BUF_INIT;
	size_t i, at, n, drop = 0;
	unsigned c;
	uint8_t byte;

	for (i = 0; i < m->literal.n; i++)
		if (m->literal.p[i] == '\\' || m->literal.p[i] >= 0x80)
			return false;
	for (c = 0; c < 0x80; c++) {
		buf_clear(&text);
		byte = (uint8_t)c;
		buf_json(&text, str_of(&byte, 1));
		if (text.failed)
			return false;
		n = text.n - 1;
		for (at = 2; n > 2 && at < n; at++) {
			i = n - at < m->literal.n ? n - at : m->literal.n;
			if (is_same(m, text.p + at, 0, i) && i > drop)
				drop = i;
		}
	}
	*ret = str_sub(m->literal, drop, m->literal.n);
	return ret->n > 1;
}

/* The rows that are in no answer yet and whose value in ${e} has the literal. */
static int
ask_entry(struct may *m, struct block_entry *e, struct str literal)
{
	size_t w;
	int r;

	for (w = 0; w < m->n_words; w++)
		m->left[w] = m->sel[w] & ~m->found[w];
	r = block_entry_contains(m->b, e, literal, m->nocase, m->left);
	for (w = 0; r == 0 && w < m->n_words; w++)
		m->found[w] |= m->left[w];
	return r;
}

/* A value's column; 1 when it cannot be told. */
static int
ask_part(struct may *m, const struct shape_part *p)
{
	struct block_entry *e = block_entry_find(m->b, p->bytes);
	struct str literal = m->literal;
	struct map_entry *known;
	uint64_t way = p->type == SHAPE_ESCAPED ? 2 : 1;

	if (e == NULL)
		return 0;
	/* Numbers and IDs have nothing to escape. */
	if (p->type == SHAPE_ESCAPED && e->enc != ENC_INT && e->enc != ENC_ID &&
	    !unescaped(m, &literal))
		return 1;
	known = map_put(&m->asked, p->bytes, NULL);
	if (known == NULL)
		return err_origin(-ENOMEM);
	if (known->value & way)
		return 0;
	known->value |= way;
	return ask_entry(m, e, literal);
}

static void
find_code(struct may *m, uint32_t code)
{
	size_t i;

	for (i = 0; i < m->b->header.n_rows; i++)
		if (m->codes[i] == code)
			bits_set(m->found, i);
}

static int
ask_shape(struct may *m, uint32_t number)
{
	static const struct shape_part msg = { .type = SHAPE_VALUE, .bytes = STR_INIT("_msg") };
	const struct shape *shape = &m->set.shapes[number];
	bool is_fixed = false, may = shape_may(m, shape);
	size_t i;
	int r = 0;

	for (i = 0; r == 0 && !may && i < shape->n_parts; i++) {
		is_fixed |= shape->parts[i].type == SHAPE_BYTES;
		if (shape->parts[i].type == SHAPE_VALUE || shape->parts[i].type == SHAPE_ESCAPED)
			r = ask_part(m, &shape->parts[i]);
		may = r == 1;
		r = may ? 0 : r;
	}
	/* What may be empty is no line. */
	if (r == 0 && !may && !is_fixed)
		r = ask_part(m, &msg);
	if (r == 0 && may)
		find_code(m, number + SHAPE_FIRST);
	return r;
}

/* Lines that are made of fields, kept, or not known. */
static int
ask_lines(struct may *m, struct block_entry *shapes)
{
	const struct enc_rows all = { NULL, m->b->header.n_rows };
	bool *used;
	size_t i;
	int r = block_open_shapes(m->b, shapes, &m->arena, &m->set);

	if (r != 0)
		return r;
	m->codes = arena_alloc(&m->arena, (all.n + 1) * sizeof(*m->codes));
	used = arena_zalloc(&m->arena, m->set.n + SHAPE_FIRST, sizeof(*used));
	if (m->codes == NULL || used == NULL)
		return err_origin(-ENOMEM);
	if (!shape_codes(&m->set, &all, m->codes))
		return BLOCK_E_CORRUPT;
	for (i = 0; i < all.n; i++)
		used[m->codes[i]] = true;
	if (used[SHAPE_NO_LINE])
		r = ask_entry(m, block_entry_find(m->b, STR("_msg")), m->literal);
	if (r == 0 && used[SHAPE_KEPT])
		r = ask_entry(m, block_entry_hidden(m->b, ROLE_LINE), m->literal);
	for (i = 0; r == 0 && i < m->set.n; i++)
		if (used[i + SHAPE_FIRST])
			r = ask_shape(m, (uint32_t)i);
	return r;
}

static int
ask_one(struct may *m)
{
	struct block_entry *shapes = block_entry_hidden(m->b, ROLE_SHAPE);
	int r;

	if (shapes != NULL)
		r = ask_lines(m, shapes);
	else
		r = ask_entry(m, block_entry_find(m->b, STR("_msg")), m->literal);
	map_fini(&m->asked);
	return r;
}

int
block_lines_may(struct block *b, const struct literals *l, uint64_t *sel)
{
	struct may m = { .b = b, .nocase = l->nocase, .sel = sel };
	size_t i;
	int r = 0;

	m.n_words = BITS_WORDS(b->header.n_rows);
	m.found = arena_zalloc(&m.arena, m.n_words + 1, sizeof(*m.found));
	m.left = arena_zalloc(&m.arena, m.n_words + 1, sizeof(*m.left));
	if (m.found == NULL || m.left == NULL)
		r = err_origin(-ENOMEM);
	for (i = 0; r == 0 && i < l->n; i++) {
		m.literal = str_sub(l->p[i], 0, LITERAL_MAX);
		r = ask_one(&m);
	}
	for (i = 0; r == 0 && i < m.n_words; i++)
		sel[i] &= m.found[i];
	arena_fini(&m.arena);
	/* What is damaged is told by whoever makes the lines. */
	return r < 0 ? err_trace(r) : 0;
}
