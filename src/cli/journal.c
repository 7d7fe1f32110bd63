/*
 * cli/journal.c - --input journal:.
 * One job: find the program that has the journal's reader, and go on there.
 * Floor: 6 (uses lib, base).
 */
#include "cli/journal.h"

#include <limits.h>
#include <stdio.h>

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

/* Beside weir where it is installed, and in the folder where it is built. */
static const char *const places[] = { "../libexec/weir/weir-journal", "src/cli/weir-journal",
	"weir-journal" };

int
journal_exec(char **argv)
{
	char self[PATH_MAX], path[PATH_MAX + 64], *slash;
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	size_t i;

	if (n > 0) {
		self[n] = '\0';
		slash = strrchr(self, '/');
		if (slash != NULL)
			*slash = '\0';
		for (i = 0; i < ARRAY_LEN(places); i++) {
			(void)snprintf(path, sizeof(path), "%s/%s", self, places[i]);
			(void)execv(path, argv);
		}
	}
	return cli_fail(CLI_FAILED,
	    "--input journal: weir-journal, which reads it, is not installed");
}
