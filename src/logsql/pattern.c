/*
 * logsql/pattern.c - pattern_match.
 * One job: match text with places for numbers, addresses, times and words, as collapse_nums writes them.
 * Floor: 2 (uses record, base).
 *
 *   <N>  decimal digits, or four and more hexadecimal ones       <UUID>  <N>-<N>-<N>-<N>-<N>
 *   <IP4>  <N>.<N>.<N>.<N>      <DATE>  <N>-<N>-<N> or <N>/<N>/<N>     <TIME>  <N>:<N>:<N>, then maybe .<N> or ,<N>
 *   <DATETIME>  <DATE>, 'T' or a blank, <TIME>, then maybe Z or a zone    <W>  a word or a quoted string
 */
#include "logsql/filter_internal.h"
#include "logsql/letter_internal.h"

enum place {
	PLACE_NONE,
	PLACE_N,
	PLACE_UUID,
	PLACE_IP4,
	PLACE_TIME,
	PLACE_DATE,
	PLACE_DATETIME,
	PLACE_W
};

static const char *const place_names[] = {
	[PLACE_NONE] = "",
	[PLACE_N] = "<N>",
	[PLACE_UUID] = "<UUID>",
	[PLACE_IP4] = "<IP4>",
	[PLACE_TIME] = "<TIME>",
	[PLACE_DATE] = "<DATE>",
	[PLACE_DATETIME] = "<DATETIME>",
	[PLACE_W] = "<W>",
};

/* Text, then a place; the last step has no place. */
struct step {
	struct str text;
	enum place place;
};

struct pattern {
	enum pattern_where where;
	struct step *steps;
	size_t n;
};

static enum place
place_at(struct str s, size_t at)
{
	size_t i;

	for (i = PLACE_N; i < ARRAY_LEN(place_names); i++)
		if (str_starts(str_sub(s, at, s.n), str_c(place_names[i])))
			return (enum place)i;
	return PLACE_NONE;
}

int
pattern_new(const struct pattern **ret, struct str text, enum pattern_where where,
    struct arena *arena)
{
	struct pattern *p = arena_zalloc(arena, 1, sizeof(*p));
	size_t i, from = 0, places = 0;
	enum place place;

	for (i = 0; i < text.n; i++)
		places += text.p[i] == '<';
	if (p != NULL)
		p->steps = arena_zalloc(arena, places + 1, sizeof(*p->steps));
	if (p == NULL || p->steps == NULL)
		return err_origin(-ENOMEM);
	p->where = where;
	for (i = 0; i < text.n;) {
		place = text.p[i] == '<' ? place_at(text, i) : PLACE_NONE;
		if (place == PLACE_NONE) {
			i++;
			continue;
		}
		p->steps[p->n++] = (struct step){ str_sub(text, from, i), place };
		i += strlen(place_names[place]);
		from = i;
	}
	p->steps[p->n++] = (struct step){ str_sub(text, from, text.n), PLACE_NONE };
	*ret = p;
	return 0;
}

static bool
is_hex(uint8_t c)
{
	return (c >= '0' && c <= '9') || (str_lower_byte(c) >= 'a' && str_lower_byte(c) <= 'f');
}

/* Each *_end gives where the place that begins at s[at] ends, or SIZE_MAX. */
static size_t
number_end(struct str s, size_t at)
{
	size_t hex = at, end = at;

	while (hex < s.n && is_hex(s.p[hex]))
		hex++;
	while (end < s.n && s.p[end] >= '0' && s.p[end] <= '9')
		end++;
	if (hex > end && hex - at >= 4 && (hex == s.n || !letter_word_at(s, hex)))
		return hex;
	return end > at ? end : SIZE_MAX;
}

static size_t
numbers_end(struct str s, size_t at, size_t n, uint8_t between)
{
	size_t i;

	at = number_end(s, at);
	for (i = 1; i < n && at != SIZE_MAX; i++)
		at = at < s.n && s.p[at] == between ? number_end(s, at + 1) : SIZE_MAX;
	return at;
}

static size_t
time_end(struct str s, size_t at)
{
	size_t fraction;

	at = numbers_end(s, at, 3, ':');
	if (at == SIZE_MAX || at >= s.n || (s.p[at] != '.' && s.p[at] != ','))
		return at;
	fraction = number_end(s, at + 1);
	return fraction != SIZE_MAX ? fraction : at;
}

