/*
 * ingest/unzip.c - rotated files that were compressed.
 * One job: read gzip, zstd, xz or plain bytes at rising offsets of their decompressed content.
 * Floor: 3 (uses base).
 */
#include "ingest/unzip.h"

#include <lzma.h>
#include <zlib.h>
#include <zstd.h>

#include "base/io.h"

enum {
	IN_SIZE = 64 << 10,
	OUT_STEP = 128 << 10,
	ZSTD_WINDOW_LOG_MAX = 27,
	XZ_MEMORY_MAX = 100 << 20,
	GZIP_WINDOW = 15 + 16, /* zlib's way to say: gzip only */
};

enum format { FORMAT_UNKNOWN, FORMAT_PLAIN, FORMAT_GZIP, FORMAT_ZSTD, FORMAT_XZ };

/*
 * Invariants: window holds the decompressed bytes [base, base + window.n); in[in_at..in_n) was read and not yet
 * decompressed; ended: nothing comes after the window.
 */
struct unzip {
	int fd;
	enum format format;
	bool ended, corrupt, in_ended, in_member;
	uint64_t base;
	struct buf window;
	size_t in_at, in_n;
	z_stream gz;
	bool gz_open;
	ZSTD_DStream *zstd;
	lzma_stream xz;
	uint8_t in[IN_SIZE];
};

static void
close_format(struct unzip *u)
{
	if (u->gz_open)
		(void)inflateEnd(&u->gz);
	u->gz_open = false;
	(void)ZSTD_freeDStream(u->zstd);
	u->zstd = NULL;
	lzma_end(&u->xz);
}

struct unzip *
unzip_free(struct unzip *u)
{
	if (u == NULL)
		return NULL;
	close_format(u);
	buf_fini(&u->window);
	free(u);
	return NULL;
}

int
unzip_new(struct unzip **ret, int fd)
{
	struct unzip *u = calloc(1, sizeof(*u));

	if (u == NULL)
		return err_origin(-ENOMEM);
	u->fd = fd;
	*ret = u;
	return 0;
}

/* Read more input; the unread rest moves to the front. */
static int
fill(struct unzip *u)
{
	size_t got = 0;
	int r;

	if (u->in_ended || u->in_n - u->in_at == IN_SIZE)
		return 0;
	memmove(u->in, u->in + u->in_at, u->in_n - u->in_at);
	u->in_n -= u->in_at;
	u->in_at = 0;
	r = io_read(u->fd, u->in + u->in_n, IN_SIZE - u->in_n, &got);
	if (r < 0)
		return err_trace(r);
	u->in_n += got;
	u->in_ended = got == 0;
	return 0;
}

static int
open_gzip(struct unzip *u)
{
	memset(&u->gz, 0, sizeof(u->gz));
	u->gz_open = inflateInit2(&u->gz, GZIP_WINDOW) == Z_OK;
	return u->gz_open ? 0 : err_origin(-ENOMEM);
}

static int
open_zstd(struct unzip *u)
{
	u->zstd = ZSTD_createDStream();
	if (u->zstd == NULL)
		return err_origin(-ENOMEM);
	(void)ZSTD_DCtx_setParameter(u->zstd, ZSTD_d_windowLogMax, ZSTD_WINDOW_LOG_MAX);
	return 0;
}

static int
open_xz(struct unzip *u)
{
	u->xz = (lzma_stream)LZMA_STREAM_INIT;
	if (lzma_stream_decoder(&u->xz, XZ_MEMORY_MAX, LZMA_CONCATENATED) != LZMA_OK)
		return err_origin(-ENOMEM);
	return 0;
}

/* Told by the first bytes; a file shorter than any of them is plain. */
static int
open_format(struct unzip *u)
{
	static const uint8_t gz[] = { 0x1f, 0x8b };
	static const uint8_t zs[] = { 0x28, 0xb5, 0x2f, 0xfd };
	static const uint8_t xz[] = { 0xfd, '7', 'z', 'X', 'Z', 0 };
	struct str head;
	int r;

	while (u->in_n < sizeof(xz) && !u->in_ended) {
		r = fill(u);
		if (r < 0)
			return err_trace(r);
	}
	head = str_of(u->in, u->in_n);
	u->format = FORMAT_PLAIN;
	if (str_starts(head, str_of(gz, sizeof(gz))))
		u->format = FORMAT_GZIP;
	else if (str_starts(head, str_of(zs, sizeof(zs))))
		u->format = FORMAT_ZSTD;
	else if (str_starts(head, str_of(xz, sizeof(xz))))
		u->format = FORMAT_XZ;
	if (u->format == FORMAT_GZIP)
		return err_trace(open_gzip(u));
	if (u->format == FORMAT_ZSTD)
		return err_trace(open_zstd(u));
	return u->format == FORMAT_XZ ? err_trace(open_xz(u)) : 0;
}

