/*
 * cli/cmd_check.c - weir check.
 * One job: every mistake in a configuration, with its place.
 * Floor: 6 (uses config, lib, base).
 */
#include <fcntl.h>

#include "base/io.h"
#include "cli/cli.h"
#include "cli/rules.h"
#include "config/config.h"
#include "lib/print.h"

#define DEFAULT_FILE "/etc/weir/weir.yaml"

enum { FILE_MAX = 4 << 20 };

/* Names and values of the file stand in them. */
static void
show_errors(struct str errors)
{
	AUTO_FINI(buf_fini) struct buf out = BUF_INIT;
	struct str line;

	while (errors.n > 0) {
		line = str_sub(errors, 0, str_find_byte(errors, '\n'));
		print_escape(&out, line);
		buf_byte(&out, '\n');
		errors = str_sub(errors, line.n + 1, errors.n);
	}
	if (out.failed)
		(void)cli_fail(0, "%s", err_str(-ENOMEM));
	else
		(void)io_write(STDERR_FILENO, out.p, out.n);
}

/* Rule files and alertmanager.yml are known by their outermost keys; weir-rules looks again. */
static bool
is_config(const char *path)
{
	AUTO_FINI(buf_fini) struct buf text = BUF_INIT;

	if (io_read_file(AT_FDCWD, path, FILE_MAX, &text) < 0)
		return true;
	return config_kind(buf_view(&text)) == CONFIG_KIND_OWN;
}

static int
run_check(struct options *opt)
{
	AUTO(config_free) struct config *config = NULL;
	AUTO_FINI(buf_fini) struct buf errors = BUF_INIT;
	const char *path = opt->n_args > 0 ? opt->args[0] : DEFAULT_FILE;
	int r;

	if (opt->n_args > 1)
		return cli_fail(CLI_USAGE, "check: one file is wanted");
	opt->args[0] = path;
	opt->n_args = 1;
	if (rules_program_get()->check != NULL)
		return rules_program_get()->check(opt);
	if (!is_config(path))
		return rules_exec(opt, "check");
	r = config_load(path, &config, &errors);
	if (r == 0)
		return config->n_rules > 0 || config->alerting.n > 0 ? rules_exec(opt, "check")
		                                                     : CLI_DONE;
	if (errors.n > 0)
		show_errors(buf_view(&errors));
	else
		(void)cli_fail(0, "%s: %s", path, err_str(r < 0 ? r : -EINVAL));
	return r < 0 ? CLI_FAILED : CLI_USAGE;
}

static const struct option_row rows[] = { OPTION_HELP };

const struct command command_check = {
	.name = "check",
	.args = "[FILE]",
	.help = "Every mistake in a configuration (" DEFAULT_FILE "), rules, alertmanager.yml.",
	.rows = rows,
	.n_rows = ARRAY_LEN(rows),
	.run = run_check,
};