static size_t
date_end(struct str s, size_t at)
{
	size_t end = numbers_end(s, at, 3, '-');

	return end != SIZE_MAX ? end : numbers_end(s, at, 3, '/');
}

static size_t
datetime_end(struct str s, size_t at)
{
	size_t zone;

	at = date_end(s, at);
	if (at == SIZE_MAX || at >= s.n || (s.p[at] != 'T' && s.p[at] != ' '))
		return SIZE_MAX;
	at = time_end(s, at + 1);
	if (at == SIZE_MAX || at >= s.n)
		return at;
	if (s.p[at] == 'Z')
		return at + 1;
	if (s.p[at] != '+' && s.p[at] != '-')
		return at;
	zone = numbers_end(s, at + 1, 2, ':');
	return zone != SIZE_MAX ? zone : at;
}

static size_t
word_end(struct str s, size_t at)
{
	size_t i;

	if (at >= s.n)
		return SIZE_MAX;
	if (strchr("\"'`", s.p[at]) != NULL && s.p[at] != '\0') {
		for (i = at + 1; i < s.n && s.p[i] != s.p[at]; i++)
			i += s.p[i] == '\\' && s.p[at] != '`';
		return i < s.n ? i + 1 : SIZE_MAX;
	}
	for (i = at; i < s.n && letter_word_at(s, i);)
		do
			i++;
		while (i < s.n && (s.p[i] & 0xc0) == 0x80);
	return i > at ? i : SIZE_MAX;
}

static size_t
place_end(enum place place, struct str s, size_t at)
{
	switch (place) {
	case PLACE_N:
		return number_end(s, at);
	case PLACE_UUID:
		return numbers_end(s, at, 5, '-');
	case PLACE_IP4:
		return numbers_end(s, at, 4, '.');
	case PLACE_TIME:
		return time_end(s, at);
	case PLACE_DATE:
		return date_end(s, at);
	case PLACE_DATETIME:
		return datetime_end(s, at);
	case PLACE_W:
		return word_end(s, at);
	case PLACE_NONE:
		break;
	}
	return at;
}

/* Where the pattern ends when it begins at s[at], or SIZE_MAX. */
static size_t
end_from(const struct pattern *p, struct str s, size_t at)
{
	size_t i;

	for (i = 0; i < p->n; i++) {
		if (!str_starts(str_sub(s, at, s.n), p->steps[i].text))
			return SIZE_MAX;
		at = place_end(p->steps[i].place, s, at + p->steps[i].text.n);
		if (at == SIZE_MAX)
			return SIZE_MAX;
	}
	return at;
}

bool
pattern_match(const struct pattern *p, struct str s)
{
	struct str first = p->steps[0].text;
	size_t at, end, n;

	if (p->where == PATTERN_FULL || p->where == PATTERN_START) {
		end = end_from(p, s, 0);
		return p->where == PATTERN_FULL ? end == s.n : end != SIZE_MAX;
	}
	for (at = 0; at <= s.n; at++) {
		n = str_find(str_sub(s, at, s.n), first);
		if (n == SIZE_MAX)
			return false;
		at += n;
		/* A number or word is met at its start, not within. */
		if (first.n == 0 && p->n > 1 && at > 0 && letter_word_before(s, at))
			continue;
		end = end_from(p, s, at);
		if (end == s.n || (end != SIZE_MAX && p->where == PATTERN_ANYWHERE))
			return true;
	}
	return false;
}

const char *
pattern_function(const struct pattern *p)
{
	switch (p->where) {
	case PATTERN_FULL:
		return "pattern_match_full";
	case PATTERN_START:
		return "pattern_match_prefix";
	case PATTERN_END:
		return "pattern_match_suffix";
	case PATTERN_ANYWHERE:
		break;
	}
	return "pattern_match";
}

struct str
pattern_literal(const struct pattern *p)
{
	struct str best = STR_NONE;
	size_t i;

	for (i = 0; i < p->n; i++)
		if (p->steps[i].text.n > best.n)
			best = p->steps[i].text;
	return best;
}
