/*
 * logsql/words.c - the words of the language.
 * One job: know which words have a meaning, and which one a misspelt word was meant to be.
 * Floor: 2 (uses record, base).
 */
#include "logsql/filter_internal.h"

static const char *const functions[] = {
	"contains_all",
	"contains_any",
	"contains_common_case",
	"eq_field",
	"equals_common_case",
	"exact",
	"i",
	"in",
	"ipv4_range",
	"ipv6_range",
	"json_array_contains_any",
	"le_field",
	"len_range",
	"lt_field",
	"min_level",
	"pattern_match",
	"pattern_match_full",
	"pattern_match_prefix",
	"pattern_match_suffix",
	"range",
	"re",
	"seq",
	"string_range",
	"value_type",
};

static const char *const keywords[] = { "and", "or", "not", "now", "offset", "options" };

static const char *const pipe_words[] = { "block_stats", "blocks_count", "collapse_nums", "copy",
	"cp", "decolorize", "del", "delete", "drop", "drop_empty_fields", "eval", "extract",
	"extract_regexp", "facets", "field_names", "field_values", "fields", "filter", "first",
	"format", "hash", "head", "join", "json_array_len", "keep", "last", "len", "limit", "math",
	"mv", "offset", "order", "pack_json", "pack_logfmt", "rename", "replace", "replace_regexp",
	"rm", "sample", "skip", "sort", "split", "stats", "stats_remote", "stream_context", "top",
	"union", "uniq", "unpack_json", "unpack_logfmt", "unpack_syslog", "unpack_words", "unroll",
	"where" };

static bool
in_table(struct str s, const char *const *table, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (str_eq_nocase(s, str_c(table[i])))
			return true;
	return false;
}

bool
logsql_is_keyword(struct str s)
{
	return in_table(s, keywords, ARRAY_LEN(keywords)) ||
	    in_table(s, functions, ARRAY_LEN(functions));
}

bool
logsql_is_pipe_word(struct str s)
{
	return in_table(s, pipe_words, ARRAY_LEN(pipe_words));
}

const char *
filter_nearest_function(struct str word)
{
	return logsql_nearest(word, functions, ARRAY_LEN(functions));
}

enum { WORD_MAX = 40 };

/* Optimal string alignment: insert, delete, change, or swap two neighbours; O(n m), words of at most 40. */
static size_t
edit_distance(struct str a, struct str b)
{
	size_t row[3][WORD_MAX + 1], i, j, best, cost;
	size_t *up2 = row[0], *up = row[1], *now = row[2], *swap;

	for (j = 0; j <= b.n; j++)
		up[j] = j;
	for (i = 1; i <= a.n; i++) {
		now[0] = i;
		for (j = 1; j <= b.n; j++) {
			cost = str_lower_byte(a.p[i - 1]) != str_lower_byte(b.p[j - 1]);
			best = up[j - 1] + cost;
			if (up[j] + 1 < best)
				best = up[j] + 1;
			if (now[j - 1] + 1 < best)
				best = now[j - 1] + 1;
			if (i > 1 && j > 1 && a.p[i - 1] == b.p[j - 2] &&
			    a.p[i - 2] == b.p[j - 1] && up2[j - 2] + 1 < best)
				best = up2[j - 2] + 1;
			now[j] = best;
		}
		swap = up2;
		up2 = up;
		up = now;
		now = swap;
	}
	return up[b.n];
}

bool
logsql_is_slip(struct str word, struct str entry)
{
	return word.n <= WORD_MAX && entry.n <= WORD_MAX && (word.n > 4 || entry.n > 4) &&
	    edit_distance(word, entry) == 1;
}

const char *
logsql_nearest(struct str word, const char *const *table, size_t n)
{
	size_t i, d, best = word.n / 3 + 1;
	const char *found = NULL;
	struct str entry;

	if (word.n < 2 || word.n > WORD_MAX)
		return NULL;
	for (i = 0; i < n; i++) {
		entry = str_c(table[i]);
		if (entry.n > WORD_MAX)
			continue;
		d = edit_distance(word, entry);
		if (d < best || (d == best && found == NULL && d < entry.n)) {
			best = d;
			found = table[i];
		}
	}
	return found;
}
