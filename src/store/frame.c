/*
 * store/frame.c - the frame.
 * One job: one self-checking piece of a segment, chained to the piece before it.
 * Floor: 2 (uses base).
 */
#include "store/frame.h"

#include "base/hash.h"
#include "base/io.h"

/*
 * Frame, version 1.  Little-endian; offsets from the frame's start, which is a multiple of 8.
 *
 *   offset  size  field
 *        0     4  magic     "wFRM"
 *        4     1  type      1 BLOCK, 2 COMMIT, 3 DIRECTORY, 4 FOOTER
 *        5     1  version   1
 *        6     2  flags     bit 0: a reader that does not know the type goes past it
 *        8     4  number    of the frame in its segment, from 0
 *       12     4  n_meta    bytes of meta
 *       16     4  n_body    bytes of body
 *       20     4  zero
 *       24     8  meta_sum  hash64 of meta
 *       32     8  body_sum  hash64 of body
 *       40     8  prev      check of the frame before; the segment's seed in frame 0
 *       48     8  check     hash64 of bytes 0 to 47, seeded with the segment's seed
 *       56        meta, zeros to a multiple of 8, body, zeros to a multiple of 8
 *
 * meta is what a reader needs to plan and is always read whole; body is read in parts, whose own
 * checksums hold them; body_sum is for recovery and for verify.  The seed is hash64 of the store's uuid
 * and the segment's number, so that a frame of another file never passes for one of this.
 *
 * A crash leaves a frame cut, or any part of it unwritten: then a sum does not hold.
 */

uint64_t
frame_seed(const uint8_t uuid[16], uint64_t segment)
{
	uint8_t p[24];
	int i;

	memcpy(p, uuid, 16);
	for (i = 0; i < 8; i++)
		p[16 + i] = (uint8_t)(segment >> (8 * i));
	return hash64(str_of(p, sizeof(p)));
}

static void
pad(struct buf *out, size_t n)
{
	static const uint8_t zeros[8];

	buf_put(out, zeros, frame_pad(n) - n);
}

struct frame_draft
frame_begin(struct buf *out, enum frame_type type, struct str meta)
{
	static const uint8_t head[FRAME_HEAD];
	struct frame_draft d = { type, out->n, meta.n };

	buf_put(out, head, sizeof(head));
	buf_str(out, meta);
	pad(out, meta.n);
	return d;
}

void
frame_finish(struct buf *out, struct frame_chain *chain, struct frame_draft d)
{
	AUTO_FINI(buf_fini) struct buf head = BUF_INIT;
	size_t body_at = d.start + FRAME_HEAD + frame_pad(d.n_meta);
	struct str meta, body;
	uint64_t check;

	if (out->failed)
		return;
	meta = str_of(out->p + d.start + FRAME_HEAD, d.n_meta);
	body = str_of(out->p + body_at, out->n - body_at);
	buf_u32(&head, FRAME_MAGIC);
	buf_byte(&head, (uint8_t)d.type);
	buf_byte(&head, FRAME_VERSION);
	buf_u16(&head, 0);
	buf_u32(&head, chain->next_number);
	buf_u32(&head, (uint32_t)meta.n);
	buf_u32(&head, (uint32_t)body.n);
	buf_u32(&head, 0);
	buf_u64(&head, hash64(meta));
	buf_u64(&head, hash64(body));
	buf_u64(&head, chain->prev);
	check = hash64_seed(buf_view(&head), chain->seed);
	buf_u64(&head, check);
	pad(out, body.n);
	out->failed |= head.failed;
	if (out->failed)
		return;
	memcpy(out->p + d.start, head.p, FRAME_HEAD);
	chain->next_number++;
	chain->prev = check;
}

void
frame_put(struct buf *out, struct frame_chain *chain, enum frame_type type, struct str meta,
    struct str body)
{
	struct frame_draft d = frame_begin(out, type, meta);

	buf_str(out, body);
	frame_finish(out, chain, d);
}

bool
frame_parse(const uint8_t p[FRAME_HEAD], uint64_t seed, uint64_t at, struct frame *ret)
{
	struct scan s = { p, FRAME_HEAD, 0, false };
	struct frame f = { .at = at };

	if (scan_u32(&s) != FRAME_MAGIC)
		return false;
	f.type = scan_u8(&s);
	f.version = scan_u8(&s);
	f.flags = scan_u16(&s);
	f.number = scan_u32(&s);
	f.n_meta = scan_u32(&s);
	f.n_body = scan_u32(&s);
	(void)scan_u32(&s);
	f.meta_sum = scan_u64(&s);
	f.body_sum = scan_u64(&s);
	f.prev = scan_u64(&s);
	f.check = scan_u64(&s);
	if (f.check != hash64_seed(str_of(p, FRAME_HEAD - 8), seed) || f.n_meta > FRAME_META_MAX)
		return false;
	*ret = f;
	return true;
}

