/*
 * logsql/regex_literal.c - what must be in a match.
 * One job: find a few literals, one of which every match of a pattern contains.
 * Floor: 2 (uses record, base).
 *
 * One pass over the pattern.  Of each part is known either which few texts it is, exactly, or of which few literals it
 * contains one, or nothing.  Neighbours that are few texts are few texts together; else the better of their literals is
 * kept.  What is not understood (flags within, look-behind that is not skipped, recursion) ends the search with nothing.
 * Wrong only by finding less.  Source: R. Cox, "Regular expression matching with a trigram index", 2012.
 */
#include "base/buf.h"
#include "base/utf8.h"
#include "logsql/regex_internal.h"

enum { TEXT_MAX = 64, DEPTH_MAX = 40 };

/* A few texts; too many are none. */
struct texts {
	struct str p[LITERALS_MAX];
	size_t n;
};

/* What is known of a part: it is one of exact when is_exact; else it contains one of need, where there are any. */
struct part {
	bool is_exact;
	struct texts exact, need;
};

struct finder {
	struct str p;
	size_t at;
	struct arena *arena;
	bool nocase;
	bool places; /* something tells where a match may be: its text alone is not enough */
	bool no_memory;
	unsigned depth;
};

static bool find_any_of(struct finder *f, struct part *ret);

static const struct part empty_text = { .is_exact = true, .exact = { { { NULL, 0 } }, 1 } };

static bool
texts_add(struct texts *t, struct str s)
{
	size_t i;

	for (i = 0; i < t->n; i++)
		if (str_eq(t->p[i], s))
			return true;
	if (t->n == LITERALS_MAX)
		return false;
	t->p[t->n++] = s;
	return true;
}

static struct str
join(struct finder *f, struct str a, struct str b)
{
	uint8_t *p;

	if (a.n == 0 || b.n == 0)
		return a.n == 0 ? b : a;
	p = arena_alloc(f->arena, a.n + b.n);
	if (p == NULL) {
		f->no_memory = true;
		return STR_NONE;
	}
	memcpy(p, a.p, a.n);
	memcpy(p + a.n, b.p, b.n);
	return str_of(p, a.n + b.n);
}

/* Each of a before each of b; false when there would be too many, or too long ones. */
static bool
texts_join(struct finder *f, const struct texts *a, const struct texts *b, struct texts *ret)
{
	struct texts out = { .n = 0 };
	size_t i, k;

	if (a->n * b->n > LITERALS_MAX)
		return false;
	for (i = 0; i < a->n; i++)
		for (k = 0; k < b->n; k++) {
			if (a->p[i].n + b->p[k].n > TEXT_MAX)
				return false;
			(void)texts_add(&out, join(f, a->p[i], b->p[k]));
		}
	*ret = out;
	return true;
}

/* How much a set of literals tells: the shortest of them counts, and each costs a search. */
static size_t
worth(const struct texts *t)
{
	size_t i, least = TEXT_MAX;

	for (i = 0; i < t->n; i++)
		least = t->p[i].n < least ? t->p[i].n : least;
	if (t->n == 0 || least == 0)
		return 0;
	return 4 * (least + LITERALS_MAX - t->n);
}

static void
offer(struct texts *best, const struct texts *t)
{
	if (worth(t) > worth(best))
		*best = *t;
}

/* What every match of the part contains one of. */
static const struct texts *
needed(const struct part *p)
{
	return p->is_exact ? &p->exact : &p->need;
}

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

/*
 * One character, or nothing known of it: letters of any case are ASCII's alone, but k and s, which are two characters beyond
 * ASCII too.
 */
static void
one_char(struct finder *f, struct str c, struct part *ret)
{
	uint8_t *low;

	*ret = (struct part){ .is_exact = true };
	if (f->nocase && (c.n > 1 || c.p[0] >= 0x80 || strchr("kKsS", c.p[0]) != NULL)) {
		ret->is_exact = c.p[0] == '\0';
		if (!ret->is_exact)
			return;
	}
	if (f->nocase) {
		low = arena_alloc(f->arena, 1);
		if (low == NULL) {
			f->no_memory = true;
			return;
		}
		*low = str_lower_byte(c.p[0]);
		c = str_of(low, 1);
	}
	(void)texts_add(&ret->exact, c);
}

