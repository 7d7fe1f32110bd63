/*
 * cli/rules_files.c - rule files of a command line.
 * One job: load them, or print every mistake.
 * Floor: 6 (uses alerts, base).
 */
#include "cli/rules_files.h"

#include "base/io.h"
#include "cli/say.h"
#include "lib/print.h"

void
rules_show(struct str lines)
{
	AUTO_FINI(buf_fini) struct buf out = BUF_INIT;
	struct str line;

	while (lines.n > 0) {
		line = str_sub(lines, 0, str_find_byte(lines, '\n'));
		print_escape(&out, line);
		buf_byte(&out, '\n');
		lines = str_sub(lines, line.n + 1, lines.n);
	}
	(void)io_write(STDERR_FILENO, out.p, out.n);
}

int
rules_files(const struct options *opt, size_t first, struct rule_set **ret)
{
	AUTO_FINI(buf_fini) struct buf errors = BUF_INIT;
	struct str names[256];
	size_t i, n = opt->n_args - first;
	int r;

	if (n > ARRAY_LEN(names))
		return cli_fail(CLI_USAGE, "rules: expected at most %zu files", ARRAY_LEN(names));
	for (i = 0; i < n; i++)
		names[i] = str_c(opt->args[first + i]);
	r = rules_load(names, n, wall_local_offset(opt->now), ret, &errors);
	rules_show(buf_view(&errors));
	if (r > 0)
		return CLI_USAGE;
	return r < 0 ? cli_fail(CLI_FAILED, "rules: %s", err_str(r)) : 0;
}
