/*
 * tests/fuzz/fuzz_filepos.c - positions of files from a store that may be damaged.
 * One job: whatever is read back as a position keeps its bounds, and is written again as the same position.
 */
#include <stdlib.h>

#include "base/hash.h"
#include "ingest/filepos.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(struct str bytes)
{
	struct buf out = BUF_INIT;
	struct file_pos pos, again;

	if (file_pos_read(bytes, &pos) != 0)
		return;
	if (pos.id.n > FILE_ID_MAX || pos.head.n > FILE_HEAD_MAX || pos.tail.n > pos.offset ||
	    pos.offset > pos.size || pos.name.n == 0)
		abort();
	file_pos_write(&out, &pos);
	if (out.failed || file_pos_read(buf_view(&out), &again) != 0 ||
	    again.offset != pos.offset || !file_id_eq(&again.id, &pos.id) ||
	    !str_eq(again.name, pos.name) || !str_eq(again.group, pos.group))
		abort();
	buf_fini(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf b = BUF_INIT;

	check(str_of(data, size));
	/* The same with a checksum that is right, so that what lies behind it is reached. */
	buf_put(&b, data, size);
	buf_u32(&b, hash32(str_of(data, size)));
	if (!b.failed)
		check(buf_view(&b));
	buf_fini(&b);
	return 0;
}
