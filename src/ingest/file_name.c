/*
 * ingest/file_name.c - names of log files.
 * One job: match globs, tell rotated forms of a name, and show names to people.
 * Floor: 3 (uses base).
 */
#include <fnmatch.h>

#include "base/utf8.h"
#include "ingest/file_internal.h"

enum { RANK_DIGITS = 14, NUMBER_DIGITS = 5, DATE_DIGITS = 6 };
#define RANK_DATE INT64_C(1000000000000000)

bool
file_name_is_glob(struct str path)
{
	size_t i;

	for (i = 0; i < path.n; i++)
		if (path.p[i] == '*' || path.p[i] == '?' || path.p[i] == '[')
			return true;
	return false;
}

static bool
match_part(const char *pattern, size_t n_pattern, const char *name, size_t n_name)
{
	char p[FILE_NAME_MAX], s[FILE_NAME_MAX];

	if (n_pattern >= sizeof(p) || n_name >= sizeof(s))
		return false;
	memcpy(p, pattern, n_pattern);
	memcpy(s, name, n_name);
	p[n_pattern] = s[n_name] = '\0';
	return fnmatch(p, s, FNM_PERIOD) == 0;
}

static size_t
part_end(const char *s)
{
	return strcspn(s, "/");
}

bool
file_glob_match(const char *pattern, const char *path)
{
	size_t n, k;

	for (;;) {
		while (*pattern == '/')
			pattern++;
		while (*path == '/')
			path++;
		if (*pattern == '\0' || *path == '\0')
			return *pattern == *path;
		n = part_end(pattern);
		k = part_end(path);
		if (n == 2 && memcmp(pattern, "**", 2) == 0) {
			if (file_glob_match(pattern + n, path))
				return true;
			path += k;
			continue;
		}
		if (!match_part(pattern, n, path, k))
			return false;
		pattern += n;
		path += k;
	}
}

bool
file_name_matches(const struct file_source *s, const char *path)
{
	size_t i;

	for (i = 0; i < s->n_patterns; i++)
		if (file_glob_match(s->patterns[i], path))
			return true;
	return false;
}

void
file_name_show(struct buf *out, const char *name)
{
	struct str s = str_c(name);
	size_t i, n;

	for (i = 0; i < s.n; i += n) {
		n = utf8_len(s.p + i, s.n - i);
		if (n == 0 || s.p[i] < 0x20 || s.p[i] == 0x7f ||
		    (n == 2 && s.p[i] == 0xc2 && s.p[i + 1] < 0xa0)) {
			buf_printf(out, "\\x%02x", s.p[i]);
			n = 1;
		} else {
			buf_put(out, s.p + i, n);
		}
	}
}

static bool
is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

/* A number (of rotations) or a date, with what stands between its digits; its rank, or -1. */
static int64_t
rotation_rank(struct str s, bool *ret_date)
{
	int64_t value = 0;
	size_t i, n = 0;

	if (str_eq(s, STR("old"))) {
		*ret_date = false;
		return 1;
	}
	if (s.n == 0 || !is_digit(s.p[0]) || !is_digit(s.p[s.n - 1]))
		return -1;
	for (i = 0; i < s.n; i++) {
		if (is_digit(s.p[i])) {
			if (n++ < RANK_DIGITS)
				value = value * 10 + (s.p[i] - '0');
		} else if (strchr("-_.:T", s.p[i]) == NULL || s.p[i] == '\0') {
			return -1;
		}
	}
	*ret_date = n >= DATE_DIGITS;
	if (*ret_date) {
		for (; n < RANK_DIGITS; n++)
			value *= 10;
		return RANK_DATE - value;
	}
	return n <= NUMBER_DIGITS && n == s.n ? value : -1;
}

static size_t
add_base(struct file_base *ret, size_t n, struct str stem, struct str ext, int64_t rank)
{
	if (stem.n == 0 || stem.n + ext.n >= FILE_NAME_MAX || n == FILE_BASES_MAX)
		return n;
	memcpy(ret[n].name, stem.p, stem.n);
	if (ext.n > 0)
		memcpy(ret[n].name + stem.n, ext.p, ext.n);
	ret[n].name[stem.n + ext.n] = '\0';
	ret[n].rank = rank;
	return n + 1;
}

/* base SEP rotation ext: the longest rotation counts; '-' and '_' go before dates only. */
static size_t
add_bases(struct str name, struct str ext, struct file_base *ret, size_t n)
{
	bool date = false;
	int64_t rank;
	size_t i;

	for (i = 1; i < name.n; i++) {
		if (name.p[i] != '.' && name.p[i] != '-' && name.p[i] != '_')
			continue;
		rank = rotation_rank(str_sub(name, i + 1, name.n), &date);
		if (rank >= 0 && (date || name.p[i] == '.'))
			return add_base(ret, n, str_sub(name, 0, i), ext, rank);
	}
	return n;
}

size_t
file_name_bases(struct str name, struct file_base ret[FILE_BASES_MAX])
{
	size_t n, dot = name.n;

	if (unzip_has_suffix(name))
		while (name.n > 0 && name.p[--name.n] != '.')
			;
	n = add_bases(name, STR_NONE, ret, 0);
	dot = name.n;
	while (dot > 0 && name.p[dot - 1] != '.')
		dot--;
	if (dot > 1 && dot < name.n && !is_digit(name.p[dot]))
		n = add_bases(str_sub(name, 0, dot - 1), str_sub(name, dot - 1, name.n), ret, n);
	return n;
}
