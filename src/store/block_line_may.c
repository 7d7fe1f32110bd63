/*
 * store/block_line_may.c - which lines can hold a literal.
 * One job: leave out rows whose line certainly does not contain it, without making lines.
 * Floor: 2 (uses record, base).
 *
 * A line is made of fixed bytes, values and a time, as its shape says.  The literal is laid over the shape in each way that there
 * is, values being as long as they like: within one value, or from one over fixed bytes into the next.  Each way needs that
 * certain pieces of the literal are in certain values, which their columns tell; the rows of a way that needs nothing stay.  So of
 * `"level":"ERROR"` only rows stay whose level has ERROR.
 *
 * In a literal with gaps LITERAL_ANY is any one character: one byte where it meets ASCII.  Of a value it asks nothing.
 */
#include "store/block_contains.h"
#include "store/block_internal.h"
#include "store/shape.h"

enum {
	LITERAL_MAX = 64,
	RUN_MIN = 2,         /* shorter pieces tell little */
	NEEDS_MAX = 8,       /* values that one way crosses */
	STEPS_MAX = 1 << 15, /* over one shape */
	ASKED_MAX = 256,     /* ways of one literal in one block */
	WAY_ALL = 100,       /* needs nothing: all rows of the shape stay */
};

struct may {
	struct block *b;
	struct str literal; /* its first bytes */
	bool nocase, gaps;
	struct arena arena;
	struct map asked; /* ways, as text */
	struct shape_set set;
	/* The rows of code k are rows[first[k]..first[k + 1]). */
	uint32_t *rows, *first;
	uint64_t *found; /* rows that may contain it */
	uint64_t *left;  /* those that are asked next */
	const uint64_t *sel;
	size_t n_words;
	unsigned steps;
	uint32_t code;        /* of the shape that is asked */
	const int64_t *times; /* of all rows; NULL: nobody has asked */
};

/* Bytes [from, to) of the literal in the value of a part. */
struct need {
	const struct shape_part *part;
	size_t from, to;
};

/* A literal on its way over a shape. */
struct way {
	struct need needs[NEEDS_MAX];
	size_t n;
};

static bool
is_any(const struct may *m, size_t at)
{
	return m->gaps && m->literal.p[at] == LITERAL_ANY;
}

/* Whether byte ${c} may be at ${at} of the literal.  What is no ASCII may be part of a character for which a gap stands. */
static bool
is_byte(const struct may *m, uint8_t c, size_t at)
{
	return is_any(m, at) || (m->nocase ? str_lower_byte(c) : c) == m->literal.p[at];
}

