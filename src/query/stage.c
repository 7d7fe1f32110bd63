/*
 * query/stage.c - the stages of a query.
 * One job: what all stages share: the account of memory and the first error.
 * Floor: 3 (uses base).
 */
#include "query/stage.h"

#include <stdio.h>

int
env_charge(struct query_env *env, const char *who, int64_t n)
{
	uint64_t used;

	if (n < 0) {
		atomic_fetch_sub_explicit(&env->memory_used, 0 - (uint64_t)n, memory_order_relaxed);
		return 0;
	}
	used = atomic_fetch_add_explicit(&env->memory_used, (uint64_t)n, memory_order_relaxed);
	if (env->memory_max == 0 || used + (uint64_t)n <= env->memory_max)
		return 0;
	return env_fail(env, err_origin(-ENOMEM),
	    "pipe %s needs more memory than the bound of %llu bytes", who,
	    (unsigned long long)env->memory_max);
}

int
env_fail(struct query_env *env, int r, const char *fmt, ...)
{
	va_list ap;

	if (!atomic_flag_test_and_set(&env->error_set)) {
		va_start(ap, fmt);
		(void)vsnprintf(env->error, sizeof(env->error), fmt, ap);
		va_end(ap);
	}
	return r;
}
