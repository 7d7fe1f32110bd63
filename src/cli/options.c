/*
 * cli/options.c - options of a command line.
 * One job: words to values, by a table of rows per command.
 * Floor: 6 (uses base).
 */
#include "cli/options.h"

#include <stdio.h>

#include "cli/say.h"

static const struct option_row *
find_long(const struct command *cmd, struct str name)
{
	size_t i;

	for (i = 0; i < cmd->n_rows; i++)
		if (str_eq_c(name, cmd->rows[i].name))
			return &cmd->rows[i];
	return NULL;
}

static const struct option_row *
find_letter(const struct command *cmd, char letter)
{
	size_t i;

	for (i = 0; i < cmd->n_rows; i++)
		if (cmd->rows[i].letter == letter)
			return &cmd->rows[i];
	return NULL;
}

static bool
parse_uint(struct str s, uint64_t *ret)
{
	uint64_t v = 0;
	size_t i;

	for (i = 0; i < s.n; i++)
		if (s.p[i] < '0' || s.p[i] > '9' || __builtin_mul_overflow(v, 10, &v) ||
		    __builtin_add_overflow(v, (uint64_t)(s.p[i] - '0'), &v))
			return false;
	*ret = v;
	return s.n > 0;
}

bool
options_size(struct str s, uint64_t *ret)
{
	static const char letters[] = "kmgt";
	uint64_t v, unit = 1;
	const char *at;
	size_t i = 0;
	bool binary;

	while (i < s.n && s.p[i] >= '0' && s.p[i] <= '9')
		i++;
	if (!parse_uint(str_sub(s, 0, i), &v))
		return false;
	s = str_sub(s, i, s.n);
	if (s.n > 0 && str_lower_byte(s.p[s.n - 1]) == 'b')
		s.n--;
	binary = s.n == 2 && str_lower_byte(s.p[1]) == 'i';
	if (s.n > 0) {
		at = strchr(letters, str_lower_byte(s.p[0]));
		if (at == NULL || *at == '\0' || (s.n > 1 && !binary))
			return false;
		for (i = 0; i <= (size_t)(at - letters); i++)
			unit *= binary ? 1024 : 1000;
	}
	return !__builtin_mul_overflow(v, unit, ret);
}

static int
bad_value(const struct option_row *row, const char *value)
{
	static const char *const wants[] = {
		[OPTION_FLAG] = "nothing",
		[OPTION_TEXT] = "text",
		[OPTION_LIST] = "fewer of them",
		[OPTION_COUNT] = "a number",
		[OPTION_SIZE] = "a size such as 64MiB",
		[OPTION_TIME] = "a duration such as 1h, a date, an RFC 3339 time or @epoch",
		[OPTION_NONE] = "nothing",
	};

	return cli_fail(CLI_USAGE, "--%s %s: expected %s", row->name, value, wants[row->kind]);
}

static int
set(const struct option_row *row, const char *value, struct options *opt)
{
	void *at = (char *)opt + row->at;
	struct option_list *list;
	bool ok = true;

	switch (row->kind) {
	case OPTION_FLAG:
		*(bool *)at = true;
		break;
	case OPTION_TEXT:
		*(const char **)at = value;
		break;
	case OPTION_LIST:
		list = at;
		ok = list->n < OPTION_LIST_MAX;
		if (ok)
			list->p[list->n++] = value;
		break;
	case OPTION_COUNT:
		ok = parse_uint(str_c(value), at);
		/* For these 0 is a value of its own. */
		opt->has_last |= row->at == OPTION_AT(last);
		opt->has_max |= row->at == OPTION_AT(max);
		opt->has_after |= row->at == OPTION_AT(after);
		opt->has_before |= row->at == OPTION_AT(before);
		opt->has_context |= row->at == OPTION_AT(context);
		opt->has_limit |= row->at == OPTION_AT(limit);
		break;
	case OPTION_SIZE:
		ok = options_size(str_c(value), at);
		break;
	case OPTION_TIME:
		ok = options_when(str_c(value), opt->now, at);
		break;
	case OPTION_NONE:
		return cli_fail(CLI_USAGE, "%s: --%s is not to be had: %s", opt->command->name,
		    row->name, row->help);
	}
	return ok ? 0 : bad_value(row, value);
}

