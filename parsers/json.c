/*
 * parsers/json.c - JSON lines.
 * One job: the fields of one JSON object, by our own scanner.
 * Floor: 2 (uses record, base).
 *
 * Idea: json_index.c marks the bytes at which a string can end; the reader goes over the line once, from
 * mark to mark inside strings and byte by byte between them, and hands out views of the line.
 * No tree is built and only what is escaped is copied.
 *
 * The last byte of the text is always '}': so every byte that is not '}' has one behind it, and the
 * reader need not ask for the end before each.  A text that ends otherwise is wrong anyway; it is read
 * with a '}' put behind it to find out where.
 */
#include "parsers/json.h"

#include "base/utf8.h"
#include "parsers/parser_internal.h"

/* An object that is open. */
struct level {
	struct str prefix; /* its members' names begin with this */
	struct str key;    /* its own key as written, with quotes */
};

/*
 * Invariants: at < n until the outermost '}' is taken, and p[n - 1] == '}'; levels[0..depth) are open;
 * shown_n is the length of the text without a '}' put behind it.
 */
struct json {
	const uint8_t *p;
	size_t n;
	size_t at;
	size_t shown_n;
	const uint64_t *bits;
	struct gather *g;
	size_t names_left; /* bytes of dotted names that may still be made */
	size_t depth;
	struct level levels[JSON_DEPTH_MAX];
};

static int
fail(struct json *j, size_t at, const char *what)
{
	if (at >= j->shown_n)
		return gather_fail(j->g, "json: the text ends too early at byte %zu", j->shown_n);
	return gather_fail(j->g, "json: %s at byte %zu", what, at);
}

