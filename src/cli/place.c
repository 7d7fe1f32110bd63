/*
 * cli/place.c - where the store is.
 * One job: the folder that a command means, and why it cannot be read.
 * Floor: 6 (uses store, base).
 */
#include "cli/place.h"

#include <grp.h>
#include <sys/stat.h>

#include "cli/cli.h"
#include "store/ids.h"

#define SYSTEM_STORE "/var/lib/weir"

static const char *
env(const char *name)
{
	const char *v = getenv(name);

	return v != NULL && *v != '\0' ? v : NULL;
}

const char *
place_store(const struct options *opt, struct buf *out)
{
	struct stat st;

	buf_clear(out);
	if (opt->store != NULL)
		buf_c(out, opt->store);
	else if (env("WEIR_STORE") != NULL)
		buf_c(out, env("WEIR_STORE"));
	else if (stat(SYSTEM_STORE, &st) == 0)
		buf_c(out, SYSTEM_STORE);
	else if (env("XDG_STATE_HOME") != NULL)
		buf_printf(out, "%s/weir", env("XDG_STATE_HOME"));
	else if (env("HOME") != NULL)
		buf_printf(out, "%s/.local/state/weir", env("HOME"));
	else
		buf_c(out, SYSTEM_STORE);
	return out->failed ? NULL : buf_c_str(out);
}

int
place_check(const char *path)
{
	struct group *group;
	struct stat st;
	int why;

	if (stat(path, &st) != 0)
		return cli_fail(CLI_FAILED, "no store: %s: %s", path, err_str(-errno));
	if (!S_ISDIR(st.st_mode))
		return cli_fail(CLI_FAILED, "no store: %s: not a folder", path);
	if (access(path, R_OK | X_OK) == 0)
		return store_ids_load(path) == 0 ? CLI_DONE
		                                 : cli_fail(CLI_FAILED, "%s", err_str(-ENOMEM));
	why = -errno;
	group = (st.st_mode & S_IRGRP) != 0 ? getgrgid(st.st_gid) : NULL;
	if (group != NULL)
		return cli_fail(CLI_FAILED,
		    "store not readable: %s: members of the group %s may read it", path,
		    group->gr_name);
	return cli_fail(CLI_FAILED, "store not readable: %s: %s", path, err_str(why));
}
