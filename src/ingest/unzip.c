/*
 * ingest/unzip.c - rotated files that were compressed.
 * One job: read gzip, zstd, xz or plain bytes at rising offsets of their decompressed content.
 * Floor: 3 (uses base).
 */
#include "ingest/unzip.h"

#include <unistd.h>

#include "base/inflate.h"

enum { OUT_STEP = 128 << 10 };

/* Invariants: window holds the decompressed bytes [base, base + window.n); ended: nothing comes after the window. */
struct unzip {
	int fd;
	bool ended, corrupt;
	uint64_t base;
	struct buf window;
	struct inflate *in;
};

struct unzip *
unzip_free(struct unzip *u)
{
	if (u == NULL)
		return NULL;
	(void)inflate_free(u->in);
	buf_fini(&u->window);
	free(u);
	return NULL;
}

int
unzip_new(struct unzip **ret, int fd)
{
	AUTO(unzip_free) struct unzip *u = calloc(1, sizeof(*u));
	int r;

	if (u == NULL)
		return err_origin(-ENOMEM);
	u->fd = fd;
	r = inflate_new(&u->in, fd);
	if (r < 0)
		return err_trace(r);
	*ret = TAKE(u);
	return 0;
}

/* Add to the window; always makes progress or ends. */
static int
produce(struct unzip *u)
{
	size_t got = 0;
	int r;

	if (!buf_grow(&u->window, OUT_STEP))
		return err_origin(-ENOMEM);
	r = inflate_read(u->in, u->window.p + u->window.n, OUT_STEP, &got);
	if (r < 0)
		return err_trace(r);
	u->window.n += got;
	u->corrupt = r == INFLATE_E_CORRUPT;
	u->ended = u->corrupt || got == 0;
	return 0;
}

static int
restart(struct unzip *u)
{
	struct inflate *in;
	int r;

	if (lseek(u->fd, 0, SEEK_SET) != 0)
		return err_origin(-errno);
	r = inflate_new(&in, u->fd);
	if (r < 0)
		return err_trace(r);
	(void)inflate_free(u->in);
	u->in = in;
	u->ended = u->corrupt = false;
	u->base = 0;
	buf_clear(&u->window);
	return 0;
}

/* Forget the bytes of the window before ${at}. */
static void
forget(struct unzip *u, uint64_t at)
{
	size_t n = at - u->base < u->window.n ? (size_t)(at - u->base) : u->window.n;

	memmove(u->window.p, u->window.p + n, u->window.n - n);
	u->window.n -= n;
	u->base += n;
}

int
unzip_pread(struct unzip *u, void *p, size_t n, uint64_t at, size_t *ret_n)
{
	size_t have;
	int r = 0;

	if (at < u->base)
		r = restart(u);
	while (r == 0 && !u->ended && u->base + u->window.n < at + n) {
		if (u->window.n > 0 && at > u->base)
			forget(u, at);
		r = produce(u);
	}
	if (r < 0)
		return err_trace(r);
	if (u->window.n > 0 && at > u->base)
		forget(u, at);
	have = at == u->base ? u->window.n : 0;
	have = have < n ? have : n;
	if (have > 0)
		memcpy(p, u->window.p, have);
	*ret_n = have;
	return u->corrupt && have < n ? UNZIP_E_CORRUPT : 0;
}

bool
unzip_why(const struct unzip *u, struct buf *out)
{
	if (u->corrupt)
		inflate_why(u->in, INFLATE_E_CORRUPT, out);
	return u->corrupt;
}

const char *
unzip_name(const struct unzip *u)
{
	return inflate_name(u->in);
}

static bool
has_one_of(struct str name, const char *const *suffixes)
{
	for (; *suffixes != NULL; suffixes++)
		if (str_ends(name, str_c(*suffixes)))
			return true;
	return false;
}

bool
unzip_can(struct str name)
{
	static const char *const suffixes[] = { ".gz", ".zst", ".xz", NULL };

	return has_one_of(name, suffixes);
}

bool
unzip_has_suffix(struct str name)
{
	static const char *const others[] = { ".bz2", ".lz4", ".Z", NULL };

	return unzip_can(name) || has_one_of(name, others);
}
