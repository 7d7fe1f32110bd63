/*
 * query/json_text.c - JSON values as text.
 * One job: the items of a JSON array, and any value without its blanks and needless escapes.
 * Floor: 3 (uses base).
 */
#include "base/utf8.h"
#include "query/pipe_stage.h"

enum { JSON_DEPTH_MAX = 100 };

/* Reads one JSON value after the other. */
struct cursor {
	struct str s;
	size_t at;
	struct buf *out;  /* of strings decoded, or compact text */
	struct buf plain; /* one string decoded, on its way to compact text */
};

static void
skip_blanks(struct cursor *c)
{
	while (c->at < c->s.n && memchr(" \t\r\n", c->s.p[c->at], 4) != NULL)
		c->at++;
}

static bool
take_byte(struct cursor *c, uint8_t b)
{
	skip_blanks(c);
	if (c->at == c->s.n || c->s.p[c->at] != b)
		return false;
	c->at++;
	return true;
}

/* The string at the cursor as it is written, with its quotes. */
static bool
raw_string(struct cursor *c, struct str *ret)
{
	size_t start = c->at;

	if (!take_byte(c, '"'))
		return false;
	start = c->at - 1;
	for (; c->at < c->s.n && c->s.p[c->at] != '"'; c->at++)
		if (c->s.p[c->at] == '\\')
			c->at++;
	if (c->at >= c->s.n)
		return false;
	c->at++;
	*ret = str_sub(c->s, start, c->at);
	return true;
}

static uint32_t
hex4(struct str s, size_t at)
{
	uint32_t v = 0;
	size_t i;

	if (at + 4 > s.n)
		return 0xfffd;
	for (i = at; i < at + 4; i++) {
		uint8_t c = str_lower_byte(s.p[i]);

		if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
			return 0xfffd;
		v = v * 16 + (uint32_t)(c <= '9' ? c - '0' : c - 'a' + 10);
	}
	return v;
}

/* The text of a JSON string's inside. */
static void
decode(struct str s, struct buf *out)
{
	static const char names[] = "bfnrt", meaning[] = "\b\f\n\r\t";
	uint8_t text[4];
	const char *at;
	uint32_t v, low;
	size_t i = 0;

	while (i < s.n) {
		if (s.p[i] != '\\' || i + 1 == s.n) {
			buf_byte(out, s.p[i++]);
			continue;
		}
		i += 2;
		at = s.p[i - 1] != 0 ? strchr(names, s.p[i - 1]) : NULL;
		if (at != NULL) {
			buf_byte(out, (uint8_t)meaning[at - names]);
		} else if (s.p[i - 1] == 'u') {
			v = hex4(s, i);
			i += i + 4 <= s.n ? 4 : s.n - i;
			if (v >= 0xd800 && v < 0xdc00 && i + 6 <= s.n && s.p[i] == '\\' &&
			    s.p[i + 1] == 'u') {
				low = hex4(s, i + 2);
				if (low >= 0xdc00 && low < 0xe000) {
					v = 0x10000 + ((v - 0xd800) << 10) + (low - 0xdc00);
					i += 6;
				}
			}
			buf_put(out, text, utf8_encode(text, v));
		} else {
			buf_byte(out, s.p[i - 1]);
		}
	}
}

/* A string, from as it is written to as weir writes it. */
static void
put_string(struct cursor *c, struct str raw)
{
	buf_clear(&c->plain);
	decode(str_sub(raw, 1, raw.n - 1), &c->plain);
	if (c->plain.failed)
		c->out->failed = true;
	buf_json(c->out, buf_view(&c->plain));
}

static bool compact(struct cursor *c, unsigned depth);

/* Items up to ${end}, as compact text; with keys in an object. */
static bool
compact_items(struct cursor *c, uint8_t end, unsigned depth)
{
	bool first = true;
	struct str key;

	while (!take_byte(c, end)) {
		if (!first && !take_byte(c, ','))
			return false;
		if (!first)
			buf_byte(c->out, ',');
		first = false;
		if (end == '}') {
			skip_blanks(c);
			if (!raw_string(c, &key) || !take_byte(c, ':'))
				return false;
			put_string(c, key);
			buf_byte(c->out, ':');
		}
		if (!compact(c, depth + 1))
			return false;
	}
	buf_byte(c->out, end);
	return true;
}

/* One value as compact text. */
static bool
compact(struct cursor *c, unsigned depth)
{
	struct str text;
	size_t start;

	skip_blanks(c);
	if (depth > JSON_DEPTH_MAX || c->at == c->s.n)
		return false;
	if (c->s.p[c->at] == '"') {
		if (!raw_string(c, &text))
			return false;
		put_string(c, text);
		return true;
	}
	if (c->s.p[c->at] == '[' || c->s.p[c->at] == '{') {
		buf_byte(c->out, c->s.p[c->at]);
		c->at++;
		return compact_items(c, c->s.p[c->at - 1] == '[' ? ']' : '}', depth);
	}
	for (start = c->at; c->at < c->s.n && memchr(",]} \t\r\n:\"[{", c->s.p[c->at], 11) == NULL;)
		c->at++;
	buf_str(c->out, str_sub(c->s, start, c->at));
	return c->at > start;
}

static int
add_item(struct arena *arena, struct str **items, size_t *n, struct str item)
{
	struct str *p;

	if ((*n & (*n - 1)) == 0) {
		p = arena_alloc(arena, (*n == 0 ? 1 : *n * 2) * sizeof(*p));
		if (p == NULL)
			return err_origin(-ENOMEM);
		if (*n != 0)
			memcpy(p, *items, *n * sizeof(*p));
		*items = p;
	}
	(*items)[*n] = arena_dup(arena, item);
	return (*items)[(*n)++].p == NULL ? err_origin(-ENOMEM) : 0;
}

static int
array_items(struct cursor *c, struct arena *arena, struct str **ret, size_t *ret_n)
{
	struct str raw;
	int r;

	if (!take_byte(c, '['))
		return 1;
	while (!take_byte(c, ']')) {
		if (*ret_n > 0 && !take_byte(c, ','))
			return 1;
		buf_clear(c->out);
		skip_blanks(c);
		if (c->at < c->s.n && c->s.p[c->at] == '"') {
			if (!raw_string(c, &raw))
				return 1;
			decode(str_sub(raw, 1, raw.n - 1), c->out);
		} else if (!compact(c, 0)) {
			return 1;
		}
		r = buf_err(c->out);
		if (r == 0)
			r = add_item(arena, ret, ret_n, buf_view(c->out));
		if (r != 0)
			return r;
	}
	skip_blanks(c);
	return c->at == c->s.n ? 0 : 1;
}

int
json_array_items(struct str s, struct arena *arena, struct str **ret, size_t *ret_n)
{
	AUTO_FINI(buf_fini) struct buf text = BUF_INIT;
	struct cursor c = { s, 0, &text, BUF_INIT };
	int r;

	*ret = NULL;
	*ret_n = 0;
	r = array_items(&c, arena, ret, ret_n);
	buf_fini(&c.plain);
	return r;
}

int
json_compact(struct str s, struct buf *out)
{
	struct cursor c = { s, 0, out, BUF_INIT };
	bool good;

	good = compact(&c, 0);
	skip_blanks(&c);
	buf_fini(&c.plain);
	return buf_err(out) != 0 ? buf_err(out) : good && c.at == s.n ? 0 : 1;
}
