/*
 * parsers/json.c - JSON lines.
 * One job: the fields of one JSON object, by our own scanner.
 * Floor: 2 (uses record, base).
 *
 * Idea: json_index.c marks the bytes at which a string can end; the reader goes over the line once, from
 * mark to mark inside strings and byte by byte between them, and hands out views of the line.
 * No tree is built and only what is escaped is copied.
 */
#include "parsers/json_internal.h"
#include "parsers/json_keys.h"
#include "parsers/parser_internal.h"

/* What an array or object that is only checked holds: a bit a level says which of the two it is. */
struct nest {
	size_t depth;
	uint64_t is_object[JSON_DEPTH_MAX / 64];
};

static int
nest_open(struct json *j, struct nest *s, bool object)
{
	if (j->depth + s->depth == JSON_DEPTH_MAX)
		return json_fail(j, j->at, "nested too deep");
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

	if (json_peek(j) != '"')
		return json_fail(j, j->at, "no key");
	r = json_string(j, &ignored);
	if (r != 0)
		return r;
	if (json_peek(j) != ':')
		return json_fail(j, j->at, "no ':'");
	j->at++;
	return 0;
}

/* The value at at or, where that is an array or object, its start; *ret_open says which. */
static int
nest_value(struct json *j, struct nest *s, bool *ret_open)
{
	uint8_t c = json_peek(j);
	enum value_kind kind;
	struct str ignored;

	*ret_open = c == '[' || c == '{';
	return *ret_open ? nest_open(j, s, c == '{') : json_scalar(j, c, &ignored, &kind);
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
		c = json_peek(j);
		if (c == (nest_object(s) ? '}' : ']')) {
			/* The outermost '}' closes the whole text; this array stands inside it. */
			if (++j->at == j->n)
				return json_fail(j, j->shown_n, "");
			s->depth--;
			continue;
		}
		if (!first && c != ',')
			return json_fail(j, j->at,
			    nest_object(s) ? "no ',' or '}'" : "no ',' or ']'");
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
		return json_fail(j, j->at, "nested too deep");
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
		c = json_peek(j);
		r = c == '[' || c == '{' ? nested_text(j, &ignored)
		                         : json_scalar(j, c, &ignored, &kind);
		if (r != 0)
			return r;
		while ((c = json_peek(j)) == '}') {
			j->at++;
			if (--j->depth == 0)
				return 0;
			if (j->at == j->n)
				return json_fail(j, j->shown_n, "");
		}
		if (c != ',')
			return json_fail(j, j->at, "no ',' or '}'");
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

	while (json_is_space(j->p[at]))
		at++;
	return j->p[at] == '}';
}

/* Whether the object of this key stays text. */
static bool
is_kept(const struct json *j, struct str key)
{
	struct str prefix = j->levels[j->depth - 1].prefix, name;
	size_t i;

	for (i = 0; i < j->g->n_keep; i++) {
		name = j->g->keep[i];
		if (name.n == prefix.n + key.n && str_starts(name, prefix) &&
		    str_eq(str_sub(name, prefix.n, name.n), key))
			return true;
	}
	return false;
}

/* The value of a key: a field, or an object gone into (*ret_open). */
static inline int
member_value(struct json *j, struct str key, struct str key_text, bool *ret_open)
{
	enum value_kind kind = VALUE_JSON;
	struct str value = STR_NONE, name = STR_NONE;
	uint8_t c = json_peek(j);
	int r;

	if (UNLIKELY(c == '{') && !is_empty_object(j) && !is_kept(j, key)) {
		*ret_open = true;
		return open_object(j, key, key_text);
	}
	if (UNLIKELY(c == '{' || c == '['))
		r = nested_text(j, &value);
	else
		r = json_scalar(j, c, &value, &kind);
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
		return json_fail(j, start, "no key");
	r = json_string(j, &key);
	if (UNLIKELY(r != 0))
		return r;
	key_text = str_of(j->p + start, j->at - start);
	if (UNLIKELY(json_peek(j) != ':'))
		return json_fail(j, j->at, "no ':'");
	value_at = ++j->at;
	if (j->keys != NULL && j->depth == 1)
		json_key_learn(j, key, key_text);
	r = member_value(j, key, key_text, ret_open);
	if (UNLIKELY(r == GATHER_E_FULL)) {
		r = gather_rest(j, key_text);
		j->at = value_at;
		if (r == 0)
			r = skip_rest(j);
	}
	return r;
}

