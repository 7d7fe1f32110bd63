/*
 * cli/cli.c - the commands of weir.
 * One job: find the command, parse its options, run it.
 * Floor: 6 (uses lib, query, record, base).
 */
#include "cli/cli.h"

#include <malloc.h>
#include <signal.h>

#include "base/cpu.h"
#include "base/io.h"
#include "cli/out.h"

/* What malloc keeps for itself: see keep_memory. */
enum { KEEP_MMAP_BYTES = 32 << 20, KEEP_TOP_BYTES = 64 << 20 };

static const struct command *const commands[] = {
	&command_query,
	&command_grep,
	&command_tail,
	&command_trace,
	&command_fields,
	&command_values,
	&command_patterns,
	&command_ingest,
	&command_store,
	&command_status,
	&command_check,
	&command_rules,
	&command_alerts,
	&command_silence,
	&command_why,
	&command_why_not,
	&command_later_ship,
	&command_help,
	&command_version,
};

const struct command *const *
cli_commands(size_t *ret_n)
{
	*ret_n = ARRAY_LEN(commands);
	return commands;
}

const struct command *
cli_command_find(const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_LEN(commands); i++)
		if (strcmp(commands[i]->name, name) == 0)
			return commands[i];
	return NULL;
}

static int
run_command(const struct command *cmd, int argc, char **argv, char **all)
{
	AUTO_FREE struct options *opt = calloc(1, sizeof(*opt));
	AUTO_FINI(buf_fini) struct buf help = BUF_INIT;
	struct out o;
	int r;

	if (opt == NULL)
		return cli_fail(CLI_FAILED, "%s", err_str(-ENOMEM));
	opt->now = wall_now();
	opt->argv = all;
	r = options_parse(cmd, argc, argv, opt);
	if (r != 0)
		return r;
	if (!opt->help)
		return cmd->run(opt);
	out_init(&o, true, false);
	options_help(cmd, &help);
	(void)out_write(&o, help.p, help.n);
	return out_finish(&o, CLI_DONE);
}

/*
 * Blocks are worked on one after the other in buffers of the same size.  By itself malloc gives the large ones back to the
 * kernel each time, and a third of a query was the kernel's clearing of pages that it had just taken back.
 */
static void
keep_memory(void)
{
#ifdef __GLIBC__
	(void)mallopt(M_MMAP_THRESHOLD, KEEP_MMAP_BYTES);
	(void)mallopt(M_TRIM_THRESHOLD, KEEP_TOP_BYTES);
#endif
}

/* Said once: what is not heeded is taken away, so that a program started by this one does not say it again. */
static void
warn_cpu(void)
{
	const char *forced = cpu_forced_wrong();

	if (forced == NULL)
		return;
	(void)cli_fail(0, "WEIR_CPU: %s: not a name of instructions that run here", forced);
	(void)unsetenv("WEIR_CPU");
}

int
cli_main(int argc, char **argv)
{
	const struct command *cmd;
	const char *name = argc > 1 ? argv[1] : "";

	(void)signal(SIGPIPE, SIG_IGN);
	io_keep_standard();
	io_want_files();
	keep_memory();
	warn_cpu();
	if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)
		name = "help";
	if (strcmp(name, "--version") == 0 || strcmp(name, "-V") == 0)
		name = "version";
	if (*name == '\0')
		return cli_fail(CLI_USAGE, "a command is missing; weir help lists them");
	cmd = cli_command_find(name);
	if (cmd == NULL)
		return cli_fail(CLI_USAGE, "%s: no such command; weir help lists them", name);
	return run_command(cmd, argc - 2, argv + 2, argv);
}
