/* tests/fuzz/fuzz_logfmt.c - lines of logfmt, as lines and as a pipe sees them. */
#include "parse_fuzz.h"
#include "query/pipe_stage.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct parser_options opt = { .name = "logfmt", .zone_set = true };
	struct arena arena = ARENA_INIT;
	struct field *f;
	size_t n;

	(void)logfmt_pairs(str_of(data, size), &arena, &f, &n);
	arena_fini(&arena);
	fuzz_lines(&opt, str_of(data, size));
	return 0;
}
