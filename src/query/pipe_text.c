/*
 * query/pipe_text.c - pipes that change the text of a field.
 * One job: replace, replace_regexp, collapse_nums, decolorize, split, unpack_words, hash, len,
 * json_array_len, time_add.
 * Floor: 3 (uses logsql, record, base).
 */
#include "base/hash.h"
#include "base/utf8.h"
#include "logsql/regex.h"
#include "logsql/value.h"
#include "query/pipe_stage.h"

/* The pipe's field in the rows of its condition gets fn of itself. */
static int
update(const struct pipe *p, struct query_env *env, struct batch *b, value_map_fn fn, void *ctx)
{
	const uint64_t *rows;
	int r;

	r = pipe_rows(p->filter, env, b, &rows);
	return r != 0 ? r : pipe_map(b, p->from, p->from, rows, fn, ctx);
}

static int
replace(void *ctx, struct str in, struct buf *out)
{
	const struct pipe *const *p = ctx;
	uint64_t n = 0;
	size_t at;

	while ((*p)->text.n != 0 && ((*p)->limit == 0 || n < (*p)->limit)) {
		at = str_find(in, (*p)->text);
		if (at == SIZE_MAX)
			break;
		buf_str(out, str_sub(in, 0, at));
		buf_str(out, (*p)->with);
		in = str_sub(in, at + (*p)->text.n, in.n);
		n++;
	}
	buf_str(out, in);
	return 0;
}

int
pipe_replace_apply(const struct pipe *p, struct query_env *env, struct batch *b)
{
	return update(p, env, b, replace, &p);
}

struct regexp_ctx {
	const struct pipe *p;
	struct regex_scratch scratch;
};

static bool
is_name_byte(uint8_t c)
{
	return c == '_' || (c >= '0' && c <= '9') ||
	    (str_lower_byte(c) >= 'a' && str_lower_byte(c) <= 'z');
}

/* The number of the group that ${name} means, or SIZE_MAX. */
static size_t
group_of(const struct regex *re, struct str name)
{
	uint64_t n;
	size_t i;

	if (value_uint(name, &n))
		return n < REGEX_GROUPS_MAX ? (size_t)n : SIZE_MAX;
	for (i = 1; i <= regex_n_groups(re); i++)
		if (str_eq(regex_group_name(re, i), name))
			return i;
	return SIZE_MAX;
}

/* $1, ${1}, $name, ${name} and $$ in a replacement; what names no group is empty. */
static void
expand(struct buf *out, const struct regex *re, struct str with, struct str s,
    const struct regex_span *spans)
{
	size_t i = 0, end, skip, group;
	struct str name;

	while (i < with.n) {
		if (with.p[i] != '$' || i + 1 == with.n) {
			buf_byte(out, with.p[i++]);
			continue;
		}
		if (with.p[i + 1] == '$') {
			buf_byte(out, '$');
			i += 2;
			continue;
		}
		skip = with.p[i + 1] == '{' ? 2 : 1;
		for (end = i + skip; end < with.n && is_name_byte(with.p[end]); end++)
			continue;
		name = str_sub(with, i + skip, end);
		if (name.n == 0 || (skip == 2 && (end == with.n || with.p[end] != '}'))) {
			buf_byte(out, with.p[i++]);
			continue;
		}
		group = group_of(re, name);
		if (group <= regex_n_groups(re) && spans[group].start != SIZE_MAX)
			buf_str(out, str_sub(s, spans[group].start, spans[group].end));
		i = skip == 2 ? end + 1 : end;
	}
}

/* Where to look behind an empty match at ${at}: it would be found for ever. */
static size_t
next_char(struct str s, size_t at)
{
	size_t n = at < s.n ? utf8_len(s.p + at, s.n - at) : 0;

	return at + (n == 0 ? 1 : n);
}

/* All matches from the left on; an empty one right behind another match is none, as in Go.  An empty value stays so. */
static int
replace_regexp(void *ctx, struct str in, struct buf *out)
{
	struct regexp_ctx *c = ctx;
	struct regex_span spans[REGEX_GROUPS_MAX];
	size_t from = 0, done = 0, last = SIZE_MAX;
	uint64_t n = 0;
	bool empty;
	int r;

	while (in.n != 0 && from <= in.n && (c->p->limit == 0 || n < c->p->limit)) {
		r = regex_find(c->p->regex, &c->scratch, in, from, spans, REGEX_GROUPS_MAX);
		if (r < 0)
			return r;
		if (r == 0)
			break;
		empty = spans[0].end == from;
		from = empty ? next_char(in, from) : spans[0].end;
		if (empty && spans[0].end == last)
			continue;
		buf_str(out, str_sub(in, done, spans[0].start));
		expand(out, c->p->regex, c->p->with, in, spans);
		done = last = spans[0].end;
		n++;
	}
	buf_str(out, str_sub(in, done, in.n));
	return 0;
}

