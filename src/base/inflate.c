/*
 * base/inflate.c - files as they lie there, compressed or not.
 * One job: the plain bytes of a descriptor, whether it holds gzip, zstd, xz or none of them.
 * Floor: 0.
 *
 * A codec is three functions in a table.  Members that follow each other in one file (as appended by
 * logrotate or cat) are read as one.
 */
#include "base/inflate.h"

#include <errno.h>
#include <lzma.h>
#include <poll.h>
#include <zlib.h>
#include <zstd.h>

#include "base/io.h"

enum {
	RAW_MAX = 256 << 10,
	XZ_MEMORY_MAX = 100 << 20,
	ZSTD_WINDOW_LOG_MAX = 27,
	ZSTD_WINDOW_LOG_BYTES =
	    23,                /* of what comes from outside: 8 MiB, as every encoder but --long */
	GZIP_WINDOW = 15 + 16, /* zlib's way to say: gzip only */
	ZSTD_STEP_MAX = 4096,
	MAGIC_MAX = 6,
};

enum { WAIT_MS = 20 };

/* step: decode from raw[at..n) to out; 0, or INFLATE_E_CORRUPT, whose reason is in in->why, or -errno.  It moves in->at,
 * sets *ret_n and says in in->between whether the input may end here. */
struct codec {
	const char *name;
	struct str magic;
	int (*start)(struct inflate *in);
	int (*step)(struct inflate *in, uint8_t *out, size_t n, size_t *ret_n);
	void (*stop)(struct inflate *in);
};

struct inflate {
	const struct codec *codec;
	int fd;                    /* -1: packed is all there is */
	const atomic_bool *cancel; /* NULL: reading waits as long as it takes */
	struct str packed;         /* not yet in raw */
	bool eof;                  /* no more raw bytes */
	bool between;              /* at the end of a member: the input may end here */
	bool corrupt;              /* nothing more can be had */
	const char *why;           /* a text that stays, once corrupt */
	uint64_t base;             /* where raw began in the input */
	uint64_t n_plain;          /* bytes that were given */
	size_t at, n;              /* raw[at..n) is not used yet */
	z_stream gz;
	ZSTD_DStream *zs;
	lzma_stream xz;
	uint8_t raw[RAW_MAX];
};

static int
bad(struct inflate *in, const char *why)
{
	in->why = why;
	return INFLATE_E_CORRUPT;
}

static int
plain_start(struct inflate *in)
{
	return 0;
}

static int
plain_step(struct inflate *in, uint8_t *out, size_t n, size_t *ret_n)
{
	size_t take = in->n - in->at < n ? in->n - in->at : n;

	memcpy(out, in->raw + in->at, take);
	in->at += take;
	in->between = true;
	*ret_n = take;
	return 0;
}

static void
plain_stop(struct inflate *in)
{
}

static int
gz_start(struct inflate *in)
{
	return inflateInit2(&in->gz, GZIP_WINDOW) == Z_OK ? 0 : err_origin(-ENOMEM);
}

static int
gz_step(struct inflate *in, uint8_t *out, size_t n, size_t *ret_n)
{
	int r;

	if (in->between && in->n > in->at) {
		/* Padding of zeros after the last member is common on tapes and block devices. */
		while (in->at < in->n && in->raw[in->at] == 0)
			in->at++;
		*ret_n = 0;
		if (in->at == in->n)
			return 0;
		if (inflateReset(&in->gz) != Z_OK)
			return bad(in, zError(Z_STREAM_ERROR));
		in->between = false;
	}
	in->gz.next_in = in->raw + in->at;
	in->gz.avail_in = (uInt)(in->n - in->at);
	in->gz.next_out = out;
	in->gz.avail_out = (uInt)n;
	r = inflate(&in->gz, Z_NO_FLUSH);
	in->at = in->n - in->gz.avail_in;
	*ret_n = n - in->gz.avail_out;
	if (r == Z_STREAM_END)
		in->between = true;
	else if (r == Z_MEM_ERROR)
		return err_origin(-ENOMEM);
	else if (r != Z_OK && r != Z_BUF_ERROR)
		return bad(in, in->gz.msg != NULL ? in->gz.msg : zError(r));
	return 0;
}

static void
gz_stop(struct inflate *in)
{
	(void)inflateEnd(&in->gz);
}

static int
zs_start(struct inflate *in)
{
	in->zs = ZSTD_createDStream();
	if (in->zs == NULL)
		return err_origin(-ENOMEM);
	(void)ZSTD_DCtx_setParameter(in->zs, ZSTD_d_windowLogMax,
	    in->fd < 0 ? ZSTD_WINDOW_LOG_BYTES : ZSTD_WINDOW_LOG_MAX);
	return 0;
}

