/*
 * tests/unit/check.h - checks that NDEBUG cannot remove.
 * One job: run plain functions, count, and say where one failed.
 */
#pragma once

#include <stdio.h>
#include <stdlib.h>

static int check_failed;

/* Goes on after a failure, so that one run shows all. */
#define CHECK(cond)                                                                             \
	do {                                                                                    \
		if (!(cond)) {                                                                  \
			fprintf(stderr, "%s:%d: %s: CHECK(%s)\n", __FILE__, __LINE__, __func__, \
			    #cond);                                                             \
			check_failed++;                                                         \
		}                                                                               \
	} while (0)

/* For what the rest of the test cannot go on without. */
#define MUST(cond)                                                                             \
	do {                                                                                   \
		if (!(cond)) {                                                                 \
			fprintf(stderr, "%s:%d: %s: MUST(%s)\n", __FILE__, __LINE__, __func__, \
			    #cond);                                                            \
			exit(1);                                                               \
		}                                                                              \
	} while (0)

#define CHECK_STR(got, want)                                                                  \
	do {                                                                                  \
		struct str got_ = (got), want_ = (want);                                      \
		if (!str_eq(got_, want_)) {                                                   \
			fprintf(stderr, "%s:%d: %s: got \"%.*s\", want \"%.*s\"\n", __FILE__, \
			    __LINE__, __func__, STR_ARG(got_), STR_ARG(want_));               \
			check_failed++;                                                       \
		}                                                                             \
	} while (0)

/* At the end of main: return check_done(); */
static inline int
check_done(void)
{
	return check_failed == 0 ? 0 : 1;
}