int
pipe_replace_regexp_apply(const struct pipe *p, struct query_env *env, struct batch *b)
{
	struct regexp_ctx ctx = { p, REGEX_SCRATCH_INIT };
	int r;

	r = update(p, env, b, replace_regexp, &ctx);
	regex_scratch_fini(&ctx.scratch);
	return r;
}

static bool
is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

static bool
is_hex(uint8_t c)
{
	return is_digit(c) || (str_lower_byte(c) >= 'a' && str_lower_byte(c) <= 'f');
}

static bool
is_token(uint8_t c)
{
	return is_name_byte(c) || c >= 0x80;
}

/* What is not ASCII ends a number as a blank does. */
static bool
is_ascii_token(uint8_t c)
{
	return is_name_byte(c) && c < 0x80;
}

/*
 * Whether a number may begin at ${i}: at a word's start, or behind one of the letters that lead
 * numbers in.
 */
static bool
num_begins(struct str s, size_t i)
{
	return i == 0 || !is_ascii_token(s.p[i - 1]) || memchr("_TXxvshm", s.p[i - 1], 8) != NULL;
}

static bool
num_ends(struct str s, size_t i)
{
	return i == s.n || !is_ascii_token(s.p[i]) || memchr("_TZsmhun", s.p[i], 8) != NULL;
}

/* Digits of any count, or hex digits: at least four, an even number of them. */
static bool
is_num(struct str s)
{
	size_t i;

	for (i = 0; i < s.n && is_digit(s.p[i]); i++)
		continue;
	return i == s.n || (s.n >= 4 && s.n % 2 == 0);
}

static void
collapse(struct str s, struct buf *out)
{
	size_t i = 0, end;

	while (i < s.n) {
		if (!is_hex(s.p[i]) || !num_begins(s, i)) {
			buf_byte(out, s.p[i++]);
			continue;
		}
		for (end = i; end < s.n && is_hex(s.p[end]); end++)
			continue;
		if (num_ends(s, end) && is_num(str_sub(s, i, end)))
			buf_c(out, "<N>");
		else
			buf_str(out, str_sub(s, i, end));
		i = end;
	}
}

/* What collapsed numbers are together; tails are skipped when they follow, the longer one first. */
static const struct {
	const char *from, *to;
	const char *tails[3];
} pretty[] = {
	{ "<N>-<N>-<N>-<N>-<N>", "<UUID>", { NULL } },
	{ "<N>.<N>.<N>.<N>", "<IP4>", { NULL } },
	{ "<N>:<N>:<N>", "<TIME>", { ".<N>", ",<N>", NULL } },
	{ "<N>-<N>-<N>", "<DATE>", { NULL } },
	{ "<N>/<N>/<N>", "<DATE>", { NULL } },
	{ "<DATE>T<TIME>", "<DATETIME>", { "Z", "-<N>:<N>", "+<N>:<N>" } },
	{ "<DATE> <TIME>", "<DATETIME>", { "Z", "-<N>:<N>", "+<N>:<N>" } },
};

static void
prettify_one(struct str s, size_t k, struct buf *out)
{
	size_t at, t;

	while ((at = str_find(s, str_c(pretty[k].from))) != SIZE_MAX) {
		buf_str(out, str_sub(s, 0, at));
		buf_c(out, pretty[k].to);
		s = str_sub(s, at + strlen(pretty[k].from), s.n);
		for (t = 0; t < 3 && pretty[k].tails[t] != NULL; t++) {
			if (str_starts(s, str_c(pretty[k].tails[t]))) {
				s = str_sub(s, strlen(pretty[k].tails[t]), s.n);
				break;
			}
		}
	}
	buf_str(out, s);
}

static int
collapse_nums(void *ctx, struct str in, struct buf *out)
{
	AUTO_FINI(buf_fini) struct buf a = BUF_INIT;
	const struct pipe *const *p = ctx;
	size_t k;

	collapse(in, out);
	for (k = 0; (*p)->flag && k < ARRAY_LEN(pretty); k++) {
		buf_clear(&a);
		buf_str(&a, buf_view(out));
		buf_clear(out);
		prettify_one(buf_view(&a), k, out);
	}
	return buf_err(&a);
}

int
pipe_collapse_apply(const struct pipe *p, struct query_env *env, struct batch *b)
{
	return update(p, env, b, collapse_nums, &p);
}