int
frame_read_exact(int fd, void *p, size_t n, uint64_t at)
{
	size_t got = 0;
	int r = io_pread(fd, p, n, at, &got);

	if (r < 0)
		return err_trace(r);
	return got == n ? 0 : err_origin(-EIO);
}

int
frame_window_get(struct frame_window *w, uint64_t at, size_t n, struct str *ret)
{
	size_t got = 0, want;
	int r;

	if (at >= w->limit) {
		*ret = STR_NONE;
		return 0;
	}
	if (n > w->limit - at)
		n = (size_t)(w->limit - at);
	if (at < w->at || at + n > w->at + w->buf.n) {
		want = n > FRAME_WINDOW ? n : FRAME_WINDOW;
		if (want > w->limit - at)
			want = (size_t)(w->limit - at);
		buf_clear(&w->buf);
		if (!buf_grow(&w->buf, want))
			return err_origin(-ENOMEM);
		r = io_pread(w->fd, w->buf.p, want, at, &got);
		if (r < 0)
			return err_trace(r);
		w->buf.n = got;
		w->at = at;
		if (n > got)
			n = got;
	}
	*ret = str_of(w->buf.p + (at - w->at), n);
	return 0;
}

void
frame_window_fini(struct frame_window *w)
{
	buf_fini(&w->buf);
}

void
frame_walk_init(struct frame_walk *w, int fd, const struct frame_chain *chain, uint64_t at,
    uint64_t limit)
{
	*w = (struct frame_walk){ .chain = *chain, .at = at };
	w->win = (struct frame_window){ .fd = fd, .limit = limit };
}

void
frame_walk_fini(struct frame_walk *w)
{
	frame_window_fini(&w->win);
}

/* The frame at ${at}: 0 and *ret, or FRAME_E_END when there is none that lies below the limit. */
static int
frame_at(struct frame_walk *w, uint64_t at, struct frame *ret)
{
	struct str head = STR_NONE;
	int r = frame_window_get(&w->win, at, FRAME_HEAD, &head);

	if (r < 0)
		return err_trace(r);
	if (head.n < FRAME_HEAD || !frame_parse(head.p, w->chain.seed, at, ret) ||
	    ret->number < w->chain.next_number || frame_end(ret) > w->win.limit)
		return FRAME_E_END;
	return 0;
}

/* Look for the next frame behind damage, at multiples of 8. */
static int
resync(struct frame_walk *w, struct frame *ret)
{
	uint64_t at = w->at + 8;
	struct str part = STR_NONE;
	const uint8_t *p;
	size_t i, n;
	int r;

	for (;;) {
		r = frame_window_get(&w->win, at, FRAME_WINDOW, &part);
		if (r < 0)
			return err_trace(r);
		if (part.n < FRAME_HEAD)
			return FRAME_E_END;
		/* Of the room behind the end of a segment that is being written this looks at every byte. */
		n = (part.n - FRAME_HEAD) / 8 * 8 + 1;
		for (i = 0; i < n; i = frame_pad(i + 1)) {
			p = memchr(part.p + i, 'w', n - i);
			if (p == NULL)
				break;
			i = (size_t)(p - part.p);
			if (i % 8 == 0 && frame_parse(p, w->chain.seed, at + i, ret) &&
			    ret->number >= w->chain.next_number && frame_end(ret) <= w->win.limit)
				return 0;
		}
		at += n + 7;
	}
}

static int
read_meta(struct frame_walk *w)
{
	struct str meta = STR_NONE;
	int r = frame_window_get(&w->win, w->frame.at + FRAME_HEAD, w->frame.n_meta, &meta);

	if (r < 0)
		return err_trace(r);
	w->meta_bad = meta.n != w->frame.n_meta || hash64(meta) != w->frame.meta_sum;
	w->meta = w->meta_bad ? STR_NONE : meta;
	return 0;
}

int
frame_walk_next(struct frame_walk *w)
{
	struct frame f = { 0 };
	int r = frame_at(w, w->at, &f);

	w->broken = false;
	w->broken_at = w->at;
	if (r == FRAME_E_END) {
		w->broken = true;
		r = resync(w, &f);
	}
	if (r != 0)
		return r;
	if (f.number != w->chain.next_number || f.prev != w->chain.prev)
		w->broken = true;
	w->frame = f;
	w->at = frame_end(&f);
	w->chain.next_number = f.number + 1;
	w->chain.prev = f.check;
	return err_trace(read_meta(w));
}

int
frame_check_body(int fd, const struct frame *f)
{
	AUTO_FINI(buf_fini) struct buf body = BUF_INIT;
	int r;

	if (!buf_grow(&body, f->n_body))
		return err_origin(-ENOMEM);
	r = frame_read_exact(fd, body.p, f->n_body, frame_body_at(f));
	if (r < 0)
		return err_trace(r);
	return hash64(str_of(body.p, f->n_body)) == f->body_sum ? 0 : FRAME_E_BAD_BODY;
}