/* The option of that name whose letters are nearest, for "did you mean". */
static const char *
nearest(const struct command *cmd, struct str name)
{
	size_t i, k, same, best = 2;
	const char *ret = NULL;

	for (i = 0; i < cmd->n_rows; i++) {
		struct str other = str_c(cmd->rows[i].name);

		for (k = 0, same = 0; k < name.n && k < other.n; k++)
			same += name.p[k] == other.p[k];
		if (same > best && same + 2 >= (name.n > other.n ? name.n : other.n) / 2) {
			best = same;
			ret = cmd->rows[i].name;
		}
	}
	return ret;
}

static int
parse_long(const struct command *cmd, int argc, char **argv, int *i, struct options *opt)
{
	struct str word = str_c(argv[*i] + 2), name = word;
	size_t eq = str_find_byte(word, '=');
	const struct option_row *row;
	const char *near;

	if (eq != SIZE_MAX)
		name = str_sub(word, 0, eq);
	row = find_long(cmd, name);
	if (row == NULL) {
		near = nearest(cmd, name);
		return cli_fail(CLI_USAGE, "%s: unknown option --%.*s%s%s%s", cmd->name,
		    STR_ARG(name), near != NULL ? ", did you mean --" : "",
		    near != NULL ? near : "", near != NULL ? "?" : "");
	}
	if (row->arg == NULL)
		return eq == SIZE_MAX ? set(row, "", opt)
		                      : cli_fail(CLI_USAGE, "--%s takes no value", row->name);
	if (eq != SIZE_MAX)
		return set(row, (const char *)word.p + eq + 1, opt);
	if (*i + 1 >= argc)
		return cli_fail(CLI_USAGE, "--%s: %s is missing", row->name, row->arg);
	return set(row, argv[++*i], opt);
}

static int
parse_letters(const struct command *cmd, int argc, char **argv, int *i, struct options *opt)
{
	const char *p = argv[*i] + 1;
	const struct option_row *row;
	int r = 0;

	for (; r == 0 && *p != '\0'; p++) {
		row = find_letter(cmd, *p);
		if (row == NULL)
			return cli_fail(CLI_USAGE, "%s: unknown option -%c", cmd->name, *p);
		if (row->arg == NULL) {
			r = set(row, "", opt);
			continue;
		}
		if (p[1] != '\0')
			return set(row, p + 1, opt);
		if (*i + 1 >= argc)
			return cli_fail(CLI_USAGE, "-%c: %s is missing", *p, row->arg);
		return set(row, argv[++*i], opt);
	}
	return r;
}

int
options_parse(const struct command *cmd, int argc, char **argv, struct options *opt)
{
	bool ended = false;
	int i, r = 0;

	opt->command = cmd;
	opt->since = (struct wall){ INT64_MIN };
	opt->until = (struct wall){ INT64_MAX };
	for (i = 0; r == 0 && i < argc; i++) {
		if (!ended && strcmp(argv[i], "--") == 0)
			ended = true;
		else if (!ended && strncmp(argv[i], "--", 2) == 0)
			r = parse_long(cmd, argc, argv, &i, opt);
		else if (!ended && argv[i][0] == '-' && argv[i][1] != '\0')
			r = parse_letters(cmd, argc, argv, &i, opt);
		else if (opt->n_args < OPTION_LIST_MAX)
			opt->args[opt->n_args++] = argv[i];
		else
			r = cli_fail(CLI_USAGE, "%s: too many arguments", cmd->name);
	}
	return r;
}

void
options_help(const struct command *cmd, struct buf *out)
{
	const struct option_row *row;
	char left[64];
	size_t i;

	buf_printf(out, "usage: weir %s%s%s%s\n\n%s\n", cmd->name,
	    cmd->n_rows > 0 ? " [OPTION…]" : "", *cmd->args != '\0' ? " " : "", cmd->args,
	    cmd->help);
	if (cmd->n_rows > 0)
		buf_c(out, "\n");
	for (i = 0; i < cmd->n_rows; i++) {
		row = &cmd->rows[i];
		if (row->kind == OPTION_NONE)
			continue;
		(void)snprintf(left, sizeof(left), "%c%c%s--%s%s%s", row->letter != 0 ? '-' : ' ',
		    row->letter != 0 ? row->letter : ' ', row->letter != 0 ? ", " : "  ", row->name,
		    row->arg != NULL ? " " : "", row->arg != NULL ? row->arg : "");
		buf_printf(out, "  %-24s %s\n", left, row->help);
	}
	if (cmd->more != NULL)
		buf_printf(out, "\n%s", cmd->more);
}
