/*
 * cli/journal.c - --input journal:.
 * One job: find the program that has the journal's reader, and go on there.
 * Floor: 6 (uses lib, base).
 */
#include "cli/journal.h"

#include "cli/helper.h"
#include "cli/say.h"

static struct journal_input input;

void
journal_input_set(const struct journal_input *in)
{
	input = *in;
}

const struct journal_input *
journal_input_get(void)
{
	return &input;
}

int
journal_exec(char **argv)
{
	helper_exec("weir-journal", argv);
	return cli_fail(CLI_FAILED,
	    "--input journal: weir-journal, which reads it, is not installed");
}
