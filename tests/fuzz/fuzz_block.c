/*
 * tests/fuzz/fuzz_block.c - hostile blocks.
 * One job: whatever the bytes are, every column of them decodes or is refused, and both ways of reading agree.
 *
 * The first byte is not part of the block, it chooses the literal and the rows.
 */
#include "block_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size > 0)
		try_block(str_of(data + 1, size - 1), data[0]);
	return 0;
}