static int
zs_step(struct inflate *in, uint8_t *out, size_t n, size_t *ret_n)
{
	ZSTD_inBuffer from = { in->raw, in->n, in->at };
	/* An error gives nothing of what the same call has made: little a call, so that damage costs little before it. */
	ZSTD_outBuffer to = { out, n < ZSTD_STEP_MAX ? n : ZSTD_STEP_MAX, 0 };
	size_t r = ZSTD_decompressStream(in->zs, &to, &from);

	in->at = from.pos;
	*ret_n = to.pos;
	if (ZSTD_isError(r))
		return bad(in, ZSTD_getErrorName(r));
	in->between = r == 0;
	return 0;
}

static void
zs_stop(struct inflate *in)
{
	(void)ZSTD_freeDStream(in->zs);
}

static int
xz_start(struct inflate *in)
{
	in->xz = (lzma_stream)LZMA_STREAM_INIT;
	return lzma_stream_decoder(&in->xz, XZ_MEMORY_MAX, LZMA_CONCATENATED) == LZMA_OK
	    ? 0
	    : err_origin(-ENOMEM);
}

static int
xz_step(struct inflate *in, uint8_t *out, size_t n, size_t *ret_n)
{
	lzma_ret r;

	in->xz.next_in = in->raw + in->at;
	in->xz.avail_in = in->n - in->at;
	in->xz.next_out = out;
	in->xz.avail_out = n;
	r = lzma_code(&in->xz, in->eof ? LZMA_FINISH : LZMA_RUN);
	in->at = in->n - in->xz.avail_in;
	*ret_n = n - in->xz.avail_out;
	if (r == LZMA_STREAM_END)
		in->between = true;
	else if (r == LZMA_MEM_ERROR)
		return err_origin(-ENOMEM);
	else if (r == LZMA_MEMLIMIT_ERROR)
		return bad(in, "it needs more than 100 MiB of memory");
	else if (r != LZMA_OK && r != LZMA_BUF_ERROR)
		return bad(in,
		    r == LZMA_DATA_ERROR ? "its bytes, or their sum, are wrong"
		                         : "no xz header that is known");
	return 0;
}

static void
xz_stop(struct inflate *in)
{
	lzma_end(&in->xz);
}

/* The last row has no magic and takes what the others leave. */
static const struct codec codecs[] = {
	{ "gzip", STR_INIT("\x1f\x8b"), gz_start, gz_step, gz_stop },
	{ "zstd", STR_INIT("\x28\xb5\x2f\xfd"), zs_start, zs_step, zs_stop },
	{ "xz", STR_INIT("\xfd\x37\x7a\x58\x5a"), xz_start, xz_step, xz_stop },
	{ "plain", STR_INIT(""), plain_start, plain_step, plain_stop },
};

static int
fill(struct inflate *in)
{
	size_t got = 0;
	int r = 0;

	if (in->at > 0) {
		memmove(in->raw, in->raw + in->at, in->n - in->at);
		in->base += in->at;
		in->n -= in->at;
		in->at = 0;
	}
	if (in->fd >= 0)
		r = inflate_wait(in->fd, in->cancel);
	if (in->fd >= 0 && r == 0)
		r = io_read(in->fd, in->raw + in->n, RAW_MAX - in->n, &got);
	else if (in->packed.n > 0) {
		got = in->packed.n < RAW_MAX - in->n ? in->packed.n : RAW_MAX - in->n;
		memcpy(in->raw + in->n, in->packed.p, got);
		in->packed = str_sub(in->packed, got, in->packed.n);
	}
	if (r < 0)
		return err_trace(r);
	in->n += got;
	in->eof = got == 0;
	return 0;
}

/* A pipe may bring the first bytes one by one. */
static int
choose(struct inflate *in)
{
	size_t i;
	int r;

	while (in->n < MAGIC_MAX && !in->eof) {
		r = fill(in);
		if (r < 0)
			return err_trace(r);
		/* Only what may still become a magic is worth waiting for. */
		if (in->n > 0 && in->raw[0] != 0x1f && in->raw[0] != 0x28 && in->raw[0] != 0xfd)
			break;
	}
	for (i = 0; i < ARRAY_LEN(codecs); i++)
		if (str_starts(str_of(in->raw, in->n), codecs[i].magic)) {
			in->codec = &codecs[i];
			return err_trace(codecs[i].start(in));
		}
	return 0;
}