/* [ab.]: a few plain characters; all other classes are not looked into. */
static bool
find_class(struct finder *f, struct part *ret)
{
	struct part all = { .is_exact = true }, one;
	size_t i = f->at + 1;
	uint8_t c;

	for (; i < f->p.n && f->p.p[i] != ']' && i - f->at <= 4 && all.is_exact; i++) {
		c = f->p.p[i];
		if (c < 0x20 || c >= 0x7f || strchr("\\[^-&~", c) != NULL)
			break;
		one_char(f, str_sub(f->p, i, i + 1), &one);
		all.is_exact = one.is_exact && texts_add(&all.exact, one.exact.p[0]);
	}
	if (i < f->p.n && f->p.p[i] == ']' && all.is_exact && all.exact.n > 0) {
		f->at = i + 1;
		*ret = all;
		return true;
	}
	*ret = (struct part){ 0 };
	return skip_class(f);
}

/* What may follow "(?": nothing is skipped that could change what stands behind it. */
static bool
group_start(struct finder *f, bool *ret_looks)
{
	static const char *const looks[] = { "?<!", "?<=", "?!", "?=" };
	struct str s;
	size_t i, end;

	f->at++;
	s = str_sub(f->p, f->at, f->p.n);
	*ret_looks = false;
	if (s.n > 0 && s.p[0] == '*')
		return false;
	if (s.n == 0 || s.p[0] != '?')
		return true;
	for (i = 0; i < ARRAY_LEN(looks); i++)
		if (str_starts(s, str_c(looks[i]))) {
			*ret_looks = true;
			f->at += strlen(looks[i]);
			return true;
		}
	if (str_starts(s, STR("?:"))) {
		f->at += 2;
		return true;
	}
	end = str_find_byte(s, '>');
	if (end == SIZE_MAX || (!str_starts(s, STR("?P<")) && !str_starts(s, STR("?<"))))
		return false;
	f->at += end + 1;
	return true;
}

static bool
find_group(struct finder *f, struct part *ret)
{
	bool looks;

	if (++f->depth > DEPTH_MAX || !group_start(f, &looks) || !find_any_of(f, ret))
		return false;
	if (f->at >= f->p.n || f->p.p[f->at] != ')')
		return false;
	f->at++;
	f->depth--;
	if (looks) {
		*ret = empty_text;
		f->places = true;
	}
	return true;
}

/* \. is a character, \d a class, \b a place; all other letters end the search. */
static bool
find_escape(struct finder *f, struct part *ret)
{
	static const char from[] = "nrt", to[] = "\n\r\t";
	const char *control;
	uint8_t c;

	if (++f->at >= f->p.n)
		return false;
	c = f->p.p[f->at];
	if (c >= 0x80 || c == '\0')
		return false;
	control = strchr(from, c);
	*ret = (struct part){ 0 };
	if (strchr("bBAz", c) != NULL) {
		f->places = true;
		*ret = empty_text;
	} else if (control != NULL) {
		one_char(f, str_of(to + (control - from), 1), ret);
	} else if (strchr("dDwWsS", c) == NULL) {
		if ((c >= '0' && c <= '9') ||
		    (str_lower_byte(c) >= 'a' && str_lower_byte(c) <= 'z'))
			return false;
		one_char(f, str_sub(f->p, f->at, f->at + 1), ret);
	}
	f->at++;
	return true;
}

static bool
find_one(struct finder *f, struct part *ret)
{
	size_t n = utf8_len(f->p.p + f->at, f->p.n - f->at);

	switch (f->p.p[f->at]) {
	case '\\':
		return find_escape(f, ret);
	case '*':
	case '+':
	case '?':
		return false;
	case '[':
		return find_class(f, ret);
	case '(':
		return find_group(f, ret);
	case '^':
	case '$':
		f->places = true;
		*ret = empty_text;
		f->at++;
		return true;
	case '.':
		*ret = (struct part){ 0 };
		f->at++;
		return true;
	default:
		n = n != 0 ? n : 1;
		one_char(f, str_sub(f->p, f->at, f->at + n), ret);
		f->at += n;
		return true;
	}
}

/* {2}, {2,} or {2,5} at p[at], and what is one in some versions: its length, or 0; any other brace is a literal.  ${ret_some}: not
 * less than one. */
static size_t
braces_len(const struct finder *f, bool *ret_some)
{
	size_t i = f->at + 1;
	bool comma = false;

	*ret_some = false;
	for (; i < f->p.n && f->p.p[i] != '\0' && strchr("0123456789, \t", f->p.p[i]) != NULL;
	     i++) {
		comma |= f->p.p[i] == ',';
		*ret_some |= !comma && f->p.p[i] >= '1' && f->p.p[i] <= '9';
	}
	return i < f->p.n && f->p.p[i] == '}' ? i + 1 - f->at : 0;
}