/* Take out ANSI sequences: ESC, '[', parameters, one letter. */
static int
decolorize(void *ctx, struct str in, struct buf *out)
{
	size_t i = 0, end;

	while (i < in.n) {
		if (in.p[i] != 0x1b || i + 1 == in.n || in.p[i + 1] != '[') {
			buf_byte(out, in.p[i++]);
			continue;
		}
		for (end = i + 2; end < in.n && (in.p[end] < 0x40 || in.p[end] > 0x7e); end++)
			continue;
		i = end < in.n ? end + 1 : end;
	}
	return 0;
}

int
pipe_decolorize_apply(const struct pipe *p, struct query_env *env, struct batch *b)
{
	return update(p, env, b, decolorize, NULL);
}

static int
split(void *ctx, struct str in, struct buf *out)
{
	const struct pipe *const *p = ctx;
	struct str separator = (*p)->text;
	bool more = in.n > 0 || separator.n > 0;
	const char *comma = "";
	size_t at, len;

	buf_byte(out, '[');
	while (more) {
		if (separator.n == 0) {
			(void)utf8_decode(in.p, in.n, &len);
			at = len;
			more = len < in.n;
		} else {
			len = separator.n;
			at = str_find(in, separator);
			more = at != SIZE_MAX;
		}
		buf_c(out, comma);
		comma = ",";
		buf_json(out, str_sub(in, 0, at));
		in = more ? str_sub(in, separator.n == 0 ? len : at + len, in.n) : STR_NONE;
	}
	buf_byte(out, ']');
	return 0;
}

int
pipe_split_apply(const struct pipe *p, struct query_env *env, struct batch *b)
{
	return pipe_map(b, p->from, p->to, NULL, split, &p);
}

/* The words before the one at [from, end) of s have it already. */
static bool
word_seen(struct str s, size_t from, size_t end)
{
	struct str word = str_sub(s, from, end);
	size_t i = 0, start;

	while (i < from) {
		for (start = i; i < from && is_token(s.p[i]); i++)
			continue;
		if (str_eq(str_sub(s, start, i), word))
			return true;
		i += i < from ? 1 : 0;
	}
	return false;
}

static int
words(void *ctx, struct str in, struct buf *out)
{
	const struct pipe *const *p = ctx;
	const char *comma = "";
	size_t i = 0, start;

	buf_byte(out, '[');
	while (i < in.n) {
		if (!is_token(in.p[i])) {
			i++;
			continue;
		}
		for (start = i; i < in.n && is_token(in.p[i]); i++)
			continue;
		if ((*p)->flag && word_seen(in, start, i))
			continue;
		buf_c(out, comma);
		comma = ",";
		buf_json(out, str_sub(in, start, i));
	}
	buf_byte(out, ']');
	return 0;
}

int
pipe_words_apply(const struct pipe *p, struct query_env *env, struct batch *b)
{
	return pipe_map(b, p->from, p->to, NULL, words, &p);
}

/* 53 bits, so that the hash is a number that survives being a double. */
static int
hash(void *ctx, struct str in, struct buf *out)
{
	buf_uint(out, hash64_classic(in) & ((UINT64_C(1) << 53) - 1));
	return 0;
}

int
pipe_hash_apply(const struct pipe *p, struct query_env *env, struct batch *b)
{
	return pipe_map(b, p->from, p->to, NULL, hash, NULL);
}

static int
length(void *ctx, struct str in, struct buf *out)
{
	buf_uint(out, in.n);
	return 0;
}

int
pipe_len_apply(const struct pipe *p, struct query_env *env, struct batch *b)
{
	return pipe_map(b, p->from, p->to, NULL, length, NULL);
}

static int
array_len(void *ctx, struct str in, struct buf *out)
{
	struct arena arena = ARENA_INIT;
	struct str *items;
	size_t n = 0;
	int r;

	r = json_array_items(in, &arena, &items, &n);
	buf_uint(out, r == 0 ? n : 0);
	arena_fini(&arena);
	return r < 0 ? r : 0;
}

int
pipe_array_len_apply(const struct pipe *p, struct query_env *env, struct batch *b)
{
	return pipe_map(b, p->from, p->to, NULL, array_len, NULL);
}

static int
time_add(void *ctx, struct str in, struct buf *out)
{
	const struct pipe *const *p = ctx;
	char text[WALL_TEXT_MAX];
	struct wall t;

	if (!value_time(in, &t.ns)) {
		buf_str(out, in);
		return 0;
	}
	if (__builtin_add_overflow(t.ns, (*p)->span.ns, &t.ns))
		t.ns = (*p)->span.ns > 0 ? INT64_MAX : INT64_MIN;
	buf_put(out, text, wall_format(text, t));
	return 0;
}

int
pipe_time_add_apply(const struct pipe *p, struct query_env *env, struct batch *b)
{
	return pipe_map(b, p->from, p->from, NULL, time_add, &p);
}
