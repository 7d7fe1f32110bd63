/*
 * tests/fuzz/fuzz_frame.c - bytes to lines.
 * One job: every byte is in a line, a newline, a mark at the beginning, or a hole; and cutting the input anywhere changes nothing.
 */
#include <stdlib.h>

#include "ingest/frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What the frames are, as a number. */
static uint64_t
frames_sum(struct frame *f, struct str all, uint64_t sum)
{
	enum frame_kind kind;
	struct str text = STR_NONE;

	while ((kind = frame_next(f, &text)) != FRAME_NONE)
		sum = ((sum ^ kind) * 31 + (size_t)(text.p - all.p)) * 31 + text.n;
	return sum;
}

/* Bytes that come in two pieces, both still there, give the frames that they give at once. */
static void
check_cut(struct str all, size_t max_line, size_t cut)
{
	struct frame whole = { .max_line = max_line, .first = true, .data = all };
	struct frame parts = { .max_line = max_line, .first = true, .data = str_sub(all, 0, cut) };
	uint64_t sum = frames_sum(&parts, all, 0);

	parts.data = all;
	if (frames_sum(&parts, all, sum) != frames_sum(&whole, all, 0) || parts.at != whole.at)
		abort();
}

/* NULs beyond max_line that may become a hole are text as long as no more of them are there: then a cut does change it. */
static bool
has_hole(struct str all)
{
	static const uint8_t hole[FRAME_HOLE_MIN];

	return str_find(all, str_of(hole, sizeof(hole))) != SIZE_MAX;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct frame f = { .max_line = 16, .first = true, .flush = true };
	struct str text = STR_NONE;
	enum frame_kind kind;
	size_t before;

	if (size > 0) {
		f.max_line = 4 + data[0] % 64;
		f.flush = (data[0] & 0x80) != 0;
		data++;
		size--;
	}
	f.data = str_of(data, size);
	if (size > 0 && !has_hole(f.data))
		check_cut(f.data, f.max_line, data[size / 2] * size / 256);
	do {
		before = f.at;
		kind = frame_next(&f, &text);
		if (f.at < before || f.at > size)
			abort();
		if (kind == FRAME_NONE)
			break;
		if (f.at == before || text.p < data || text.p + text.n > data + size)
			abort();
		if (kind != FRAME_HOLE && text.n > f.max_line)
			abort();
	} while (true);
	return 0;
}
