/*
 * cli/cmd_help.c - weir help, weir version.
 * One job: say what there is.
 * Floor: 6 (uses base).
 */
#include "base/cpu.h"
#include "cli/cli.h"
#include "cli/out.h"

static int
print(struct buf *text)
{
	struct out o;

	out_init(&o, true, false);
	(void)out_write(&o, text->p, text->n);
	return out_finish(&o, CLI_DONE);
}

static int
run_help(struct options *opt)
{
	AUTO_FINI(buf_fini) struct buf out = BUF_INIT;
	const struct command *const *all, *cmd;
	size_t i, n;

	if (opt->n_args > 0) {
		cmd = cli_command_find(opt->args[0]);
		if (cmd == NULL)
			return cli_fail(CLI_USAGE,
			    "help: %s: no such command; weir help lists them", opt->args[0]);
		options_help(cmd, &out);
		return print(&out);
	}
	buf_c(&out, "usage: weir COMMAND [OPTION…] [ARGUMENT…]\n\n");
	all = cli_commands(&n);
	for (i = 0; i < n; i++)
		buf_printf(&out, "  %-10s %s\n", all[i]->name, all[i]->help);
	buf_c(&out, "\nweir help COMMAND shows its options; weir(1) is the manual.\n");
	return print(&out);
}

static int
run_version(struct options *opt)
{
	AUTO_FINI(buf_fini) struct buf out = BUF_INIT;

	if (opt->n_args > 0)
		return cli_fail(CLI_USAGE, "version: %s: no argument is wanted", opt->args[0]);
	buf_printf(&out, "weir %s\ninstructions: %s\n", WEIR_VERSION, cpu_name(cpu_level()));
	return print(&out);
}

const struct command command_help = { .name = "help",
	.args = "[COMMAND]",
	.help = "This list, or a command's options.",
	.run = run_help };
const struct command command_version = { .name = "version",
	.args = "",
	.help = "The version, and which instructions are used.",
	.run = run_version };