/* The string without escapes, or number, at p[at]: where it ends; 0 when it is neither. */
static inline size_t
usual_value(const struct json *j, size_t at, struct str *ret, enum value_kind *ret_kind)
{
	size_t end, bad;

	if (LIKELY(j->p[at] == '"')) {
		end = json_next_mark(j, ++at);
		*ret = str_of(j->p + at, end - at);
		*ret_kind = VALUE_STRING;
		return end < j->n && j->p[end] == '"' ? end + 1 : 0;
	}
	if ((uint8_t)(j->p[at] - '0') > 9 && j->p[at] != '-')
		return 0;
	end = json_short_number(j->p, at, j->n);
	if (end == 0)
		end = number_end(j->p, at, &bad);
	*ret = str_of(j->p + at, end - at);
	*ret_kind = VALUE_NUMBER;
	return end != SIZE_MAX ? end : 0;
}

/*
 * Take the fields behind those of g as they stand in its path up to ${n}, and note their names as gather_add would.  False when one
 * has a name that may be there already: j->at is at its key then.
 */
static bool
take_usual(struct json *j, size_t n)
{
	struct gather *g = j->g;
	const struct json_key *k;

	for (; g->n < n; g->n++) {
		k = &j->keys->of[g->path[g->n] & (JSON_KEYS - 1)];
		if (gather_met(g, k->hash)) {
			j->at = (size_t)(g->f[g->n].name.p - j->p) - 1;
			return false;
		}
		gather_note(g, k->hash);
		if (k->role != NAME_PLAIN)
			gather_take_role(g, g->n, k->role, k->rank);
		j->last = &j->keys->of[k->hash];
	}
	return true;
}

/*
 * Members as long as they are what is usual: an expected key, a plain value, at most one blank before either.  j->at is at a key;
 * it ends at one or at blanks before it, with true at the '}' behind the last of them.  What is not usual is left to member(),
 * which says what is wrong with it.
 */
static bool
usual_members(struct json *j)
{
	struct json_key *k, *last = j->last;
	struct gather *g = j->g;
	/* Bytes that are written may be anything's, as far as the compiler knows: what the loop needs is its own. */
	size_t at = j->at, from = at, n = g->n, start, end, met = n,
	       most = g->cap < GATHER_SMALL ? g->cap : GATHER_SMALL;
	struct field *f = g->f + n;
	const uint8_t *p = j->p;
	uint32_t hash = 0;
	unsigned step, blank = 0;
	bool closed = false;
	enum value_kind kind = VALUE_STRING;
	/* Apart, so that the first need not be in memory. */
	struct str value = STR_NONE, own = STR_NONE;

	for (; n < most; n++, f++) {
		k = json_key_expect(j->keys, last, p + at, j->n - at);
		if (UNLIKELY(k == NULL))
			break;
		end = at + k->n;
		step = k->hash | blank;
		if (UNLIKELY(p[end] == ' ')) {
			step |= JSON_BLANK_VALUE;
			end++;
		}
		/* No value: at 0 there is a '{', or what stands before it. */
		start = end;
		end = usual_value(j, start, &value, &kind);
		if (UNLIKELY(p[end] != ',' && p[end] != '}')) {
			end = p[start] == '"' ? json_string_own(j, start, &own) : 0;
			if (p[end] != ',' && p[end] != '}')
				break;
			value = own;
			kind = VALUE_STRING;
			step |= JSON_ESCAPED;
		}
		step |= (unsigned)kind << JSON_KIND_SHIFT | (value.n == 0 ? JSON_EMPTY : 0);
		*f = (struct field){ str_of(p + at + 1, k->n - 3u), value, kind };
		g->path[n] = (uint16_t)step;
		closed = p[end] == '}';
		hash = (hash + step) * 0x9e3779b1u;
		last = k;
		at = end;
		if (closed) {
			n++;
			break;
		}
		blank = 0;
		if (UNLIKELY(p[++at] == ' ')) {
			blank = JSON_BLANK_KEY;
			at++;
		}
	}
	j->at = at;
	/* From the '{' on to the '}' that ends it all. */
	if (LIKELY(closed && from == 1 && met == 0 && at + 1 == j->shown_n)) {
		g->n = n;
		g->path_hash = hash >> 16;
		g->usual_n = at + 1;
		g->known = json_keys_find(j->keys, g);
		if (LIKELY(g->known != NULL)) {
			j->n_usual = n;
			return true;
		}
		g->n = 0;
	}
	closed &= take_usual(j, n);
	j->n_usual += g->n - met;
	if (!closed)
		g->usual_n = 0;
	return closed;
}

