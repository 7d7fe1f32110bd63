/*
 * tests/fuzz/fuzz_pipes.c - any pipes on a few rows.
 * What parses runs to its end or gives an error, in bounded memory, and without conditions on the
 * order of workers.
 */
#include "tests/unit/pipes_run.h"

static const struct run_rows rows = { "_time _msg a b _stream",
	"2025-01-06T10:00:00Z|user 12 from 10.0.0.1 took 1.5s|10|x|{app=\"w\"}\n"
	"2025-01-06T10:00:30Z|{\"k\":[1,\"z\"],\"a\":{\"b\":2}}|2.5|y|{app=\"w\"}\n"
	"2025-02-01T00:00:00.5Z|foo=bar \"q\\\"x\" a=1|-7|x|{}\n"
	"|[\"p\",{\"q\":null},3]|1KiB||\n"
	"0|\xd0\xa4\xff \x1b[31mred|1e3|10.1.2.3|{app=\"v\"}\n" };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO_FINI(buf_fini) struct buf one = BUF_INIT;
	AUTO_FINI(buf_fini) struct buf three = BUF_INIT;

	if (size > 2048)
		return 0;
	(void)run_text(str_of(data, size), &rows, 1, 4 << 20, &one);
	(void)run_text(str_of(data, size), &rows, 3, 4 << 20, &three);
	return 0;
}
