/*
 * base/cpu.c - which instructions run.
 * One job: choose once, for all rooms that have a loop in several variants.
 * Floor: 0.
 */
#include "base/cpu.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

static const char *const names[CPU_N_LEVELS] = {
	[CPU_PORTABLE] = "portable",
	[CPU_SSE2] = "sse2",
	[CPU_AVX2] = "avx2",
	[CPU_AVX512] = "avx512",
	[CPU_NEON] = "neon",
};

/* 0: not decided yet; else the level and 1. */
static _Atomic unsigned decided;

const char *
cpu_name(enum cpu_level level)
{
	return names[level];
}

enum cpu_level
cpu_find(const char *name)
{
	unsigned i;

	for (i = 0; i < CPU_N_LEVELS; i++)
		if (strcmp(names[i], name) == 0)
			break;
	return (enum cpu_level)i;
}

#if defined(CPU_EMULATED)
bool
cpu_can(enum cpu_level level)
{
	return level < CPU_NEON;
}
#elif CPU_X86
/* The compiler's library asks the CPU, and the kernel (XGETBV) whether it keeps the wide registers. */
static bool
can_avx512(void)
{
	return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
	    __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
	    __builtin_cpu_supports("avx512vbmi") && __builtin_cpu_supports("avx512vbmi2");
}

bool
cpu_can(enum cpu_level level)
{
	switch (level) {
	case CPU_PORTABLE:
	case CPU_SSE2: /* part of x86-64 */
		return true;
	case CPU_AVX2:
		return __builtin_cpu_supports("avx2");
	case CPU_AVX512:
		return __builtin_cpu_supports("avx2") && can_avx512();
	case CPU_NEON:
	case CPU_N_LEVELS:
		break;
	}
	return false;
}
#else
bool
cpu_can(enum cpu_level level)
{
	/* NEON is part of aarch64. */
	return level == CPU_PORTABLE || (CPU_ARM && level == CPU_NEON);
}
#endif

/* What $WEIR_CPU names, if that runs here; else CPU_N_LEVELS. */
static enum cpu_level
forced(const char **ret_text)
{
	enum cpu_level level;

	*ret_text = getenv("WEIR_CPU");
	if (*ret_text == NULL || **ret_text == '\0') {
		*ret_text = NULL;
		return CPU_N_LEVELS;
	}
	level = cpu_find(*ret_text);
	return level != CPU_N_LEVELS && cpu_can(level) ? level : CPU_N_LEVELS;
}

static enum cpu_level
decide(void)
{
	const char *text;
	enum cpu_level level = forced(&text);

	if (level != CPU_N_LEVELS)
		return level;
	for (level = CPU_NEON; !cpu_can(level);)
		level = (enum cpu_level)(level - 1);
	return level;
}

enum cpu_level
cpu_level(void)
{
	unsigned known = atomic_load_explicit(&decided, memory_order_relaxed);

	/* Always the same answer, so threads may write it at once. */
	if (known == 0) {
		known = (unsigned)decide() + 1;
		atomic_store_explicit(&decided, known, memory_order_relaxed);
	}
	return (enum cpu_level)(known - 1);
}

const char *
cpu_forced_wrong(void)
{
	const char *text;

	return forced(&text) == CPU_N_LEVELS ? text : NULL;
}

void
cpu_force(enum cpu_level level)
{
	assert(cpu_can(level));
	atomic_store_explicit(&decided, (unsigned)level + 1, memory_order_relaxed);
}
