/*
 * base/cpu.h - which instructions run.
 * One job: choose once, for all rooms that have a loop in several variants.
 * Floor: 0.
 *
 * A level is a set of instructions.  A room with a loop in variants has a table of them, a row a level, and takes row
 * cpu_level(); every row gives the same bytes.  Where a room gains nothing by a level, its row is the one below.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Which families of variants are compiled in. */
#if defined(__x86_64__) || defined(CPU_EMULATED)
#define CPU_X86 1
#define CPU_ARM 0
#elif defined(__aarch64__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define CPU_X86 0
#define CPU_ARM 1
#else
#define CPU_X86 0
#define CPU_ARM 0
#endif

/*
 * CPU_TARGET("avx2") before a function that only a CPU with it runs.  A test that emulates instructions
 * (CPU_EMULATED) compiles the same files without.
 */
#if defined(CPU_EMULATED) || !CPU_X86
#define CPU_TARGET(features)
#else
#define CPU_TARGET(features) __attribute__((__target__(features)))
#endif
/* What CPU_AVX512 stands for: what came with VBMI2 (Ice Lake 2019, Zen 4 2022).  Earlier CPUs slow their clock
 * down for wide registers, and stay at AVX2. */
#define CPU_TARGET_AVX512 CPU_TARGET("avx512f,avx512bw,avx512dq,avx512vl,avx512vbmi,avx512vbmi2")

/* From least to most; NEON is above portable alone. */
enum cpu_level { CPU_PORTABLE, CPU_SSE2, CPU_AVX2, CPU_AVX512, CPU_NEON, CPU_N_LEVELS };

/*
 * A room's table: CPU_TABLE(portable, sse2, avx2, avx512, neon) initialises an array of CPU_N_LEVELS.  A room says
 * for each level what runs, and the compiler never sees the names of variants that are not compiled in.
 */
#if CPU_X86
#define CPU_ON_X86(row, other) (row)
#else
#define CPU_ON_X86(row, other) (other)
#endif
#if CPU_ARM
#define CPU_ON_ARM(row, other) (row)
#else
#define CPU_ON_ARM(row, other) (other)
#endif
#define CPU_TABLE(portable, sse2, avx2, avx512, neon)                                 \
	{                                                                             \
		[CPU_PORTABLE] = (portable), [CPU_SSE2] = CPU_ON_X86(sse2, portable), \
		[CPU_AVX2] = CPU_ON_X86(avx2, portable),                              \
		[CPU_AVX512] = CPU_ON_X86(avx512, portable),                          \
		[CPU_NEON] = CPU_ON_ARM(neon, portable)                               \
	}

/** cpu_level(): the highest that this CPU and its kernel run, or the one that $WEIR_CPU names; the same in each call. */
enum cpu_level cpu_level(void);

/** cpu_can(level): whether this CPU runs it. */
bool cpu_can(enum cpu_level level);

/** cpu_name(level): portable, sse2, avx2, avx512 or neon. */
const char *cpu_name(enum cpu_level level);

/** cpu_find(name): the level of that name, or CPU_N_LEVELS. */
enum cpu_level cpu_find(const char *name);

/** cpu_forced_wrong(): what $WEIR_CPU says when that is no level that runs here, and so is not heeded; else NULL. */
const char *cpu_forced_wrong(void);

/** cpu_force(level): from now on cpu_level() is that one, which this CPU runs.  For tests and measuring. */
void cpu_force(enum cpu_level level);
