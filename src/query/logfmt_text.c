/*
 * query/logfmt_text.c - logfmt as the language reads it.
 * One job: the pairs of a text, for unpack_logfmt; quoted strings in values.
 * Floor: 3 (uses logsql, record, base).
 *
 * Blanks part pairs.  A word without '=' is a key with an empty value.  Behind a quoted value that something else than a blank
 * follows nothing more is read.  The parser of log files is stricter with keys, as it has to tell logfmt from plain text.
 */
#include "logsql/lex.h"
#include "query/pipe_stage.h"
#include "record/record.h"

int
pipe_unquote(struct str s, struct arena *arena, struct str *ret, size_t *ret_n)
{
	int r;

	*ret_n = 0;
	if (s.n == 0 || (s.p[0] != '"' && s.p[0] != '`'))
		return 0;
	r = lex_unquote(s, arena, ret_n, ret);
	if (r > 0)
		*ret_n = 0;
	return r < 0 ? err_trace(r) : 0;
}

struct pairs {
	struct arena *arena;
	struct field *fields;
	size_t n;
};

static void
add(struct pairs *p, struct str name, struct str value)
{
	name = str_trim(name);
	if (name.n != 0)
		p->fields[p->n++] = (struct field){ .name = name, .value = value };
}

/* The value at s[at..], behind the '='; ${ret_at}: behind the blank after it, s.n where nothing follows. */
static int
take_value(struct pairs *p, struct str s, size_t at, struct str *ret, size_t *ret_at)
{
	size_t n, end;
	int r;

	r = pipe_unquote(str_sub(s, at, s.n), p->arena, ret, &n);
	if (r != 0)
		return err_trace(r);
	if (n > 0) {
		end = at + n;
		*ret_at = end < s.n && s.p[end] == ' ' ? end + 1 : s.n;
		return 0;
	}
	for (end = at; end < s.n && s.p[end] != ' '; end++)
		continue;
	*ret = str_sub(s, at, end);
	*ret_at = end < s.n ? end + 1 : s.n;
	return 0;
}

int
logfmt_pairs(struct str s, struct arena *arena, struct field **ret, size_t *ret_n)
{
	struct pairs p = { .arena = arena };
	struct str value;
	size_t at, next, end, most = 1;
	int r = 0;

	for (at = 0; at < s.n; at++)
		most += s.p[at] == ' ' || s.p[at] == '=';
	p.fields = arena_alloc(arena, most * sizeof(*p.fields));
	if (p.fields == NULL)
		return err_origin(-ENOMEM);
	for (at = 0; r == 0 && at < s.n; at = next) {
		for (end = at; end < s.n && s.p[end] != ' ' && s.p[end] != '=';)
			end++;
		next = end < s.n ? end + 1 : s.n;
		value = STR_NONE;
		if (end < s.n && s.p[end] == '=')
			r = take_value(&p, s, end + 1, &value, &next);
		add(&p, str_sub(s, at, end), value);
	}
	*ret = p.fields;
	*ret_n = p.n;
	return err_trace(r);
}
