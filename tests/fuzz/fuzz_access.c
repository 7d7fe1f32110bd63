/* tests/fuzz/fuzz_access.c - lines of access logs. */
#include "parse_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct parser_options opt = { .name = "access", .zone_set = true };

	fuzz_lines(&opt, str_of(data, size));
	return 0;
}