static bool
is_same(const struct may *m, const uint8_t *p, size_t at, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (!is_byte(m, p[i], at + i))
			return false;
	return true;
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

/* How long a time of the style is, and one of them; 0: they are of no one form. */
static size_t
time_model(const struct may *m, const struct time_style *st, char text[TIME_STYLE_TEXT])
{
	return st->form == TIME_EPOCH ? 0 : time_style_write(st, m->b->header.min_time.ns, text);
}

/* Whether the literal's n bytes from ${from} on may be what a time has at ${at}. */
static bool
is_time_at(const struct may *m, const struct time_style *st, const char *text, size_t at,
    size_t from, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (!is_any(m, from + i) &&
		    !fits_time(st, (uint8_t)text[at + i], m->literal.p[from + i]))
			return false;
	return true;
}

/* Whether the literal may lie within a time: all times of a style but those since the epoch are of one form. */
static bool
in_time(const struct may *m, const struct time_style *st)
{
	char text[TIME_STYLE_TEXT];
	size_t n = time_model(m, st, text), at, i;

	for (i = 0; n == 0 && i < m->literal.n; i++)
		if (!is_any(m, i) && !is_digit(m->literal.p[i]) && m->literal.p[i] != st->point &&
		    m->literal.p[i] != '-')
			return false;
	for (at = 0; at + m->literal.n <= n; at++)
		if (is_time_at(m, st, text, at, 0, m->literal.n))
			return true;
	return n == 0;
}

static bool
begins(const struct may *m, const uint8_t *p, struct str run, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if ((m->nocase ? str_lower_byte(p[i]) : p[i]) != run.p[i])
			return false;
	return true;
}

/*
 * A run of the literal as it stands in values that are escaped as JSON: an escape's last bytes may be its first ones, so these are left
 * out.  False when it cannot be told.
 */
static bool
unescaped(const struct may *m, struct str run, struct str *ret)
{
	AUTO_FINI(buf_fini) struct buf text = BUF_INIT;
	size_t i, at, n, drop = 0;
	unsigned c;
	uint8_t byte;

	for (i = 0; i < run.n; i++)
		if (run.p[i] == '\\' || run.p[i] >= 0x80)
			return false;
	for (c = 0; c < 0x80; c++) {
		buf_clear(&text);
		byte = (uint8_t)c;
		buf_json(&text, str_of(&byte, 1));
		if (text.failed)
			return false;
		n = text.n - 1;
		for (at = 2; n > 2 && at < n; at++) {
			i = n - at < run.n ? n - at : run.n;
			if (begins(m, text.p + at, run, i) && i > drop)
				drop = i;
		}
	}
	*ret = str_sub(run, drop, run.n);
	return ret->n >= RUN_MIN;
}

/* The next run of bytes without gaps in [*at, to) that is worth a question; false: there is none. */
static bool
next_run(const struct may *m, size_t *at, size_t to, struct str *ret)
{
	size_t from;

	while (*at < to) {
		while (*at < to && is_any(m, *at))
			(*at)++;
		for (from = *at; *at < to && !is_any(m, *at); (*at)++)
			continue;
		if (*at - from >= RUN_MIN) {
			*ret = str_sub(m->literal, from, *at);
			return true;
		}
	}
	return false;
}

/* What a run is in the values of ${e}; false when it cannot be told. */
static bool
run_in(const struct may *m, const struct block_entry *e, bool escaped, struct str *run)
{
	/* Numbers and IDs have nothing to escape. */
	if (e == NULL || !escaped || e->enc == ENC_INT || e->enc == ENC_ID)
		return true;
	return unescaped(m, *run, run);
}

/* Whether no number of the column is so long, or has such bytes. */
static bool
is_no_number(const struct may *m, const struct block_entry *e, const struct need *need)
{
	char text[COLUMN_SCRATCH];
	size_t i, n;

	if (e->enc != ENC_INT || (e->flags & ENTRY_HAS_RANGE) == 0)
		return false;
	for (i = need->from; i < need->to; i++)
		if (!is_any(m, i) && !is_digit(m->literal.p[i]) && m->literal.p[i] != '.' &&
		    m->literal.p[i] != '-')
			return true;
	n = column_format_int(text, e->min, e->scale);
	i = column_format_int(text, e->max, e->scale);
	return need->to - need->from > (n > i ? n : i);
}

/* Bytes [from, to) of the literal without gaps at their ends. */
static struct str
without_ends(const struct may *m, size_t from, size_t to)
{
	while (from < to && is_any(m, from))
		from++;
	while (from < to && is_any(m, to - 1))
		to--;
	return str_sub(m->literal, from, to);
}

static int
ask_run(struct may *m, struct block_entry *e, struct str run, bool gaps, bool *ret_some)
{
	const struct block_match match = { run, m->nocase, gaps };

	*ret_some = true;
	return err_trace(block_entry_contains(m->b, e, &match, m->left));
}

/* Bytes [from, to) of the literal in ${e}: rows that have them not leave m->left.  ${ret_some}: anything was asked. */
static int
ask_entry(struct may *m, struct block_entry *e, bool escaped, const struct need *need,
    bool *ret_some)
{
	size_t at = need->from;
	struct str run;
	int r = 0;

	if (is_no_number(m, e, need)) {
		*ret_some = true;
		bits_zero(m->left, m->b->header.n_rows);
		return 0;
	}
	/* All of them at once, unless what is escaped makes others of them. */
	run = without_ends(m, need->from, need->to);
	if (m->gaps && run.n >= RUN_MIN && e != NULL &&
	    (!escaped || e->enc == ENC_INT || e->enc == ENC_ID))
		return err_trace(ask_run(m, e, run, true, ret_some));
	while (r == 0 && next_run(m, &at, need->to, &run))
		if (run_in(m, e, escaped, &run))
			r = ask_run(m, e, run, false, ret_some);
	return r;
}

static void
begin_asking(struct may *m)
{
	size_t w;

	for (w = 0; w < m->n_words; w++)
		m->left[w] = m->sel[w] & ~m->found[w];
}

static void
take_found(struct may *m)
{
	size_t w;

	for (w = 0; w < m->n_words; w++)
		m->found[w] |= m->left[w];
}

/* The whole literal in a column of lines. */
static int
ask_whole(struct may *m, struct block_entry *e)
{
	const struct need all = { NULL, 0, m->literal.n };
	bool some = false;
	int r;

	if (e == NULL)
		return 0;
	begin_asking(m);
	r = ask_entry(m, e, false, &all, &some);
	if (r == 0)
		take_found(m);
	return r;
}

/* The rows that have all that a way needs; WAY_ALL. */
static int
ask_way(struct may *m, const struct way *y)
{
	struct block_entry *e;
	bool some = false;
	size_t i;
	int r = 0;

	begin_asking(m);
	for (i = 0; r == 0 && i < y->n; i++) {
		e = block_entry_find(m->b, y->needs[i].part->bytes);
		/* A value that no row has holds nothing. */
		if (e == NULL)
			return 0;
		r = ask_entry(m, e, y->needs[i].part->type == SHAPE_ESCAPED, &y->needs[i], &some);
	}
	if (r != 0)
		return r;
	if (!some)
		return WAY_ALL;
	take_found(m);
	return 0;
}

/* The literal has come to its end.  A way that was gone before, in this shape or another one, has the same answer. */
static int
end_way(struct may *m, const struct way *y)
{
	AUTO_FINI(buf_fini) struct buf key = BUF_INIT;
	struct map_entry *known;
	size_t i;
	int r;

	for (i = 0; i < y->n; i++) {
		buf_byte(&key, (uint8_t)y->needs[i].part->type);
		buf_varint(&key, y->needs[i].from);
		buf_varint(&key, y->needs[i].to);
		buf_varint(&key, y->needs[i].part->bytes.n);
		buf_str(&key, y->needs[i].part->bytes);
	}
	if (key.failed)
		return buf_err(&key);
	known = map_get(&m->asked, buf_view(&key));
	if (known != NULL)
		return (int)known->value;
	if (m->asked.n == ASKED_MAX)
		return WAY_ALL;
	r = ask_way(m, y);
	if (r != 0 && r != WAY_ALL)
		return r;
	known = map_put(&m->asked, buf_view(&key), NULL);
	if (known == NULL)
		return err_origin(-ENOMEM);
	known->value = (uint64_t)r;
	return r;
}

static int walk(struct may *m, const struct shape *shape, size_t i, size_t k, const struct way *y);

/* The literal goes on from byte ${k} in value ${i} of the shape, which may be as long as it likes. */
static int
walk_value(struct may *m, const struct shape *shape, size_t i, size_t k, const struct way *y)
{
	struct way next = *y;
	size_t end;
	int r = 0;

	if (y->n == NEEDS_MAX)
		return WAY_ALL;
	for (end = k; r == 0 && end <= m->literal.n; end++) {
		next.n = y->n;
		if (end > k && shape->parts[i].type != SHAPE_TIME)
			next.needs[next.n++] = (struct need){ &shape->parts[i], k, end };
		r = end == m->literal.n ? end_way(m, &next) : walk(m, shape, i + 1, end, &next);
	}
	return r;
}

/* The first ${k} bytes of the literal stand before part ${i} of the shape. */
static int
walk(struct may *m, const struct shape *shape, size_t i, size_t k, const struct way *y)
{
	const struct shape_part *p;
	char text[TIME_STYLE_TEXT];
	const uint8_t *bytes;
	size_t n, common;
	bool fits;

	for (; i < shape->n_parts; i++, k += n) {
		p = &shape->parts[i];
		if (++m->steps > STEPS_MAX)
			return WAY_ALL;
		n = p->type == SHAPE_BYTES  ? p->bytes.n
		    : p->type == SHAPE_TIME ? time_model(m, &p->style, text)
		                            : 0;
		if (p->type != SHAPE_BYTES && n == 0)
			return walk_value(m, shape, i, k, y);
		common = m->literal.n - k < n ? m->literal.n - k : n;
		bytes = p->type == SHAPE_BYTES ? p->bytes.p : NULL;
		fits = bytes != NULL ? is_same(m, bytes, k, common)
		                     : is_time_at(m, &p->style, text, 0, k, common);
		if (!fits)
			return 0;
		if (common == m->literal.n - k)
			return end_way(m, y);
	}
	return 0;
}

/* Ways that begin in fixed bytes, at each of them. */
static int
begin_bytes(struct may *m, const struct shape *shape, size_t i)
{
	const struct way none = { .n = 0 };
	struct str s = shape->parts[i].bytes;
	size_t at, common;
	int r = 0;

	for (at = 0; r == 0 && at < s.n; at++) {
		common = m->literal.n < s.n - at ? m->literal.n : s.n - at;
		if (!is_same(m, s.p + at, 0, common))
			continue;
		r = common == m->literal.n ? WAY_ALL : walk(m, shape, i + 1, common, &none);
	}
	return r;
}

static bool
holds(const struct may *m, struct str text)
{
	uint8_t first = m->literal.p[0];
	bool any = m->nocase || is_any(m, 0);
	size_t at;

	for (at = 0; at + m->literal.n <= text.n; at++)
		if ((any || text.p[at] == first) && is_same(m, text.p + at, 0, m->literal.n))
			return true;
	return false;
}

/* The shape's rows whose times, as they are written, have the literal. */
static int
ask_times(struct may *m, const struct time_style *st)
{
	struct time_text text = { 0 };
	struct column c;
	size_t i, k;
	int r;

	if (m->times == NULL) {
		r = block_column(m->b, STR("_time"), NULL, m->b->header.n_rows, &m->arena, &c);
		if (r != 0 || c.kind != COLUMN_TIME)
			return r < 0 ? err_trace(r) : WAY_ALL;
		m->times = c.ints;
	}
	for (k = m->first[m->code]; k < m->first[m->code + 1]; k++) {
		i = m->rows[k];
		if (bits_get(m->sel, i) && !bits_get(m->found, i) &&
		    holds(m, time_text_of(&text, st, m->times[i])))
			bits_set(m->found, i);
	}
	return 0;
}

static int
begin_time(struct may *m, const struct shape *shape, size_t i)
{
	const struct time_style *st = &shape->parts[i].style;
	const struct way none = { .n = 0 };
	char text[TIME_STYLE_TEXT];
	size_t n = time_model(m, st, text), k;
	int r = in_time(m, st) ? ask_times(m, st) : 0;

	for (k = 1; r == 0 && k < m->literal.n && (n == 0 || k <= n); k++)
		if (n == 0 || is_time_at(m, st, text, n - k, 0, k))
			r = walk(m, shape, i + 1, k, &none);
	return r;
}

/* Ways that begin in a value, of which the literal's first bytes are the last ones, or all of it. */
static int
begin_value(struct may *m, const struct shape *shape, size_t i)
{
	struct way y = { { { &shape->parts[i], 0, m->literal.n } }, 1 };
	size_t k;
	int r = end_way(m, &y);

	for (k = 1; r == 0 && k < m->literal.n; k++) {
		y.needs[0].to = k;
		r = walk(m, shape, i + 1, k, &y);
	}
	return r;
}

/* Whether a gap may meet a character beyond ASCII in fixed bytes, where it would be longer than a byte. */
static bool
is_beyond(const struct may *m, const struct shape *shape)
{
	size_t i, k;

	for (i = 0; m->gaps && i < shape->n_parts; i++)
		for (k = 0; shape->parts[i].type == SHAPE_BYTES && k < shape->parts[i].bytes.n; k++)
			if (shape->parts[i].bytes.p[k] >= 0x80)
				return true;
	return false;
}

static void
find_code(struct may *m, uint32_t code)
{
	size_t k;

	for (k = m->first[code]; k < m->first[code + 1]; k++)
		bits_set(m->found, m->rows[k]);
}

static int
ask_shape(struct may *m, uint32_t number)
{
	const struct shape *shape = &m->set.shapes[number];
	int r = is_beyond(m, shape) ? WAY_ALL : 0;
	bool is_fixed = false;
	size_t i;

	m->steps = 0;
	m->code = number + SHAPE_FIRST;
	for (i = 0; r == 0 && i < shape->n_parts; i++) {
		is_fixed |= shape->parts[i].type == SHAPE_BYTES;
		r = shape->parts[i].type == SHAPE_BYTES  ? begin_bytes(m, shape, i)
		    : shape->parts[i].type == SHAPE_TIME ? begin_time(m, shape, i)
		                                         : begin_value(m, shape, i);
	}
	/* What may be empty is no line. */
	if (r == 0 && !is_fixed)
		r = ask_whole(m, block_entry_find(m->b, STR("_msg")));
	if (r == WAY_ALL)
		find_code(m, m->code);
	return r == WAY_ALL ? 0 : r;
}

/* Lines that are made of fields, kept, or not known. */
/* Which rows have which code. */
static int
sort_codes(struct may *m)
{
	const struct enc_rows all = { NULL, m->b->header.n_rows };
	size_t n_codes = m->set.n + SHAPE_FIRST, i;
	uint32_t *codes = arena_alloc(&m->arena, (all.n + 1) * sizeof(*codes)), sum = 0, n;

	m->rows = arena_alloc(&m->arena, (all.n + 1) * sizeof(*m->rows));
	m->first = arena_zalloc(&m->arena, n_codes + 1, sizeof(*m->first));
	if (codes == NULL || m->rows == NULL || m->first == NULL)
		return err_origin(-ENOMEM);
	if (!shape_codes(&m->set, &all, codes))
		return BLOCK_E_CORRUPT;
	for (i = 0; i < all.n; i++)
		m->first[codes[i]]++;
	for (i = 0; i <= n_codes; i++) {
		n = m->first[i];
		m->first[i] = sum;
		sum += n;
	}
	/* Each is moved to where the next one begins, and back. */
	for (i = 0; i < all.n; i++)
		m->rows[m->first[codes[i]]++] = (uint32_t)i;
	for (i = n_codes; i > 0; i--)
		m->first[i] = m->first[i - 1];
	m->first[0] = 0;
	return 0;
}

static bool
is_used(const struct may *m, size_t code)
{
	return m->first[code] < m->first[code + 1];
}

static int
ask_lines(struct may *m, struct block_entry *shapes)
{
	size_t i;
	int r = block_open_shapes(m->b, shapes, &m->arena, &m->set);

	if (r == 0)
		r = sort_codes(m);
	if (r != 0)
		return r;
	if (is_used(m, SHAPE_NO_LINE))
		r = ask_whole(m, block_entry_find(m->b, STR("_msg")));
	if (r == 0 && is_used(m, SHAPE_KEPT))
		r = ask_whole(m, block_entry_hidden(m->b, ROLE_LINE));
	for (i = 0; r == 0 && i < m->set.n; i++)
		if (is_used(m, i + SHAPE_FIRST))
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
		r = ask_whole(m, block_entry_find(m->b, STR("_msg")));
	map_fini(&m->asked);
	return r;
}

int
block_lines_may(struct block *b, const struct literals *l, uint64_t *sel)
{
	struct may m = { .b = b, .nocase = l->nocase, .gaps = l->gaps, .sel = sel };
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