int
inflate_new(struct inflate **ret, int fd)
{
	struct inflate *in = malloc(sizeof(*in));

	if (in == NULL)
		return err_origin(-ENOMEM);
	/* The large buffer at the end is left as it is: start-up time counts. */
	memset(in, 0, offsetof(struct inflate, raw));
	in->fd = fd;
	*ret = in;
	return 0;
}

void
inflate_cancel(struct inflate *in, const atomic_bool *flag)
{
	in->cancel = flag;
}

/* A signal may come to another thread, so a wait cannot count on being interrupted. */
int
inflate_wait(int fd, const atomic_bool *flag)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	int n = 0;

	while (flag != NULL && n == 0) {
		if (atomic_load_explicit(flag, memory_order_relaxed))
			return err_origin(-ECANCELED);
		n = poll(&p, 1, WAIT_MS);
		if (n < 0 && errno != EINTR)
			return err_origin(-errno);
		n = n < 0 ? 0 : n;
	}
	return 0;
}

struct inflate *
inflate_free(struct inflate *in)
{
	if (in != NULL && in->codec != NULL)
		in->codec->stop(in);
	free(in);
	return NULL;
}

const char *
inflate_name(const struct inflate *in)
{
	return in->codec != NULL ? in->codec->name : "plain";
}

/* Bytes that need nothing done to them go where they are wanted, in pieces that are still in the cache when they are used. */
static int
read_plain(struct inflate *in, uint8_t *p, size_t n, size_t *ret_n)
{
	int r = inflate_wait(in->fd, in->cancel);

	if (r == 0)
		r = io_read(in->fd, p, n < RAW_MAX ? n : RAW_MAX, ret_n);
	if (r < 0)
		return err_trace(r);
	in->eof = *ret_n == 0;
	return 0;
}

/* One step that gives bytes, or the end: *ret_n 0. */
static int
produce(struct inflate *in, uint8_t *p, size_t n, size_t *ret_n)
{
	size_t got = 0, before;
	int r = 0;

	if (in->codec->magic.n == 0 && in->fd >= 0 && in->at == in->n && !in->eof)
		return err_trace(read_plain(in, p, n, ret_n));
	while (r == 0 && got == 0) {
		if (in->at == in->n && !in->eof) {
			r = fill(in);
			if (r < 0)
				return err_trace(r);
		}
		if (in->eof && in->at == in->n && (in->between || in->codec->magic.n == 0))
			break;
		before = in->at;
		r = in->codec->step(in, p, n, &got);
		/* xz says only now, with nothing left, that this was the end. */
		if (r == 0 && got == 0 && in->eof && in->at == before &&
		    !(in->between && in->at == in->n))
			r = bad(in, "it ends there, and should go on");
	}
	*ret_n = got;
	return r;
}

int
inflate_read(struct inflate *in, uint8_t *p, size_t n, size_t *ret_n)
{
	size_t got = 0;
	int r = 0;

	if (in->codec == NULL)
		r = choose(in);
	if (r == 0 && !in->corrupt)
		r = produce(in, p, n, &got);
	if (r < 0)
		return err_trace(r);
	in->corrupt = in->corrupt || r != 0;
	/* What was whole before the damage is given first. */
	if (in->corrupt && got == 0)
		return INFLATE_E_CORRUPT;
	in->n_plain += got;
	*ret_n = got;
	return 0;
}

void
inflate_why(const struct inflate *in, int r, struct buf *out)
{
	if (r < 0) {
		buf_c(out, err_str(r));
		return;
	}
	buf_printf(out, "damaged %s data found at offset %llu, after %llu bytes of text: %s",
	    inflate_name(in), (unsigned long long)(in->base + in->at),
	    (unsigned long long)in->n_plain, in->why);
}

int
inflate_bytes(struct str packed, const char *name, size_t max, struct buf *ret, struct buf *why)
{
	AUTO(inflate_free) struct inflate *in = NULL;
	size_t got = 1;
	int r;

	r = inflate_new(&in, -1);
	if (r < 0)
		return err_trace(r);
	in->packed = packed;
	while (got > 0) {
		if (!buf_grow(ret, RAW_MAX))
			return err_origin(-ENOMEM);
		r = inflate_read(in, ret->p + ret->n, ret->cap - ret->n, &got);
		if (r > 0)
			inflate_why(in, r, why);
		if (r != 0)
			return r;
		if (strcmp(inflate_name(in), name) != 0) {
			buf_printf(why, "expected %s, found %s", name, inflate_name(in));
			return INFLATE_E_CORRUPT;
		}
		ret->n += got;
		if (ret->n > max)
			return INFLATE_E_LARGE;
	}
	return 0;
}