static inline bool
is_space(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static inline uint8_t
peek(struct json *j)
{
	/* One test for the usual case of no blank at all. */
	while (UNLIKELY(j->p[j->at] <= ' ') && is_space(j->p[j->at]))
		j->at++;
	return j->p[j->at];
}

/* The first marked byte at or after at; n when there is none. */
static inline size_t
next_mark(const struct json *j, size_t at)
{
	size_t w = at / 64;
	uint64_t m = j->bits[w] >> (at % 64);

	if (LIKELY(m != 0))
		return at + (size_t)__builtin_ctzll(m);
	do
		m = j->bits[++w];
	while (m == 0);
	return w * 64 + (size_t)__builtin_ctzll(m);
}

static int
hex4(const uint8_t *p)
{
	int v = 0, i, d;
	uint8_t c;

	for (i = 0; i < 4; i++) {
		c = str_lower_byte(p[i]);
		d = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
		if (d < 0)
			return -1;
		v = v << 4 | d;
	}
	return v;
}

/* \uXXXX whose 'u' is p[at]; a pair of surrogates is one character.  Where it ends, or 0. */
static size_t
unescape_u(const uint8_t *p, size_t at, size_t end, uint8_t **out)
{
	int c, low;

	c = end - at >= 5 ? hex4(p + at + 1) : -1;
	if (c < 0)
		return 0;
	at += 5;
	if (c >= 0xd800 && c < 0xdc00 && end - at >= 6 && p[at] == '\\' && p[at + 1] == 'u') {
		low = hex4(p + at + 2);
		if (low >= 0xdc00 && low < 0xe000) {
			c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
			at += 6;
		}
	}
	*out += utf8_encode(*out, (uint32_t)c);
	return at;
}

/* p[start..end) without its escapes to out; where a bad escape stands, or 0 and the bytes written. */
static size_t
unescape(const uint8_t *p, size_t start, size_t end, uint8_t *out, size_t *ret_n)
{
	static const uint8_t plain[256] = { ['"'] = '"',
		['\\'] = '\\',
		['/'] = '/',
		['b'] = '\b',
		['f'] = '\f',
		['n'] = '\n',
		['r'] = '\r',
		['t'] = '\t' };
	const uint8_t *from = out, *stop;
	size_t at = start, n, next;

	while (at < end) {
		stop = memchr(p + at, '\\', end - at);
		n = stop != NULL ? (size_t)(stop - p) - at : end - at;
		memcpy(out, p + at, n);
		out += n;
		at += n;
		if (at == end)
			break;
		/* The scan for the end took escapes by twos, so one more byte is there. */
		if (plain[p[at + 1]] != 0) {
			*out++ = plain[p[at + 1]];
			at += 2;
			continue;
		}
		next = p[at + 1] == 'u' ? unescape_u(p, at + 1, end, &out) : 0;
		if (next == 0)
			return at;
		at = next;
	}
	*ret_n = (size_t)(out - from);
	return 0;
}

/* The end of a string with escapes, of which the first mark is at mark; at is behind its '"' then. */
static int
string_end(struct json *j, size_t mark, size_t *ret_end)
{
	while (mark < j->n && j->p[mark] == '\\')
		mark = mark + 2 <= j->n ? next_mark(j, mark + 2) : j->n;
	if (mark >= j->n)
		return fail(j, j->shown_n, "");
	if (j->p[mark] != '"')
		return fail(j, mark, "control character in a string");
	*ret_end = mark;
	j->at = mark + 1;
	return 0;
}

static int
string_slow(struct json *j, size_t mark, struct str *ret)
{
	size_t start = j->at, end = 0, n = 0, bad;
	uint8_t *out;
	int r;

	r = string_end(j, mark, &end);
	if (r != 0)
		return r;
	/* An escape is never shorter than what it stands for. */
	out = arena_alloc(j->g->arena, end - start);
	if (out == NULL)
		return err_origin(-ENOMEM);
	bad = unescape(j->p, start, end, out, &n);
	if (bad != 0)
		return fail(j, bad, "bad escape");
	*ret = str_of(out, n);
	return 0;
}

/* The string whose '"' is at at. */
static inline int
string(struct json *j, struct str *ret)
{
	size_t start = ++j->at, mark = next_mark(j, start);

	/* The mark at n is no byte of the text. */
	if (LIKELY(mark < j->n && j->p[mark] == '"')) {
		*ret = str_of(j->p + start, mark - start);
		j->at = mark + 1;
		return 0;
	}
	return string_slow(j, mark, ret);
}

static inline size_t
skip_digits(const uint8_t *p, size_t at)
{
	while ((uint8_t)(p[at] - '0') <= 9)
		at++;
	return at;
}

/* Where the number at at ends; SIZE_MAX when it is none, with ret_bad where. */
static inline size_t
number_end(const uint8_t *p, size_t at, size_t *ret_bad)
{
	size_t from;

	at += p[at] == '-';
	from = at;
	at = skip_digits(p, at);
	*ret_bad = at;
	if (at == from || (p[from] == '0' && at - from > 1))
		return SIZE_MAX;
	if (p[at] == '.') {
		from = ++at;
		at = skip_digits(p, at);
		*ret_bad = at;
		if (at == from)
			return SIZE_MAX;
	}
	if ((p[at] | 0x20) == 'e') {
		at++;
		at += p[at] == '+' || p[at] == '-';
		from = at;
		at = skip_digits(p, at);
		*ret_bad = at;
		if (at == from)
			return SIZE_MAX;
	}
	return at;
}

/* true, false or null at at: its length, or 0. */
static size_t
literal(const struct json *j)
{
	static const struct str words[] = { STR_INIT("true"), STR_INIT("false"), STR_INIT("null") };
	size_t i;

	for (i = 0; i < ARRAY_LEN(words); i++)
		if (j->n - j->at >= words[i].n && memcmp(j->p + j->at, words[i].p, words[i].n) == 0)
			return words[i].n;
	return 0;
}

/* A value that is neither array nor object. */
static inline int
scalar(struct json *j, uint8_t c, struct str *ret, enum value_kind *ret_kind)
{
	size_t start = j->at, end, bad;

	if (LIKELY(c == '"')) {
		*ret_kind = VALUE_STRING;
		return string(j, ret);
	}
	if (LIKELY((uint8_t)(c - '0') <= 9 || c == '-')) {
		end = number_end(j->p, start, &bad);
		if (end == SIZE_MAX)
			return fail(j, bad, "bad number");
		*ret_kind = VALUE_NUMBER;
		*ret = str_of(j->p + start, end - start);
		j->at = end;
		return 0;
	}
	end = literal(j);
	if (end == 0)
		return fail(j, start, "no value");
	*ret_kind = c == 'n' ? VALUE_NULL : VALUE_BOOL;
	*ret = c == 'n' ? STR_NONE : str_of(j->p + start, end);
	j->at = start + end;
	return 0;
}

/* What an array or object that is only checked holds: a bit a level says which of the two it is. */
struct nest {
	size_t depth;
	uint64_t is_object[JSON_DEPTH_MAX / 64];
};

static int
nest_open(struct json *j, struct nest *s, bool object)
{
	if (j->depth + s->depth == JSON_DEPTH_MAX)
		return fail(j, j->at, "nested too deep");
	if (object)
		s->is_object[s->depth / 64] |= UINT64_C(1) << (s->depth % 64);
	else
		s->is_object[s->depth / 64] &= ~(UINT64_C(1) << (s->depth % 64));
	s->depth++;
	j->at++;
	return 0;
}

static bool
nest_object(const struct nest *s)
{
	return (s->is_object[(s->depth - 1) / 64] >> ((s->depth - 1) % 64) & 1) != 0;
}

/* A key and its ':'. */
static int
skip_key(struct json *j)
{
	struct str ignored;
	int r;

	if (peek(j) != '"')
		return fail(j, j->at, "no key");
	r = string(j, &ignored);
	if (r != 0)
		return r;
	if (peek(j) != ':')
		return fail(j, j->at, "no ':'");
	j->at++;
	return 0;
}

/* The value at at or, where that is an array or object, its start; *ret_open says which. */
static int
nest_value(struct json *j, struct nest *s, bool *ret_open)
{
	uint8_t c = peek(j);
	enum value_kind kind;
	struct str ignored;

	*ret_open = c == '[' || c == '{';
	return *ret_open ? nest_open(j, s, c == '{') : scalar(j, c, &ignored, &kind);
}

/*
 * Behind a value, or behind '[' or '{' when first: close what closes, else go to the next value.
 * 0 with *ret_more: a value comes.  All closed: *ret_more is false.
 */
static int
nest_next(struct json *j, struct nest *s, bool first, bool *ret_more)
{
	uint8_t c;

	for (; s->depth > 0; first = false) {
		c = peek(j);
		if (c == (nest_object(s) ? '}' : ']')) {
			/* The outermost '}' closes the whole text; this array stands inside it. */
			if (++j->at == j->n)
				return fail(j, j->shown_n, "");
			s->depth--;
			continue;
		}
		if (!first && c != ',')
			return fail(j, j->at, nest_object(s) ? "no ',' or '}'" : "no ',' or ']'");
		j->at += !first;
		*ret_more = true;
		return nest_object(s) ? skip_key(j) : 0;
	}
	*ret_more = false;
	return 0;
}

/* Check the array or object at at, which is not the outermost, and give its text. */
static int
nested_text(struct json *j, struct str *ret)
{
	struct nest s = { 0 };
	size_t start = j->at;
	bool more = true, open = false;
	int r = 0;

	while (r == 0 && more) {
		r = nest_value(j, &s, &open);
		if (r == 0)
			r = nest_next(j, &s, open, &more);
	}
	if (r == 0)
		*ret = str_of(j->p + start, j->at - start);
	return r;
}

/* prefix and key as one name, or key itself at the top. */
static inline int
full_name(struct json *j, struct str key, struct str *ret)
{
	struct str prefix = j->levels[j->depth - 1].prefix;
	uint8_t *p;

	if (LIKELY(prefix.n == 0)) {
		*ret = key;
		return 0;
	}
	if (prefix.n + key.n > j->names_left)
		return GATHER_E_FULL;
	j->names_left -= prefix.n + key.n;
	p = arena_alloc(j->g->arena, prefix.n + key.n);
	if (p == NULL)
		return err_origin(-ENOMEM);
	memcpy(p, prefix.p, prefix.n);
	if (key.n != 0)
		memcpy(p + prefix.n, key.p, key.n);
	*ret = str_of(p, prefix.n + key.n);
	return 0;
}

/* Go into the object at at, whose key is named. */
static int
open_object(struct json *j, struct str key, struct str key_text)
{
	struct str name = STR_NONE, prefix;
	uint8_t *p;
	int r;

	if (j->depth == JSON_DEPTH_MAX)
		return fail(j, j->at, "nested too deep");
	r = full_name(j, key, &name);
	if (r != 0)
		return r;
	p = arena_alloc(j->g->arena, name.n + 1);
	if (p == NULL)
		return err_origin(-ENOMEM);
	if (name.n != 0)
		memcpy(p, name.p, name.n);
	p[name.n] = '.';
	prefix = str_of(p, name.n + 1);
	j->levels[j->depth++] = (struct level){ prefix, key_text };
	j->at++;
	return 0;
}

/*
 * The record is full.  What is left, from key_text on, goes into _rest as one object: the objects that
 * are open, and the text up to the end, which closes them.
 */
static int
gather_rest(struct json *j, struct str key_text)
{
	size_t from = (size_t)(key_text.p - j->p), n = j->n - from + 1, i;
	uint8_t *p, *start;

	for (i = 1; i < j->depth; i++)
		n += j->levels[i].key.n + 2;
	p = start = arena_alloc(j->g->arena, n);
	if (p == NULL)
		return err_origin(-ENOMEM);
	*p++ = '{';
	for (i = 1; i < j->depth; i++) {
		memcpy(p, j->levels[i].key.p, j->levels[i].key.n);
		p += j->levels[i].key.n;
		*p++ = ':';
		*p++ = '{';
	}
	memcpy(p, j->p + from, j->n - from);
	j->g->rest = str_of(start, n);
	return 0;
}

/* Check what is left of the text, from the value at at on, without keeping it. */
static int
skip_rest(struct json *j)
{
	struct str ignored;
	enum value_kind kind;
	uint8_t c;
	int r;

	for (;;) {
		c = peek(j);
		r = c == '[' || c == '{' ? nested_text(j, &ignored) : scalar(j, c, &ignored, &kind);
		if (r != 0)
			return r;
		while ((c = peek(j)) == '}') {
			j->at++;
			if (--j->depth == 0)
				return 0;
			if (j->at == j->n)
				return fail(j, j->shown_n, "");
		}
		if (c != ',')
			return fail(j, j->at, "no ',' or '}'");
		j->at++;
		r = skip_key(j);
		if (r != 0)
			return r;
	}
}

static bool
is_empty_object(struct json *j)
{
	size_t at = j->at + 1;

	while (is_space(j->p[at]))
		at++;
	return j->p[at] == '}';
}

/* The value of a key: a field, or an object gone into (*ret_open). */
static inline int
member_value(struct json *j, struct str key, struct str key_text, bool *ret_open)
{
	enum value_kind kind = VALUE_JSON;
	struct str value = STR_NONE, name = STR_NONE;
	uint8_t c = peek(j);
	int r;

	if (UNLIKELY(c == '{') && !is_empty_object(j)) {
		*ret_open = true;
		return open_object(j, key, key_text);
	}
	if (UNLIKELY(c == '{' || c == '['))
		r = nested_text(j, &value);
	else
		r = scalar(j, c, &value, &kind);
	if (UNLIKELY(r != 0))
		return r;
	r = full_name(j, key, &name);
	if (UNLIKELY(r != 0))
		return r;
	return gather_add(j->g, name, value, kind);
}

/* A member, from its key on. */
static inline int
member(struct json *j, bool *ret_open)
{
	size_t start = j->at, value_at;
	struct str key, key_text;
	int r;

	if (UNLIKELY(j->p[start] != '"'))
		return fail(j, start, "no key");
	r = string(j, &key);
	if (UNLIKELY(r != 0))
		return r;
	key_text = str_of(j->p + start, j->at - start);
	if (UNLIKELY(peek(j) != ':'))
		return fail(j, j->at, "no ':'");
	value_at = ++j->at;
	r = member_value(j, key, key_text, ret_open);
	if (UNLIKELY(r == GATHER_E_FULL)) {
		r = gather_rest(j, key_text);
		j->at = value_at;
		if (r == 0)
			r = skip_rest(j);
	}
	return r;
}

/* Members until the outermost object is closed; at is behind its '{'. */
static int
members(struct json *j)
{
	bool open = true;
	uint8_t c;
	int r;

	for (;;) {
		c = peek(j);
		while (c == '}') {
			j->at++;
			if (--j->depth == 0)
				return 0;
			if (j->at == j->n)
				return fail(j, j->shown_n, "");
			open = false;
			c = peek(j);
		}
		if (!open) {
			if (UNLIKELY(c != ','))
				return fail(j, j->at, "no ',' or '}'");
			j->at++;
			(void)peek(j);
		}
		open = false;
		r = member(j, &open);
		if (UNLIKELY(r != 0))
			return r;
		/* _rest took everything to the end. */
		if (UNLIKELY(j->depth == 0))
			return 0;
	}
}

static int
whole(struct json *j)
{
	int r;

	if (peek(j) != '{')
		return fail(j, j->at, "not an object");
	j->at++;
	j->levels[0] = (struct level){ STR_NONE, STR_NONE };
	j->depth = 1;
	r = members(j);
	if (r != 0)
		return r;
	if (j->at < j->n)
		(void)peek(j);
	return j->at == j->n && j->n == j->shown_n ? 0 : fail(j, j->at, "more behind the object");
}

static int
grow_bits(struct json_scanner *js, size_t n_words)
{
	uint64_t *bits;

	if (n_words <= js->n_words)
		return 0;
	n_words += n_words / 2;
	bits = malloc(n_words * sizeof(*bits));
	if (bits == NULL)
		return err_origin(-ENOMEM);
	free(js->bits);
	js->bits = bits;
	js->n_words = n_words;
	return 0;
}

/* The text with a '}' behind it, and its place in the arena. */
static int
close_text(struct json *j, struct arena *arena)
{
	uint8_t *p = arena_alloc(arena, j->n + 1);

	if (p == NULL)
		return err_origin(-ENOMEM);
	if (j->n != 0)
		memcpy(p, j->p, j->n);
	p[j->n++] = '}';
	j->p = p;
	return 0;
}

int
json_gather(struct json_scanner *js, struct str s, struct gather *g)
{
	struct json j;
	int r;

	while (s.n > 0 && is_space(s.p[s.n - 1]))
		s.n--;
	j.p = s.p;
	j.n = j.shown_n = s.n;
	j.at = j.depth = 0;
	j.g = g;
	j.names_left = JSON_NAMES_MIN + s.n * JSON_NAMES_PER_BYTE;
	if (s.n == 0 || s.p[s.n - 1] != '}') {
		r = close_text(&j, g->arena);
		if (r != 0)
			return r;
	}
	r = grow_bits(js, JSON_INDEX_WORDS(j.n));
	if (r != 0)
		return r;
	js->index(j.p, j.n, js->bits);
	j.bits = js->bits;
	return whole(&j);
}

void
json_scanner_init(struct json_scanner *js)
{
	*js = (struct json_scanner){ .index = json_index_best() };
}

void
json_scanner_fini(struct json_scanner *js)
{
	free(js->bits);
	*js = (struct json_scanner){ 0 };
}

int
format_json(struct context *c, struct str line)
{
	return json_gather(&c->json, line, &c->g);
}

int
json_fields(struct str s, struct arena *arena, struct field **ret, size_t *ret_n)
{
	struct field small[GATHER_SMALL];
	struct json_scanner js;
	struct gather g;
	int r;

	gather_init(&g, NULL, small, ARRAY_LEN(small));
	json_scanner_init(&js);
	g.bare = true;
	gather_begin(&g, arena);
	r = json_gather(&js, s, &g);
	if (r == 0)
		r = gather_fields(&g, ret, ret_n);
	gather_fini(&g);
	json_scanner_fini(&js);
	return r;
}