/* Members until the outermost object is closed; at is behind its '{'. */
static int
members(struct json *j)
{
	bool open = true;
	uint8_t c;
	int r;

	for (;;) {
		c = json_peek(j);
		while (c == '}') {
			j->at++;
			if (--j->depth == 0)
				return 0;
			if (j->at == j->n)
				return json_fail(j, j->shown_n, "");
			open = false;
			c = json_peek(j);
		}
		if (!open) {
			if (UNLIKELY(c != ','))
				return json_fail(j, j->at, "no ',' or '}'");
			j->at++;
			(void)json_peek(j);
		}
		open = false;
		if (j->depth == 1 && j->keys != NULL) {
			if (usual_members(j))
				continue;
			/* More than one blank before a key, or another than ' '. */
			(void)json_peek(j);
		}
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

	if (json_peek(j) != '{')
		return json_fail(j, j->at, "not an object");
	j->at++;
	j->levels[0] = (struct level){ STR_NONE, STR_NONE };
	j->depth = 1;
	r = members(j);
	if (r != 0)
		return r;
	if (j->at < j->n)
		(void)json_peek(j);
	return j->at == j->n && j->n == j->shown_n ? 0
	                                           : json_fail(j, j->at, "more behind the object");
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

	while (s.n > 0 && json_is_space(s.p[s.n - 1]))
		s.n--;
	j.p = s.p;
	j.n = j.shown_n = s.n;
	j.at = j.depth = 0;
	j.g = g;
	j.keys = json_keys_try(js->keys);
	j.last = NULL;
	if (j.keys != NULL)
		j.last = &j.keys->first;
	j.n_usual = 0;
	j.names_left = JSON_NAMES_MIN + s.n * JSON_NAMES_PER_BYTE;
	if (s.n == 0 || s.p[s.n - 1] != '}') {
		r = close_text(&j, g->arena);
		if (r != 0)
			return r;
	}
	r = grow_bits(js, JSON_INDEX_WORDS(j.n) + 1);
	if (r != 0)
		return r;
	js->index(j.p, j.n, js->bits);
	js->bits[JSON_INDEX_WORDS(j.n)] = 0;
	j.bits = js->bits;
	r = whole(&j);
	if (j.keys != NULL)
		json_keys_tried(j.keys, j.n_usual * 2 >= g->n);
	return r;
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
	free(js->keys);
	*js = (struct json_scanner){ 0 };
}

int
format_json(struct context *c, struct str line)
{
	return json_gather(&c->json, line, &c->g);
}

int
json_fields_keep(struct str s, const struct str *keep, size_t n_keep, struct arena *arena,
    struct field **ret, size_t *ret_n)
{
	struct field small[GATHER_SMALL];
	struct json_scanner js;
	struct gather g;
	int r;

	gather_init(&g, NULL, small, ARRAY_LEN(small));
	json_scanner_init(&js);
	g.bare = true;
	g.keep = keep;
	g.n_keep = n_keep;
	gather_begin(&g, arena);
	r = json_gather(&js, s, &g);
	if (r == 0)
		r = gather_fields(&g, ret, ret_n);
	gather_fini(&g);
	json_scanner_fini(&js);
	return r;
}

int
json_fields(struct str s, struct arena *arena, struct field **ret, size_t *ret_n)
{
	return json_fields_keep(s, NULL, 0, arena, ret, ret_n);
}