static void
step_plain(struct unzip *u)
{
	buf_put(&u->window, u->in + u->in_at, u->in_n - u->in_at);
	u->in_at = u->in_n;
	u->ended = u->in_ended;
}

/* Members follow one another (gzip files joined by cat); what follows the last and is none is padding. */
static void
step_gzip(struct unzip *u)
{
	int z;

	if (u->in_at == u->in_n && u->in_ended) {
		u->ended = true;
		u->corrupt = u->in_member;
		return;
	}
	u->in_member = true;
	u->gz.next_in = u->in + u->in_at;
	u->gz.avail_in = (uInt)(u->in_n - u->in_at);
	u->gz.next_out = u->window.p + u->window.n;
	u->gz.avail_out = OUT_STEP;
	z = inflate(&u->gz, Z_NO_FLUSH);
	u->in_at = u->in_n - u->gz.avail_in;
	u->window.n += OUT_STEP - u->gz.avail_out;
	if (z == Z_STREAM_END) {
		u->in_member = false;
		(void)inflateReset(&u->gz);
		while (u->in_at < u->in_n && u->in[u->in_at] == 0)
			u->in_at++;
	} else if (z != Z_OK && z != Z_BUF_ERROR) {
		u->corrupt = u->ended = true;
	}
}

static void
step_zstd(struct unzip *u)
{
	ZSTD_inBuffer in = { u->in, u->in_n, u->in_at };
	ZSTD_outBuffer out = { u->window.p + u->window.n, OUT_STEP, 0 };
	size_t left;

	left = ZSTD_decompressStream(u->zstd, &out, &in);
	u->window.n += out.pos;
	if (in.pos == u->in_at && out.pos == 0 && u->in_at == u->in_n && u->in_ended) {
		u->ended = true;
		u->corrupt = u->in_member;
	}
	u->in_at = in.pos;
	if (ZSTD_isError(left))
		u->corrupt = u->ended = true;
	else if (!u->ended)
		u->in_member = left != 0;
}

static void
step_xz(struct unzip *u)
{
	lzma_ret z;

	u->xz.next_in = u->in + u->in_at;
	u->xz.avail_in = u->in_n - u->in_at;
	u->xz.next_out = u->window.p + u->window.n;
	u->xz.avail_out = OUT_STEP;
	z = lzma_code(&u->xz, u->in_ended ? LZMA_FINISH : LZMA_RUN);
	u->in_at = u->in_n - u->xz.avail_in;
	u->window.n += OUT_STEP - u->xz.avail_out;
	if (z == LZMA_STREAM_END)
		u->ended = true;
	else if (z != LZMA_OK && !(z == LZMA_BUF_ERROR && !u->in_ended))
		u->corrupt = u->ended = true;
}

/* Add to the window; always makes progress or ends. */
static int
produce(struct unzip *u)
{
	int r = 0;

	if (u->in_at == u->in_n)
		r = fill(u);
	if (r == 0 && u->format == FORMAT_UNKNOWN)
		r = open_format(u);
	if (r < 0)
		return err_trace(r);
	if (!buf_grow(&u->window, OUT_STEP))
		return err_origin(-ENOMEM);
	switch (u->format) {
	case FORMAT_UNKNOWN:
	case FORMAT_PLAIN:
		step_plain(u);
		break;
	case FORMAT_GZIP:
		step_gzip(u);
		break;
	case FORMAT_ZSTD:
		step_zstd(u);
		break;
	case FORMAT_XZ:
		step_xz(u);
		break;
	}
	return 0;
}

static int
restart(struct unzip *u)
{
	if (lseek(u->fd, 0, SEEK_SET) != 0)
		return err_origin(-errno);
	close_format(u);
	u->format = FORMAT_UNKNOWN;
	u->ended = u->corrupt = u->in_ended = u->in_member = false;
	u->base = 0;
	u->in_at = u->in_n = 0;
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

const char *
unzip_name(const struct unzip *u)
{
	switch (u->format) {
	case FORMAT_GZIP:
		return "gzip";
	case FORMAT_ZSTD:
		return "zstd";
	case FORMAT_XZ:
		return "xz";
	case FORMAT_UNKNOWN:
	case FORMAT_PLAIN:
		break;
	}
	return "plain";
}

bool
unzip_has_suffix(struct str name)
{
	static const char *const suffixes[] = { ".gz", ".zst", ".xz", ".bz2", ".lz4", ".Z" };
	size_t i;

	for (i = 0; i < ARRAY_LEN(suffixes); i++)
		if (str_ends(name, str_c(suffixes[i])))
			return true;
	return false;
}
