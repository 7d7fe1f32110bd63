/*
 * query/pipe_unroll.c - arrays made rows.
 * One job: the items of a JSON array, and the unroll pipe: a row for each of them.
 * Floor: 3 (uses logsql, record, base).
 */
#include "base/utf8.h"
#include "query/pipe_stage.h"

enum { JSON_DEPTH_MAX = 100 };

/* Reads one JSON value after the other. */
struct cursor {
	struct str s;
	size_t at;
	struct buf *out; /* of strings decoded, or compact text */
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
			buf_str(c->out, key);
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
		buf_str(c->out, text);
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

int
json_array_items(struct str s, struct arena *arena, struct str **ret, size_t *ret_n)
{
	AUTO_FINI(buf_fini) struct buf text = BUF_INIT;
	struct cursor c = { s, 0, &text };
	struct str raw;
	int r;

	*ret = NULL;
	*ret_n = 0;
	if (!take_byte(&c, '['))
		return 1;
	while (!take_byte(&c, ']')) {
		if (*ret_n > 0 && !take_byte(&c, ','))
			return 1;
		buf_clear(&text);
		skip_blanks(&c);
		if (c.at < s.n && s.p[c.at] == '"') {
			if (!raw_string(&c, &raw))
				return 1;
			decode(str_sub(raw, 1, raw.n - 1), &text);
		} else if (!compact(&c, 0)) {
			return 1;
		}
		r = buf_err(&text);
		if (r == 0)
			r = add_item(arena, ret, ret_n, buf_view(&text));
		if (r != 0)
			return r;
	}
	skip_blanks(&c);
	return c.at == s.n ? 0 : 1;
}

struct unroll_stage {
	struct stage stage;
	const struct pipe *pipe;
};

/* The columns of one batch that is being unrolled. */
struct unroll {
	const struct pipe *p;
	struct rows_out out;
	struct str *names; /* of the batch and of the fields that are unrolled */
	const struct str **values;
	size_t n;
	size_t *fields; /* which of them is the k-th field of the pipe */
};

static size_t
index_of(const struct str *names, size_t n, struct str name)
{
	size_t i;

	for (i = 0; i < n && !str_eq(names[i], name); i++)
		continue;
	return i;
}

static int
unroll_init(struct unroll *u, const struct pipe *p, struct stage *next, unsigned worker,
    struct batch *b)
{
	const struct str *names;
	size_t i, n;
	int r;

	r = batch_names(b, &names, &n);
	if (r != 0)
		return r;
	*u = (struct unroll){ .p = p, .n = n };
	u->names = arena_alloc(&b->arena, (n + p->names.n + 1) * sizeof(*u->names));
	u->values = arena_alloc(&b->arena, (n + p->names.n + 1) * sizeof(*u->values));
	u->fields = arena_alloc(&b->arena, (p->names.n + 1) * sizeof(*u->fields));
	if (u->names == NULL || u->values == NULL || u->fields == NULL)
		return err_origin(-ENOMEM);
	for (i = 0; i < n; i++)
		u->names[i] = names[i];
	for (i = 0; i < p->names.n; i++) {
		u->fields[i] = index_of(u->names, u->n, p->names.p[i]);
		if (u->fields[i] == u->n)
			u->names[u->n++] = p->names.p[i];
	}
	for (i = 0; i < u->n; i++) {
		u->values[i] = batch_strs(b, u->names[i]);
		if (u->values[i] == NULL)
			return b->err;
	}
	return rows_out_init(&u->out, next, worker, u->names, u->n);
}

static int
put_row(struct unroll *u, size_t row, struct str **items, const size_t *n_items, size_t k)
{
	size_t i;
	int r = 0;

	for (i = 0; r == 0 && i < u->n; i++)
		r = rows_out_copy(&u->out, i, u->values[i][row]);
	for (i = 0; r == 0 && items != NULL && i < u->p->names.n; i++)
		r = rows_out_copy(&u->out, u->fields[i], k < n_items[i] ? items[i][k] : STR_NONE);
	return r != 0 ? r : rows_out_next(&u->out);
}

/* A row for each item of the longest array; one with empty fields when there is none. */
static int
unroll_row(struct unroll *u, struct arena *arena, size_t row)
{
	size_t n_fields = u->p->names.n, most = 1, i, k;
	struct str **items = arena_zalloc(arena, n_fields, sizeof(*items));
	size_t *n_items = arena_zalloc(arena, n_fields, sizeof(*n_items));
	int r = 0;

	if (items == NULL || n_items == NULL)
		return err_origin(-ENOMEM);
	for (i = 0; i < n_fields; i++) {
		r = json_array_items(u->values[u->fields[i]][row], arena, &items[i], &n_items[i]);
		if (r < 0)
			return r;
		if (r > 0)
			n_items[i] = 0;
		most = n_items[i] > most ? n_items[i] : most;
	}
	for (r = 0, k = 0; r == 0 && k < most; k++)
		r = put_row(u, row, items, n_items, k);
	return r;
}

static int
unroll_push(struct stage *s, unsigned worker, struct batch *b)
{
	const struct pipe *p = ((struct unroll_stage *)s)->pipe;
	struct arena arena = ARENA_INIT;
	const uint64_t *rows;
	struct unroll u;
	size_t i;
	int r;

	r = pipe_rows(p->filter, s->env, b, &rows);
	if (r != 0)
		return r;
	u.out.batch = (struct batch)BATCH_INIT;
	r = unroll_init(&u, p, s->next, worker, b);
	for (i = 0; r == 0 && i < b->n_rows && !atomic_load(&s->env->cancelled); i++) {
		arena_clear(&arena);
		r = rows == NULL || bits_get(rows, i) ? unroll_row(&u, &arena, i)
		                                      : put_row(&u, i, NULL, NULL, 0);
	}
	if (r == 0)
		r = rows_out_flush(&u.out);
	rows_out_fini(&u.out);
	arena_fini(&arena);
	return r;
}

static int
unroll_flush(struct stage *s)
{
	return stage_flush(s->next);
}

static void
unroll_free(struct stage *s)
{
	free(s);
}

static const struct stage_ops unroll_ops = { "unroll", unroll_push, unroll_flush, unroll_free };

int
pipe_unroll_make(const struct stage_args *a, struct stage **ret)
{
	int r;

	r = stage_alloc(sizeof(struct unroll_stage), &unroll_ops, a->env, ret);
	if (r == 0)
		((struct unroll_stage *)*ret)->pipe = a->pipe;
	return r;
}
