/*
 * ingest/frame.c - bytes to lines.
 * One job: cut bytes at LF, split what is too long, and know what is no data.
 * Floor: 3 (uses base).  No I/O.
 */
#include "ingest/frame.h"

static size_t
leading_nuls(struct str s)
{
	size_t n = 0;

	while (n < s.n && s.p[n] == 0)
		n++;
	return n;
}

/* The bytes of ${s} without a run of NULs at its end that is long enough to be a hole. */
static size_t
without_hole(struct str s)
{
	size_t n = s.n;

	while (n > 0 && s.p[n - 1] == 0)
		n--;
	return s.n - n >= FRAME_HOLE_MIN ? n : s.n;
}

/* A part ends between characters where it can. */
static size_t
part_len(struct str s, size_t max)
{
	size_t back;

	for (back = 0; back < 4 && back < max; back++)
		if ((s.p[max - back] & 0xC0) != 0x80)
			return max - back;
	return max;
}

static enum frame_kind
take_part(struct frame *f, struct str rest, struct str *ret)
{
	size_t n = part_len(rest, f->max_line);

	*ret = str_sub(rest, 0, n);
	f->at += n;
	return f->part++ == 0 ? FRAME_BEGIN : FRAME_MIDDLE;
}

static enum frame_kind
take_line(struct frame *f, struct str rest, size_t n, struct str *ret)
{
	enum frame_kind kind = f->part > 0 ? FRAME_END : FRAME_WHOLE;

	*ret = str_sub(rest, 0, n);
	f->at += n + 1;
	f->part = 0;
	return kind;
}

static enum frame_kind
take_rest(struct frame *f, struct str rest, size_t n, struct str *ret)
{
	if (n == 0)
		return FRAME_NONE;
	*ret = str_sub(rest, 0, n);
	f->at += n;
	f->part = 0;
	return FRAME_CUT;
}

enum frame_kind
frame_next(struct frame *f, struct str *ret)
{
	struct str rest;
	size_t n;

	if (f->first && f->at == 0 && str_starts(f->data, STR("\xef\xbb\xbf")))
		f->at = 3;
	rest = str_sub(f->data, f->at, f->data.n);
	if (rest.n == 0)
		return FRAME_NONE;
	n = f->part == 0 ? leading_nuls(rest) : 0;
	if (n >= FRAME_HOLE_MIN) {
		if (n == rest.n)
			return FRAME_NONE;
		*ret = str_sub(rest, 0, n);
		f->at += n;
		return FRAME_HOLE;
	}
	n = str_find_byte(str_sub(rest, 0, f->max_line + 1), '\n');
	if (n != SIZE_MAX)
		return take_line(f, rest, n, ret);
	n = without_hole(rest);
	if (n > f->max_line)
		return take_part(f, rest, ret);
	return f->flush ? take_rest(f, rest, n, ret) : FRAME_NONE;
}
