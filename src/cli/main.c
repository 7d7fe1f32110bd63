/*
 * cli/main.c - weir.
 * One job: be the program.
 * Floor: 6.
 */
#include "cli/cli.h"

int
main(int argc, char **argv)
{
	return cli_main(argc, argv);
}