/* How often a part stands: 0 once, else its mark; + is any that is not 0 times. */
static uint8_t
find_times(struct finder *f)
{
	bool some = false;
	uint8_t c = f->at < f->p.n ? f->p.p[f->at] : 0;
	size_t n = c == '*' || c == '+' || c == '?' ? 1 : c == '{' ? braces_len(f, &some) : 0;

	if (n == 0)
		return 0;
	f->at += n;
	while (f->at < f->p.n && (f->p.p[f->at] == '?' || f->p.p[f->at] == '+'))
		f->at++;
	return c == '{' ? (some ? '+' : '*') : c;
}

/* Parts one after the other: run is what the last of them are, exactly; best is of those before. */
struct sequence {
	struct texts run, best;
	bool broken; /* the run does not begin where the sequence does */
};

static void
break_run(struct sequence *s, const struct texts *next)
{
	offer(&s->best, &s->run);
	s->run = *next;
	s->broken = true;
}

static void
add_part(struct finder *f, struct sequence *s, struct part *p, uint8_t times)
{
	if (times == '*' || (times == '?' && !(p->is_exact && texts_add(&p->exact, STR_NONE))))
		*p = (struct part){ 0 };
	if (!p->is_exact) {
		offer(&s->best, &p->need);
		break_run(s, &empty_text.exact);
		return;
	}
	if (p->exact.n > 1)
		offer(&s->best, &s->run);
	if (!texts_join(f, &s->run, &p->exact, &s->run))
		break_run(s, &p->exact);
	/* Once more or not: what follows stands behind the last of them. */
	if (times == '+')
		break_run(s, &p->exact);
}

static bool
find_sequence(struct finder *f, struct part *ret)
{
	struct sequence s = { .run = empty_text.exact };
	struct part one;

	while (f->at < f->p.n && f->p.p[f->at] != '|' && f->p.p[f->at] != ')') {
		if (!find_one(f, &one))
			return false;
		add_part(f, &s, &one, find_times(f));
	}
	offer(&s.best, &s.run);
	*ret = (struct part){ .is_exact = !s.broken, .exact = s.run, .need = s.best };
	return true;
}

/* Alternatives are few texts when each of them is; else each must have its literals. */
static bool
find_any_of(struct finder *f, struct part *ret)
{
	struct part all = { .is_exact = true }, one;
	bool is_needed = true, first = true;
	size_t i;

	do {
		f->at += !first;
		first = false;
		if (!find_sequence(f, &one))
			return false;
		for (i = 0; one.is_exact && all.is_exact && i < one.exact.n; i++)
			all.is_exact = texts_add(&all.exact, one.exact.p[i]);
		all.is_exact &= one.is_exact;
		is_needed &= worth(needed(&one)) > 0;
		for (i = 0; is_needed && i < needed(&one)->n; i++)
			is_needed = texts_add(&all.need, needed(&one)->p[i]);
	} while (f->at < f->p.n && f->p.p[f->at] == '|');
	if (!is_needed)
		all.need.n = 0;
	*ret = all;
	return true;
}

/* (?i) before all else holds for all of it; what other letters mean does not show in literals. */
static void
find_flags(struct finder *f)
{
	size_t i = 2;

	if (!str_starts(f->p, STR("(?")))
		return;
	while (i < f->p.n && strchr("imsU", f->p.p[i]) != NULL && f->p.p[i] != '\0') {
		f->nocase |= f->p.p[i] == 'i';
		i++;
	}
	if (i > 2 && i < f->p.n && f->p.p[i] == ')')
		f->at = i + 1;
	else
		f->nocase = false;
}

int
regex_find_literals(struct str pattern, struct arena *arena, struct literals *ret, bool *ret_plain)
{
	struct finder f = { .p = pattern, .arena = arena };
	struct part all;
	size_t i;

	*ret = (struct literals){ .n = 0 };
	*ret_plain = false;
	find_flags(&f);
	if (!find_any_of(&f, &all) || f.at < pattern.n)
		return f.no_memory ? err_origin(-ENOMEM) : 0;
	if (worth(needed(&all)) > 0) {
		for (i = 0; i < needed(&all)->n && !f.no_memory; i++) {
			ret->p[i] = arena_dup(arena, needed(&all)->p[i]);
			f.no_memory |= ret->p[i].p == NULL;
		}
		ret->n = needed(&all)->n;
		ret->nocase = f.nocase;
		*ret_plain = all.is_exact && !f.places;
	}
	return f.no_memory ? err_origin(-ENOMEM) : 0;
}
