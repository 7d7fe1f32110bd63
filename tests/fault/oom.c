/*
 * tests/fault/oom.c - let the n-th allocation of a process fail.
 * One job: a library for LD_PRELOAD; the OOM_AT-th malloc, calloc, realloc or aligned one returns NULL, and with OOM_ON
 * all after it too.  OOM_COUNT names a file that gets the number of calls.
 */
#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t n);
void *__libc_memalign(size_t align, size_t n);

static atomic_long calls;
static long fail_at = -1;
static bool fail_on, started;

__attribute__((constructor)) static void
oom_start(void)
{
	const char *s = getenv("OOM_AT");

	if (s != NULL)
		fail_at = atol(s);
	fail_on = getenv("OOM_ON") != NULL;
	started = true;
}

__attribute__((destructor)) static void
oom_stop(void)
{
	const char *s = getenv("OOM_COUNT");
	FILE *f;

	started = false;
	f = s != NULL ? fopen(s, "w") : NULL;
	if (f != NULL) {
		fprintf(f, "%ld\n", atomic_load(&calls));
		(void)fclose(f);
	}
}

static bool
fails(void)
{
	long n;

	if (!started)
		return false;
	n = atomic_fetch_add(&calls, 1) + 1;
	if (fail_at < 0 || (fail_on ? n < fail_at : n != fail_at))
		return false;
	errno = ENOMEM;
	return true;
}

void *
malloc(size_t n)
{
	return fails() ? NULL : __libc_malloc(n);
}

void *
calloc(size_t n, size_t size)
{
	return fails() ? NULL : __libc_calloc(n, size);
}

void *
realloc(void *p, size_t n)
{
	return fails() ? NULL : __libc_realloc(p, n);
}

void *
aligned_alloc(size_t align, size_t n)
{
	return fails() ? NULL : __libc_memalign(align, n);
}

int
posix_memalign(void **ret, size_t align, size_t n)
{
	void *p = fails() ? NULL : __libc_memalign(align, n);

	if (p == NULL)
		return ENOMEM;
	*ret = p;
	return 0;
}
