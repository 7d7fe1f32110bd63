/*
 * tests/fuzz/fuzz_frame.c - bytes to lines.
 * One job: every byte is in a line, a newline, a mark at the beginning, or a hole; and cutting the input anywhere changes nothing.
 */
#include <stdlib.h>

#include "ingest/frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

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
