/*
 * daemon/main.c - the program weird.
 * One job: read the command line.
 * Floor: 6 (uses daemon, alerts, ingest).
 */
#include <getopt.h>
#include <stdio.h>

#include "alerts/sender.h"
#include "base/cpu.h"
#include "base/io.h"
#include "daemon/daemon.h"
#include "daemon/say.h"
#include "ingest/journal.h"

enum { ROLE_FD = 3 };

static const char usage[] =
    "Usage: weird [--config FILE] [--store DIR] [--once]\n"
    "Follow the journal and log files, and keep them in a store that weir asks.\n"
    "\n"
    "  --config FILE  instead of /etc/weir/weir.yaml\n"
    "  --store DIR    instead of the configuration's store\n"
    "  --once         take in what there is now, commit, and end\n"
    "  --help, --version\n";

static int
role_main(const char *role, const char *secrets)
{
	if (strcmp(role, "journal") == 0)
		return journal_role_main(ROLE_FD);
	if (strcmp(role, "send") == 0)
		return sender_role(ROLE_FD, secrets);
	say(SAY_ERR, "--role %s: unknown role", role);
	return DAEMON_USAGE;
}

int
main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "store", required_argument, NULL, 's' },
		{ "once", no_argument, NULL, 'o' },
		{ "role", required_argument, NULL, 'r' },
		{ "secrets", required_argument, NULL, 'S' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'v' },
		{ NULL, 0, NULL, 0 },
	};
	struct daemon_options opt = { 0 };
	const char *role = NULL, *secrets = NULL;
	int c;

	io_keep_standard();
	/* what is typed comes back escaped */
	opterr = 0;
	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (c) {
		case 'c':
			opt.config = optarg;
			break;
		case 's':
			opt.store = optarg;
			break;
		case 'o':
			opt.once = true;
			break;
		case 'r':
			role = optarg;
			break;
		case 'S':
			secrets = optarg;
			break;
		case 'h':
			return fputs(usage, stdout) < 0 || fflush(stdout) != 0 ? DAEMON_FAILED : 0;
		case 'v':
			return printf("weird %s\n", WEIR_VERSION) < 0 || fflush(stdout) != 0
			    ? DAEMON_FAILED
			    : 0;
		default:
			say(SAY_ERR,
			    "%s: no such option, or its value is missing: see weird --help",
			    argv[optind - 1]);
			return DAEMON_USAGE;
		}
	}
	if (optind < argc) {
		say(SAY_ERR, "unexpected argument: %s", argv[optind]);
		return DAEMON_USAGE;
	}
	if (role == NULL && cpu_forced_wrong() != NULL)
		say(SAY_WARNING, "WEIR_CPU: %s: not a name of instructions that run here",
		    cpu_forced_wrong());
	return role != NULL ? role_main(role, secrets) : daemon_run(&opt);
}
