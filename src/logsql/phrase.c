/*
 * logsql/phrase.c - words in values.
 * One job: find a phrase where words begin and end.
 * Floor: 2 (uses record, base).
 *
 * A boundary is asked for only where the phrase itself begins or ends with a character of words, so that "foo" is
 * not in foobar, but ":foo" is in x:foo.
 */
#include "logsql/filter_internal.h"
#include "logsql/letter_internal.h"

size_t
phrase_find(struct str s, struct str phrase)
{
	bool first, last;
	size_t at = 0, n, end;

	if (phrase.n == 0)
		return 0;
	if (phrase.n > s.n)
		return SIZE_MAX;
	first = letter_word_at(phrase, 0);
	last = letter_word_before(phrase, phrase.n);
	for (;;) {
		n = str_find(str_sub(s, at, s.n), phrase);
		if (n == SIZE_MAX)
			return SIZE_MAX;
		at += n;
		end = at + phrase.n;
		if ((!first || at == 0 || !letter_word_before(s, at)) &&
		    (!last || end == s.n || !letter_word_at(s, end)))
			return at;
		at++;
	}
}

bool
phrase_match(struct str s, struct str phrase)
{
	return phrase.n == 0 ? s.n == 0 : phrase_find(s, phrase) != SIZE_MAX;
}

bool
prefix_match(struct str s, struct str prefix)
{
	bool first;
	size_t at = 0, n;

	if (prefix.n == 0)
		return s.n > 0;
	if (prefix.n > s.n)
		return false;
	first = letter_word_at(prefix, 0);
	for (;;) {
		n = str_find(str_sub(s, at, s.n), prefix);
		if (n == SIZE_MAX)
			return false;
		at += n;
		if (!first || at == 0 || !letter_word_before(s, at))
			return true;
		at++;
	}
}
