/*
 * cli/helper.c - programs beside weir.
 * One job: find a program that has more libraries linked in, and go on there.
 * Floor: 6 (uses base).
 */
#include "cli/helper.h"

#include <limits.h>
#include <stdio.h>

#include "base/own.h"

/* Beside weir where it is installed, in the folder where it is built, and where it was to be installed; from weir's folder
 * unless they begin with a slash. */
static const char *const places[] = { ("../" WEIR_LIBEXEC), "src/cli", ".", WEIR_LIBEXEC_FULL };

void
helper_exec(const char *name, char **argv)
{
	char self[PATH_MAX], path[PATH_MAX + 64], *slash;
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	size_t i;

	if (n <= 0)
		return;
	self[n] = '\0';
	slash = strrchr(self, '/');
	if (slash != NULL)
		*slash = '\0';
	for (i = 0; i < ARRAY_LEN(places); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s/%s", places[i][0] == '/' ? "" : self,
		    places[i], name);
		(void)execv(path, argv);
	}
}
