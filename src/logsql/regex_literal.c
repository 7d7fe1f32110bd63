/*
 * logsql/regex_literal.c - what must be in a match.
 * One job: find the literal that every match of a pattern contains.
 * Floor: 2 (uses record, base).
 *
 * One pass over the top level of the pattern: runs of plain characters are kept, everything else ends a run, and what
 * could make a run optional (alternation, flags, quoting) ends the search with nothing.  Wrong only by finding less.
 */
#include "base/buf.h"
#include "base/utf8.h"
#include "logsql/regex_internal.h"

struct finder {
	struct str p;
	size_t at;
	struct buf run;
	struct buf best;
	size_t last; /* length of the run before its last character */
	bool plain;
};

/* Past a class [...] at p[at]; false when it does not end. */
static bool
skip_class(struct finder *f)
{
	size_t i = f->at + 1, end;

	if (i < f->p.n && f->p.p[i] == '^')
		i++;
	if (i < f->p.n && f->p.p[i] == ']')
		i++;
	for (; i < f->p.n && f->p.p[i] != ']'; i++) {
		if (f->p.p[i] == '\\') {
			if (i + 1 < f->p.n && f->p.p[i + 1] == 'Q')
				return false;
			i++;
		} else if (str_starts(str_sub(f->p, i, f->p.n), STR("[:"))) {
			end = str_find(str_sub(f->p, i, f->p.n), STR(":]"));
			if (end == SIZE_MAX)
				return false;
			i += end + 1;
		}
	}
	f->at = i + 1;
	return i < f->p.n;
}

/* A group may change flags for what follows: only plain and named ones can be skipped. */
static bool
group_is_plain(const struct finder *f)
{
	struct str s = str_sub(f->p, f->at + 1, f->p.n);

	if (s.n > 0 && s.p[0] == '*')
		return false;
	if (s.n == 0 || s.p[0] != '?')
		return true;
	return str_starts(s, STR("?:")) || str_starts(s, STR("?P<")) || str_starts(s, STR("?<"));
}

/* Past a group (...) at p[at]. */
static bool
skip_group(struct finder *f)
{
	size_t depth = 0;

	while (f->at < f->p.n) {
		switch (f->p.p[f->at]) {
		case '\\':
			if (f->at + 1 < f->p.n && f->p.p[f->at + 1] == 'Q')
				return false;
			f->at += 2;
			break;
		case '[':
			if (!skip_class(f))
				return false;
			break;
		case '(':
			if (!group_is_plain(f))
				return false;
			depth++;
			f->at++;
			break;
		case ')':
			f->at++;
			if (--depth == 0)
				return true;
			break;
		default:
			f->at++;
		}
	}
	return false;
}

static void
end_run(struct finder *f)
{
	struct buf swap;

	if (f->run.n > f->best.n) {
		swap = f->best;
		f->best = f->run;
		f->run = swap;
	}
	buf_clear(&f->run);
	f->last = 0;
}

/* {2}, {2,} or {2,5} at p[at]: its length, or 0; any other brace is a literal. */
static size_t
braces_len(const struct finder *f)
{
	size_t i = f->at + 1;

	while (i < f->p.n && ((f->p.p[i] >= '0' && f->p.p[i] <= '9') || f->p.p[i] == ','))
		i++;
	return i < f->p.n && f->p.p[i] == '}' ? i + 1 - f->at : 0;
}

/* A quantifier makes the last character optional or repeated; either way the run ends there. */
static bool
quantifier(struct finder *f)
{
	uint8_t c = f->p.p[f->at];
	size_t n = c == '{' ? braces_len(f) : 1;

	f->plain = false;
	if (n == 0)
		return false;
	if (c != '+' && f->last < f->run.n)
		f->run.n = f->last;
	end_run(f);
	f->at += n;
	while (f->at < f->p.n && (f->p.p[f->at] == '?' || f->p.p[f->at] == '+'))
		f->at++;
	return true;
}

static void
literal(struct finder *f, size_t n)
{
	f->last = f->run.n;
	buf_put(&f->run, f->p.p + f->at, n);
	f->at += n;
}

/* \. is a literal, \d a class, \b a place; all other letters end the search. */
static bool
escape(struct finder *f)
{
	uint8_t c;

	if (++f->at >= f->p.n)
		return false;
	c = f->p.p[f->at];
	if (c >= 0x80)
		return false;
	if (strchr("dDwWsSbBAz", c) != NULL && c != '\0') {
		f->plain = false;
		end_run(f);
		f->at++;
		return true;
	}
	if ((c >= '0' && c <= '9') || (str_lower_byte(c) >= 'a' && str_lower_byte(c) <= 'z'))
		return false;
	literal(f, 1);
	return true;
}

static bool
step(struct finder *f)
{
	size_t n = utf8_len(f->p.p + f->at, f->p.n - f->at);

	switch (f->p.p[f->at]) {
	case '|':
		return false;
	case '\\':
		return escape(f);
	case '*':
	case '+':
	case '?':
	case '{':
		return quantifier(f);
	case '[':
		f->plain = false;
		end_run(f);
		return skip_class(f);
	case '(':
		f->plain = false;
		end_run(f);
		return skip_group(f);
	case '^':
	case '$':
	case '.':
		f->plain = false;
		end_run(f);
		f->at++;
		return true;
	default:
		literal(f, n != 0 ? n : 1);
		return true;
	}
}

int
regex_find_literal(struct str pattern, struct arena *arena, struct str *ret, bool *ret_plain)
{
	struct finder f = { .p = pattern, .run = BUF_INIT, .best = BUF_INIT, .plain = true };
	bool ok = true;
	int r;

	*ret = STR_NONE;
	*ret_plain = false;
	while (ok && f.at < pattern.n)
		ok = step(&f);
	end_run(&f);
	r = buf_err(&f.run) != 0 ? buf_err(&f.run) : buf_err(&f.best);
	if (r == 0 && ok && f.best.n > 0) {
		*ret = arena_dup(arena, buf_view(&f.best));
		*ret_plain = f.plain;
		if (ret->p == NULL)
			r = err_origin(-ENOMEM);
	}
	buf_fini(&f.run);
	buf_fini(&f.best);
	return r;
}
