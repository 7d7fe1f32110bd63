/*
 * base/own.h - ownership.
 * One job: free things on every way out, and hand them over in plain sight.
 * Floor: 0.
 */
#pragma once

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/*
 * AUTO(free_fn) T *x = NULL; calls free_fn(x) when x goes out of scope.  Each free_fn takes NULL and
 * returns NULL; DEFINE_AUTO makes the adapter that the cleanup attribute wants, next to free_fn.
 */
#define AUTO(free_fn) __attribute__((__cleanup__(free_fn##_auto)))
#define DEFINE_AUTO(type, free_fn)                                             \
	__attribute__((__unused__)) static inline void free_fn##_auto(type *p) \
	{                                                                      \
		if (*p != NULL)                                                \
			(void)free_fn(*p);                                     \
	}

/* AUTO_FINI(fini_fn) struct x x = { 0 }; for what the caller stores; fini may run twice. */
#define AUTO_FINI(fini_fn) __attribute__((__cleanup__(fini_fn)))

/* TAKE(p) gives p's value and leaves NULL, so that its AUTO has nothing to free. */
#define TAKE(p)                                          \
	__extension__({                                  \
		__typeof__(p) *take_from_ = &(p);        \
		__typeof__(p) take_value_ = *take_from_; \
		*take_from_ = NULL;                      \
		take_value_;                             \
	})

/* The same for descriptors, where -1 is none. */
#define TAKE_FD(fd)                            \
	__extension__({                        \
		int *take_from_ = &(fd);       \
		int take_value_ = *take_from_; \
		*take_from_ = -1;              \
		take_value_;                   \
	})

/* AUTO_FREE char *s = NULL; for plain malloc'ed memory. */
#define AUTO_FREE  __attribute__((__cleanup__(own_free_auto)))
/* AUTO_CLOSE int fd = -1; */
#define AUTO_CLOSE __attribute__((__cleanup__(own_close_auto)))

#define MUST_USE          __attribute__((__warn_unused_result__))
#define PRINTF_LIKE(f, a) __attribute__((__format__(__printf__, f, a)))
#define ARRAY_LEN(a)      (sizeof(a) / sizeof((a)[0]))
#define LIKELY(x)         __builtin_expect(!!(x), 1)
#define UNLIKELY(x)       __builtin_expect(!!(x), 0)

static inline void
own_free_auto(void *p)
{
	void *mem;

	memcpy(&mem, p, sizeof(mem));
	free(mem);
}

static inline void
own_close_auto(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
	*fd = -1;
}
